"""Framings of one photo, and what a classifier makes of each (ImageNet-Hard, arXiv 2304.05538).

A framing is a size and an anchor: the photo is resized until its shorter side has `size` pixels,
and a window of 224 × 224 pixels is centred on one of 3 × 3 anchors. A large size zooms in, a small
one zooms out. In the words of this project: a window of the continuous photo, its centre a
coordinate, and its extent a scale.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from liif_core.baselines import Box, resize
from liif_core.errors import LiifError

#: Pixels along a side of what the classifier is shown.
WINDOW = 224
#: Grey for what lies outside the photo: 0 after the encoder's preprocessing.
OUTSIDE = 127


class Framing(NamedTuple):
    """One way to look at a photo.

    Attributes:
        size: pixels of the photo's shorter side after resizing.
        row, col: the anchor, each 0, 1 or 2; (1, 1) is the middle of the photo.
    """

    size: int
    row: int
    col: int


def all_framings(sizes: Sequence[int]) -> list[Framing]:
    """Return 9 framings for each size, in reading order."""
    return [Framing(size, row, col) for size in sizes for row in range(3) for col in range(3)]


def box_of(framing: Framing, height: int, width: int) -> Box:
    """Return the window of a framing in the pixels of a height × width photo.

    Returns:
        (left, top, right, bottom); it may reach beyond the photo.
    """
    scale = framing.size / min(height, width)
    x, y = (2 * framing.col + 1) / 6 * width, (2 * framing.row + 1) / 6 * height
    half = WINDOW / scale / 2
    return (x - half, y - half, x + half, y + half)


def is_inside(framing: Framing, height: int, width: int) -> bool:
    """Return whether a framing's window lies wholly inside a height × width photo, or touches it.

    At a size of 672 or more all nine do, whatever the photo's shape.
    """
    left, top, right, bottom = box_of(framing, height, width)
    slack = 1e-6  # of a pixel: what floats lose
    return min(left, top, width - right, height - bottom) >= -slack


def frame(photo: np.ndarray, framing: Framing) -> np.ndarray:
    """Return what a framing shows: bicubic, grey where the window leaves the photo.

    Args:
        photo: (H, W, 3) uint8.
        framing: see `Framing`.

    Returns:
        (224, 224, 3) uint8.

    Raises:
        LiifError: a size below 1, or an anchor that is not 0, 1 or 2.
    """
    if framing.size < 1 or not {framing.row, framing.col} <= {0, 1, 2}:
        raise LiifError(f"a framing has a size of at least 1 and an anchor in 0 … 2, not {framing}")
    height, width = photo.shape[:2]
    left, top, right, bottom = box_of(framing, height, width)
    shown = np.full((WINDOW, WINDOW, 3), OUTSIDE, np.uint8)
    rows, ys = _overlap(top, bottom, height)
    cols, xs = _overlap(left, right, width)
    inner = (xs[0], ys[0], xs[1], ys[1])
    shown[rows, cols] = resize(
        photo, rows.stop - rows.start, cols.stop - cols.start, "bicubic", box=inner
    )
    return shown


def _overlap(low: float, high: float, n: int) -> tuple[slice, tuple[float, float]]:
    """Return which pixels of the window show the photo, and which span of the photo they show."""
    step = (high - low) / WINDOW
    first = max(0, round(-low / step))
    last = min(WINDOW, max(first + 1, round((n - low) / step)))
    return slice(first, last), (max(0.0, low), min(float(n), high))


def is_right(probabilities: np.ndarray, labels: Collection[int]) -> np.ndarray:
    """Return where the most probable class is one of the right ones: (F, 1000) -> (F,) bool.

    Args:
        probabilities: of each framing.
        labels: the right classes; ImageNet has several for some things (two kinds of tabby).
    """
    return np.isin(probabilities.argmax(axis=-1), list(labels))


def by_mean(probabilities: np.ndarray) -> int:
    """Return the class with the highest mean probability over the framings, (F, 1000)."""
    return int(probabilities.mean(axis=0).argmax())


def by_confidence(probabilities: np.ndarray) -> int:
    """Return the class that any one framing is most sure of."""
    return int(probabilities.max(axis=0).argmax())


def by_entropy(probabilities: np.ndarray) -> int:
    """Return the class that the framing with the least entropy, −Σ p log p, names."""
    entropy = -(probabilities * np.log(probabilities.clip(1e-12))).sum(axis=1)
    return int(probabilities[entropy.argmin()].argmax())
