"""LIIF's decoder arranged for speed: algebraically `LIIF.query`, with the first layer folded away.

The first layer of f_θ is linear, so W·[unfold(z), δ, cell] + b = conv3×3(z) + Wδ·δ + Wc·cell + b.
The convolution depends on the latent code alone: it runs once per input pixel instead of four
times per output pixel, and 576 gathered channels become as many as the layer is wide. On a regular
grid δ depends on the row or the column only, and the cell not at all: both become small tables.
What remains per output pixel is four runs through the small hidden layers.
"""

import functools
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liif_core import folded_grid
from liif_core.axes import Axis, axis_neighbours
from liif_core.liif import LIIF, noise_at
from liif_core.noise_field import noise_field


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
        with torch.autocast(cell.device.type, enabled=False):
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
            coord: (B, Q, 2); cell: (B, Q, 2), as for `LIIF.query`, or (B, 1, 2), one size for all.
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
        *,
        hidden_layers: torch.dtype | None = None,
        seed: int | None = None,
        out: Tensor | None = None,
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
            hidden_layers: what they are computed in; None: what `hidden` is in.
            seed: of the noise; None: the model's.
            out: (h, w, 3) float32, on the device of `hidden`, where the result goes; None: a new
                tensor.

        Returns:
            (h, w, 3) RGB, about [0, 1], not clamped.
        """
        dtype = hidden_layers or hidden.dtype
        own = colours if self.config.local_colour else None
        reading = folded_grid.Reading(self.delta, cell, self.rest, dtype, own is not None)
        which = self.seed if seed is None else seed
        read = functools.partial(self._noise, like=hidden, seed=which)
        noise = read if self.config.noise else None
        return folded_grid.decode(reading, hidden, own, rows, cols, tick, noise, out)

    def _noise(self, rows: Axis, cols: Axis, like: Tensor, seed: int) -> Tensor:
        """Return the first layer's share of the noise at a block's outputs: (h, w, hidden)."""
        assert rows.position is not None
        assert cols.position is not None
        where = torch.device("cpu") if like.device.type == "mps" else like.device  # no float64
        y, x = rows.position.to(where)[:, None], cols.position.to(where)
        cell = (rows.step * cols.step) ** 0.5
        return noise_field(y, x, cell, seed, self.config.noise).to(like.device) @ self.noise
