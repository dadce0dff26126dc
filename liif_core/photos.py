"""Reading photos safely: everything that Pillow opens.

A `Photo` is what the model reads: colours, perhaps an alpha channel, and the metadata to hand on
to the result.
"""

import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from liif_core.errors import LiifError, one_line
from liif_core.pixels import eight_bit

#: What `photo_from` reads.
Source: TypeAlias = str | os.PathLike[str] | Image.Image | np.ndarray

#: Files with more pixels are refused before they are decoded: twice the largest cameras of today.
MAX_PIXELS = 400_000_000

Tag = ExifTags.Base

#: The tags of EXIF's first directory that speak of the photo. The rest describes how one file is
#: laid out (a TIFF keeps both in one list) and would spoil another.
EXIF_TAGS = (
    Tag.ImageDescription,
    Tag.Make,
    Tag.Model,
    Tag.XResolution,
    Tag.YResolution,
    Tag.ResolutionUnit,
    Tag.Software,
    Tag.DateTime,
    Tag.Artist,
    Tag.Copyright,
)

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

# Pillow's limit on pixels belongs to the whole process; one reader at a time may change it.
_PILLOW_LIMIT = threading.Lock()


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture in memory, upright, ready for the model. Made by `photo_from`.

    Attributes:
        colour: (height, width, 3), uint8, or uint16 if the source is 16-bit greyscale. Not to be
            written to. Under fully transparent pixels it holds the nearest visible colour.
        alpha: (height, width) uint8, or None if every pixel is opaque.
        grey: every pixel has R == G == B.
        icc_profile: the colour profile as stored in the source.
        exif: the camera's notes as `Image.save(exif=...)` takes them; the orientation says
            "upright", and the thumbnail is left out.
    """

    colour: np.ndarray
    alpha: np.ndarray | None
    grey: bool
    icc_profile: bytes | None
    exif: bytes | None

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.colour.shape[0]

    @property
    def width(self) -> int:
        """Pixels in a row."""
        return self.colour.shape[1]

    def rgb(self, rows: slice, cols: slice) -> np.ndarray:
        """Return a window as the model wants it: float32 (h, w, 3) in [0, 1]."""
        scale = np.float32(np.iinfo(self.colour.dtype).max)
        return self.colour[rows, cols].astype(np.float32) / scale


def photo_from(source: Source) -> Photo:
    """Read a photo from a file, a PIL image or an array.

    Files: all that Pillow opens, of several frames the first. The EXIF orientation is applied;
    CMYK becomes RGB, through the embedded colour profile if there is one. Greyscale of 16 or more
    bits (I;16, I in 0 … 65535, F in 0 … 1 or 0 … 255) is read with 16 bits, all else with 8; so is
    16-bit greyscale with transparency.

    Arrays: (H, W) or (H, W, 1) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB, (H, W, 4) RGB and
    alpha; uint8, uint16, or floats in [0, 1]. Grey uint16 and floats without alpha are read with
    16 bits. The array is copied.

    Args:
        source: a path, a PIL image (left as it is) or an array.

    Returns:
        the photo; independent of the file or object that it came from.

    Raises:
        LiifError: no such file, no permission, not a picture, empty, broken, more than
            `MAX_PIXELS` pixels, or an array of another shape, type or value range.
    """
    if isinstance(source, np.ndarray):
        return _photo(*_from_array(source))
    if isinstance(source, Image.Image):
        with _explaining("the image"):
            return _from_image(source)
    if isinstance(source, (str, os.PathLike)):
        return _from_file(os.fspath(source))
    raise LiifError(
        f"cannot read a photo from {type(source).__name__}: "
        "pass a path, a PIL image or a NumPy array"
    )


def photo_from_bytes(data: bytes, name: str) -> Photo:
    """Read a photo from the bytes of a file; see `photo_from`.

    Args:
        data: what the file holds.
        name: what to call it in an error.
    """
    if not data:
        raise LiifError(f"{name}: the file is empty; choose another")
    with _explaining(name), _pixel_limit(), Image.open(BytesIO(data)) as image:
        return _from_image(image)


def photo_paths(folder: Path) -> list[Path]:
    """Return the pictures directly in `folder`, by name.

    Raises:
        LiifError: no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise LiifError(f"no folder {folder}; give a folder of photographs")
    formats = Image.registered_extensions()  # some of them can only be written
    paths = sorted(p for p in folder.iterdir() if formats.get(p.suffix.lower()) in Image.OPEN)
    if not paths:
        raise LiifError(f"no photographs in {folder}; put some there, or name another folder")
    return paths


def read_rgb(path: Path) -> np.ndarray:
    """Return a picture's colours alone, upright: (H, W, 3) uint8. Raises as `photo_from`."""
    return eight_bit(photo_from(path).colour)


def _from_file(path: str) -> Photo:
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise LiifError(f"{path}: is a folder, not a picture; name one file in it")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise LiifError(f"{path}: is not an ordinary file; save the picture to a file first")
        if status.st_size == 0:
            raise LiifError(f"{path}: the file is empty; copy or download it again")
        # Given the path instead, Pillow maps raw TIFFs into memory and gets rotated ones wrong.
        with open(path, "rb") as file, _explaining(path), _pixel_limit(), Image.open(file) as image:
            return _from_image(image)
    except FileNotFoundError:
        raise LiifError(f"{path}: no such file; check the name and the folder") from None
    except PermissionError:
        raise LiifError(f"{path}: no permission to read this file") from None
    except OSError as error:
        raise LiifError(f"{path}: cannot be read: {error.strerror or one_line(error)}") from error


@contextmanager
def _explaining(name: str) -> Iterator[None]:
    """Turn what goes wrong in Pillow into one line that begins with `name`."""
    try:
        yield
    except LiifError as error:
        raise LiifError(f"{name}: {error}") from error
    except UnidentifiedImageError:
        raise LiifError(f"{name}: not a picture, or of a kind that Pillow cannot read") from None
    except Image.DecompressionBombError as error:
        raise LiifError(
            f"{name}: {one_line(error).rstrip('.')}; shrink or crop it first"
        ) from error
    except MemoryError as error:
        raise LiifError(f"{name}: not enough memory to read it; shrink or crop it first") from error
    except Exception as error:  # on broken bytes, Pillow's readers raise almost anything
        raise LiifError(
            f"{name}: broken or cut off ({one_line(error)}); copy or download it again"
        ) from error


@contextmanager
def _pixel_limit() -> Iterator[None]:
    """Let Pillow refuse pictures of more than `MAX_PIXELS`, and not warn of smaller ones."""
    with _PILLOW_LIMIT, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow warns at its limit, refuses at twice it
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _from_image(image: Image.Image) -> Photo:
    image.load()
    exif, icc_profile = _exif_of(image), image.info.get("icc_profile") or None
    image = _upright(image)
    if image.mode == "CMYK":
        image, icc_profile = _cmyk_to_srgb(image, icc_profile), None
    colour, alpha = _pixels(image)
    return _photo(colour, alpha, icc_profile, exif)


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(Tag.Orientation)
    except Exception:
        return image
    # An orientation may be any type in a broken file, hence no look-up by value alone.
    turn = UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _cmyk_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            inks = ImageCms.ImageCmsProfile(BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, inks, srgb, outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # not a CMYK profile: do without it
    return image.convert("RGB")


def _pixels(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Split into colour, (H, W) or (H, W, 3), and alpha (H, W)."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image)
        key = image.info.get("transparency")  # PNG: the one value that stands for "nothing here"
        alpha = np.where(values == key, 0, 255).astype(np.uint8) if key is not None else None
        return _sixteen_bit(values), alpha
    grey = image.mode in ("1", "L", "LA", "La")
    if not image.has_transparency_data:
        return np.asarray(image.convert("L" if grey else "RGB")), None
    pixels = np.asarray(image.convert("LA" if grey else "RGBA"))
    return pixels[..., 0] if grey else pixels[..., :3], pixels[..., -1]


def _sixteen_bit(values: np.ndarray) -> np.ndarray:
    """Bring the values of the modes I;16, I and F to uint16."""
    if values.dtype.kind in "iu":
        low, high = int(values.min(initial=0)), int(values.max(initial=0))
        if low < 0 or high > 65535:
            raise LiifError(f"grey values from {low} to {high}; scale them into 0 … 65535")
        return values.astype(np.uint16)
    top = float(values.max(initial=0))
    # Pillow itself counts mode F from 0 to 255, most other programs from 0 to 1.
    return _from_unit(values / 255 if 1 < top <= 255 else values, np.uint16)


def _from_unit(values: np.ndarray, dtype: type[np.uint8] | type[np.uint16]) -> np.ndarray:
    """Round floats in [0, 1] to integers."""
    if not np.isfinite(values).all():
        raise LiifError("the pixels contain NaN or infinity")
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < -1e-4 or high > 1 + 1e-4:  # a little rounding error is no mistake
        raise LiifError(f"float values from {low:.4g} to {high:.4g}; scale them into 0 … 1")
    return np.rint(values.clip(0, 1) * np.iinfo(dtype).max).astype(dtype)


def _from_array(array: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    channels = 1 if array.ndim == 2 else array.shape[-1] if array.ndim == 3 else 0
    if channels not in (1, 2, 3, 4):
        raise LiifError(
            f"array of shape {array.shape}; a photo has the shape (height, width), or "
            "(height, width, channels) with 1 to 4 channels"
        )
    native = array.dtype.newbyteorder("=")
    if native.kind == "f":
        values = _from_unit(array, np.uint16 if channels == 1 else np.uint8)
    elif native in (np.uint8, np.uint16):
        values = array.astype(native)  # a copy
    else:
        raise LiifError(f"array of {array.dtype}; use uint8, uint16, or floats in 0 … 1")
    values = values.reshape(*array.shape[:2], channels)
    colour = values[..., 0] if channels < 3 else values[..., :3]
    return colour, values[..., -1] if channels in (2, 4) else None


def _photo(
    colour: np.ndarray,
    alpha: np.ndarray | None,
    icc_profile: bytes | None = None,
    exif: bytes | None = None,
) -> Photo:
    """Bring colour, (H, W) or (H, W, 3), and alpha of 8 or 16 bits to the form of `Photo`."""
    if colour.size == 0:
        height, width = colour.shape[:2]
        raise LiifError(f"a photo needs at least 1 pixel; this one is {width}×{height}")
    if alpha is not None:
        alpha = eight_bit(alpha)
        colour = _fill_hidden(eight_bit(colour), alpha)
        if (alpha == 255).all():
            alpha = None
    if colour.ndim == 3:
        first = colour[..., 0]
        if all(np.array_equal(first, colour[..., channel]) for channel in (1, 2)):
            colour = first.copy()
        else:
            colour = eight_bit(colour)  # Pillow knows no RGB of 16 bits
    grey = colour.ndim == 2
    if grey:  # three views of one channel
        colour = np.broadcast_to(colour[..., None], (*colour.shape, 3))
    return Photo(colour, alpha, grey, icc_profile, exif)


def _fill_hidden(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Give fully transparent pixels the colour of the nearest visible one.

    Whatever a drawing program left there (often black) would colour the visible edge otherwise.
    """
    hidden = alpha == 0
    if hidden.all() or not hidden.any():
        return colour
    # Half a second to import, and few photos have hidden pixels.
    from scipy.ndimage import distance_transform_edt  # type: ignore[import-untyped]

    rows, cols = distance_transform_edt(hidden, return_distances=False, return_indices=True)
    filled = colour.copy()
    filled[hidden] = colour[rows[hidden], cols[hidden]]
    return filled


def _exif_of(image: Image.Image) -> bytes | None:
    try:
        exif = clean_exif(image.getexif())
        return exif.tobytes() if exif else None
    except Exception:
        return None


def clean_exif(exif: Image.Exif, size: tuple[int, int] | None = None) -> Image.Exif:
    """Copy what EXIF says of the photo: orientation upright, without thumbnail.

    Args:
        exif: what was read.
        size: the (width, height) to be noted instead of the old one.
    """
    clean = Image.Exif()
    for tag in EXIF_TAGS:
        if tag in exif:
            clean[tag] = _as_written(exif[tag])
    for directory in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        entries = {tag: _as_written(value) for tag, value in exif.get_ifd(directory).items()}
        entries.pop(ExifTags.IFD.Interop, None)  # speaks of file naming in the camera
        if size is not None and directory == ExifTags.IFD.Exif and entries:
            entries[Tag.ExifImageWidth], entries[Tag.ExifImageHeight] = size
        if entries:
            clean.get_ifd(directory).update(entries)  # where Pillow's TIFF writer looks
            clean[directory] = entries
    if Tag.Orientation in exif:
        clean[Tag.Orientation] = 1
    return clean


def _as_written(value: Any) -> Any:
    """Undo Pillow's decoding of text, or else it turns every accent into a question mark."""
    return value.encode("latin-1") if isinstance(value, str) and not value.isascii() else value
