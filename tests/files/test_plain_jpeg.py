"""JPEGs decoded straight into an array: the pixels that Pillow gives, or left to Pillow."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from liif_core import photos
from liif_core.errors import LiifError
from liif_core.files.plain_jpeg import plain_jpeg
from liif_core.photos import photo_from, read_rgb


def picture(height: int = 61, width: int = 83) -> Image.Image:
    rng = np.random.default_rng(3)
    small = Image.fromarray(rng.integers(0, 256, (9, 7, 3), np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def save(path: Path, **options: object) -> bytes:
    picture().save(path, "JPEG", **options)
    return path.read_bytes()


@pytest.mark.parametrize("sampling", [0, 1, 2])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 20}, {"optimize": 1}])
def test_the_pixels_are_those_of_pillow(
    tmp_path: Path, sampling: int, options: dict[str, object]
) -> None:
    path = tmp_path / "a.jpg"
    save(path, subsampling=sampling, **options)
    with Image.open(path) as image:
        found = plain_jpeg(image)
        assert found is not None
        assert found.flags.c_contiguous
        assert np.array_equal(found, np.asarray(image)), "Pillow decodes it afterwards, too"


@pytest.mark.parametrize("orientation", range(10))
def test_they_are_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.jpg"
    save(path, exif=exif)
    assert np.array_equal(read_rgb(path), photo_from(path).colour)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colours_are_left_to_pillow(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.jpg"
    picture().convert(mode).save(path)
    with Image.open(path) as image:
        assert plain_jpeg(image) is None
    assert np.array_equal(read_rgb(path), photo_from(path).colour)


def test_what_stands_behind_the_end_is_left_to_pillow(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    expected = save(path) and read_rgb(path)
    path.write_bytes(path.read_bytes() + b"a maker's notes")
    with Image.open(path) as image:
        assert plain_jpeg(image) is None
    assert np.array_equal(read_rgb(path), expected)


@pytest.mark.parametrize("cut", [1, 2, 300])
def test_one_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(save(path)[:-cut])
    with pytest.raises(LiifError, match=r"a\.jpg: broken or cut off"):
        read_rgb(path)


def test_one_whose_thumbnail_alone_is_whole_is_refused(tmp_path: Path) -> None:
    """Cut off within the EXIF, the file may end with the end of a JPEG."""
    thumbnail = BytesIO()
    picture(8, 8).save(thumbnail, "JPEG")
    path = tmp_path / "a.jpg"
    data = save(path, comment=thumbnail.getvalue())
    end = data.index(b"\xff\xd9") + 2
    assert end < len(data)
    path.write_bytes(data[:end])
    with pytest.raises(LiifError):
        read_rgb(path)


def test_a_broken_one_gives_what_pillow_makes_of_it(tmp_path: Path) -> None:
    """Wrong bytes amid the pixels are no error to libjpeg, whoever asks it."""
    path = tmp_path / "a.jpg"
    data = bytearray(save(path))
    data[-60] ^= 0x55
    path.write_bytes(data)
    assert np.array_equal(read_rgb(path), photo_from(path).colour)


def test_pillow_does_not_decode_it_a_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    expected = save(path) and photo_from(path).colour
    monkeypatch.setattr(photos, "decoded", None)
    assert np.array_equal(read_rgb(path), expected)
