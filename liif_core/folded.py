"""LIIF's decoder arranged for speed: algebraically `LIIF.query`, with the first layer folded away.

The first layer of f_θ is linear, so W·[unfold(z), δ, cell] + b = conv3×3(z) + Wδ·δ + Wc·cell + b.
The convolution depends on the latent code alone: it runs once per input pixel instead of four
times per output pixel, and 576 gathered channels become as many as the layer is wide. On a regular
grid δ depends on the row or the column only, and the cell not at all: both become small tables.
What remains per output pixel is four runs through the small hidden layers.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liif_core import workers
from liif_core.coords import centre_of, nearest_index
from liif_core.liif import EPSILON, LIIF, noise_at
from liif_core.noise_field import noise_field

#: Output pixels decoded at a time: a row of activations of this many pixels stays in a CPU's
#: second-level cache, which halves the time of the hidden layers.
CHUNK_PIXELS = 4096

#: A small result is cut into four, so that two workers end together, down to so many pixels.
LEAST_PIXELS = 768

#: The same for accelerators, which want work for all their cores at once: 64 MB an activation.
ACCELERATOR_CHUNK_PIXELS = 1 << 18

#: What is weighted less than this does not change a float32 between 0 and 1.
NEGLIGIBLE = 1e-8


class Neighbour(NamedTuple):
    """One of the neighbours along an axis, for the outputs to which it has something to say.

    Attributes:
        outputs: which; a slice if they are all.
        code: which latent row (or column).
        delta, weight: as in `Axis`.
    """

    outputs: slice | Tensor
    code: Tensor
    delta: Tensor
    weight: Tensor


@dataclass(frozen=True)
class Axis:
    """Where the outputs along one axis stand among the latent codes: n outputs, k = 2 neighbours
    (before, after), or k = 1 without local ensemble.

    Attributes:
        index: (k, n) int64, which latent row (or column).
        delta: (k, n) position seen from that code, in half code spacings.
        weight: (k, n) share of each neighbour; a code's weight is the product over both axes.
        position: (n,) float64, where the outputs lie, in pixels of the whole photo; for decoders
            that read noise there.
        step: size of an output, in the same.
    """

    index: Tensor
    delta: Tensor
    weight: Tensor
    position: Tensor | None = None
    step: float = 1.0

    def part(self, start: int, stop: int) -> "Axis":
        """Return outputs `start` … `stop` - 1 alone."""
        tables = (self.index, self.delta, self.weight)
        index, delta, weight = (table[:, start:stop] for table in tables)
        position = None if self.position is None else self.position[start:stop]
        return Axis(index, delta, weight, position, self.step)

    def neighbours(self) -> list[Neighbour]:
        """Return the k neighbours, each without the outputs to which it does not matter.

        Where an output lies on a code, as every third does at ×3, the other code is not asked.
        """
        found = []
        for index, delta, weight in zip(self.index, self.delta, self.weight, strict=True):
            said = weight > NEGLIGIBLE
            which = slice(None) if bool(said.all()) else said.nonzero().flatten()
            found.append(Neighbour(which, index[which], delta[which], weight[which]))
        return found

    def shifted(self, origin: int) -> "Axis":
        """Return the same places on a latent grid that begins at code `origin`."""
        return replace(self, index=self.index - origin)


def axis_neighbours(coord: Tensor, n: int, *, local_ensemble: bool) -> Axis:
    """Find the latent neighbours of coordinates along one axis.

    Args:
        coord: (...) coordinates in [-1, 1]; pass float64 for photos over a few thousand pixels.
        n: latent codes along the axis.
        local_ensemble: two neighbours each, or the nearest alone.

    Returns:
        tables of shape (k, ...), δ and weight in `coord`'s dtype.
    """
    steps = (-1 / n, 1 / n) if local_ensemble else (0.0,)
    index = torch.stack([nearest_index(coord + step, n) for step in steps])
    delta = (coord - centre_of(index, n, dtype=coord.dtype).to(coord.device)) * n
    weight = (delta.abs() + EPSILON).flip(0)  # the opposite side's length: see LIIF.answers
    return Axis(index, delta, weight / weight.sum(dim=0))


def _chunk(pixels: int) -> int:
    """Return how many of a result's pixels a CPU's worker decodes at a time."""
    return min(CHUNK_PIXELS, max(LEAST_PIXELS, -(-pixels // 4)))


class FoldedDecoder:
    """The decoder of a `LIIF` with its first layer folded into a convolution.

    The tensors are views of the model's parameters, so gradients flow back to them.

    Args:
        model: the model to fold; its dtype and device are kept.
    """

    def __init__(self, model: LIIF) -> None:
        config = model.config
        linears = [layer for layer in model.imnet.layers if isinstance(layer, nn.Linear)]
        first, side = linears[0], 3 if config.feature_unfolding else 1
        features = config.channels * side * side
        self.config = config
        self.kernel = first.weight[:, :features].unflatten(1, (config.channels, side, side))
        self.bias = first.bias
        self.width = first.out_features
        self.delta = first.weight[:, features : features + 2].t()  # (2, hidden)
        noise = first.in_features - config.noise
        self.cell = first.weight[:, features + 2 : noise].t()  # (2, hidden), or (0, hidden)
        self.noise = first.weight[:, noise:].t()  # (noise inputs, hidden)
        self.seed = model.seed
        self.rest = [(layer.weight, layer.bias) for layer in linears[1:]]

    def hidden_map(self, codes: Tensor) -> Tensor:
        """Compute the first layer's share of each latent code: (B, C, H, W) -> (B, H, W, hidden).

        The codes outside a photo count as zeros, as in `F.unfold`.
        """
        padding = self.kernel.shape[-1] // 2
        return self.after_kernel(F.conv2d(codes, self.kernel, self.bias, padding=padding))

    def after_kernel(self, x: Tensor) -> Tensor:
        """Finish the hidden map from what its convolution says, (B, hidden, H, W)."""
        return x.permute(0, 2, 3, 1)

    def cell_term(self, cell: Tensor, size: tuple[int, int]) -> Tensor:
        """Compute the first layer's share of the cell: (..., 2) -> (..., hidden).

        Without cell decoding it is zero.
        """
        if not self.config.cell_decoding:
            return self.bias.new_zeros(*cell.shape[:-1], self.width)
        return (cell * cell.new_tensor(size)) @ self.cell

    def finish(self, x: Tensor) -> Tensor:
        """Run the layers after the first, overwriting `x` where no gradient is recorded.

        Args:
            x: (N, hidden) the first layer's sum, before its ReLU.

        Returns:
            (N, 3) in [-1, 1], without local colour.
        """
        for weight, bias in self.rest:
            x = torch.addmm(bias, torch.relu_(x), weight.t())
        return x

    def query(
        self,
        hidden: Tensor,
        colours: Tensor,
        coord: Tensor,
        cell: Tensor,
        seed: Tensor | None = None,
    ) -> Tensor:
        """Ask for the colour at any coordinates: `LIIF.query`, differentiable.

        Args:
            hidden: (B, H, W, hidden) from `hidden_map`.
            colours: (B, 3, H, W) in [-1, 1], from `LIIF.encode`.
            coord: (B, Q, 2); cell: (B, Q, 2), as for `LIIF.query`.
            seed: (B,) int64, of each photo's noise; None: the model's.

        Returns:
            (B, Q, 3) RGB, about [0, 1], not clamped.
        """
        batch, height, width, features = hidden.shape
        ensemble = self.config.local_ensemble
        rows = axis_neighbours(coord[..., 0], height, local_ensemble=ensemble)  # (k, B, Q)
        cols = axis_neighbours(coord[..., 1], width, local_ensemble=ensemble)
        first = torch.arange(batch, device=hidden.device)[:, None] * height
        place = ((first + rows.index)[:, None] * width + cols.index).flatten()  # (k·k·B·Q,)
        # One small matrix product adds what stands beside the code: (k·k·B·Q, 4) @ (4, hidden).
        beside = [*torch.broadcast_tensors(rows.delta[:, None], cols.delta)]  # (k, k, B, Q)
        if self.config.cell_decoding:
            sides = (cell[..., 0] * height, cell[..., 1] * width)
            beside += [side.expand_as(beside[0]) for side in sides]
        weights = torch.cat([self.delta, self.cell])
        inputs = torch.stack(beside, dim=-1).reshape(-1, len(weights)).to(weights)
        codes = F.embedding(place, hidden.reshape(-1, features))
        x = torch.addmm(codes, inputs, weights)
        if self.config.noise:
            which = self.seed if seed is None else seed[:, None]
            noise = noise_at(coord, cell, (height, width), which, self.config.noise)
            x = (x.view(-1, *noise.shape[:2], features) + noise.to(x) @ self.noise).flatten(0, 2)
        rgb = self.finish(x)
        if self.config.local_colour:
            rgb = rgb + F.embedding(place, colours.permute(0, 2, 3, 1).reshape(-1, 3))
        weight = rows.weight[:, None] * cols.weight
        blended = (rgb.reshape(*weight.shape, 3) * weight[..., None]).sum(dim=(0, 1))
        return blended * 0.5 + 0.5

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
            hidden: (H, W, hidden) from `hidden_map`, one photo or a part of it.
            colours: (H, W, 3) in [-1, 1], the same part.
            rows, cols: neighbours within that part, h and w outputs long; δ and weight in
                float32.
            cell: (hidden,) from `cell_term`.
            tick: told how many output pixels were just finished.

        Returns:
            (h, w, 3) RGB, about [0, 1], not clamped.
        """
        height, width = rows.index.shape[1], cols.index.shape[1]
        result = hidden.new_empty(height, width, 3, dtype=torch.float32)
        on_cpu = hidden.device.type == "cpu"
        chunk = _chunk(height * width) if on_cpu else ACCELERATOR_CHUNK_PIXELS
        span = -(-width // -(-width // chunk))  # wide rows are cut into even parts
        step = max(1, chunk // span)
        for left in range(0, width, span):
            part = cols.part(left, min(left + span, width))
            # Only the columns that this part touches: copying whole latent rows for a narrow part
            # would cost more than decoding it.
            codes = slice(int(part.index.min()), int(part.index.max()) + 1)
            across = part.shifted(codes.start).neighbours()
            terms = [one.delta[:, None] * self.delta[1] + cell for one in across]  # (w, hidden)
            places = list(zip(across, terms, strict=True))
            block = result[:, left : left + span]

            def decode(
                top: int,
                codes: slice = codes,
                places: list[tuple[Neighbour, Tensor]] = places,
                block: Tensor = block,
                part: Axis = part,
            ) -> int:
                lines = rows.part(top, min(top + step, height))
                noise = self._noise(lines, part, hidden) if self.config.noise else None
                total = torch.zeros_like(block[top : top + step])
                near = hidden[:, codes], colours[:, codes]
                self._block(*near, lines.neighbours(), places, noise, total)
                block[top : top + step] = total.mul_(0.5).add_(0.5)
                return total.shape[0] * total.shape[1]

            share = workers.run if on_cpu else workers.one_by_one
            share(decode, range(0, height, step), tick)
        return result

    def _noise(self, rows: Axis, cols: Axis, like: Tensor) -> Tensor:
        """Return the first layer's share of the noise at a block's outputs: (h, w, hidden)."""
        assert rows.position is not None
        assert cols.position is not None
        where = torch.device("cpu") if like.device.type == "mps" else like.device  # no float64
        y, x = rows.position.to(where)[:, None], cols.position.to(where)
        cell = (rows.step * cols.step) ** 0.5
        return noise_field(y, x, cell, self.seed, self.config.noise).to(like.device) @ self.noise

    def _block(
        self,
        hidden: Tensor,
        colours: Tensor,
        rows: list[Neighbour],
        cols: list[tuple[Neighbour, Tensor]],
        noise: Tensor | None,
        total: Tensor,
    ) -> None:
        """Decode one cache-sized block onto `total`, zeros: (h, w, 3) in [-1, 1]."""
        for down in rows:
            near = hidden.index_select(0, down.code)
            near += down.delta[:, None, None] * self.delta[0]
            near_colours = colours.index_select(0, down.code)
            part = total[down.outputs]  # a view, unless some rows are left out
            for across, term in cols:
                x = near.index_select(1, across.code).add_(term)
                if noise is not None:
                    x += noise[down.outputs][:, across.outputs]
                rgb = self.finish(x.flatten(0, 1)).view(*x.shape[:2], 3).float()
                if self.config.local_colour:
                    rgb += near_colours.index_select(1, across.code)
                weight = down.weight[:, None, None] * across.weight[:, None]
                part[:, across.outputs] += rgb.mul_(weight)
            total[down.outputs] = part
