"""Beside a result: bicubic interpolation of the same part, at the same size."""

import numpy as np
import pytest
from PIL import Image

from liif_core.baselines import resize
from liif_core.files.in_memory import InMemory
from liif_core.files.result_pixels import ResultPixels
from liif_core.photos import photo_from
from liif_core.pixels import to_uint8
from liif_core.zooming import compare
from liif_core.zooming.compare import Sheet, beside_bicubic

SHAPES = {"L": (30, 40), "RGB": (30, 40, 3), "RGBA": (30, 40, 4)}


def result_of(pixels, tmp_path, ending=".png"):
    """A zoomed picture of these pixels."""
    photo = photo_from(pixels)
    whole = (0, 0, photo.width, photo.height)
    held = InMemory(ResultPixels(photo, photo.height, photo.width, whole), tmp_path / f"r{ending}")
    held.paste(0, photo.rgb(slice(None), slice(None)))
    return held


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


@pytest.mark.parametrize("size", [(90, 70), (13, 11)])  # enlarged, and shrunk
@pytest.mark.parametrize("mode", SHAPES)
def test_both_halves(tmp_path, monkeypatch, mode, size):
    monkeypatch.setattr(compare, "STRIP_ROWS", 8)  # so that there are several
    pixels, box = noise(*SHAPES[mode]), (3, 2, 37, 28)
    result = result_of(noise(size[1], size[0], *SHAPES[mode][2:]), tmp_path)
    path = tmp_path / "both.png"
    beside_bicubic(
        photo_from(pixels), result, box, path, title="LIIF", overwrite=False, quality=95
    ).finish()
    with Image.open(path) as both:
        sheet = Sheet(size[1], size[0])
        assert (both.mode, both.size) == ("L" if mode == "L" else "RGB", sheet.size[::-1])
        second = size[0] + sheet.gap
        left = np.asarray(both.crop((0, sheet.band, size[0], both.height))).astype(int)
        right = np.asarray(both.crop((second, sheet.band, both.width, both.height)))
        between = np.asarray(both.crop((size[0], 0, second, both.height)))
    assert between.min() == 255
    np.testing.assert_array_equal(right, np.asarray(result.image().convert(both.mode)))
    whole = photo_from(pixels).rgb(slice(0, 30), slice(0, 40))
    expected = to_uint8(resize(whole, size[1], size[0], "bicubic", box=box)).astype(int)
    assert abs(left - (expected[..., 0] if mode == "L" else expected)).max() <= 1


@pytest.mark.parametrize("bands", [(), (3,), (4,)])
def test_sixteen_bits(tmp_path, bands):
    pixels, path = noise(9, 8, *bands, dtype=np.uint16) | 256, tmp_path / "both.png"
    doubled = noise(18, 16, *bands, dtype=np.uint16) | 256
    result = result_of(doubled, tmp_path)
    photo = photo_from(pixels)
    beside_bicubic(
        photo, result, (0, 0, 8, 9), path, title="LIIF", overwrite=False, quality=95
    ).finish()
    both = photo_from(path)
    assert (both.colour.dtype, both.grey, both.alpha) == (np.uint16, not bands, None)
    shown = both.colour[-18:, -16:]
    right = shown[..., 0] if both.grey else shown
    np.testing.assert_array_equal(right, doubled[..., :3] if bands else doubled)


@pytest.mark.parametrize("width", [40, 300, 5000])
def test_each_has_its_name_above_it(width):
    sheet = Sheet(10, width)
    names = sheet.names("LIIF")
    assert names.shape == (sheet.band, 2 * width + sheet.gap, 3)
    left, right = names[:, :width], names[:, -width:]
    inked = [np.flatnonzero((half < 0.5).any(axis=(0, 2))) for half in (left, right)]
    for columns in inked:
        assert len(columns) >= 5
        assert columns[0] > 0
        assert columns[-1] < width - 1
        assert abs(columns.mean() - width / 2) < max(2, width / 20), "in the middle"
    bicubic, liif = (np.ptp(columns) for columns in inked)
    assert bicubic > 1.3 * liif, "the longer word is left"
    assert names.min() >= 0
    assert names[0].min() == names[-1].min() == 1
