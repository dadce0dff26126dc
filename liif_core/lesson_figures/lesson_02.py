"""Figures of lesson 02: feature maps as pictures, two codes as bars, a change as a map."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from liif_core.exercises.lesson_02 import TAMPERINGS
from liif_core.figures import BLUE, INK, ORANGE, draw_picture, new_figure
from liif_core.liif import Latents


def stretch(values: np.ndarray) -> np.ndarray:
    """Return values of any range as greys in [0, 1]: the 1st percentile black, the 99th white."""
    low, high = np.percentile(values, [1, 99])
    return ((values - low) / max(float(high - low), 1e-12)).clip(0, 1)


def false_colours(features: np.ndarray) -> np.ndarray:
    """Return many feature maps as one colour picture: equal colours mean like features.

    Red, green and blue are the three directions in which the features vary most (their principal
    components).

    Args:
        features: (C, H, W), at least 3 channels.

    Returns:
        (H, W, 3) in [0, 1].
    """
    channels, height, width = features.shape
    flat = features.reshape(channels, -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    directions = np.linalg.eigh(flat @ flat.T)[1][:, :-4:-1]  # (C, 3), the strongest first
    # A direction and its opposite are equally good; choose, so that every machine shows the same.
    largest = np.abs(directions).argmax(axis=0)
    directions *= np.sign(directions[largest, range(3)])
    planes = (directions.T @ flat).reshape(3, height, width)
    return np.stack([stretch(plane) for plane in planes], axis=-1)


def contact_sheet(maps: np.ndarray, columns: int = 8, gap: int = 3) -> np.ndarray:
    """Return feature maps in a grid, each in its own greys: (N, H, W) -> (height, width)."""
    count, height, width = maps.shape
    rows = -(-count // columns)
    sheet = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap))
    for number, one in enumerate(maps):
        top, left = (number // columns) * (height + gap), (number % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = stretch(one)
    return sheet


def with_cross(picture: np.ndarray, row: int, col: int, arm: int = 5) -> np.ndarray:
    """Return a copy with a cross around (not over) a pixel, white on black to show on any ground.

    Args:
        picture: (H, W) or (H, W, 3) in [0, 1].
        row, col: the pixel.
        arm: how far the cross reaches, in pixels.

    Returns:
        (H, W, 3) in [0, 1].
    """
    marked = np.array(np.broadcast_to(np.atleast_3d(picture), (*picture.shape[:2], 3)))
    height, width = picture.shape[:2]
    for colour, thick in ((0.0, 1), (1.0, 0)):
        for step in (*range(-arm, -1), *range(2, arm + 1)):
            for side in range(-thick, thick + 1):
                for y, x in ((row + step, col + side), (row + side, col + step)):
                    if 0 <= y < height and 0 <= x < width:
                        marked[y, x] = colour
    return marked


def two_codes(patches: Sequence[np.ndarray], codes: Sequence[np.ndarray]) -> Figure:
    """Return two patches of a photo, and the latent code of each one's middle pixel as bars.

    Args:
        patches: two (h, w, 3) pictures of odd sides.
        codes: two (C,) codes.
    """
    figure = new_figure(7.6, 3.2)
    axes = figure.subplots(2, 2, width_ratios=[1, 4.5])
    limit = 1.1 * max(np.abs(code).max() for code in codes)
    for number, (patch, code) in enumerate(zip(patches, codes, strict=True)):
        picture, bars = axes[number]
        draw_picture(picture, patch, f"place {'AB'[number]}")
        height, width = patch.shape[:2]
        picture.add_patch(
            Rectangle((width // 2 - 0.5, height // 2 - 0.5), 1, 1, fill=False, edgecolor="white")
        )
        bars.bar(range(len(code)), code, color=(BLUE, ORANGE)[number])
        bars.set(ylim=(-limit, limit), ylabel=f"code {'AB'[number]}")
        bars.axhline(0, color=INK, linewidth=0.8)
    axes[1, 1].set_xlabel("channel")
    return figure


def change_map(change: np.ndarray, squares: dict[str, int]) -> Figure:
    """Return where codes changed, on a logarithmic scale, with squares around the middle.

    Args:
        change: (n, n) size of each code's change, 0 where none, n odd.
        squares: name -> distance from the middle, in pixels; at most two.
    """
    figure = new_figure(6.4, 4.2)
    axis = figure.subplots()
    middle = len(change) // 2
    with np.errstate(divide="ignore"):
        powers = np.where(change > 0, np.log10(change), np.nan)
    colour_map = figure.axes[0].imshow(
        powers, cmap="viridis", extent=(-middle - 0.5, middle + 0.5, middle + 0.5, -middle - 0.5)
    )
    bar = figure.colorbar(colour_map, ax=axis)
    bar.set_label("change of the code (power of ten)")
    for (name, distance), style in zip(squares.items(), ("-", "--"), strict=False):
        axis.add_patch(
            Rectangle(
                (-distance - 0.5, -distance - 0.5),
                2 * distance + 1,
                2 * distance + 1,
                fill=False,
                edgecolor=INK if style == "--" else "white",
                linestyle=style,
                linewidth=1.6,
            )
        )
        axis.annotate(
            name,
            (-distance - 0.3, -distance - 0.8),
            color="black",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            fontsize=9,
        )
    axis.set(xlabel="pixels to the right", ylabel="pixels down")
    return figure


def tampered(latents: Latents) -> dict[str, Latents]:
    """Return a photo's latents, tampered with in four ways: what exercise 4 asks about.

    Args:
        latents: what an encoder with local colour wrote down about a photo.

    Returns:
        letter of a picture -> latents; which is which, says `exercises.lesson_02.TAMPERINGS`.
    """
    codes, colours = latents
    ways = {
        "codes zero": Latents(0 * codes, colours),
        "codes doubled": Latents(2 * codes, colours),
        "colours zero": Latents(codes, 0 * colours),
        "codes moved": Latents(codes.roll((2, 3), dims=(-2, -1)), colours),
    }
    return {letter: ways[way] for letter, way in TAMPERINGS.items()}
