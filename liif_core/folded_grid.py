"""A LIIF's decoder on a grid: between two matrix products stands one maximum, and nothing else.

relu(x + s) = max(x, −s) + s, and the next layer makes W·max(x, −s) + W·s of it. So neither a bias,
nor what all outputs of a row have in common (where they stand along y beside their code), is ever
added to the activations, outputs × hidden numbers: it goes through the layers beside them, a vector
for each row, and where ReLU looks at zero, one looks at −s instead. That is the same function, to
the rounding of float32, and fewer passes over the activations.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from liif_core import workers
from liif_core.axes import Axis

#: Output pixels decoded at a time: few enough for a CPU's second-level cache, and enough that the
#: workers, who take turns in Python between two operations, seldom wait for one another.
CHUNK_PIXELS = 6144

#: A small result is cut into four, so that two workers end together, down to so many pixels.
LEAST_PIXELS = 768

#: Most rows of a block because they ask the same codes.
TALLEST = 16

#: Output pixels at a time for accelerators, which want work for all their cores at once: 64 MB an
#: activation.
ACCELERATOR_CHUNK_PIXELS = 1 << 18


@dataclass(frozen=True)
class Layers:
    """The layers of a decoder from its hidden map on.

    Attributes:
        delta: (2, hidden) what one of δ along y and x adds to the first layer.
        cell: (hidden,) what the cell adds to it.
        rest: weight (out, in) and bias (out,) of each layer that follows.
        dtype: what hidden layers are computed in; the last one is in that of its weights.
    """

    delta: Tensor
    cell: Tensor
    rest: Sequence[tuple[Tensor, Tensor]]
    dtype: torch.dtype

    @functools.cached_property
    def products(self) -> list[Tensor]:
        """The hidden layers' weights as matrix products read them fastest, (in, out)."""
        return [weight.t().contiguous() for weight, _ in self.rest[:-1]]

    @functools.cached_property
    def reduced(self) -> list[tuple[Tensor, Tensor]]:
        """The hidden layers in another dtype."""
        return [(w.to(self.dtype), b.to(self.dtype)) for w, b in self.rest[:-1]]

    @property
    def exact(self) -> bool:
        """Whether nothing is rounded to another dtype."""
        return self.dtype == self.delta.dtype

    def shifts(self, delta: Tensor) -> list[Tensor]:
        """Return what a row's outputs have in common behind each layer: (k, h, units) each.

        Args:
            delta: (k, h) where the rows stand along y, seen from their codes; see `Axis`.
        """
        found = [delta[..., None] * self.delta[0]]
        for weight, bias in self.rest if self.exact else self.rest[-1:]:
            known = F.linear(found[-1], weight, bias) if self.exact else bias
            found.append(known.expand(*delta.shape, len(bias)))
        return found

    def answers(self, near: Tensor, shifts: list[Tensor]) -> Tensor:
        """Compute what codes answer.

        Args:
            near: (h, w, hidden), or (1, w, hidden) for all rows: the first layer, without `shifts`.
            shifts: of the rows, (h, units) each.

        Returns:
            (3, h, w), or (3, 1, w) for all rows, without the last of the shifts.
        """
        if not self.rest:
            return near.permute(2, 0, 1)
        size = (len(shifts[0]), near.shape[1])
        if self.exact:
            x = torch.clamp(near.expand(size[0], -1, -1), min=-shifts[0][:, None])
            for weight, shift in zip(self.products, shifts[1:], strict=False):
                x = torch.mm(x.flatten(0, 1), weight).view(*size, weight.shape[1])
                torch.clamp(x, min=-shift[:, None], out=x)
        else:
            x = (near.to(self.dtype) + shifts[0][:, None].to(self.dtype)).relu_()
            for weight, bias in self.reduced:
                x = F.linear(x, weight, bias).relu_()
        last, _ = self.rest[-1]
        return torch.mm(last, x.flatten(0, 1).to(last.dtype).t()).view(3, *size)


class _Column(NamedTuple):
    """One latent column beside each output of a strip: see `Neighbour`.

    Attributes:
        outputs, code, weight: as there.
        term: (n, hidden) what the place along x, and the cell, add to the first layer.
    """

    outputs: slice | Tensor
    code: Tensor
    weight: Tensor
    term: Tensor


class _Row(NamedTuple):
    """One latent row beside each output of a band: see `Neighbour`.

    Attributes:
        outputs: as there.
        codes: which latent rows, each once.
        which: (n,) of these; None if there is one for all.
        weight: (n, 1).
        shifts: (n, units) behind each layer: see `Layers`.
    """

    outputs: slice | Tensor
    codes: Tensor
    which: Tensor | None
    weight: Tensor
    shifts: list[Tensor]


class _Band(NamedTuple):
    """Rows of a result, with all that their blocks have in common.

    Attributes:
        rows: which they are.
        height: how many.
        near: what they need of each latent row.
    """

    rows: slice
    height: int
    near: list[_Row]

    @classmethod
    def of(cls, axis: Axis, shifts: list[Tensor], rows: range) -> "_Band":
        """Return the band of some rows; `axis` and `shifts` are those of all rows."""
        part, near = slice(rows.start, rows.stop), []
        for k, one in enumerate(axis.part(rows.start, rows.stop).neighbours()):
            codes, which = one.code.unique_consecutive(return_inverse=True)
            chosen = None if len(codes) == 1 else which
            known = [table[k, part][one.outputs] for table in shifts]
            near.append(_Row(one.outputs, codes, chosen, one.weight[:, None], known))
        return cls(part, len(rows), near)


class _Strip:
    """Columns of a result, of all rows.

    Args:
        layers: the decoder's.
        hidden, colours: as for `decode`.
        cols: of the strip.
        result: (h, w, 3), its place.
        noise: of some of its rows, (h, w, hidden), what it adds to the first layer; if it does.
    """

    def __init__(
        self,
        layers: Layers,
        hidden: Tensor,
        colours: Tensor | None,
        cols: Axis,
        result: Tensor,
        noise: Callable[[slice], Tensor] | None,
    ) -> None:
        # Only the columns that this strip touches: copying whole latent rows for a narrow one
        # would cost more than decoding it.
        codes = slice(int(cols.index.min()), int(cols.index.max()) + 1)
        self.layers, self.result, self.width = layers, result, result.shape[1]
        self.noise = noise
        self.hidden = hidden[:, codes]
        self.columns = [
            _Column(
                one.outputs,
                one.code,
                one.weight,
                one.delta[:, None] * layers.delta[1] + layers.cell,
            )
            for one in cols.shifted(codes.start).neighbours()
        ]
        self.own = None if colours is None else self._across(colours[:, codes].permute(2, 0, 1))

    def _across(self, colours: Tensor) -> Tensor:
        """Blend the codes' own colours, (3, H, W) in [-1, 1], along x: (3, H, w)."""
        blended = self.result.new_zeros(3, colours.shape[1], self.width)
        for column in self.columns:
            blended[:, :, column.outputs] += colours[:, :, column.code] * column.weight
        return blended

    def decode(self, band: _Band) -> int:
        """Decode a block; return how many pixels it has."""
        total = self.result.new_zeros(3, band.height, self.width)
        noise = None if self.noise is None else self.noise(band.rows)
        for row in band.near:
            blended = self._blended(row, None if noise is None else noise[row.outputs])
            if isinstance(row.outputs, slice):
                total.addcmul_(blended, row.weight)
            else:
                total[:, row.outputs] += blended.mul_(row.weight)
        torch.mul(total.permute(1, 2, 0), 0.5, out=self.result[band.rows]).add_(0.5)
        return band.height * self.width

    def _blended(self, row: _Row, noise: Tensor | None) -> Tensor:
        """Blend along x what the codes of a row answer: (3, h, w) in [-1, 1]."""
        total = self.result.new_zeros(3, len(row.weight), self.width)
        # The last shift is the same for all columns, whose weights add up to one.
        total += row.shifts[-1].t()[:, :, None]
        if self.own is not None:
            own = self.own.index_select(1, row.codes)
            total += own if row.which is None else own.index_select(1, row.which)
        near = self.hidden.index_select(0, row.codes)
        for column in self.columns:
            x = near.index_select(1, column.code).to(column.term.dtype).add_(column.term)
            if row.which is not None:
                x = x.index_select(0, row.which)
            if noise is not None:
                x = x + noise[:, column.outputs]
            said = self.layers.answers(x, row.shifts)
            if isinstance(column.outputs, slice):
                total.addcmul_(said, column.weight)
            else:
                total[:, :, column.outputs] += said.mul_(column.weight)
        return total


def decode(
    layers: Layers,
    hidden: Tensor,
    colours: Tensor | None,
    rows: Axis,
    cols: Axis,
    tick: Callable[[int], None] | None = None,
    noise: Callable[[Axis, Axis], Tensor] | None = None,
) -> Tensor:
    """Ask for the colour at every crossing of `rows` and `cols`; see `FoldedDecoder.grid`.

    Args:
        colours: what answers are corrections of, if they are.
        noise: at some rows and columns, what it adds to the first layer, (h, w, hidden), if any is
            read.

    Returns:
        (h, w, 3) float32.
    """
    height, width = rows.index.shape[1], cols.index.shape[1]
    on_cpu = hidden.device.type == "cpu"
    chunk = _chunk(height * width) if on_cpu else ACCELERATOR_CHUNK_PIXELS
    result = hidden.new_empty(height, width, 3, dtype=torch.float32)
    needed = slice(int(rows.index.min()), int(rows.index.max()) + 1)
    rows, hidden = rows.shifted(needed.start), hidden[needed]
    colours = None if colours is None else colours[needed]
    _, alike = rows.index.sum(dim=0).unique_consecutive(return_counts=True)
    tall = _tall(int(alike.max()), chunk, width)
    span = -(-width // -(-width // max(1, chunk // tall)))  # wide rows are cut into even parts
    tall = min(tall, max(1, chunk // span))
    shifts = layers.shifts(rows.delta)
    bands = [_Band.of(rows, shifts, band) for band in _bands(alike.tolist(), tall)]
    tasks: list[Callable[[], int]] = []
    for left in range(0, width, span):
        part = cols.part(left, min(left + span, width))
        read = None
        if noise is not None:

            def read(band: slice, cols: Axis = part) -> Tensor:
                return noise(rows.part(band.start, band.stop), cols)

        strip = _Strip(layers, hidden, colours, part, result[:, left : left + span], read)
        tasks += [functools.partial(strip.decode, band) for band in bands]
    share = workers.run if on_cpu else workers.one_by_one
    with torch.autocast(hidden.device.type, enabled=False):
        share(lambda task: task(), tasks, tick)
    return result


def _chunk(pixels: int) -> int:
    """Return how many of a result's pixels a CPU's worker decodes at a time."""
    return min(CHUNK_PIXELS, max(LEAST_PIXELS, -(-pixels // 4)))


def _tall(alike: int, chunk: int, width: int) -> int:
    """Return the most rows of a block, of which `alike` ask the same codes."""
    return max(-(-alike // -(-alike // TALLEST)), chunk // width, 1)


def _bands(alike: list[int], tall: int) -> list[range]:
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
