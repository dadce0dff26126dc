"""The file that a result becomes: what it can hold, whether it may be written, and its last step.

Nothing is replaced without being asked, and a file bears its name only once it is whole.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from liif_core.errors import LiifError


@dataclass(frozen=True)
class Format:
    """A format that results are written in.

    Attributes:
        name: Pillow's name.
        max_side: most pixels along a side.
        bytes_per_pixel: a pessimist's estimate of the file's size. PNG and TIFF: four raw bytes;
            JPEG and WebP at quality 95: what a sharp, noisy photo needs.
        by_strips: written strip by strip, as the result grows; the others want it whole, in memory.
    """

    name: str
    max_side: int
    bytes_per_pixel: int
    by_strips: bool = False


JPEG = Format("JPEG", 65_500, 1)  # libjpeg's own limit; the format's is 65,535
PNG = Format("PNG", 2**31 - 1, 4, by_strips=True)
WEBP = Format("WEBP", 16_383, 1)
TIFF = Format("TIFF", 2**31 - 1, 4, by_strips=True)
FORMATS = {
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".png": PNG,
    ".webp": WEBP,
    ".tif": TIFF,
    ".tiff": TIFF,
}


def check_target(
    path: str | os.PathLike[str], height: int, width: int, *, overwrite: bool = False
) -> None:
    """Make sure, before any computing, that a `height` × `width` picture can be saved to `path`.

    Args:
        path: the file to be written; its ending names the format.
        height, width: the picture's size in pixels.
        overwrite: whether an existing file may be replaced.

    Raises:
        LiifError: an unknown ending, a file that exists, a missing or write-protected folder, a
            picture larger than the format allows, or too little free space on the disk.
    """
    format = format_of(path)
    check_size(path, height, width)
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise LiifError(f"{path}: there is no folder {folder}; create it first")
    check_vacant(path, overwrite)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise LiifError(f"{path}: no permission to write into {folder}; choose another folder")
    need, free = height * width * format.bytes_per_pixel, shutil.disk_usage(folder).free
    if os.path.exists(part_of(target)):
        free += os.path.getsize(part_of(target))  # an interrupted run's: gone on with, or replaced
    if need > free:
        raise LiifError(
            f"{path}: {width}×{height} pixels may take {need / 1e9:.2f} GB and the disk has only "
            f"{free / 1e9:.2f} GB free; make room, choose another disk or a smaller size"
        )


def format_of(path: str | os.PathLike[str]) -> Format:
    """Return the format that the ending of `path` names, or raise LiifError."""
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        known = " ".join(FORMATS)
        wrong = f"unknown file ending {ending}" if ending else "the file name has no ending"
        raise LiifError(f"{os.fspath(path)}: {wrong}; choose one of {known}")
    return FORMATS[ending]


def check_size(path: str | os.PathLike[str], height: int, width: int) -> None:
    """Raise LiifError if the format of `path` cannot hold so many pixels."""
    format = format_of(path)
    if max(height, width) > format.max_side:
        raise LiifError(
            f"{path}: {format.name} holds at most {format.max_side} pixels per side, and the "
            f"result has {width}×{height}; choose .png or .tif"
        )


def check_vacant(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Raise LiifError if `path` is a folder, or a file that may not be replaced."""
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise LiifError(f"{path}: is a folder; name a file in it")
    if not overwrite and os.path.lexists(target):
        raise exists_already(path)


def exists_already(path: str | os.PathLike[str]) -> LiifError:
    """Return the error for a file that may not be replaced."""
    return LiifError(
        f"{path}: exists already; name another file, or allow --overwrite (overwrite=True)"
    )


def part_of(target: str) -> str:
    """Name the file, beside `target`, that grows strip by strip."""
    return f"{target}.liif-part"


def publish(part: str, target: str, overwrite: bool) -> None:
    """Give the finished file its name, in one step.

    Raises:
        FileExistsError: a file of that name has appeared and may not be replaced.
    """
    if overwrite:
        os.replace(part, target)
        return
    try:
        os.link(part, target)  # unlike os.replace, never replaces a file
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        os.replace(part, target)
    else:
        os.unlink(part)
