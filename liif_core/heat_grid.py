"""A heat field arranged for speed: algebraically `HeatField.query`, on a grid as matrix products.

Once per input pixel, the writer's first layers say what its last one needs: the hidden map. On a
regular grid, all codes are asked at the same places but for a shift, and a shift turns a wave
into itself: a·sin(ω·(δ + u)) + b·cos(ω·(δ + u)) has the sine a·cos ωδ − b·sin ωδ and the cosine
a·sin ωδ + b·cos ωδ of ω·u. So each code's waves are turned once to where its first output stands,
and one table of sin ωu and cos ωu serves all of them: (codes · 3, 2K) @ (2K, outputs of a code).
What remains is to blend, for every output, the four codes that answered.
"""

import itertools
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liif_core import workers
from liif_core.folded import NEGLIGIBLE, Axis
from liif_core.heat import HeatField, with_own_colour

#: Numbers of a block, its fields and answers, that stay in a CPU's second-level cache.
CHUNK = 1 << 18

#: The same for accelerators, which want work for all their cores at once.
ACCELERATOR_CHUNK = 1 << 26

#: Fewest outputs of a block: its tables take time, too.
LEAST = 4096


#: Places nearer than this, in input pixels, are the same: float32 tells no others apart.
ALIGNED = 1e-6


class Reach(NamedTuple):
    """Which outputs along an axis each code answers: m codes that are asked, n outputs.

    The answers of all codes stand in a row, those of a code evenly apart: at `starts` + `steps`.

    Attributes:
        codes: (m,) which latent rows (or columns), rising.
        starts: (m,) where the answers of each code begin, in input pixels; all 0 if they begin at
            the same place, seen from the code, as at ×2 or ×3.
        steps: (answers of a code,) where they stand, in input pixels.
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
        starts, steps = position[first] - codes, torch.arange(most, dtype=torch.float64) * step
        if float(starts.max() - starts.min()) < ALIGNED:
            starts, steps = torch.zeros_like(starts), steps + starts[0]
        return cls(codes, starts, steps, places)


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
        aligned: whether all codes start at the same place.
        weight: (k, n) as of `Axis`.
    """

    codes: Tensor
    places: Tensor
    starts: Waves
    steps: Waves
    aligned: bool
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
    ) -> Tensor:
        """Ask for the colour at every crossing of `rows` and `cols`, without gradients.

        On a CPU, the workers share the blocks.

        Args:
            hidden: (H, W, width) from `hidden_map`, one photo or a part of it.
            colours: (H, W, 3) in [-1, 1], the same part.
            rows, cols: neighbours within that part, outputs evenly apart.
            cell: (K,) from `cell_term`.
            tick: told how many output pixels were just finished.

        Returns:
            (h, w, 3) RGB, about [0, 1], not clamped.
        """
        device = hidden.device
        height, width = rows.index.shape[1], cols.index.shape[1]
        result = hidden.new_empty(height, width, 3, dtype=torch.float32)
        on_cpu = device.type == "cpu"
        tall, wide = self._block_size(rows, cols, CHUNK if on_cpu else ACCELERATOR_CHUNK)

        def decode(place: tuple[tuple[int, Band], tuple[int, Band]]) -> int:
            (top, down), (left, across) = place
            block = self._block(hidden, colours, down, across, cell)
            part = result[top : top + tall, left : left + wide]
            part.copy_(block.mul_(0.5).add_(0.5).permute(1, 2, 0))
            return part.shape[0] * part.shape[1]

        share = workers.run if on_cpu else workers.one_by_one
        with _in_float32(hidden):
            down, across = self._bands(rows, 0, tall, device), self._bands(cols, 1, wide, device)
            share(decode, itertools.product(down, across), tick)
        return result

    def _block_size(self, rows: Axis, cols: Axis, chunk: int) -> tuple[int, int]:
        """Return the height and width of blocks of about `chunk` numbers, in outputs."""
        height, width = rows.index.shape[1], cols.index.shape[1]
        asked = len(rows.index.unique()) * len(cols.index.unique()) / (height * width)
        numbers = 4 * 3 + asked * self.last[0].shape[0]  # four answers, and a share of a field
        outputs = max(LEAST, int(chunk / numbers))
        wide = -(-width // -(-width // math.isqrt(outputs)))
        return max(1, outputs // wide), wide

    def _bands(
        self, outputs: Axis, axis: int, size: int, device: torch.device
    ) -> list[tuple[int, Band]]:
        """Cut the outputs along y (0) or x (1) into bands of a size: (first output, band)."""
        # In float64, and so on the CPU: MPS has none.
        omega = self.model.omega.detach()[:, axis].to("cpu", torch.float64)
        whole = Axis(outputs.index.cpu(), outputs.delta.cpu(), outputs.weight.float().cpu())

        def waves(places: Tensor) -> Waves:
            phase = places[:, None] * omega
            return Waves(phase.sin().float().to(device), phase.cos().float().to(device))

        found = []
        for first in range(0, whole.index.shape[1], size):
            part = whole.part(first, first + size)
            codes, starts, steps, places = Reach.of(part)
            tables = (waves(starts), waves(steps), not bool(starts.any()), part.weight.to(device))
            found.append((first, Band(codes.to(device), places.to(device), *tables)))
        return found

    def _block(
        self, hidden: Tensor, colours: Tensor, down: Band, across: Band, cell: Tensor
    ) -> Tensor:
        """Decode one cache-sized block: (3, h, w) in [-1, 1]."""
        near, own = (
            part.index_select(0, down.codes).index_select(1, across.codes).float()
            for part in (hidden, colours)
        )
        sin, cos = (part.flatten(0, 1).t() for part in down.steps.crossed(across.steps))
        left = cell[:, None]
        table = torch.cat([torch.ones_like(sin[:1]), left * sin, left * cos])  # (1 + 2K, places)
        aligned = down.aligned and across.aligned
        said = self._at_once(near, table) if aligned else self._turned(near, down, across) @ table
        answers = said.view(*near.shape[:2], 3, len(down.steps.sin), len(across.steps.sin))
        answers += own[..., None, None]
        answers = answers.permute(2, 0, 3, 1, 4).flatten(3, 4).flatten(1, 2)
        return down.blended(across.blended(answers, 2), 1)

    def _turned(self, near: Tensor, down: Band, across: Band) -> Tensor:
        """Write down the fields of m × n codes, (m, n, width), without the codes' own pixels, their
        waves turned to where the answers of each begin: (m · n · 3, 1 + 2K)."""
        fields = F.linear(near, *self.last).unflatten(-1, (3, -1))
        sin, cos = (part[:, :, None] for part in down.starts.crossed(across.starts))
        a, b = fields[..., 1:].chunk(2, dim=-1)
        turned = (a * cos).addcmul_(b, sin, value=-1)
        b.mul_(cos).addcmul_(a, sin)
        a.copy_(turned)
        return fields.flatten(0, 2)

    def _at_once(self, near: Tensor, table: Tensor) -> Tensor:
        """Ask codes that all answer at the same places: there, the writer's last layer and the
        waves are one matrix. Returns (m · n, 3 · places)."""
        weight, bias = (part.unflatten(0, (3, -1)) for part in self.last)
        matrix = (table.t() @ weight).flatten(0, 1)  # (3 · places, width)
        return F.linear(near.flatten(0, 1), matrix, (bias @ table).flatten())


def _in_float32(tensor: Tensor) -> AbstractContextManager[object]:
    """Compute in float32 on the tensor's device, even if autocast says otherwise around it."""
    return torch.autocast(tensor.device.type, enabled=False)
