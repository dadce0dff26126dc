"""Several TIFFs of one page each, joined into one of several pages."""

import mmap
import os
import shutil
import struct
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from PIL.ExifTags import IFD
from PIL.TiffImagePlugin import STRIPOFFSETS, SUBIFD

from liif_core.errors import LiifError
from liif_core.files.publish import publishing

#: Bytes of a value, by the number of its type (TIFF 6.0, section 2; 13: an offset).
_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)

#: Tags that say where a further directory lies.
_DIRECTORIES = (IFD.Exif, IFD.GPSInfo, IFD.Interop, SUBIFD)

#: What offsets of 32 bits can reach.
MOST_BYTES = 2**32 - 2**24


def join_pages(pages: Sequence[str], path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write the pages, in order, as one file.

    Pixels are copied as they are. (Pillow's own way to append pages leaves the offsets of EXIF and
    GPS as they were: from the second page on, these are lost, or those of the first.)

    Args:
        pages: files as `Tiff` writes them, not BigTIFF.
        path: the file to be. A link is followed.
        overwrite: replace an existing file.

    Raises:
        LiifError: more than offsets of 32 bits can reach, a full disk, or as `publishing`.
    """
    if sum(map(os.path.getsize, pages)) > MOST_BYTES:
        raise LiifError(f"{path}: {too_large()}")
    with publishing(path, overwrite=overwrite) as part, open(part, "wb") as file:
        link = 4  # where the offset of the next page's directory is to stand
        orders = set[str]()
        for page in pages:
            file.write(bytes(-file.tell() % 2))  # a directory begins at an even offset
            base = file.tell()
            head = _Head(page, base)
            orders.add(head.order)
            if len(orders) > 1:
                raise LiifError(
                    f"{path}: the pages' notes count their bytes in two orders; --strip leaves "
                    "them out, or choose .png, for a file each"
                )
            file.write(head.data)
            with open(page, "rb") as pixels:
                pixels.seek(len(head.data))
                shutil.copyfileobj(pixels, file)
            file.seek(link)
            file.write(head.bytes_of(base + head.directory))
            file.seek(0, os.SEEK_END)
            link = base + head.link


_Bytes: TypeAlias = bytes | bytearray | mmap.mmap


class _Head:
    """What precedes the pixels of a page, its offsets moved.

    Args:
        page: the file.
        base: by how much.

    Attributes:
        data: the bytes.
        order: "<" or ">", of all numbers.
        directory: where in them the directory begins.
        link: where in them it says where the next one is.
    """

    def __init__(self, page: str, base: int) -> None:
        self._base = base
        with open(page, "rb") as file:
            start = file.read(8)
            if start[:4] not in (b"II*\0", b"MM\0*"):
                raise ValueError(f"{page} is not a page to be joined")
            self.order = "<" if start[:2] == b"II" else ">"
            self.directory = self._number(start, 4)
            file.seek(0)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                self.data = bytearray(whole[: self._first_strip(whole)])
        self.link = self._move(self.directory)

    def bytes_of(self, offset: int) -> bytes:
        """Return an offset as the file has it."""
        return struct.pack(self.order + "I", offset)

    def _first_strip(self, whole: mmap.mmap) -> int:
        """Return where the pixels begin."""
        for tag, _, count, at in self._entries(whole, self.directory):
            if tag == STRIPOFFSETS:
                return self._number(whole, at if count == 1 else self._number(whole, at))
        raise ValueError("a page without pixels")

    def _move(self, directory: int) -> int:
        """Move all that a directory points to; return where the directory ends."""
        end = directory + 2
        for tag, kind, count, at in self._entries(self.data, directory):
            end, target = at + 4, at
            if _SIZES[kind] * count > 4:
                target = self._number(self.data, at)
                self._add(at, 1)
            if tag == STRIPOFFSETS:
                self._add(target, count)
            elif tag in _DIRECTORIES:
                for number in range(count):
                    self._move(self._number(self.data, target + 4 * number))
                self._add(target, count)
        return end

    def _add(self, at: int, count: int) -> None:
        dtype = np.dtype(np.uint32).newbyteorder("<" if self.order == "<" else ">")
        offsets = np.frombuffer(self.data, dtype, count, at) + np.uint32(self._base)
        self.data[at : at + 4 * count] = offsets.astype(dtype).tobytes()

    def _entries(self, data: _Bytes, directory: int) -> list[tuple[int, int, int, int]]:
        """Return (tag, type, count, where its value or the value's offset stands), in order."""
        (number,) = struct.unpack_from(self.order + "H", data, directory)
        places = range(directory + 2, directory + 2 + 12 * number, 12)
        return [(*struct.unpack_from(self.order + "HHI", data, at), at + 8) for at in places]

    def _number(self, data: _Bytes, at: int) -> int:
        return int(struct.unpack_from(self.order + "I", data, at)[0])


def too_large() -> str:
    """Say what to do with pages that are too large for one file."""
    return "all pages together are more than a TIFF holds (4 GB); choose .png, for a file each"
