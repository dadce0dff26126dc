"""What it takes to ask a heat field's codes along one axis: who answers where, and the waves."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from liif_core.axes import NEGLIGIBLE, Axis


class Reach(NamedTuple):
    """Which outputs along an axis each code answers: m codes that are asked, n outputs.

    Outputs are evenly apart. The answers of a code begin at the first output to which it matters.

    Attributes:
        codes: (m,) which latent rows (or columns), rising.
        starts: (m,) where the answers of each code begin, seen from it, in input pixels.
        which: (k, n) which of the codes each of an output's k neighbours is.
        number: (k, n) and which of its answers that output is.
    """

    codes: Tensor
    starts: Tensor
    which: Tensor
    number: Tensor

    @classmethod
    def of(cls, axis: Axis) -> "Reach":
        """Return the reach of the codes that matter to some outputs."""
        outputs = axis.index.shape[1]
        said = axis.weight > NEGLIGIBLE
        every = torch.arange(outputs).expand_as(axis.index)
        codes, asked = axis.index[said].unique(return_inverse=True)
        first = torch.full_like(codes, outputs).scatter_reduce(0, asked, every[said], "amin")
        which = torch.zeros_like(axis.index)  # of what does not matter, any code and answer
        number = torch.zeros_like(axis.index)
        which[said], number[said] = asked, every[said] - first[asked]
        return cls(codes, _positions(axis)[first] - codes, which, number)

    @property
    def most(self) -> int:
        """The most answers of a code."""
        return int(self.number.max()) + 1

    @property
    def rows(self) -> slice | Tensor:
        """The codes, as a slice if there is none between them that is not asked."""
        first, last = int(self.codes[0]), int(self.codes[-1])
        return slice(first, last + 1) if last - first < len(self.codes) else self.codes


class Waves(NamedTuple):
    """Sine and cosine of each of K waves at n places along an axis: (n, K) each."""

    sin: Tensor
    cos: Tensor

    @classmethod
    def at(cls, places: Tensor, omega: Tensor, device: torch.device) -> "Waves":
        """Return the waves of K frequencies along an axis at some places on it, in input pixels."""
        # In float64, and so on the CPU: MPS has none.
        phase = places[:, None] * omega.to("cpu", torch.float64)
        return cls(phase.sin().float().to(device), phase.cos().float().to(device))

    def crossed(self, across: "Waves") -> "Waves":
        """Return them at every crossing of rows and columns, (n, m, K) each: angle addition."""
        sin, cos = self.sin[:, None], self.cos[:, None]
        return Waves(
            sin * across.cos + cos * across.sin,
            cos * across.cos - sin * across.sin,
        )


class Band(NamedTuple):
    """Some outputs along an axis, with all that it takes to ask their codes: see `Reach`.

    Attributes:
        codes: m of them.
        starts: the waves where the answers of each code begin.
        answers: how many each code gives.
        places: (n, k) which answer each output is, for each of its k neighbours, if those of all
            codes stand in a row.
        weight: (n, k) as of `Axis`.
    """

    codes: slice | Tensor
    starts: Waves
    answers: int
    places: Tensor
    weight: Tensor

    def blended(self, answers: Tensor) -> Tensor:
        """Blend what the k neighbours of each output answered: (m · answers, …) -> (n, …)."""
        if answers.device.type == "cpu":
            return F.embedding_bag(self.places, answers, mode="sum", per_sample_weights=self.weight)
        return (answers[self.places] * self.weight[..., None]).sum(dim=1)


def bands(
    outputs: Axis, omega: Tensor, size: int, device: torch.device
) -> tuple[list[tuple[int, Band]], Waves]:
    """Cut the outputs along an axis into bands of a size.

    Args:
        omega: (K,) frequencies along the axis, in radians per input pixel.

    Returns:
        (first output, band) each, and the waves where the answers of a code stand, seen from where
        they begin.
    """
    count = outputs.index.shape[1]
    parts = [outputs.part(first, first + size) for first in range(0, count, size)]
    reaches = [Reach.of(part) for part in parts]
    most = max(reach.most for reach in reaches)
    found = []
    for number, (part, reach) in enumerate(zip(parts, reaches, strict=True)):
        places = (reach.which * most + reach.number).t().contiguous().to(device)
        starts = Waves.at(reach.starts, omega, device)
        weight, codes = part.weight.t().contiguous().to(device), reach.rows
        codes = codes if isinstance(codes, slice) else codes.to(device)
        found.append((number * size, Band(codes, starts, most, places, weight)))
    position = _positions(outputs)
    step = float(position[-1] - position[0]) / max(count - 1, 1)
    steps = torch.arange(most, dtype=torch.float64) * step
    return found, Waves.at(steps, omega, device)


def _positions(axis: Axis) -> Tensor:
    """Return where outputs lie, in input pixels from the first code's centre on: (n,) float64."""
    return axis.index[0].double() + axis.delta[0].double() / 2


def table_of(down: Waves, across: Waves, left: Tensor) -> Tensor:
    """Return 1, sin ω·u and cos ω·u, damped, at every crossing u: (1 + 2K, places)."""
    sin, cos = (left[:, None] * part.flatten(0, 1).t() for part in down.crossed(across))
    return torch.cat([torch.ones_like(sin[:1]), sin, cos])
