"""Old photos: a scan is read at the resolution that is really in it.

Where a scan has more pixels than its print can fill, a network sees grain and the paper's fibres
as large as what it learnt to keep, and blur that is wider than any that it learnt to take back.
Shrunk, the photo is again what the weights were trained on: sharp to the pixel, and less noisy,
since each new pixel is a mean of several. The result's size is still counted in the scan's pixels.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from liif_core.baselines import resize
from liif_core.grid import OutputGrid, Pixels
from liif_core.photos import Photo
from liif_core.real_resolution import SIDE, real_resolution
from liif_core.render import Renderer, Tick

#: What an old photo is zoomed with, unless told otherwise: a place of `--denoise`'s dial.
SHARE = 1.0

#: A photo that is 3 times finer than what it shows is shrunk 3 to the power of this. All of it
#: loses detail where the estimate is too high; half of it gains as much (benchmarks/old_photos.py).
CAUTION = 0.5

#: Photos that are finer than they need be by less than this are left alone: the weights take so
#: little blur back by themselves, and sharp photos may be taken for 1.25 times finer.
LEAST_FINER = 1.5

#: Pixels around a window that shrinking it by bicubic interpolation reaches for, per unit of scale.
_REACH = 2

#: Pixels of a photo that are held at a time to be shrunk: floats of 50 MB.
_MOST_READ = 1 << 22


@dataclass(frozen=True, eq=False)
class OldPhoto(Photo):
    """A photo that is to be read smaller than it is.

    Attributes:
        finer: how many times more pixels each side has than the photo can fill; at least 1.
    """

    finer: float = 1.0

    @property
    def read_at(self) -> tuple[int, int]:
        """(height, width) that the network reads it at."""
        by = self.finer**CAUTION if self.finer >= LEAST_FINER else 1.0
        return max(1, round(self.height / by)), max(1, round(self.width / by))

    @property
    def shrunk(self) -> bool:
        """Whether it is read smaller than it is."""
        return self.read_at != (self.height, self.width)

    def story(self, weights: str) -> str:
        """Say what is done with it."""
        if min(self.height, self.width) < SIDE:
            return (
                f"old: with a side of less than {SIDE} pixels too small to tell how fine it is, so "
                f"all are read; weights {weights}"
            )
        if not self.shrunk:
            return f"old: its detail needs its pixels, so all are read; weights {weights}"
        height, width = self.read_at
        return (
            f"old: its detail would fit into pixels {self.finer:.1f} times as large, so of "
            f"{self.width}×{self.height} it is read at {width}×{height}; weights {weights}"
        )


def read_at(photo: Photo) -> tuple[int, int]:
    """Return (height, width) that the network reads a photo at."""
    return photo.read_at if isinstance(photo, OldPhoto) else (photo.height, photo.width)


def as_old(photo: Photo) -> OldPhoto:
    """Estimate how fine a photo really is."""
    known = {field.name: getattr(photo, field.name) for field in fields(Photo)}
    return OldPhoto(**known, finer=real_resolution(photo).shrink)


@dataclass(frozen=True)
class ShrunkPixels:
    """A photo, shrunk by bicubic interpolation while it is read, window by window.

    Attributes:
        photo: what is shrunk.
        height, width: what it is shrunk to, at most its own.
    """

    photo: Pixels
    height: int
    width: int

    def rgb(self, rows: slice, cols: slice) -> np.ndarray:
        """Return a window, (h, w, 3) float32 in [0, 1]: a few rows at a time, if it needs many."""
        needs = (cols.stop - cols.start) * self.photo.height * self.photo.width
        step = max(1, _MOST_READ * self.height * self.width // needs)
        parts = [
            self._rgb(slice(top, min(top + step, rows.stop)), cols)
            for top in range(rows.start, rows.stop, step)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _rgb(self, rows: slice, cols: slice) -> np.ndarray:
        (down, top, bottom), (across, left, right) = (
            _read(span.start, span.stop, size, of)
            for span, size, of in (
                (rows, self.height, self.photo.height),
                (cols, self.width, self.photo.width),
            )
        )
        read = self.photo.rgb(down, across)
        size = rows.stop - rows.start, cols.stop - cols.start
        return resize(read, *size, "bicubic", box=(left, top, right, bottom)).clip(0, 1)


def _read(first: int, last: int, size: int, of: int) -> tuple[slice, float, float]:
    """Return which of the photo's rows or columns a span needs, and where it lies among them."""
    step = of / size
    start, stop = first * step, min(last * step, of)
    # As many whole pixels as the kernel reaches beyond it, or the windows would not quite meet.
    beyond = int(np.ceil(_REACH * step)) + 1
    low, high = max(0, int(start) - beyond), min(of, int(np.ceil(stop)) + beyond)
    return slice(low, high), start - low, min(stop - low, high - low)


class Shrunk:
    """A renderer of a shrunk photo that is asked as if the photo had its own size.

    Args:
        renderer: of the shrunk photo.
        photo: as large as it is.
        small: (height, width) that it was shrunk to.
    """

    def __init__(self, renderer: Renderer, photo: Pixels, small: tuple[int, int]) -> None:
        self.renderer = renderer
        self.down, self.across = small[0] / photo.height, small[1] / photo.width

    def window(
        self, grid: OutputGrid, rows: range, cols: range, tick: Tick | None = None
    ) -> np.ndarray:
        """Return some rows and columns of a result."""
        return self.renderer.window(self._small(grid), rows, cols, tick)

    def strip_ends(self, grid: OutputGrid) -> list[int]:
        """Return where the strips of a result had better end."""
        return self.renderer.strip_ends(self._small(grid))

    def seconds_needed(self, grid: OutputGrid) -> float:
        """Guess how long a result will take."""
        return self.renderer.seconds_needed(self._small(grid))

    def remark(self, grid: OutputGrid) -> str:
        """Return what is to be said about a result."""
        return self.renderer.remark(self._small(grid))

    def _small(self, grid: OutputGrid) -> OutputGrid:
        """Return the same questions as they are asked of the shrunk photo."""
        left, top, right, bottom = grid.box
        box = (left * self.across, top * self.down, right * self.across, bottom * self.down)
        return replace(grid, box=box)
