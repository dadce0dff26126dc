"""A heat field arranged for speed: algebraically `HeatField.query`, on a grid as matrix products.

Once per input pixel, the writer's first layers say what its last one needs: the hidden map. On a
regular grid, all codes are asked at the same places but for a shift, and a shift turns a wave
into itself: a·sin(ω·(δ + u)) + b·cos(ω·(δ + u)) has the sine a·cos ωδ − b·sin ωδ and the cosine
a·sin ωδ + b·cos ωδ of ω·u. So each code's waves are turned once to where its first output stands,
and one table of sin ωu and cos ωu serves all of them: (codes · 3, 2K) @ (2K, outputs of a code).
What remains is to blend, for every output, the four codes that answered.
"""

import functools
import itertools
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liif_core import workers
from liif_core.axes import NEGLIGIBLE, Axis
from liif_core.heat import HeatField, with_own_colour
from liif_core.heat_cells import Cells, cells_of, joined

#: Numbers of a block, its fields and answers, that stay in a CPU's second-level cache.
CHUNK = 1 << 18

#: The same for accelerators, which want work for all their cores at once.
ACCELERATOR_CHUNK = 1 << 26

#: Fewest outputs of a block: its tables take time, too.
LEAST = 4096


class Reach(NamedTuple):
    """Which outputs along an axis each code answers: m codes that are asked, n outputs.

    The answers of all codes stand in a row, those of a code evenly apart: at `starts` + `steps`.

    Attributes:
        codes: (m,) which latent rows (or columns), rising.
        starts: (m,) where the answers of each code begin, seen from it, in input pixels.
        steps: (answers of a code,) where they stand, seen from there.
        places: (k, n) which answer each output is, for each of its k neighbours.
    """

    codes: Tensor
    starts: Tensor
    steps: Tensor
    places: Tensor

    @classmethod
    def of(cls, axis: Axis) -> "Reach":
        """Return the reach of the codes that matter to some outputs, which are evenly apart."""
        outputs = axis.index.shape[1]
        said = axis.weight > NEGLIGIBLE
        number = torch.arange(outputs).expand_as(axis.index)[said]
        codes, which = axis.index[said].unique(return_inverse=True)
        first = torch.full_like(codes, outputs).scatter_reduce(0, which, number, "amin")
        last = torch.zeros_like(codes).scatter_reduce(0, which, number, "amax")
        most = int((last - first).max()) + 1
        places = torch.zeros_like(axis.index)  # what does not matter may be any answer
        places[said] = which * most + number - first[which]
        position = axis.index[0].double() + axis.delta[0].double() / 2
        step = float(position[-1] - position[0]) / max(outputs - 1, 1)
        steps = torch.arange(most, dtype=torch.float64) * step
        return cls(codes, position[first] - codes, steps, places)


class Waves(NamedTuple):
    """Sine and cosine of each of K waves at n places along an axis: (n, K) each."""

    sin: Tensor
    cos: Tensor

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
        codes, places: as of `Reach`.
        starts, steps: the waves at its places.
        weight: (k, n) as of `Axis`.
    """

    codes: Tensor
    places: Tensor
    starts: Waves
    steps: Waves
    weight: Tensor

    def blended(self, answers: Tensor, axis: int) -> Tensor:
        """Blend along the axis what the k neighbours of each output answered."""
        total = answers.new_zeros(())
        for place, weight in zip(self.places, self.weight, strict=True):
            share = weight if axis == answers.ndim - 1 else weight[:, None]
            total = answers.index_select(axis, place).mul_(share).add_(total)
        return total


class HeatGrid:
    """The decoder of a `HeatField`, with the face of a `FoldedDecoder`.

    Waves are always computed in float32: in 16 bits, ω·δ would be off by a twentieth of a turn.

    Args:
        model: its parameters are read, not copied, so gradients flow back to them.

    Attributes:
        kernel, bias: the writer's first layer, a convolution.
        width: numbers that are kept of a code.
    """

    def __init__(self, model: HeatField) -> None:
        first, second, last = (part for part in model.writer if isinstance(part, nn.Conv2d))
        self.model, self.config = model, model.config
        self.kernel, self.bias = first.weight, first.bias
        self.second = (second.weight, second.bias)
        assert last.bias is not None
        self.last = (last.weight.flatten(1), last.bias)
        self.width = model.config.width

    def hidden_map(self, codes: Tensor) -> Tensor:
        """Compute what the writer's last layer needs: (B, C, H, W) -> (B, H, W, width)."""
        return self.after_kernel(F.conv2d(codes, self.kernel, self.bias, padding=1))

    def after_kernel(self, x: Tensor) -> Tensor:
        """Finish the hidden map from what its convolution says, (B, width, H, W)."""
        return F.conv2d(x.relu(), *self.second).relu().permute(0, 2, 3, 1)

    def cell_term(self, cell: Tensor, size: tuple[int, int]) -> Tensor:
        """Compute what a cell, (..., 2), leaves of each wave: (..., K)."""
        with _in_float32(cell):
            return self.model.damping(cell * cell.new_tensor(size) / 2)

    def query(self, hidden: Tensor, colours: Tensor, coord: Tensor, cell: Tensor) -> Tensor:
        """Ask for the colour at any coordinates: `HeatField.query`, differentiable.

        Args and result: as for `FoldedDecoder.query`.
        """
        with _in_float32(hidden):
            written = F.linear(hidden.float(), *self.last)
            fields = with_own_colour(written, colours.permute(0, 2, 3, 1).float())
            return self.model.read(fields, coord, cell)

    def grid(
        self,
        hidden: Tensor,
        colours: Tensor,
        rows: Axis,
        cols: Axis,
        cell: Tensor,
        tick: Callable[[int], None] | None = None,
        *,
        hidden_layers: torch.dtype | None = None,
        seed: int | None = None,
    ) -> Tensor:
        """Ask for the colour at every crossing of `rows` and `cols`, without gradients.

        On a CPU, the workers share the blocks.

        Args:
            hidden: (H, W, width) from `hidden_map`, one photo or a part of it.
            colours: (H, W, 3) in [-1, 1], the same part.
            rows, cols: neighbours within that part, outputs evenly apart.
            cell: (K,) from `cell_term`.
            tick: told how many output pixels were just finished.
            hidden_layers, seed: of no account: there are none, and no noise; waves are float32.

        Returns:
            (h, w, 3) RGB, about [0, 1], not clamped.
        """
        rows, cols = _on_cpu(rows), _on_cpu(cols)
        height, width = rows.index.shape[1], cols.index.shape[1]
        asked = _Asked(hidden, colours, cell, hidden.new_empty(height, width, 3).float())
        parts = [(range(height), range(width))]
        with _in_float32(hidden):
            tasks: list[Callable[[], int]] = []
            if (cells := cells_of(rows, cols)) is not None:
                tasks += self._by_cells(asked, *cells)
                parts = _around(*cells, height, width)
            for part in parts:
                tasks += self._by_blocks(asked, rows, cols, *part)
            share = workers.run if hidden.device.type == "cpu" else workers.one_by_one
            share(lambda task: task(), tasks, tick)
        return asked.result

    def _by_cells(self, asked: "_Asked", down: Cells, across: Cells) -> list[Callable[[], int]]:
        """Return what asks all whole cells: see `heat_cells`."""
        matrix = self._matrix(down, across, asked.cell)
        outputs = down.size * across.size
        many = max(1, asked.chunk // (matrix.shape[1] + 4 * 3 * outputs))  # cells of a block
        wide = -(-across.count // -(-across.count // math.isqrt(many)))
        tall = max(1, many // wide)

        def decode(top: int, left: int) -> int:
            bottom, right = min(top + tall, down.count), min(left + wide, across.count)
            y = slice(down.first + top, down.first + bottom + 1)
            x = slice(across.first + left, across.first + right + 1)
            told = joined(asked.hidden[y, x].float(), asked.colours[y, x])
            said = (told @ matrix).view(bottom - top, right - left, 3, down.size, across.size)
            block = said.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
            at_y, at_x = down.start + top * down.size, across.start + left * across.size
            return asked.put(at_y, at_x, block)

        corners = itertools.product(range(0, down.count, tall), range(0, across.count, wide))
        return [functools.partial(decode, *corner) for corner in corners]

    def _matrix(self, down: Cells, across: Cells, cell: Tensor) -> Tensor:
        """Return the matrix that turns what `joined` returns into a cell's colours in [-1, 1]:
        (4 · (width + 4), 3 · outputs of a cell)."""
        weight, bias = (part.unflatten(0, (3, -1)) for part in self.last)
        rows, cols = (
            [
                (self._waves(delta.double() / 2, axis, cell.device), share.to(cell.device))
                for delta, share in zip(cells.delta, cells.weight, strict=True)
            ]
            for axis, cells in enumerate((down, across))
        )
        parts = []
        for (wave_y, share_y), (wave_x, share_x) in itertools.product(rows, cols):
            share = (share_y[:, None] * share_x).flatten()  # (outputs,)
            table = _table(wave_y, wave_x, cell) * share
            own = torch.eye(3, device=cell.device)[:, :, None] * share
            said = [weight.mT @ table, own, (bias @ table)[:, None]]
            parts.append(torch.cat(said, dim=1))  # (3, width + 4, outputs)
        return torch.cat(parts, dim=1).transpose(0, 1).flatten(1)

    def _by_blocks(
        self, asked: "_Asked", rows: Axis, cols: Axis, down: range, across: range
    ) -> list[Callable[[], int]]:
        """Return what asks some rows and columns of outputs by cache-sized blocks."""
        if not down or not across:
            return []
        rows, cols = rows.part(down.start, down.stop), cols.part(across.start, across.stop)
        tall, wide = self._block_size(rows, cols, asked.chunk)
        bands = self._bands(rows, 0, tall, asked), self._bands(cols, 1, wide, asked)

        def decode(place: tuple[tuple[int, Band], tuple[int, Band]]) -> int:
            (top, rows), (left, cols) = place
            block = self._block(asked, rows, cols).permute(1, 2, 0)
            return asked.put(down.start + top, across.start + left, block)

        return [functools.partial(decode, place) for place in itertools.product(*bands)]

    def _block_size(self, rows: Axis, cols: Axis, chunk: int) -> tuple[int, int]:
        """Return the height and width of blocks of about `chunk` numbers, in outputs."""
        height, width = rows.index.shape[1], cols.index.shape[1]
        asked = len(rows.index.unique()) * len(cols.index.unique()) / (height * width)
        numbers = 4 * 3 + asked * self.last[0].shape[0]  # four answers, and a share of a field
        outputs = max(LEAST, int(chunk / numbers))
        wide = -(-width // -(-width // math.isqrt(outputs)))
        return max(1, outputs // wide), wide

    def _bands(
        self, outputs: Axis, axis: int, size: int, asked: "_Asked"
    ) -> list[tuple[int, Band]]:
        """Cut the outputs along y (0) or x (1) into bands of a size: (first output, band)."""
        device, found = asked.hidden.device, []
        for first in range(0, outputs.index.shape[1], size):
            part = outputs.part(first, first + size)
            codes, starts, steps, places = Reach.of(part)
            begin, then = (self._waves(where, axis, device) for where in (starts, steps))
            weight = part.weight.to(device)
            found.append((first, Band(codes.to(device), places.to(device), begin, then, weight)))
        return found

    def _waves(self, places: Tensor, axis: int, device: torch.device) -> Waves:
        """Return the waves at some places along y (0) or x (1), in input pixels."""
        # In float64, and so on the CPU: MPS has none.
        phase = places[:, None] * self.model.omega.detach()[:, axis].to("cpu", torch.float64)
        return Waves(phase.sin().float().to(device), phase.cos().float().to(device))

    def _block(self, asked: "_Asked", down: Band, across: Band) -> Tensor:
        """Decode one block: (3, h, w) in [-1, 1]."""
        near, own = (
            part.index_select(0, down.codes).index_select(1, across.codes).float()
            for part in (asked.hidden, asked.colours)
        )
        fields = F.linear(near, *self.last).unflatten(-1, (3, -1))
        fields[..., 0] += own
        sin, cos = (part[:, :, None] for part in down.starts.crossed(across.starts))
        a, b = fields[..., 1:].chunk(2, dim=-1)  # turned to where the answers of each code begin
        turned = (a * cos).addcmul_(b, sin, value=-1)
        b.mul_(cos).addcmul_(a, sin)
        a.copy_(turned)
        answers = fields.flatten(0, 2) @ _table(down.steps, across.steps, asked.cell)
        answers = answers.view(*near.shape[:2], 3, len(down.steps.sin), len(across.steps.sin))
        answers = answers.permute(2, 0, 3, 1, 4).flatten(3, 4).flatten(1, 2)
        return down.blended(across.blended(answers, 2), 1)


class _Asked(NamedTuple):
    """A question, and room for its answer.

    Attributes:
        hidden, colours, cell: as for `HeatGrid.grid`.
        result: (h, w, 3).
    """

    hidden: Tensor
    colours: Tensor
    cell: Tensor
    result: Tensor

    @property
    def chunk(self) -> int:
        """How many numbers a block should have."""
        return CHUNK if self.hidden.device.type == "cpu" else ACCELERATOR_CHUNK

    def put(self, top: int, left: int, block: Tensor) -> int:
        """Put a block in [-1, 1], (h, w, 3), in its place; return how many pixels it has."""
        height, width = block.shape[:2]
        part = self.result[top : top + height, left : left + width]
        torch.mul(block, 0.5, out=part).add_(0.5)
        return height * width


def _table(down: Waves, across: Waves, left: Tensor) -> Tensor:
    """Return 1, sin ω·u and cos ω·u, damped, at every crossing u: (1 + 2K, places)."""
    sin, cos = (left[:, None] * part.flatten(0, 1).t() for part in down.crossed(across))
    return torch.cat([torch.ones_like(sin[:1]), sin, cos])


def _around(down: Cells, across: Cells, height: int, width: int) -> list[tuple[range, range]]:
    """Return the outputs around the cells: rows and columns above, below, on the left and right."""
    within = range(down.start, down.stop)
    return [
        (range(down.start), range(width)),
        (range(down.stop, height), range(width)),
        (within, range(across.start)),
        (within, range(across.stop, width)),
    ]


def _on_cpu(axis: Axis) -> Axis:
    return Axis(axis.index.cpu(), axis.delta.cpu(), axis.weight.float().cpu())


def _in_float32(tensor: Tensor) -> AbstractContextManager[object]:
    """Compute in float32 on the tensor's device, even if autocast says otherwise around it."""
    return torch.autocast(tensor.device.type, enabled=False)
