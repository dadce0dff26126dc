"""Lesson 06, train a LIIF: the figures of a run, from its first pair to its last step."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from liif_core.figures import BLUE, GREEN, INK, ORANGE, PURPLE, draw_picture, new_figure

COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
DASHES = ("-", "--", "-.", ":")
HATCHES = ("", "///", "...", "xxx")


def training_pair(
    target: np.ndarray, small: np.ndarray, coord: np.ndarray, cell: np.ndarray, colour: np.ndarray
) -> Figure:
    """Return the three parts of a training pair: the crop, the input, and what is asked.

    Args:
        target: (side, side, 3) uint8, the crop at full size.
        small: (patch, patch, 3), the same crop shrunk: the input.
        coord: (Q, 2) in [-1, 1], where the questions lie.
        cell: (Q, 2) the size of the asked-for pixels in the same frame.
        colour: (Q, 3) in [0, 1], the right answers.
    """
    figure = new_figure(8.4, 3.1)
    left, middle, right = figure.subplots(1, 3)
    side, patch = len(target), len(small)
    draw_picture(left, target, f"the crop, {side} × {side}: kept back")
    draw_picture(middle, small, f"the input, {patch} × {patch}")
    draw_questions(right, coord, cell, colour)
    return figure


def draw_questions(axis: Any, coord: np.ndarray, cell: np.ndarray, colour: np.ndarray) -> None:
    """Draw each question into matplotlib axes: a square of its cell's size in its right colour."""
    for (y, x), (height, width), rgb in zip(coord, cell, colour, strict=True):
        corner = (x - width / 2, y - height / 2)
        axis.add_patch(Rectangle(corner, width, height, facecolor=rgb, edgecolor="none"))
    axis.set(xlim=(-1, 1), ylim=(1, -1), aspect="equal", facecolor="#bbbbbb")
    axis.set_title(f"{len(coord)} questions, right answers", fontsize=10)
    axis.set_xticks([-1, 0, 1])
    axis.set_yticks([-1, 0, 1])


def losses_plot(losses: Mapping[str, Sequence[float]], window: int = 20) -> Figure:
    """Return the loss of each step, faint, and its running mean, for one run or several.

    Args:
        losses: name of the run -> the loss of each step, from step 0.
        window: steps that the running mean takes together.
    """
    figure = new_figure(7.0, 3.2)
    axis = figure.subplots()
    for (name, values), colour, dash in zip(losses.items(), COLOURS, DASHES, strict=False):
        axis.plot(values, color=colour, linewidth=0.8, alpha=0.35)
        steps, mean = running_mean(values, window)
        axis.plot(steps, mean, color=colour, linestyle=dash, linewidth=2, label=name)
    axis.set(xlabel="step", ylabel="loss (mean error, 0 … 1)", yscale="log")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9)
    return figure


def running_mean(values: Sequence[float], window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of each `window` neighbouring values, and the step in their middle."""
    mean = np.convolve(values, np.ones(window) / window, mode="valid")
    return np.arange(len(mean)) + (window - 1) / 2, mean


def psnr_plot(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    levels: Mapping[str, float],
    *,
    title: str = "",
) -> Figure:
    """Return PSNR against the step, with level lines for methods that do not learn.

    Args:
        lines: name of the run -> (steps, dB).
        levels: name of the method -> dB; its name stands on its line.
        title: above the plot.
    """
    figure = new_figure(7.0, 3.4)
    axis = figure.subplots()
    looks = zip(lines.items(), COLOURS, DASHES, "os^D", strict=False)
    for (name, (steps, values)), colour, dash, marker in looks:
        style: dict[str, Any] = {
            "color": colour,
            "linestyle": dash,
            "marker": marker,
            "markersize": 4,
        }
        axis.plot(steps, values, label=name, **style)
    for name, value in levels.items():
        axis.axhline(value, color=INK, linewidth=1)
        below = value == min(levels.values())  # two levels may lie close together
        axis.annotate(
            name,
            (0.3, value),
            xycoords=("axes fraction", "data"),
            xytext=(0, -2 if below else 2),
            textcoords="offset points",
            va="top" if below else "bottom",
            fontsize=9,
        )
    axis.set(xlabel="step", ylabel="PSNR on the test photo (dB)", title=title)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9, loc="lower right")
    return figure


def bars(
    values: Mapping[str, Sequence[float]], groups: Sequence[str], *, y_label: str, title: str = ""
) -> Figure:
    """Return groups of bars around zero, each with its value written on it.

    Args:
        values: name of the series -> one value per group.
        groups: what stands under each group of bars.
        y_label: what the values are, with their unit.
        title: above the plot.
    """
    figure = new_figure(7.4, 3.3)
    axis = figure.subplots()
    width = 0.8 / len(values)
    looks = zip(values.items(), COLOURS, HATCHES, strict=False)
    for number, ((name, series), colour, hatch) in enumerate(looks):
        place = np.arange(len(groups)) + (number - (len(values) - 1) / 2) * width
        drawn = axis.bar(
            place, series, width * 0.92, color=colour, hatch=hatch, edgecolor="white", label=name
        )
        axis.bar_label(drawn, fmt="%+.2f", fontsize=8, padding=2)
    axis.axhline(0, color=INK, linewidth=1)
    axis.margins(y=0.15)
    axis.set_xticks(range(len(groups)), groups)
    axis.set(ylabel=y_label, title=title)
    if len(values) > 1:
        axis.legend(fontsize=9)
    return figure
