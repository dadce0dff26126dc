"""The photographs of a training run, decoded once and read by windows.

Decoding a photograph takes thousands of times as long as cutting a sample from it. Decoded, a
large folder fills gigabytes, which several processes should not each hold; so it lies on the disk,
one `.npy` file for each photograph in the user's cache folder, and is read by mapping the file
into memory. The next run on the same photographs finds it there.
"""

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import numpy as np

from liif_core import workers
from liif_core.errors import LiifError
from liif_core.files.publish import publishing
from liif_core.photos import read_header, read_rgb
from liif_core.processes import Place

#: What the decoded photographs of all runs may take of the disk, in bytes: 2.8 gigapixels. Those
#: that no run has used for longest make room for others.
BUDGET = 8 << 30

#: What they leave free of the disk, in bytes.
SPARE = 1 << 30

#: Folders of fewer pixels are held in memory: no disk needs to be asked.
FEW_PIXELS = 16_000_000

#: Part of every name in the cache; another number for another way of decoding.
VERSION = 1

#: What is told about photographs that are left out.
Tell: TypeAlias = Callable[[str], None]


def to_stderr(line: str) -> None:
    """Print a line to standard error, as the command line does."""
    print(f"liif: {line}", file=sys.stderr, flush=True)


class Photographs(Sequence[np.ndarray]):
    """Decoded photographs, each an (H, W, 3) array of uint8, in memory or mapped from the disk.

    Cheap to hand to another process if they lie on the disk.

    Args:
        sources: the files that they were read from.
        kept: for each its pixels, or None if they lie in `folder`.
        folder: the cache, if there is one.
    """

    def __init__(
        self, sources: Sequence[Path], kept: Sequence[np.ndarray | None], folder: Path | None
    ) -> None:
        self.sources, self.kept, self.folder = list(sources), list(kept), folder
        self.cached = [
            None if folder is None or pixels is not None else _cached(folder, path)
            for path, pixels in zip(self.sources, self.kept, strict=True)
        ]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.sources)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        """Return the pixels of one; of a file on the disk, no more is read than is looked at."""
        pixels, cached = self.kept[index], self.cached[index]
        if pixels is None:
            pixels = _mapped(cached)
        if pixels is None:  # the cache was emptied meanwhile
            pixels = read_rgb(self.sources[index])
            _store(cached, pixels)
        return pixels

    @property
    def bytes_in_memory(self) -> int:
        """How much each process holds that these are handed to."""
        return sum(pixels.nbytes for pixels in self.kept if pixels is not None)


def read_photographs(
    paths: Sequence[Path],
    *,
    least: int,
    place: Place | None = None,
    tell: Tell = to_stderr,
) -> Photographs:
    """Decode photographs, several at once; each on the disk already is not decoded again.

    Several processes share the work out, and all return the same.

    Args:
        paths: picture files.
        least: the shortest side that is of use, in pixels.
        place: which process this is; every one of them must call this.
        tell: is given a line for each photograph left out: broken, or smaller than `least`.

    Raises:
        LiifError: none is left.
    """
    sizes, faults = _each(lambda path: _size(path, least), paths)
    pixels = sum(height * width for height, width in sizes.values())
    folder = None if pixels < FEW_PIXELS else _make_room(list(sizes), 3 * pixels)
    if place is not None and place.world > 1:
        if folder is not None:
            _each(lambda path: _fetch(path, folder), list(sizes)[place.rank :: place.world])
        place.wait()
    kept, broken = _each(lambda path: _fetch(path, folder), list(sizes))
    faults |= broken
    if place is not None:  # what one cannot read, none may use: they must draw the same samples
        for others in place.gather(faults):
            faults |= others
    for path in paths:
        if path in faults:
            tell(f"left out: {faults[path]}")
    left = [path for path in kept if path not in faults]
    if not left:
        raise LiifError("no photograph is left: " + next(iter(faults.values()), "none was given"))
    return Photographs(left, [kept[path] for path in left], folder)


def read_each(
    paths: Iterable[Path], *, least: int
) -> tuple[dict[Path, np.ndarray], dict[Path, str]]:
    """Decode photographs into memory, several at once.

    Args:
        paths: picture files.
        least: the shortest side that is of use, in pixels.

    Returns:
        the pixels, (H, W, 3) uint8, by path; and by path what is wrong with the others: broken,
        or too small.
    """

    def read(path: Path) -> np.ndarray:
        _size(path, least)
        return read_rgb(path)

    return _each(read, list(paths))  # type: ignore[no-any-return]


def _each(function, paths):  # type: ignore[no-untyped-def]
    """Run a function of a path on many; return its results, and what went wrong, by path."""

    def attempt(path: Path):  # type: ignore[no-untyped-def]
        try:
            return function(path), None
        except LiifError as error:
            return None, str(error)

    found = dict(zip(paths, workers.run(attempt, list(paths)), strict=True))
    results = {path: result for path, (result, fault) in found.items() if fault is None}
    return results, {path: fault for path, (_, fault) in found.items() if fault is not None}


def _size(path: Path, least: int) -> tuple[int, int]:
    header = read_header(path)
    if min(header.height, header.width) < least:
        raise LiifError(
            f"{path}: {header.width}×{header.height}, smaller than {least} pixels; take it out"
        )
    return header.height, header.width


def _fetch(path: Path, folder: Path | None) -> np.ndarray | None:
    """See that a photograph is on the disk; return its pixels if it is not."""
    if folder is None:
        return read_rgb(path)
    cached = _cached(folder, path)
    if _mapped(cached) is not None:
        return None
    pixels = read_rgb(path)
    return None if _store(cached, pixels) else pixels


def _cached(folder: Path, path: Path) -> Path:
    """Where a photograph lies; another place if its file has changed."""
    try:
        status = path.stat()
    except OSError as error:
        raise LiifError(f"{path}: cannot be read: {error.strerror}") from error
    known = f"{VERSION}\n{path.resolve()}\n{status.st_size}\n{status.st_mtime_ns}"
    return folder / f"{hashlib.sha256(known.encode()).hexdigest()[:32]}.npy"


def _mapped(cached: Path | None) -> np.ndarray | None:
    """Return the pixels in a file of the cache, or None if it is missing or holds other things."""
    try:
        assert cached is not None
        pixels = np.load(cached, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return pixels if pixels.ndim == 3 and pixels.dtype == np.uint8 else None


def _store(cached: Path | None, pixels: np.ndarray) -> bool:
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


def _make_room(paths: Sequence[Path], needed: int) -> Path | None:
    """Return the cache with room for photographs of so many bytes; None if it cannot have it."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ours = {_cached(folder, path) for path in paths}
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
