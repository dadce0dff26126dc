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
from liif_core.folded import NEGLIGIBLE, Axis
from liif_core.heat import HeatField, with_own_colour

#: Numbers of a block, its fields and answers, that stay in a CPU's second-level cache.
CHUNK = 1 << 18

#: The same for accelerators, which want work for all their cores at once.
ACCELERATOR_CHUNK = 1 << 26

#: Fewest outputs of a block: its tables take time, too.
LEAST = 4096


class Reach(NamedTuple):
    """Which outputs along an axis each code answers: m codes that are asked, n outputs.

    Attributes:
        codes: (m,) which latent rows (or columns), rising.
        delta: (m,) where the first output of each stands, seen from the code, in input pixels.
        most: how many outputs a code answers, at most.
        step: from one output to the next, in input pixels.
        places: (k, n) where each output stands among the answers, those of all codes in a row.
    """

    codes: Tensor
    delta: Tensor
    most: int
    step: float
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
        return cls(codes, position[first] - codes, most, step, places)

    def steps(self) -> Tensor:
        """Return where the outputs of any code stand, seen from its first one: (most,)."""
        return torch.arange(self.most, dtype=torch.float64) * self.step


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
        self.last = (last.weight.flatten(1), last.bias)
        self.width = model.config.width

    @functools.cached_property
    def _omega(self) -> Tensor:
        """The frequencies for tables, (K, 2): in float64, and so on the CPU, as MPS has none."""
        return self.model.omega.detach().to("cpu", torch.float64)

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
        down, across = _on_cpu(rows), _on_cpu(cols)
        height, width = down.index.shape[1], across.index.shape[1]
        result = hidden.new_empty(height, width, 3, dtype=torch.float32)
        on_cpu = hidden.device.type == "cpu"
        tall, wide = self._block_size(down, across, CHUNK if on_cpu else ACCELERATOR_CHUNK)

        def decode(corner: tuple[int, int]) -> int:
            top, left = corner
            part = result[top : top + tall, left : left + wide]
            asked = down.part(top, top + part.shape[0]), across.part(left, left + part.shape[1])
            part.copy_(self._block(hidden, colours, *asked, cell).mul_(0.5).add_(0.5))
            return part.shape[0] * part.shape[1]

        share = workers.run if on_cpu else workers.one_by_one
        with _in_float32(hidden):
            share(decode, itertools.product(range(0, height, tall), range(0, width, wide)), tick)
        return result

    def _block_size(self, rows: Axis, cols: Axis, chunk: int) -> tuple[int, int]:
        """Return the height and width of blocks of about `chunk` numbers, in outputs."""
        height, width = rows.index.shape[1], cols.index.shape[1]
        asked = len(rows.index.unique()) * len(cols.index.unique()) / (height * width)
        numbers = 4 * 3 + asked * self.last[0].shape[0]  # four answers, and a share of a field
        outputs = max(LEAST, int(chunk / numbers))
        wide = -(-width // -(-width // math.isqrt(outputs)))
        return max(1, outputs // wide), wide

    def _block(
        self, hidden: Tensor, colours: Tensor, rows: Axis, cols: Axis, cell: Tensor
    ) -> Tensor:
        """Decode one cache-sized block: (h, w, 3) in [-1, 1]."""
        down, across = Reach.of(rows), Reach.of(cols)
        device = hidden.device
        codes_y, codes_x = down.codes.to(device), across.codes.to(device)
        near, own = (
            part.index_select(0, codes_y).index_select(1, codes_x).float()
            for part in (hidden, colours)
        )
        constant, waves = with_own_colour(F.linear(near, *self.last), own).tensor_split([1], dim=-1)
        turned = self._turned(waves, down.delta, across.delta)
        table = self._table(down.steps(), across.steps(), cell)
        answers = torch.cat([constant, turned], dim=-1).flatten(0, 2) @ table
        answers = answers.view(len(codes_y), len(codes_x), 3, down.most, across.most)
        answers = answers.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)  # each code's in place
        total = answers.new_zeros(rows.index.shape[1], cols.index.shape[1], 3)
        shares = [
            list(zip(reach.places.to(device), axis.weight.float().to(device), strict=True))
            for reach, axis in ((down, rows), (across, cols))
        ]
        for place_y, weight_y in shares[0]:
            band = answers.index_select(0, place_y).mul_(weight_y[:, None, None])
            for place_x, weight_x in shares[1]:
                total += band.index_select(1, place_x).mul_(weight_x[:, None])
        return total

    def _table(self, down: Tensor, across: Tensor, left: Tensor) -> Tensor:
        """Return 1, sin ω·u and cos ω·u, damped, of every place u of a code's outputs:
        (1 + 2K, places)."""
        sin, cos = (part.flatten(0, 1).t() for part in self._sin_cos(down, across, left.device))
        return torch.cat([torch.ones_like(sin[:1]), left[:, None] * sin, left[:, None] * cos])

    def _turned(self, waves: Tensor, down: Tensor, across: Tensor) -> Tensor:
        """Turn the waves of each code, (H, W, 3, 2K), to its first output."""
        sin, cos = (part[:, :, None] for part in self._sin_cos(down, across, waves.device))
        a, b = waves.chunk(2, dim=-1)
        return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)

    def _sin_cos(self, y: Tensor, x: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return sin ω·u and cos ω·u at every crossing u of y (h) and x (w): (h, w, K) each.

        By angle addition, from those of rows and columns.
        """
        down, across = y[:, None] * self._omega[:, 0], x[:, None] * self._omega[:, 1]
        sin_y, cos_y = (f(down).float().to(device)[:, None] for f in (torch.sin, torch.cos))
        sin_x, cos_x = (f(across).float().to(device) for f in (torch.sin, torch.cos))
        return sin_y * cos_x + cos_y * sin_x, cos_y * cos_x - sin_y * sin_x


def _on_cpu(axis: Axis) -> Axis:
    return Axis(axis.index.cpu(), axis.delta.cpu(), axis.weight.cpu())


def _in_float32(tensor: Tensor) -> AbstractContextManager[object]:
    """Compute in float32 on the tensor's device, even if autocast says otherwise around it."""
    return torch.autocast(tensor.device.type, enabled=False)
