"""Lesson 05, ten times and beyond: its figures and its stopwatch."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import psutil
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullFormatter, NullLocator

from liif_core.figures import (
    BLUE,
    GREEN,
    INK,
    MARKERS,
    ORANGE,
    RED,
    SKY,
    line_plot,
    new_figure,
)
from liif_core.widgets import UploadBox

__all__ = ["UploadBox", "error_by_band", "measure", "print_sizes", "scale_plot"]

T = TypeVar("T")

#: The magnifications that the shipped weights met in training.
TRAINED = (1.0, 4.0)

#: The magnifications that are written under a plot, as far as it reaches.
TICKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 30)

#: A4, the usual sheet of a printer at home: (width, height) in centimetres.
A4 = (21.0, 29.7)


def scale_plot(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    y_label: str,
    title: str = "",
    zero_line: bool = False,
) -> Figure:
    """Return lines against the magnification, the trained magnifications shaded.

    Args:
        lines: name -> (magnifications, values).
        y_label: what the values are, with their unit.
        title: above the plot.
        zero_line: draw a line at 0, where the sign of the values says who is ahead.
    """
    figure = line_plot(lines, x_label="magnification", y_label=y_label, title=title, log_x=True)
    axis = figure.axes[0]
    axis.axvspan(*TRAINED, color=SKY, alpha=0.2, linewidth=0, label="seen in training")
    axis.legend(fontsize=9)  # the span has its name there, where no line crosses it
    if zero_line:
        axis.axhline(0, color=INK, linewidth=1)
    every = [scale for scales, _ in lines.values() for scale in scales]
    ticks = [tick for tick in TICKS if tick <= max(every)]
    axis.set_xlim(min(1.5, *every), max(every) * 1.1)
    axis.set_xticks(ticks, [f"×{tick}" for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    return figure


def error_by_band(
    scales: Sequence[float], wrong: Mapping[str, np.ndarray], bands: Sequence[str]
) -> Figure:
    """Return the squared error against the magnification, a panel for each band of frequencies.

    Args:
        scales: magnifications.
        wrong: up to 4 methods -> (scales, bands) squared error in each band.
        bands: their names.
    """
    figure = new_figure(8.6, 3.1)
    panels = figure.subplots(1, len(bands), sharey=True, squeeze=False)[0]
    for column, (axis, band) in enumerate(zip(panels, bands, strict=True)):
        for number, (name, errors) in enumerate(wrong.items()):
            look: dict[str, Any] = {"marker": MARKERS[number], "markersize": 5, "label": name}
            colour, dash = (BLUE, ORANGE, GREEN, RED)[number], ("-", "--", "-.", ":")[number]
            axis.plot(scales, errors[:, column], dash, color=colour, **look)
        axis.set(title=band, xscale="log", yscale="log", xlabel="magnification")
        axis.set_xticks([2, 4, 8, 24], ["×2", "×4", "×8", "×24"])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.grid(alpha=0.3)
    panels[0].set_ylabel("squared error")
    panels[-1].legend(fontsize=8, loc="lower right")
    return figure


def print_sizes(prints: Mapping[str, tuple[float, float]]) -> Figure:
    """Return prints, drawn to scale on a sheet of A4.

    Args:
        prints: name -> (width, height) in centimetres, the largest last.
    """
    figure = new_figure(5.8, 6.4)
    axis = figure.subplots()
    axis.add_patch(Rectangle((0, 0), *A4, facecolor="white", edgecolor="black", label="A4 sheet"))
    looks = zip(prints.items(), (RED, GREEN, BLUE, ORANGE), ("-", "--", "-.", ":"), strict=False)
    for (name, (width, height)), colour, dash in looks:
        style: dict[str, Any] = {"edgecolor": colour, "linestyle": dash, "linewidth": 2}
        axis.add_patch(Rectangle((0.6, 0.6), width, height, facecolor="none", **style))
        axis.text(0.9, 0.6 + height + 0.25, name, color=colour, fontsize=9)
    widest = max(A4[0], *(width for width, _ in prints.values()))
    tallest = max(A4[1], *(height for _, height in prints.values()))
    axis.set(xlim=(-0.5, widest + 1.5), ylim=(-0.5, tallest + 1.8), aspect="equal")
    axis.set(xlabel="cm", ylabel="cm", title="Prints on a sheet of A4", facecolor="#f0f0f0")
    return figure


def measure(task: Callable[[], T]) -> tuple[T, float, float]:
    """Run a task; return its result, its seconds, and the most memory in use meanwhile, in MB.

    The memory is that of the whole process, Python and PyTorch included, looked at every few
    milliseconds: a rough figure. The memory of an accelerator is not in it.
    """
    process = psutil.Process()
    peak = process.memory_info().rss
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    start = time.perf_counter()
    try:
        result = task()
    finally:
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
    peak = max(peak, process.memory_info().rss)
    return result, seconds, peak / 1e6
