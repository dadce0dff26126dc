"""PNG and TIFF written strip by strip, in memory for one strip, and gone on with after a kill.

Both grow at their end alone. Of a PNG's one compressed stream, every strip begins anew: it neither
looks back at the strip before (its first row is filtered by itself, its compressor starts empty)
nor ends within a byte. A TIFF is not compressed: its header says where each row will be. So a file
that was cut off is whole again if cut back to the end of a strip, which a journal notes.
"""

import json
import os
import secrets
import zlib
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from types import TracebackType
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image, TiffTags
from PIL.ExifTags import IFD
from PIL.PngImagePlugin import putchunk
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COMPRESSION,
    EXTRASAMPLES,
    ICCPROFILE,
    IMAGELENGTH,
    IMAGEWIDTH,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    ROWSPERSTRIP,
    SAMPLESPERPIXEL,
    STRIPBYTECOUNTS,
    STRIPOFFSETS,
    ImageFileDirectory_v2,
)

from liif_core.errors import LiifError, one_line
from liif_core.files.destination import (
    PNG,
    check_size,
    check_vacant,
    exists_already,
    format_of,
    part_of,
    publish,
)
from liif_core.files.result_pixels import ResultPixels

#: zlib's level for PNG: 6, the usual one, takes 8 times as long to save another 4 % (measured:
#: benchmarks/README.md).
LEVEL = 4

#: Bytes of a TIFF strip, as its specification (section "StripOffsets") advises; at least a row.
TIFF_STRIP = 1 << 16


class _Png:
    """Portable Network Graphics, third edition.

    Attributes:
        check: the checksum of the stream so far, Adler-32.
    """

    def __init__(self, kind: ResultPixels) -> None:
        self.kind = kind
        self.check = zlib.adler32(b"")

    def head(self) -> bytes:
        """Return what precedes the pixels."""
        kind, file = self.kind, BytesIO(b"\x89PNG\r\n\x1a\n")
        file.seek(0, os.SEEK_END)
        deep = kind.mode == "I;16"
        colour = {"L": 0, "I;16": 0, "LA": 4, "RGB": 2, "RGBA": 6}[kind.mode]
        sides = kind.width.to_bytes(4, "big") + kind.height.to_bytes(4, "big")
        putchunk(file, b"IHDR", sides, bytes([16 if deep else 8, colour, 0, 0, 0]))
        if kind.photo.icc_profile:
            profile = zlib.compress(kind.photo.icc_profile)
            putchunk(file, b"iCCP", b"ICC Profile\0\0", profile)
        exif = kind.exif()
        if exif:
            putchunk(file, b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
        return file.getvalue()

    def body(self, pieces: Sequence[Image.Image], first: bool, last: bool) -> bytes:
        """Return the pixels of one strip, top to bottom in pieces."""
        compress = zlib.compressobj(LEVEL, zlib.DEFLATED, -15, 9)
        data = [b"\x78\x5e"] if first else []  # the stream's own header
        above = None
        for piece in pieces:
            values = np.asarray(piece)
            rows = (values.astype(">u2") if values.dtype == np.uint16 else values).view(np.uint8)
            rows = rows.reshape(len(values), -1)
            filtered = _filtered(rows, above, rows.shape[1] // self.kind.width).tobytes()
            self.check = zlib.adler32(filtered, self.check)
            data.append(compress.compress(filtered))
            above = rows[-1]
        data.append(compress.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH))
        file = BytesIO()
        putchunk(file, b"IDAT", *data, self.check.to_bytes(4, "big") if last else b"")
        if last:
            putchunk(file, b"IEND")
        return file.getvalue()


def _filtered(rows: np.ndarray, above: np.ndarray | None, pixel: int) -> np.ndarray:
    """Filter rows for PNG by "average", which suits enlarged photos as well as the best of five.

    Args:
        rows: (h, n) uint8.
        above: (n,) the row before; without it, the first row is filtered by "sub".
        pixel: bytes of a pixel.

    Returns:
        (h, 1 + n) uint8: each row after the number of its filter.
    """
    result = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    left = np.zeros_like(rows)
    left[:, pixel:] = rows[:, :-pixel]
    up = np.empty_like(rows)
    up[1:] = rows[:-1]
    up[0] = 0 if above is None else above
    result[:, 0] = 3
    result[:, 1:] = rows - ((left & up) + ((left ^ up) >> 1))  # ⌊(left + up) / 2⌋ within a byte
    if above is None:
        result[0, 0] = 1
        result[0, 1:] = rows[0] - left[0]
    return result


class _Tiff:
    """Tagged Image File Format 6.0, or BigTIFF where four GiB do not suffice.

    Attributes:
        check: not used.
    """

    def __init__(self, kind: ResultPixels) -> None:
        self.kind = kind
        self.check = 0

    def head(self) -> bytes:
        """Return what precedes the pixels."""
        kind = self.kind
        bits, extra = {
            "L": ((8,), ()),
            "I;16": ((16,), ()),
            "LA": ((8, 8), (2,)),  # 2: alpha, not multiplied in
            "RGB": ((8, 8, 8), ()),
            "RGBA": ((8, 8, 8, 8), (2,)),
        }[kind.mode]
        row = kind.width * sum(bits) // 8
        step = max(1, TIFF_STRIP // row)
        starts = range(0, kind.height, step)
        big = row * kind.height > 2**32 - 2**24  # room for the header and the notes
        start = b"II\x2b\0\x08\0\0\0" + bytes(8) if big else b"II\x2a\0\x08\0\0\0"
        tags = ImageFileDirectory_v2(start)
        exif: Any = kind.exif() or {}
        for tag in exif:
            tags[tag] = exif.get_ifd(tag) if tag in (IFD.Exif, IFD.GPSInfo) else exif[tag]
        tags[IMAGEWIDTH], tags[IMAGELENGTH] = kind.width, kind.height
        tags[BITSPERSAMPLE], tags[SAMPLESPERPIXEL] = bits, len(bits)
        tags[COMPRESSION] = 1  # none
        tags[PHOTOMETRIC_INTERPRETATION] = 2 if kind.mode.startswith("RGB") else 1
        tags[PLANAR_CONFIGURATION] = 1  # the channels of a pixel together
        tags[ROWSPERSTRIP] = step
        for tag in (STRIPOFFSETS, STRIPBYTECOUNTS):
            tags.tagtype[tag] = TiffTags.LONG8 if big else TiffTags.LONG
        tags[STRIPOFFSETS] = tuple(row * top for top in starts)  # Pillow adds the header
        tags[STRIPBYTECOUNTS] = tuple(row * min(step, kind.height - top) for top in starts)
        if extra:
            tags[EXTRASAMPLES] = extra
        if kind.photo.icc_profile:
            tags[ICCPROFILE] = kind.photo.icc_profile
        file = BytesIO()
        tags.save(file)
        return file.getvalue()

    def body(self, pieces: Sequence[Image.Image], first: bool, last: bool) -> bytes:
        """Return the pixels of one strip, top to bottom in pieces."""
        values = (np.asarray(piece) for piece in pieces)
        return b"".join((v.astype("<u2") if v.dtype == np.uint16 else v).tobytes() for v in values)


class StreamedPicture:
    """A PNG or TIFF that grows strip by strip beside its target, and bears its name when whole.

    Given a key, an unfinished file stays, with a journal of what is done, and the next picture of
    the same target and key goes on from there; with another key it starts over.

    Args:
        path: the file to be written. A link is followed.
        kind: what the picture is like.
        key: stands for all that decides the pixels; None: nothing unfinished stays.
        overwrite: replace an existing file.

    Attributes:
        rows: how many are done.

    Raises:
        LiifError: a picture too large for the format, a file that exists, a folder that cannot be
            written to, or another program at work on the same picture.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        kind: ResultPixels,
        *,
        key: str | None = None,
        overwrite: bool = False,
    ) -> None:
        check_size(path, kind.height, kind.width)
        check_vacant(path, overwrite)
        self.rows, self._whole = 0, False
        self._path, self._kind, self._key, self._overwrite = path, kind, key, overwrite
        self._encoder = (_Png if format_of(path) is PNG else _Tiff)(kind)
        self._target = os.path.realpath(path)
        self._part = part_of(self._target) + ("" if key else f"-{secrets.token_hex(8)}")
        self._journal = f"{self._part}.json"
        self._lock = FileLock(f"{self._part}.lock", timeout=0) if key else None
        try:
            if self._lock:
                self._lock.acquire()
            self._open()
        except Timeout:
            raise LiifError(
                f"{path}: another program is writing it; wait for it, or name another file"
            ) from None
        except OSError as error:
            self._unlock()
            raise self._failed(error) from error

    def _open(self) -> None:
        noted = self._noted()
        # open() creates the file with the permissions that the umask asks for.
        self._file = open(self._part, "r+b" if noted else "wb")  # noqa: SIM115
        if noted:
            self.rows, self._encoder.check = noted["rows"], noted["check"]
            self._file.truncate(noted["bytes"])
            self._file.seek(noted["bytes"])
        else:
            with suppress(OSError):
                os.unlink(self._journal)
            self._file.write(self._encoder.head())

    def _noted(self) -> dict[str, Any] | None:
        """Return the journal of an unfinished file that can be gone on with."""
        try:
            with open(self._journal, encoding="utf-8") as file:
                noted = json.load(file)
            status = os.stat(self._part)
            if status.st_nlink > 1:  # killed between getting its name and losing the old one
                os.unlink(self._part)
                return None
            fits = noted["key"] == self._key and status.st_size >= noted["bytes"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return noted if fits else None

    def paste(self, top: int, rgb: np.ndarray) -> None:
        """Write a strip of floats, (h, width, 3); see `ResultPixels.strip`. Strips come in order.

        Raises:
            LiifError: a full disk, or anything else that keeps it from being written.
            ValueError: not the strip that is due.
        """
        if top != self.rows:
            raise ValueError(f"strip at row {top}, but row {self.rows} is due")
        self.append([self._kind.strip(row, piece) for row, piece in self._kind.pieces(top, rgb)])

    def append(self, pieces: Sequence[Image.Image]) -> None:
        """Write a strip of finished pixels, from top to bottom in pieces."""
        first, rows = self.rows == 0, self.rows + sum(piece.height for piece in pieces)
        try:
            self._file.write(self._encoder.body(pieces, first, rows == self._kind.height))
            self.rows = rows
            if self._key:
                self._note()
        except (OSError, MemoryError) as error:
            raise self._failed(error) from error

    def _note(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        noted = {
            "key": self._key,
            "rows": self.rows,
            "bytes": self._file.tell(),
            "check": self._encoder.check,
        }
        with open(f"{self._journal}.new", "w", encoding="utf-8") as file:
            json.dump(noted, file)
        os.replace(f"{self._journal}.new", self._journal)

    def finish(self) -> None:
        """Give the whole picture its name.

        Raises:
            LiifError: a file of that name has appeared, a full disk, or the like.
        """
        if self.rows != self._kind.height:
            raise ValueError(f"{self.rows} of {self._kind.height} rows are there")
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            publish(self._part, self._target, self._overwrite)
        except FileExistsError:
            raise exists_already(self._path) from None
        except (OSError, MemoryError) as error:
            raise self._failed(error) from error
        self._whole = True

    def _failed(self, error: OSError | MemoryError) -> LiifError:
        if isinstance(error, MemoryError):
            return LiifError(f"{self._path}: not enough memory to write it")
        return LiifError(f"{self._path}: could not be written: {error.strerror or one_line(error)}")

    def __enter__(self) -> "StreamedPicture":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # what is left in its buffer may not fit the disk
            self._file.close()
        if self._whole or not os.path.exists(self._journal):  # nothing to go on with
            for name in (self._part, self._journal, f"{self._journal}.new"):
                with suppress(OSError):
                    os.unlink(name)
        self._unlock()

    def _unlock(self) -> None:
        if self._lock and self._lock.is_locked:
            with suppress(OSError):
                os.unlink(self._lock.lock_file)
            self._lock.release()
