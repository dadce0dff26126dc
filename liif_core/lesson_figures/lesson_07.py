"""Lesson 07, can you trust a zoom: its props (lettering, JPEG, a file's notes) and its figures."""

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from PIL import ExifTags, Image, ImageDraw, ImageFont

from liif_core.figures import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    draw_picture,
    line_plot,
    new_figure,
    perception_plane,
)
from liif_core.models import Model
from liif_core.pixels import to_uint8
from liif_core.zooming.job import Task, plan
from liif_core.zooming.photo import opened, read

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


def notes_of(photo: np.ndarray, model: Model) -> tuple[str, str]:
    """Zoom a photo ×2 into a file, as `liif zoom` does, and read what the file says of itself.

    Args:
        photo: (H, W, 3) floats in [0, 1].
        model: loaded by its name.

    Returns:
        IPTC's digital source type, and what stands under *software*.
    """
    with TemporaryDirectory() as folder:
        source, target = (Path(folder) / name for name in ("photo.png", "zoomed.jpg"))
        Image.fromarray(to_uint8(photo)).save(source)
        job = plan(source, target, Task(scale=2))
        with opened(job, read(job), model) as work:
            work.paint().finish()
        with Image.open(target) as file:
            kind = re.search(rb"digitalsourcetype/(\w+)", file.info["xmp"])
            software = file.getexif()[ExifTags.Base.Software]
    assert kind is not None, "every zoom says what it is"
    # Pillow takes the bytes of EXIF for Latin-1; they are UTF-8.
    return kind[1].decode(), software.encode("latin-1").decode("utf-8")


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
    """Return shares, such as of the letters that are read correctly, against letters' height.

    Args:
        heights: of a letter in the small photo, in pixels.
        right: of what -> share in [0, 1] at each height.
    """
    lines = {name: (heights, [100 * share for share in shares]) for name, shares in right.items()}
    figure = line_plot(
        lines, x_label="height of a letter in the small photo (pixels)", y_label="share (%)"
    )
    figure.axes[0].set_ylim(-4, 104)
    return figure


def stack(rows: Mapping[str, np.ndarray]) -> Figure:
    """Return rows of grey cells below one another, their names beside them; name -> (n,)."""
    figure = new_figure(7.0, 0.42 * len(rows) + 0.1)
    for axis, (name, cells) in zip(figure.subplots(len(rows), 1), rows.items(), strict=True):
        draw_picture(axis, cells[None])
        axis.set_aspect("auto")
        axis.set_xticks(np.arange(1, len(cells)) - 0.5, labels=[])
        axis.tick_params(length=0)
        axis.grid(axis="x", color=INK, linewidth=0.5)
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return figure


def plane(
    points: Mapping[str, tuple[float, float]], path: Sequence[str], truth: str = "photographs"
) -> Figure:
    """Return the perception–distortion plane: how near a method is, and how far from real.

    Args:
        points: method -> (PSNR in dB, distance from the habits of photographs).
        path: those that are joined by a line, in order.
        truth: what stands at distance 0, at any PSNR.
    """
    figure = perception_plane(points, [path], "← more like photographs", truth)
    figure.axes[0].set_ylim(bottom=-0.4)
    return figure


def maps(rows: Mapping[str, tuple[np.ndarray, Mapping[str, np.ndarray]]]) -> Figure:
    """Return pictures, each beside maps of it; a scale below says what is dark and what light.

    Args:
        rows: name -> picture, and title -> (H, W) map; a map's few largest values share the
            lightest shade.
    """
    columns = 1 + len(next(iter(rows.values()))[1])
    figure = new_figure(2.3 * columns, 2.3 * len(rows) + 0.3)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for number, (name, (picture, layers)) in enumerate(rows.items()):
        draw_picture(axes[number, 0], picture, "LIIF" if number == 0 else "")
        axes[number, 0].set_ylabel(name, fontsize=10)
        for axis, (title, layer) in zip(axes[number, 1:], layers.items(), strict=True):
            most = float(np.quantile(layer, 0.999))
            axis.imshow(layer, cmap="cividis", vmin=0, vmax=most)
            axis.set(xticks=[], yticks=[])
            axis.set_title(title if number == 0 else "", fontsize=10)
            axis.set_xlabel(f"dark: 0, light: {most:.0f} of 255", fontsize=8)
    return figure
