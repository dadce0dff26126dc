"""The query X-ray: one query of a LIIF taken apart, down to what each latent code says alone.

`LIIF.query` returns a colour. `explain_query` returns how it came about: which latent codes were
asked, where the query stands as each of them sees it, what each alone would answer, and with what
share (equation 4 of the paper) the answers are blended. Of a model that invents details from noise
it returns, besides, what of the noise was read, and what the colour would be without, and from
other seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from liif_core.errors import LiifError
from liif_core.liif import LIIF, Answers, Latents, noise_at
from liif_core.models import Model, seed_of
from liif_core.noise_field import LATTICES, Lattice

#: Red, green and blue, about [0, 1].
RGB = tuple[float, float, float]

#: Where the codes lie, seen from the query, in the order of `Explanation.codes`.
PLACES = ("above left", "above right", "below left", "below right")

#: How many other seeds tell what of a colour is chance.
OTHER_SEEDS = 16


class Part(NamedTuple):
    """Where the latents of a part of a photo lie in it.

    Attributes:
        top, left: the part's first row and column.
        height, width: of the whole photo.
    """

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class CodeAnswer:
    """What one latent code says about a query.

    Attributes:
        row, col: the code's place in the latent grid, which is its pixel's place in the photo.
        delta: (y, x) where the query stands, seen from the code, in half code spacings: (1, 1) is
            the lower right corner of the code's own cell (δ in equation 5).
        weight: the code's share of the colour, 0 … 1: the area of the rectangle between the query
            and the diagonally opposite code, among the four areas.
        base: the colour of the code's own pixel; black without local colour, since the decoder
            then says everything itself.
        correction: what the decoder f_θ adds to the base; without local colour, the answer.
        answer: base + correction: the colour on screen if this code alone were asked.
    """

    row: int
    col: int
    delta: tuple[float, float]
    weight: float
    base: RGB
    correction: RGB
    answer: RGB


class NoiseRead(NamedTuple):
    """What the decoder read of one channel of the noise field.

    Attributes:
        lattice: where the channel's random values lie, in photo pixels.
        value: of the field at the query, already fainter where the asked-for pixel is larger than
            the lattice is fine; see `noise_field`.
    """

    lattice: Lattice
    value: float


@dataclass(frozen=True)
class Chance:
    """What noise has to do with a colour.

    Attributes:
        seed: of the field that was read.
        read: each channel, and what was read of it.
        without: the colour if every channel were 0, its mean.
        others: the colours from the `OTHER_SEEDS` seeds that follow.
        spread: standard deviation of these colours, of each of the three: how far the colour is
            chance, and no evidence.
    """

    seed: int
    read: tuple[NoiseRead, ...]
    without: RGB
    others: tuple[RGB, ...]
    spread: RGB

    def __str__(self) -> str:
        lines = [f"noise of seed {self.seed}, by the pitch of its lattices in photo pixels:"]
        told = [f"{_pitch(one.lattice):>9} {one.value:+5.2f}" for one in self.read]
        lines += ["  ".join(told[at : at + 4]) for at in range(0, len(told), 4)]
        lines.append(f"if all noise were 0: {_text(self.without)}")
        lines.append(f"from {len(self.others)} other seeds: spread ± {_text(self.spread)}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Explanation:
    """One query taken apart.

    Attributes:
        coord: (y, x) in [-1, 1], what was asked for.
        cell: (height, width) of the asked-for pixel in the same frame.
        codes: what the four codes around the coordinate say, in the order of `PLACES`; at a border
            of the photo two of them are the same code. Without local ensemble, the nearest alone.
        colour: the sum of weight × answer over the codes: `LIIF.query`'s result. Not clamped.
        local_colour: whether a base is added to what the decoder says.
        chance: what noise has to do with it; None where the model reads none.
    """

    coord: tuple[float, float]
    cell: tuple[float, float]
    codes: tuple[CodeAnswer, ...]
    colour: RGB
    local_colour: bool
    chance: Chance | None = None

    def shifted(self, rows: int, cols: int) -> "Explanation":
        """Return the same with every code's place moved: for latents of a part of a photo."""
        codes = (replace(c, row=c.row + rows, col=c.col + cols) for c in self.codes)
        return replace(self, codes=tuple(codes))

    def __str__(self) -> str:
        lines = [f"query at y = {self.coord[0]:+.4f}, x = {self.coord[1]:+.4f}"]
        parts = "base + correction = answer" if self.local_colour else "answer"
        # As narrow as can be: a notebook breaks longer lines inside their numbers.
        lines.append(f"{'code':11} row,col    δy    δx weight {parts}")
        places = PLACES if len(self.codes) == len(PLACES) else ("nearest",)
        for place, code in zip(places, self.codes, strict=True):
            said = _text(code.answer)
            if self.local_colour:
                said = f"{_text(code.base)} {_text(code.correction, '+.3f')} = {said}"
            where = f"{code.row:3},{code.col:<3}"
            delta = " ".join(f"{value:+5.2f}" for value in code.delta)
            lines.append(f"{place:11} {where} {delta}  {code.weight:.3f} {said}")
        lines.append(f"sum of weight × answer: {_text(self.colour)}")
        if self.chance:
            lines.append(str(self.chance))
        return "\n".join(lines)


def explain_query(
    model: Model,
    latents: Latents,
    coord: Sequence[float],
    cell: Sequence[float],
    *,
    part: Part | None = None,
    seed: int | None = None,
) -> Explanation:
    """Take one query apart.

    Args:
        model: of any kind.
        latents: what `model.encode` returned for one photo, (1, C, H, W).
        coord: (y, x) in [-1, 1].
        cell: (height, width) of the asked-for pixel in the same frame, each at least 0.
        part: where the latents lie, if they are those of a part of the photo; coord and cell, and
            the noise, are those of the whole.
        seed: of the noise, for a model that reads some; None: the model's.

    Returns:
        the explanation; its colour equals `model.query`'s within 1e-5.

    Raises:
        LiifError: a coordinate outside the photo, a cell that is negative or not finite, or
            latents of several photos.
    """
    coord, cell = checked_query(coord, cell)
    if latents.codes.shape[0] != 1:
        raise LiifError(
            f"one query is explained at a time: give latents of 1 photo, not of "
            f"{latents.codes.shape[0]}"
        )
    height, width = latents.codes.shape[-2:]
    part = part or Part(0, 0, height, width)
    own = seed_of(model)
    if own is not None and seed is not None:
        own = seed
    noise = None if own is None else _noises(model, coord, cell, part, own)
    answers = _asked(model, latents, _within(coord, cell, part, (height, width)), noise)
    codes = _codes(answers, latents, local=model.config.local_colour)
    red, green, blue = (sum(c.weight * c.answer[k] for c in codes) for k in range(3))
    chance = None if noise is None or own is None else _chance(answers, noise, own)
    local = model.config.local_colour
    found = Explanation(coord, cell, codes, (red, green, blue), local, chance)
    return found.shifted(part.top, part.left)


def _within(
    coord: tuple[float, float], cell: tuple[float, float], part: Part, size: tuple[int, int]
) -> tuple[list[float], list[float]]:
    """Return coordinate and cell as they are in the frame of a part of `size` pixels."""
    asked, extent = [], []
    for axis, whole in enumerate((part.height, part.width)):
        at = (coord[axis] + 1) / 2 * whole - part[axis]
        asked.append(min(max(at / size[axis] * 2 - 1, -1.0), 1.0))
        extent.append(cell[axis] * whole / size[axis])
    return asked, extent


def _noises(
    model: Model, coord: tuple[float, float], cell: tuple[float, float], part: Part, seed: int
) -> Tensor:
    """Return what is read at one place: from a seed, nothing, and from others; (Q, channels)."""
    assert isinstance(model, LIIF)
    seeds = torch.tensor([seed, seed, *((seed + k) % 2**31 for k in range(1, OTHER_SEEDS + 1))])
    where, size = (torch.tensor([pair] * len(seeds), dtype=torch.float64) for pair in (coord, cell))
    found = noise_at(where, size, (part.height, part.width), seeds, model.config.noise)
    found[1] = 0
    return found


def _asked(
    model: Model, latents: Latents, query: tuple[list[float], list[float]], noise: Tensor | None
) -> Answers:
    """Ask for a pixel: once, or with each of several rows of noise."""
    device = latents.codes.device
    # float64 keeps the place inside a cell exact on large photos; MPS does not know it.
    dtype = torch.float32 if device.type == "mps" else torch.float64
    times = 1 if noise is None else len(noise)
    coord, cell = (
        torch.tensor([[pair]], dtype=dtype, device=device).expand(1, times, 2) for pair in query
    )
    with torch.no_grad():
        if noise is None:
            return model.answers(latents, coord, cell)
        assert isinstance(model, LIIF)
        return model.answers(latents, coord, cell, noise.to(latents.codes)[None])


def _codes(answers: Answers, latents: Latents, *, local: bool) -> tuple[CodeAnswer, ...]:
    """Return what each code says about the first of the pixels that were asked for."""
    codes = []
    for number in range(answers.weight.shape[2]):
        row, col = answers.index[0, 0, number].tolist()
        rgb = answers.rgb[0, 0, number].double().cpu() * 0.5 + 0.5
        base = latents.colours[0, :, row, col].double().cpu() * 0.5 + 0.5 if local else 0 * rgb
        codes.append(
            CodeAnswer(
                row=row,
                col=col,
                delta=tuple(answers.delta[0, 0, number].tolist()),
                weight=answers.weight[0, 0, number].item(),
                base=tuple(base.tolist()),
                correction=tuple((rgb - base).tolist()),
                answer=tuple(rgb.tolist()),
            )
        )
    return tuple(codes)


def _chance(answers: Answers, noise: Tensor, seed: int) -> Chance:
    """Return what noise has to do with a colour; see `_noises` for the order."""
    rgb, weight = answers.rgb[0].double().cpu(), answers.weight[0].double().cpu()
    colours = (rgb * weight[..., None]).sum(dim=1) * 0.5 + 0.5  # (Q, 3)
    read = zip(LATTICES, noise[0].tolist(), strict=False)
    return Chance(
        seed=seed,
        read=tuple(NoiseRead(lattice, value) for lattice, value in read),
        without=tuple(colours[1].tolist()),
        others=tuple(tuple(colour) for colour in colours[2:].tolist()),
        spread=tuple(colours[2:].std(dim=0).tolist()),
    )


def checked_query(
    coord: Sequence[float], cell: Sequence[float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return coordinate and cell as pairs of floats.

    Raises:
        LiifError: a coordinate outside [-1, 1], or a cell that is negative or not finite.
    """
    return _pair(coord, "the coordinate", -1, 1), _pair(cell, "the cell", 0, float("inf"))


def _pair(values: Sequence[float], what: str, low: float, high: float) -> tuple[float, float]:
    first, second = (float(value) for value in values)
    if not (low <= first <= high and low <= second <= high) or float("inf") in (first, second):
        bounds = f"in [{low:g}, {high:g}]" if high < float("inf") else "finite and at least 0"
        raise LiifError(
            f"{what} must be two numbers {bounds}, vertical first; got {first:g}, {second:g}"
        )
    return first, second


def _pitch(lattice: Lattice) -> str:
    """Return a lattice's pitch in words."""
    square = lattice.along == lattice.across
    return f"{lattice.along:g}" if square else f"{lattice.along:g}×{lattice.across:g}"


def _text(rgb: RGB, form: str = ".3f") -> str:
    """Return three numbers to three decimals, without the sign of a zero."""
    return " ".join(f"{round(value, 3) + 0.0:{form}}" for value in rgb)
