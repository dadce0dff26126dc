"""One photo or a folder: what is written, skipped, survived, shared and gone on with."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import liif_core
from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.liif import LIIF, LIIFConfig
from liif_core.photos import Photo, photo_from
from liif_core.render import OutputGrid
from liif_core.zooming.folder import Task, job_key, seconds_needed, zoom_folder


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


RESULTS = ["a_x2.png", "c_x2.jpg", "d_x2.png", "e_x2.tif"]


def test_a_folder_survives_a_bad_photo_and_skips_what_is_done(folder, tmp_path, capsys):
    out = tmp_path / "out" / "deeper"
    assert main(["zoom", str(folder), "--scale", "2", "-o", str(out)]) == 1
    printed = capsys.readouterr()
    assert names(out) == RESULTS
    assert "4 written, 0 there already" in printed.out
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
    assert "1 written, 3 there already" in capsys.readouterr().out
    assert names(out) == RESULTS
    assert (out / "a_x2.png").read_bytes() == b"mine"
    assert main(["zoom", str(folder), "--scale", "2", "-o", str(out), "--overwrite"]) == 0
    assert photo_from(out / "a_x2.png").height == 12


def test_folders_that_cannot_be(folder, tmp_path, model):
    (tmp_path / "file").touch()
    for out, words in [(folder, "holds the photos"), (tmp_path / "file", "cannot be made")]:
        with pytest.raises(LiifError, match=words):
            zoom_folder(model, folder, out, Task(scale=2))
    (tmp_path / "empty").mkdir()
    with pytest.raises(LiifError, match="no photographs"):
        zoom_folder(model, tmp_path / "empty", tmp_path / "out", Task(scale=2))


def test_a_folder_needs_a_folder(folder, capsys):
    assert main(["zoom", str(folder), "--scale", "2"]) == 2
    assert "-o OUT" in capsys.readouterr().err


def test_a_mistake_in_every_photo_and_a_disk_that_fails(folder, tmp_path, model, monkeypatch):
    summary = zoom_folder(model, folder, tmp_path / "out", Task(scale=2, crop=(0, 0, 9, 6)))
    assert len(summary.written) == 3
    assert len(summary.failed) == 2  # the broken one, and the one of 8 pixels

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    summary = zoom_folder(model, folder, tmp_path / "out", Task(scale=2))
    assert summary.written == []
    assert len(summary.failed) == 5
    assert sum("No space left" in line for line in summary.failed) == 4


def test_two_photos_of_one_name_get_two_results(folder, tmp_path, model):
    (folder / "b.png").unlink()
    Image.new("RGB", (5, 5)).save(folder / "a.gif")
    Image.new("RGB", (5, 5)).save(folder / "a.bmp")
    summary = zoom_folder(model, folder, tmp_path / "out", Task(scale=2))
    assert summary.failed == []
    assert len(set(summary.written)) == 6
    assert len(names(tmp_path / "out")) == 6


def test_reading_computing_and_writing_overlap(folder, tmp_path, model, monkeypatch):
    """The next photo is read while the last result is still being written."""
    from liif_core.zooming import folder as zoom_files

    (folder / "b.png").unlink()
    begun = {name: threading.Event() for name in ("a.png", "c.jpg", "d.gif", "e.tif")}
    told: list[tuple[float, int]] = []
    in_time: list[bool] = []
    read, finish = zoom_files.photo_from, zoom_files.InMemory.finish

    def read_and_say(path):
        begun[path.name].set()
        return read(path)

    def finish_when_the_next_is_being_read(self):
        in_time.append(begun["d.gif"].wait(60))
        finish(self)

    monkeypatch.setattr(zoom_files, "photo_from", read_and_say)
    monkeypatch.setattr(zoom_files.InMemory, "finish", finish_when_the_next_is_being_read)
    zoom_folder(model, folder, tmp_path / "out", Task(scale=2), lambda *now: told.append(now))
    assert [told[0], told[-1]] == [(0, 4), (4, 4)]
    assert told == sorted(told)
    assert in_time == [True]  # c_x2.jpg alone is written in one piece
    assert all(event.is_set() for event in begun.values())


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun wants gloo on POSIX")
def test_processes_share_a_folder(folder, tmp_path):
    out = tmp_path / "out"
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(liif_core.__file__).parent.parent),
        "OMP_NUM_THREADS": "1",
    }
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*start, "-m", "liif_core", "zoom", str(folder), "--scale", "2", "-o", str(out)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert names(out) == RESULTS
    assert run.returncode == 1, run.stderr
    assert run.stdout.count("4 written, 0 there already") == 1
    assert run.stdout.count("pixels") == 4
    assert run.stderr.count("liif: ") == 1
    (folder / "b.png").unlink()
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert again.returncode == 0, again.stderr
    assert "0 written, 4 there already" in again.stdout


def test_the_key_stands_for_all_that_decides_the_pixels(model):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 4), np.uint8)
    photo, grid, task = photo_from(pixels), OutputGrid(18, 14, (0, 0, 7, 9)), Task(scale=2)

    def key(
        model: LIIF = model, photo: Photo = photo, grid: OutputGrid = grid, task: Task = task
    ) -> str:
        return job_key(model, photo, grid, task)

    torn = LIIF(model.config)
    torn.load_state_dict(model.state_dict())
    assert key(model=torn) == key()
    with_one_bit_more = {k: v.clone() for k, v in model.state_dict().items()}
    with_one_bit_more["imnet.layers.0.bias"][0] += 1e-6
    torn.load_state_dict(with_one_bit_more)
    changed = pixels.copy()
    changed[8, 6, 2] ^= 1
    clearer = pixels.copy()
    clearer[8, 6, 3] ^= 1
    keys = [
        key(),
        key(model=torn),
        key(photo=photo_from(changed)),
        key(photo=photo_from(clearer)),
        key(photo=replace(photo, icc_profile=b"profile")),
        key(photo=replace(photo, exif=b"notes")),
        key(grid=OutputGrid(18, 15, (0, 0, 7, 9))),
        key(grid=OutputGrid(18, 14, (0, 0, 7, 8))),
        key(task=replace(task, self_ensemble=True)),
        key(task=replace(task, precision="bfloat16")),
    ]
    assert len(set(keys)) == len(keys)
    assert key(task=replace(task, overwrite=True, quality=3)) == key()
    assert key(photo=photo_from(pixels)) == key()


def test_the_first_guess_counts_the_pixels_read_and_the_pixels_made(model, monkeypatch):
    """On a clock that a microsecond passes on for each pixel read, and ten for each one made."""
    now = 0.0

    class Timed:
        def __init__(self, model, piece, precision):
            self.read = piece.shape[0] * piece.shape[1]

        def render(self, height, width):
            nonlocal now
            now += 1e-6 * self.read + 1e-5 * height * width

    monkeypatch.setattr("liif_core.zooming.folder.time.perf_counter", lambda: now)
    monkeypatch.setattr("liif_core.zooming.folder.ContinuousPhoto", Timed)
    photo = photo_from(np.zeros((200, 300, 3), np.uint8))
    for task, made in ((Task(scale=2), 400 * 600), (Task(scale=60), 12000 * 18000)):
        expected = 1e-6 * 200 * 300 + 1e-5 * made
        assert seconds_needed(model, photo, task) == pytest.approx(expected, rel=0.02)
    eight = seconds_needed(model, photo, Task(scale=2, self_ensemble=True))
    assert eight == pytest.approx(8 * seconds_needed(model, photo, Task(scale=2)))


def test_names():
    assert Task(scale=2.5).name_for(Path("d/a.jpg")) == "a_x2.5.jpg"
    assert Task(size=(40, 30)).name_for(Path("a.PNG")) == "a_40x30.PNG"
    assert Task(scale=2, crop=(1, 2, 3, 4)).name_for(Path("a.bmp")) == "a_1-2-3-4_x2.png"
