"""A heat field at a whole magnification, as at ×2 or ×12: one 2×2 convolution.

Between four neighbouring codes lies a cell of outputs, and at a whole magnification all cells are
alike: the same waves, the same weights. So all that follows the hidden map, the writer's last
layer, waves, damping and blending, is one matrix that turns four codes into the colours of a
cell. At the photo's border, and where a result begins or ends within a cell, it does not apply.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from liif_core.axes import Axis

#: Places nearer than this, in half code spacings, are the same: float32 tells no others apart.
ALIKE = 2e-6

#: Fewest cells for which the matrix is made.
FEWEST = 64


@dataclass(frozen=True)
class Cells:
    """The cells along an axis that are whole and alike: g cells of s outputs each.

    Attributes:
        start, stop: their outputs.
        first: the code before the first cell; cell i lies between codes first + i and the next.
        delta, weight: (2, s) as of `Axis`, seen from the code before and the one after.
    """

    start: int
    stop: int
    first: int
    delta: Tensor
    weight: Tensor

    @property
    def size(self) -> int:
        """Outputs of a cell."""
        return self.delta.shape[1]

    @property
    def count(self) -> int:
        """How many cells."""
        return (self.stop - self.start) // self.size

    @classmethod
    def of(cls, axis: Axis) -> "Cells | None":
        """Return the cells along an axis; None where there are none, or none alike."""
        if len(axis.index) == 1:  # the nearest code alone answers
            return None
        which, lengths = axis.index.sum(dim=0).unique_consecutive(return_counts=True)
        size = int(lengths.max())
        whole = ((lengths == size) & (which % 2 == 1)).nonzero().flatten()  # else a border's
        if len(whole) == 0 or int(whole[-1] - whole[0]) != len(whole) - 1:
            return None
        if bool((which[whole].diff() != 2).any()):  # a result so small that it leaves codes out
            return None
        start = int(lengths[: whole[0]].sum())
        stop = start + size * len(whole)
        delta, weight = (
            part[:, start:stop].unflatten(1, (-1, size)) for part in (axis.delta, axis.weight)
        )
        for part in (delta, weight):
            if float((part.amax(dim=1) - part.amin(dim=1)).max()) > ALIKE:
                return None
        return cls(start, stop, int(axis.index[0, start]), delta[:, 0], weight[:, 0])


def cells_of(rows: Axis, cols: Axis) -> tuple[Cells, Cells] | None:
    """Return the cells along both axes, or None if there are too few to be worth a matrix."""
    down, across = Cells.of(rows), Cells.of(cols)
    if down is None or across is None or down.count * across.count < FEWEST:
        return None
    return down, across


def joined(near: Tensor, own: Tensor) -> Tensor:
    """Join what a matrix is told of each cell's four codes.

    Args:
        near: (m + 1, n + 1, width) the hidden map.
        own: (m + 1, n + 1, 3) the codes' own pixels in [-1, 1].

    Returns:
        (m · n, 4 · (width + 4)): above left, above right, below left, below right.
    """
    told = torch.cat([near, own, torch.ones_like(own[..., :1])], dim=-1)
    corners = (told[:-1, :-1], told[:-1, 1:], told[1:, :-1], told[1:, 1:])
    return torch.cat(corners, dim=-1).flatten(0, 1)
