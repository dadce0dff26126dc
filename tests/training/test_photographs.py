"""Decoded photographs: on the disk once, within a budget, and what is left out."""

import pickle
import shutil
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from liif_core import workers
from liif_core.errors import LiifError
from liif_core.photos import photo_paths, read_rgb
from liif_core.training import decoded, pairs, photographs
from liif_core.training.decoded import cache_folder
from liif_core.training.pairs import PairSampler, batches
from liif_core.training.photographs import read_photographs
from liif_core.training.recipe import Recipe
from liif_core.training.run import split

RECIPE = Recipe("tiny", steps=10, batch=3, patch=8, queries=20, warmup=1)


@pytest.fixture
def on_disk(tmp_path, monkeypatch):
    """Keep even few pixels on the disk; the cache is this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(photographs, "FEW_PIXELS", 0)
    yield tmp_path / "cache" / "liif" / "decoded"
    for writer in list(photographs._writers):
        writer.stop()


@pytest.fixture
def counted(monkeypatch):
    decoded = []
    monkeypatch.setattr(
        photographs, "read_rgb", lambda path: decoded.append(path) or read_rgb(path)
    )
    return decoded


def assert_same(found, paths):
    assert len(found) == len(paths)
    for picture, path in zip(found, paths, strict=True):
        assert np.array_equal(picture, read_rgb(path))


@pytest.mark.parametrize("number", [1, 3])
def test_each_photograph_is_decoded_once_for_all_runs(number, photos, on_disk, counted):
    paths = photo_paths(photos)
    with workers.limited_to(number):
        first = read_photographs(paths, least=8)
        first.settle()
        second = read_photographs(paths, least=8)
    assert sorted(counted) == paths
    assert cache_folder() == on_disk
    assert first.bytes_in_memory == 0
    for found in (first, second, pickle.loads(pickle.dumps(first))):
        assert_same(found, paths)
        assert all(isinstance(picture, np.memmap) for picture in found)


def test_a_changed_photograph_is_decoded_again(photos, on_disk, counted, tmp_path):
    folder = shutil.copytree(photos, tmp_path / "mine")
    paths = photo_paths(folder)
    read_photographs(paths, least=8).settle()
    counted.clear()
    Image.new("RGB", (50, 40), "red").save(paths[1])
    assert_same(read_photographs(paths, least=8), paths)
    assert counted == [paths[1]]


def test_one_that_is_changed_while_it_is_decoded(photos, on_disk, monkeypatch, tmp_path):
    folder = shutil.copytree(photos, tmp_path / "mine")
    paths = photo_paths(folder)

    def read_and_change(path):
        pixels = read_rgb(path)
        Image.new("RGB", (50, 40), "red").save(path)
        return pixels

    monkeypatch.setattr(photographs, "read_rgb", read_and_change)
    found = read_photographs(paths[:1], least=8)
    found.settle()
    assert found[0].shape == (60, 72, 3)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(photographs, "FEW_PIXELS", 0)
    assert read_photographs(paths[:1], least=8)[0].shape == (40, 50, 3)


def test_a_cache_that_is_emptied_or_spoilt_costs_time_alone(photos, on_disk):
    paths = photo_paths(photos)
    found = read_photographs(paths, least=8)
    found.settle()
    files = sorted(on_disk.iterdir())
    files[0].unlink()
    files[1].write_bytes(b"no pixels")
    files[2].write_bytes(files[2].read_bytes()[:1000])
    assert_same(found, paths)
    assert_same(read_photographs(paths, least=8), paths)


def test_the_least_lately_used_make_room(photos, on_disk, monkeypatch, tmp_path):
    paths = photo_paths(photos)
    each = 3 * 72 * 60 + 128  # an .npy file's header takes 128 bytes
    read_photographs(paths[:2], least=8).settle()
    monkeypatch.setattr(decoded, "BUDGET", 3 * each)
    read_photographs(paths[1:2], least=8)  # the second is used again
    found = read_photographs(paths[2:4], least=8)
    found.settle()
    assert_same(found, paths[2:4])
    assert found.bytes_in_memory == 0
    assert len(list(on_disk.iterdir())) == 3, "the first made room"
    monkeypatch.setattr(decoded, "BUDGET", each)
    too_many = read_photographs(paths, least=8)
    assert too_many.bytes_in_memory == 4 * 3 * 72 * 60
    assert_same(too_many, paths)


def test_without_room_they_are_held_in_memory(photos, on_disk, monkeypatch):
    paths = photo_paths(photos)
    monkeypatch.setattr(decoded, "_free", lambda folder: decoded.SPARE)
    assert read_photographs(paths, least=8).bytes_in_memory == 4 * 3 * 72 * 60
    monkeypatch.undo()


def test_a_disk_that_fills_up_meanwhile(photos, on_disk, monkeypatch):
    def full(path, **kwargs):
        raise LiifError(f"{path}: could not be written: No space left on device")

    monkeypatch.setattr(decoded, "publishing", full)
    paths = photo_paths(photos)
    found = read_photographs(paths, least=8)
    found.settle()
    assert found.bytes_in_memory == 4 * 3 * 72 * 60
    assert_same(found, paths)


@pytest.fixture
def held_up(monkeypatch):
    """Let nothing be written to the cache before `go` is set; say when the first has `begun`."""
    go, begun = threading.Event(), threading.Event()
    store = decoded.store

    def wait(cached, pixels):
        begun.set()
        assert go.wait(60)
        return store(cached, pixels)

    monkeypatch.setattr(photographs, "store", wait)
    yield SimpleNamespace(go=go, begun=begun)
    go.set()


def test_nobody_waits_for_the_disk_where_memory_suffices(photos, on_disk, counted, held_up):
    paths = photo_paths(photos)
    found = read_photographs(paths, least=8)
    assert list(on_disk.iterdir()) == []
    assert found.bytes_in_memory == 4 * 3 * 72 * 60
    assert_same(found, paths)
    held_up.go.set()
    found.settle()
    assert found.bytes_in_memory == 0, "it is not held twice"
    assert_same(found, paths)
    assert_same(read_photographs(paths, least=8), paths)
    assert sorted(counted) == paths, "the next run finds them"


def test_another_process_is_given_no_pixels(photos, on_disk, held_up):
    """The other would hold them a second time; so all are written before."""
    found = read_photographs(photo_paths(photos), least=8)
    threading.Timer(0.1, held_up.go.set).start()
    assert len(pickle.dumps(found)) < 3 * 72 * 60
    assert len(list(on_disk.iterdir())) == 4


def test_without_memory_they_are_written_at_once(photos, on_disk, monkeypatch):
    monkeypatch.setattr(
        photographs.psutil, "virtual_memory", lambda: SimpleNamespace(available=2 * 51_839)
    )
    found = read_photographs(photo_paths(photos), least=8)
    assert found.bytes_in_memory == 0
    assert len(list(on_disk.iterdir())) == 4
    assert found._writer is None


def test_at_the_end_of_a_process_no_file_is_half_written(photos, on_disk, held_up):
    paths = photo_paths(photos)
    found = read_photographs(paths, least=8)
    assert held_up.begun.wait(60)
    threading.Timer(0.1, held_up.go.set).start()
    photographs._stop_writers()
    (written,) = on_disk.iterdir()
    assert written.suffix == ".npy"
    assert found.bytes_in_memory == 3 * 3 * 72 * 60
    assert_same(found, paths)


def test_killed_while_it_writes(photos, on_disk, tmp_path):
    """What it leaves behind is no photograph to the next run."""
    code = """
import os, signal, sys
from pathlib import Path
import numpy as np
from liif_core.photos import photo_paths
from liif_core.training import photographs

photographs.FEW_PIXELS = 0
write, written = np.lib.format.write_array, []

def write_or_die(file, pixels, **options):
    if written:
        file.write(b"half of it")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    written.append(write(file, pixels, **options))

np.lib.format.write_array = write_or_die
photographs.read_photographs(photo_paths(Path(sys.argv[1])), least=8).settle()
"""
    killed = subprocess.run([sys.executable, "-c", code, str(photos)], check=False, timeout=300)
    assert killed.returncode == -9
    assert sorted(path.suffix for path in on_disk.iterdir()) == [".npy", ".part"]
    paths = photo_paths(photos)
    found = read_photographs(paths, least=8)
    found.settle()
    assert_same(found, paths)
    assert len(list(on_disk.glob("*.npy"))) == 4


@pytest.fixture
def mixed(photos, tmp_path):
    """Eight photographs, a broken one, one cut off, a small one, and what is no photograph."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for number, path in enumerate([*photo_paths(photos), *photo_paths(photos)]):
        shutil.copy(path, folder / f"p{number}.png")
    (folder / "a.png").write_bytes(b"not a picture")
    whole = (folder / "p0.png").read_bytes()
    (folder / "p4.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (40, 20)).save(folder / "small.png")
    for name in ("._p1.png", "Thumbs.db", ".DS_Store", "p1.xmp", "desktop.ini"):
        (folder / name).write_bytes(b"\0\5\26\7 no picture either")
    return folder


@pytest.mark.parametrize("few", [0, 10**9], ids=["on disk", "in memory"])
def test_what_cannot_be_used_is_named_and_left_out(few, mixed, on_disk, monkeypatch):
    monkeypatch.setattr(photographs, "FEW_PIXELS", few)
    told = []
    training, held_out = split(mixed, None, RECIPE, told.append)
    assert [line.split(":")[0] for line in told] == ["left out"]
    assert "a.png" in told[0], "the first of the folder would be the one held out"
    assert len(held_out) == 1
    assert np.array_equal(held_out[0], read_rgb(mixed / "p0.png"))
    told.clear()
    sampler = PairSampler(training, RECIPE, tell=told.append)
    assert len(sampler.photos) == 6
    assert len(told) == 2
    assert "p4.png" in told[0]
    assert "40×20, smaller than 32 pixels" in told[1]


def test_too_few_are_left(mixed):
    for path in photo_paths(mixed)[2:]:
        path.write_bytes(b"none")
    told = []
    training, _ = split(mixed, None, RECIPE, told.append)
    with pytest.raises(LiifError, match=r"no photograph is left: .*p1\.png"):
        PairSampler(training, RECIPE, tell=told.append)
    (mixed / "p0.png").write_bytes(b"none")
    with pytest.raises(LiifError, match="too few photographs"):
        split(mixed, None, RECIPE, told.append)


def test_a_recipe_names_what_is_held_out(photos):
    recipe = Recipe("tiny", steps=10, warmup=1, held_out=("3.png", "1.png", "none.png"))
    paths = photo_paths(photos)
    training, held_out = split(photos, None, recipe, print)
    assert training == [paths[0], paths[2]]
    assert_same(held_out, paths[1::2])
    with pytest.raises(LiifError, match="too few"):
        split(photos, photos, recipe, print)  # a folder of others comes first
    unnamed = Recipe("tiny", steps=10, warmup=1, held_out=("none.png",))
    assert split(photos, None, unnamed, print)[0] == paths[1:]


def test_spawned_processes_cut_what_threads_cut(photos, on_disk):
    sampler = PairSampler(photo_paths(photos), RECIPE)
    found, expected = batches(sampler, 3, workers=2), batches(sampler, 3)
    for _ in range(5):
        for part, same in zip(next(found), next(expected), strict=True):
            assert np.array_equal(part, same)
    found.close()
    expected.close()


def test_no_process_is_forked(photos, monkeypatch):
    """A fork would copy CUDA's state and the locks of PyTorch's threads, and may hang."""
    seen = {}
    monkeypatch.setattr(
        pairs, "DataLoader", lambda share, **settings: seen.update(settings) or iter(())
    )
    list(batches(PairSampler(photo_paths(photos), RECIPE), 0, workers=2))
    assert seen["multiprocessing_context"] == "spawn"


def test_processes_share_the_decoding(photos, on_disk, tmp_path):
    """Two ranks: each decodes its share, both see all, and both leave out the same."""
    code = """
import sys
from pathlib import Path
from liif_core.photos import photo_paths
from liif_core.processes import processes
from liif_core.training import photographs
from liif_core.training.photographs import read_photographs

photographs.FEW_PIXELS = 0
decoded, read = [], photographs.read_rgb
photographs.read_rgb = lambda path: decoded.append(path.name) or read(path)
with processes("cpu") as place:
    found = read_photographs(photo_paths(Path(sys.argv[1])), least=8, place=place)
    Path(sys.argv[2], str(place.rank)).write_text(f"{len(found)}: {' '.join(sorted(decoded))}")
"""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--no-python"]
    done = subprocess.run(
        [sys.executable, *launch, sys.executable, "-c", code, str(photos), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "0").read_text() == "4: 0.png 2.png"
    assert (tmp_path / "1").read_text() == "4: 1.png 3.png"
