"""Pictures that several tests make, and small questions that they ask."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from liif_core.errors import LiifError
from liif_core.files.in_memory import InMemory
from liif_core.files.result_pixels import ResultPixels
from liif_core.photos import Photo
from liif_core.pixels import Box

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY_PROFILE = SRGB[:16] + b"GRAY" + SRGB[20:]  # enough of one: it is passed on, not used
LOSSLESS = [".png", ".tif", ".tiff"]
ENDINGS = [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"]


def noise(*shape: int, dtype: Any = np.uint8, seed: int = 0) -> np.ndarray:
    high = np.iinfo(dtype).max + 1
    return np.random.default_rng(seed).integers(0, high, shape, dtype=dtype)


def in_memory(
    photo: Photo,
    height: int,
    width: int,
    box: Box | None = None,
    path: Path | None = None,
    **options: Any,
) -> InMemory:
    """An empty result of the whole photo, or of a box of it."""
    whole = (0, 0, photo.width, photo.height)
    return InMemory(ResultPixels(photo, height, width, box or whole), path, **options)


def painted(photo: Photo, path: Path | None = None, *, strip: int = 3, **options: Any) -> InMemory:
    """The photo at its own size, pasted in strips."""
    canvas = in_memory(photo, photo.height, photo.width, path=path, **options)
    for top in range(0, photo.height, strip):
        canvas.paste(top, photo.rgb(slice(top, top + strip), slice(None)))
    return canvas


def one_line(error: pytest.ExceptionInfo[LiifError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert len(message) > 10
    return message


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def camera_notes(orientation: int = 1, description: str = "A test") -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Kamera"
    exif[ExifTags.Base.Artist] = "José".encode()  # UTF-8, as cameras write it
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.IFD.Exif] = {
        ExifTags.Base.ExifImageWidth: 7,
        ExifTags.Base.ExifImageHeight: 5,
        ExifTags.Base.ExposureTime: 0.25,
        ExifTags.Base.MakerNote: b"\x00\x01secret",
    }
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N"}
    exif[ExifTags.Base.ImageDescription] = description
    return exif.tobytes()
