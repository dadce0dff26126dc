"""A LIIF's decoder on a grid: between two matrix products stands one maximum, and nothing else.

relu(x + s) = max(x, −s) + s, and the next layer makes W·max(x, −s) + W·s of it. So neither a bias,
nor what all outputs of a row have in common (where they stand along y beside their code), is ever
added to the activations, outputs × hidden numbers: it goes through the layers beside them, a vector
for each row, and where ReLU looks at zero, one looks at −s instead. That is the same function, to
the rounding of float32, and fewer passes over the activations.
"""

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from liif_core import folded_block, workers
from liif_core.axes import Axis, Neighbour
from liif_core.folded_bands import Band, Near, bands
from liif_core.folded_block import Asked, Column, Layers
from liif_core.folded_quick import Scratch, scratches
from liif_core.scripted import scripted

#: Output pixels decoded at a time: few enough for a CPU's second-level cache.
CHUNK_PIXELS = 3072

#: The same in bfloat16, where products take less time, and calls no less.
QUICK_CHUNK_PIXELS = 8192

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
        corrects: whether answers are corrections of the codes' own colours, of at most a few
            tenths: then, if it is quick, the last layer is rounded, too.
    """

    delta: Tensor
    cell: Tensor
    rest: Sequence[tuple[Tensor, Tensor]]
    dtype: torch.dtype
    corrects: bool

    @property
    def exact(self) -> bool:
        """Whether nothing is rounded to another dtype."""
        return self.dtype == self.delta.dtype

    @property
    def quick(self) -> bool:
        """Whether products are so soon done that what is beside them counts: see `folded_quick`."""
        able = self.delta.is_cpu and bool(self.rest)
        return able and (self.delta.dtype, self.dtype) == (torch.float32, torch.bfloat16)

    def layers(self) -> Layers:
        """Return the layers that follow the first one."""
        last = self.rest[-1][0] if self.rest else None
        if last is not None and self.quick and self.corrects:
            last = last.to(self.dtype)
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
        if not self.exact and self.rest and not self.quick:
            found[0] = found[0].to(self.dtype)
        return found

    def asked(self, neighbours: list[Neighbour], width: int) -> list[Asked]:
        """Return how the columns beside `width` outputs are asked: in turn; if quick, together."""
        columns = [Column(_all_or(one.outputs), one.weight) for one in neighbours]
        terms = [one.delta[:, None] * self.delta[1] + self.cell for one in neighbours]
        if self.quick:
            code = torch.cat([one.code for one in neighbours])
            outputs = torch.cat([torch.arange(width)[one.outputs] for one in neighbours])
            return [Asked(columns, code, torch.cat(terms), outputs)]
        return [
            Asked([column], one.code, term, column.outputs)
            for column, one, term in zip(columns, neighbours, terms, strict=True)
        ]


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
        spare: lends a block its scratch, if it needs any.
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
        spare: Callable[[], AbstractContextManager[Scratch | None]],
    ) -> None:
        # Only the columns that this strip touches: copying whole latent rows for a narrow one
        # would cost more than decoding it.
        codes = slice(int(cols.index.min()), int(cols.index.max()) + 1)
        self.layers, self.result, self.noise, self.spare = layers, result, noise, spare
        self.hidden = hidden[:, codes]
        near = cols.shifted(codes.start).neighbours()
        self.beside = reading.asked(near, cols.index.shape[1])
        self.own = None
        if colours is not None:
            self.own = self._across(colours[:, codes].permute(2, 0, 1), near)
        block = folded_block.decode
        self.run = scripted(block) if hidden.device.type == "cpu" else block

    def _across(self, colours: Tensor, near: list[Neighbour]) -> Tensor:
        """Blend the codes' own colours, (3, H, W) in [-1, 1], along x: (3, H, w)."""
        blended = self.result.new_zeros(3, colours.shape[1], self.result.shape[1])
        for one in near:
            blended[:, :, one.outputs] += colours.index_select(2, one.code) * one.weight
        return blended

    def decode(self, band: Band) -> int:
        """Decode a block; return how many pixels it has."""
        noise = None if self.noise is None else self.noise(band.rows)
        block = self.result[band.rows]
        with self.spare() as scratch:
            self.run(
                self.layers, self.hidden, self.own, noise, band.near, self.beside, scratch, block
            )
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
    most = QUICK_CHUNK_PIXELS if reading.quick else CHUNK_PIXELS
    chunk = _chunk(height * width, most) if on_cpu else ACCELERATOR_CHUNK_PIXELS
    result = result_of(hidden, height, width, out)
    needed = slice(int(rows.index.min()), int(rows.index.max()) + 1)
    rows, hidden = rows.shifted(needed.start), hidden[needed]
    if reading.quick and not bool(hidden.sum().isfinite()):  # NaNs would be taken for zeros
        return result.fill_(torch.nan)
    colours = None if colours is None else colours[needed]
    _, alike = rows.index.sum(dim=0).unique_consecutive(return_counts=True)
    tall = _tall(int(alike.max()), chunk, width)
    span = -(-width // -(-width // max(1, chunk // tall)))  # wide rows are cut into even parts
    tall = min(tall, max(1, chunk // span))
    *shifts, common = reading.shifts(rows.delta)
    if not shifts:  # one layer in all
        shifts = [common]
    least, layers = [-shift for shift in shifts], reading.layers()
    near = Near.of(rows, least, common)
    cut = [Band.of(near, band) for band in bands(alike.tolist(), tall)]
    spare: Callable[[], AbstractContextManager[Scratch | None]] = nullcontext
    if reading.quick:
        answers = max(most, tall * span) * len(cols.index)
        spare = scratches(answers, hidden.shape[-1]).one
    tasks: list[Callable[[], int]] = []
    for left in range(0, width, span):
        part = cols.part(left, min(left + span, width))
        read = None
        if noise is not None:

            def read(band: slice, cols: Axis = part) -> Tensor:
                return noise(rows.part(band.start, band.stop), cols)

        place = result[:, left : left + span]
        strip = _Strip(reading, layers, hidden, colours, part, place, read, spare)
        tasks += [functools.partial(strip.decode, band) for band in cut]
    with torch.autocast(hidden.device.type, enabled=False):
        if on_cpu:
            workers.run_tasks(tasks, tick)
        else:
            workers.one_by_one(lambda task: task(), tasks, tick)
    return result


def result_of(hidden: Tensor, height: int, width: int, out: Tensor | None) -> Tensor:
    """Return where a result goes: to `out`, or a new tensor on the device of `hidden`."""
    return hidden.new_empty(height, width, 3, dtype=torch.float32) if out is None else out


def _chunk(pixels: int, most: int) -> int:
    """Return how many of a result's pixels a CPU's worker decodes at a time."""
    return min(most, max(LEAST_PIXELS, -(-pixels // 4)))


def _tall(alike: int, chunk: int, width: int) -> int:
    """Return the most rows of a block, of which `alike` ask the same codes."""
    return max(-(-alike // -(-alike // TALLEST)), chunk // width, 1)
