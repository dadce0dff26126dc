"""A heat field at a whole magnification, as at ×2 or ×12: one 2×2 convolution.

Between four neighbouring codes lies a cell of outputs, and at a whole magnification all cells are
alike: the same waves, the same weights. So all that follows the hidden map, the writer's last
layer, waves, damping and blending, is a matrix for each of four codes, and the sum of what they
make is the colours of a cell. At the photo's border it does not apply.
"""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from liif_core.axes import Axis
from liif_core.heat_bands import Waves, table_of

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


class Tables(NamedTuple):
    """What turns the four codes around a cell into its n outputs, in [0, 1].

    Attributes:
        codes: of each, (width, n · 3): above on the left, above on the right, below.
        own: of all four's own pixels in [-1, 1], (12, n · 3).
        constant: (1, n · 3).
    """

    codes: list[Tensor]
    own: Tensor
    constant: Tensor

    def said(self, hidden: list[Tensor], own: list[Tensor]) -> Tensor:
        """Return the colours of cells between rows of codes: (codes above, n · 3).

        The rows follow each other as one list, in which a code's right neighbour is the next: what
        the four say are products of parts of the list. The last one's is not written.

        Args:
            hidden: (codes, width) above the cells, and as many below.
            own: (codes, 3) in [-1, 1], their own pixels.
        """
        result = hidden[0].new_empty(len(hidden[0]), self.constant.shape[1])
        colours = torch.cat([part for row in own for part in (row[:-1], row[1:])], dim=1)
        torch.addmm(self.constant, colours, self.own, out=result[:-1])
        near = [part for row in hidden for part in (row[:-1], row[1:])]
        for codes, table in zip(near, self.codes, strict=True):
            result[:-1].addmm_(codes, table)
        return result


def tables_of(
    last: tuple[Tensor, Tensor], omega: Tensor, cells: tuple[Cells, Cells], left: Tensor
) -> Tables:
    """Return the tables of cells.

    Args:
        last: weight and bias of the writer's last layer.
        omega: (K, 2) frequencies.
        cells: down and across.
        left: (K,) what a pixel's size leaves of each wave.
    """
    weight, bias = (part.detach().unflatten(0, (3, -1)) for part in last)
    rows, cols = (
        [
            (Waves.at(delta.double() / 2, along, left.device), share.to(left.device))
            for delta, share in zip(part.delta, part.weight, strict=True)
        ]
        for along, part in zip(omega.unbind(dim=1), cells, strict=True)
    )
    codes, own, constant = [], [], []
    for (wave_y, share_y), (wave_x, share_x) in itertools.product(rows, cols):
        share = (share_y[:, None] * share_x).flatten()  # (outputs,)
        table = table_of(wave_y, wave_x, left) * share
        # Half of everything: [-1, 1] becomes [0, 1].
        codes.append((weight.mT @ table / 2).permute(1, 2, 0).flatten(1))
        colour = torch.eye(3, device=left.device)[:, None] * share[:, None] / 2
        own.append(colour.flatten(1))  # (3, outputs · 3)
        constant.append((bias @ table + share).mT.flatten() / 2)
    return Tables(codes, torch.cat(own), torch.stack(constant).sum(dim=0, keepdim=True))
