"""Rows of a result cut into bands for blocks, and what a band needs of the latent rows."""

from bisect import bisect_left
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from liif_core.axes import Axis
from liif_core.folded_block import Row


class Near(NamedTuple):
    """One latent row beside each output of a result, with all that its blocks need of it.

    Attributes:
        outputs: to which it has something to say, in order; None if they are all.
        codes: which latent row.
        weight: (n, 1).
        least: (n, units) each, and
        common: (n, 3), as of `Row`.
    """

    outputs: list[int] | None
    codes: list[int]
    weight: Tensor
    least: list[Tensor]
    common: Tensor

    @classmethod
    def of(cls, rows: Axis, least: list[Tensor], common: Tensor) -> "list[Near]":
        """Return all of them.

        Args:
            least, common: for each neighbour of all rows.
        """
        found = []
        for k, one in enumerate(rows.neighbours()):
            outputs = None if isinstance(one.outputs, slice) else one.outputs.tolist()
            *known, last = (table[k][one.outputs].contiguous() for table in (*least, common))
            found.append(cls(outputs, one.code.tolist(), one.weight[:, None], known, last))
        return found

    def row(self, band: range) -> Row | None:
        """Return what a block of some rows needs of it; None if it says nothing to them."""
        start, stop, outputs = band.start, band.stop, None
        if self.outputs is not None:
            start, stop = (bisect_left(self.outputs, edge) for edge in (start, stop))
            if start == stop:
                return None
            if stop - start < len(band):
                outputs = self.common.new_tensor(self.outputs[start:stop], dtype=torch.int64)
                outputs -= band.start
        groups = [(code, len(list(same))) for code, same in groupby(self.codes[start:stop])]
        codes, runs = ([group[part] for group in groups] for part in (0, 1))
        asked, counts = (self.common.new_tensor(few, dtype=torch.int64) for few in (codes, runs))
        which = None if len(codes) == 1 else torch.repeat_interleave(counts)
        least = [table[start:stop] for table in self.least]
        weight, common = self.weight[start:stop], self.common[start:stop]
        return Row(outputs, asked, which, runs, weight, least, common)


class Band(NamedTuple):
    """Rows of a result, with all that their blocks have in common.

    Attributes:
        rows: which they are.
        near: what they need of each latent row.
    """

    rows: slice
    near: list[Row]

    @classmethod
    def of(cls, near: list[Near], band: range) -> "Band":
        """Return the band of some rows."""
        rows = [one.row(band) for one in near]
        return cls(slice(band.start, band.stop), [row for row in rows if row is not None])


def bands(alike: list[int], tall: int) -> list[range]:
    """Cut rows into bands of at most `tall`, if possible where other codes are asked.

    Args:
        alike: how many rows after one another ask the same codes.
    """
    bands: list[range] = []
    top = bottom = 0
    for rows in alike:
        if bottom + rows - top > tall and bottom > top:
            bands.append(range(top, bottom))
            top = bottom
        end = bottom + rows
        while end - top > tall:  # into even parts
            middle = top + -(-(end - top) // -(-(end - top) // tall))
            bands.append(range(top, middle))
            top = middle
        bottom = end
    return [*bands, range(top, bottom)]
