"""From what was read to a `Photo`: upright pixels of 8 or 16 bits, colours, perhaps alpha."""

from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import COLORMAP

from liif_core.errors import LiifError
from liif_core.files.damaged import mended
from liif_core.files.deep import deep_samples, is_deep
from liif_core.files.notes import Notes, notes_of
from liif_core.files.opening import decoding, naming
from liif_core.files.upright import turn_of, upright, upright_samples
from liif_core.pixels import eight_bit


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture in memory, upright, ready for the model. Made by `photos.photo_from`.

    Attributes:
        colour: (height, width, 3), uint8, or uint16 if the source has more than 8 bits a sample.
            Not to be written to. Under transparent pixels it holds the nearest visible colour.
        alpha: (height, width) uint8, or None if every pixel is opaque.
        grey: every pixel has R == G == B.
        icc_profile: the colour profile as stored in the source.
        notes: what else its file says, to be carried over.
        remarks: lines about what is missing.
    """

    colour: np.ndarray
    alpha: np.ndarray | None
    grey: bool
    icc_profile: bytes | None
    notes: Notes = field(default_factory=Notes)
    remarks: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.colour.shape[0]

    @property
    def width(self) -> int:
        """Pixels in a row."""
        return self.colour.shape[1]

    @property
    def deep(self) -> bool:
        """Whether the colours have 16 bits."""
        return self.colour.dtype == np.uint16

    def rgb(self, rows: slice, cols: slice) -> np.ndarray:
        """Return a window as the model wants it: float32 (h, w, 3) in [0, 1]."""
        scale = np.float32(np.iinfo(self.colour.dtype).max)
        return self.colour[rows, cols].astype(np.float32) / scale


def decoded(image: Image.Image, name: str, *, strict: bool = True) -> Photo:
    """Decode a picture that Pillow opened.

    Args:
        image: the picture, left as it is.
        name: what to call it in an error.
        strict: refuse what is cut off, also where something is left of it.

    Raises:
        LiifError: broken or cut off, not enough memory, or pixels that mean no colours.
    """
    if is_deep(image):
        return _deep(image, name)
    # Before the pixels: Pillow closes some files behind them, and turns TIFFs of its own accord.
    with naming(name):
        notes = notes_of(image)
    with decoding(name):
        image, remarks = _loaded(image, strict)
    with naming(name):
        icc_profile = image.info.get("icc_profile") or None
        if image.mode == "F":
            remarks += _range(np.asarray(image))
        image = upright(image)
        if image.mode == "CMYK":
            image, icc_profile = _cmyk_to_srgb(image, icc_profile), None
        colour, alpha = _pixels(image)
        return replace(_photo(colour, alpha, icc_profile), notes=notes, remarks=remarks)


def _loaded(image: Image.Image, strict: bool) -> tuple[Image.Image, tuple[str, ...]]:
    """Load a picture, or what is left of it."""
    file: Any = getattr(image, "fp", None)
    waiting: Any = getattr(image, "tile", None)
    if image.format == "TIFF" and waiting:
        turn_of(image)  # while Pillow's own opinion, which it turns the pixels by, can be corrected
    try:
        image.load()
    except OSError:
        if strict or image.format not in ("JPEG", "MPO") or file is None:
            raise
        file.seek(0)
        found = mended(file.read(), image.tell())
        if found is None:
            raise
        return found[0], (found[1],)
    if image.format == "PNG" and waiting:
        image = _with_key(image, waiting[0].args)
    if image.format == "TIFF" and image.mode == "P":
        image = _with_colours(image)
    return image, ()


def _with_key(image: Image.Image, kind: Any) -> Image.Image:
    """Return a PNG whose transparent grey counts as its pixels do.

    Pillow spreads pixels of 2 and 4 bits over 0 … 255, and leaves the key to them as it was.
    """
    key, step = image.info.get("transparency"), {"L;2": 85, "L;4": 17}.get(str(kind))
    if step is None or not isinstance(key, int):
        return image
    image = image.copy()
    image.info["transparency"] = key * step
    return image


def _with_colours(image: Image.Image) -> Image.Image:
    """Return a TIFF whose colour map counts to 255; some programs write that, for 65535."""
    colours = np.array(image.tag_v2.get(COLORMAP, ()))  # type: ignore[attr-defined]
    if colours.size % 3 or not 0 < colours.max(initial=0) <= 255:
        return image
    image = image.copy()
    image.putpalette(colours.reshape(3, -1).T.astype(np.uint8).tobytes())
    return image


def _deep(image: Image.Image, name: str) -> Photo:
    """Decode a picture whose samples Pillow would cut."""
    with naming(name):
        notes = notes_of(image)
    with decoding(name):
        colour, alpha = deep_samples(image)
    remarks = _range(colour)
    with naming(name):
        turn = notes.turn
        icc_profile = image.info.get("icc_profile") or None
        colour = upright_samples(_sixteen_bit(colour), turn)
        if colour.ndim == 3 and colour.shape[2] == 4:
            inks = Image.frombytes("CMYK", colour.shape[1::-1], eight_bit(colour).tobytes())
            colour, icc_profile = np.asarray(_cmyk_to_srgb(inks, icc_profile)), None
        alpha = None if alpha is None else upright_samples(_sixteen_bit(alpha), turn)
        return replace(_photo(colour, alpha, icc_profile), notes=notes, remarks=remarks)


def _range(values: np.ndarray) -> tuple[str, ...]:
    """Say what was taken for white, of floats; see `_sixteen_bit`."""
    if values.dtype.kind != "f":
        return ()
    top = float(values.max(initial=0))
    white = 255 if 1 < top <= 255 else 1
    return (f"float values up to {top:.4g} are read as 0 … {white}",)


def from_array(array: np.ndarray) -> Photo:
    """Copy an array into a photo.

    Raises:
        LiifError: another shape, type or value range than `photos.photo_from` tells.
    """
    return _photo(*_channels(array))


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
        return _values(image, "L" if grey else "RGB"), None
    pixels = _values(image, "LA" if grey else "RGBA")
    return pixels[..., 0] if grey else pixels[..., :3], pixels[..., -1]


def _values(image: Image.Image, mode: str) -> np.ndarray:
    """Copy the values of an image of this mode, or of one that becomes so."""
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _sixteen_bit(values: np.ndarray) -> np.ndarray:
    """Bring samples of any type, such as those of the modes I;16, I and F, to uint16."""
    if values.dtype == np.uint16:
        return values
    if values.dtype.kind in "iu":
        low, high = int(values.min(initial=0)), int(values.max(initial=0))
        if low < 0 or high > 65535:
            raise LiifError(f"values from {low} to {high}; scale them into 0 … 65535")
        return values.astype(np.uint16)
    top = float(values.max(initial=0))
    # Pillow itself counts mode F from 0 to 255, most other programs from 0 to 1.
    return _from_unit(values / 255 if 1 < top <= 255 else values, np.uint16)


def _from_unit(values: np.ndarray, dtype: type[np.uint8] | type[np.uint16]) -> np.ndarray:
    """Round floats in [0, 1] to integers."""
    if values.dtype.itemsize < 4:  # half precision ends at 65,504
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise LiifError("the pixels contain NaN or infinity")
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < -1e-4 or high > 1 + 1e-4:  # a little rounding error is no mistake
        raise LiifError(f"float values from {low:.4g} to {high:.4g}; scale them into 0 … 1")
    return np.rint(values.clip(0, 1) * np.iinfo(dtype).max).astype(dtype)


def _channels(array: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
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
) -> Photo:
    """Bring colour, (H, W) or (H, W, 3), and alpha of 8 or 16 bits to the form of `Photo`."""
    if colour.size == 0:
        height, width = colour.shape[:2]
        raise LiifError(f"a photo needs at least 1 pixel; this one is {width}×{height}")
    if alpha is not None:
        alpha = eight_bit(alpha)
        colour = _fill_hidden(colour, alpha)
        if (alpha == 255).all():
            alpha = None
    if colour.ndim == 3:
        first = colour[..., 0]
        if all(np.array_equal(first, colour[..., channel]) for channel in (1, 2)):
            colour = first.copy()
    grey = colour.ndim == 2
    if grey:  # three views of one channel
        colour = np.broadcast_to(colour[..., None], (*colour.shape, 3))
    return Photo(colour, alpha, grey, icc_profile)


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
