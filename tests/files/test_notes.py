"""EXIF and colour profiles: what is read of them, and what goes with the result."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import ENDINGS, GREY_PROFILE, SRGB, camera_notes, in_memory, noise, painted
from PIL import ExifTags, Image, ImageOps

from liif_core.photos import photo_from


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("mode", "ending"),
    [
        *((mode, ".png") for mode in ("RGB", "L", "I;16", "RGBA", "P")),
        *((mode, ".tif") for mode in ("RGB", "L", "I;16", "RGBA", "P", "CMYK")),
    ],
)
def test_orientation_is_applied(tmp_path: Path, mode: str, ending: str, orientation: int) -> None:
    if mode == "I;16":
        image = Image.fromarray(noise(5, 7, dtype=np.uint16))
    else:
        image = Image.fromarray(noise(5, 7, 3)).convert(mode)
    path = tmp_path / f"a{ending}"
    image.save(path, exif=camera_notes(orientation))
    photo = photo_from(path)
    shown = image if mode == "I;16" else image.convert("RGB")
    shown.getexif()[ExifTags.Base.Orientation] = orientation
    expected = np.asarray(ImageOps.exif_transpose(shown))
    assert (photo.height, photo.width) == ((5, 7) if orientation < 5 else (7, 5))
    if mode == "I;16":
        expected = np.stack([expected] * 3, axis=2)
    np.testing.assert_array_equal(photo.colour, expected)
    painted(photo, tmp_path / "out.png").finish()
    with Image.open(tmp_path / "out.png") as result:
        assert result.getexif().get(ExifTags.Base.Orientation, 1) == 1
        assert result.getexif()[ExifTags.Base.Make] == "Kamera"


@pytest.mark.parametrize("orientation", [b"\x06", "6", (6, 6), 0, 9, 65535])
def test_nonsense_orientation_is_ignored(orientation: Any) -> None:
    image = Image.fromarray(noise(5, 7, 3))
    image.getexif()[ExifTags.Base.Orientation] = orientation
    photo = photo_from(image)
    assert (photo.height, photo.width) == (5, 7)


def test_broken_exif_does_not_cost_the_photo(tmp_path: Path) -> None:
    pixels = noise(5, 7, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=b"Exif\0\0nonsense")
    np.testing.assert_array_equal(photo_from(tmp_path / "a.png").colour, pixels)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_profile_and_exif_are_kept(tmp_path: Path, ending: str, mode: str) -> None:
    profile = GREY_PROFILE if mode == "L" else SRGB
    image = Image.fromarray(noise(5, 7, 3)).convert(mode)
    image.save(tmp_path / "in.png", icc_profile=profile, exif=camera_notes())
    photo = photo_from(tmp_path / "in.png")
    assert photo.icc_profile == profile
    canvas = in_memory(photo, 10, 14, path=tmp_path / f"out{ending}")
    canvas.paste(0, np.zeros((10, 14, 3), np.float32))
    canvas.finish()
    with Image.open(tmp_path / f"out{ending}") as result:
        assert result.size == (14, 10)
        kept = None if ending == ".webp" and mode == "L" else profile
        assert result.info.get("icc_profile") == kept
        exif = result.getexif()
        assert exif[ExifTags.Base.Make] == "Kamera"
        assert exif[ExifTags.Base.Artist].encode("latin-1").decode() == "José"
        assert exif[ExifTags.Base.Orientation] == 1
        details = exif.get_ifd(ExifTags.IFD.Exif)
        assert details[ExifTags.Base.ExifImageWidth] == 14
        assert details[ExifTags.Base.ExifImageHeight] == 10
        assert details[ExifTags.Base.ExposureTime] == 0.25
        assert details[ExifTags.Base.MakerNote] == b"\x00\x01secret"
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"


def test_exif_of_a_tiff_leaves_its_layout_behind(tmp_path: Path) -> None:
    pixels = noise(40, 50, 3)
    Image.fromarray(pixels).save(tmp_path / "in.tif", exif=camera_notes())
    photo = photo_from(tmp_path / "in.tif")
    painted(photo, tmp_path / "out.tif").finish()
    painted(photo, tmp_path / "out.jpg").finish()
    with Image.open(tmp_path / "out.tif") as result:
        np.testing.assert_array_equal(np.asarray(result), pixels)
        assert result.getexif()[ExifTags.Base.Make] == "Kamera"
    with Image.open(tmp_path / "out.jpg") as result:
        tags = set(result.getexif())
        assert ExifTags.Base.Make in tags
        assert ExifTags.Base.StripOffsets not in tags


def test_exif_longer_than_a_jpeg_can_hold_is_left_out(tmp_path: Path) -> None:
    exif = camera_notes(description="x" * 70_000)
    Image.fromarray(noise(4, 4, 3)).save(tmp_path / "in.png", exif=exif)
    photo = photo_from(tmp_path / "in.png")
    painted(photo, tmp_path / "out.jpg").finish()
    painted(photo, tmp_path / "out.png").finish()
    with Image.open(tmp_path / "out.jpg") as result:
        assert not result.getexif()
    with Image.open(tmp_path / "out.png") as result:
        assert len(result.getexif()[ExifTags.Base.ImageDescription]) == 70_000
