"""The query X-ray: one query of a LIIF taken apart, down to what each latent code says alone.

`LIIF.query` returns a colour. `explain_query` returns how it came about: which latent codes were
asked, where the query stands as each of them sees it, what each alone would answer, and with what
share (equation 4 of the paper) the answers are blended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from liif_core.errors import LiifError
from liif_core.liif import Latents
from liif_core.models import Model

#: Red, green and blue, about [0, 1].
RGB = tuple[float, float, float]

#: Where the codes lie, seen from the query, in the order of `Explanation.codes`.
PLACES = ("above left", "above right", "below left", "below right")


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
    """

    coord: tuple[float, float]
    cell: tuple[float, float]
    codes: tuple[CodeAnswer, ...]
    colour: RGB
    local_colour: bool

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
        return "\n".join(lines)


def explain_query(
    model: Model, latents: Latents, coord: Sequence[float], cell: Sequence[float]
) -> Explanation:
    """Take one query apart.

    Args:
        model: of any kind.
        latents: what `model.encode` returned for one photo, (1, C, H, W).
        coord: (y, x) in [-1, 1].
        cell: (height, width) of the asked-for pixel in the same frame, each at least 0.

    Returns:
        the explanation; its colour equals `model.query`'s within 1e-5.

    Raises:
        LiifError: a coordinate outside the photo, a cell that is negative or not finite, or
            latents of several photos.
    """
    (y, x), (height, width) = checked_query(coord, cell)
    if latents.codes.shape[0] != 1:
        raise LiifError(
            f"one query is explained at a time: give latents of 1 photo, not of "
            f"{latents.codes.shape[0]}"
        )
    device = latents.codes.device
    # float64 keeps the place inside a cell exact on large photos; MPS does not know it.
    dtype = torch.float32 if device.type == "mps" else torch.float64
    asked = torch.tensor([[[y, x]]], dtype=dtype, device=device)
    size = torch.tensor([[[height, width]]], dtype=dtype, device=device)
    with torch.no_grad():
        answers = model.answers(latents, asked, size)
    local = model.config.local_colour
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
    red, green, blue = (sum(c.weight * c.answer[k] for c in codes) for k in range(3))
    return Explanation((y, x), (height, width), tuple(codes), (red, green, blue), local)


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


def _text(rgb: RGB, form: str = ".3f") -> str:
    """Return three numbers to three decimals, without the sign of a zero."""
    return " ".join(f"{round(value, 3) + 0.0:{form}}" for value in rgb)
