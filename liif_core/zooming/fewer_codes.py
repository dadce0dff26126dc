"""Approximate rendering: only the latent codes that matter are asked.

LIIF asks the 4 codes around a place and blends what they say by area (section 3.2, equation 4):
even one in the far corner, whose weight is next to nothing. Here a code whose share is small along
either axis is not asked, and the others share its weight. So a result jumps a little where a code
drops out; how much that costs is measured with each result.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from liif_core.folded import Axis
from liif_core.liif import LIIF
from liif_core.metrics import psnr
from liif_core.render import ContinuousPhoto, OutputGrid, Pixels

#: A neighbour whose share along an axis is less than this is not asked. On average, 4·(1 - 0.2)² =
#: 2.56 codes of 4 are. (At ×2 and ×3 no share lies between 0 and it: nothing gained, nothing lost.)
THRESHOLD = 0.2

#: How much of a result is rendered exactly, too: windows, and output pixels along their sides.
WINDOWS, WINDOW = 8, 64

#: Small tiles for those windows: of this many bytes (see `ContinuousPhoto`).
MEMORY = 1 << 25


class FewerCodes(ContinuousPhoto):
    """A `ContinuousPhoto` that asks fewer latent codes, and is exact no more.

    Args: as for `ContinuousPhoto`, and
        threshold: from 0 (exact) to 0.5 (the nearest code alone).
    """

    def __init__(
        self, model: LIIF, photo: np.ndarray | Pixels, *, threshold: float = THRESHOLD, **rest: Any
    ) -> None:
        super().__init__(model, photo, **rest)
        self.threshold = threshold

    def remark(self, grid: OutputGrid) -> str:
        """Say what leaving out codes costs."""
        paid = cost(self.model, self.photo, grid, str(self.dtype).removeprefix("torch."))
        return f"fast: PSNR {paid:.1f} dB against the exact result"

    def _axis(self, grid: OutputGrid, axis: int, span: range) -> Axis:
        tables = super()._axis(grid, axis, span)
        weight = tables.weight * (tables.weight >= self.threshold)
        return replace(tables, weight=weight / weight.sum(dim=0))


def cost(model: LIIF, photo: Pixels, grid: OutputGrid, precision: str = "float32") -> float:
    """Return the PSNR of a fast result against the exact one, in dB, on a sample of its pixels.

    The sample is `WINDOWS` windows spread over the diagonals. Infinite if nothing differs.
    """
    view = FewerCodes(model, photo, memory=MEMORY, precision=precision)
    fast: list[np.ndarray] = []
    exact: list[np.ndarray] = []
    for number in range(WINDOWS):
        along = (number + 0.5) / WINDOWS
        rows = _window(grid.height, along)
        cols = _window(grid.width, along if number % 2 else 1 - along)
        for threshold, results in ((THRESHOLD, fast), (0.0, exact)):
            view.threshold = threshold
            results.append(view.window(grid, rows, cols).clip(0, 1).reshape(-1, 1, 3))
    return psnr(np.concatenate(fast), np.concatenate(exact))


def _window(size: int, along: float) -> range:
    """Return `WINDOW` of `size` rows or columns around a place between 0 and 1."""
    start = max(0, min(round(along * size) - WINDOW // 2, size - WINDOW))
    return range(start, min(start + WINDOW, size))
