"""Where a screen stands over a photo: centre and magnification, kept within the photo.

`widgets/static/zoom_viewport.js` does the same arithmetic in the browser, so that the picture
follows the hand at once; a browser test holds the two together.
"""

import math
from dataclasses import dataclass, replace

from liif_core.explorer.screen_grid import ScreenGrid
from liif_core.render import OutputGrid

#: Screen pixels per photo pixel, at most (a photo that fills the screen at more may be whole).
MOST = 64.0


@dataclass(frozen=True)
class Span:
    """Which screen pixels along one axis show the photo, and which part of it they show."""

    first: int
    count: int
    start: float  # in photo pixels
    end: float


@dataclass(frozen=True)
class Viewport:
    """A screen over a photo.

    Along an axis where the photo is smaller than the screen, it lies in the middle, whole, and a
    whole number of screen pixels wide; elsewhere the screen lies within the photo.

    Attributes:
        photo: (rows, columns) of the photo.
        screen: (rows, columns) of the screen, in pixels.
        centre: (y, x) of the screen's middle, in the photo's [-1, 1] frame.
        magnification: screen pixels per photo pixel; from the whole photo up to `MOST`.
    """

    photo: tuple[int, int]
    screen: tuple[int, int]
    centre: tuple[float, float] = (0.0, 0.0)
    magnification: float = 0.0

    def __post_init__(self) -> None:
        magnification = min(max(self.magnification, self.least), self.most)
        object.__setattr__(self, "magnification", magnification)
        centre = (self._within(0), self._within(1))
        object.__setattr__(self, "centre", centre)

    @property
    def least(self) -> float:
        """The magnification that shows the whole photo."""
        return min(pixels / size for pixels, size in zip(self.screen, self.photo, strict=True))

    @property
    def most(self) -> float:
        """The largest magnification."""
        return max(MOST, self.least)

    def _within(self, axis: int) -> float:
        size, pixels = self.photo[axis], self.screen[axis]
        if size * self.magnification < pixels + 0.5:
            return 0.0
        reach = 1 - pixels / self.magnification / size
        return min(max(self.centre[axis], -reach), reach)

    def spans(self) -> tuple[Span, Span]:
        """Return what the screen shows along y and x."""
        return self._span(0), self._span(1)

    def _span(self, axis: int) -> Span:
        size, pixels = self.photo[axis], self.screen[axis]
        if size * self.magnification < pixels + 0.5:
            count = max(1, math.floor(size * self.magnification + 0.5))
            return Span((pixels - count) // 2, count, 0.0, float(size))
        middle, half = (self.centre[axis] + 1) / 2 * size, pixels / self.magnification / 2
        return Span(0, pixels, max(0.0, middle - half), min(float(size), middle + half))

    def grid(self, step: float = 1) -> OutputGrid:
        """Return the questions to ask: one for every screen pixel that shows the photo.

        Args:
            step: ask for pixels this many times as large, for a coarse picture.
        """
        if step <= 1:
            return self.screen_grid()
        return self._grid(*(max(1, math.ceil(span.count / step)) for span in self.spans()))

    def screen_grid(self) -> ScreenGrid:
        """Return the same, numbered so that views that were panned share them."""
        grid = self._grid(*(span.count for span in self.spans()))
        return ScreenGrid.of(grid, (self._pixel(0), self._pixel(1)))

    def _grid(self, height: int, width: int) -> OutputGrid:
        down, across = self.spans()
        return OutputGrid(height, width, (across.start, down.start, across.end, down.end))

    def _pixel(self, axis: int) -> float:
        """The size of a screen pixel, in photo pixels: wherever the screen stands, the same."""
        span, size = self._span(axis), self.photo[axis]
        whole = size * self.magnification < self.screen[axis] + 0.5
        return size / span.count if whole else 1 / self.magnification

    def zoomed(self, factor: float, about: tuple[float, float] | None = None) -> "Viewport":
        """Return the view magnified `factor` times as much.

        Args:
            about: (y, x) in screen pixels that keeps showing the same place; the middle if None.
        """
        closer = replace(self, magnification=self.magnification * factor)
        if about is None:
            return closer
        y, x = (
            (place - (at - pixels / 2) / closer.magnification) * 2 / size - 1
            for place, at, pixels, size in zip(
                self._place(about), about, self.screen, self.photo, strict=True
            )
        )
        return replace(closer, centre=(y, x))

    def panned(self, down: float, right: float) -> "Viewport":
        """Return the view moved over the photo, by screen pixels."""
        y, x = (
            centre + 2 * by / self.magnification / size
            for centre, by, size in zip(self.centre, (down, right), self.photo, strict=True)
        )
        return replace(self, centre=(y, x))

    def coord_at(self, row: int, col: int) -> tuple[float, float]:
        """Return the coordinate (y, x) in [-1, 1] of a screen pixel's centre."""
        y, x = (
            min(max(place * 2 / size - 1, -1.0), 1.0)
            for place, size in zip(self._place((row + 0.5, col + 0.5)), self.photo, strict=True)
        )
        return y, x

    def screen_at(self, coord: tuple[float, float]) -> tuple[float, float]:
        """Return where a coordinate stands, (y, x) in screen pixels from the upper left corner."""
        y, x = (
            span.first + ((at + 1) / 2 * size - span.start) * span.count / (span.end - span.start)
            for span, at, size in zip(self.spans(), coord, self.photo, strict=True)
        )
        return y, x

    def cell(self) -> tuple[float, float]:
        """Return the (height, width) of a screen pixel in the photo's [-1, 1] frame."""
        height, width = (
            2 * (span.end - span.start) / span.count / size
            for span, size in zip(self.spans(), self.photo, strict=True)
        )
        return height, width

    def _place(self, at: tuple[float, float]) -> tuple[float, float]:
        """Where a place on the screen lies in the photo, in photo pixels."""
        y, x = (
            span.start + (place - span.first) * (span.end - span.start) / span.count
            for span, place in zip(self.spans(), at, strict=True)
        )
        return y, x
