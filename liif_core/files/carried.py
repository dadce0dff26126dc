"""What goes into a result beside its pixels: the photo's notes, made true, and who made it.

One mechanism for all formats and both ways of writing: `carried` decides what is said, the rest
of this room how JPEG, PNG, TIFF and WebP hold it.
"""

import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.metadata import version
from typing import Protocol

from PIL.ExifTags import Base, Interop

from liif_core.files.destination import JPEG, PNG, TIFF, WEBP, Format
from liif_core.files.exif import (
    BYTE,
    IPTC,
    MAIN_TAGS,
    UNDEFINED,
    XMP,
    Directory,
    Exif,
    Value,
    copied,
    laid_out,
    text,
    without_far_maker_notes,
    words,
)
from liif_core.files.notes import (
    IPTC_RESOURCE,
    JPEG_LONG_XMP,
    JPEG_PHOTOSHOP,
    JPEG_XMP,
    PNG_XMP,
    RAW_PROFILE,
    Notes,
)
from liif_core.files.upright import SIDEWAYS
from liif_core.files.view import View
from liif_core.files.xmp import RDF, Made, Packet, for_result

#: IPTC's terms for what a network does to a photo (NewsCodes, digital source type). Ours learnt to
#: come near to what was shrunk; "modification or correction by algorithm without changing the main
#: content of the media, initiated or configured by a human, such as sharpening or applying noise
#: reduction" is what they do. Weights that invent what looks crisp, trained against an adversary,
#: are "augmentation, correction or enhancement using a generative AI model".
ENHANCED, GENERATIVE = "algorithmicallyEnhanced", "compositeWithTrainedAlgorithmicMedia"

SOFTWARE = f"liif_core {version('how-does-ai-zoom')}"

#: What weights that invent say of a result; a later zoom without any tells it on.
GENERATED = "details are generated"

#: Names that Pillow has swapped.
SUBJECT_AREA, SUBJECT_LOCATION = 0x9214, 0xA214

#: Bytes that a segment of a JPEG holds beside its length.
_SEGMENT = 65_533

#: Maker notes that lay further from the start would want much of nothing before them.
_FURTHEST = 1 << 18

#: Text of PNG that other readers still open (Pillow inflates no more than this).
_INFLATED = 1 << 20

#: PNG's keywords that XMP has a place for, and what they are called in `Made`.
_IN_XMP = {
    "Title": "title",
    "Author": "author",
    "Description": "description",
    "Copyright": "copyright",
}

#: PNG texts about the photo's file: its maker, its size, its thumbnail's.
_OF_THE_FILE = ("Software", "Thumb::", "date:", "exif:", "tiff:", "png:")


class Makes(Protocol):
    """Whoever makes results: a `Maker`, or two side by side."""

    @property
    def generative(self) -> bool:
        """Whether details are invented."""
        ...

    def how(self, view: View) -> str:
        """Say what was done, in words."""
        ...


@dataclass(frozen=True)
class Maker:
    """Who makes results.

    Attributes:
        weights: their name.
        generative: whether they invent detail, trained against an adversary.
        read_at: (height, width) that the photo was shrunk to before it was read, if it was.
        seed: of the noise that details were invented from, if they were.
    """

    weights: str
    generative: bool = False
    read_at: tuple[int, int] | None = None
    seed: int | None = None

    def how(self, view: View) -> str:
        """Say what was done, in words."""
        across, down = (f"{factor:.4g}" for factor in view.factors)
        scale = across if across == down else f"{across} across, ×{down} down"
        part = "" if view.whole else f", pixels {', '.join(f'{side:g}' for side in view.box)}"
        small = f", read at {self.read_at[1]}×{self.read_at[0]}" if self.read_at else ""
        seed = "" if self.seed is None else f", seed {self.seed}"
        invented = f", {GENERATED}" if self.generative else ""
        return f"weights {self.weights}, ×{scale}{part}{small}{seed}{invented}"


#: What `carried` writes into EXIF's Software of `Maker.how`: the last zoom's line is the first.
_TOLD = re.compile(
    r"liif_core \S+; weights (?P<weights>.+?), ×[\d.e+-]+( across, ×[\d.e+-]+ down)?"
    r"(, pixels [\d.e+, -]+?)?(, read at \d+×\d+)?(, seed (?P<seed>\d+))?(, details are generated)?"
)


def maker_told(software: str) -> Maker | None:
    """Return who made a picture last, from EXIF's Software; None if that is no zoom of ours.

    At what size the photo was read is left out.
    """
    found = _TOLD.fullmatch(software.partition("\n")[0])
    if found is None:
        return None
    seed = None if found["seed"] is None else int(found["seed"])
    return Maker(found["weights"], GENERATED in found[0], None, seed)


@dataclass(frozen=True)
class Carried:
    """What a result says, ready for any format.

    Attributes:
        exif, xmp, iptc, comments, texts, colour: as in `Notes`.
        dpi: pixels per inch of the result, if known.
        remarks: lines about what was left out.
    """

    exif: Exif
    xmp: bytes = b""
    iptc: bytes = b""
    comments: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    colour: tuple[tuple[bytes, bytes], ...] = ()
    dpi: tuple[Fraction, Fraction] | None = None
    remarks: tuple[str, ...] = ()


def carried(
    notes: Notes, view: View, maker: Makes | None, format: Format, *, keep_dpi: bool = False
) -> Carried:
    """Decide what a result says.

    Args:
        notes: the photo's.
        view: how the result lies in the photo.
        maker: who makes it; None: nobody is named, and of XMP nothing is changed but for sizes.
        format: of the result.
        keep_dpi: the same pixels per inch as the photo; else the same inches.
    """
    if notes == Notes(turn=notes.turn, colour=notes.colour) and maker is None:
        return Carried(Exif(), colour=notes.colour)
    remarks: list[str] = []
    dpi = _dpi(notes, view, keep_dpi)
    exif = _exif(notes.exif, view, dpi)
    exif = without_far_maker_notes(exif, _SEGMENT - 6 if format is JPEG else _FURTHEST)
    if Base.MakerNote in notes.exif.photo and Base.MakerNote not in exif.photo:
        remarks.append("the camera's own notes (MakerNote) lay where they cannot lie here")
    texts, comments, named = _texts(notes, format)
    how = maker.how(view) if maker else ""
    before = words(notes.exif.main.get(Base.Software))
    earlier = _zooms_in(before)
    if maker:
        lines = [f"{SOFTWARE}; {how}", *reversed(earlier)]
        exif = _with(exif, {Base.Software: text("\n".join(lines))})
    xmp = notes.xmp
    if maker or xmp:
        made = Made(
            view=view,
            mime=f"image/{format.name.lower()}",
            dpi=dpi,
            software=SOFTWARE,
            how=how,
            source_type=GENERATIVE if _invented(maker, earlier) else ENHANCED,
            software_before=next(iter(earlier), before)
            or next((t for k, t in notes.texts if k == "Software"), ""),
            zooms_before=earlier,
            **named,
        )
        try:
            xmp, lost = for_result(xmp, made)
            if lost:
                remarks.append(f"{lost} marked regions lie beyond the crop and are left out")
        except ValueError:
            remarks.append("its XMP is broken and goes along as it is")
    if comments and format in (TIFF, WEBP):
        if _blank(exif.photo.get(Base.UserComment)):
            comment = _user_comment(exif, "\n".join(comments))
            exif = replace(exif, photo={**exif.photo, Base.UserComment: comment})
        else:
            remarks.append(f"its comment has no place in {format.name} and is left out")
    if notes.colour and format is not PNG and not _is_srgb(notes.colour):
        remarks.append(
            f"PNG's marks of its colours have no place in {format.name}; write a .png to keep them"
        )
    said = Carried(exif, xmp, notes.iptc, comments, texts, notes.colour, dpi)
    if format is JPEG:
        said, too_long = _fitting_jpeg(said)
        remarks += too_long
    return replace(said, remarks=tuple(remarks))


def _zooms_in(software: str) -> tuple[str, ...]:
    """Return what our zooms wrote into EXIF's Software, a line each, the first one first."""
    name = SOFTWARE.split()[0]
    return tuple(line for line in reversed(software.splitlines()) if line.startswith(f"{name} "))


def _invented(maker: Makes | None, earlier: tuple[str, ...]) -> bool:
    """Whether details are invented, by this zoom or by one before."""
    return bool(maker and maker.generative) or any(GENERATED in line for line in earlier)


def _dpi(notes: Notes, view: View, keep: bool) -> tuple[Fraction, Fraction] | None:
    if notes.dpi is None:
        return None
    across, down = notes.dpi[::-1] if view.turn in SIDEWAYS else notes.dpi
    if keep:
        return across, down
    left, top, right, bottom = (Fraction(side) for side in view.box)
    scaled = across * view.width / (right - left), down * view.height / (bottom - top)
    return scaled[0].limit_denominator(10_000), scaled[1].limit_denominator(10_000)


def _exif(exif: Exif, view: View, dpi: tuple[Fraction, Fraction] | None) -> Exif:
    """Make EXIF true of the result; the thumbnail, which is not, is left out."""
    main, photo = copied(exif.main, MAIN_TAGS), copied(exif.photo)
    interop = copied(exif.interop, (Interop.InteropIndex, 2))
    for tag in (Base.ImageWidth, Base.ImageLength, 0x1001, 0x1002):
        interop.pop(tag, None)
    if exif or dpi:
        if Base.Orientation in exif.main:
            main[Base.Orientation] = exif.short(1)
        if dpi:
            main[Base.XResolution], main[Base.YResolution] = (exif.rational(one) for one in dpi)
            main[Base.ResolutionUnit] = exif.short(2)
    if photo:
        photo[Base.ExifImageWidth] = exif.long(view.width)
        photo[Base.ExifImageHeight] = exif.long(view.height)
    for tag, factor in zip(
        (Base.FocalPlaneXResolution, Base.FocalPlaneYResolution),
        view.factors[::-1] if view.turn in SIDEWAYS else view.factors,
        strict=True,
    ):  # pixels per inch of the sensor: by the photo's width, they tell how large it is
        number = exif.numbers(photo.get(tag))
        if len(number) == 1:
            photo[tag] = exif.rational(number[0] * Fraction(factor))
    for tag in (SUBJECT_AREA, SUBJECT_LOCATION):
        if tag in photo:
            area = _subject(exif, photo.pop(tag), view)
            if area:
                photo[tag] = area
    return Exif(exif.order, main, photo, copied(exif.gps), interop)


def _subject(exif: Exif, value: Value, view: View) -> Value | None:
    """Follow the subject's point or area, (x, y[, width, height]) in pixels of the file."""
    numbers = [float(number) for number in exif.numbers(value)]
    if len(numbers) not in (2, 4):
        return None
    width, height = view.stored
    sides = (numbers[2] / width, numbers[3] / height) if len(numbers) == 4 else (0.0, 0.0)
    area = view.area((numbers[0] / width, numbers[1] / height, *sides))
    if area is None:
        return None
    x, y, across, down = area
    pixels = (x * view.width, y * view.height, across * view.width, down * view.height)
    whole = [round(number) for number in pixels[: len(numbers)]]
    return exif.short(*whole) if max(whole) < 1 << 16 else None


def _texts(
    notes: Notes, format: Format
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], dict[str, str]]:
    """Return PNG texts, comments, and what XMP is to say, as the format has places for them."""
    plain = [one for one in notes.texts if not one[0].startswith(_OF_THE_FILE)]
    if format is PNG:
        return (*plain, *(("Comment", comment) for comment in notes.comments)), (), {}
    named = {_IN_XMP[keyword]: words for keyword, words in plain if keyword in _IN_XMP}
    rest = tuple(
        words if keyword == "Comment" else f"{keyword}: {words}"
        for keyword, words in plain
        if keyword not in _IN_XMP
    )
    return (), (*notes.comments, *rest), named


def _with(exif: Exif, values: Directory) -> Exif:
    return replace(exif, main={**exif.main, **values})


def _blank(comment: Value | None) -> bool:
    """Whether a UserComment says nothing: cameras reserve room for it."""
    return comment is None or not comment.data[8:].strip(b" \0")


def _user_comment(exif: Exif, comment: str) -> Value:
    if comment.isascii():
        return Value(UNDEFINED, b"ASCII\0\0\0" + comment.encode())
    encoding = "utf-16-le" if exif.order == "<" else "utf-16-be"
    return Value(UNDEFINED, b"UNICODE\0" + comment.encode(encoding))


def _is_srgb(colour: tuple[tuple[bytes, bytes], ...]) -> bool:
    """Whether PNG's marks say what is meant without any: sRGB, or its gamma alone."""
    found = dict(colour)
    if b"cICP" in found:
        return found[b"cICP"][:2] == b"\x01\x0d"
    if b"sRGB" in found:
        return True
    gamma = int.from_bytes(found.get(b"gAMA", (45455).to_bytes(4, "big")), "big")
    white = found.get(b"cHRM", b"")
    primaries = [int.from_bytes(white[at : at + 4], "big") for at in range(0, len(white), 4)]
    known = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    near = all(abs(one - other) < 100 for one, other in zip(primaries, known, strict=False))
    return abs(gamma - 45455) < 500 and near


def _fitting_jpeg(said: Carried) -> tuple[Carried, list[str]]:
    """Leave out what is too long for a segment of JPEG, the longest tag first."""
    exif, remarks = said.exif, []
    while exif and len(laid_out(exif)) > _SEGMENT - 6:
        directories = {"main": exif.main, "photo": exif.photo, "gps": exif.gps}
        name, tag = max(
            ((name, tag) for name, tags in directories.items() for tag in tags),
            key=lambda place: len(directories[place[0]][place[1]].data),
        )
        rest = {key: value for key, value in directories[name].items() if key != tag}
        exif = Exif(exif.order, **{**directories, name: rest}, interop=exif.interop)
        remarks.append(f"its EXIF tag {_name(tag)} is too long for a JPEG and is left out")
    comments = tuple(one for one in said.comments if len(one.encode()) <= _SEGMENT)
    if comments != said.comments:
        remarks.append("its comment is too long for a JPEG and is left out")
    return replace(said, exif=exif, comments=comments), remarks


def _name(tag: int) -> str:
    try:
        return Base(tag).name
    except ValueError:
        return str(tag)


# --- JPEG -----------------------------------------------------------------------------------------


def jpeg_segments(said: Carried) -> bytes:
    """Return the segments that follow JFIF's: EXIF, XMP, Photoshop's with IPTC, comments."""
    segments: list[tuple[int, bytes]] = []
    if said.exif:
        segments.append((0xE1, b"Exif\0\0" + laid_out(said.exif)))
    if said.xmp:
        segments += [(0xE1, content) for content in _jpeg_xmp(said.xmp)]
    if said.iptc:
        resources = _resource(said.iptc)
        step = _SEGMENT - len(JPEG_PHOTOSHOP)
        for at in range(0, len(resources), step):
            segments.append((0xED, JPEG_PHOTOSHOP + resources[at : at + step]))
    segments += [(0xFE, comment.encode()) for comment in said.comments]
    return b"".join(
        b"\xff" + bytes([kind]) + (len(content) + 2).to_bytes(2, "big") + content
        for kind, content in segments
    )


def _jpeg_xmp(xmp: bytes) -> Iterator[bytes]:
    """Yield a packet as JPEG holds it: in one segment, or its longest properties in more."""
    limit = _SEGMENT - len(JPEG_XMP)
    if len(xmp) <= limit:
        yield JPEG_XMP + xmp
        return
    try:
        long, short = _split(xmp, limit - 200)
    except ValueError:
        return
    name = hashlib.md5(long, usedforsecurity=False).hexdigest().upper().encode()
    short.set("http://ns.adobe.com/xmp/note/", "xmpNote:HasExtendedXMP", name.decode())
    yield JPEG_XMP + short.tobytes()
    step = _SEGMENT - len(JPEG_LONG_XMP) - 40
    for at in range(0, len(long), step):
        place = len(long).to_bytes(4, "big") + at.to_bytes(4, "big")
        yield JPEG_LONG_XMP + name + place + long[at : at + step]


def _split(xmp: bytes, limit: int) -> tuple[bytes, Packet]:
    """Move the longest properties of a packet into another, until the rest is short enough."""
    short, long = Packet(xmp), Packet(xmp)
    moved: set[tuple[str, str]] = set()
    sizes = sorted(
        ((len(part.toxml()), part.namespaceURI, part.localName) for part in short.parts()),
        reverse=True,
    )
    for _, space, name in sizes:
        if len(short.tobytes()) <= limit:
            break
        short.remove(space, name)
        moved.add((space, name))
    if len(short.tobytes()) > limit:
        raise ValueError("XMP with attributes too long for a JPEG")
    for part in long.parts():
        if (part.namespaceURI, part.localName) not in moved:
            long.remove(part.namespaceURI, part.localName)
    long.remove_attributes(RDF)
    return long.tobytes(), short


def _resource(iptc: bytes) -> bytes:
    """Wrap IPTC as Photoshop does: a resource without a name, padded."""
    head = b"8BIM" + IPTC_RESOURCE.to_bytes(2, "big") + b"\0\0" + len(iptc).to_bytes(4, "big")
    return head + iptc + bytes(len(iptc) % 2)


def jfif_dpi(said: Carried) -> tuple[int, int] | None:
    """Return pixels per inch as JFIF counts them, whole and below 65,536."""
    if said.dpi is None:
        return None
    across, down = (min(max(round(one), 1), 65_535) for one in said.dpi)
    return across, down


# --- PNG ------------------------------------------------------------------------------------------


def png_chunks(said: Carried) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks that precede the pixels, but for the profile: (kind, content)."""
    yield from said.colour
    if said.dpi:
        per_metre = (min(round(one * 10_000 / 254), 2**31 - 1) for one in said.dpi)
        yield b"pHYs", b"".join(one.to_bytes(4, "big") for one in per_metre) + b"\1"
    if said.exif:
        yield b"eXIf", laid_out(said.exif)
    if said.xmp:
        yield b"iTXt", PNG_XMP.encode() + b"\0\0\0\0\0" + said.xmp
    if said.iptc:
        # As ImageMagick and exiftool write it; PNG itself has no place for it.
        digits = _resource(said.iptc).hex()
        rows = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
        yield _png_text(f"{RAW_PROFILE}iptc", f"\niptc\n{len(digits) // 2:8}\n{rows}\n")
    for keyword, words_ in said.texts:
        yield _png_text(keyword, words_)


def _png_text(keyword: str, words: str) -> tuple[bytes, bytes]:
    name = keyword.encode("latin-1", "replace")[:79] + b"\0"
    try:
        plain = words.encode("latin-1")
    except UnicodeEncodeError:
        return b"iTXt", name + b"\0\0\0\0" + words.encode()
    if len(plain) < 1024 or len(plain) > _INFLATED:  # which Pillow would not inflate
        return b"tEXt", name + plain
    return b"zTXt", name + b"\0" + zlib.compress(plain)


# --- TIFF and WebP --------------------------------------------------------------------------------


def tiff_exif(said: Carried) -> Exif:
    """Return the directories of a TIFF, but for the tags of its pixels."""
    more: Directory = {}
    if said.xmp:
        more[XMP] = Value(BYTE, said.xmp)
    if said.iptc:
        more[IPTC] = Value(BYTE, said.iptc)
    return _with(said.exif, more)


def webp_exif(said: Carried) -> bytes:
    """Return the EXIF of a WebP, with IPTC where a TIFF has it: there is no other place."""
    exif = _with(said.exif, {IPTC: Value(BYTE, said.iptc)}) if said.iptc else said.exif
    return b"Exif\0\0" + laid_out(exif) if exif else b""
