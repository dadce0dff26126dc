"""HEIC, as iPhones take: upright, with all their bits, pictures and notes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from pictures import one_line
from PIL import Image

from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.files.exif import words
from liif_core.photos import is_photo, photo_from, photo_from_bytes, read_header

#: See make.py there.
FILES = Path(__file__).parent / "heic"

Y, X = np.mgrid[:48, :64]
PHOTO = np.stack([X * 4, Y * 5, (X + Y) * 2], -1).astype(np.uint8)


def test_a_photo_turned_by_irot_stands_upright_once() -> None:
    """EXIF says the same turn; who obeyed both would turn it twice."""
    header, photo = read_header(FILES / "turned.heic"), photo_from(FILES / "turned.heic")
    assert (header.height, header.width) == (photo.height, photo.width) == (64, 48)
    error = photo.colour.astype(int) - np.rot90(PHOTO, -1)  # lossless, but for x265's own rounding
    assert np.abs(error).max() <= 1
    assert words(photo.notes.exif.main[0x010E]) == "Oma 1951"
    assert photo.notes.turn == 1
    assert b"xmpmeta" in photo.notes.xmp
    assert photo.icc_profile


def test_ten_bits_are_kept() -> None:
    header, photo = read_header(FILES / "ten.heic"), photo_from(FILES / "ten.heic")
    assert header.deep
    assert photo.deep
    wanted = np.stack([X * 16, Y * 21, (X + Y) * 9], -1).clip(0, 1023) * (65535 / 1023)
    error = photo.colour - wanted
    assert np.abs(error).max() <= 0.5 + 1e-6
    assert photo.colour.max() > 64512  # 1008 of 1023, not shifted up by 6 bits


def test_the_picture_to_be_shown_is_page_one() -> None:
    path = FILES / "pages.heic"
    assert read_header(path).remarks == (
        "picture 1 of 2 is read; --page N reads another, --pages all each",
    )
    assert np.abs(photo_from(path).colour.astype(int) - PHOTO[::-1, ::-1]).mean() < 4
    assert np.abs(photo_from(path, 2).colour.astype(int) - PHOTO).mean() < 4
    with pytest.raises(LiifError, match="there is no page 3; it has the pages 1 … 2"):
        photo_from(path, 3)


def test_transparency_and_grey() -> None:
    photo = photo_from(FILES / "alpha.heic")
    assert photo.alpha is not None
    assert np.abs(photo.alpha.astype(int) - X * 4).max() < 12
    grey = photo_from(FILES / "grey.heic")
    assert grey.grey
    assert np.abs(grey.colour[..., 0].astype(int) - X * 4).mean() < 3


def test_a_broken_one_is_told_as_what_it_is() -> None:
    data = (FILES / "turned.heic").read_bytes()
    for part in (data[:40], data[:400], data[:-900]):
        with pytest.raises(LiifError) as error:
            photo_from_bytes(part, "a.heic")
        assert "broken" in one_line(error)


def test_zoomed_to_a_png_with_its_notes_and_bits(tmp_path: Path) -> None:
    for name in ("turned.heic", "ten.heic"):
        shutil.copy(FILES / name, tmp_path)
        assert is_photo(tmp_path / name)
        assert main(["zoom", str(tmp_path / name), "--scale", "1.5"]) == 0
    with Image.open(tmp_path / "turned_x1.5.png") as result:
        assert result.size == (72, 96)
        assert result.info["icc_profile"]
        assert result.getexif()[0x010E] == "Oma 1951"
    assert photo_from(tmp_path / "ten_x1.5.png").deep
