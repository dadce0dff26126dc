"""The questions that a result asks: a grid of output pixels, and where they lie on a photo."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from liif_core.errors import LiifError
from liif_core.pixels import Box


class Pixels(Protocol):
    """A photo that can be read window by window."""

    @property
    def height(self) -> int:
        """Rows."""
        ...

    @property
    def width(self) -> int:
        """Columns."""
        ...

    def rgb(self, rows: slice, cols: slice) -> np.ndarray:
        """Return a window, (h, w, 3) float32 in [0, 1]."""
        ...


@dataclass(frozen=True)
class ArrayPixels:
    """A photo held in memory: (H, W, 3), float in [0, 1]."""

    array: np.ndarray

    def __post_init__(self) -> None:
        if self.array.ndim != 3 or self.array.shape[2] != 3 or self.array.size == 0:
            raise LiifError(f"a photo must have shape (height, width, 3), got {self.array.shape}")
        if not np.issubdtype(self.array.dtype, np.floating):
            raise LiifError(f"a photo must hold floats in [0, 1], got {self.array.dtype}")

    @property
    def height(self) -> int:
        """Rows."""
        return self.array.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.array.shape[1]

    def rgb(self, rows: slice, cols: slice) -> np.ndarray:
        """Return a window, (h, w, 3) float32."""
        return np.ascontiguousarray(self.array[rows, cols], dtype=np.float32)


def pixels_of(photo: np.ndarray | Pixels) -> Pixels:
    """Return a photo, (H, W, 3) floats in [0, 1] or read already, as `Pixels`."""
    return ArrayPixels(photo) if isinstance(photo, np.ndarray) else photo


@dataclass(frozen=True)
class OutputGrid:
    """Which questions to ask: a grid of height × width pixels laid over a box of the photo.

    Attributes:
        height, width: pixels of the result.
        box: (left, top, right, bottom) of what it shows, in input pixels, as in Pillow.
    """

    height: int
    width: int
    box: Box

    @classmethod
    def checked(cls, photo: Pixels, height: int, width: int, box: Box | None) -> "OutputGrid":
        """Return the grid of a result of height × width pixels that shows `box` (None: all).

        Raises:
            LiifError: an empty result, or a box that is empty or leaves the photo.
        """
        if height < 1 or width < 1:
            raise LiifError(f"a result of {width}×{height} pixels is empty; ask for at least 1×1")
        whole = (0.0, 0.0, float(photo.width), float(photo.height))
        left, top, right, bottom = box or whole
        if not (0 <= left < right <= whole[2] and 0 <= top < bottom <= whole[3]):
            raise LiifError(
                f"box {left:g},{top:g},{right:g},{bottom:g} is empty or leaves the photo "
                f"of {photo.width}×{photo.height} pixels"
            )
        return cls(height, width, (left, top, right, bottom))

    def along(self, axis: int) -> tuple[int, float, float]:
        """Return (outputs, start, end) along y (0) or x (1)."""
        left, top, right, bottom = self.box
        return (self.width, left, right) if axis else (self.height, top, bottom)

    def step(self, axis: int) -> float:
        """Return the size of an output pixel along an axis, in input pixels."""
        count, start, end = self.along(axis)
        return (end - start) / count

    def positions(self, axis: int, span: range) -> np.ndarray:
        """Return where the output centres of `span` lie, in input pixels: float64."""
        _, start, _ = self.along(axis)
        return start + (np.arange(span.start, span.stop) + 0.5) * self.step(axis)

    def read(self, axis: int, span: range, size: int) -> np.ndarray:
        """Return the input pixel, of `size`, that each output of `span` falls into."""
        return np.floor(self.positions(axis, span)).clip(0, size - 1).astype(int)

    def spans(self, axis: int, span: range, size: int, side: int) -> Iterator[tuple[int, int, int]]:
        """Yield (tile, start, stop): which outputs of `span` fall into which tile.

        Args:
            axis: y (0) or x (1).
            span: outputs; start and stop count from its own start.
            size: input pixels along the axis.
            side: input pixels of a tile.
        """
        tiles = self.read(axis, span, size) // side
        starts = [0, *(np.flatnonzero(np.diff(tiles)) + 1).tolist(), len(tiles)]
        for start, stop in itertools.pairwise(starts):
            yield int(tiles[start]), start, stop
