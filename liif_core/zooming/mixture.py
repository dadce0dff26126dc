"""A dial between two models: their answers, mixed.

`liif-edsr` keeps what is fine in a clean photo, and noise with it; `liif-edsr-photo` takes noise
back, and some fine texture with it. Between them lie all mixtures of what the two say of each
pixel. The squared error of a mixture is never more than that mixture of the two squared errors.

Mixing their weights would take half the time, and does not serve: the two lie in different valleys
of the loss, and half-way between them are weights that serve clean photos worse than either, by
0.7 dB (`benchmarks/old_photos.py --path`).
"""

from typing import TypeAlias

import numpy as np
import torch
from torch import nn

from liif_core import models
from liif_core.errors import LiifError
from liif_core.grid import OutputGrid
from liif_core.metrics import psnr
from liif_core.render import Renderer, Tick
from liif_core.weights import load_model
from liif_core.zooming.fewer_codes import FewerCodes, cost_told

#: Shipped weights at the two ends of the dial: what is fine stays; noise goes.
ENDS = ("liif-edsr", "liif-edsr-photo")


class Mixture(nn.Module):
    """Two models that answer together.

    Args:
        first, second: on one device.
        share: of the second in each answer, from 0 to 1.

    Attributes:
        weights_name: what the mixture is called.
        config: the first model's.

    Raises:
        LiifError: a share that is not between 0 and 1.
    """

    share: torch.Tensor

    def __init__(self, first: models.Model, second: models.Model, share: float) -> None:
        super().__init__()
        check_share(share)
        self.first, self.second = first, second
        self.register_buffer("share", torch.tensor(share, dtype=torch.float64))
        self.weights_name = _name(share, first.weights_name, second.weights_name)

    @property
    def config(self) -> models.Config:
        """What the first model is like."""
        return self.first.config


#: What a photo can be zoomed with.
Model: TypeAlias = models.Model | Mixture


def denoising(share: float, device: str = "auto") -> Model:
    """Load the model at a place of the dial.

    Args:
        share: from 0, `liif-edsr`, to 1, `liif-edsr-photo`. In between both are asked, which takes
            twice the time.
        device: see `pick_device`.

    Raises:
        LiifError: a share that is not between 0 and 1, or as `load_model`.
    """
    check_share(share)
    if share in (0, 1):
        return load_model(ENDS[int(share)], device)
    first, second = (load_model(name, device) for name in ENDS)
    return Mixture(first, second, share)


def name_of(share: float) -> str:
    """Return what the weights at a place of the dial are called."""
    return ENDS[int(share)] if share in (0, 1) else _name(share, *ENDS)


def check_share(share: float) -> None:
    """Raise LiifError unless a share lies between 0 and 1."""
    if not 0 <= share <= 1:  # false for NaN, too
        raise LiifError(f"a share of {share:g} is none; give a number from 0 to 1, as 0.7")


def _name(share: float, first: str, second: str) -> str:
    return f"{1 - share:.3g} {first} + {share:.3g} {second}"


class Mixed:
    """The answers of two renderers of one photo, mixed.

    Args:
        first, second: the renderers.
        share: of the second in each answer.
    """

    def __init__(self, first: Renderer, second: Renderer, share: float) -> None:
        self.first, self.second, self.share = first, second, np.float32(share)

    def window(
        self, grid: OutputGrid, rows: range, cols: range, tick: Tick | None = None
    ) -> np.ndarray:
        """Return some rows and columns of the mixed result."""
        half = (lambda pixels: tick(pixels / 2)) if tick else None
        mixed = self.first.window(grid, rows, cols, half) * (1 - self.share)
        mixed += self.second.window(grid, rows, cols, half) * self.share
        return mixed

    def strip_ends(self, grid: OutputGrid) -> list[int]:
        """Return where the strips of a result had better end."""
        return self.first.strip_ends(grid)

    def seconds_needed(self, grid: OutputGrid) -> float:
        """Guess how long a result will take."""
        return self.first.seconds_needed(grid) + self.second.seconds_needed(grid)

    def remark(self, grid: OutputGrid) -> str:
        """Say what the mixed result costs, if its parts are not exact."""
        if not (isinstance(self.first, FewerCodes) and isinstance(self.second, FewerCodes)):
            return ""
        # Neither part's own cost is that of the mixture: what they lose partly cancels out.
        fast, exact = (
            (one * (1 - self.share) + other * self.share).clip(0, 1)
            for one, other in zip(self.first.samples(grid), self.second.samples(grid), strict=True)
        )
        return cost_told(psnr(fast, exact))
