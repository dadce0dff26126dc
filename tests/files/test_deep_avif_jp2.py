"""AVIF of 10 and 12 bits and JPEG 2000 of up to 16, of which Pillow keeps 8."""

from io import BytesIO

import imagecodecs
import numpy as np
import pytest
from pictures import noise
from PIL import Image

from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.photos import photo_from_bytes, read_header

RGB = noise(12, 17, 3, dtype=np.uint16)


def spread(samples: np.ndarray, bits: int) -> np.ndarray:
    return np.rint(samples * (65535 / (2**bits - 1))).astype(int)


@pytest.mark.parametrize("bits", [10, 12])
def test_an_avif_keeps_its_bits(bits, tmp_path):
    samples = RGB >> (16 - bits)
    data = imagecodecs.avif_encode(
        samples, level=100, bitspersample=bits, pixelformat="444", codec="aom"
    )
    (tmp_path / "a.avif").write_bytes(data)
    assert read_header(tmp_path / "a.avif").deep
    photo = photo_from_bytes(data, "a")
    assert photo.colour.dtype == np.uint16
    assert np.abs(photo.colour.astype(int) - spread(samples, bits)).max() <= 1
    assert len(np.unique(photo.colour)) > 256
    eight = np.asarray(Image.open(BytesIO(data))).astype(int)
    assert np.abs(photo.colour / 257 - eight).max() < 2


def test_an_avif_of_eight_bits_is_read_as_before():
    file = BytesIO()
    Image.fromarray((RGB >> 8).astype(np.uint8)).save(file, "AVIF", quality=90)
    photo = photo_from_bytes(file.getvalue(), "a")
    assert photo.colour.dtype == np.uint8
    np.testing.assert_array_equal(photo.colour, np.asarray(Image.open(file)))


@pytest.mark.parametrize("container", ["jp2", "j2k"])
@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_a_jpeg_2000_keeps_its_bits(container, bits, bands):
    samples = noise(12, 17, bands, dtype=np.uint16) >> (16 - bits)
    samples = samples[..., 0] if bands == 1 else samples
    data = imagecodecs.jpeg2k_encode(samples, level=0, codecformat=container, bitspersample=bits)
    photo = photo_from_bytes(data, "a")
    assert photo.colour.dtype == np.uint16
    assert (photo.alpha is not None) == (bands == 4)
    found = photo.colour[..., 0] if bands == 1 else photo.colour
    expected = spread(samples if bands == 1 else samples[..., :3], bits)
    seen = np.ones(found.shape[:2], bool) if photo.alpha is None else photo.alpha > 0
    assert np.abs(found.astype(int) - expected)[seen].max() <= 1


def test_a_jpeg_2000_of_eight_bits_is_read_as_before():
    file = BytesIO()
    Image.fromarray((RGB >> 8).astype(np.uint8)).save(file, "JPEG2000", irreversible=False)
    photo = photo_from_bytes(file.getvalue(), "a")
    np.testing.assert_array_equal(photo.colour, (RGB >> 8).astype(np.uint8))


def test_what_is_cut_off_is_told_in_a_line():
    data = imagecodecs.jpeg2k_encode(RGB, level=0, codecformat="jp2")
    with pytest.raises(LiifError, match="^a: broken or cut off"):
        photo_from_bytes(data[: len(data) * 2 // 3], "a")


def test_a_deep_jpeg_2000_is_zoomed_to_a_deep_png(tmp_path):
    data = imagecodecs.jpeg2k_encode(RGB, level=0, codecformat="jp2")
    (tmp_path / "a.jp2").write_bytes(data)
    command = ["zoom", str(tmp_path / "a.jp2"), "--scale", "1", "--weights", "liif-edsr-small"]
    assert main(command) == 0
    result = imagecodecs.png_decode((tmp_path / "a_x1.png").read_bytes())
    assert (result.dtype, result.shape) == (np.uint16, RGB.shape)
