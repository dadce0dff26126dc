"""Lesson 11, after LIIF: its figures."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle

from liif_core.baselines import Box
from liif_core.figures import (
    BLACK,
    BLUE,
    GREEN,
    INK,
    ORANGE,
    RED,
    YELLOW,
    draw_picture,
    line_plot,
    new_figure,
)

#: How bars of one group differ: by colour, and by hatch.
LOOKS = ((BLUE, ""), (ORANGE, "//"), (GREEN, ".."), (RED, "xx"))


def grouped_bars(
    groups: Mapping[str, Mapping[str, float]], y_label: str, *, start: float = 0, form: str = ".1f"
) -> Figure:
    """Return bars side by side in groups, each with its value above it.

    Args:
        groups: what a group is about -> whose bar -> its height; all groups have the same bars.
        y_label: what is measured.
        start: where the axis begins, where the heights differ by little.
        form: how a value is written.
    """
    figure = new_figure(8.6, 3.1)
    axis = figure.subplots()
    names = list(next(iter(groups.values())))
    wide = 0.84 / len(names)
    for number, name in enumerate(names):
        heights = np.array([bars[name] for bars in groups.values()])
        places = np.arange(len(groups)) + (number - (len(names) - 1) / 2) * wide
        colour, hatch = LOOKS[number % len(LOOKS)]
        axis.bar(
            places,
            heights - start,
            wide * 0.92,
            bottom=start,
            label=name,
            color=colour,
            hatch=hatch,
            edgecolor=INK,
        )
        for place, height in zip(places, heights, strict=True):
            axis.text(place, height, f"{height:{form}}", ha="center", va="bottom", fontsize=8)
    axis.set_xticks(range(len(groups)), list(groups))
    tallest = max(max(bars.values()) for bars in groups.values())
    axis.set(ylabel=y_label, ylim=(start, tallest + 0.28 * (tallest - start)))
    axis.legend(fontsize=9, loc="upper left", ncols=len(names))
    return figure


def wave_discs(omega: np.ndarray, strengths: Mapping[str, np.ndarray]) -> Figure:
    """Return where a field's waves lie, and how strong each is: a dot's area is its strength.

    A wave and its mirror image are the same; both are drawn.

    Args:
        omega: (K, 2) frequencies (y, x) in radians per input pixel.
        strengths: title -> (K,) not negative, all on one scale.
    """
    figure = new_figure(2.75 * len(strengths), 3.1)
    panels = figure.subplots(1, len(strengths), sharey=True, squeeze=False)[0]
    largest = max(float(strength.max()) for strength in strengths.values())
    reach = 1.08 * float(np.abs(omega).max())
    turn = np.linspace(0, 2 * np.pi, 100)
    for axis, (title, strength) in zip(panels, strengths.items(), strict=True):
        for side in (1, -1):
            axis.scatter(
                *(side * omega.T[::-1]), s=2 + 220 * strength / largest, c=BLUE, alpha=0.75, lw=0
            )
        axis.plot(np.pi * np.cos(turn), np.pi * np.sin(turn), "--", color=INK, lw=1.2)
        axis.set_title(title, fontsize=9)
        axis.set(xlim=(-reach, reach), ylim=(reach, -reach), box_aspect=1, xlabel="ω across")
    panels[0].set_ylabel("ω down (radians per pixel)")
    return figure


def with_splats(
    pictures: Mapping[str, np.ndarray], splats: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]
) -> Figure:
    """Return pictures made of splats in a row, the outline of each splat on them.

    Args:
        pictures: name -> (h, w, 3), each of the same part.
        splats: for each picture, in pixels of it: places (n, 2), (y, x); spreads (n, 2), along and
            across; turns (n,) in radians, of the first spread's axis from x towards y.
    """
    figure = new_figure(2.8 * len(pictures), 2.2)
    panels = figure.subplots(1, len(pictures), squeeze=False)[0]
    for axis, (name, picture), (place, spread, turn) in zip(
        panels, pictures.items(), splats, strict=True
    ):
        draw_picture(axis, picture, name)
        for (y, x), (along, across), angle in zip(place, spread, turn, strict=True):
            for colour, width in ((BLACK, 1.4), (YELLOW, 0.6)):  # seen on light and on dark
                size = 2 * along, 2 * across
                outline = Ellipse((x, y), *size, angle=np.degrees(angle), fill=False)
                outline.set(edgecolor=colour, linewidth=width)
                axis.add_patch(outline)
        axis.set(xlim=(-0.5, picture.shape[1] - 0.5), ylim=(picture.shape[0] - 0.5, -0.5))
    return figure


def cost_curves(scales: Sequence[float], costs: Mapping[str, Sequence[float]]) -> Figure:
    """Return multiply-adds per output pixel against the magnification, both in powers of ten."""
    figure = line_plot(
        {name: (list(scales), list(values)) for name, values in costs.items()},
        x_label="magnification",
        y_label="multiply-adds per output pixel",
        log_x=True,
    )
    axis = figure.axes[0]
    axis.set(yscale="log")
    axis.set_xticks(list(scales), [f"×{scale:g}" for scale in scales])
    axis.minorticks_off()
    return figure


def gains_over_training(steps: Sequence[float], gains: Sequence[float], decoder: float) -> Figure:
    """Return what longer training gained, against the steps, and a line for a newer decoder.

    Args:
        steps: of training.
        gains: in dB over the first of them.
        decoder: what another decoder gained, in dB.
    """
    figure = line_plot(
        {"this course's run: one network, trained on": (list(steps), list(gains))},
        x_label="training steps",
        y_label="gain at ×2 (dB)",
    )
    axis = figure.axes[0]
    told = f"published: another decoder, {decoder:+.2f} dB"
    axis.axhline(decoder, color=ORANGE, linestyle="--", label=told)
    axis.legend(fontsize=9, loc="upper left")
    return figure


def framed(photo: np.ndarray, box: Box, parts: Mapping[str, np.ndarray]) -> Figure:
    """Return a photo with a frame on it, and beside it what is in the frame, in several ways.

    Args:
        photo: (H, W, 3).
        box: (left, top, right, bottom) in the photo's pixels.
        parts: up to four ways -> what is in the frame, magnified, (h, w, 3).
    """
    figure = new_figure(9.0, 2.9)
    panels = figure.subplot_mosaic([["photo", 0, 1], ["photo", 2, 3]], width_ratios=[1.3, 1, 1])
    height, width = photo.shape[:2]
    draw_picture(panels["photo"], photo, f"the photo: {width} × {height} pixels")
    left, top, right, bottom = box
    for colour, line in ((BLACK, 3.0), (YELLOW, 1.4)):  # seen on light and on dark
        corner, size = (left - 0.5, top - 0.5), (right - left, bottom - top)
        panels["photo"].add_patch(Rectangle(corner, *size, fill=False, ec=colour, lw=line))
    for number, (name, picture) in enumerate(parts.items()):
        draw_picture(panels[number], picture, name)
    return figure
