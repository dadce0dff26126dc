"""Zooming without learning: each new pixel is a fixed weighted mean of the old pixels around it.

The four classical kernels, as Pillow computes them. They are what a learned zoom has to beat, and
bicubic shrinking makes the small photos that it is trained and measured on.
"""

import math

import numpy as np
from PIL import Image

from liif_core.errors import LiifError

_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

#: The names that `resize` knows, from the plainest to the widest kernel.
METHODS = tuple(_RESAMPLING)

Box = tuple[float, float, float, float]


def resize(
    image: np.ndarray, height: int, width: int, method: str, *, box: Box | None = None
) -> np.ndarray:
    """Resize a picture without learning.

    When shrinking, every method but nearest widens its kernel to the size of the new pixels, so
    that fine detail is averaged and not aliased.

    Args:
        image: (H, W, 3) or (H, W), uint8 or floats in [0, 1].
        height: rows of the result, at least 1.
        width: columns of the result, at least 1.
        method: one of `METHODS`.
        box: the part of `image` to resize, (left, top, right, bottom) in its pixels, fractions
            allowed; the whole by default. The kernel still reaches the pixels around the box, so
            the result is what the same part of the whole, resized, would be.

    Returns:
        (height, width, 3) or (height, width). uint8 gives uint8, rounded and clipped as Pillow
        does it (the paper's protocol); floats give float32, not clipped: next to sharp edges
        bicubic and Lanczos leave [0, 1] a little.

    Raises:
        LiifError: an unknown method, a size below 1, a box that is empty or leaves the image, or
            an array that is not a picture.
    """
    check_picture(image)
    if method not in _RESAMPLING:
        raise LiifError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    if height < 1 or width < 1:
        raise LiifError(f"a picture needs at least 1 × 1 pixels, not {width} × {height}")
    if box is not None:
        _check_box(box, image)
    if image.dtype == np.uint8:
        return _resize_plane(image, height, width, method, box)
    planes = np.atleast_3d(image).astype(np.float32, copy=False)
    # Pillow has no colour mode with floats: one channel at a time.
    resized = [
        _resize_plane(plane, height, width, method, box) for plane in np.moveaxis(planes, 2, 0)
    ]
    return resized[0] if image.ndim == 2 else np.stack(resized, axis=2)


def downscale(image: np.ndarray, scale: float) -> np.ndarray:
    """Shrink a picture by bicubic interpolation: the paper's way of making inputs.

    Args:
        image: as for `resize`.
        scale: how many times smaller, finite and at least 1; need not be an integer.

    Returns:
        the picture with each side divided by `scale` and rounded, at least 1 pixel.

    Raises:
        LiifError: a scale below 1 or not finite, or an array that is not a picture.
    """
    check_picture(image)
    if not (math.isfinite(scale) and scale >= 1):
        raise LiifError(f"downscaling needs a finite scale of at least 1, not {scale}")
    height, width = (max(1, round(side / scale)) for side in image.shape[:2])
    return resize(image, height, width, "bicubic")


def check_picture(image: np.ndarray) -> None:
    """Make sure that an array is a picture: (H, W, 3) or (H, W), uint8 or floats, not empty.

    Raises:
        LiifError: it is not.
    """
    if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or image.size == 0:
        raise LiifError(
            f"expected a picture of shape (height, width, 3) or (height, width), got {image.shape}"
        )
    if image.dtype != np.uint8 and not np.issubdtype(image.dtype, np.floating):
        raise LiifError(
            f"expected uint8 or floats in [0, 1], got {image.dtype}: convert the picture first"
        )


def _resize_plane(
    plane: np.ndarray, height: int, width: int, method: str, box: Box | None
) -> np.ndarray:
    """Resize whatever Pillow takes as one image: uint8 RGB or grey, or one float32 channel."""
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.array(image.resize((width, height), _RESAMPLING[method], box=box))


def _check_box(box: Box, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    left, top, right, bottom = box
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):  # false for NaN, too
        raise LiifError(
            f"box {box} must be (left, top, right, bottom), not empty, and lie inside the"
            f" {width} × {height} picture"
        )
