"""Approximate rendering: only the latent codes that matter are asked.

LIIF asks the 4 codes around a place and blends what they say by area (section 3.2, equation 4):
even one in the far corner, whose weight is next to nothing. Here a code whose share is small along
either axis is not asked, and the others share its weight. So a result jumps a little where a code
drops out; how much that costs is measured with each result.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from liif_core.axes import Axis
from liif_core.grid import OutputGrid, Pixels
from liif_core.metrics import psnr
from liif_core.models import Model
from liif_core.render import ContinuousPhoto

#: A neighbour whose share along an axis is less than this is not asked. On average, 4·(1 - 0.2)² =
#: 2.56 codes of 4 are. (At ×2 and ×3 no share lies between 0 and it: nothing gained, nothing lost.)
THRESHOLD = 0.2

#: How much of a result is rendered exactly, too: windows, and output pixels along their sides.
WINDOWS, WINDOW = 8, 64

#: Most input pixels along the side of such a window, where the result is smaller than the photo.
MOST_READ = 256


#: In dB: what float32 rounds, and no file of 16 bits a channel can hold. So it is at ×1, ×2 and ×3.
SAME = 120.0

#: Of weights without local ensemble.
NOTHING_TO_LEAVE_OUT = "fast: changes nothing, for these weights ask one latent code a pixel anyway"


class FewerCodes(ContinuousPhoto):
    """A `ContinuousPhoto` that asks fewer latent codes, and is exact no more.

    Args: as for `ContinuousPhoto`, and
        threshold: from 0 (exact) to 0.5 (the nearest code alone).
    """

    def __init__(
        self, model: Model, photo: np.ndarray | Pixels, *, threshold: float = THRESHOLD, **rest: Any
    ) -> None:
        super().__init__(model, photo, **rest)
        self.threshold = threshold

    def axis(self, grid: OutputGrid, axis: int, span: range) -> Axis:
        """Return where some outputs stand among the latent codes that are asked."""
        return self._without_small(super().axis(grid, axis, span))

    def remark(self, grid: OutputGrid) -> str:
        """Say what the result costs."""
        ensemble = self.model.config.local_ensemble
        told = cost_told(self.cost(grid)) if ensemble else NOTHING_TO_LEAVE_OUT
        return "; ".join(filter(None, (told, super().remark(grid))))

    def cost(self, grid: OutputGrid) -> float:
        """Return the PSNR of a result against the exact one, in dB, on a sample of its pixels.

        Infinite if nothing differs.
        """
        fast, exact = self.samples(grid)
        return psnr(fast.clip(0, 1), exact.clip(0, 1))

    def samples(self, grid: OutputGrid) -> tuple[np.ndarray, np.ndarray]:
        """Return some pixels of a result, and what they are exactly: (N, 1, 3) float32 each.

        They are those of `WINDOWS` windows spread over the diagonals.
        """
        fast: list[np.ndarray] = []
        exact: list[np.ndarray] = []
        exactly = super().axis
        for number in range(WINDOWS):
            along = (number + 0.5) / WINDOWS
            rows = _window(grid, 0, along)
            cols = _window(grid, 1, along if number % 2 else 1 - along)
            read = [
                grid.read(axis, span, size)
                for axis, span, size in ((0, rows, self.photo.height), (1, cols, self.photo.width))
            ]
            # Anew, and no more than is needed: whole tiles would take longer than the result may.
            down, across = (range(int(where[0]), int(where[-1]) + 1) for where in read)
            tile = self.tiles.piece(self.decoder, down, across)
            axes = exactly(grid, 0, rows), exactly(grid, 1, cols)
            for results, (asked_down, asked_across) in (
                (exact, axes),
                (fast, tuple(map(self._without_small, axes))),
            ):
                rgb = self.decoded(tile, grid, asked_down, asked_across)
                results.append(rgb.reshape(-1, 1, 3))
        return np.concatenate(fast), np.concatenate(exact)

    def _without_small(self, tables: Axis) -> Axis:
        """Take the weight of the neighbours that matter little, and give it to the others."""
        weight = tables.weight * (tables.weight >= self.threshold)
        return replace(tables, weight=weight / weight.sum(dim=0))


def cost_told(cost: float) -> str:
    """Say in words what a result costs, in dB."""
    if cost >= SAME:
        return "fast: no different from the exact result"
    return f"fast: PSNR {cost:.1f} dB against the exact result"


def _window(grid: OutputGrid, axis: int, along: float) -> range:
    """Return some outputs along an axis, around a place between 0 and 1."""
    size = grid.along(axis)[0]
    window = min(WINDOW, size, max(1, int(MOST_READ / grid.step(axis))))
    start = max(0, min(round(along * size) - window // 2, size - window))
    return range(start, start + window)
