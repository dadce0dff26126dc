"""A decoder after LIIF: each latent code holds a small field of waves, and the cell is exact.

The idea is that of heat fields (Becker et al., "Thera", arXiv 2311.17643), told in our own code.
LIIF asks a network for every output pixel; here a network is asked once for every *input* pixel,
and writes down how strong each of a few dozen waves is in that pixel's surroundings. The waves are
the same for all photos; their frequencies ω are learned. A colour is then a sum of waves,

    s(x) = c + Σₖ dₖ · (aₖ · sin ωₖ·δ + bₖ · cos ωₖ·δ),    δ = x − v,

and the size of the asked-for pixel needs no learning: the mean of a wave under a Gaussian is the
same wave, weaker by dₖ = exp(−κ · (ω_y² · cell_y² + ω_x² · cell_x²)), as heat flow damps it. The
four nearest codes answer, and are blended by area as in LIIF (arXiv 2012.09161, equation 4).

Where this differs from the paper: aₖ and bₖ are predicted instead of a phase and an amplitude (the
same function, and linear in what is predicted); four codes answer, not the nearest alone; the
cell's two sides damp on their own, so that cells need not be square; each code's own pixel is
added to its answer, as in LIIF with local colour; the power of ω · side may be another than 2
(`HeatConfig.falloff`): any even weighting leaves of a wave the same wave, and it need not be a
Gaussian's; and c, aₖ and bₖ may be polynomials in the pixel's side (`HeatConfig.powers`): how sharp
the photo is at ×2 and how sharp at ×4 depends on what it shows, in another way each.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liif_core.coords import centre_of, nearest_index
from liif_core.edsr import EDSR, conv3x3
from liif_core.liif import EPSILON, Answers, Latents

#: Largest frequency at the start, in radians per input pixel: two waves a pixel.
HIGHEST = 4 * math.pi

#: Least and largest values of a configuration's integers that are no sizes.
LIMITS = {"depth": (0, 16), "powers": (0, 8)}


@dataclass(frozen=True)
class HeatConfig:
    """What distinguishes one heat field from another.

    Attributes:
        blocks: residual blocks of the EDSR encoder.
        channels: length of a latent code.
        width: channels of the small network that reads a field off the latent codes.
        depth: layers of that network between its first one, a 3×3 convolution, and its last one.
        waves: how many waves a field has.
        local_ensemble: blend the answers of the 4 nearest latent codes; else the nearest answers.
        cell_decoding: damp the waves by the asked-for pixel's size; else it has none.
        falloff: the power of ω · side in the damping's exponent; 2 is the paper's Gaussian.
        powers: degree of the polynomials in the pixel's side that the fields are; 0 is the paper's:
            they do not depend on it, and it is in the damping alone.
    """

    blocks: int = 16
    channels: int = 64
    width: int = 64
    waves: int = 48
    local_ensemble: bool = True
    cell_decoding: bool = True
    falloff: float = 2.0
    depth: int = 1
    powers: int = 0

    #: What `LIIFConfig` has besides: here a convolution reads the neighbours of each code, once
    #: and for all, and each code's own pixel is always added.
    feature_unfolding: ClassVar[bool] = False
    local_colour: ClassVar[bool] = True

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "HeatConfig":
        """Build a configuration from JSON values.

        Raises:
            ValueError: an unknown or missing key, or a value of the wrong kind.
        """
        known = asdict(cls())
        # Files from before there was a choice do not say what they chose.
        values = {key: known[key] for key in ("falloff", "depth", "powers")} | values
        if set(values) != set(known):
            wrong = sorted(set(values) ^ set(known))
            raise ValueError(f"heat field configuration: unknown or missing {', '.join(wrong)}")
        if type(values["falloff"]) not in (int, float) or not 1 <= values["falloff"] <= 8:
            raise ValueError("heat field configuration: falloff must be a number in 1 … 8")
        for key, value in values.items():
            if type(known[key]) is bool and type(value) is not bool:
                raise ValueError(f"heat field configuration: {key} must be true or false")
            least, most = LIMITS.get(key, (1, 1024))
            if type(known[key]) is int and not (type(value) is int and least <= value <= most):
                raise ValueError(
                    f"heat field configuration: {key} must be an integer in {least} … {most}"
                )
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; inverse of `from_dict`."""
        return asdict(self)


CONFIGS = {
    # The encoders of liif-edsr-small and liif-edsr, which may lend them.
    "heat-edsr-small": HeatConfig(blocks=8, channels=48),
    "heat-edsr": HeatConfig(width=160, depth=2, falloff=2.81, powers=3),
}


class HeatField(nn.Module):
    """A photo as a continuous function made of waves: `encode` it once, `query` it anywhere.

    Args:
        config: see `HeatConfig`.

    Attributes:
        weights_name: what its weights are called, if they have a name.
    """

    def __init__(self, config: HeatConfig | None = None) -> None:
        super().__init__()
        self.weights_name = ""
        self.config = config or HeatConfig()
        channels, width, waves = self.config.channels, self.config.width, self.config.waves
        self.encoder = EDSR(self.config.blocks, channels)
        between: list[nn.Module] = []
        for _ in range(self.config.depth):
            between += [nn.Conv2d(width, width, 1), nn.ReLU()]
        last = nn.Conv2d(width, 3 * (self.config.powers + 1) * (1 + 2 * waves), 1)
        self.writer = nn.Sequential(conv3x3(channels, width), nn.ReLU(), *between, last)
        nn.init.zeros_(last.weight)  # at first, a field is flat: bilinear interpolation
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.omega = nn.Parameter(first_frequencies(waves))
        self.log_kappa = nn.Parameter(torch.tensor(math.log(1 / 24)))  # a square pixel's variance

    def encode(self, photo: Tensor) -> Latents:
        """Read a photo into a grid of latent codes.

        Args:
            photo: (B, 3, H, W), RGB in [0, 1].
        """
        colours = (photo - 0.5) / 0.5
        return Latents(self.encoder(colours), colours)

    def fields(self, latents: Latents) -> Tensor:
        """Write down each code's field.

        Returns:
            (B, H, W, 3, (P + 1) · (1 + 2K)): for each colour in [-1, 1] the constant c (the code's
            own pixel and a correction), then a₁ … a_K, then b₁ … b_K; then, for each of P powers
            of the pixel's side, what counts with it, in the same order.
        """
        written = self.writer(latents.codes).permute(0, 2, 3, 1)
        return with_own_colour(written, latents.colours.permute(0, 2, 3, 1))

    def damping(self, pixel: Tensor) -> Tensor:
        """Return what a pixel's size leaves of each wave: exp(−κ · Σ |ω · side|ᵖ), p the falloff.

        Args:
            pixel: (..., 2) height and width of the asked-for pixel, in input pixels. Ignored
                without cell decoding: then all of each wave is left.

        Returns:
            (..., K) factors in (0, 1].
        """
        size, power = self._size(pixel), self.config.falloff
        return (-self.log_kappa.exp() * (size**power @ self.omega.t().abs() ** power)).exp()

    def powers(self, pixel: Tensor) -> Tensor:
        """Return the powers 0 … P of a pixel's side, √(height · width), but at most 1.

        Args:
            pixel: as for `damping`.

        Returns:
            (..., P + 1) in [0, 1].
        """
        side = self._size(pixel).prod(dim=-1, keepdim=True).sqrt().clamp(max=1)
        return torch.cat([side**power for power in range(self.config.powers + 1)], dim=-1)

    def _size(self, pixel: Tensor) -> Tensor:
        return pixel.abs() if self.config.cell_decoding else torch.zeros_like(pixel)

    def query(self, latents: Latents, coord: Tensor, cell: Tensor) -> Tensor:
        """Ask for the colour at any coordinate, for a pixel of any size.

        Args and result: as for `LIIF.query`: coord and cell (B, Q, 2), (y, x) in [-1, 1] and sides
        in the same frame, or (B, 1, 2), one size for all; (B, Q, 3) RGB, about [0, 1], not clamped.
        """
        return self.read(self.fields(latents), coord, cell)

    def answers(self, latents: Latents, coord: Tensor, cell: Tensor) -> Answers:
        """Ask each of the nearest latent codes on its own; `query` blends what they say."""
        return self.asked(self.fields(latents), coord, cell)

    def read(self, fields: Tensor, coord: Tensor, cell: Tensor) -> Tensor:
        """Ask fields that are written down already; see `query`.

        Args:
            fields: of all powers of the pixel's side, or of one size alone, (B, H, W, 3, 1 + 2K).
        """
        answers = self.asked(fields, coord, cell)
        blended = (answers.rgb * answers.weight[..., None]).sum(dim=2)
        return blended * 0.5 + 0.5

    def asked(self, fields: Tensor, coord: Tensor, cell: Tensor) -> Answers:
        """Ask each of the nearest fields on its own; see `answers`."""
        height, width = fields.shape[1:3]
        size = coord.new_tensor([height, width])
        pixel = (cell * size / 2).to(fields)
        left = self.damping(pixel)  # (B, Q, K)
        powers = self.powers(pixel)[..., None]  # (B, Q, P + 1, 1)
        steps = [(-1, -1), (-1, 1), (1, -1), (1, 1)] if self.config.local_ensemble else [(0, 0)]
        rgb, area, index, seen = [], [], [], []
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
            offset = (coord - centre) * size  # in half code spacings, as LIIF's
            phase = (offset / 2).to(fields) @ self.omega.t()  # ω·δ, δ in input pixels: (B, Q, K)
            waves = torch.cat(
                [torch.ones_like(phase[..., :1]), left * phase.sin(), left * phase.cos()], dim=-1
            )
            if fields.shape[-1] > waves.shape[-1]:
                waves = (powers * waves[:, :, None]).flatten(2)  # (B, Q, (P + 1) · (1 + 2K))
            rgb.append((_pick(fields, row, col) * waves[:, :, None]).sum(dim=-1))  # (B, Q, 3)
            area.append((offset.abs() + EPSILON).prod(dim=-1))
            index.append(torch.stack([row, col], dim=-1))
            seen.append(offset)
        weight = torch.stack(area[::-1], dim=-1)  # the rectangle to the *opposite* code, as LIIF's
        weight = (weight / weight.sum(dim=-1, keepdim=True)).to(fields)
        return Answers(torch.stack(rgb, 2), weight, torch.stack(index, 2), torch.stack(seen, 2))


def _pick(fields: Tensor, row: Tensor, col: Tensor) -> Tensor:
    """Read one field per query: (B, H, W, 3, N), row and col (B, Q) -> (B, Q, 3, N)."""
    batch, height, width = fields.shape[:3]
    first = torch.arange(batch, device=fields.device)[:, None] * height
    place = (first + row) * width + col
    # As F.embedding, whose gradient takes less time than that of an index.
    return F.embedding(place, fields.flatten(0, 2).flatten(1)).unflatten(-1, fields.shape[3:])


def with_own_colour(written: Tensor, colours: Tensor) -> Tensor:
    """Return fields from what the writer's last layer says, each with its code's own pixel added.

    Args:
        written: (..., 3 · N).
        colours: (..., 3) in [-1, 1].

    Returns:
        (..., 3, N), see `HeatField.fields`.
    """
    constant, waves = written.unflatten(-1, (3, -1)).tensor_split([1], dim=-1)
    return torch.cat([constant + colours[..., None], waves], dim=-1)


def first_frequencies(waves: int) -> Tensor:
    """Spread frequencies evenly over half a disc: (waves, 2), (y, x) in radians per input pixel.

    A wave and its mirror image are the same, hence half. Neighbours in the list turn by the golden
    angle, which spreads any number of them evenly.
    """
    number = torch.arange(waves, dtype=torch.float64)
    radius = HIGHEST * ((number + 0.5) / waves).sqrt()
    angle = number * (math.pi * (3 - math.sqrt(5)) / 2)
    return torch.stack([radius * angle.sin(), radius * angle.cos()], dim=-1).float()
