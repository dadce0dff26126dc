"""Bicubic interpolation beside a result, to see what the model adds."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from liif_core.baselines import resize
from liif_core.files.in_memory import InMemory
from liif_core.files.result_pixels import ResultPixels
from liif_core.photos import Photo
from liif_core.pixels import Box

#: Rows painted at a time.
STRIP_ROWS = 256


def beside_bicubic(
    photo: Photo, result: Image.Image, box: Box, path: Path, *, overwrite: bool, quality: int
) -> InMemory:
    """Paint bicubic interpolation (left) beside the result (right), without transparency.

    Args:
        photo: what was zoomed.
        result: the zoomed picture, as `InMemory.image` gives it.
        box: the part of the photo that it shows.
        path, overwrite, quality: see `InMemory`.

    Returns:
        the painted picture; it is not a file yet.
    """
    left, upper, right, lower = box
    opaque = replace(photo, alpha=None, exif=None)
    whole = (0, 0, photo.width, photo.height)
    pixels = ResultPixels(opaque, result.height, 2 * result.width, whole)
    both = InMemory(pixels, path, overwrite=overwrite, quality=quality)
    step = (lower - upper) / result.height
    for top in range(0, result.height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, result.height)
        first, last = upper + top * step, min(upper + bottom * step, lower)
        # The rows that bicubic interpolation of this strip reads; more when it shrinks.
        reach = math.ceil(2 * max(step, 1)) + 1
        start, stop = max(0, int(first) - reach), min(photo.height, math.ceil(last) + reach)
        part = photo.rgb(slice(start, stop), slice(0, photo.width))
        source = (left, first - start, right, last - start)
        bicubic = resize(part, bottom - top, result.width, "bicubic", box=source)
        zoomed = _unit_rgb(result.crop((0, top, result.width, bottom)))
        both.paste(top, np.concatenate([bicubic, zoomed], axis=1))
    return both


def _unit_rgb(image: Image.Image) -> np.ndarray:
    """Return a picture as (H, W, 3) float32 in [0, 1], any transparency left out."""
    if image.mode == "I;16":
        return np.repeat(np.asarray(image)[..., None] / np.float32(65535), 3, axis=2)
    return np.asarray(image.convert("RGB")) / np.float32(255)
