"""From a photo to a zoomed photo: reading, rendering and the finished picture in one call."""

import math
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from liif_core.baselines import resize
from liif_core.errors import LiifError
from liif_core.files.in_memory import InMemory
from liif_core.files.result import Result
from liif_core.files.result_pixels import ResultPixels
from liif_core.liif import LIIF
from liif_core.photos import Photo, Source, photo_from
from liif_core.render import ContinuousPhoto, OutputGrid, Progress, Renderer, strips
from liif_core.weights import DEFAULT_MODEL, load_model

Box = tuple[int, int, int, int]

#: Rows painted at a time.
STRIP_ROWS = 256

#: Most pixels along a side that Pillow, and every format, can count.
MAX_SIDE = 2**31 - 1


def zoom(
    image: Source,
    scale: float | None = None,
    *,
    size: tuple[int, int] | None = None,
    crop: Box | None = None,
    model: LIIF | str | Path = DEFAULT_MODEL,
    progress: Progress | None = None,
) -> Image.Image:
    """Zoom a photo to any size.

    Args:
        image: a path, a PIL image, or an array (H, W), (H, W, 3) or (H, W, 4), uint8, uint16 or
            floats in [0, 1].
        scale: magnification, any number greater than 0; or give `size`.
        size: (width, height) of the result, any proportions.
        crop: (left, top, right, bottom) in input pixels: zoom this part alone.
        model: what `load_model` returned, or a name or path for it.
        progress: called with (pixels done, pixels in all).

    Returns:
        a PIL image of the photo's own kind: grey stays grey, transparent stays transparent.

    Raises:
        LiifError: a photo that cannot be read, or a size that cannot be.
    """
    photo = photo_from(image)
    box = check_crop(photo, crop)
    height, width = target_size(box, scale, size)
    chosen = model if isinstance(model, LIIF) else load_model(model)
    result = InMemory(ResultPixels(photo, height, width, box))
    grid = OutputGrid(height, width, box)
    paint(ContinuousPhoto(chosen, photo), grid, result, progress)
    return result.image()


def paint(
    source: Renderer,
    grid: OutputGrid,
    picture: Result,
    progress: Progress | None = None,
    first: int = 0,
) -> None:
    """Render an output grid strip by strip, from row `first` on.

    While one strip is computed, another thread puts the one before in its place.
    """
    if progress:
        progress(first * grid.width, grid.height * grid.width)
    with ThreadPoolExecutor(1) as writer:
        writing: Future[None] | None = None
        for top, strip in strips(source, grid, progress, first):
            if writing:
                writing.result()
            writing = writer.submit(picture.paste, top, strip)
            del strip  # else two are held while the next one is made
        if writing:
            writing.result()


def beside_bicubic(
    photo: Photo,
    result: Image.Image,
    box: Box,
    path: Path | None = None,
    *,
    overwrite: bool = False,
    quality: int = 95,
) -> InMemory:
    """Paint bicubic interpolation (left) beside the result (right), without transparency.

    Args:
        photo: what was zoomed.
        result: the zoomed picture, as `InMemory.image` gives it.
        box: the part of the photo that it shows.
        path, overwrite, quality: as `InMemory` takes them.
    """
    left, upper, right, lower = box
    plain, whole = replace(photo, alpha=None, exif=None), (0, 0, photo.width, photo.height)
    pixels = ResultPixels(plain, result.height, 2 * result.width, whole)
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


def check_crop(photo: Photo, crop: Box | None) -> Box:
    """Return the box to zoom: the whole photo, or `crop` if it lies within.

    Raises:
        LiifError: the crop is empty or leaves the photo.
    """
    if crop is None:
        return 0, 0, photo.width, photo.height
    left, top, right, bottom = crop
    if not (0 <= left < right <= photo.width and 0 <= top < bottom <= photo.height):
        raise LiifError(
            f"crop {left},{top},{right},{bottom} is empty or leaves the photo of "
            f"{photo.width}×{photo.height} pixels; give left,top,right,bottom within it"
        )
    return crop


def target_size(
    box: Box, scale: float | None, size: tuple[int, int] | None = None
) -> tuple[int, int]:
    """Return (height, width) of the result of zooming `box`.

    Raises:
        LiifError: neither or both of scale and size, not a positive number, or more pixels along a
            side than a picture can have. (`InMemory` asks whether memory suffices.)
    """
    if (scale is None) == (size is None):
        raise LiifError("give either a scale or a size, for example scale=12 or size=(4000, 3000)")
    if scale is not None:
        if not (math.isfinite(scale) and scale > 0):
            raise LiifError(f"scale must be a number greater than 0, got {scale:g}")
        sides = [(end - start) * scale for start, end in (box[::2], box[1::2])]
        if max(sides) > MAX_SIDE:
            raise LiifError(f"scale {scale:g} is too large: no side can exceed {MAX_SIDE:,} pixels")
        width, height = (max(1, round(side)) for side in sides)
    else:
        assert size is not None
        width, height = size
        if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
            raise LiifError(
                f"size must be at least 1x1 and at most {MAX_SIDE:,} pixels a side, "
                f"got {width}x{height}"
            )
    return height, width
