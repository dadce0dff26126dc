"""The photographs of a training run, decoded once and read by windows.

Decoding a photograph takes thousands of times as long as cutting a sample from it. Decoded, a
large folder fills gigabytes, which several processes should not each hold; so it lies on the disk,
one `.npy` file for each photograph in the user's cache folder, and is read by mapping the file
into memory. The next run on the same photographs finds it there.

Writing takes longer than decoding. So where memory suffices, one process does not wait for it: it
holds what it has decoded, begins to train, and writes meanwhile, giving the memory back photograph
by photograph.
"""

import atexit
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import psutil

from liif_core import workers
from liif_core.errors import LiifError
from liif_core.photos import read_header, read_rgb
from liif_core.processes import Place
from liif_core.training.decoded import cached_at, make_room, mapped, store

#: Folders of fewer pixels are held in memory: no disk needs to be asked.
FEW_PIXELS = 16_000_000

#: How much of the memory that is free, decoded photographs may take until they are on the disk.
HELD = 1 / 2

#: What is told about photographs that are left out.
Tell: TypeAlias = Callable[[str], None]


def to_stderr(line: str) -> None:
    """Print a line to standard error, as the command line does."""
    print(f"liif: {line}", file=sys.stderr, flush=True)


class Photographs(Sequence[np.ndarray]):
    """Decoded photographs, each an (H, W, 3) array of uint8, in memory or mapped from the disk.

    What is in memory and has a place on the disk is written there by a thread that goes on in the
    background; from then on it is mapped. Handed to another process (pickled), all is written
    first: so that it is cheap, and no two of them hold the same.

    Args:
        sources: the files that they were read from.
        kept: for each its pixels, or None if they lie on the disk.
        cached: for each its place in the cache, or None if it has none.
    """

    def __init__(
        self,
        sources: Sequence[Path],
        kept: Sequence[np.ndarray | None],
        cached: Sequence[Path | None],
    ) -> None:
        self.sources, self.kept, self.cached = list(sources), list(kept), list(cached)
        self._writer: _Writer | None = None
        if any(self.cached) and self.bytes_in_memory:
            self._writer = _Writer(self.kept, self.cached)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.sources)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        """Return the pixels of one; of a file on the disk, no more is read than is looked at."""
        pixels, cached = self.kept[index], self.cached[index]
        if pixels is None:
            pixels = mapped(cached)
        if pixels is None:  # the cache was emptied meanwhile
            pixels = read_rgb(self.sources[index])
            store(cached, pixels)
        return pixels

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process is given."""
        self.settle()
        return self.__dict__ | {"_writer": None}

    @property
    def bytes_in_memory(self) -> int:
        """How much this process holds; after `settle`, what each holds that these are given to."""
        return sum(pixels.nbytes for pixels in self.kept if pixels is not None)

    def settle(self) -> None:
        """Wait until all that the disk has room for is written."""
        if self._writer is not None:
            self._writer.join()


class _Writer(threading.Thread):
    """Writes decoded photographs to the cache, one after the other, and lets go of them.

    It ends with the process, in which one file may still be finished, the rest left out: the next
    run decodes that again.

    Args:
        kept: the pixels, replaced by None as they are written.
        cached: where each is to lie.
    """

    def __init__(self, kept: list[np.ndarray | None], cached: Sequence[Path | None]) -> None:
        super().__init__(name="liif-photographs", daemon=True)
        self._kept, self._cached = kept, cached
        self._stopped = threading.Event()
        _writers.add(self)
        self.start()

    def run(self) -> None:
        """Write; a disk that is full is asked no more."""
        for index, cached in enumerate(self._cached):
            pixels = self._kept[index]
            if self._stopped.is_set():
                return
            if pixels is not None:
                if not store(cached, pixels):
                    return
                self._kept[index] = None

    def stop(self) -> None:
        """Finish what is begun."""
        self._stopped.set()
        self.join()


_writers: "weakref.WeakSet[_Writer]" = weakref.WeakSet()


@atexit.register
def _stop_writers() -> None:
    """Leave no file half written."""
    for writer in list(_writers):
        writer.stop()


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
    folder = None if pixels < FEW_PIXELS else make_room(list(sizes), 3 * pixels)
    shared = place is not None and place.world > 1
    if place is not None and shared:
        if folder is not None:
            _each(lambda path: _fetch(path, folder), list(sizes)[place.rank :: place.world])
        place.wait()
    later = not shared and 3 * pixels <= HELD * psutil.virtual_memory().available
    kept, broken = _each(lambda path: _fetch(path, folder, later=later), list(sizes))
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
    return Photographs(left, *zip(*(kept[path] for path in left), strict=True))


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


def _fetch(
    path: Path, folder: Path | None, *, later: bool = False
) -> tuple[np.ndarray | None, Path | None]:
    """See that a photograph is on the disk.

    Returns:
        its pixels if it is not, or only `later`; and where it lies, or is to lie: asked before it
        is decoded, so that one that is changed meanwhile is not taken for the new one.
    """
    if folder is None:
        return read_rgb(path), None
    cached = cached_at(folder, path)
    if mapped(cached) is not None:
        return None, cached
    pixels = read_rgb(path)
    return (None if not later and store(cached, pixels) else pixels), cached
