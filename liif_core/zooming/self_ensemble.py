"""Geometric self-ensemble: the average over the 8 flips and transposes of a photo."""

from dataclasses import dataclass

import numpy as np

from liif_core.grid import OutputGrid, Pixels, pixels_of
from liif_core.models import Model
from liif_core.render import MEMORY, ContinuousPhoto, Tick


@dataclass(frozen=True)
class Turn:
    """One symmetry of the rectangle: mirror down, mirror across, then swap the axes."""

    down: bool
    across: bool
    swap: bool

    def forth(self, picture: np.ndarray) -> np.ndarray:
        """Apply it to (H, W, 3)."""
        picture = picture[:: -1 if self.down else 1, :: -1 if self.across else 1]
        return picture.transpose(1, 0, 2) if self.swap else picture

    def back(self, picture: np.ndarray) -> np.ndarray:
        """Undo it."""
        picture = picture.transpose(1, 0, 2) if self.swap else picture
        return picture[:: -1 if self.down else 1, :: -1 if self.across else 1]

    def grid(
        self, grid: OutputGrid, rows: range, cols: range, photo: Pixels
    ) -> tuple[OutputGrid, range, range]:
        """Return the same questions as they are asked of the turned photo."""
        left, top, right, bottom = grid.box
        if self.down:
            top, bottom = photo.height - bottom, photo.height - top
            rows = range(grid.height - rows.stop, grid.height - rows.start)
        if self.across:
            left, right = photo.width - right, photo.width - left
            cols = range(grid.width - cols.stop, grid.width - cols.start)
        if self.swap:
            return OutputGrid(grid.width, grid.height, (top, left, bottom, right)), cols, rows
        return OutputGrid(grid.height, grid.width, (left, top, right, bottom)), rows, cols


_TURNS = [Turn(d, a, s) for d in (False, True) for a in (False, True) for s in (False, True)]

#: How many times the work of one rendering.
VIEWS = len(_TURNS)


@dataclass(frozen=True)
class TurnedPixels:
    """A photo, mirrored or transposed, still read window by window."""

    photo: Pixels
    turn: Turn

    @property
    def height(self) -> int:
        """Rows."""
        return self.photo.width if self.turn.swap else self.photo.height

    @property
    def width(self) -> int:
        """Columns."""
        return self.photo.height if self.turn.swap else self.photo.width

    def rgb(self, rows: slice, cols: slice) -> np.ndarray:
        """Return a window of the turned photo, (h, w, 3) float32."""
        if self.turn.swap:
            rows, cols = cols, rows
        if self.turn.down:
            rows = slice(self.photo.height - rows.stop, self.photo.height - rows.start)
        if self.turn.across:
            cols = slice(self.photo.width - cols.stop, self.photo.width - cols.start)
        return np.ascontiguousarray(self.turn.forth(self.photo.rgb(rows, cols)))


class SelfEnsemble:
    """The average over the 8 flips and transposes of a photo (geometric self-ensemble, EDSR
    section 3.4): eight times the work, a little more PSNR.

    Args: as for `ContinuousPhoto`.
    """

    def __init__(
        self,
        model: Model,
        photo: np.ndarray | Pixels,
        *,
        memory: int = MEMORY,
        precision: str = "float32",
    ) -> None:
        self.photo = pixels_of(photo)
        share = memory // len(_TURNS)
        self.views = [
            (
                turn,
                ContinuousPhoto(
                    model, TurnedPixels(self.photo, turn), memory=share, precision=precision
                ),
            )
            for turn in _TURNS
        ]
        self._plain = self.views[0][1]

    def strip_ends(self, grid: OutputGrid) -> list[int]:
        """Return where the strips of a result had better end."""
        return self._plain.strip_ends(grid)

    def seconds_needed(self, grid: OutputGrid) -> float:
        """Guess how long a result will take, from a small piece of one view."""
        return self._plain.seconds_needed(grid) * len(self.views)

    def remark(self, grid: OutputGrid) -> str:
        """Return nothing: this is what was asked for."""
        return ""

    def window(
        self, grid: OutputGrid, rows: range, cols: range, tick: Tick | None = None
    ) -> np.ndarray:
        """Return some rows and columns of the averaged result."""
        share = (lambda pixels: tick(pixels / len(self.views))) if tick else None
        total = np.zeros((len(rows), len(cols), 3), np.float32)
        for turn, view in self.views:
            turned, turned_rows, turned_cols = turn.grid(grid, rows, cols, self.photo)
            total += turn.back(view.window(turned, turned_rows, turned_cols, share))
        return total / len(self.views)
