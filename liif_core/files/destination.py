"""The file that a result becomes: what it can hold, and whether it may be written."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from liif_core.errors import LiifError
from liif_core.files.publish import exists_already, not_written

#: Bytes of a file's name that leave room for the endings of a part, also where 143 are all.
LONG_NAME = 120


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
    path: str | os.PathLike[str],
    height: int,
    width: int,
    *,
    overwrite: bool = False,
    deep: bool = False,
) -> None:
    """Make sure, before any computing, that a `height` × `width` picture can be saved to `path`.

    Args:
        path: the file to be written; its ending names the format.
        height, width: the picture's size in pixels.
        overwrite: whether an existing file may be replaced.
        deep: whether it has 16 bits a sample where the format can hold them.

    Raises:
        LiifError: an unknown ending, a file that exists, a name that is too long, a missing or
            write-protected folder, a picture larger than the format allows, or too little free
            space on the disk.
    """
    format = format_of(path)
    _check_size(path, height, width)
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise LiifError(f"{path}: there is no folder {folder}; create it first")
    _check_vacant(path, target, overwrite)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise LiifError(f"{path}: no permission to write into {folder}; choose another folder")
    bytes_per_pixel = format.bytes_per_pixel * (2 if deep and format.by_strips else 1)
    need, free = height * width * bytes_per_pixel, shutil.disk_usage(folder).free
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


def _check_size(path: str | os.PathLike[str], height: int, width: int) -> None:
    format = format_of(path)
    if max(height, width) > format.max_side:
        raise LiifError(
            f"{path}: {format.name} holds at most {format.max_side} pixels per side, and the "
            f"result has {width}×{height}; choose .png or .tif"
        )


def _check_vacant(path: str | os.PathLike[str], target: str, overwrite: bool) -> None:
    if os.path.isdir(target):
        raise LiifError(f"{path}: is a folder; name a file in it")
    try:
        os.lstat(target)
    except FileNotFoundError:
        return
    except OSError as error:  # a name that is too long, and would be so after hours of computing
        raise not_written(path, error) from error
    if not overwrite:
        raise exists_already(path)


def part_of(target: str) -> str:
    """Name the file, beside `target`, that grows strip by strip: the same for the same target.

    A long name is shortened, for file systems count its bytes, and the journal's is longer still.
    """
    folder, name = os.path.split(target)
    if len(os.fsencode(name)) > LONG_NAME:
        name = f"{name[:16]}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return os.path.join(folder, f"{name}.liif-part")
