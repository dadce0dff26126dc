"""What a file says about its photo beside the pixels: names, captions, dates, resolution."""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import IO, Any

from PIL import Image
from PIL.ExifTags import Base

from liif_core.files.exif import IPTC, PHOTOSHOP, XMP, Exif, read_exif
from liif_core.files.xmp import Packet, origin_of

#: Inches in a unit of EXIF's ResolutionUnit: inch and centimetre.
_UNITS = {2: Fraction(1), 3: Fraction(254, 100)}

#: PNG's chunks that say which colours the numbers mean. sBIT, how many bits of each were genuine,
#: is none of them: a result's are all computed.
COLOUR_CHUNKS = (b"cICP", b"sRGB", b"gAMA", b"cHRM", b"mDCV", b"cLLI")

#: Texts of PNG that are something else, written by ImageMagick and exiftool.
RAW_PROFILE = "Raw profile type "
PNG_XMP = "XML:com.adobe.xmp"

#: Where JPEG keeps XMP, what was too long for that, and Photoshop's resources.
JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
JPEG_LONG_XMP = b"http://ns.adobe.com/xmp/extension/\0"
JPEG_PHOTOSHOP = b"Photoshop 3.0\0"

#: Photoshop's number for IPTC among its resources.
IPTC_RESOURCE = 0x0404

#: More text in a file is no caption; and a small file may blow up to more.
LONGEST_TEXT = 1 << 26


@dataclass(frozen=True)
class Notes:
    """What is to be carried over, as it was read.

    Attributes:
        exif: the camera's and Windows' tags.
        xmp: the packet, of which a JPEG's long ones are joined; b"" if there is none.
        iptc: records of IPTC's Information Interchange Model.
        comments: of a JPEG or GIF, in the file's order.
        texts: PNG's, (keyword, text).
        colour: PNG's chunks that say which colours are meant, (kind, content).
        dpi: pixels per inch of the pixels in the file, across and down, if known.
        turn: the EXIF orientation of those pixels.
    """

    exif: Exif = field(default_factory=Exif)
    xmp: bytes = b""
    iptc: bytes = b""
    comments: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    colour: tuple[tuple[bytes, bytes], ...] = ()
    dpi: tuple[Fraction, Fraction] | None = None
    turn: int = 1

    def stripped(self) -> "Notes":
        """Return what the pixels themselves need: which colours they mean."""
        return Notes(colour=self.colour, turn=self.turn)

    def origin(self) -> "Notes":
        """Return how the pixels came about: true of any picture that shows them, and all of it."""
        main = {tag: value for tag, value in self.exif.main.items() if tag == Base.Software}
        return Notes(exif=Exif(self.exif.order, main), xmp=origin_of(self.xmp))


def notes_of(image: Image.Image) -> Notes:
    """Read what goes along with a picture that was opened and not yet decoded.

    What is broken is left out, and costs nothing else.

    Args:
        image: from a file, which is left where it was; or one made in memory.
    """
    file: Any = getattr(image, "fp", None)
    opened = file is not None and bool(getattr(image, "tile", None))
    place = file.tell() if opened else 0
    notes = Notes()
    with suppress(Exception):  # Pillow's readers and ours meet arbitrary bytes
        if image.format in ("JPEG", "MPO") and hasattr(image, "applist"):
            notes = _of_jpeg(image)
        elif image.format == "TIFF" and opened:
            notes = _of_tiff(image, file)
        elif image.format == "PNG" and opened:
            notes = _of_png(file)
        else:
            notes = _of_any(image)
    if opened:
        file.seek(place)
    if notes.dpi is None:
        notes = replace(notes, dpi=_told_dpi(image))
    dpi = _exif_dpi(notes.exif)
    # 72 is EXIF's word for "unknown" (EXIF 3.0, XResolution); whatever adds EXIF writes it.
    if dpi and (notes.dpi is None or set(dpi) != {Fraction(72)}):
        notes = replace(notes, dpi=dpi)
    turn = notes.exif.numbers(notes.exif.main.get(Base.Orientation))
    known = len(turn) == 1 and turn[0] in range(1, 9)
    return replace(notes, turn=int(turn[0]) if known else 1)


def _told_dpi(image: Image.Image) -> tuple[Fraction, Fraction] | None:
    """Return what Pillow read of a format without EXIF, such as BMP."""
    told: Any = image.info.get("dpi")
    if image.format in ("JPEG", "MPO", "PNG", "TIFF"):  # of a JPEG without any, Pillow says 72
        return None
    with suppress(TypeError, ValueError, OverflowError, ZeroDivisionError):
        across, down = (Fraction(float(one)).limit_denominator(10_000) for one in told or ())
        if across > 1 and down > 1:
            return _near_whole(across), _near_whole(down)
    return None


def _exif_dpi(exif: Exif) -> tuple[Fraction, Fraction] | None:
    found = [exif.numbers(exif.main.get(tag)) for tag in (Base.XResolution, Base.YResolution)]
    unit = exif.numbers(exif.main.get(Base.ResolutionUnit)) or (Fraction(2),)
    factor = _UNITS.get(int(unit[0]))
    if factor is None or not all(len(one) == 1 and one[0] > 1 for one in found):
        return None
    return found[0][0] * factor, found[1][0] * factor


def _of_any(image: Image.Image) -> Notes:
    info = image.info
    comment = info.get("comment", b"")
    return Notes(
        exif=read_exif(info.get("exif") or b""),
        xmp=_bytes(info.get("xmp")),
        comments=(_words(comment),) if comment else (),
    )


def _of_tiff(image: Image.Image, file: IO[bytes]) -> Notes:
    exif = read_exif(file, image.tag_v2._offset)  # type: ignore[attr-defined]
    there = {tag: exif.main[tag].data for tag in (XMP, IPTC, PHOTOSHOP) if tag in exif.main}
    resources = dict(_resources(there.get(PHOTOSHOP, b"")))
    iptc = there.get(IPTC) or resources.get(IPTC_RESOURCE, b"")
    return Notes(exif=exif, xmp=there.get(XMP, b""), iptc=iptc)


def _of_jpeg(image: Image.Image) -> Notes:
    exif, xmp, comments = b"", b"", []
    long_xmp: dict[bytes, dict[int, bytes]] = {}
    photoshop, dpi = b"", None
    for name, data in image.applist:  # type: ignore[attr-defined]
        if name == "APP0" and data.startswith(b"JFIF\0"):
            dpi = _jfif_dpi(data)
        elif name == "APP1" and data.startswith(b"Exif\0"):
            exif = exif or data
        elif name == "APP1" and data.startswith(JPEG_XMP):
            xmp = xmp or data.removeprefix(JPEG_XMP)
        elif name == "APP1" and data.startswith(JPEG_LONG_XMP):
            rest = data.removeprefix(JPEG_LONG_XMP)
            at = int.from_bytes(rest[36:40], "big")
            long_xmp.setdefault(rest[:32], {})[at] = rest[40:]
        elif name == "APP13" and data.startswith(JPEG_PHOTOSHOP):
            photoshop += data.removeprefix(JPEG_PHOTOSHOP)  # long ones go on in the next
        elif name == "COM":
            comments.append(_words(data))
    found = Notes(
        exif=read_exif(exif),
        xmp=_joined(xmp, long_xmp),
        iptc=dict(_resources(photoshop)).get(IPTC_RESOURCE, b""),
        comments=tuple(comment for comment in comments if comment),
        dpi=dpi,
    )
    if not exif and image.info.get("exif"):  # a further picture of an MPO
        found = replace(found, exif=read_exif(image.info["exif"]))
    return found


def _jfif_dpi(data: bytes) -> tuple[Fraction, Fraction] | None:
    factor = _UNITS.get(data[7] + 1)
    across, down = (int.from_bytes(data[at : at + 2], "big") for at in (8, 10))
    return (across * factor, down * factor) if factor and across > 1 and down > 1 else None


def _joined(xmp: bytes, parts: dict[bytes, dict[int, bytes]]) -> bytes:
    """Join the long part of a JPEG's XMP, which lies in pieces, to the packet that names it."""
    for name, pieces in parts.items():
        if name in xmp:
            with suppress(ValueError):
                packet = Packet(xmp)
                packet.join(Packet(b"".join(pieces[at] for at in sorted(pieces))))
                return packet.tobytes()
    return xmp


def _resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield Photoshop's image resources: (number, content)."""
    at = 0
    while data[at : at + 4] == b"8BIM":
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        start = at + 6 + (data[at + 6] // 2 + 1) * 2  # a name, padded
        length = int.from_bytes(data[start : start + 4], "big")
        content = data[start + 4 : start + 4 + length]
        if len(content) == length:
            yield number, content
        at = start + 4 + length + length % 2


def _of_png(file: IO[bytes]) -> Notes:
    exif, dpi, colour, texts, room = b"", None, [], [], LONGEST_TEXT
    for kind, data in _png_chunks(file):
        if kind == b"eXIf":
            exif = exif or data
        elif kind == b"pHYs" and len(data) == 9 and data[8] == 1:
            per_metre = [int.from_bytes(data[at : at + 4], "big") for at in (0, 4)]
            if min(per_metre) > 39:
                # Whole numbers of dpi, which pixels per metre only come near to.
                dpi = tuple(_near_whole(Fraction(one * 254, 10_000)) for one in per_metre)
        elif kind in COLOUR_CHUNKS:
            colour.append((kind, data))
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            with suppress(ValueError, zlib.error):  # a broken one costs itself alone
                texts.append(_png_text(kind, data, room))
                room -= sum(map(len, texts[-1]))
    profiles = {
        keyword.removeprefix(RAW_PROFILE).lower(): _unhexed(text)
        for keyword, text in texts
        if keyword.startswith(RAW_PROFILE)
    }
    if not exif:
        exif = profiles.get("exif") or profiles.get("app1", b"")
    xmp = next((text.encode() for keyword, text in texts if keyword == PNG_XMP), b"")
    iptc = profiles.get("iptc", b"")
    plain = [one for one in texts if one[0] != PNG_XMP and not one[0].startswith(RAW_PROFILE)]
    return Notes(
        exif=read_exif(exif),
        xmp=xmp or profiles.get("xmp", b""),
        iptc=dict(_resources(iptc)).get(IPTC_RESOURCE, b"") if iptc[:4] == b"8BIM" else iptc,
        texts=tuple(plain),
        colour=tuple(colour),
        dpi=dpi,  # type: ignore[arg-type]
    )


def _png_chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG but for the pixels, up to an animation's second picture."""
    file.seek(8)
    pixels = False
    while len(start := file.read(8)) == 8:
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        if kind == b"IDAT" or length > LONGEST_TEXT:
            pixels = pixels or kind == b"IDAT"
            file.seek(length + 4, 1)
        elif kind == b"IEND" or (kind == b"fcTL" and pixels):
            return
        else:
            yield kind, file.read(length)
            file.seek(4, 1)


def _png_text(kind: bytes, data: bytes, room: int) -> tuple[str, str]:
    """Read a text of at most `room` bytes: (keyword, text)."""
    if len(data) > room:
        raise ValueError("more text than a file's captions have")
    keyword, rest = data.split(b"\0", 1)
    if kind == b"tEXt":
        return keyword.decode("latin-1"), rest.decode("latin-1")
    if kind == b"zTXt":
        return keyword.decode("latin-1"), _inflated(rest[1:], room).decode("latin-1")
    compressed, (_, _, words) = rest[0], rest[2:].split(b"\0", 2)
    return keyword.decode("latin-1"), (_inflated(words, room) if compressed else words).decode()


def _inflated(data: bytes, room: int) -> bytes:
    stream = zlib.decompressobj()
    found = stream.decompress(data, max(room, 1))  # 0 would mean any number
    if stream.unconsumed_tail:
        raise ValueError("a text that blows up")
    return found


def _unhexed(text: str) -> bytes:
    """Read a profile as ImageMagick and exiftool write it: a name, a length, hexadecimal digits.

    The name is a line, and of several words where exiftool wrote it.
    """
    parts = text.strip("\n").split("\n", 2)
    with suppress(ValueError):
        return bytes.fromhex("".join(parts[2].split())) if len(parts) == 3 else b""
    return b""


def _near_whole(number: Fraction) -> Fraction:
    whole = round(number)
    return Fraction(whole) if abs(number - whole) < Fraction(2, 100) else number


def _words(data: bytes | str) -> str:
    """Decode words of unknown encoding: UTF-8, or else Latin-1, in which anything is some word."""
    if isinstance(data, str):
        return data
    data = data.rstrip(b"\0")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _bytes(data: bytes | str | None) -> bytes:
    return data.encode() if isinstance(data, str) else data or b""
