"""Lesson 09, visual memory: its figures."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from liif_core.figures import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    STRIP,
    draw_picture,
    new_figure,
    to_png,
)

#: How the four votes look in a plot.
LOOKS = ((BLUE, "o", "-"), (ORANGE, "s", "--"), (GREEN, "^", "-."), (PURPLE, "D", ":"))


def clothes(pictures: np.ndarray, names: Sequence[str]) -> Figure:
    """Return one row per class of some of its pictures.

    Args:
        pictures: (classes, n, 28, 28) uint8.
        names: of the classes.
    """
    figure = new_figure(8.0, 0.42 * len(names) + 0.2)
    axes = figure.subplots(len(names), 1)
    for axis, row, name in zip(axes, pictures, names, strict=True):
        draw_picture(axis, np.concatenate(list(row), axis=1))
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return figure


def voting_plot(ks: Sequence[int], scores: Mapping[str, Sequence[tuple[float, float]]]) -> Figure:
    """Return accuracy against the number of neighbours, with a bar of one standard error.

    Args:
        ks: numbers of neighbours.
        scores: vote -> (accuracy, standard error) at each k.
    """
    figure = new_figure(7.0, 3.4)
    axis = figure.subplots()
    for (name, pairs), (colour, marker, dash) in zip(scores.items(), LOOKS, strict=False):
        shares, errors = 100 * np.array(pairs).T
        look: dict[str, Any] = {
            "color": colour,
            "marker": marker,
            "linestyle": dash,
            "markersize": 5,
        }
        axis.errorbar(ks, shares, errors, label=name, capsize=2, elinewidth=0.8, **look)
    axis.set_xscale("log")
    axis.set_xticks(ks, [str(k) for k in ks])
    axis.minorticks_off()
    axis.set(xlabel="neighbours that vote (k)", ylabel="right (%)", title="Our run: 2,000 queries")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9)
    return figure


def adding_plot(
    counts: Sequence[int],
    new: Sequence[tuple[float, float]],
    old: Sequence[tuple[float, float]],
) -> Figure:
    """Return accuracy on new and on old classes against how many examples were added.

    Args:
        counts: examples of each new class.
        new, old: (accuracy, standard error) at each count.
    """
    figure = new_figure(7.0, 3.2)
    axis = figure.subplots()
    places = np.arange(len(counts))
    lines = (("the two new classes", new, LOOKS[1]), ("the eight old classes", old, LOOKS[0]))
    for name, pairs, (colour, marker, dash) in lines:
        shares, errors = 100 * np.array(pairs).T
        look: dict[str, Any] = {
            "color": colour,
            "marker": marker,
            "linestyle": dash,
            "markersize": 6,
        }
        axis.errorbar(places, shares, errors, label=name, capsize=3, elinewidth=0.8, **look)
    axis.set_xticks(places, [str(count) for count in counts])
    axis.set(xlabel="examples added of each new class", ylabel="right (%)", ylim=(-4, 104))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9, loc="lower right")
    return figure


def decision(
    query: np.ndarray,
    true: str,
    decided: str,
    neighbours: Sequence[tuple[np.ndarray, str, float]],
) -> np.ndarray:
    """Return a decision as a picture: the query, and the neighbours that voted on it.

    Args:
        query: (28, 28) uint8.
        true, decided: what it is, and what the memory says.
        neighbours: picture, label and share of the vote of each, most similar first.

    Returns:
        (H, W, 3) uint8.
    """
    # A slider's frame is a picture of its own, with its own ground, on a white page or a dark one.
    on_strip = {"figure.facecolor": STRIP, "text.color": "white", "axes.labelcolor": "white"}
    with matplotlib.style.context(on_strip):
        figure = new_figure(1.25 * (len(neighbours) + 1), 1.75)
        axes = figure.subplots(1, len(neighbours) + 1)
        draw_picture(axes[0], query, "asked")
        mark = "✓" if true == decided else "✗"
        axes[0].set_xlabel(f"{true}\n{mark} {decided}", fontsize=9)
        for axis, (picture, label, share) in zip(axes[1:], neighbours, strict=True):
            draw_picture(axis, picture, f"{100 * share:.0f} % of votes")
            axis.title.set_fontsize(8)
            axis.set_xlabel(label, fontsize=9)
        return np.asarray(Image.open(io.BytesIO(to_png(figure, dpi=90))).convert("RGB"))


def recall_plot(
    seconds: Sequence[float], recalls: Sequence[float], cells: Sequence[int], exact: float
) -> Figure:
    """Return how much of the exact answer a quick search finds, against its time.

    Args:
        seconds: of each quick search.
        recalls: share of the true neighbours that each found.
        cells: in how many parts of the memory each looked.
        exact: seconds of the exact search, which finds all.
    """
    figure = new_figure(7.0, 3.2)
    axis = figure.subplots()
    axis.plot(seconds, 100 * np.array(recalls), "o-", color=BLUE, label="IVF: some parts only")
    for x, y, n in zip(seconds, recalls, cells, strict=True):
        axis.annotate(str(n), (x, 100 * y), (4, -11), textcoords="offset points", fontsize=8)
    axis.plot([exact], [100], "*", color=ORANGE, markersize=13, label="exact: every row")
    axis.set_xscale("log")
    axis.set(
        xlabel="seconds for all queries, one core (this machine)",
        ylabel="true neighbours found (%)",
        ylim=(100 * min(recalls) - 8, 104),  # room for the number below the lowest point
    )
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9, loc="lower right")
    return figure
