"""Old photos are read at the resolution that is in them; the result is as large as asked."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_models import noise, small_model

from liif_core.__main__ import main
from liif_core.baselines import downscale, resize
from liif_core.grid import ArrayPixels, OutputGrid
from liif_core.photos import photo_from
from liif_core.render import ContinuousPhoto, render
from liif_core.samples import sample_photo
from liif_core.zooming import old
from liif_core.zooming.job import Task, plan
from liif_core.zooming.old import OldPhoto, ShrunkPixels, as_old
from liif_core.zooming.photo import job_key, renderer_for, zoom

SHARP = downscale(sample_photo("astronaut"), 2)[:128, 60:220]
SOFT = resize(SHARP, 384, 480, "bicubic")


@pytest.fixture
def tiny(monkeypatch):
    """All weights are a tiny model, and remember what they are called."""

    def load_model(name: str | Path, device: str = "auto"):
        model = small_model(0, local_colour=True)
        model.weights_name = str(name)
        return model

    for room in ("weights", "zooming.mixture", "zooming.photo"):
        monkeypatch.setattr(f"liif_core.{room}.load_model", load_model)


def story(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that tells what was done, without the progress before it."""
    (line,) = [line for line in capsys.readouterr().err.splitlines() if " old: " in line]
    return line


def saved(pixels: np.ndarray, path: Path) -> str:
    Image.fromarray(pixels).save(path)
    return str(path)


def test_windows_of_a_shrunk_photo_meet():
    pixels = noise(61, 83)
    small = ShrunkPixels(ArrayPixels(pixels), 37, 50)
    whole = resize(pixels, 37, 50, "bicubic").clip(0, 1)
    np.testing.assert_allclose(small.rgb(slice(0, 37), slice(0, 50)), whole, atol=1e-6)
    for rows, cols in [((0, 5), (0, 50)), ((5, 37), (13, 14)), ((36, 37), (49, 50))]:
        window = small.rgb(slice(*rows), slice(*cols))
        np.testing.assert_allclose(window, whole[slice(*rows), slice(*cols)], atol=1e-5)


def test_much_of_a_photo_is_shrunk_a_few_rows_at_a_time(monkeypatch):
    pixels = ArrayPixels(noise(80, 120))
    small = ShrunkPixels(pixels, 10, 15)
    everything = slice(0, 10), slice(0, 15)
    at_once = small.rgb(*everything)
    read = []

    def rgb(self, rows, cols, real=ArrayPixels.rgb):
        read.append((rows.stop - rows.start) * 120)
        return real(self, rows, cols)

    monkeypatch.setattr(ArrayPixels, "rgb", rgb)
    monkeypatch.setattr(old, "_MOST_READ", 2 * 8 * 120)  # two rows, and what lies around them
    np.testing.assert_allclose(small.rgb(*everything), at_once, atol=1e-6)
    assert len(read) == 5
    assert max(read) <= (2 * 8 + 2 * 17) * 120


def test_the_shrunk_photo_is_asked_for_the_same_places():
    photo = as_old(photo_from(SOFT))
    assert photo.finer == pytest.approx(3, rel=0.25)
    height, width = photo.read_at
    assert (height, width) < (300, 400)
    model, box = small_model(0, local_colour=True), (120, 96, 240, 192)
    renderer = renderer_for(Task(scale=1), model, photo)
    found = renderer.window(OutputGrid(96, 120, box), range(96), range(120))
    small = resize(SOFT / np.float32(255), height, width, "bicubic").clip(0, 1)
    there = (width / 4, height / 4, width / 2, height / 2)
    expected = ContinuousPhoto(model, small).render(96, 120, there)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_sharp_photo_is_read_as_it_is():
    photo = as_old(photo_from(SHARP))
    assert not photo.shrunk
    assert "all are read" in photo.story("w")
    model = small_model(0, local_colour=True)
    found = renderer_for(Task(scale=1), model, photo)
    grid = OutputGrid(128, 160, (0, 0, 160, 128))
    expected = render(model, SHARP.astype(np.float32) / 255, 128, 160)
    np.testing.assert_allclose(found.window(grid, range(128), range(160)), expected, atol=1e-6)


def test_the_journal_knows_what_was_read():
    model = small_model(0, local_colour=True)
    photo = as_old(photo_from(SOFT))
    keys = []
    for one in (photo, photo_from(SOFT)):
        job = plan(one, None, Task(scale=1))
        keys.append(job_key(model, one, job, [384]))
    assert keys[0] != keys[1]
    assert isinstance(photo, OldPhoto)


def test_python_shrinks_as_the_command_does(tiny, tmp_path, capsys):
    path, output = saved(SOFT, tmp_path / "scan.png"), tmp_path / "large.png"
    assert main(["zoom", path, "--scale", "0.5", "--old", "-o", str(output)]) == 0
    line = story(capsys)
    photo = as_old(photo_from(SOFT))
    height, width = photo.read_at
    assert f"of 480×384 it is read at {width}×{height}; weights liif-edsr-photo" in line
    result = Image.open(output)
    assert result.size == (240, 192)
    assert f"read at {width}×{height}".encode() in output.read_bytes()
    assert (np.asarray(zoom(path, 0.5, old=True)) == np.asarray(result)).all()
    assert (np.asarray(zoom(SOFT, 0.5, old=True)) == np.asarray(result)).all()


def test_weights_that_are_named_are_taken(tiny, tmp_path, capsys):
    path = saved(SHARP, tmp_path / "scan.png")
    for number, (options, expected) in enumerate(
        [
            (["--weights", "liif-edsr"], "weights liif-edsr"),
            (["--denoise", "0.5"], "weights 0.5 liif-edsr + 0.5 liif-edsr-photo"),
        ]
    ):
        output = str(tmp_path / f"{number}.png")
        assert main(["zoom", path, "--size", "9x9", "--old", *options, "-o", output]) == 0
        assert story(capsys).endswith(expected)


def test_a_photo_too_small_to_be_judged_is_said_to_be(tiny, tmp_path, capsys):
    path = saved(SHARP[:63, :80], tmp_path / "scan.png")
    assert main(["zoom", path, "--size", "9x9", "--old"]) == 0
    line = story(capsys)
    assert "less than 64 pixels too small to tell" in line
    assert "needs its pixels" not in line


def test_folders_and_pages_are_judged_one_by_one(tiny, tmp_path, capsys):
    album = tmp_path / "album"
    album.mkdir()
    saved(SHARP, album / "a.png")
    saved(SOFT, album / "b.png")
    assert main(["zoom", str(album), "--scale", "0.25", "--old"]) == 0
    told = capsys.readouterr().err
    assert "a.png: old: its detail needs its pixels" in told
    assert "b.png: old: its detail would fit" in told
    assert Image.open(tmp_path / "album_x0.25" / "b_x0.25.png").size == (120, 96)
    first, second = Image.fromarray(SHARP), Image.fromarray(SOFT)
    pages = tmp_path / "pages.tif"
    first.save(pages, save_all=True, append_images=[second])
    assert main(["zoom", str(pages), "--scale", "0.25", "--old", "--pages", "all"]) == 0
    told = capsys.readouterr().err
    assert told.count("old: its detail needs") == told.count("old: its detail would fit") == 1
    assert f"{pages}, page 1: old: its detail needs" in told
    assert f"{pages}, page 2: old: its detail would fit" in told
    with Image.open(tmp_path / "pages_x0.25.tif") as result:
        result.seek(1)
        assert result.size == (120, 96)


@pytest.mark.parametrize("option", ["--fast", "--self-ensemble"])
def test_other_ways_of_rendering_read_the_shrunk_photo(tiny, tmp_path, option):
    path, output = saved(SOFT, tmp_path / "scan.tif"), tmp_path / "large.tif"
    assert main(["zoom", path, "--scale", "0.25", "--old", option, "-o", str(output)]) == 0
    assert Image.open(output).size == (120, 96)


def test_grey_of_sixteen_bits_stays_so(tiny, tmp_path):
    grey = SOFT.mean(axis=2)
    deep = np.rint(grey * 257).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "scan.png")
    output = tmp_path / "large.png"
    command = ["zoom", str(tmp_path / "scan.png"), "--scale", "0.5", "--old", "-o", str(output)]
    assert main(command) == 0
    assert Image.open(output).mode == "I;16"
