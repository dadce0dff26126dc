"""The figures of lesson 00: a zoom to scale, the workflow as nodes, questions asked of photos."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.path import Path

from liif_core import figures
from liif_core.baselines import resize
from liif_core.liif import LIIFConfig
from liif_core.pixels import to_uint8
from liif_core.render import ContinuousPhoto

#: (left, top, right, bottom) in pixels of the input photo.
Box = tuple[float, float, float, float]

#: The colour of the frames that join a box in a photo to its zoom (Okabe and Ito's orange).
FRAME = (230, 159, 0)

#: A cross that leaves what it marks in sight: four strokes around an open middle.
OPEN_CROSS = Path(
    [(-1, 0), (-0.4, 0), (0.4, 0), (1, 0), (0, -1), (0, -0.4), (0, 0.4), (0, 1)],
    [Path.MOVETO, Path.LINETO] * 4,
)

#: Width of the workflow figure over its height; nodes are placed in fractions of both.
ASPECT = 10.0 / 6.1


def cut(picture: np.ndarray, box: Box, photo: np.ndarray) -> np.ndarray:
    """Return the part of a picture that shows a box of the photo, in the picture's own pixels.

    Args:
        picture: (h, w, 3), the same scene as the photo at any size.
        box: (left, top, right, bottom) in pixels of the photo.
        photo: (H, W, 3).
    """
    down, across = (picture.shape[axis] / photo.shape[axis] for axis in (0, 1))
    left, top, right, bottom = box
    rows = slice(round(top * down), round(bottom * down))
    return picture[rows, round(left * across) : round(right * across)]


def to_scale(photo: np.ndarray, box: tuple[int, int, int, int], zoomed: np.ndarray) -> Figure:
    """Return a photo, pixel for pixel, and beside it a zoom of a box in it, both framed.

    Args:
        photo: (H, W, 3) in [0, 1].
        box: in pixels of the photo.
        zoomed: (h, w, 3) in [0, 1], what is in the box; taller than the photo.
    """
    left, top, right, bottom = box
    small = to_uint8(photo)
    small[[top - 1, bottom], left - 1 : right + 1] = FRAME
    small[top - 1 : bottom + 1, [left - 1, right]] = FRAME
    large = np.pad(to_uint8(zoomed), ((2, 2), (2, 2), (0, 0)))
    large[[0, 1, -2, -1]] = FRAME
    large[:, [0, 1, -2, -1]] = FRAME
    gap, tall = 40, len(large) + 20
    wide = small.shape[1] + gap + large.shape[1] + 20
    figure = figures.new_figure(wide / figures.DPI, tall / figures.DPI)
    figure.set_layout_engine("none")  # the pictures have their places
    for left_edge, picture in ((10, small), (wide - 10 - large.shape[1], large)):
        place = (left_edge, 10, picture.shape[1], picture.shape[0])
        axis: Any = figure.add_axes(tuple(np.divide(place, (wide, tall, wide, tall))))
        figures.draw_picture(axis, picture)
        axis.spines[:].set_visible(False)
    return figure


def close_ups(
    pictures: Mapping[str, np.ndarray],
    boxes: Mapping[str, Box],
    photo: np.ndarray,
    times: int = 10,
) -> Figure:
    """Return boxes of several pictures of one scene: a row for each box, a column for each picture.

    A pixel of the photo is exactly `times` pixels of the figure wide and high.

    Args:
        pictures: name -> (h, w, 3), each of any size. Of the photo itself, pixels are shown as
            squares; others that are not `times` as large are brought to that size by bicubic
            interpolation.
        boxes: name -> a box in pixels of the photo; all of the same width.
        photo: (H, W, 3).
        times: the magnification.
    """
    return figures.grid(
        {
            part: {
                name: _at_size(
                    cut(picture, box, photo),
                    box,
                    times,
                    "nearest" if picture is photo else "bicubic",
                )
                for name, picture in pictures.items()
            }
            for part, box in boxes.items()
        }
    )


def magnified(
    continuous: ContinuousPhoto, centre: tuple[float, float], magnifications: Sequence[int]
) -> Figure:
    """Return one place of a photo at several magnifications, as squares and as the model sees it.

    Args:
        continuous: the photo, read by a model.
        centre: (y, x) in [-1, 1].
        magnifications: pixels of the figure per pixel of the photo, along each side.
    """
    side = 210
    read = continuous.photo.rgb(slice(None), slice(None))
    x, y = _pixel_at(centre, read)
    squares, colours = {}, {}
    for times in magnifications:
        reach = side / times / 2
        box = (x + 0.5 - reach, y + 0.5 - reach, x + 0.5 + reach, y + 0.5 + reach)
        squares[f"{times}×"] = resize(read, side, side, "nearest", box=box)
        colours[f"{times}×"] = continuous.render(side, side, box)
    return figures.grid({"squares": squares, "LIIF": colours})


def asked_at(
    photos: Mapping[str, np.ndarray], coord: Sequence[float], answers: Sequence[np.ndarray]
) -> Figure:
    """Return photos with the place of one question marked, and under each the colour answered.

    Args:
        photos: name -> (H, W, 3).
        coord: (y, x) in [-1, 1], the same for every photo.
        answers: one RGB colour, (3,) in [0, 1], for each photo.
    """
    wide = 2.4 if len(photos) > 1 else 3.2
    figure = figures.new_figure(wide * len(photos), wide + 0.8)
    top, bottom = figure.subplots(2, len(photos), squeeze=False, height_ratios=(5, 1))
    for axis, patch, (name, photo), answer in zip(
        top, bottom, photos.items(), answers, strict=True
    ):
        figures.draw_picture(axis, photo, name)
        _mark(axis, _pixel_at(coord, photo))
        figures.draw_picture(patch, np.broadcast_to(answer.clip(0, 1), (1, 3, 3)))
        red, green, blue = to_uint8(answer)
        patch.set_xlabel(f"R {red}  G {green}  B {blue}", fontsize=9)
    return figure


def workflow(
    photo: np.ndarray,
    maps: np.ndarray,
    zoomed: np.ndarray,
    box: tuple[int, int, int, int],
    config: LIIFConfig,
) -> Figure:
    """Return the way of a photo through the model, as nodes with the real pictures in them.

    Args:
        photo: (H, W, 3) in [0, 1], the input.
        maps: (4, H, W), four channels of the photo's latent codes.
        zoomed: (h, w, 3) in [0, 1], the result.
        box: the patch to follow, in pixels of the photo; the pixel of the result right and below
            of its middle is circled.
        config: what the model is made of.
    """
    figure = figures.new_figure(10.0, 10.0 / ASPECT)
    figure.set_layout_engine("none")  # the nodes have their places
    up, down = 0.745, 0.26  # the middles of the two rows of nodes
    _picture(figure, (0.04, up), 0.36, photo, f"1  photo: {_size(photo)} pixels")
    _machine(
        figure, (0.355, up), f"2  encoder\n{config.blocks} blocks,\n{config.channels} channels"
    )
    for number, latent in enumerate(maps):
        place = (0.49 + 0.097 * (number % 2), up + 0.0925 - 0.185 * (number // 2))
        _picture(figure, place, 0.175, latent)
    figure.text(0.582, up + 0.195, "3  latent codes: four channels", fontsize=10, ha="center")

    left, top, right, bottom = box
    patch, colours = photo[top:bottom, left:right], cut(zoomed, box, photo)
    row, column = (side // 2 for side in colours.shape[:2])
    axis = _picture(figure, (0.04, down), 0.34, patch, "4  questions: coordinate, cell")
    _ask(axis, patch, colours, (row, column))
    height, width = zoomed.shape[:2]
    y = (2 * (round(top * height / photo.shape[0]) + row) + 1) / height - 1
    x = (2 * (round(left * width / photo.shape[1]) + column) + 1) / width - 1
    axis.set_xlabel(f"circled: y = {y:.3f}, x = {x:.3f}", fontsize=9)

    _machine(
        figure, (0.345, down), f"5  decoder\n{len(config.hidden)} layers\nof {config.hidden[0]}"
    )
    if config.local_colour:
        _colour_path(figure, (0.428, down))
    axis = _picture(figure, (0.455, down), 0.34, colours, "6  colours")
    _circle(axis, (column, row))
    red, green, blue = (colours[row, column] * 255).round().astype(int)
    axis.set_xlabel(f"circled: R {red}  G {green}  B {blue}", fontsize=9)

    axis = _picture(figure, (0.755, down), 0.38, zoomed, f"7  zoom: {_size(zoomed)} pixels")
    corner = (left * width / photo.shape[1], top * height / photo.shape[0])
    axis.add_patch(Rectangle(corner, *colours.shape[1::-1], fill=False, ec="white", lw=1.5))

    for middle, start, end in (
        (up, 0.232, 0.300),
        (up, 0.410, 0.482),
        (down, 0.258, 0.297),
        (down, 0.392, 0.449),
        (down, 0.675, 0.748),
    ):
        _arrow(figure, (start, middle), (end, middle))
    _arrow(figure, (0.485, up - 0.17), (0.36, down + 0.075))
    figure.text(0.47, 0.512, "code path: the four nearest codes", fontsize=9, style="italic")
    figure.text(0.73, up, "1 to 3: once per photo\n\n4 to 7: as often as you like", va="center")
    return figure


def _at_size(picture: np.ndarray, box: Box, times: int, method: str) -> np.ndarray:
    """Return what a box holds at `times` its size in pixels of the photo."""
    size = (round((box[3] - box[1]) * times), round((box[2] - box[0]) * times))
    return picture if picture.shape[:2] == size else resize(picture, *size, method).clip(0, 1)


def _size(picture: np.ndarray) -> str:
    return f"{picture.shape[1]} × {picture.shape[0]}"


def _pixel_at(coord: Sequence[float], photo: np.ndarray) -> tuple[float, float]:
    """Return where a coordinate lies in matplotlib's frame, (x, y): pixel centres are integers."""
    height, width = photo.shape[:2]
    return (coord[1] + 1) / 2 * width - 0.5, (coord[0] + 1) / 2 * height - 0.5


def _mark(axis: Any, place: tuple[float, float]) -> None:
    """Mark a place with a cross, open in the middle, that shows on bright and dark ground."""
    look = {"marker": OPEN_CROSS, "markersize": 26, "fillstyle": "none", "clip_on": False}
    axis.plot(*place, markeredgecolor="black", markeredgewidth=4, **look)
    axis.plot(*place, markeredgecolor="white", markeredgewidth=1.5, **look)


def _picture(
    figure: Figure, place: tuple[float, float], tall: float, picture: np.ndarray, title: str = ""
) -> Any:
    """Draw a node that is a picture: its left edge and vertical middle, and its height, as parts
    of the figure."""
    wide = tall / ASPECT * picture.shape[1] / picture.shape[0]
    axis: Any = figure.add_axes((place[0], place[1] - tall / 2, wide, tall))
    if picture.ndim == 2:  # a latent map has no range of its own: drawn between two percentiles
        low, high = np.percentile(picture, (1, 99))
        picture = (picture - low) / (high - low)
    figures.draw_picture(axis, picture, title)
    return axis


def _machine(figure: Figure, centre: tuple[float, float], text: str) -> None:
    """Draw a node that computes: a rounded box with its name in it."""
    look = {"boxstyle": "round,pad=0.6", "fc": "#FFF4D6", "ec": figures.BLACK}
    figure.text(*centre, text, ha="center", va="center", fontsize=9, color=figures.BLACK, bbox=look)


def _colour_path(figure: Figure, plus: tuple[float, float]) -> None:
    """Draw how the colours of the pixels go past the decoder, and are added to what it says."""
    across, down = plus
    style: dict[str, Any] = {"transform": figure.transFigure, "color": figures.ORANGE, "lw": 1.8}
    figure.add_artist(Line2D([0.258, across], [down - 0.125] * 2, linestyle="--", **style))
    _arrow(figure, (across, down - 0.125), (across, down - 0.02), figures.ORANGE)
    look = {"boxstyle": "circle,pad=0.15", "fc": "#FFF4D6", "ec": figures.BLACK}
    figure.text(*plus, "+", ha="center", va="center", color=figures.BLACK, bbox=look, zorder=5)
    words = "colour path: blend of the\nfour nearest pixels"
    figure.text(0.34, down - 0.17, words, ha="center", va="center", fontsize=8, style="italic")


def _arrow(
    figure: Figure,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str = figures.INK,
) -> None:
    arrow = FancyArrowPatch(
        start, end, transform=figure.transFigure, arrowstyle="-|>", mutation_scale=16, lw=1.8
    )
    arrow.set_color(colour)
    figure.add_artist(arrow)


def _ask(axis: Any, patch: np.ndarray, colours: np.ndarray, chosen: tuple[int, int]) -> None:
    """Draw a dot where each question about a patch is asked, and circle the chosen one."""
    places = [
        (np.arange(asked) + 0.5) * pixels / asked - 0.5
        for asked, pixels in zip(colours.shape[:2], patch.shape[:2], strict=True)
    ]
    ys, xs = places
    axis.scatter(*np.meshgrid(xs, ys), s=0.8, color="white", linewidths=0)
    _circle(axis, (xs[chosen[1]], ys[chosen[0]]))


def _circle(axis: Any, place: tuple[float, float]) -> None:
    axis.plot(*place, "o", mfc="none", mec="black", ms=11, mew=3.5)
    axis.plot(*place, "o", mfc="none", mec=figures.YELLOW, ms=11, mew=1.6)
