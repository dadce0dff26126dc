"""The figures of lesson 00: a zoom to scale, the workflow as nodes, questions asked of photos.

All are full of photographs, so they are returned as pictures, which `figures.show` shows as JPEG:
a third of the size of a PNG.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from PIL import Image

from liif_core import figures
from liif_core.baselines import resize
from liif_core.liif import LIIFConfig
from liif_core.render import ContinuousPhoto

#: (left, top, right, bottom) in pixels of the input photo.
Box = tuple[float, float, float, float]

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


def to_scale(photo: np.ndarray, zoomed: np.ndarray, shrink: int = 3) -> np.ndarray:
    """Return one picture of a photo and its zoom, side by side on white, drawn to scale.

    Args:
        photo: (H, W, 3) in [0, 1].
        zoomed: (h, w, 3) in [0, 1], larger than the photo.
        shrink: both are drawn this many times smaller.

    Returns:
        (h // shrink, …, 3) uint8.
    """
    small, large = (_shrunk(picture, shrink) for picture in (photo, zoomed))
    gap = large.shape[1] // 16
    width = small.shape[1] + gap + large.shape[1]
    canvas = np.full((large.shape[0], width, 3), 255, np.uint8)
    canvas[-small.shape[0] :, : small.shape[1]] = small
    canvas[:, -large.shape[1] :] = large
    return canvas


def close_ups(
    pictures: Mapping[str, np.ndarray], boxes: Mapping[str, Box], photo: np.ndarray
) -> np.ndarray:
    """Return boxes of several pictures of one scene: a row for each box, a column for each picture.

    Args:
        pictures: name -> (h, w, 3), each of any size.
        boxes: name -> a box in pixels of the photo; all of the same proportions.
        photo: (H, W, 3).
    """
    return _grid(
        {
            part: {name: cut(picture, box, photo) for name, picture in pictures.items()}
            for part, box in boxes.items()
        },
        size=3.1,
    )


def magnified(
    continuous: ContinuousPhoto, centre: tuple[float, float], magnifications: Sequence[int]
) -> np.ndarray:
    """Return one place of a photo at several magnifications, as squares and as the model sees it.

    Args:
        continuous: the photo, read by a model.
        centre: (y, x) in [-1, 1].
        magnifications: screen pixels per pixel of the photo.
    """
    side = 180
    read = continuous.photo.rgb(slice(None), slice(None))
    x, y = _pixel_at(centre, read)
    squares, colours = {}, {}
    for times in magnifications:
        reach = side / times / 2
        box = (x + 0.5 - reach, y + 0.5 - reach, x + 0.5 + reach, y + 0.5 + reach)
        squares[f"{times}×"] = resize(read, side, side, "nearest", box=box)
        colours[f"{times}×"] = continuous.render(side, side, box)
    return _grid({"squares": squares, "LIIF": colours}, size=2.2)


def asked_at(
    photos: Mapping[str, np.ndarray], coord: Sequence[float], answers: Sequence[np.ndarray]
) -> np.ndarray:
    """Return photos with the place of one question marked, and under each the colour answered.

    Args:
        photos: name -> (H, W, 3).
        coord: (y, x) in [-1, 1], the same for every photo.
        answers: one RGB colour, (3,) in [0, 1], for each photo.
    """
    figure = figures.new_figure(2.4 * len(photos), 3.2)
    top, bottom = figure.subplots(2, len(photos), squeeze=False, height_ratios=(5, 1))
    for axis, patch, (name, photo), answer in zip(
        top, bottom, photos.items(), answers, strict=True
    ):
        figures.draw_picture(axis, photo, name)
        _mark(axis, _pixel_at(coord, photo))
        figures.draw_picture(patch, np.broadcast_to(answer.clip(0, 1), (1, 3, 3)))
        red, green, blue = (answer.clip(0, 1) * 255).round().astype(int)
        patch.set_xlabel(f"R {red}  G {green}  B {blue}", fontsize=9)
    return _drawn(figure)


def workflow(
    photo: np.ndarray,
    maps: np.ndarray,
    zoomed: np.ndarray,
    box: tuple[int, int, int, int],
    config: LIIFConfig,
) -> np.ndarray:
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
        figure, (0.355, down), f"5  decoder\n{len(config.hidden)} layers\nof {config.hidden[0]}"
    )
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
        (down, 0.258, 0.305),
        (down, 0.405, 0.449),
        (down, 0.675, 0.748),
    ):
        _arrow(figure, (start, middle), (end, middle))
    _arrow(figure, (0.485, up - 0.17), (0.37, down + 0.075))
    figure.text(0.47, 0.512, "the four nearest codes", fontsize=9, style="italic")
    figure.text(0.73, up, "1 to 3: once per photo\n\n4 to 7: as often as you like", va="center")
    return _drawn(figure)


def _drawn(figure: Figure) -> np.ndarray:
    """Return a figure as (H, W, 3) uint8."""
    return np.asarray(Image.open(io.BytesIO(figures.to_png(figure, dpi=90))).convert("RGB"))


def _grid(rows: Mapping[str, Mapping[str, np.ndarray]], size: float) -> np.ndarray:
    """Draw pictures of one shape: row name -> column name -> (h, w, 3); `size` inches wide each."""
    columns = list(next(iter(rows.values())))
    first = next(iter(next(iter(rows.values())).values()))
    tall = size * first.shape[0] / first.shape[1] + 0.1
    figure = figures.new_figure(size * len(columns) + 0.25, tall * len(rows) + 0.2)
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for number, (row, (name, pictures)) in enumerate(zip(axes, rows.items(), strict=True)):
        for axis, (column, picture) in zip(row, pictures.items(), strict=True):
            figures.draw_picture(axis, picture, "" if number else column)
        row[0].set_ylabel(name, fontsize=10)
    return _drawn(figure)


def _shrunk(picture: np.ndarray, times: int) -> np.ndarray:
    image = figures.to_image(picture)
    size = (image.width // times, image.height // times)
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def _size(picture: np.ndarray) -> str:
    return f"{picture.shape[1]} × {picture.shape[0]}"


def _pixel_at(coord: Sequence[float], photo: np.ndarray) -> tuple[float, float]:
    """Return where a coordinate lies in matplotlib's frame, (x, y): pixel centres are integers."""
    height, width = photo.shape[:2]
    return (coord[1] + 1) / 2 * width - 0.5, (coord[0] + 1) / 2 * height - 0.5


def _mark(axis: Any, place: tuple[float, float], size: float = 14) -> None:
    """Mark a place with a cross that shows on bright and dark ground."""
    axis.plot(*place, "+", color="black", markersize=size, markeredgewidth=4)
    axis.plot(*place, "+", color="white", markersize=size, markeredgewidth=1.5)


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
    look = {"boxstyle": "round,pad=0.6", "fc": "#FFF4D6", "ec": "black"}
    figure.text(*centre, text, ha="center", va="center", fontsize=9, bbox=look)


def _arrow(figure: Figure, start: tuple[float, float], end: tuple[float, float]) -> None:
    arrow = FancyArrowPatch(
        start, end, transform=figure.transFigure, arrowstyle="-|>", mutation_scale=16, lw=1.8
    )
    arrow.set_color("black")
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
