"""Letters that lie: a small generative model that zooms 4 to 5 pixels tall letters 8 times.

Conditional flow matching (Lipman et al. 2022, arXiv 2210.02747; with straight paths as in rectified
flow, Liu et al. 2022, arXiv 2209.03003). Between noise x₀ and a true plate x₁ lies the straight
path x_t = (1 − t)·x₀ + t·x₁, whose velocity is x₁ − x₀. The network learns the mean velocity at a
place x_t, given the small plate; to follow it from noise, step by step, is to draw a sample of what
the plate may have been. Each seed draws another.
"""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liif_core.companions.plates import NOISE, ZOOM, sensor

#: Shipped weights, float16.
WEIGHTS = "letters-that-lie.safetensors"

#: Pixels along a side of the squares that the network takes as one place.
SQUARE = 4

#: Standard deviation of a plate's pixels, in grey values of 0 … 1: what `NOISE` is beside.
CONTRAST = 0.3

#: Steps from noise to a sample.
STEPS = 32


class Block(nn.Module):
    """Two convolutions beside a short cut, told the time t."""

    def __init__(self, channels: int, told: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.GroupNorm(8, channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1)
        )
        self.time = nn.Linear(told, 2 * channels)
        self.norm = nn.GroupNorm(8, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """x: (B, C, H, W); told: (B, told) what is known of t."""
        scale, shift = self.time(told)[..., None, None].chunk(2, dim=1)
        inside = self.norm(self.first(x)) * (1 + scale) + shift
        return x + self.second(F.silu(inside))


class Letters(nn.Module):
    """The velocity field: where a picture of letters should go, given the small plate.

    Args:
        outer, inner: channels at squares of 4×4 and of 8×8 pixels; an 8×8 is a small plate's pixel.
        depth: blocks at the small plate's pixels; half as many before and after it.
    """

    def __init__(self, outer: int = 48, inner: int = 96, depth: int = 4) -> None:
        super().__init__()
        told = 64
        self.clock = nn.Sequential(nn.Linear(told, told), nn.SiLU())
        pixels = SQUARE * SQUARE
        self.enter = nn.Conv2d(2 * pixels, outer, 3, padding=1)
        self.before = nn.ModuleList(Block(outer, told) for _ in range(depth // 2))
        self.down = nn.Conv2d(outer, inner, 2, stride=2)
        self.middle = nn.ModuleList(Block(inner, told) for _ in range(depth))
        self.up = nn.ConvTranspose2d(inner, outer, 2, stride=2)
        self.after = nn.ModuleList(Block(outer, told) for _ in range(depth // 2))
        self.leave = nn.Sequential(
            nn.GroupNorm(8, outer), nn.SiLU(), nn.Conv2d(outer, pixels, 3, padding=1)
        )

    def forward(self, x: Tensor, t: Tensor, small: Tensor) -> Tensor:
        """Return the velocity, (B, 1, 8h, 8w).

        Args:
            x: (B, 1, 8h, 8w) on the way from noise to a plate in [-1, 1].
            t: (B,) the time, 0 (noise) … 1 (plate).
            small: (B, 1, h, w) in [-1, 1].
        """
        told = self.clock(_waves(t, self.clock[0].in_features))  # type: ignore[arg-type]
        wide = F.interpolate(small, scale_factor=ZOOM, mode="bicubic")
        both = [F.pixel_unshuffle(part, SQUARE) for part in (x, wide)]
        x = self.enter(torch.cat(both, dim=1))
        for block in self.before:
            x = block(x, told)
        inner = self.down(x)
        for block in self.middle:
            inner = block(inner, told)
        x = x + self.up(inner)
        for block in self.after:
            x = block(x, told)
        return F.pixel_shuffle(self.leave(x), SQUARE)


def _waves(t: Tensor, count: int) -> Tensor:
    """Return t as sines and cosines of many frequencies: (B,) -> (B, count)."""
    turns = torch.exp(torch.linspace(0, math.log(200), count // 2, device=t.device))
    angles = t[:, None] * turns
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def flow_loss(model: Letters, plates: Tensor, small: Tensor, rng: torch.Generator) -> Tensor:
    """Return how far the model is from the velocity at random times, a scalar.

    Args:
        model: the velocity field.
        plates: (B, 1, 8h, 8w) true plates in [-1, 1]; small: (B, 1, h, w) their small ones.
        rng: where noise and times come from.
    """
    noise = torch.randn(plates.shape, generator=rng)
    t = torch.rand(len(plates), generator=rng)
    between = noise.lerp(plates, t[:, None, None, None])
    return (model(between, t, small) - (plates - noise)).square().mean()


@torch.no_grad()
def held_to(picture: Tensor, small: Tensor) -> Tensor:
    """Return the picture, changed so that its small plate is the one given, but for noise.

    Of all that could be changed, this is the most likely (Wiener filter, least squares with
    Tikhonov's regularisation): Aᵀ(A·Aᵀ + λ)⁻¹ of what is missing, where A is the camera, separable
    into its rows and columns, and λ the noise beside the contrast of letters.

    Args:
        picture: (B, 1, 8h, 8w) in [-1, 1]; small: (B, 1, h, w) in [-1, 1].
    """
    down, across = (torch.from_numpy(sensor(side)) for side in small.shape[-2:])
    missing = small - down @ picture @ across.mT
    (u, s, v), (p, q, r) = (torch.linalg.svd(part, full_matrices=False) for part in (down, across))
    both = s[:, None] * q
    seen = (u.mT @ missing @ p) * both / (both.square() + (NOISE / CONTRAST) ** 2)
    return picture + v.mT @ seen @ r


@torch.no_grad()
def imagine(
    model: Letters, small: np.ndarray, seeds: range | list[int], steps: int = STEPS
) -> np.ndarray:
    """Draw zooms of a small plate: what it may have been.

    At every step, what the picture is on its way to is held to the small plate (null-space
    projection, as in DDNM, Wang et al. 2022, arXiv 2212.00490): photographed again, it is that
    plate, up to the camera's noise.

    Args:
        model: trained.
        small: (h, w) in [0, 1].
        seeds: one zoom for each; the same seed gives the same zoom.
        steps: from noise to picture.

    Returns:
        (len(seeds), 8h, 8w) float32 in [0, 1].
    """
    height, width = (side * ZOOM for side in small.shape)
    noise = [
        torch.randn(1, height, width, generator=torch.Generator().manual_seed(seed))
        for seed in seeds
    ]
    x = torch.stack(noise)
    told = torch.from_numpy(small).float().expand(len(x), 1, -1, -1) * 2 - 1
    for step in range(steps):
        t = step / steps
        velocity = model(x, x.new_full((len(x),), t), told)
        goal = held_to(x + (1 - t) * velocity, told)
        x = x + (goal - x) / (steps - step)
    return ((x + 1) / 2).clamp(0, 1)[:, 0].numpy()


def load_letters(path: Path) -> Letters:
    """Return the trained model from a safetensors file."""
    from safetensors.torch import load_file

    model = Letters()
    model.load_state_dict({key: value.float() for key, value in load_file(path).items()})
    return model.eval().requires_grad_(False)
