"""Pictures of more than 8 bits a sample that Pillow cuts or reads wrongly.

Pillow has no mode for 16-bit colour, nor for 16-bit grey with alpha: it keeps the upper byte alone,
without a word. Of TIFFs it reads uncompressed 16-bit planes as noise and 16-bit grey that counts
from white as a negative, and some it does not open at all. So what a header says decides, before
anything is decoded: samples of more than 8 bits are read by `tifffile`, `imagecodecs` and libheif,
the rest by Pillow. (AVIF and JPEG 2000 are cut to 8 bits as well, and read by `imagecodecs`.)
"""

import logging
from typing import IO, Any

import numpy as np
from PIL import Image, ImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    EXTRASAMPLES,
    ICCPROFILE,
    IMAGELENGTH,
    IMAGEWIDTH,
    PHOTOMETRIC_INTERPRETATION,
    ImageFileDirectory_v2,
)

from liif_core.files.jxl import JxlImage
from liif_core.files.kinds import TIFF_STARTS

#: What is wrong with a file is told once, by us; without a handler, Python would print it, too.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

#: PhotometricInterpretation of TIFF, and how many of the samples are colours.
_COLOURS = {0: 1, 1: 1, 2: 3, 5: 4}  # grey counted from white, grey, RGB, CMYK

#: Where TIFF says how far the samples count, if not as far as their bits allow.
_MAX_SAMPLE, _SMIN_SAMPLE, _SMAX_SAMPLE = 281, 340, 341

#: ExtraSamples of TIFF: alpha, multiplied into the colours or not. (0 may be anything: infrared.)
_ASSOCIATED, _UNASSOCIATED = 1, 2

#: Bytes in which an AVIF or JPEG 2000 says what its samples are like.
_HEAD = 1 << 16

_PNG_START = b"\x89PNG\r\n\x1a\n"


class TiffHeader(ImageFile.ImageFile):
    """The header of a TIFF that Pillow does not open for its samples; never decoded by Pillow."""

    format = "TIFF"

    def _open(self) -> None:
        file: Any = self.fp
        start = file.read(8)
        if start[:4] not in TIFF_STARTS:
            raise SyntaxError("not a TIFF")
        if start[2] == 43 or start[3] == 43:
            start += file.read(8)
        self.tag_v2 = ImageFileDirectory_v2(start)
        file.seek(self.tag_v2.next)
        self.tag_v2.load(file)
        if not _deep_tags(self.tag_v2):
            raise SyntaxError("samples of 8 bits or fewer, which Pillow does not know either")
        self._size = self.tag_v2[IMAGEWIDTH], self.tag_v2[IMAGELENGTH]
        self._mode = "RGB"
        self.tile = [ImageFile._Tile("raw", (0, 0, *self._size), 0, None)]
        if ICCPROFILE in self.tag_v2:
            self.info["icc_profile"] = self.tag_v2[ICCPROFILE]

    def getexif(self) -> Image.Exif:
        """Read the EXIF; Pillow's own way to it asks for its own reader of TIFF."""
        exif = Image.Exif()
        exif.bigtiff, exif.endian = self.tag_v2._bigtiff, self.tag_v2._endian
        exif.load_from_fp(self.fp, self.tag_v2._offset)  # type: ignore[arg-type]
        return exif


def is_deep(image: Image.Image) -> bool:
    """Whether a picture, opened and not yet decoded, is to be read by `deep_samples`."""
    file = getattr(image, "fp", None)
    if image.format == "HEIF" and file is not None:
        return image.info.get("bit_depth", 8) > 8
    if file is None or not getattr(image, "tile", None):  # decoded, or never a file
        return False
    if image.format == "TIFF":
        return _deep_tags(image.tag_v2)  # type: ignore[attr-defined]
    if isinstance(image, JxlImage):
        return image.info["bits"] > 8
    if image.format in ("AVIF", "JPEG2000"):
        file.seek(0)
        return _bits_of(image.format, file.read(_HEAD)) > 8
    if image.format == "PNG":
        file.seek(0)
        start = file.read(26)
        # Bit depth, and a colour type that is not plain grey: that, Pillow reads with 16 bits.
        return start[:8] == _PNG_START and start[24] == 16 and start[25] != 0
    return False


def extra_samples(image: Image.Image) -> str:
    """Say in a line what a TIFF holds of each pixel beside colours and alpha; or nothing.

    A fourth sample that is not declared as alpha is none: scanners keep infrared there.
    """
    if image.format != "TIFF" or image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) not in _COLOURS:  # type: ignore[attr-defined]
        return ""
    extra = image.tag_v2.get(EXTRASAMPLES, ())  # type: ignore[attr-defined]
    extra = extra if isinstance(extra, tuple) else (extra,)
    if all(kind in (_ASSOCIATED, _UNASSOCIATED) for kind in extra):
        return ""
    return (
        "a sample of each pixel that is neither colour nor alpha, such as a scanner's infrared, is "
        "left out"
    )


def deep_samples(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode a picture that `is_deep`, as it lies in the file, not turned upright.

    Returns:
        colours, (H, W), (H, W, 3) or of CMYK (H, W, 4), and alpha (H, W) if there is any; uint16,
        or as the file has them: floats, or integers of 32 bits or with a sign.
    """
    file: IO[bytes] = image.fp  # type: ignore[attr-defined]
    file.seek(0)
    if isinstance(image, JxlImage):
        return _split(image.samples())
    if image.format == "TIFF":
        return _tiff(file, image.tell())
    if image.format == "HEIF":
        return _heif(file, image.tell())
    if image.format in ("AVIF", "JPEG2000"):
        return _split(_spread(image.format, file.read(), image.tell()))
    from imagecodecs import png_decode

    return _split(png_decode(file.read()))


def _split(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return colours and alpha of (H, W) or (H, W, bands)."""
    if samples.ndim == 2:
        return samples, None
    colours = 3 if samples.shape[2] > 2 else 1
    alpha = samples[..., -1] if samples.shape[2] > colours else None
    return samples[..., :3] if colours == 3 else samples[..., 0], alpha


def _deep_tags(tags: Any) -> bool:
    bits = tags.get(BITSPERSAMPLE, (1,))
    deep = max(bits if isinstance(bits, tuple) else (bits,)) > 8
    return deep and tags.get(PHOTOMETRIC_INTERPRETATION) in _COLOURS


def _tiff(file: IO[bytes], number: int) -> tuple[np.ndarray, np.ndarray | None]:
    from tifffile import TiffFile

    with TiffFile(file) as tiff:
        page: Any = tiff.pages[number]
        samples = page.asarray(maxworkers=1)
        if page.axes == "SYX":  # a plane for each
            samples = np.moveaxis(samples, 0, -1)
        elif page.axes == "YX":
            samples = samples[..., None]
        elif page.axes != "YXS":
            raise ValueError(f"a picture with the axes {page.axes}")
        colours = _COLOURS[int(page.photometric)]
        if samples.shape[:2] != (page.imagelength, page.imagewidth) or samples.shape[2] < colours:
            raise ValueError(f"{samples.shape} samples")
        extra, photometric = page.extrasamples, int(page.photometric)
        bits = _bits(page, samples)
    if samples.dtype.kind == "f":
        samples = _unit(samples, page)
    if samples.dtype.kind == "u" and bits < 16:
        samples = _from_bits(samples, bits)
    colour = samples[..., 0] if colours == 1 else samples[..., :colours]
    if photometric == 0 and colour.dtype == np.uint16:
        colour = 65535 - colour
    for at, kind in enumerate(extra, colours):
        if kind in (_ASSOCIATED, _UNASSOCIATED):
            alpha = samples[..., at]
            return _unassociated(colour, alpha) if kind == _ASSOCIATED else colour, alpha
    return colour, None


def _bits(page: Any, samples: np.ndarray) -> int:
    """Return how many bits a sample has, be it packed or one of 16 bits that counts less far.

    What a file says of that is believed if its samples keep to it.
    """
    tag = page.tags.get(_MAX_SAMPLE)
    most = int(np.max(tag.value)) if tag is not None else 0
    believed = most >= 255 and samples.dtype.kind == "u" and samples.max(initial=0) <= most
    return min(page.bitspersample, most.bit_length()) if believed else page.bitspersample


def _unit(samples: np.ndarray, page: Any) -> np.ndarray:
    """Bring floats into 0 … 1 if their file says what black and white are."""
    low, high = page.tags.get(_SMIN_SAMPLE), page.tags.get(_SMAX_SAMPLE)
    if high is None:
        return samples
    black, white = (np.ravel(tag.value if tag else 0)[0] for tag in (low, high))
    return ((samples - black) / (white - black)).astype(samples.dtype) if white > black else samples


def _heif(file: IO[bytes], number: int) -> tuple[np.ndarray, np.ndarray | None]:
    from pi_heif import open_heif

    picture = open_heif(file, convert_hdr_to_8bit=False)[number]
    samples = np.asarray(picture)
    bits = picture.info["bit_depth"]
    # Shifted up as they come, so that white would be a little grey.
    samples = _from_bits(samples >> (16 - bits), bits)
    colour, alpha = _split(samples)
    if alpha is None:
        return colour, None
    return _unassociated(colour, alpha) if picture.premultiplied_alpha else colour, alpha


def _bits_of(kind: str, head: bytes) -> int:
    """Return the bits of a sample of an AVIF or JPEG 2000, from its first bytes; 8 if unsure."""
    if kind == "AVIF":  # AV1 in ISOBMFF, 2.3: of the first picture, which the others accompany
        at = head.find(b"av1C")
        flags = head[at + 6] if 0 <= at < len(head) - 6 else 0
        return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    at = head.find(b"\xff\x4f\xff\x51")  # JPEG 2000, part 1, A.5.1: SIZ
    number = int.from_bytes(head[at + 40 : at + 42], "big")
    parts = [head[at + 42 + 3 * part : at + 45 + 3 * part] for part in range(number)]
    # Of one depth, without a sign, none coarser than the others; and no YCC, which Pillow turns.
    plain = at >= 0 and number in (1, 2, 3, 4) and len(set(parts)) == 1 and parts[0][1:] == b"\1\1"
    ycc = b"colr\x01\0\0\0\0\0\x12" in head[: max(at, 0)]
    return parts[0][0] + 1 if plain and not ycc and parts[0][0] < 16 else 8


def _spread(kind: str, data: bytes, number: int) -> np.ndarray:
    """Decode an AVIF or JPEG 2000: (H, W) or (H, W, bands) uint16 from 0 to 65535."""
    from imagecodecs import avif_decode, jpeg2k_decode

    bits = _bits_of(kind, data[:_HEAD])
    samples = avif_decode(data, index=number) if kind == "AVIF" else jpeg2k_decode(data)
    if samples.dtype != np.uint16 or samples.max(initial=0) >= 2**bits:
        raise ValueError(f"samples of {samples.dtype} where its header tells of {bits} bits")
    return _from_bits(samples, bits)


def _from_bits(samples: np.ndarray, bits: int) -> np.ndarray:
    """Spread samples of so many bits over the range of uint16."""
    return (samples * (65535 / (2**bits - 1)) + 0.5).astype(np.uint16)


def _unassociated(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Divide colours by the alpha that was multiplied into them."""
    if colour.dtype.kind == "f":
        top, kind = 1.0, colour.dtype
    else:
        top, kind = np.iinfo(colour.dtype).max, colour.dtype
    share = (alpha / top).clip(1 / 65535)
    whole = (colour / (share if colour.ndim == 2 else share[..., None])).clip(0, top)
    return (whole if kind.kind == "f" else np.rint(whole)).astype(kind)
