"""Small words about pixels that every room uses: a box, and values of 8 bits."""

from typing import TypeAlias

import numpy as np

#: (left, top, right, bottom) in pixels, as in Pillow; the lower right corner is not part of it.
Box: TypeAlias = tuple[float, float, float, float]

#: The same, of whole pixels.
PixelBox: TypeAlias = tuple[int, int, int, int]


def to_uint8(rgb: np.ndarray) -> np.ndarray:
    """Clamp floats, any shape, to [0, 1] and round them to 8 bits."""
    values = np.asarray(rgb.clip(0, 1))
    values *= 255
    return np.rint(values, out=values).astype(np.uint8)


def eight_bit(values: np.ndarray) -> np.ndarray:
    """Round uint16 to uint8, so that 257·v becomes v again; uint8 stays as it is."""
    if values.dtype == np.uint8:
        return values
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
