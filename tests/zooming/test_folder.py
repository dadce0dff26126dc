"""One photo or a folder: what is written, skipped, survived, shared and gone on with."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import liif_core
from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.files.in_memory import InMemory
from liif_core.liif import LIIF, LIIFConfig
from liif_core.photos import photo_from
from liif_core.render import ContinuousPhoto
from liif_core.zooming.album import album_of
from liif_core.zooming.folder import Summary, zoom_album
from liif_core.zooming.job import Task


@pytest.fixture(scope="module")
def model() -> LIIF:
    config = LIIFConfig(blocks=1, channels=4, hidden=(8,), local_colour=True)
    return LIIF(config).eval().requires_grad_(False)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three photos, a broken one between them, one that only Pillow's reader knows, and notes."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, name in enumerate(["a.png", "c.jpg", "d.gif", "e.tif"]):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8 + number, 3), np.uint8)
        Image.fromarray(pixels).save(photos / name)
    (photos / "b.png").write_bytes(b"no picture")
    (photos / "notes.txt").write_text("not a photo")
    return photos


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def zoom_folder(load, folder: Path, out: Path, task: Task, *rest) -> Summary:
    return zoom_album(load, album_of([folder], results=out), out, task, *rest)


def numbers(printed: str) -> dict[str, int]:
    """Read the closing table: what each line counts."""
    lines = [line.split(maxsplit=1) for line in printed.splitlines()[-30:]]
    words = ("written", "there already", "skipped", "failed", "in all")
    table = {line[1]: int(line[0]) for line in lines if line[1:] and line[1] in words}
    assert sum(table[word] for word in words[:4]) == table["in all"]
    return table


RESULTS = ["a_x2.png", "c_x2.jpg", "d_x2.png", "e_x2.tif"]


def test_a_folder_survives_a_bad_photo_and_skips_what_is_done(folder, tmp_path, capsys):
    out = tmp_path / "out" / "deeper"
    assert main(["zoom", str(folder), "--scale", "2", "-o", str(out)]) == 1
    printed = capsys.readouterr()
    assert names(out) == RESULTS
    assert numbers(printed.out) == {
        "written": 4,
        "there already": 0,
        "skipped": 1,
        "failed": 1,
        "in all": 6,
    }
    assert f"1 × a text: {folder / 'notes.txt'}" in printed.out
    assert printed.err.count("\n") == 1
    assert "b.png" in printed.err
    for number, name in enumerate(RESULTS):
        with Image.open(out / name) as result:
            assert result.size == (2 * (8 + number), 12)
    with Image.open(out / "e_x2.tif") as result:
        alone = np.asarray(liif_core.zoom(folder / "e.tif", scale=2))
        np.testing.assert_array_equal(np.asarray(result), alone)

    (out / "c_x2.jpg").unlink()
    (out / "a_x2.png").write_bytes(b"mine")
    (folder / "b.png").unlink()
    assert main(["zoom", str(folder), "--scale", "2", "-o", str(out)]) == 0
    table = numbers(capsys.readouterr().out)
    assert (table["written"], table["there already"], table["failed"]) == (1, 3, 0)
    assert names(out) == RESULTS
    assert (out / "a_x2.png").read_bytes() == b"mine"
    assert main(["zoom", str(folder), "--scale", "2", "-o", str(out), "--overwrite"]) == 0
    assert photo_from(out / "a_x2.png").height == 12


def test_folders_that_cannot_be(folder, tmp_path, model):
    (tmp_path / "file").touch()
    for out, words in [(folder, "holds the photos"), (tmp_path / "file", "cannot be made")]:
        with pytest.raises(LiifError, match=words):
            zoom_folder(lambda: model, folder, out, Task(scale=2))
    (tmp_path / "empty").mkdir()
    with pytest.raises(LiifError, match="no photographs"):
        zoom_folder(lambda: model, tmp_path / "empty", tmp_path / "out", Task(scale=2))


def test_a_folder_has_its_results_beside_it(folder, monkeypatch):
    (folder / "b.png").unlink()
    assert main(["zoom", str(folder), "--scale", "2"]) == 0
    assert names(folder.with_name("photos_x2")) == RESULTS
    monkeypatch.chdir(folder)
    assert main(["zoom", ".", "--scale", "1.5"]) == 0
    assert len(names(folder.with_name("photos_x1.5"))) == 4


def test_a_mistake_in_every_photo_and_a_disk_that_fails(folder, tmp_path, model, monkeypatch):
    summary = zoom_folder(lambda: model, folder, tmp_path / "out", Task(scale=2, crop=(0, 0, 9, 6)))
    assert len(summary.written) == 3
    assert len(summary.failed) == 2  # the broken one, and the one of 8 pixels

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    summary = zoom_folder(lambda: model, folder, tmp_path / "out", Task(scale=2))
    assert summary.written == []
    assert len(summary.failed) == 5
    assert sum("No space left" in line for line in summary.failed) == 4


def test_two_photos_of_one_name_get_two_results(folder, tmp_path, model):
    (folder / "b.png").unlink()
    Image.new("RGB", (5, 5)).save(folder / "a.gif")
    Image.new("RGB", (5, 5)).save(folder / "a.bmp")
    summary = zoom_folder(lambda: model, folder, tmp_path / "out", Task(scale=2))
    assert summary.failed == []
    assert len({line for lines in summary.written for line in lines}) == 6
    assert len(names(tmp_path / "out")) == 6


def test_photos_named_like_the_results_of_others_are_not_lost(tmp_path, model):
    photos = tmp_path / "photos"
    photos.mkdir()
    names_ = ["a.bmp", "a.gif", "a.gif.png", "a.gif.gif.png", "A.png", "a.GIF"]
    for size, name in enumerate(names_, 2):
        Image.new("RGB", (size, size)).save(photos / name)
    summary = zoom_folder(lambda: model, photos, tmp_path / "out", Task(scale=2))
    assert (len(summary.written), summary.failed) == (len(names_), [])
    found = names(tmp_path / "out")
    assert len({name.casefold() for name in found}) == len(names_)
    sides = [photo_from(tmp_path / "out" / name).height for name in found]
    assert sorted(sides) == [2 * size for size in range(2, 2 + len(names_))]


def test_the_model_is_loaded_once_and_when_it_is_needed(folder, tmp_path, model):
    """Not for photos that are no photos, nor for results that are there."""
    loaded: list[LIIF] = []

    def load() -> LIIF:
        loaded.append(model)
        return model

    def never() -> LIIF:
        raise AssertionError("nothing is to be computed")

    nothing = Task(scale=2, crop=(50, 50, 60, 60))
    assert len(zoom_folder(never, folder, tmp_path / "out", nothing).failed) == 5
    assert len(zoom_folder(load, folder, tmp_path / "out", Task(scale=2)).written) == 4
    assert len(loaded) == 1
    again = zoom_folder(never, folder, tmp_path / "out", Task(scale=2))
    assert (len(again.there_already), len(again.failed)) == (4, 1)


def test_weights_that_are_none_end_it_at_once(folder, tmp_path, capsys):
    command = ["zoom", str(folder), "--scale", "2", "-o", str(tmp_path / "out")]
    assert main([*command, "--weights", "none-such"]) == 2
    assert capsys.readouterr().err.count("no weights called") == 1
    assert main([*command, "--device", "abacus"]) == 2
    assert names(tmp_path / "out") == []


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to ..."),
    MemoryError(),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("victim", ["c.jpg", "d.gif"])  # held in memory, and written by strips
def test_too_little_memory_for_one_photo_holds_up_no_other(
    folder, tmp_path, model, monkeypatch, error, victim
):
    width = photo_from(folder / victim).width
    window = ContinuousPhoto.window

    def window_or_fail(self, *arguments, **options):
        if self.photo.width == width:
            raise error
        return window(self, *arguments, **options)

    monkeypatch.setattr(ContinuousPhoto, "window", window_or_fail)
    summary = zoom_folder(lambda: model, folder, tmp_path / "out", Task(scale=2))
    assert len(summary.written) == 3
    broken, failed = sorted(summary.failed)
    assert "b.png" in broken
    assert failed.startswith(f"{folder / victim}: not enough memory")
    assert len(names(tmp_path / "out")) == 3


def test_a_mistake_of_ours_is_no_failure_of_a_photo(folder, tmp_path, model, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(ContinuousPhoto, "window", fail)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        zoom_folder(lambda: model, folder, tmp_path / "out", Task(scale=2))


def test_reading_computing_and_writing_overlap(folder, tmp_path, model, monkeypatch):
    """The next photo is read while the last result is still being written."""
    from liif_core.zooming import folder as zoom_files

    (folder / "b.png").unlink()
    begun = {name: threading.Event() for name in ("a.png", "c.jpg", "d.gif", "e.tif")}
    told: list[tuple[float, int]] = []
    in_time: list[bool] = []
    read, finish = zoom_files.read, InMemory.finish

    def read_and_say(job):
        begun[job.source.name].set()
        return read(job)

    def finish_when_the_next_is_being_read(self):
        in_time.append(begun["d.gif"].wait(60))
        finish(self)

    monkeypatch.setattr(zoom_files, "read", read_and_say)
    monkeypatch.setattr(InMemory, "finish", finish_when_the_next_is_being_read)
    zoom_folder(
        lambda: model, folder, tmp_path / "out", Task(scale=2), lambda *now: told.append(now)
    )
    assert [told[0], told[-1]] == [(0, 4), (4, 4)]
    assert told == sorted(told)
    assert in_time == [True]  # c_x2.jpg alone is written in one piece
    assert all(event.is_set() for event in begun.values())


def torchrun(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Start two processes."""
    environment = {**os.environ, "PYTHONPATH": str(Path(liif_core.__file__).parent.parent)}
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*start, *map(str, arguments)],
        env=environment | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun wants gloo on POSIX")
def test_processes_share_a_folder(folder, tmp_path):
    out = tmp_path / "out"
    command = ["-m", "liif_core", "zoom", folder, "--scale", "2", "-o", out]
    run = torchrun(*command)
    assert names(out) == RESULTS
    assert run.returncode == 1, run.stderr
    assert numbers(run.stdout)["written"] == 4
    assert run.stdout.count(" in all") == 1
    assert run.stdout.count("pixels") == 4
    assert run.stderr.count("liif: ") == 1
    (folder / "b.png").unlink()
    again = torchrun(*command)
    assert again.returncode == 0, again.stderr
    table = numbers(again.stdout)
    assert (table["written"], table["there already"]) == (0, 4)


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun wants gloo on POSIX")
def test_too_little_memory_in_one_process_ends_no_other(folder, tmp_path):
    """The first of two processes has a.png, c.jpg and e.tif; c.jpg, 9 pixels wide, is too much."""
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "from liif_core.__main__ import main\n"
        "from liif_core.render import ContinuousPhoto\n"
        "window = ContinuousPhoto.window\n"
        "def window_or_fail(self, *arguments, **options):\n"
        "    if self.photo.width == 9:\n"
        "        raise RuntimeError('DefaultCPUAllocator: can\\'t allocate memory')\n"
        "    return window(self, *arguments, **options)\n"
        "ContinuousPhoto.window = window_or_fail\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    run = torchrun(str(program), "zoom", folder, "--scale", "2", "-o", tmp_path / "out")
    assert run.returncode == 1, run.stderr
    assert names(tmp_path / "out") == ["a_x2.png", "d_x2.png", "e_x2.tif"]
    assert numbers(run.stdout)["written"] == 3
    assert f"liif: {folder / 'c.jpg'}: not enough memory" in run.stderr
