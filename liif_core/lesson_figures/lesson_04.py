"""Figures of lesson 04: pixels of different sizes at the same place."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from liif_core.figures import (
    BLUE,
    GREEN,
    INK,
    MARKERS,
    ORANGE,
    RED,
    SKY,
    draw_picture,
    new_figure,
)


def squares(picture: np.ndarray, centre: tuple[float, float], sides: Mapping[str, float]) -> Figure:
    """Return a picture with squares of several sizes around one point, and their mean colours.

    Args:
        picture: (h, w, 3).
        centre: (y, x) of the point, in pixels of the picture, pixel i reaching from i to i + 1.
        sides: name -> side of a square in pixels of the picture, small to large.
    """
    figure = new_figure(8.4, 3.6)
    left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1.3, 1]})
    draw_picture(left, picture, "one point, pixels of several sizes")
    y, x = centre[0] - 0.5, centre[1] - 0.5  # imshow puts the centre of pixel i at i
    for number, (name, side) in enumerate(sides.items()):
        low = (x - side / 2, y - side / 2)
        for colour, width in (("black", 3.2), ("white", 1.6)):
            left.add_patch(Rectangle(low, side, side, fill=False, ec=colour, lw=width))
        mean = square_mean(picture, centre, side)
        right.add_patch(Rectangle((0, -number), 1, 0.86, fc=mean, ec=INK, lw=0.8))
        right.text(1.1, 0.43 - number, name, va="center", fontsize=10)
    right.set(
        xlim=(-0.03, 2.4), ylim=(0.9 - len(sides), 0.95), title="the colour each would record"
    )
    right.title.set_fontsize(10)
    right.set_axis_off()
    return figure


def square_mean(picture: np.ndarray, centre: tuple[float, float], side: float) -> np.ndarray:
    """Return the mean colour over a square, pixels at its border counted by their share.

    Args:
        picture: (h, w, 3), uint8 or floats in [0, 1].
        centre: (y, x) in pixels, pixel i reaching from i to i + 1.
        side: of the square, in pixels; it must lie inside the picture.

    Returns:
        (3,) in [0, 1].
    """
    values = picture / 255 if picture.dtype == np.uint8 else picture
    shares = []
    for middle, count in zip(centre, picture.shape[:2], strict=True):
        ends = np.array([[middle - side / 2], [middle + side / 2]])
        ends = ends.clip(np.arange(count), np.arange(1, count + 1))  # what lies in each pixel
        shares.append((ends[1] - ends[0]) / side)
    return np.einsum("y,x,yxc->c", *shares, values)


def with_square(picture: np.ndarray, side: float) -> np.ndarray:
    """Return the picture with a white square of that many pixels drawn into its middle.

    Args:
        picture: (h, w, 3) floats.
        side: at least 1 pixel is drawn; a larger one than the picture is drawn at its border.
    """
    result = picture.copy()
    half = [min(max(side / 2, 1), count / 2) for count in picture.shape[:2]]
    (top, bottom), (left, right) = (
        (round(count / 2 - h), round(count / 2 + h) - 1)
        for h, count in zip(half, picture.shape[:2], strict=True)
    )
    result[[top, bottom], left : right + 1] = 1.0
    result[top : bottom + 1, [left, right]] = 1.0
    return result


def swatches(rows: Mapping[str, np.ndarray], names: Sequence[str], seen: Sequence[bool]) -> Figure:
    """Return rows of colour patches, one column per cell size.

    Args:
        rows: name -> (N, 3) colours in [0, 1], one per cell size; NaN leaves a gap.
        names: the N cell sizes.
        seen: for each, whether training had cells of this size.
    """
    figure = new_figure(8.6, 0.75 * len(rows) + 0.8)
    axis = figure.subplots()
    for row, colours in enumerate(rows.values()):
        for column, colour in enumerate(colours):
            if np.isnan(colour).any():
                axis.text(column + 0.5, row + 0.45, "unknown", ha="center", va="center", fontsize=8)
                continue
            patch = Rectangle((column + 0.04, row), 0.92, 0.9, fc=np.clip(colour, 0, 1), ec=INK)
            axis.add_patch(patch)
    first, last = np.flatnonzero(seen)[[0, -1]]
    axis.plot([first + 0.04, last + 0.96], [len(rows) + 0.05] * 2, color=GREEN, lw=3)
    labels = [name if ok else f"{name}\nnot trained" for name, ok in zip(names, seen, strict=True)]
    axis.set_xticks(np.arange(len(names)) + 0.5, labels, fontsize=9)
    axis.set_yticks(np.arange(len(rows)) + 0.45, list(rows), fontsize=10)
    axis.set(xlim=(0, len(names)), ylim=(len(rows) + 0.15, -0.05))
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
    return figure


def edge_profiles(x: np.ndarray, profiles: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Return brightness across a step edge, as asked of the model and as an ideal pixel sees it.

    Args:
        x: (n,) places in photo pixels from the edge.
        profiles: name of a cell -> (what the model says, what an ideal pixel records).
    """
    figure = new_figure(8.8, 2.9)
    panels = figure.subplots(1, len(profiles), sharey=True, squeeze=False)[0]
    for axis, (name, (measured, ideal)) in zip(panels, profiles.items(), strict=True):
        axis.plot(x, ideal, "--", color=ORANGE, lw=2, label="ideal pixel")
        axis.plot(x, measured, "-", color=BLUE, lw=2, label="model")
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("photo pixels from the edge", fontsize=9)
        axis.grid(alpha=0.3)
    panels[0].set_ylabel("brightness")
    panels[0].legend(fontsize=8, loc="upper left")
    return figure


def edge_widths(
    cells: Sequence[float], widths: Sequence[float], ideal: float, seen: tuple[float, float]
) -> Figure:
    """Return the width of an edge against the cell.

    Args:
        cells: in photo pixels.
        widths: of the edge, from 10 % to 90 % of the step, in photo pixels.
        ideal: width of the edge per unit of cell, for an ideal pixel.
        seen: the smallest and the largest cell in training.
    """
    figure = new_figure(6.4, 3.2)
    axis = figure.subplots()
    axis.axvspan(*seen, color=GREEN, alpha=0.15, label="cells seen in training")
    ends = np.array([0, max(cells)])
    axis.plot(ends, ideal * ends, "--", color=ORANGE, lw=2, label="ideal pixel")
    axis.plot(cells, widths, "o-", color=BLUE, lw=2, label="model")
    axis.set(xlabel="cell (photo pixels)", ylabel="width of the edge (photo pixels)")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9)
    return figure


def matches(psnr: np.ndarray, truths: Sequence[str], asked: Sequence[str]) -> Figure:
    """Return a table: how well the answers for each cell fit the true mean over each area.

    Args:
        psnr: (len(truths), len(asked)) in dB.
        truths: names of the areas, one per row; the best column of each row is framed.
        asked: names of the cells, one per column.
    """
    figure = new_figure(1.0 * len(asked) + 1.6, 0.62 * len(truths) + 0.9)
    axis = figure.subplots()
    image = axis.imshow(psnr, cmap="cividis", aspect="auto")
    middle = (psnr.min() + psnr.max()) / 2
    for (row, column), value in np.ndenumerate(psnr):
        ink = "w" if value < middle else "k"
        axis.text(column, row, f"{value:.1f}", ha="center", va="center", color=ink)
    for row, column in enumerate(psnr.argmax(axis=1)):
        axis.add_patch(Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, fill=False, ec=RED, lw=3))
    axis.set_xticks(range(len(asked)), asked)
    axis.set_yticks(range(len(truths)), truths)
    axis.set(xlabel="cell we ask with (photo pixels)", ylabel="true mean over (photo pixels)")
    figure.colorbar(image, label="PSNR (dB)")
    return figure


def costs(scales: Sequence[float], lines: Mapping[str, Sequence[float]], trained: float) -> Figure:
    """Return PSNR with a wrong cell minus PSNR with the true one, against the magnification.

    Args:
        scales: magnifications.
        lines: name -> difference in dB for each.
        trained: the largest magnification in training.
    """
    figure = new_figure(6.8, 3.2)
    axis = figure.subplots()
    axis.axvspan(min(scales), trained, color=GREEN, alpha=0.15, label="trained magnifications")
    axis.axhline(0, color=INK, lw=1)
    for number, (name, values) in enumerate(lines.items()):
        colour, dash = (BLUE, "-") if number % 2 == 0 else (ORANGE, "--")
        axis.plot(scales, values, dash, marker=MARKERS[number], color=colour, label=name)
    axis.set_xticks(scales, [f"×{scale:g}" for scale in scales])
    axis.set(xlabel="magnification", ylabel="PSNR, against the true cell (dB)")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9)
    return figure


def low_passes(
    middles: Sequence[float], kept: Mapping[str, tuple[Sequence[float], Sequence[float]]]
) -> Figure:
    """Return how much of each band of waves a pixel keeps, a panel for each size of the pixel.

    Args:
        middles: of the bands, in cycles per photo pixel.
        kept: name of a cell -> (what the model keeps, what the exact mean keeps), amplitudes.
    """
    figure = new_figure(8.8, 2.9)
    panels = figure.subplots(1, len(kept), sharey=True, squeeze=False)[0]
    for axis, (name, (model, exact)) in zip(panels, kept.items(), strict=True):
        axis.plot(middles, exact, "s--", color=ORANGE, lw=2, label="exact mean")
        axis.plot(middles, model, "o-", color=BLUE, lw=2, label="model")
        axis.axhline(1, color=INK, lw=1)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("cycles per photo pixel", fontsize=9)
        axis.grid(alpha=0.3)
    panels[0].set(ylabel="kept of each wave", ylim=(0, 1.2))
    panels[0].legend(fontsize=8, loc="lower left")
    return figure


def edge_bars(
    widths: Mapping[str, tuple[float, float]], ideal: Mapping[str, tuple[float, float]]
) -> Figure:
    """Return, for each cell, the widths of a vertical and a horizontal edge as bars.

    Args:
        widths: name of a cell -> (width of a vertical edge, of a horizontal one) in photo pixels.
        ideal: the same names -> what an ideal pixel of that shape would give.
    """
    figure = new_figure(7.4, 3.0)
    axis = figure.subplots()
    kinds = (("vertical edge", SKY, ""), ("horizontal edge", ORANGE, "//"))
    for side, (kind, colour, hatch) in enumerate(kinds):
        at = np.arange(len(widths)) + (side - 0.5) * 0.38
        heights = [pair[side] for pair in widths.values()]
        axis.bar(at, heights, 0.36, color=colour, hatch=hatch, ec=INK, lw=0.7, label=kind)
        for x, pair in zip(at, (ideal[name] for name in widths), strict=True):
            label = "ideal pixel" if side == 0 and x == at[0] else None
            axis.plot([x - 0.18, x + 0.18], [pair[side]] * 2, color=RED, lw=3, label=label)
    axis.set_xticks(range(len(widths)), list(widths))
    axis.set_ylabel("width (photo pixels)")
    axis.legend(fontsize=9)
    return figure


def shrinking(factors: Sequence[float], score: Mapping[str, Sequence[float]]) -> Figure:
    """Return the PSNR of several ways to shrink a photo against the factor.

    Args:
        factors: how many times smaller the results are.
        score: name of a way -> PSNR in dB for each factor.
    """
    figure = new_figure(8.6, 3.4)
    axis = figure.subplots()
    colours, dashes = (BLUE, SKY, GREEN, RED, ORANGE, INK), ("-", "--", "-.", ":")
    for number, (name, values) in enumerate(score.items()):
        dash, marker = dashes[number % len(dashes)], MARKERS[number]
        colour = colours[number % len(colours)]
        axis.plot(factors, values, dash, marker=marker, color=colour, label=name, markersize=5)
    axis.set_xticks(factors, [f"1/{factor:g}" for factor in factors])
    axis.set(xlabel="size of the result", ylabel="PSNR (dB)")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
