"""LIIF, as the paper writes it (Chen, Liu, Wang: CVPR 2021, arXiv 2012.09161).

This is the explanation: the paper's equations, in the paper's words and order, slow where that is
clearer. `folded.py` computes the same function arranged for speed; a test holds the two together.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liif_core.coords import centre_of, nearest_index
from liif_core.edsr import EDSR
from liif_core.noise_field import LATTICES, noise_field

#: Keeps the ensemble's weights defined where a coordinate sits exactly on a latent code. It is
#: added to each side of the rectangle: added to the area, as in the official code, it would let
#: the one degenerate side at a photo's border switch off interpolation along the other.
EPSILON = 1e-9

#: A file that asks for more is not built: the paper has 4.
MAX_HIDDEN_LAYERS = 16


@dataclass(frozen=True)
class LIIFConfig:
    """What distinguishes one LIIF from another.

    Attributes:
        blocks: residual blocks of the EDSR encoder.
        channels: length of a latent code.
        hidden: widths of the hidden layers of the decoding function f_θ ("imnet").
        local_ensemble: blend the answers of the 4 nearest latent codes (section 3.2, equation 4).
        feature_unfolding: join each code with its 8 neighbours (section 3.2, equation 3).
        cell_decoding: tell the decoder how large the asked-for pixel is (section 3.3, equation 5).
        local_colour: add each latent code's own input pixel to its answer, so that f_θ learns a
            correction to bilinear interpolation. Not in the paper; LTE (arXiv 2111.08918) and
            later models add the same term.
        noise: how many channels of `noise_field` the decoder reads at the asked-for position, so
            that it can invent details; 0, as in the paper, for none.
    """

    blocks: int = 16
    channels: int = 64
    hidden: tuple[int, ...] = (256, 256, 256, 256)
    local_ensemble: bool = True
    feature_unfolding: bool = True
    cell_decoding: bool = True
    local_colour: bool = False
    noise: int = 0

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "LIIFConfig":
        """Build a configuration from JSON values.

        Raises:
            ValueError: an unknown or missing key, or a value of the wrong kind.
        """
        known = asdict(cls())
        values = {"noise": 0, **values}  # files of models without noise do not say
        if set(values) != set(known):
            wrong = sorted(set(values) ^ set(known))
            raise ValueError(f"LIIF configuration: unknown or missing {', '.join(wrong)}")
        for key in ("blocks", "channels"):
            if type(values[key]) is not int or not 1 <= values[key] <= 1024:
                raise ValueError(f"LIIF configuration: {key} must be an integer in 1 … 1024")
        hidden = values["hidden"]
        if not (isinstance(hidden, (list, tuple)) and len(hidden) <= MAX_HIDDEN_LAYERS) or not all(
            type(width) is int and 1 <= width <= 4096 for width in hidden
        ):
            raise ValueError(
                f"LIIF configuration: hidden must be a list of at most {MAX_HIDDEN_LAYERS} "
                "integers in 1 … 4096"
            )
        if type(values["noise"]) is not int or not 0 <= values["noise"] <= len(LATTICES):
            raise ValueError(f"LIIF configuration: noise must be an integer in 0 … {len(LATTICES)}")
        for key in sorted(set(known) - {"blocks", "channels", "hidden", "noise"}):
            if type(values[key]) is not bool:
                raise ValueError(f"LIIF configuration: {key} must be true or false")
        return cls(**{**values, "hidden": tuple(hidden)})

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; inverse of `from_dict`."""
        values = {**asdict(self), "hidden": list(self.hidden)}
        if not self.noise:
            del values["noise"]
        return values


CONFIGS = {
    # Exactly as published: 1.6 M parameters.
    "edsr-baseline-liif": LIIFConfig(),
    # 391,155 parameters: quick to train and to render on a laptop.
    "liif-edsr-small": LIIFConfig(blocks=8, channels=48, hidden=(64, 64, 64), local_colour=True),
    # The published encoder with the small decoder: 1.26 M parameters, nearly all run once a photo.
    "liif-edsr": LIIFConfig(hidden=(64, 64, 64), local_colour=True),
    # The same, and noise to invent details from.
    "liif-edsr-crisp": LIIFConfig(hidden=(64, 64, 64), local_colour=True, noise=12),
}


class Latents(NamedTuple):
    """What an encoder wrote down about a photo: all that `LIIF.query` needs.

    Attributes:
        codes: (B, C, H, W) one latent code per input pixel.
        colours: (B, 3, H, W) the input pixels themselves in [-1, 1], for local colour.
    """

    codes: Tensor
    colours: Tensor


@dataclass(frozen=True)
class Answers:
    """What each of the nearest latent codes says, before they are blended.

    Attributes:
        rgb: (B, Q, N, 3) each code's own answer in [-1, 1]; N is 4 (above left, above right,
            below left, below right), or 1 without local ensemble.
        weight: (B, Q, N) its share of the result; the shares add up to 1.
        index: (B, Q, N, 2) row and column of the code in the latent grid.
        delta: (B, Q, N, 2) where the query stands, seen from the code, in half code spacings:
            (1, 1) is the lower right corner of the code's own cell.
    """

    rgb: Tensor
    weight: Tensor
    index: Tensor
    delta: Tensor


class MLP(nn.Module):
    """f_θ, the decoding function: a multi-layer perceptron with ReLUs, shared by all queries."""

    def __init__(self, in_dim: int, hidden: Sequence[int], out_dim: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in hidden:
            layers += [nn.Linear(in_dim, width), nn.ReLU()]
            in_dim = width
        self.layers = nn.Sequential(*layers, nn.Linear(in_dim, out_dim))

    def forward(self, x: Tensor) -> Tensor:
        """Decode: (..., in_dim) -> (..., out_dim)."""
        return self.layers(x)


class LIIF(nn.Module):
    """A photo as a continuous function: `encode` it once, `query` it anywhere.

    Args:
        config: see `LIIFConfig`; the default is EDSR-baseline-LIIF as published.

    Attributes:
        weights_name: what its weights are called, if they have a name.
        seed: of the noise that it reads, if it does: another seed, another plausible answer.
    """

    def __init__(self, config: LIIFConfig | None = None) -> None:
        super().__init__()
        self.weights_name = ""
        self.seed = 0
        self.config = config or LIIFConfig()
        self.encoder = EDSR(self.config.blocks, self.config.channels)
        in_dim = self.config.channels * (9 if self.config.feature_unfolding else 1)
        in_dim += 4 if self.config.cell_decoding else 2
        in_dim += self.config.noise
        self.imnet = MLP(in_dim, self.config.hidden)

    def encode(self, photo: Tensor) -> Latents:
        """Read a photo into a grid of latent codes (section 3.1: z = E_φ(I)).

        Args:
            photo: (B, 3, H, W), RGB in [0, 1].

        Returns:
            the latent codes and the pixels they belong to, on the same grid.
        """
        colours = (photo - 0.5) / 0.5
        return Latents(self.encoder(colours), colours)

    def query(self, latents: Latents, coord: Tensor, cell: Tensor) -> Tensor:
        """Ask for the colour at any coordinate, for a pixel of any size (equation 4).

        Args:
            latents: what `encode` returned.
            coord: (B, Q, 2), (y, x) in [-1, 1]. In float64 the place inside a cell stays exact
                on photos of thousands of pixels; the decoder itself works in the model's dtype.
            cell: (B, Q, 2), height and width of the asked-for pixel in the same frame: 2/n for a
                result of n rows or columns. Ignored without cell decoding.

        Returns:
            (B, Q, 3) RGB; about [0, 1], not clamped.
        """
        answers = self.answers(latents, coord, cell)
        blended = (answers.rgb * answers.weight[..., None]).sum(dim=2)
        return blended * 0.5 + 0.5

    def answers(
        self, latents: Latents, coord: Tensor, cell: Tensor, noise: Tensor | None = None
    ) -> Answers:
        """Ask each of the nearest latent codes on its own; `query` blends what they say.

        Args and shapes: as for `query`; noise: (B, Q, `config.noise`), to be read in place of what
        `noise_at` says.
        """
        height, width = latents.codes.shape[-2:]
        size = coord.new_tensor([height, width])
        codes = latents.codes
        if self.config.feature_unfolding:  # (B, C, H, W) -> (B, 9C, H, W), equation 3
            codes = F.unfold(codes, 3, padding=1).unflatten(2, (height, width))

        if self.config.noise and noise is None:
            noise = noise_at(coord, cell, (height, width), self.seed, self.config.noise)
        # A step of half a code spacing in each diagonal direction lands in the cells of the four
        # codes that surround the coordinate; at the border, two of them are the same one.
        steps = [(-1, -1), (-1, 1), (1, -1), (1, 1)] if self.config.local_ensemble else [(0, 0)]
        rgb, area, index, delta = [], [], [], []
        for step_y, step_x in steps:
            row = nearest_index(coord[..., 0] + step_y / height, height)  # (B, Q)
            col = nearest_index(coord[..., 1] + step_x / width, width)
            centre = torch.stack(
                [
                    centre_of(row, height, dtype=coord.dtype),
                    centre_of(col, width, dtype=coord.dtype),
                ],
                dim=-1,
            )
            offset = (coord - centre) * size  # δ = x - v, in half code spacings
            inputs = [_pick(codes, row, col), offset.to(codes)]
            if self.config.cell_decoding:
                inputs.append((cell * size).to(codes))
            if noise is not None:  # of the place asked for, the same for all four codes
                inputs.append(noise)
            answer = self.imnet(torch.cat(inputs, dim=-1))  # s = f_θ(z, δ, cell), equation 5
            if self.config.local_colour:
                answer = answer + _pick(latents.colours, row, col)
            rgb.append(answer)
            area.append((offset.abs() + EPSILON).prod(dim=-1))
            index.append(torch.stack([row, col], dim=-1))
            delta.append(offset)

        # Each code's weight is the rectangle between the coordinate and the *opposite* code: the
        # nearer a code, the larger the rectangle on the far side. Reversing the list swaps them.
        weight = torch.stack(area[::-1], dim=-1)
        weight = (weight / weight.sum(dim=-1, keepdim=True)).to(codes)
        return Answers(torch.stack(rgb, 2), weight, torch.stack(index, 2), torch.stack(delta, 2))


def noise_at(
    coord: Tensor, cell: Tensor, size: tuple[int, int], seed: Tensor | int, channels: int
) -> Tensor:
    """Return the noise that a decoder reads at coordinates: (..., channels) float32.

    Args:
        coord, cell: (..., 2), as for `LIIF.query`.
        size: height and width of the photo.
        seed, channels: as for `noise_field`.
    """
    y, x = (((coord[..., axis].double() + 1) * (n / 2)) for axis, n in enumerate(size))
    area = (cell[..., 0] * (size[0] / 2)) * (cell[..., 1] * (size[1] / 2))
    return noise_field(y, x, area.double().sqrt(), seed, channels)


def _pick(grid: Tensor, row: Tensor, col: Tensor) -> Tensor:
    """Read one column of `grid` (B, C, H, W) per query: row, col (B, Q) -> (B, Q, C)."""
    batch = torch.arange(grid.shape[0], device=grid.device)[:, None]
    return grid[batch, :, row, col]
