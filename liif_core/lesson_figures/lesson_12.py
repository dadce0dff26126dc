"""Lesson 12, an old photo, really: scratches for its print, and its figures."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image, ImageDraw

from liif_core.baselines import Box
from liif_core.figures import BLUE, INK, ORANGE, draw_picture, line_plot, new_figure

#: A scratch is drawn this many times too large and shrunk, so that it may be thinner than a pixel.
OVERSAMPLING = 4


def scratched(picture: np.ndarray, dice: np.random.Generator, *, flecks: int = 12) -> np.ndarray:
    """Lay one long scratch and some flecks of dust on a print, light as bare paper.

    Args:
        picture: (H, W, 3) uint8.
        dice: chooses where.
        flecks: how many; the scratch runs down the left half.

    Returns:
        the same shape, uint8.
    """
    height, width = picture.shape[:2]
    mask = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING))
    draw = ImageDraw.Draw(mask)
    tall, wide = mask.height, mask.width
    left = dice.uniform(0.1, 0.3) * wide
    down = np.linspace(0.45, 0.8, 6)
    across = left + np.cumsum(dice.uniform(-0.008, 0.012, 6)) * wide
    draw.line([(x, y * tall) for x, y in zip(across, down, strict=True)], fill=120, width=3)
    for _ in range(flecks):
        y, x = dice.uniform(0.5, 1, 2) * (tall, wide)
        draw.ellipse((x - 2, y - 2, x + dice.uniform(1, 3), y + dice.uniform(1, 3)), fill=160)
    shrunk = mask.resize((width, height), Image.Resampling.BOX)
    bare = np.asarray(shrunk, dtype=float)[..., None] / 255
    return np.rint(picture + bare * (235 - picture)).clip(0, 255).astype(np.uint8)


def whole_and_part(photo: np.ndarray, box: Box, part: np.ndarray, name: str) -> Figure:
    """Return a photo with a frame drawn on it, and beside it what is in the frame.

    Args:
        photo: (H, W, 3).
        box: (left, top, right, bottom) in the photo's pixels.
        part: what is in the frame, magnified.
        name: of the part.
    """
    figure = new_figure(8.4, 4.3)
    axes = figure.subplots(1, 2)
    draw_picture(axes[0], photo, f"the scan, {photo.shape[1]} × {photo.shape[0]} pixels")
    left, top, right, bottom = box
    for colour, width in (("black", 3), ("white", 1.2)):  # seen on light and on dark
        size = (right - left, bottom - top)
        axes[0].add_patch(Rectangle((left, top), *size, fill=False, color=colour, lw=width))
    draw_picture(axes[1], part, name)
    return figure


def falling_waves(
    levels: Mapping[str, tuple[Sequence[float], Sequence[float]]], limits: Mapping[str, float]
) -> Figure:
    """Return the strength of waves against their fineness, and where each curve's limit is.

    Args:
        levels: name -> (frequencies in cycles per pixel, power × frequency²).
        limits: name -> frequency at which the curve has fallen to a quarter.
    """
    figure = line_plot(
        dict(levels),
        x_label="fineness of a wave (cycles per pixel of the scan)",
        y_label="power × fineness²",
    )
    axis = figure.axes[0]
    axis.set(yscale="log", xlim=(0, 0.5))
    for number, (name, limit) in enumerate(limits.items()):
        colour, dash = ((BLUE, "-"), (ORANGE, "--"))[number % 2]
        axis.axvline(limit, color=colour, linestyle=dash, linewidth=1)
        place = (limit, 0.97 - 0.09 * number)
        axis.annotate(
            f" {name}: {limit:.2f}", place, xycoords=("data", "axes fraction"), va="top", color=INK
        )
    axis.legend(fontsize=9, loc="lower left")
    return figure


def order_bars(scores: Mapping[str, float], start: float) -> Figure:
    """Return one bar for each way of working, its value written beside it.

    Args:
        scores: way -> PSNR in dB.
        start: where the axis begins, in dB: the ways differ by tenths.
    """
    figure = new_figure(8.0, 0.42 * len(scores) + 0.8)
    axis = figure.subplots()
    places = np.arange(len(scores))[::-1]
    values = np.array(list(scores.values()))
    axis.barh(places, values - start, 0.6, left=start, color=BLUE)
    for place, value in zip(places, values, strict=True):
        axis.text(value + 0.02, place, f"{value:.2f}", va="center", fontsize=9)
    axis.set_yticks(places, list(scores))
    axis.set(xlim=(start, values.max() + 0.25), xlabel=f"PSNR (dB); the axis begins at {start:g}")
    return figure


def shrink_curves(curves: Mapping[str, Mapping[float, float]]) -> Figure:
    """Return what shrinking first gains or costs, against how much was shrunk.

    Args:
        curves: print -> factor -> gain in dB over zooming the scan as it is.
    """
    figure = line_plot(
        {name: (list(gains), list(gains.values())) for name, gains in curves.items()},
        x_label="shrunk first, by this factor",
        y_label="gain (dB) over not shrinking",
    )
    figure.axes[0].axhline(0, color=INK, linewidth=1)
    return figure
