"""Photographs in a row or grid, small enough for a lesson's file."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from liif_core.figures import side_by_side, to_png


def as_photograph(figure: Figure) -> Image.Image:
    """Return a figure as a picture, which `figures.show` stores as JPEG.

    Where photographs fill a figure, this takes a fraction of the bytes of a PNG. Where lines or
    large square pixels fill it, it takes more.
    """
    return Image.open(io.BytesIO(to_png(figure))).convert("RGB")


def photographs(
    pictures: Mapping[str, np.ndarray],
    *,
    columns: int | None = None,
    size: float = 2.0,
    captions: Sequence[str] = (),
) -> Image.Image:
    """Return `figures.side_by_side`, with the same arguments, through `as_photograph`."""
    return as_photograph(side_by_side(pictures, columns=columns, size=size, captions=captions))
