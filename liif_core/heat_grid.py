"""A heat field asked on a regular grid: algebraically `HeatField.read`, as one matrix product.

On a regular grid, all codes are asked at the same places but for a shift, and a shift turns a wave
into itself: a·sin(ω·(δ + u)) + b·cos(ω·(δ + u)) has the sine a·cos ωδ − b·sin ωδ and the cosine
a·sin ωδ + b·cos ωδ of ω·u. So each code's waves are turned once to where its first output stands,
and one table of sin ωu and cos ωu serves all of them: (codes · 3, 2K) @ (2K, outputs of a code).
What remains is to blend, for every output, the four codes that answered.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from liif_core.folded import Axis
from liif_core.heat import HeatField

#: Numbers of a block of answers that stay in a CPU's second-level cache.
CHUNK = 1 << 18


class Reach(NamedTuple):
    """Which outputs along an axis each code answers.

    Attributes:
        first: (n,) the first output of each code.
        delta: (n,) where that output stands, seen from the code, in input pixels.
        most: how many outputs a code answers, at most.
        step: from one output to the next, in input pixels.
    """

    first: Tensor
    delta: Tensor
    most: int
    step: float


def reach_of(axis: Axis, codes: int) -> Reach:
    """Return which outputs each of `codes` answers, for outputs evenly apart."""
    outputs = axis.index.shape[1]
    index = axis.index.flatten()
    number = torch.arange(outputs).repeat(axis.index.shape[0])
    first = torch.full((codes,), outputs, dtype=torch.int64)
    last = torch.full((codes,), -1, dtype=torch.int64)
    first.scatter_reduce_(0, index, number, "amin")
    last.scatter_reduce_(0, index, number, "amax")
    most = int((last - first).max()) + 1
    position = axis.index[0].double() + axis.delta[0].double() / 2
    step = float(position[-1] - position[0]) / max(outputs - 1, 1)
    first = first.clamp(max=outputs - 1)  # of a code that nobody asks
    return Reach(first, position[first] - torch.arange(codes), most, step)


class HeatGrid:
    """The decoder of a `HeatField` for regular grids, without gradients.

    Args:
        model: its parameters are read, not copied.
    """

    def __init__(self, model: HeatField) -> None:
        self.omega = model.omega.double()

    def grid(self, fields: Tensor, damping: Tensor, rows: Axis, cols: Axis) -> Tensor:
        """Ask for the colour at every crossing of `rows` and `cols`.

        Args:
            fields: (H, W, 3, 1 + 2K) from `HeatField.fields`, one photo or a part of it.
            damping: (K,) from `HeatField.damping`.
            rows, cols: neighbours within that part, outputs evenly apart.

        Returns:
            (h, w, 3) RGB, about [0, 1], not clamped.
        """
        height, width = rows.index.shape[1], cols.index.shape[1]
        result = fields.new_empty(height, width, 3)
        side = max(1, int((CHUNK / 12) ** 0.5))  # four answers of three numbers each
        span = max(1, -(-width // max(1, round(width / side))))
        step = max(1, CHUNK // 12 // span)
        for left in range(0, width, span):
            across = cols.part(left, min(left + span, width))
            for top in range(0, height, step):
                down = rows.part(top, min(top + step, height))
                result[top : top + step, left : left + span] = self._block(
                    fields, damping, down, across
                )
        return result.mul_(0.5).add_(0.5)

    def _block(self, fields: Tensor, damping: Tensor, rows: Axis, cols: Axis) -> Tensor:
        """Decode one cache-sized block: (h, w, 3) in [-1, 1]."""
        top, bottom = int(rows.index.min()), int(rows.index.max()) + 1
        left, right = int(cols.index.min()), int(cols.index.max()) + 1
        rows, cols = rows.shifted(top), cols.shifted(left)
        down, across = reach_of(rows, bottom - top), reach_of(cols, right - left)
        waves = self._table(down, across, damping)
        constant, strength = fields[top:bottom, left:right].split([1, len(waves) - 1], dim=-1)
        turned = self._turned(strength, down.delta, across.delta)
        answers = torch.cat([constant, turned], dim=-1).flatten(0, 2) @ waves
        height, width = bottom - top, right - left
        answers = answers.view(height, width, 3, down.most, across.most).permute(0, 3, 1, 4, 2)
        answers = answers.reshape(height * down.most, width * across.most, 3)
        result = answers.new_zeros(rows.index.shape[1], cols.index.shape[1], 3)
        place_y, place_x = _places(rows, down), _places(cols, across)
        for row, weight_y in zip(place_y, rows.weight, strict=True):
            band = answers.index_select(0, row).mul_(weight_y[:, None, None])
            for col, weight_x in zip(place_x, cols.weight, strict=True):
                result += band.index_select(1, col).mul_(weight_x[:, None])
        return result

    def _table(self, down: Reach, across: Reach, damping: Tensor) -> Tensor:
        """Return 1, sin ω·u and cos ω·u of every place u of a code's outputs: (1 + 2K, places)."""
        u = torch.cartesian_prod(
            torch.arange(down.most).double() * down.step,
            torch.arange(across.most).double() * across.step,
        )
        phase = self.omega @ u.t()
        left = damping.double()[:, None]
        return torch.cat(
            [torch.ones_like(phase[:1]), left * phase.sin(), left * phase.cos()]
        ).float()

    def _turned(self, strength: Tensor, down: Tensor, across: Tensor) -> Tensor:
        """Turn the waves of each code to its first output: (H, W, 3, 2K)."""
        y, x = down[:, None] * self.omega[:, 0], across[:, None] * self.omega[:, 1]
        sin_y, cos_y = y.sin().float()[:, None, None], y.cos().float()[:, None, None]
        sin_x, cos_x = x.sin().float()[:, None], x.cos().float()[:, None]
        sin = sin_y * cos_x + cos_y * sin_x  # (H, W, 1, K)
        cos = cos_y * cos_x - sin_y * sin_x
        a, b = strength.chunk(2, dim=-1)
        return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


def _places(axis: Axis, reach: Reach) -> Tensor:
    """Return where each output stands among its code's answers, all codes in a row: (k, n)."""
    number = torch.arange(axis.index.shape[1])
    return axis.index * reach.most + number - reach.first[axis.index]
