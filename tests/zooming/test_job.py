"""What is checked before anything is computed, and how results are called."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from liif_core.errors import LiifError
from liif_core.photos import photo_from
from liif_core.zooming.job import MAX_SIDE, Task, plan, result_size


@pytest.fixture
def photo(tmp_path) -> Path:
    Image.new("RGB", (20, 10)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_job_says_what_is_to_be_done(photo, tmp_path):
    task = Task(scale=2.5, crop=(4, 2, 14, 10), compare=True)
    job = plan(photo, tmp_path / "out.png", task)
    assert (job.source, job.photo_size, job.task) == (photo, (10, 20), task)
    assert (job.grid.height, job.grid.width, job.grid.box) == (20, 25, (4, 2, 14, 10))
    assert (job.output, job.comparison) == (tmp_path / "out.png", tmp_path / "out_compare.png")
    assert not job.by_strips  # it takes the whole result to compare
    assert plan(photo, tmp_path / "out.png", Task(scale=2)).by_strips
    assert not plan(photo, tmp_path / "out.jpg", Task(scale=2)).by_strips
    in_memory = plan(photo_from(np.zeros((5, 7, 3), np.uint8)), None, Task(size=(3, 4)))
    assert (in_memory.source, in_memory.output, in_memory.by_strips) == (None, None, False)
    assert (in_memory.photo_size, in_memory.grid.box) == ((5, 7), (0, 0, 7, 5))


def test_a_photo_lying_on_its_side_is_seen_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 10)).save(tmp_path / "a.jpg", exif=exif)
    job = plan(tmp_path / "a.jpg", tmp_path / "b.jpg", Task(scale=2, crop=(0, 0, 10, 20)))
    assert job.photo_size == (20, 10)
    assert (job.grid.height, job.grid.width) == (40, 20)


def test_sizes_are_rounded_and_never_empty():
    assert result_size((0, 0, 100, 3), Task(scale=0.1)) == (1, 10)
    assert result_size((10, 0, 20, 4), Task(scale=12.26)) == (49, 123)
    assert result_size((0, 0, 5, 5), Task(size=(7, 9))) == (9, 7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either a scale or a size"),
        ({"scale": 2, "size": (3, 3)}, "either a scale or a size"),
        ({"scale": 0}, "greater than 0"),
        ({"scale": -1.5}, "greater than 0"),
        ({"scale": float("nan")}, "greater than 0"),
        ({"scale": float("inf")}, "greater than 0"),
        ({"size": (0, 5)}, "at least 1x1"),
        ({"size": (5, MAX_SIDE + 1)}, "at most 2,147,483,647"),
        ({"scale": 2, "fast": True, "self_ensemble": True}, "choose one"),
    ],
)
def test_tasks_that_cannot_be(options, message):
    with pytest.raises(LiifError, match=message):
        Task(**options)


@pytest.mark.parametrize(
    ("output", "task", "message"),
    [
        ("out.png", Task(scale=2, crop=(0, 0, 21, 5)), "leaves the photo of 20×10"),
        ("out.png", Task(scale=2, crop=(5, 5, 5, 8)), "empty"),
        ("out.png", Task(scale=1e300), "too large"),
        ("out.gif", Task(scale=2), "unknown file ending .gif"),
        ("nowhere/out.png", Task(scale=2), "there is no folder"),
        ("photo.png", Task(scale=2), "exists already"),
        ("out.webp", Task(size=(16_384, 1)), "at most 16383 pixels"),
        ("out.webp", Task(size=(10_000, 1), compare=True), "out_compare.webp.*20200×"),
        ("there.png", Task(scale=2, compare=True), "there_compare.png: exists already"),
        ("out.tif", Task(size=(100, 100)), "make room"),
    ],
)
def test_jobs_that_cannot_be(photo, tmp_path, monkeypatch, output, task, message):
    (tmp_path / "there_compare.png").touch()
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=39_999))
    with pytest.raises(LiifError, match=message):
        plan(photo, tmp_path / output, task)


def test_a_folder_that_may_not_be_written_to(photo, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)  # the tests' user may be root
    with pytest.raises(LiifError, match="no permission to write"):
        plan(photo, tmp_path / "out.png", Task(scale=2))


@pytest.mark.parametrize("content", [None, b"", b"hello"])
def test_photos_that_are_none(tmp_path, content):
    path = tmp_path / "photo.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LiifError, match="photo.png"):
        plan(path, tmp_path / "out.png", Task(scale=2))


def test_names():
    assert Task(scale=2.5).name_for(Path("d/a.jpg")) == "a_x2.5.jpg"
    assert Task(size=(40, 30)).name_for(Path("a.PNG")) == "a_40x30.PNG"
    assert Task(scale=2, crop=(1, 2, 3, 4)).name_for(Path("a.bmp")) == "a_1-2-3-4_x2.png"
