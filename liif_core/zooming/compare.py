"""Bicubic interpolation beside a result, to see what the model adds."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from liif_core.baselines import resize
from liif_core.files.in_memory import InMemory
from liif_core.files.notes import Notes
from liif_core.files.result_pixels import ResultPixels
from liif_core.photos import Photo
from liif_core.pixels import Box

#: Rows painted at a time.
STRIP_ROWS = 256


def beside_bicubic(
    photo: Photo, result: InMemory, box: Box, path: Path, *, overwrite: bool, quality: int
) -> InMemory:
    """Paint bicubic interpolation (left) beside the result (right), without transparency.

    Args:
        photo: what was zoomed.
        result: the zoomed picture.
        box: the part of the photo that it shows.
        path, overwrite, quality: see `InMemory`.

    Returns:
        the painted picture; it is not a file yet.
    """
    left, upper, right, lower = box
    opaque = replace(photo, alpha=None, notes=Notes())
    whole = (0, 0, photo.width, photo.height)
    height, width = result.height, result.width
    pixels = ResultPixels(opaque, height, 2 * width, whole)
    both = InMemory(pixels, path, overwrite=overwrite, quality=quality)
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
        both.paste(top, np.concatenate([bicubic, zoomed], axis=1))
    return both


def _unit_rgb(samples: np.ndarray) -> np.ndarray:
    """Return a strip as (H, W, 3) float32 in [0, 1], any transparency left out."""
    grey = samples.ndim == 2 or samples.shape[2] < 3
    colour = samples.reshape(*samples.shape[:2], -1)[..., : 1 if grey else 3]
    unit = colour / np.float32(np.iinfo(samples.dtype).max)
    return np.repeat(unit, 3, axis=2) if grey else unit
