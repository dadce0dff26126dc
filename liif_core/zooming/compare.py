"""Bicubic interpolation beside a result, to see what the model adds.

The two stand a gap apart, each under its name: where they are alike, nobody else could say which
is which, or where one ends.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from liif_core.baselines import resize
from liif_core.files.carried import Makes
from liif_core.files.in_memory import InMemory
from liif_core.files.notes import Notes
from liif_core.files.result_pixels import ResultPixels
from liif_core.files.view import View
from liif_core.photos import Photo
from liif_core.pixels import Box

#: Rows painted at a time.
STRIP_ROWS = 256


@dataclass(frozen=True)
class Beside:
    """Who makes a comparison: a `Makes`.

    Attributes:
        maker: of the result on its right.
        view: how that lies in the photo.
    """

    maker: Makes
    view: View

    @property
    def generative(self) -> bool:
        """Whether details are invented."""
        return self.maker.generative

    def how(self, view: View) -> str:
        """Say what was done, in words."""
        return f"left: bicubic; right: {self.maker.how(self.view)}"


@dataclass(frozen=True)
class Sheet:
    """Where the two pictures lie on their sheet, in pixels.

    Attributes:
        height, width: of each picture.
    """

    height: int
    width: int

    @property
    def letters(self) -> int:
        """How large the names are set: to be read in the whole sheet, and in a small one."""
        return max(10, min(self.width // 16, 96))

    @property
    def band(self) -> int:
        """Rows above the pictures, for their names."""
        return 2 * self.letters

    @property
    def gap(self) -> int:
        """Columns between the pictures."""
        return max(4, self.width // 50)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the sheet."""
        return self.band + self.height, 2 * self.width + self.gap

    def names(self, title: str) -> np.ndarray:
        """Return the rows above the pictures, bicubic's and the one of that title:
        (band, sheet's width, 3) float32 in [0, 1]."""
        font = ImageFont.load_default(self.letters)
        columns = []
        for name in ("bicubic", title):
            column = Image.new("L", (self.width, self.band), "white")
            middle = (self.width / 2, self.band / 2)
            ImageDraw.Draw(column).text(middle, name, "black", font, anchor="mm")
            columns.append(np.asarray(column, np.float32)[..., None].repeat(3, axis=2) / 255)
        return self.beside(*columns)

    def beside(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Join the same rows of both, (h, width, 3) floats, by the white gap."""
        gap = np.ones((left.shape[0], self.gap, 3), np.float32)
        return np.concatenate([left, gap, right], axis=1)


def beside_bicubic(
    photo: Photo,
    result: InMemory,
    box: Box,
    path: Path,
    *,
    title: str,
    overwrite: bool,
    quality: int,
) -> InMemory:
    """Paint bicubic interpolation (left) beside the result (right), without transparency.

    See `Sheet` for where they lie.

    Args:
        photo: what was zoomed.
        result: the zoomed picture.
        box: the part of the photo that it shows.
        title: what stands above the result.
        path, overwrite, quality: see `InMemory`.

    Returns:
        the painted picture; it is not a file yet.
    """
    left, upper, right, lower = box
    # Whoever is marked stands elsewhere on the sheet; what made the photo made this of it.
    notes = photo.notes.origin() if result.maker else Notes()
    opaque = replace(photo, alpha=None, notes=notes)
    whole = (0, 0, photo.width, photo.height)
    height, width = result.height, result.width
    sheet = Sheet(height, width)
    maker = None
    if result.maker:
        maker = Beside(result.maker, View(1, photo.width, photo.height, box, width, height))
    pixels = ResultPixels(opaque, *sheet.size, whole, maker)
    both = InMemory(pixels, path, overwrite=overwrite, quality=quality)
    both.paste(0, sheet.names(title))
    step = (lower - upper) / height
    for top in range(0, height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, height)
        first, last = upper + top * step, min(upper + bottom * step, lower)
        # The rows that bicubic interpolation of this strip reads; more when it shrinks.
        reach = math.ceil(2 * max(step, 1)) + 1
        start, stop = max(0, int(first) - reach), min(photo.height, math.ceil(last) + reach)
        part = photo.rgb(slice(start, stop), slice(0, photo.width))
        source = (left, first - start, right, last - start)
        bicubic = resize(part, bottom - top, width, "bicubic", box=source)
        zoomed = _unit_rgb(result.samples(top, bottom))
        both.paste(sheet.band + top, sheet.beside(bicubic, zoomed))
    return both


def _unit_rgb(samples: np.ndarray) -> np.ndarray:
    """Return a strip as (H, W, 3) float32 in [0, 1], any transparency left out."""
    grey = samples.ndim == 2 or samples.shape[2] < 3
    colour = samples.reshape(*samples.shape[:2], -1)[..., : 1 if grey else 3]
    unit = colour / np.float32(np.iinfo(samples.dtype).max)
    return np.repeat(unit, 3, axis=2) if grey else unit
