"""Figures of lesson 01: dots on a line, kernels, and the curves that they draw through the dots."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from liif_core.figures import BLUE, GREEN, INK, MARKERS, ORANGE, RED, draw_picture, new_figure


def three_readings(patch: np.ndarray, smooth: np.ndarray) -> Figure:
    """Return the same numbers as squares, as dots, and as a smooth surface.

    Args:
        patch: (h, w, 3) uint8, few pixels.
        smooth: the same patch interpolated to many pixels, (H, W, 3) uint8.
    """
    height, width = patch.shape[:2]
    figure = new_figure(7.6, 7.6 / 3 * height / width + 0.35)
    squares, dots, surface = figure.subplots(1, 3)
    draw_picture(squares, patch, "drawn as squares")
    draw_picture(surface, smooth, "drawn as a smooth function")
    rows, cols = np.mgrid[0:height, 0:width]
    dots.scatter(cols.ravel(), rows.ravel(), c=patch.reshape(-1, 3) / 255, s=800 / width)
    dots.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal")
    dots.set(xticks=[], yticks=[])
    dots.set_title("what the file holds", fontsize=10)
    return figure


def pixel_rows(sizes: Sequence[int], centres: Callable[[int], Sequence[float]]) -> Figure:
    """Return rows of pixels on the same stretch [-1, 1]: cell borders as bars, centres as dots.

    Args:
        sizes: pixels in each row, from top to bottom.
        centres: number of pixels -> their centres.
    """
    figure = new_figure(7.6, 0.5 * len(sizes) + 0.6)
    axis = figure.subplots()
    for height, n in zip(range(len(sizes), 0, -1), sizes, strict=True):
        borders = np.linspace(-1, 1, n + 1)
        axis.hlines(height, -1, 1, color=INK, alpha=0.6, linewidth=1)
        axis.vlines(borders, height - 0.22, height + 0.22, color=INK, linewidth=1)
        axis.plot(
            centres(n), np.full(n, height), linestyle="", color=BLUE, marker="o", markersize=6
        )
    for x in centres(sizes[0]):  # dropped lines show who meets whom
        axis.axvline(x, color=ORANGE, linestyle=":", linewidth=1, zorder=0)
    axis.set(xlim=(-1.04, 1.04), ylim=(0.5, len(sizes) + 0.5), xlabel="coordinate x")
    axis.set_yticks(range(len(sizes), 0, -1), [f"{n} pixels" for n in sizes])
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.tick_params(left=False)
    return figure


def kernel_shapes(kernels: Mapping[str, Callable[[np.ndarray], np.ndarray]]) -> Figure:
    """Return one small panel per kernel; dots mark its values at whole distances.

    Args:
        kernels: name -> function of the distance in pixels.
    """
    figure = new_figure(7.6, 2.1)
    distance = np.linspace(-3.5, 3.5, 701)
    whole = np.arange(-3, 4)
    axes = figure.subplots(1, len(kernels), sharey=True)
    for axis, (name, kernel) in zip(axes, kernels.items(), strict=True):
        axis.axhline(0, color=INK, alpha=0.6, linewidth=1)
        axis.plot(distance, kernel(distance), color=BLUE)
        axis.plot(whole, kernel(whole), linestyle="", marker="o", color=ORANGE, markersize=4)
        axis.set_title(name, fontsize=10)
        axis.set(xticks=whole[1::2], ylim=(-0.3, 1.15))
        axis.set_xlabel("distance in pixels", fontsize=9)
    axes[0].set_ylabel("weight")
    return figure


def curves_through_dots(
    samples: np.ndarray, x: np.ndarray, curves: Mapping[str, np.ndarray]
) -> Figure:
    """Return one panel per curve, all through the same dots.

    Args:
        samples: (n,) values at 0 … n-1.
        x: (m,) where the curves were computed, in pixels.
        curves: name -> (m,) values.
    """
    columns = 2
    rows = -(-len(curves) // columns)
    figure = new_figure(7.6, 1.7 * rows)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True)
    for axis, (name, values) in zip(axes.flat, curves.items(), strict=True):
        axis.plot(x, values, color=BLUE, label=name)
        axis.plot(
            range(len(samples)), samples, linestyle="", marker="o", color=ORANGE, markersize=4
        )
        axis.set_title(name, fontsize=10)
        axis.grid(alpha=0.3)
    axes[0, 0].xaxis.set_major_locator(MaxNLocator(integer=True))  # for all: they share it
    for axis in axes[-1]:
        axis.set_xlabel("position, in pixels")
    for axis in axes[:, 0]:
        axis.set_ylabel("brightness")
    return figure


def edge_widths(magnifications: Sequence[int], widths: Mapping[str, Sequence[float]]) -> Figure:
    """Return how wide one edge is, in result pixels and in input pixels, against magnification.

    Args:
        magnifications: result pixels per input pixel.
        widths: up to 4 names -> width of the edge in result pixels, one per magnification.
    """
    figure = new_figure(7.6, 2.8)
    screen, photo = figure.subplots(1, 2)
    for number, (name, values) in enumerate(widths.items()):
        look: dict[str, Any] = {
            "color": (BLUE, ORANGE, GREEN, RED)[number],
            "marker": MARKERS[number],
            "markersize": 5,
            "label": name,
        }
        screen.plot(magnifications, values, **look)
        photo.plot(magnifications, np.divide(values, magnifications), **look)
    screen.set(title="on the screen", ylabel="width of the edge (screen pixels)")
    photo.set(title="in the photo's own pixels", ylabel="width of the edge (photo pixels)")
    photo.set_ylim(0, 1)
    for axis in (screen, photo):
        axis.set(xlabel="magnification")
        axis.grid(alpha=0.3)
    screen.legend(fontsize=9)
    return figure
