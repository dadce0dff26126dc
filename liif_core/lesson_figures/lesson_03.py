"""Figures of lesson 03: who answers a query, and how four answers become one colour."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from liif_core.figures import (
    BLACK,
    BLUE,
    CODE_COLOURS,
    GREEN,
    INK,
    RED,
    SKY,
    YELLOW,
    draw_picture,
    new_figure,
)

Box = tuple[int, int, int, int]

#: Above left, above right, below left, below right: a name, a colour and a hatch for each.
CODES = tuple(zip("ABCD", CODE_COLOURS, ("/", "\\", ".", "x"), strict=True))


def photo_and_viewport(photo: np.ndarray, box: Box, zoomed: np.ndarray) -> Figure:
    """Return a photo with a box on it, the box's pixels as blocks, and the box zoomed.

    Args:
        photo: (H, W, 3).
        box: (left, top, right, bottom) in pixels of the photo.
        zoomed: the box, at any size, (h, w, 3).
    """
    left, top, right, bottom = box
    blocks = photo[top:bottom, left:right]
    shape = photo.shape[1] / photo.shape[0], (right - left) / (bottom - top)
    figure = new_figure(8.4, 8.0 / (shape[0] + 2 * shape[1]))
    ratios = {"width_ratios": [shape[0], shape[1], shape[1]]}
    whole, near, far = figure.subplots(1, 3, gridspec_kw=ratios)
    draw_picture(whole, photo, f"the photo: {photo.shape[1]} × {photo.shape[0]} pixels")
    whole.add_patch(
        Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False, ec="w", lw=2.5)
    )
    draw_picture(near, blocks, f"the box: {right - left} × {bottom - top} pixels")
    draw_picture(far, zoomed, f"asked at {zoomed.shape[1]} × {zoomed.shape[0]} places")
    return figure


def where_it_stands(
    photo: np.ndarray, centre: tuple[int, int], place: tuple[float, float], reach: int = 2
) -> Figure:
    """Return a few pixels of a photo, their centres, a query, and the arrow to it from its code.

    Args:
        photo: (H, W, 3).
        centre: row and column of the nearest code.
        place: (y, x) of the query in pixels, pixel i reaching from i to i + 1.
        reach: pixels shown on each side of the nearest one.
    """
    row, col = centre
    figure = new_figure(4.6, 4.4)
    axis = figure.subplots()
    _draw_cells(axis, photo, row, col, reach)
    axis.add_patch(Rectangle((col, row), 1, 1, fill=False, ec=YELLOW, lw=3))
    y, x = place
    axis.annotate(
        "",
        xy=(x, y),
        xytext=(col + 0.5, row + 0.5),
        arrowprops={"arrowstyle": "-|>", "color": "white", "lw": 2.5},
    )
    axis.plot(x, y, "*", color=YELLOW, mec=BLACK, ms=16)
    axis.set_title("★ the query   ○ latent codes   → relative coordinate δ", fontsize=10)
    return figure


def _draw_cells(axis: Any, photo: np.ndarray, row: int, col: int, reach: int) -> None:
    """Draw the cells around one cell in the photo's colours, with grid lines and centres."""
    rows, cols = range(row - reach, row + reach + 1), range(col - reach, col + reach + 1)
    part = photo[rows.start : rows.stop, cols.start : cols.stop]
    extent = (cols.start, cols.stop, rows.stop, rows.start)
    axis.imshow(part, extent=extent, interpolation="nearest")
    axis.set_xticks(range(cols.start, cols.stop + 1))
    axis.set_yticks(range(rows.start, rows.stop + 1))
    axis.grid(color="white", lw=0.8, alpha=0.7)
    grid_y, grid_x = np.meshgrid(np.array(rows) + 0.5, np.array(cols) + 0.5, indexing="ij")
    axis.plot(grid_x.ravel(), grid_y.ravel(), "o", mfc="none", mec="white", ms=7, mew=1.5)
    axis.set(xlabel="column of the photo", ylabel="row of the photo")


def jumps(by_name: Mapping[str, Sequence[float]]) -> Figure:
    """Return bars: the mean colour step between neighbouring samples, by place inside the cell.

    Args:
        by_name: name -> one mean step per place; the first is the one across the cell border.
    """
    figure = new_figure(8.4, 2.9)
    panels = figure.subplots(1, len(by_name), sharey=True, squeeze=False)[0]
    for axis, (name, steps) in zip(panels, by_name.items(), strict=True):
        bars = axis.bar(range(len(steps)), steps, color=SKY, edgecolor=INK, lw=0.6)
        bars[0].set(color=RED, hatch="//", edgecolor=INK)
        axis.set_title(name, fontsize=10)
        axis.set_xticks([0, len(steps) // 2], ["cell border", "middle of the cell"])
    panels[0].set_ylabel("mean step in brightness")
    return figure


def walk(
    x: np.ndarray,
    nearest: np.ndarray,
    blended: np.ndarray,
    opinions: Mapping[int, tuple[np.ndarray, np.ndarray]],
    border: float,
) -> Figure:
    """Return brightness along a row of pixel centres: nearest code, four codes, single opinions.

    Args:
        x: (n,) places in columns of the photo, pixel i reaching from i to i + 1.
        nearest, blended: (n,) what the nearest code alone says, and the ensemble.
        opinions: column of a code -> (places, what this code alone says there).
        border: a cell border to point at.
    """
    figure = new_figure(8.2, 3.2)
    axis = figure.subplots()
    for number, (column, (places, values)) in enumerate(opinions.items()):
        label = "one code's opinion, ±1 pixel" if number == 0 else None
        axis.plot(places, values, ":", color=(BLUE, GREEN)[number % 2], lw=1.6, label=label)
        axis.plot(
            column + 0.5, np.interp(column + 0.5, places, values), "o", mfc="w", mec=BLACK, zorder=5
        )
    axis.plot(x, nearest, color=RED, lw=1.6, ls="--", label="nearest code only")
    axis.plot(x, blended, color=INK, lw=2.6, label="local ensemble")
    for edge in range(int(np.ceil(x[0])), int(np.floor(x[-1])) + 1):
        axis.axvline(edge, color=INK, alpha=0.4, lw=0.8, zorder=0)
    axis.annotate(
        "cell border",
        (border, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        fontsize=9,
    )
    axis.set(xlabel="column of the photo", ylabel="brightness", xlim=(x[0], x[-1]))
    axis.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def areas(fy: float, fx: float) -> Figure:
    """Return two drawings of a query among four codes: each code's own rectangle, or the opposite.

    Args:
        fy, fx: where the query stands between the codes above and below, left and right: 0 … 1.
    """
    figure = new_figure(7.4, 3.4)
    titles = ("own rectangle: A, the nearest, gets least ✗", "opposite rectangle: A gets most ✓")
    for axis, title, swapped in zip(figure.subplots(1, 2), titles, (False, True), strict=True):
        corners = ((0, 0), (0, 1), (1, 0), (1, 1))  # (y, x) of A, B, C, D
        for number, (name, colour, hatch) in enumerate(CODES):
            cy, cx = corners[3 - number if swapped else number]
            height, width = abs(fy - cy), abs(fx - cx)
            low = (min(fx, cx), min(fy, cy))
            axis.add_patch(Rectangle(low, width, height, fc=colour, alpha=0.35))
            axis.add_patch(
                Rectangle(low, width, height, fill=False, ec=colour, hatch=hatch, lw=1.5)
            )
            axis.text(
                low[0] + width / 2,
                low[1] + height / 2,
                f"{name}'s share\n{height * width:.0%}",
                ha="center",
                va="center",
                fontsize=9,
                color=BLACK,
                bbox={"fc": "w", "ec": "none", "alpha": 0.85, "pad": 1.5},
            )
            y, x = corners[number]
            axis.plot(x, y, "o", color=colour, mec=BLACK, ms=15, clip_on=False, zorder=5)
            axis.text(
                x, y, name, ha="center", va="center", color=BLACK, zorder=6, fontweight="bold"
            )
        axis.plot(fx, fy, "*", color=YELLOW, mec=BLACK, ms=18, zorder=6)
        axis.set(xlim=(-0.1, 1.1), ylim=(1.1, -0.1), aspect="equal", title=title)
        axis.title.set_fontsize(10)
        axis.set_axis_off()
    return figure


def look_ups(place: tuple[float, float], steps: Mapping[str, float]) -> Figure:
    """Return, for each step, which cells are found from a place when stepping diagonally.

    Args:
        place: (y, x) in pixels, inside the middle cell of a 5 × 5 grid: between 2 and 3.
        steps: name -> the length of a step along each axis, in pixels.
    """
    figure = new_figure(9.2, 3.5)
    y, x = place
    for axis, (name, step) in zip(figure.subplots(1, len(steps)), steps.items(), strict=True):
        found = []
        for (_, colour, _), (dy, dx) in zip(
            CODES, ((-1, -1), (-1, 1), (1, -1), (1, 1)), strict=True
        ):
            end = (y + dy * step, x + dx * step)
            cell = int(np.floor(end[0])), int(np.floor(end[1]))
            found.append(cell)
            axis.add_patch(Rectangle(cell[::-1], 1, 1, fc=colour, alpha=0.3))
            axis.annotate(
                "",
                xy=end[::-1],
                xytext=(x, y),
                arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2},
            )
        around = {(int(y - 0.5) + i, int(x - 0.5) + j) for i in (0, 1) for j in (0, 1)}
        grid = np.arange(5) + 0.5
        axis.plot(*(g.ravel() for g in np.meshgrid(grid, grid)), "o", mfc="none", mec=INK, ms=6)
        for row, col in around:
            axis.plot(col + 0.5, row + 0.5, "o", color=INK, mec=INK, ms=8)
        axis.plot(x, y, "*", color=YELLOW, mec=BLACK, ms=15)
        verdict = "the four around ✓" if set(found) == around else "not the four around ✗"
        axis.set_title(f"{name}: {verdict}", fontsize=9.5)
        axis.set(xlim=(0, 5), ylim=(5, 0), aspect="equal")
        axis.set_xticks(range(6), labels=[])
        axis.set_yticks(range(6), labels=[])
        axis.tick_params(length=0)
        axis.grid(color=INK, lw=0.8)
    return figure


def neighbour_map(loss: np.ndarray) -> Figure:
    """Return a 3 × 3 map: how many dB are lost when one code of the neighbourhood goes silent.

    Args:
        loss: (3, 3) in dB.
    """
    figure = new_figure(3.9, 3.3)
    axis = figure.subplots()
    image = axis.imshow(loss, cmap="cividis", vmin=0)
    for (row, col), value in np.ndenumerate(loss):
        ink = "w" if value < loss.max() / 2 else "k"
        axis.text(col, row, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=12)
    axis.set_xticks(range(3), ["left", "same", "right"])
    axis.set_yticks(range(3), ["above", "same", "below"])
    figure.colorbar(image, label="PSNR lost without it (dB)")
    return figure
