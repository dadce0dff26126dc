"""Where outputs stand among the latent codes, along one axis: on a grid, all there is to know."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from liif_core.coords import centre_of, nearest_index
from liif_core.liif import EPSILON

#: What is weighted less than this does not change a float32 between 0 and 1.
NEGLIGIBLE = 1e-8


class Neighbour(NamedTuple):
    """One of the neighbours along an axis, for the outputs to which it has something to say.

    Attributes:
        outputs: which; a slice if they are all.
        code: which latent row (or column).
        delta, weight: as in `Axis`.
    """

    outputs: slice | Tensor
    code: Tensor
    delta: Tensor
    weight: Tensor


@dataclass(frozen=True)
class Axis:
    """Where the outputs along one axis stand among the latent codes: n outputs, k = 2 neighbours
    (before, after), or k = 1 without local ensemble.

    Attributes:
        index: (k, n) int64, which latent row (or column).
        delta: (k, n) position seen from that code, in half code spacings.
        weight: (k, n) share of each neighbour; a code's weight is the product over both axes.
        position: (n,) float64, where the outputs lie, in pixels of the whole photo; for decoders
            that read noise there.
        step: size of an output, in the same.
    """

    index: Tensor
    delta: Tensor
    weight: Tensor
    position: Tensor | None = None
    step: float = 1.0

    def part(self, start: int, stop: int) -> "Axis":
        """Return outputs `start` … `stop` - 1 alone."""
        tables = (self.index, self.delta, self.weight)
        index, delta, weight = (table[:, start:stop] for table in tables)
        position = None if self.position is None else self.position[start:stop]
        return Axis(index, delta, weight, position, self.step)

    def neighbours(self) -> list[Neighbour]:
        """Return the k neighbours, each without the outputs to which it does not matter.

        Where an output lies on a code, as every third does at ×3, the other code is not asked.
        """
        found = []
        for index, delta, weight in zip(self.index, self.delta, self.weight, strict=True):
            said = weight > NEGLIGIBLE
            which = slice(None) if bool(said.all()) else said.nonzero().flatten()
            found.append(Neighbour(which, index[which], delta[which], weight[which]))
        return found

    def shifted(self, origin: int) -> "Axis":
        """Return the same places on a latent grid that begins at code `origin`."""
        return replace(self, index=self.index - origin)


def axis_neighbours(coord: Tensor, n: int, *, local_ensemble: bool) -> Axis:
    """Find the latent neighbours of coordinates along one axis.

    Args:
        coord: (...) coordinates in [-1, 1]; pass float64 for photos over a few thousand pixels.
        n: latent codes along the axis.
        local_ensemble: two neighbours each, or the nearest alone.

    Returns:
        tables of shape (k, ...), δ and weight in `coord`'s dtype.
    """
    steps = (-1 / n, 1 / n) if local_ensemble else (0.0,)
    index = torch.stack([nearest_index(coord + step, n) for step in steps])
    delta = (coord - centre_of(index, n, dtype=coord.dtype).to(coord.device)) * n
    weight = (delta.abs() + EPSILON).flip(0)  # the opposite side's length: see LIIF.answers
    return Axis(index, delta, weight / weight.sum(dim=0))
