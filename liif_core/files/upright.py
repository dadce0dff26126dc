"""Which way is up: what EXIF says of it, and the turn of the pixels."""

from io import BytesIO
from typing import IO

import numpy as np
from PIL import ExifTags, Image

Tag = ExifTags.Base

#: How to turn the pixels of each EXIF orientation upright. (ImageOps.exif_transpose knows the same
#: table, but writes the EXIF anew as well, and so fails on photos with one broken tag.)
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

#: The orientations that make rows of columns.
SIDEWAYS = (5, 6, 7, 8)

#: Where Pillow keeps XMP, and looks for an orientation if EXIF has none.
_XMP = ("xmp", "XML:com.adobe.xmp")


def own_exif(image: Image.Image) -> Image.Exif:
    """Return the EXIF of a picture, without an orientation that stands in its XMP alone.

    Other viewers do not look there, and whoever saved it saw it upright. (AVIF's own way to turn a
    picture, irot, reaches us as EXIF.) Of a TIFF, call it before the pixels are loaded: Pillow
    turns them as its own `getexif` says.
    """
    return _without_xmp(image, image.getexif())


def _without_xmp(image: Image.Image, exif: Image.Exif) -> Image.Exif:
    if Tag.Orientation not in exif or not any(image.info.get(key) for key in _XMP):
        return exif
    noted = image.info.get("exif")
    if noted is not None:
        exif = Image.Exif()
        exif.load(noted)
    elif image.format == "TIFF":
        if Tag.Orientation not in image.tag_v2:  # type: ignore[attr-defined]
            del exif[Tag.Orientation]
    elif "Raw profile type exif" not in image.info:
        return Image.Exif()
    return exif


def upright(image: Image.Image) -> Image.Image:
    """Turn a decoded picture as its EXIF orientation says; one that makes no sense is ignored."""
    turn = UPRIGHT.get(turn_of(image))
    return image if turn is None else image.transpose(turn)


def turn_of(image: Image.Image) -> int:
    """Return the EXIF orientation of a picture, decoded or not; 0 if there is none."""
    try:
        return _orientation(own_exif(image))
    except Exception:  # broken EXIF does not cost the photo
        return 0


def upright_samples(samples: np.ndarray, turn: int) -> np.ndarray:
    """Turn (H, W) or (H, W, C) as `upright` turns a picture of this EXIF orientation."""
    if turn in SIDEWAYS:
        samples = samples.swapaxes(0, 1)
    # After that, which axes are mirrored.
    down, across = turn in (3, 4, 7, 8), turn in (2, 3, 6, 7)
    return samples[:: -1 if down else 1, :: -1 if across else 1]


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return the (height, width) that `upright` will give, before a file is decoded."""
    width, height = image.size
    try:
        if image.format == "TIFF":  # whose size Pillow gives upright, though not its orientation
            tags = image.tag_v2  # type: ignore[attr-defined]
            width, height = tags[Tag.ImageWidth], tags[Tag.ImageLength]
        exif = _exif_of_png(image) if image.format == "PNG" else own_exif(image)
    except Exception:
        return height, width
    return (width, height) if _orientation(exif) in SIDEWAYS else (height, width)


def _orientation(exif: Image.Exif) -> int:
    found = exif.get(Tag.Orientation)
    return found if isinstance(found, int) else 0  # a broken file may say anything


def _exif_of_png(image: Image.Image) -> Image.Exif:
    """Return the EXIF of a PNG, which may stand after the pixels, without decoding them.

    (`getexif` of a PNG decodes.)
    """
    file = image.fp  # type: ignore[attr-defined]
    with Image.open(_png_without_pixels(file)) as rest:
        return _without_xmp(rest, Image.Image.getexif(rest))


def _png_without_pixels(file: IO[bytes]) -> BytesIO:
    """Copy the parts of a PNG, up to an animation's second picture, except for the pixels."""
    file.seek(0)
    rest = BytesIO(file.read(8))
    rest.seek(0, 2)
    pixels = False
    while len(start := file.read(8)) == 8:
        length, kind = int.from_bytes(start[:4], "big") + 4, start[4:]
        if kind == b"IDAT":
            pixels = True
            file.seek(length, 1)
        elif kind == b"fcTL" and pixels:
            break
        else:
            rest.write(start + file.read(length))
    rest.write(b"\0\0\0\0IEND\xae\x42\x60\x82")
    rest.seek(0)
    return rest
