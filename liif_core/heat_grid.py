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
from liif_core.axes import Axis
from liif_core.folded_grid import result_of
from liif_core.heat import HeatField, with_own_colour
from liif_core.heat_bands import Band, bands, table_of
from liif_core.heat_cells import Cells, Tables, cells_of, tables_of

#: Numbers of a block, its fields and answers, that stay in a CPU's second-level cache.
CHUNK = 1 << 18

#: The same for accelerators, which want work for all their cores at once.
ACCELERATOR_CHUNK = 1 << 26

#: Fewest outputs of a block: its tables take time, too.
LEAST = 4096


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
        first, *between, last = (part for part in model.writer if isinstance(part, nn.Conv2d))
        self.model, self.config = model, model.config
        self.kernel, self.bias = first.weight, first.bias
        self.between = [(layer.weight, layer.bias) for layer in between]
        assert last.bias is not None
        self.last = (last.weight.flatten(1), last.bias)
        self.width = model.config.width

    def hidden_map(self, codes: Tensor) -> Tensor:
        """Compute what the writer's last layer needs: (B, C, H, W) -> (B, H, W, width)."""
        return self.after_kernel(F.conv2d(codes, self.kernel, self.bias, padding=1))

    def after_kernel(self, x: Tensor) -> Tensor:
        """Finish the hidden map from what its convolution says, (B, width, H, W)."""
        x = x.relu()
        for weight, bias in self.between:
            x = F.conv2d(x, weight, bias).relu()
        return x.permute(0, 2, 3, 1)

    def cell_term(self, cell: Tensor, size: tuple[int, int]) -> Tensor:
        """Compute what a cell, (..., 2), leaves of each wave, and the powers of its side.

        Returns:
            (..., K + P + 1).
        """
        with _in_float32(cell):
            pixel = cell * cell.new_tensor(size) / 2
            return torch.cat([self.model.damping(pixel), self.model.powers(pixel)], dim=-1)

    def query(self, hidden: Tensor, colours: Tensor, coord: Tensor, cell: Tensor) -> Tensor:
        """Ask for the colour at any coordinates: `HeatField.query`, differentiable.

        Args and result: as for `FoldedDecoder.query`.
        """
        with _in_float32(hidden):
            last = self.last
            if cell.shape[1] == 1:  # fields of one size each: far fewer numbers
                size = cell.new_tensor(hidden.shape[1:3])
                last = layer_for(last, self.model.powers(cell[:, 0] * size / 2).float())
            written = _written(hidden.float(), last)
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
        out: Tensor | None = None,
    ) -> Tensor:
        """Ask for the colour at every crossing of `rows` and `cols`, without gradients.

        On a CPU, the workers share the blocks.

        Args:
            hidden: (H, W, width) from `hidden_map`, one photo or a part of it.
            colours: (H, W, 3) in [-1, 1], the same part.
            rows, cols: neighbours within that part, outputs evenly apart.
            cell: (K + P + 1,) from `cell_term`.
            tick: told how many output pixels were just finished.
            hidden_layers, seed: of no account: there are none, and no noise; waves are float32.
            out: as for `FoldedDecoder.grid`.

        Returns:
            (h, w, 3) RGB, about [0, 1], not clamped.
        """
        rows, cols = _on_cpu(rows), _on_cpu(cols)
        height, width = rows.index.shape[1], cols.index.shape[1]
        parts = [(range(height), range(width))]
        with _in_float32(hidden):
            cells = cells_of(rows, cols)
            left, powers = cell.tensor_split([self.config.waves])
            result = result_of(hidden, height, width, out)
            asked = _Asked(hidden, colours, left, layer_for(self.last, powers), result)
            tasks: list[Callable[[], int]] = []
            if cells is not None:
                tasks += self._by_cells(asked, *cells)
                parts = _around(*cells, height, width)
            for part in parts:
                tasks += self._by_blocks(asked, rows, cols, *part)
            share = workers.run if hidden.device.type == "cpu" else workers.one_by_one
            share(lambda task: task(), tasks, tick)
        return asked.result

    def _by_cells(self, asked: "_Asked", down: Cells, across: Cells) -> list[Callable[[], int]]:
        """Return what asks all cells that are alike: see `heat_cells`."""
        tables = tables_of(asked.last, self.model.omega.detach(), (down, across), asked.left)
        shape = (down.size, across.size, 3)
        many = max(2, asked.chunk // (self.width + math.prod(shape)))  # codes of a block, about
        wide = -(-across.count // -(-(across.count + 1) // many))
        tall = max(1, many // (wide + 1))

        def decode(top: int, left: int) -> int:
            bottom, right = min(top + tall, down.count), min(left + wide, across.count)
            x = slice(across.first + left, across.first + right + 1)
            above = slice(down.first + top, down.first + bottom)
            said = self._cells(asked, tables, above, x)
            # A row's last code has none on its right, and what it says no meaning.
            cells = said.view(bottom - top, -1, *shape)[:, :-1].transpose(1, 2)
            (rows, to_rows), (cols, to_cols) = down.wanted(top, bottom), across.wanted(left, right)
            result = asked.result[to_rows, to_cols]
            whole = ((bottom - top) * down.size, (right - left) * across.size)
            if result.shape[:2] == whole:
                to_cells = result.unflatten(0, (-1, down.size)).unflatten(2, (-1, across.size))
                to_cells.copy_(cells)
            else:  # at the border of what is asked for
                result.copy_(cells.reshape(*whole, 3)[rows, cols])
            return result.shape[0] * result.shape[1]

        corners = itertools.product(range(0, down.count, tall), range(0, across.count, wide))
        return [functools.partial(decode, *corner) for corner in corners]

    def _cells(self, asked: "_Asked", tables: Tables, above: slice, x: slice) -> Tensor:
        """Decode the cells below some rows of codes: (codes, outputs of a cell · 3) in [0, 1].

        The rows follow each other as one list, in which a code's right neighbour is the next: what
        the four codes of a cell say are products of parts of the list; they are copied only where
        a block is not as wide as its tile.
        """
        below = slice(above.start + 1, above.stop + 1)
        hidden, own = (
            [part[rows, x].float().flatten(0, 1) for rows in (above, below)]
            for part in (asked.hidden, asked.colours)
        )
        return tables.said(hidden, own)

    def _by_blocks(
        self, asked: "_Asked", rows: Axis, cols: Axis, down: range, across: range
    ) -> list[Callable[[], int]]:
        """Return what asks some rows and columns of outputs by cache-sized blocks."""
        if not down or not across:
            return []
        rows, cols = rows.part(down.start, down.stop), cols.part(across.start, across.stop)
        result = asked.result[down.start : down.stop, across.start : across.stop]
        tall, wide = _block_size(rows, cols, self.config.waves, asked.chunk)
        device = asked.hidden.device
        omega_y, omega_x = self.model.omega.detach().unbind(dim=1)
        bands_y, steps_y = bands(rows, omega_y, tall, device)
        bands_x, steps_x = bands(cols, omega_x, wide, device)
        table = table_of(steps_y, steps_x, asked.left) / 2

        def decode(place: tuple[tuple[int, Band], tuple[int, Band]]) -> int:
            (top, rows), (left, cols) = place
            block = self._block(asked, rows, cols, table)
            height, width, _ = block.shape
            result[top : top + height, left : left + width] = block
            return height * width

        return [functools.partial(decode, place) for place in itertools.product(bands_y, bands_x)]

    def _block(self, asked: "_Asked", down: Band, across: Band, table: Tensor) -> Tensor:
        """Decode one block: (h, w, 3) in [0, 1]."""
        near = asked.hidden[down.codes][:, across.codes].float()
        fields = F.linear(near, *asked.last).unflatten(-1, (3, -1))
        # The table halves everything: [-1, 1] becomes [0, 1].
        fields[..., 0].add_(asked.colours[down.codes][:, across.codes]).add_(1)
        sin, cos = (part[:, :, None] for part in down.starts.crossed(across.starts))
        a, b = fields[..., 1:].chunk(2, dim=-1)  # turned to where the answers of each code begin
        turned = (a * cos).addcmul_(b, sin, value=-1)
        b.mul_(cos).addcmul_(a, sin)
        a.copy_(turned)
        answers = (fields.flatten(0, 2) @ table).view(
            *near.shape[:2], 3, down.answers, across.answers
        )
        # Rows first: copies of whole rows. Columns become rows for that.
        by_row = answers.permute(0, 3, 2, 1, 4).flatten(0, 1).flatten(1)
        rows = down.blended(by_row)  # (h, 3 · codes across · answers)
        by_column = rows.unflatten(1, (3, -1)).permute(2, 0, 1).flatten(1)
        return across.blended(by_column).unflatten(1, (-1, 3)).transpose(0, 1)


class _Asked(NamedTuple):
    """A question, and room for its answer.

    Attributes:
        hidden, colours: as for `HeatGrid.grid`.
        left: (K,) what the pixel's size leaves of each wave.
        last: weight and bias of the writer's last layer for that size.
        result: (h, w, 3).
    """

    hidden: Tensor
    colours: Tensor
    left: Tensor
    last: tuple[Tensor, Tensor]
    result: Tensor

    @property
    def chunk(self) -> int:
        """How many numbers a block should have."""
        return CHUNK if self.hidden.device.type == "cpu" else ACCELERATOR_CHUNK


def layer_for(last: tuple[Tensor, Tensor], powers: Tensor) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a writer's last layer for pixels of one size.

    Args:
        last: as it is, (3 · (P + 1) · N, width) and (3 · (P + 1) · N).
        powers: (..., P + 1) of the pixel's side, of one size or of several.

    Returns:
        (..., 3 · N, width) and (..., 3 · N); as they are where the fields know no size.
    """
    if powers.shape[-1] == 1:
        return last
    weight, bias = (part.unflatten(0, (3, powers.shape[-1], -1)) for part in last)
    weight = torch.einsum("...p,cpnw->...cnw", powers, weight).flatten(-3, -2)
    return weight, torch.einsum("...p,cpn->...cn", powers, bias).flatten(-2)


def _written(hidden: Tensor, last: tuple[Tensor, Tensor]) -> Tensor:
    """Apply a last layer, or one for each photo, to (B, H, W, width)."""
    weight, bias = last
    if weight.ndim == 2:
        return F.linear(hidden, weight, bias)
    said = torch.baddbmm(bias[:, None], hidden.flatten(1, 2), weight.mT)
    return said.unflatten(1, hidden.shape[1:3])


def _block_size(rows: Axis, cols: Axis, waves: int, chunk: int) -> tuple[int, int]:
    """Return the height and width of blocks of about `chunk` numbers, in outputs."""
    height, width = rows.index.shape[1], cols.index.shape[1]
    asked = len(rows.index.unique()) * len(cols.index.unique()) / (height * width)
    numbers = 4 * 3 + asked * 3 * (1 + 2 * waves)  # four answers, and a share of a field
    outputs = max(LEAST, int(chunk / numbers))
    wide = -(-width // -(-width // math.isqrt(outputs)))
    return max(1, outputs // wide), wide


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
