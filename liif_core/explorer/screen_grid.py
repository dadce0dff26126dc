"""The questions that a screen asks, numbered so that a picture that is moved asks the same ones.

A screen's pixels are counted from the photo's corner, whatever part of the photo the screen shows:
where pixel 1000 lies does not depend on where the screen begins, to the last bit. So after a pan by
whole pixels, what was answered already is what would be answered again.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from liif_core.grid import OutputGrid

#: A screen begins at a multiple of this many of its pixels, which nobody sees: sums of such numbers
#: are exact.
FINEST = 2.0**-20

#: Sides whose last picture is kept.
MOST_SIDES = 8


@dataclass(frozen=True)
class ScreenGrid(OutputGrid):
    """An `OutputGrid` whose pixels are counted from the photo's corner.

    Attributes:
        origin: (y, x) of its first pixel's corner, in pixels of the screen.
        pixel: (height, width) of a pixel, in input pixels.
    """

    origin: tuple[float, float]
    pixel: tuple[float, float]

    @classmethod
    def of(cls, grid: OutputGrid, pixel: tuple[float, float]) -> "ScreenGrid":
        """Return a grid with pixels of the very size that they have, but for rounding."""
        left, top, _, _ = grid.box
        y, x = (
            round(start / side / FINEST) * FINEST
            for start, side in zip((top, left), pixel, strict=True)
        )
        return cls(grid.height, grid.width, grid.box, (y, x), pixel)

    def step(self, axis: int) -> float:
        """Return the size of a pixel along an axis, in input pixels."""
        return self.pixel[axis]

    def positions(self, axis: int, span: range) -> np.ndarray:
        """Return where the pixels' centres lie, in input pixels: float64."""
        return (self.origin[axis] + 0.5 + np.arange(span.start, span.stop)) * self.pixel[axis]

    def shared(self, before: "ScreenGrid") -> tuple[range, range, int, int] | None:
        """Return which (rows, columns) were asked for by another grid, too, and how much farther
        down and right they were there; None if there are none."""
        if before.pixel != self.pixel:
            return None
        down, right = (mine - its for mine, its in zip(self.origin, before.origin, strict=True))
        if down != int(down) or right != int(right):
            return None
        rows = range(max(0, -int(down)), min(self.height, before.height - int(down)))
        cols = range(max(0, -int(right)), min(self.width, before.width - int(right)))
        return (rows, cols, int(down), int(right)) if rows and cols else None


class Shown:
    """The last exact picture of each side of a screen, and what a pan leaves of it in sight."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, tuple[ScreenGrid, np.ndarray]] = OrderedDict()

    def new_pixels(self, side: Hashable, grid: ScreenGrid) -> int:
        """Return how many pixels of a picture the last one does not hold."""
        last = self._last.get(side)
        shared = last and grid.shared(last[0])
        known = len(shared[0]) * len(shared[1]) if shared else 0
        return grid.height * grid.width - known

    def moved(
        self, side: Hashable, grid: ScreenGrid, compute: Callable[[range, range], np.ndarray]
    ) -> np.ndarray:
        """Return a picture, (h, w, 3) uint8; what the last one holds of it is not computed again.

        Args:
            compute: returns some rows and columns of it.
        """
        picture = np.empty((grid.height, grid.width, 3), np.uint8)
        last = self._last.get(side)
        rest = [(range(grid.height), range(grid.width))]
        if last and (shared := grid.shared(last[0])):
            rows, cols, down, right = shared
            there = last[1][rows.start + down : rows.stop + down]
            there = there[:, cols.start + right : cols.stop + right]
            picture[rows.start : rows.stop, cols.start : cols.stop] = there
            rest = _around(rows, cols, grid)
        for rows, cols in rest:
            picture[rows.start : rows.stop, cols.start : cols.stop] = compute(rows, cols)
        self._last[side] = grid, picture
        self._last.move_to_end(side)
        if len(self._last) > MOST_SIDES:  # there are as many seeds as one likes
            self._last.popitem(last=False)
        return picture


def _around(rows: range, cols: range, grid: OutputGrid) -> list[tuple[range, range]]:
    """Return the (rows, columns) of a grid beside some of its rows and columns; none is empty."""
    beside = [
        (range(rows.start), range(grid.width)),
        (range(rows.stop, grid.height), range(grid.width)),
        (rows, range(cols.start)),
        (rows, range(cols.stop, grid.width)),
    ]
    return [part for part in beside if part[0] and part[1]]
