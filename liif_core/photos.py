"""Reading photos safely.

A `Photo` is what the model reads: colours, perhaps an alpha channel, and the metadata to hand on
to the result. How files are opened, pixels and notes read, is told in `files.opening`,
`files.photo_pixels`, `files.upright` and `files.notes`.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from liif_core.errors import LiifError
from liif_core.files.deep import extra_samples, is_deep
from liif_core.files.opening import (
    PAGE_HINT,
    left_out,
    naming,
    opened,
    opened_bytes,
    pages,
    teach_pillow,
)
from liif_core.files.photo_pixels import Photo, decoded, from_array
from liif_core.files.plain_jpeg import plain_jpeg
from liif_core.files.upright import upright_size
from liif_core.pixels import eight_bit

__all__ = [
    "Header",
    "Photo",
    "Source",
    "is_photo",
    "photo_from",
    "photo_from_bytes",
    "photo_paths",
    "read_header",
    "read_rgb",
]

#: What `photo_from` reads.
Source: TypeAlias = str | os.PathLike[str] | Image.Image | np.ndarray

#: Formats that Pillow recognises and cannot read by itself: films and maps of the weather.
_NOT_PHOTOS = {"BUFR", "GRIB", "HDF5", "MPEG"}


@dataclass(frozen=True)
class Header:
    """What is known of a photo before it is decoded.

    Attributes:
        height, width: in pixels, upright: what `photo_from` will give.
        deep: whether `photo_from` will give 16 bits a sample.
        remarks: lines about what will not be read.
        pages: how many pages, pictures or frames the file has.
    """

    height: int
    width: int
    deep: bool = False
    remarks: tuple[str, ...] = ()
    pages: int = 1


def read_header(path: str | os.PathLike[str], page: int = 1) -> Header:
    """Read a file's header alone; no pixel is decoded (but an icon's, which Pillow looks into).

    Args:
        path: the file.
        page: which of its pages, pictures or frames, from 1 on.

    Raises:
        LiifError: as `photo_from`, except that a broken picture may begin with a good header.
    """
    with opened(os.fspath(path), page) as image:
        deep = (
            (is_deep(image) and image.mode != "CMYK")
            or image.mode in ("I", "F")
            or image.mode.startswith("I;16")
        )
        height, width = upright_size(image)
        return Header(height, width, deep, _unread(image, page), pages(image))


def _unread(image: Image.Image, page: int) -> tuple[str, ...]:
    """Return lines about what of a file is not read."""
    return tuple(line for line in (left_out(image, page), extra_samples(image)) if line)


def photo_from(source: Source, page: int = 1, *, strict: bool = True) -> Photo:
    """Read a photo from a file, a PIL image or an array.

    Files: all that Pillow opens, of several frames or pages one. The EXIF orientation is applied;
    CMYK becomes RGB, through the embedded colour profile if there is one. Grey and RGB of more than
    8 bits a sample are read with 16 (of PIL images greyscale alone: I;16, I in 0 … 65535, F in
    0 … 1 or 0 … 255), all else with 8. Floats in a TIFF are in 0 … 1 or 0 … 255, too. Alpha has 8.

    Arrays: (H, W) or (H, W, 1) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB, (H, W, 4) RGB and
    alpha; uint8, uint16, or floats in [0, 1]. The colours of uint16, and of grey floats without
    alpha, are read with 16 bits. The array is copied.

    Args:
        source: a path, a PIL image (left as it is) or an array.
        page: which of a file's pages, pictures or frames, from 1 on.
        strict: refuse a JPEG that is cut off; else what is left of it is read, and `Photo.remarks`
            says how much that is.

    Returns:
        the photo; independent of the file or object that it came from.

    Raises:
        LiifError: no such file or page, no permission, not a picture, empty, broken, more than
            `files.opening.MAX_PIXELS` pixels, or an array of another shape, type or value range.
    """
    if isinstance(source, np.ndarray):
        return from_array(source)
    if isinstance(source, Image.Image):
        return decoded(source, "the image")
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        with opened(path, page) as image:
            return decoded(image, path, strict=strict)
    raise LiifError(
        f"cannot read a photo from {type(source).__name__}: "
        "pass a path, a PIL image or a NumPy array"
    )


def photo_from_bytes(data: bytes, name: str, *, strict: bool = True) -> Photo:
    """Read a photo from the bytes of a file; see `photo_from`.

    Args:
        data: what the file holds.
        name: what to call it in an error.
        strict: see `photo_from`.

    Returns:
        the photo; its remarks also tell what of the file is not read.
    """
    with opened_bytes(data, name) as image:
        unread = [line.removesuffix(PAGE_HINT) for line in _unread(image, 1)]
        photo = decoded(image, name, strict=strict)
    return replace(photo, remarks=(*unread, *photo.remarks))


def photo_paths(folder: Path) -> list[Path]:
    """Return the pictures directly in `folder`, by name; see `is_photo`.

    Raises:
        LiifError: no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise LiifError(f"no folder {folder}; give a folder of photographs")
    paths = sorted(path for path in folder.iterdir() if is_photo(path) and not path.is_dir())
    if not paths:
        raise LiifError(f"no photographs in {folder}; put some there, or name another folder")
    return paths


def is_photo(path: Path) -> bool:
    """Whether a file is named like a picture that can be read.

    What is hidden (its name begins with a dot, as that of macOS's notes on "x.png" does: "._x.png")
    is none.
    """
    teach_pillow()
    formats = Image.registered_extensions()  # some of them can only be written
    readable = Image.OPEN.keys() - _NOT_PHOTOS
    return formats.get(path.suffix.lower()) in readable and not path.name.startswith(".")


def read_rgb(path: Path) -> np.ndarray:
    """Return a picture's colours alone, upright: (H, W, 3) uint8. Raises as `photo_from`."""
    name = os.fspath(path)
    with opened(name) as image:
        with naming(name):
            colour = plain_jpeg(image)
        return eight_bit(decoded(image, name).colour) if colour is None else colour
