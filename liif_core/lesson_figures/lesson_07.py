"""Lesson 07, can you trust a zoom: its props (lettering, JPEG) and its figures."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from PIL import Image, ImageDraw, ImageFont

from liif_core.figures import BLUE, GREEN, INK, ORANGE, draw_picture, line_plot, new_figure
from liif_core.pixels import to_uint8

#: Letters are drawn this many times too large and shrunk, so that their edges are smooth.
OVERSAMPLING = 4


def lettering(
    text: str, height: int, width: int, size: int, *, ink: float = 0.15, paper: float = 1.0
) -> np.ndarray:
    """Draw a line of text in the middle of a card, in the font that comes with Pillow.

    Args:
        text: what to write.
        height, width: the card, in pixels.
        size: of the font, in pixels.
        ink, paper: brightness of the two, in [0, 1].

    Returns:
        (height, width) float32 in [0, 1].
    """
    large = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING), 255)
    font = ImageFont.load_default(size=size * OVERSAMPLING)
    middle = (large.width / 2, large.height / 2)
    ImageDraw.Draw(large).text(middle, text, font=font, fill=0, anchor="mm")
    card = np.asarray(large.resize((width, height), Image.Resampling.BOX), np.float32) / 255
    return ink + (paper - ink) * card


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    """Return a picture after a round trip through a JPEG file.

    Args:
        picture: (H, W, 3) or (H, W), floats in [0, 1].
        quality: 1 … 100, as cameras and messengers choose it.

    Returns:
        the same shape, float32 in [0, 1].
    """
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(picture)).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), np.float32) / 255


def rows_of(
    rows: Mapping[str, Sequence[np.ndarray]], columns: Sequence[str], size: float = 2.2
) -> Figure:
    """Return a table of pictures, all of about one shape.

    Args:
        rows: name of the row -> its pictures.
        columns: names of the columns.
        size: width of one picture, in inches.
    """
    first = next(iter(rows.values()))[0]
    tall = size * first.shape[0] / first.shape[1]
    figure = new_figure(size * len(columns) + 0.4, (tall + 0.12) * len(rows) + 0.3)
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for number, (name, pictures) in enumerate(rows.items()):
        for axis, picture, column in zip(axes[number], pictures, columns, strict=True):
            draw_picture(axis, picture, column if number == 0 else "")
        axes[number, 0].set_ylabel(name, fontsize=10)
    return figure


def meter(names: Sequence[str], consistent: Sequence[float], true: Sequence[float]) -> Figure:
    """Return two bars per picture: does it fit the small photo, and does it fit the truth?

    Args:
        names: of the pictures.
        consistent: PSNR in dB of each, shrunk, against the small photo; drawn up to 60.
        true: PSNR in dB of each against the true original; drawn up to 60.
    """
    figure = new_figure(8.0, 0.55 * len(names) + 1.0)
    axis = figure.subplots()
    places = np.arange(len(names))[::-1]
    bars = (("fits the small photo", consistent, BLUE, ""), ("fits the truth", true, ORANGE, "//"))
    for shift, (label, values, colour, hatch) in zip((0.19, -0.19), bars, strict=True):
        lengths = np.minimum(values, 60)
        axis.barh(
            places + shift, lengths, 0.36, label=label, color=colour, hatch=hatch, edgecolor="white"
        )
        for place, length, value in zip(places, lengths, values, strict=True):
            text = f"{value:.0f} dB" if value < 60 else "60 dB or more"
            axis.text(length + 0.5, place + shift, text, va="center", fontsize=8)
    axis.set_yticks(places, names)
    axis.set(xlabel="PSNR (dB)", xlim=(0, 76))
    axis.legend(fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    return figure


def misfits(
    readings: Mapping[str, Mapping[str, float]], span: tuple[float, float] = (0.007, 3e5)
) -> Figure:
    """Return the readings of a meter that knows the noise, on a logarithmic scale.

    Args:
        readings: photo -> picture -> misfit; 1 is what the noise explains. A reading below 0.01
            is drawn at 0.01.
        span: least and greatest misfit on the axis; with less than a factor of 100 between them
            its marks are 1, 2 and 5 times the powers of ten.
    """
    names = list(next(iter(readings.values())))
    figure = new_figure(8.0, 0.5 * len(names) + 1.2)
    axis = figure.subplots()
    looks = ((BLUE, "o"), (ORANGE, "D"), (GREEN, "^"))
    for number, (photo, row) in enumerate(readings.items()):
        places = len(names) - 1 - np.arange(len(names)) + 0.22 * (1 - number)
        values = np.maximum(list(row.values()), 0.01)
        colour, marker = looks[number]
        axis.plot(values, places, marker, color=colour, label=photo, markersize=7)
        for value, place, true in zip(values, places, row.values(), strict=True):
            text = f"{true:,.0f}" if true >= 10 else f"{true:.2f}"
            axis.annotate(
                text, (value, place), (7, 0), textcoords="offset points", va="center", fontsize=8
            )
    axis.axvline(1, linestyle="--", linewidth=1, color=INK)
    axis.set_yticks(range(len(names)), names[::-1])
    axis.set(xscale="log", xlim=span, ylim=(-0.6, len(names) - 0.4))
    if span[1] < 100 * span[0]:  # else Matplotlib labels every step, one over the other
        axis.xaxis.set(
            major_locator=LogLocator(subs=(1, 2, 5)),
            major_formatter="{x:g}",
            minor_formatter=NullFormatter(),
        )
    axis.set_xlabel("misfit (1: as far from the photo as its noise explains)")
    axis.grid(axis="x", alpha=0.3)
    axis.legend(fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
    return figure


def reading(heights: Sequence[float], right: Mapping[str, Sequence[float]]) -> Figure:
    """Return the share of letters that are read correctly, against their height.

    Args:
        heights: of a letter in the small photo, in pixels.
        right: method -> share in [0, 1] at each height.
    """
    lines = {name: (heights, [100 * share for share in shares]) for name, shares in right.items()}
    figure = line_plot(
        lines, x_label="height of a letter in the small photo (pixels)", y_label="read right (%)"
    )
    figure.axes[0].set_ylim(-4, 104)
    return figure
