"""EXIF, a TIFF without pixels: its directories read tag by tag, and laid out anew.

A value stays the very bytes that it is, in its own order of bytes: what is only copied cannot be
misunderstood. (Pillow decodes and encodes every tag, and one that it cannot encode costs all.) So a
tag that is broken costs itself alone.

Maker notes are a format of each maker's own, and many point at themselves from the start of the
EXIF. So they stay at the place where they lay, or go.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from io import BytesIO
from typing import IO

from PIL.ExifTags import IFD, Base

#: Bytes of a number of each kind (EXIF 3.0, section 4.6.2); BigTIFF's own kinds are left out.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 129: 1}

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16

#: A TIFF's tags for what has its own place in other formats.
XMP, IPTC, PHOTOSHOP = 700, 33723, 34377

#: The tags of the first directory that speak of the photo. The rest describes how one file is laid
#: out (a TIFF keeps both in one list), or is told anew, and would spoil another.
MAIN_TAGS = frozenset(
    (
        Base.ProcessingSoftware,
        Base.DocumentName,
        Base.ImageDescription,
        Base.Make,
        Base.Model,
        Base.PageName,
        Base.Software,
        Base.DateTime,
        Base.Artist,
        Base.HostComputer,
        Base.WhitePoint,
        Base.PrimaryChromaticities,
        Base.Rating,
        Base.RatingPercent,
        Base.ImageID,
        Base.Copyright,
        Base.XPTitle,
        Base.XPComment,
        Base.XPAuthor,
        Base.XPKeywords,
        Base.XPSubject,
        Base.DateTimeOriginal,  # where some scanners' software puts it
    )
)

#: Room that Windows leaves for later; and pointers, which are written anew.
_NOT_COPIED = frozenset((0xEA1C, IFD.Interop, IFD.Exif, IFD.GPSInfo))

#: More in one value is no note about a photo.
_LONGEST = 1 << 26


@dataclass(frozen=True)
class Value:
    """A tag's value: its kind, its bytes, and where they lay in the file."""

    kind: int
    data: bytes
    offset: int = 0


Directory = dict[int, Value]


@dataclass(frozen=True)
class Exif:
    """What EXIF says: its four directories, without the thumbnail's.

    Attributes:
        order: "<" or ">", the order of the bytes in all numbers.
        main, photo, gps, interop: tag -> value.
    """

    order: str = "<"
    main: Directory = field(default_factory=dict)
    photo: Directory = field(default_factory=dict)
    gps: Directory = field(default_factory=dict)
    interop: Directory = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.main or self.photo or self.gps)

    def numbers(self, value: Value | None) -> tuple[Fraction, ...]:
        """Return a value's numbers; () where there are none, or one that is none."""
        letter = {1: "B", 3: "H", 4: "L", 5: "LL", 8: "h", 9: "l", 10: "ll"}
        if value is None or value.kind not in letter:
            return ()
        one = letter[value.kind]
        found = list(struct.iter_unpack(self.order + one, value.data))
        if len(one) == 1:
            return tuple(Fraction(number) for (number,) in found)
        if any(below == 0 for _, below in found):
            return ()
        return tuple(Fraction(above, below) for above, below in found)

    def short(self, *numbers: int) -> Value:
        """Make a value of numbers below 65,536."""
        return Value(SHORT, struct.pack(f"{self.order}{len(numbers)}H", *numbers))

    def long(self, *numbers: int) -> Value:
        """Make a value of numbers below 2³²."""
        return Value(LONG, struct.pack(f"{self.order}{len(numbers)}L", *numbers))

    def offsets(self, numbers: Sequence[int], big: bool) -> Value:
        """Make a value of places in a file, below 2³² unless it is big."""
        letter = "Q" if big else "L"
        data = struct.pack(f"{self.order}{len(numbers)}{letter}", *numbers)
        return Value(LONG8 if big else LONG, data)

    def rational(self, *numbers: Fraction) -> Value:
        """Make a value of fractions, rounded to what 32 bits hold."""
        parts = []
        for number in numbers:
            whole = min(max(number, Fraction(0)), Fraction(2**32 - 1))
            near = whole.limit_denominator(10_000 if whole < 400_000 else 1)
            parts += [near.numerator, near.denominator]
        return Value(RATIONAL, struct.pack(f"{self.order}{len(parts)}L", *parts))


def text(words: str) -> Value:
    """Make a value of words, in UTF-8 as most write it (EXIF itself knows ASCII alone)."""
    return Value(ASCII, words.encode() + b"\0")


def words(value: Value | None) -> str:
    """Return a value's words; "" where there are none."""
    if value is None or value.kind not in (ASCII, BYTE, UNDEFINED, 129):
        return ""
    found = value.data.split(b"\0")[0].strip()
    try:
        return found.decode()
    except UnicodeDecodeError:
        return found.decode("latin-1")


def read_exif(source: bytes | IO[bytes], first: int | None = None) -> Exif:
    """Read EXIF, or the notes of a TIFF.

    Args:
        source: from the header of TIFF on; "Exif\\0\\0" before it is skipped. A file is left at
            another place.
        first: where the first directory is, if not where the header says.

    Returns:
        what can be read; nothing of what is no TIFF.
    """
    file = BytesIO(source.removeprefix(b"Exif\0\0")) if isinstance(source, bytes) else source
    file.seek(0)
    start = file.read(16).ljust(16, b"\0")
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None:
        return Exif()
    (magic,) = struct.unpack(order + "H", start[2:4])
    if magic not in (42, 43):
        return Exif()
    big = magic == 43
    if first is None:
        (first,) = struct.unpack(order + ("Q" if big else "L"), start[8:16] if big else start[4:8])
    reader = _Reader(file, order, big)
    main = reader.directory(first)
    photo = reader.directory(reader.pointer(main, IFD.Exif))
    gps = reader.directory(reader.pointer(main, IFD.GPSInfo))
    interop = reader.directory(reader.pointer(photo, IFD.Interop))
    return Exif(order, main, photo, gps, interop)


@dataclass(frozen=True)
class _Reader:
    file: IO[bytes]
    order: str
    big: bool

    def pointer(self, directory: Directory, tag: int) -> int:
        value = directory.get(tag)
        if value is None or value.kind not in (LONG, 13, LONG8, 18):
            return 0
        letter = "L" if len(value.data) == 4 else "Q"
        at = struct.unpack(self.order + letter, value.data)[0] if len(value.data) in (4, 8) else 0
        return at if at < 2**63 else 0

    def directory(self, at: int) -> Directory:
        """Read a directory; of one that is cut off, what is left."""
        found: Directory = {}
        if at <= 0:
            return found
        self.file.seek(at)
        head = self.file.read(8 if self.big else 2)
        if len(head) < (8 if self.big else 2):
            return found
        (count,) = struct.unpack(self.order + ("Q" if self.big else "H"), head)
        size = 20 if self.big else 12
        table = self.file.read(size * min(count, 1 << 16))
        for begin in range(0, len(table) - size + 1, size):
            tag, kind = struct.unpack(self.order + "HH", table[begin : begin + 4])
            value = self._value(kind, table[begin + 4 : begin + size], at + len(head) + begin + 4)
            if value is not None:
                found.setdefault(tag, value)
        return found

    def _value(self, kind: int, rest: bytes, at: int) -> Value | None:
        half = len(rest) // 2
        letter = "Q" if self.big else "L"
        (count,) = struct.unpack(self.order + letter, rest[:half])
        width = {**_SIZES, 13: 4, 16: 8, 18: 8}.get(kind, 0)
        length = width * count
        if not 0 < length <= _LONGEST:
            return None
        if length <= half:
            return Value(kind, rest[half : half + length], at + half)
        (offset,) = struct.unpack(self.order + letter, rest[half:])
        if offset >= 2**63:
            return None
        self.file.seek(offset)
        data = self.file.read(length)
        return Value(kind, data, offset) if len(data) == length else None


def copied(directory: Directory, tags: Iterable[int] | None = None) -> Directory:
    """Return the values that may stand in another file; of some tags, or of all."""
    return {
        tag: value
        for tag, value in directory.items()
        if value.kind in _SIZES and tag not in _NOT_COPIED and (tags is None or tag in tags)
    }


def laid_out(exif: Exif, *, big: bool = False) -> bytes:
    """Lay directories out as EXIF, or as the head of a TIFF.

    Maker notes are put at their offset. The first directory begins right behind the header.

    Args:
        exif: what to write; pointers between directories are made here.
        big: as BigTIFF.
    """
    return _Layout(exif, big).bytes


def without_far_maker_notes(exif: Exif, furthest: int) -> Exif:
    """Leave out maker notes that cannot be put at their offset, or end beyond `furthest`."""
    notes = exif.photo.get(Base.MakerNote)
    if notes is None or len(notes.data) <= 4:
        return exif
    if 16 <= notes.offset <= furthest - len(notes.data):
        return exif
    photo = {tag: value for tag, value in exif.photo.items() if tag != Base.MakerNote}
    return replace(exif, photo=photo)


class _Layout:
    """Bytes that grow as directories and values find their places."""

    def __init__(self, exif: Exif, big: bool) -> None:
        self._order, self._big = exif.order, big
        notes = exif.photo.get(Base.MakerNote)
        self._pinned = notes if notes is not None and len(notes.data) > 4 else None
        start, end = (0, 0) if self._pinned is None else self._span(self._pinned)
        mark = b"II" if exif.order == "<" else b"MM"
        first = 16 if big else 8  # where the header ends; its second half points at the directory
        head = struct.pack(
            exif.order + ("HHHQ" if big else "HL"), *((43, 8, 0) if big else (42,)), 0
        )
        self._bytes = bytearray(mark + head)
        self._end = first
        self._gap = range(start, end)
        photo, main = dict(exif.photo), dict(exif.main)
        # Each is reserved before its values are placed, so that the first comes first.
        if exif.interop:
            photo[IFD.Interop] = _POINTER
        if photo:
            main[IFD.Exif] = _POINTER
        if exif.gps:
            main[IFD.GPSInfo] = _POINTER
        at = self._reserve(main)
        struct.pack_into(
            exif.order + ("Q" if big else "L"), self._bytes, first - (8 if big else 4), at
        )
        below: dict[int, int] = {}
        if photo:
            below[IFD.Exif] = here = self._reserve(photo)
            inner: dict[int, int] = {}
            if exif.interop:
                inner[IFD.Interop] = self._reserve(exif.interop)
                self._fill(inner[IFD.Interop], exif.interop, {})
            self._fill(here, photo, inner)
        if exif.gps:
            below[IFD.GPSInfo] = self._reserve(exif.gps)
            self._fill(below[IFD.GPSInfo], exif.gps, {})
        self._fill(at, main, below)
        self.bytes = bytes(self._bytes)

    @staticmethod
    def _span(value: Value) -> tuple[int, int]:
        return value.offset, value.offset + len(value.data)

    def _place(self, size: int) -> int:
        """Find room for some bytes, beside the maker notes' own."""
        self._end += self._end % 2
        if self._gap and self._end < self._gap.stop and self._end + size > self._gap.start:
            self._end = self._gap.stop + self._gap.stop % 2
        at, self._end = self._end, self._end + size
        return at

    def _put(self, at: int, data: bytes) -> None:
        if len(self._bytes) < at + len(data):
            self._bytes.extend(bytes(at + len(data) - len(self._bytes)))
        self._bytes[at : at + len(data)] = data

    def _reserve(self, directory: Directory) -> int:
        size = len(directory) * (20 if self._big else 12) + (16 if self._big else 6)
        at = self._place(size)
        self._put(at, bytes(size))
        return at

    def _fill(self, at: int, directory: Directory, below: dict[int, int]) -> None:
        letter, inline = ("Q", 8) if self._big else ("L", 4)
        table = struct.pack(self._order + ("Q" if self._big else "H"), len(directory))
        for tag in sorted(directory):
            value = directory[tag]
            if tag in below:
                value = Value(LONG, struct.pack(self._order + "L", below[tag]))
            count = len(value.data) // _WIDTHS[value.kind]
            field_ = value.data.ljust(inline, b"\0")
            if len(value.data) > inline:
                pinned = tag == Base.MakerNote and value is self._pinned
                offset = value.offset if pinned else self._place(len(value.data))
                self._put(offset, value.data)
                field_ = struct.pack(self._order + letter, offset)
            table += struct.pack(self._order + "HH" + letter, tag, value.kind, count) + field_
        self._put(at, table)


_POINTER = Value(LONG, bytes(4))
_WIDTHS = {**_SIZES, LONG8: 8}
