"""JPEG XL for Pillow: the header is read here (ISO/IEC 18181-1), the pixels by imagecodecs.

The one plug-in that has wheels for all systems is under the GPL; imagecodecs decodes, and tells
nothing of the header.
"""

import struct
from contextlib import suppress
from typing import IO, Any

import numpy as np
from PIL import ExifTags, Image, ImageFile

from liif_core.pixels import eight_bit

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"

#: Widths by height, of the common shapes.
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))

#: Bytes of notes, also when inflated: a small file may blow up to more.
_LONGEST = 1 << 26

#: Bytes of a codestream in which its header ends, without a profile.
_HEADER = 4096

_SRGB = 13  # transfer function


class JxlImage(ImageFile.ImageFile):
    """A JPEG XL as Pillow knows pictures: 8 bits; `samples` has all of them.

    `info` holds `bits` of a sample, `other_colours` (whether they are not sRGB's), `exif`, `xmp`.
    """

    format = "JXL"
    format_description = "JPEG XL"

    def _open(self) -> None:
        file: Any = self.fp
        codestream, boxes = _parts(file)
        header = _Header(codestream)
        self._size = header.size
        grey, alpha = header.grey, header.alpha
        self._mode = ("L" if grey else "RGB") + ("A" if alpha else "")
        self.info["bits"] = header.bits
        self.info["other_colours"] = header.other_colours
        if boxes.get(b"Exif"):
            self.info["exif"] = _upright(boxes[b"Exif"])
        if boxes.get(b"xml "):
            self.info["xmp"] = boxes[b"xml "]
        self.tile = [ImageFile._Tile("raw", (0, 0, *self._size), 0, None)]

    def samples(self) -> np.ndarray:
        """Decode: (H, W) or (H, W, bands), uint8, uint16 or floats, upright."""
        from imagecodecs import jpegxl_decode

        file: Any = self.fp
        file.seek(0)
        samples = jpegxl_decode(file.read(), index=0)
        if samples.shape[:2] != self._size[::-1]:
            raise ValueError(f"{samples.shape} samples, of {self._size} pixels")
        return samples

    def load(self) -> Any:
        """Decode for Pillow, which has no deeper colours than of 8 bits."""
        if self.tile:
            samples = self.samples()
            if samples.dtype.kind == "f":
                samples = np.rint(samples.clip(0, 1) * 65535).astype(np.uint16)
            self.im = Image.fromarray(eight_bit(samples)).convert(self.mode).im
            self.tile = []
        return super().load()


def is_jxl(start: bytes) -> bool:
    """Whether a file begins as a JPEG XL."""
    return start.startswith((_CODESTREAM, _CONTAINER))


def _parts(file: IO[bytes]) -> tuple[bytes, dict[bytes, bytes]]:
    """Return the beginning of the codestream, and the boxes beside it."""
    start = file.read(12)
    if start.startswith(_CODESTREAM):
        return start[2:] + file.read(_HEADER), {}
    if start != _CONTAINER:
        raise SyntaxError("not a JPEG XL")
    codestream, boxes = b"", dict[bytes, bytes]()
    while len(head := file.read(8)) == 8:
        length, kind, used = int.from_bytes(head[:4], "big"), head[4:], 8
        if length == 1:
            length, used = int.from_bytes(file.read(8), "big"), 16
        begin, rest = file.tell(), length - used
        if kind in (b"jxlc", b"jxlp") and len(codestream) < _HEADER:
            codestream += file.read(_HEADER)[4 if kind == b"jxlp" else 0 : max(rest, 0) or None]
        elif kind in (b"Exif", b"xml ", b"brob") and 0 < rest < _LONGEST:
            kind, body = _plain(kind, file.read(rest))
            boxes[kind] = body
        if length == 0:
            break
        if rest < 0:
            raise SyntaxError("a box that ends before it begins")
        file.seek(begin + rest)
    if not codestream.startswith(_CODESTREAM):
        raise SyntaxError("a JPEG XL without a picture")
    return codestream[2:], boxes


def _plain(kind: bytes, body: bytes) -> tuple[bytes, bytes]:
    if kind != b"brob":
        return kind, body
    from imagecodecs import brotli_decode

    try:
        return body[:4], bytes(brotli_decode(body[4:], out=_LONGEST))
    except Exception:  # broken notes, or too long ones, do not cost the photo
        return kind, b""


def _upright(box: bytes) -> bytes:
    """Return EXIF for Pillow. The codestream alone says how to turn, and the decoder does."""
    notes = bytearray(box[4 + int.from_bytes(box[:4], "big") :])
    order = "<" if notes[:2] == b"II" else ">"
    with suppress(struct.error):  # broken notes do not cost the photo
        (first,) = struct.unpack_from(order + "I", notes, 4)
        (number,) = struct.unpack_from(order + "H", notes, first)
        for at in range(first + 2, first + 2 + 12 * number, 12):
            if struct.unpack_from(order + "H", notes, at)[0] == ExifTags.Base.Orientation:
                struct.pack_into(order + "H", notes, at + 8, 1)
    return b"Exif\0\0" + bytes(notes)


class _Bits:
    """Bits of a codestream, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._all, self._left, self._length = int.from_bytes(data, "little"), 0, 8 * len(data)

    def u(self, number: int) -> int:
        """Read a number of so many bits."""
        if self._left + number > self._length:
            raise SyntaxError("the header is cut off")
        found = self._all >> self._left & ((1 << number) - 1)
        self._left += number
        return found

    def u32(self, *ways: tuple[int, int]) -> int:
        """Read a number in one of four ways: (offset, bits)."""
        offset, bits = ways[self.u(2)]
        return offset + self.u(bits)

    def enum(self) -> int:
        """Read a choice."""
        return self.u32((0, 0), (1, 0), (2, 4), (18, 6))


class _Header:
    """SizeHeader and ImageMetadata, as far as they are asked for.

    Attributes:
        size: (width, height), upright.
        bits: of a sample.
        grey, alpha: which channels there are.
        other_colours: whether they are not those of sRGB, or greys of its tone curve.
    """

    def __init__(self, data: bytes) -> None:
        bits = _Bits(data)
        self.size = _size(bits)
        self.bits, self.grey, self.alpha, self.other_colours = 8, False, False, False
        if bits.u(1):  # all as usual
            return
        if bits.u(1) and self._extra_fields(bits) > 4:
            self.size = self.size[::-1]
        self.bits = _depth(bits)
        bits.u(1)  # whether 16 bits suffice for computing
        for _ in range(bits.u32((0, 0), (1, 0), (2, 4), (1, 12))):
            self.alpha |= _extra_channel(bits)
        bits.u(1)  # whether coded as XYB
        self._colours(bits)

    def _extra_fields(self, bits: _Bits) -> int:
        """Return the orientation, as EXIF counts them."""
        orientation = 1 + bits.u(3)
        if bits.u(1):
            _size(bits)  # how large it is meant to be shown
        if bits.u(1) or bits.u(1):
            raise SyntaxError("a JPEG XL with a preview, or an animation")
        return orientation

    def _colours(self, bits: _Bits) -> None:
        if bits.u(1):  # sRGB
            return
        profile, space = bits.u(1), bits.enum()
        self.grey = space == 1
        if profile:
            self.other_colours = True
            return
        white = bits.enum()
        primaries = 1 if self.grey or white == 2 else bits.enum()
        gamma = white == 2 or primaries == 2 or bits.u(1)  # or numbers that follow, not asked for
        self.other_colours = bool(gamma) or (white, primaries, bits.enum()) != (1, 1, _SRGB)


def _size(bits: _Bits) -> tuple[int, int]:
    ways = (1, 9), (1, 13), (1, 18), (1, 30)
    small = bits.u(1)
    height = 8 * (1 + bits.u(5)) if small else bits.u32(*ways)
    ratio = bits.u(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        return height * across // down, height
    return 8 * (1 + bits.u(5)) if small else bits.u32(*ways), height


def _depth(bits: _Bits) -> int:
    if not bits.u(1):
        return bits.u32((8, 0), (10, 0), (12, 0), (1, 6))
    depth = bits.u32((32, 0), (16, 0), (24, 0), (1, 6))
    bits.u(4)  # of them, how many for the exponent
    return depth


def _extra_channel(bits: _Bits) -> bool:
    """Whether it is alpha."""
    if bits.u(1):
        return True
    kind = bits.enum()
    _depth(bits)
    bits.u32((0, 0), (3, 0), (4, 0), (1, 3))  # how much smaller it is
    bits.u(8 * bits.u32((0, 0), (0, 4), (16, 5), (48, 10)))  # its name
    if kind == 0:
        bits.u(1)  # whether the colours are multiplied by it
    elif kind in (2, 5):
        raise SyntaxError("a JPEG XL with spot colours, or a camera's raw one")
    return kind == 0


def register_jxl() -> None:
    """Let Pillow open JPEG XL."""
    Image.register_open(JxlImage.format, JxlImage, is_jxl)
    Image.register_extension(JxlImage.format, ".jxl")
