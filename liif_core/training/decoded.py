"""The cache of decoded photographs on the disk: one `.npy` file for each, within a budget."""

import hashlib
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from liif_core.errors import LiifError
from liif_core.files.publish import publishing

#: What the decoded photographs of all runs may take of the disk, in bytes: 2.8 gigapixels. Those
#: that no run has used for longest make room for others.
BUDGET = 8 << 30

#: What they leave free of the disk, in bytes.
SPARE = 1 << 30

#: Part of every name in the cache; another number for another way of decoding.
VERSION = 1


def cached_at(folder: Path, path: Path) -> Path:
    """Where a photograph lies; another place if its file has changed."""
    try:
        status = path.stat()
    except OSError as error:
        raise LiifError(f"{path}: cannot be read: {error.strerror}") from error
    known = f"{VERSION}\n{path.resolve()}\n{status.st_size}\n{status.st_mtime_ns}"
    return folder / f"{hashlib.sha256(known.encode()).hexdigest()[:32]}.npy"


def mapped(cached: Path | None) -> np.ndarray | None:
    """Return the pixels in a file of the cache, or None if it is missing or holds other things."""
    try:
        assert cached is not None
        pixels = np.load(cached, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return pixels if pixels.ndim == 3 and pixels.dtype == np.uint8 else None


def store(cached: Path | None, pixels: np.ndarray) -> bool:
    """Put pixels on the disk; False if that cannot be."""
    try:
        assert cached is not None
        with publishing(cached, durable=False) as part, open(part, "wb") as file:
            np.lib.format.write_array(file, np.ascontiguousarray(pixels), allow_pickle=False)
    except LiifError:  # a full disk: then it is kept in memory
        return False
    return True


def cache_folder() -> Path:
    """Where decoded photographs lie: in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "liif" / "decoded"


def make_room(paths: Sequence[Path], needed: int) -> Path | None:
    """Return the cache with room for photographs of so many bytes; None if it cannot have it."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ours = {cached_at(folder, path) for path in paths}
        sizes = {path: path.stat() for path in folder.iterdir() if path.suffix != ".part"}
        _forget_parts(folder)
    except (OSError, RuntimeError):
        return None
    there = sum(status.st_size for path, status in sizes.items() if path in ours)
    others = sorted((p for p in sizes if p not in ours), key=lambda path: sizes[path].st_mtime)
    taken = sum(sizes[path].st_size for path in others)
    if needed > BUDGET:
        return None
    while others and (taken + needed > BUDGET or _free(folder) < needed - there + SPARE):
        oldest = others.pop(0)
        taken -= sizes[oldest].st_size
        with suppress(OSError):
            oldest.unlink()
    for path in ours & set(sizes):
        with suppress(OSError):
            os.utime(path)  # last used now
    return folder if _free(folder) >= needed - there + SPARE else None


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _forget_parts(folder: Path) -> None:
    """Remove what killed processes left half written a day ago or longer."""
    for path in folder.glob(".liif-*.part"):
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - 86_400:
                path.unlink()
