"""Lesson 08, sharper features: its photographs, and its figures."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from liif_core.baselines import resize
from liif_core.figures import BLUE, GREEN, INK, ORANGE, new_figure
from liif_core.samples import sample_photo

#: The photographs that the methods are measured on, each with the box that is cut out of it.
MEASURED = {
    "coffee": (100, 0, 500, 400),
    "cat": (70, 0, 370, 300),
    "astronaut": (0, 0, 400, 400),
    "palace": (0, 0, 427, 427),
    "flower": (100, 0, 527, 427),
    "portrait": (56, 20, 456, 420),
}
#: Other photographs: what is estimated or trained is estimated and trained on these.
OTHERS = ("rocket", "cameraman", "bricks", "grass", "gravel", "galaxies")


def measured_photos(side: int) -> np.ndarray:
    """Return the six squares that are measured, (6, side, side, 3) uint8."""
    return np.stack(
        [
            resize(sample_photo(name), side, side, "bicubic", box=box)
            for name, box in MEASURED.items()
        ]
    )


def other_crops(each: int, side: int, seed: int = 8) -> np.ndarray:
    """Return random squares of the other photographs, every second one mirrored.

    Args:
        each: squares of each photograph.
        side: of the squares, in pixels.
        seed: of their places and sizes.

    Returns:
        (each · 6, side, side, 3) uint8.
    """
    random = np.random.default_rng(seed)
    crops = []
    for name in OTHERS:
        photo = sample_photo(name)
        height, width = photo.shape[:2]
        for number in range(each):
            size = int(random.integers(224, min(height, width) + 1))
            top, left = (int(random.integers(0, n - size + 1)) for n in (height, width))
            square = photo[top : top + size, left : left + size]
            crop = resize(square, side, side, "bicubic")
            crops.append(crop[:, ::-1] if number % 2 else crop)
    return np.stack(crops)


@dataclass(frozen=True)
class FeatureColours:
    """Three colours for C features: the three directions in which features differ most (PCA).

    Attributes:
        mean: (C,) the middle of all features.
        axes: (C, 3) the directions, each of length 1.
        low, high: (3,) what becomes 0 and 1 along each; beyond them the colour saturates.
    """

    mean: Tensor
    axes: Tensor
    low: Tensor
    high: Tensor

    @classmethod
    def fit(cls, maps: Tensor) -> "FeatureColours":
        """Find the directions in feature maps, (B, C, H, W)."""
        rows = maps.transpose(0, 1).flatten(1).T  # one feature vector in each row
        mean = rows.mean(dim=0)
        axes = torch.linalg.svd(rows - mean, full_matrices=False)[2][:3].T
        # An axis and its reverse are equally good: choose one, so that colours stay.
        largest = axes.abs().argmax(dim=0)
        axes = axes * axes[largest, torch.arange(3)].sign()
        low, high = torch.quantile((rows - mean) @ axes, torch.tensor([0.02, 0.98]), dim=0)
        return cls(mean, axes, low, high)

    def paint(self, maps: Tensor) -> list[np.ndarray]:
        """Return each map as a picture: (B, C, H, W) -> B arrays of (H, W, 3) in [0, 1]."""
        along = (maps.permute(0, 2, 3, 1) - self.mean) @ self.axes
        return list(((along - self.low) / (self.high - self.low)).clamp(0, 1).numpy())


def bias_map(bias: Tensor) -> Figure:
    """Return how strong a position bias is at each position of a tile: (C, h, w)."""
    figure = new_figure(4.4, 3.4)
    axis = figure.subplots()
    drawn = axis.imshow(bias.square().mean(dim=0).sqrt().numpy(), cmap="viridis")
    figure.colorbar(drawn, ax=axis, label="root mean square over channels")
    axis.set(xlabel="column of the tile's map", ylabel="row", title="Position bias of a tile")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def method_bars(columns: Mapping[str, Mapping[str, tuple[float, float]]]) -> Figure:
    """Return bars of an error for each way, with a whisker of one standard error either side.

    Args:
        columns: title -> way -> (mean, standard error); the same ways in each, the first on top.
    """
    ways = list(next(iter(columns.values())))
    figure = new_figure(3.0 * len(columns) + 1.6, 0.36 * len(ways) + 1.0)
    axes = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    looks = ((BLUE, ""), (ORANGE, "//"), (GREEN, ".."))
    places = np.arange(len(ways))[::-1]
    for axis, (title, rows), (colour, hatch) in zip(axes, columns.items(), looks, strict=False):
        means, errors = np.array([rows[way] for way in ways]).T
        axis.barh(places, means, color=colour, hatch=hatch, edgecolor=INK)
        axis.errorbar(means, places, xerr=errors, fmt="none", ecolor=INK, capsize=3)
        for place, mean, error in zip(places, means, errors, strict=True):
            spot = mean + error + 0.02 * max(means)
            axis.text(spot, place, f"{mean:.2f}", va="center", fontsize=8)
        axis.set_title(title, fontsize=9)
        axis.set_xlim(0, 1.2 * max(means + errors))
    axes[0].set_yticks(places, ways)
    return figure
