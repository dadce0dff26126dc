"""Lesson 08, sharper features: its photographs, and its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from liif_core.baselines import resize
from liif_core.figures import BLUE, GREEN, ORANGE, new_figure
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


def method_bars(rows: Mapping[str, Sequence[float]]) -> Figure:
    """Return three bars per method: cosine similarity, NMSE, and NMSE at the seams.

    Args:
        rows: method -> the three values; the first method is drawn on top.
    """
    figure = new_figure(9.6, 0.36 * len(rows) + 1.1)
    panels = (
        ("cosine similarity (higher is better)", BLUE, ""),
        ("NMSE (lower is better)", ORANGE, "//"),
        ("NMSE at the seams", GREEN, ".."),
    )
    places = np.arange(len(rows))[::-1]
    axes = figure.subplots(1, 3, sharey=True)
    for column, (axis, (title, colour, hatch)) in enumerate(zip(axes, panels, strict=True)):
        values = [row[column] for row in rows.values()]
        axis.barh(places, values, color=colour, hatch=hatch, edgecolor="white")
        for place, value in zip(places, values, strict=True):
            axis.text(value + 0.01 * max(values), place, f"{value:.2f}", va="center", fontsize=8)
        axis.set_title(title, fontsize=9)
        axis.set_xlim(0, 1.18 * max(values))
    axes[0].set_yticks(places, list(rows))
    return figure
