"""A heat field at a whole magnification, as at ×2 or ×12: one 2×2 convolution.

Between four neighbouring codes lies a cell of outputs, and at a whole magnification all cells are
alike: the same waves, the same weights. So all that follows the hidden map, the writer's last
layer, waves, damping and blending, is a matrix for each of four codes, and the sum of what they
make are the colours of a cell. At the photo's border it does not apply.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from liif_core.axes import Axis

#: Places nearer than this, in half code spacings, are the same: float32 tells no others apart.
ALIKE = 1e-6

#: Fewest cells for which the matrix is made.
FEWEST = 64


@dataclass(frozen=True)
class Cells:
    """The cells along an axis that are alike: g cells of s outputs each.

    Of the first and the last one, where outputs begin or end within it, some are not asked for.

    Attributes:
        start, stop: the outputs that are asked for.
        skipped: outputs of the first cell before them.
        first: the code before the first cell; cell i lies between codes first + i and the next.
        delta, weight: (2, s) as of `Axis`, seen from the code before and the one after.
    """

    start: int
    stop: int
    skipped: int
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
        return -(-(self.skipped + self.stop - self.start) // self.size)

    def wanted(self, first: int, last: int) -> tuple[slice, slice]:
        """Return which outputs of cells `first` … `last` - 1 are asked for: of theirs, of all."""
        begin, end = (self.start - self.skipped + cell * self.size for cell in (first, last))
        start, stop = max(begin, self.start), min(end, self.stop)
        return slice(start - begin, stop - begin), slice(start, stop)

    @classmethod
    def of(cls, axis: Axis) -> "Cells | None":
        """Return the cells along an axis; None where there are none, or none alike."""
        if len(axis.index) == 1:  # the nearest code alone answers
            return None
        which, lengths = axis.index.sum(dim=0).unique_consecutive(return_counts=True)
        between = (which % 2 == 1).nonzero().flatten()  # else a border's
        # A result that is so small that it leaves codes out has no cells.
        if len(between) == 0 or bool((which[between].diff() != 2).any()):
            return None
        start = int(lengths[: between[0]].sum())
        counts = lengths[between].tolist()
        size, stop = max(counts), start + sum(counts)
        skipped = size - counts[0]
        if (skipped and start) or (counts[-1] < size and stop < axis.index.shape[1]):
            return None
        whole = start + sum(counts[: counts.index(size)])
        place = (torch.arange(stop - start) + skipped) % size
        found = []
        for part in (axis.delta, axis.weight):
            found.append(cell := part[:, whole : whole + size])
            if float((part[:, start:stop] - cell[:, place]).abs().max()) > ALIKE:
                return None
        return cls(start, stop, skipped, int(axis.index[0, start]), *found)


def cells_of(rows: Axis, cols: Axis) -> tuple[Cells, Cells] | None:
    """Return the cells along both axes, or None if there are too few to be worth a matrix."""
    down, across = Cells.of(rows), Cells.of(cols)
    if down is None or across is None or down.count * across.count < FEWEST:
        return None
    return down, across
