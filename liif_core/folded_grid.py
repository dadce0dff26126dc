"""A LIIF's decoder on a grid: between two matrix products stands one maximum, and nothing else.

relu(x + s) = max(x, −s) + s, and the next layer makes W·max(x, −s) + W·s of it. So neither a bias,
nor what all outputs of a row have in common (where they stand along y beside their code), is ever
added to the activations, outputs × hidden numbers: it goes through the layers beside them, a vector
for each row, and where ReLU looks at zero, one looks at −s instead. That is the same function, to
the rounding of float32, and fewer passes over the activations.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from liif_core import folded_block, workers
from liif_core.axes import Axis
from liif_core.folded_block import Column, Layers, Row
from liif_core.scripted import scripted

#: Output pixels decoded at a time: few enough for a CPU's second-level cache.
CHUNK_PIXELS = 3072

#: A small result is cut into four, so that two workers end together, down to so many pixels.
LEAST_PIXELS = 768

#: Most rows of a block because they ask the same codes.
TALLEST = 16

#: Output pixels at a time for accelerators, which want work for all their cores at once: 64 MB an
#: activation.
ACCELERATOR_CHUNK_PIXELS = 1 << 18


class Reading(NamedTuple):
    """How a decoder reads its hidden map.

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

    @property
    def exact(self) -> bool:
        """Whether nothing is rounded to another dtype."""
        return self.dtype == self.delta.dtype

    def layers(self) -> Layers:
        """Return the layers that follow the first one."""
        last = self.rest[-1][0] if self.rest else None
        if self.exact:
            weights = [weight.t().contiguous() for weight, _ in self.rest[:-1]]
            return Layers(True, weights, [], last)
        weights, biases = (
            [pair[part].to(self.dtype) for pair in self.rest[:-1]] for part in (0, 1)
        )
        return Layers(False, weights, biases, last)

    def shifts(self, delta: Tensor) -> list[Tensor]:
        """Return what a row's outputs have in common behind each layer: (k, h, units) each; if not
        exact, behind the first one and the last one.

        Args:
            delta: (k, h) where the rows stand along y, seen from their codes; see `Axis`.
        """
        found = [delta[..., None] * self.delta[0]]
        for weight, bias in self.rest if self.exact else self.rest[-1:]:
            known = F.linear(found[-1], weight, bias) if self.exact else bias
            found.append(known.expand(*delta.shape, len(bias)))
        if not self.exact and self.rest:
            found[0] = found[0].to(self.dtype)
        return found


class _Band(NamedTuple):
    """Rows of a result, with all that their blocks have in common.

    Attributes:
        rows: which they are.
        near: what they need of each latent row.
    """

    rows: slice
    near: list[Row]

    @classmethod
    def of(cls, axis: Axis, least: list[Tensor], common: Tensor, rows: range) -> "_Band":
        """Return the band of some rows.

        Args:
            axis: of all rows.
            least, common: as of `Row`, for each neighbour of all rows.
        """
        part, near = slice(rows.start, rows.stop), []
        for k, one in enumerate(axis.part(rows.start, rows.stop).neighbours()):
            codes, which = one.code.unique_consecutive(return_inverse=True)
            chosen = None if len(codes) == 1 else which
            known = [table[k, part][one.outputs].contiguous() for table in (*least, common)]
            outputs, weight = _all_or(one.outputs), one.weight[:, None]
            near.append(Row(outputs, codes, chosen, weight, known[:-1], known[-1]))
        return cls(part, near)


def _all_or(outputs: slice | Tensor) -> Tensor | None:
    """Return which outputs, as a block wants it."""
    return None if isinstance(outputs, slice) else outputs


class _Strip:
    """Columns of a result, of all rows.

    Args:
        reading, layers: the decoder's.
        hidden, colours: as for `decode`.
        cols: of the strip.
        result: (h, w, 3), its place.
        noise: of some of its rows, (h, w, hidden), what it adds to the first layer; if it does.
    """

    def __init__(
        self,
        reading: Reading,
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
        self.layers, self.result, self.noise = layers, result, noise
        self.hidden = hidden[:, codes]
        self.columns = [
            Column(
                _all_or(one.outputs),
                one.code,
                one.weight,
                one.delta[:, None] * reading.delta[1] + reading.cell,
            )
            for one in cols.shifted(codes.start).neighbours()
        ]
        self.own = None if colours is None else self._across(colours[:, codes].permute(2, 0, 1))
        block = folded_block.decode
        self.run = scripted(block) if hidden.device.type == "cpu" else block

    def _across(self, colours: Tensor) -> Tensor:
        """Blend the codes' own colours, (3, H, W) in [-1, 1], along x: (3, H, w)."""
        blended = self.result.new_zeros(3, colours.shape[1], self.result.shape[1])
        for column in self.columns:
            which = slice(None) if column.outputs is None else column.outputs
            blended[:, :, which] += colours[:, :, column.code] * column.weight
        return blended

    def decode(self, band: _Band) -> int:
        """Decode a block; return how many pixels it has."""
        noise = None if self.noise is None else self.noise(band.rows)
        block = self.result[band.rows]
        self.run(self.layers, self.hidden, self.own, noise, band.near, self.columns, block)
        return block.shape[0] * block.shape[1]


def decode(
    reading: Reading,
    hidden: Tensor,
    colours: Tensor | None,
    rows: Axis,
    cols: Axis,
    tick: Callable[[int], None] | None = None,
    noise: Callable[[Axis, Axis], Tensor] | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Ask for the colour at every crossing of `rows` and `cols`; see `FoldedDecoder.grid`.

    Args:
        colours: what answers are corrections of, if they are.
        noise: at some rows and columns, what it adds to the first layer, (h, w, hidden), if any is
            read.
        out: where the result goes; None: it is made.

    Returns:
        (h, w, 3) float32.
    """
    height, width = rows.index.shape[1], cols.index.shape[1]
    on_cpu = hidden.device.type == "cpu"
    chunk = _chunk(height * width) if on_cpu else ACCELERATOR_CHUNK_PIXELS
    result = result_of(hidden, height, width, out)
    needed = slice(int(rows.index.min()), int(rows.index.max()) + 1)
    rows, hidden = rows.shifted(needed.start), hidden[needed]
    colours = None if colours is None else colours[needed]
    _, alike = rows.index.sum(dim=0).unique_consecutive(return_counts=True)
    tall = _tall(int(alike.max()), chunk, width)
    span = -(-width // -(-width // max(1, chunk // tall)))  # wide rows are cut into even parts
    tall = min(tall, max(1, chunk // span))
    *shifts, common = reading.shifts(rows.delta)
    if not shifts:  # one layer in all
        shifts = [common]
    least, layers = [-shift for shift in shifts], reading.layers()
    bands = [_Band.of(rows, least, common, band) for band in _bands(alike.tolist(), tall)]
    tasks: list[Callable[[], int]] = []
    for left in range(0, width, span):
        part = cols.part(left, min(left + span, width))
        read = None
        if noise is not None:

            def read(band: slice, cols: Axis = part) -> Tensor:
                return noise(rows.part(band.start, band.stop), cols)

        strip = _Strip(reading, layers, hidden, colours, part, result[:, left : left + span], read)
        tasks += [functools.partial(strip.decode, band) for band in bands]
    share = workers.run if on_cpu else workers.one_by_one
    with torch.autocast(hidden.device.type, enabled=False):
        share(lambda task: task(), tasks, tick)
    return result


def result_of(hidden: Tensor, height: int, width: int, out: Tensor | None) -> Tensor:
    """Return where a result goes: to `out`, or a new tensor on the device of `hidden`."""
    return hidden.new_empty(height, width, 3, dtype=torch.float32) if out is None else out


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
