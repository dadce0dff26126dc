"""Figures of lesson 01: dots on a line, kernels, the curves that they draw, and their spectra."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from liif_core.figures import (
    BLUE,
    GREEN,
    INK,
    MARKERS,
    ORANGE,
    PURPLE,
    RED,
    YELLOW,
    draw_picture,
    in_a_row,
    new_figure,
)
from liif_core.spectrum import Band, spectrum

#: Power below the strongest wave's, in dB, that a drawn spectrum shows as black.
SPECTRUM_RANGE = 60


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


def enlarged(picture: np.ndarray, times: int) -> np.ndarray:
    """Return a picture, each pixel drawn as a square of `times` × `times`; grey becomes colour.

    Args:
        picture: (H, W) or (H, W, 3), uint8 or in [0, 1].
        times: screen pixels per pixel: a whole number, so that stripes stay as they are.
    """
    squares = picture.repeat(times, axis=0).repeat(times, axis=1)
    return squares if picture.ndim == 3 else np.repeat(squares[:, :, None], 3, axis=2)


def spectrum_picture(power: np.ndarray, strongest: float | None = None) -> np.ndarray:
    """Return a spectrum as a grey picture, (H, W, 3) uint8: white the strongest wave, log scale.

    Args:
        power: (H, W), frequency 0 in the middle.
        strongest: what is white; the largest power by default.
    """
    largest = power.max() if strongest is None else strongest
    decibels = 10 * np.log10(np.maximum(power / largest, 10 ** (-SPECTRUM_RANGE / 10)))
    grey = np.clip(255 * (1 + decibels / SPECTRUM_RANGE), 0, 255).round().astype(np.uint8)
    return enlarged(grey, 1)


def folding(kept: np.ndarray, step: int, wave: tuple[float, float], zoom: int = 2) -> np.ndarray:
    """Return what is left of stripes, drawn as squares, and beside it its spectrum, for a slider.

    The spectrum lies in the plane of all waves of the stripes' own grid, up to half a cycle per
    pixel: light is what the kept pixels can hold, and two squares mark where the stripes are.

    Args:
        kept: (n, n) grey in [0, 1], every `step`-th pixel of (n · step, n · step) stripes.
        step: from one kept pixel to the next.
        wave: of the stripes, (down, across) in cycles per pixel.
        zoom: screen pixels per pixel of the stripes.
    """
    side = len(kept) * step
    plane = np.full((side, side, 3), 96, dtype=np.uint8)
    first = side // 2 - len(kept) // 2
    inside = slice(first, first + len(kept))
    plane[inside, inside] = spectrum_picture(spectrum(kept, scale=1 / step).power)
    plane = enlarged(plane, zoom)
    yellow = [int(YELLOW[i : i + 2], 16) for i in (1, 3, 5)]
    for sign in (1, -1):
        row, col = ((side // 2 + sign * part * side + 0.5) * zoom for part in wave)
        _outline(plane, round(row), round(col), 8, yellow)
    return in_a_row({f"step {step}": enlarged(kept, step * zoom), "its spectrum": plane})


def _outline(picture: np.ndarray, row: int, col: int, reach: int, colour: list[int]) -> None:
    """Draw a square's outline, two pixels wide, into a picture; what leaves the picture is cut."""
    rows, cols = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    distance = np.maximum(abs(rows - row), abs(cols - col))
    picture[(distance <= reach) & (distance > reach - 2)] = colour


def agreement_by_band(results: Mapping[str, Sequence[Band]], limit: float = 0.5) -> Figure:
    """Return energy and agreement of results with their original, per band of frequencies.

    Args:
        results: up to 5 names -> bands, the same for all, in cycles per photo pixel.
        limit: the finest wave that the photo can hold, drawn as a line.
    """
    figure = new_figure(7.6, 3.0)
    energy, agreement = figure.subplots(1, 2)
    for number, (name, bands) in enumerate(results.items()):
        middle = [(band.low + band.high) / 2 for band in bands]
        look: dict[str, Any] = {
            "color": (BLUE, ORANGE, GREEN, RED, PURPLE)[number],
            "marker": MARKERS[number],
            "markersize": 5,
            "label": name,
        }
        energy.plot(middle, [max(band.energy, 1e-4) for band in bands], **look)
        agreement.plot(middle, [band.agreement for band in bands], **look)
    energy.set(title="energy, original = 1", yscale="log", ylim=(8e-5, 4))
    agreement.set(title="agreement with the original", ylim=(-0.25, 1.05))
    for axis in (energy, agreement):
        axis.axhline(1, color=INK, linewidth=1)
        axis.axvline(limit, color=INK, linestyle=":", linewidth=1.5)
        axis.set_xlabel("cycles per photo pixel")
        axis.grid(alpha=0.3)
    agreement.axhline(0, color=INK, linewidth=1)
    energy.legend(fontsize=8, loc="lower left")
    return figure
