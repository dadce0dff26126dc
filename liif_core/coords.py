"""The frame that every other room stands on: pixel centres, cells, and who is nearest.

A photo, whatever its size, fills the square [-1, 1] × [-1, 1]. A coordinate is (y, x), y pointing
down. A photo of n rows cuts the y axis into n cells of height 2/n, and the value that we call
"pixel i" belongs to the centre of cell i, at (2i + 1)/n - 1. (Paper: section 3.1 and the official
implementation's `make_coord`.)
"""

import torch
from torch import Tensor

#: Added to every look-up so that a coordinate exactly between two pixels belongs to the right
#: (lower) one on every machine, instead of to whichever the rounding error prefers.
TIE_BREAK = 1e-6


def pixel_centres(n: int, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return the coordinates of the `n` pixel centres along one axis.

    Args:
        n: number of pixels, at least 1.
        dtype: floating type of the result.

    Returns:
        (n,) increasing values strictly inside (-1, 1), symmetric around 0.

    Raises:
        ValueError: `n` is less than 1.
    """
    if n < 1:
        raise ValueError(f"a pixel grid needs at least 1 pixel along each axis, got {n}")
    return (2 * torch.arange(n, dtype=torch.float64) + 1).div(n).sub(1).to(dtype)


def coord_grid(height: int, width: int, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return the centre (y, x) of every pixel of a `height` × `width` photo: (height, width, 2)."""
    ys, xs = pixel_centres(height, dtype=dtype), pixel_centres(width, dtype=dtype)
    return torch.stack(torch.meshgrid(ys, xs, indexing="ij"), dim=-1)


def cell_size(height: int, width: int, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return the (height, width) of one pixel of a `height` × `width` photo, in the frame: (2,)."""
    return torch.tensor([2 / height, 2 / width], dtype=dtype)


def nearest_index(coord: Tensor, n: int) -> Tensor:
    """Return which of `n` pixels contains each coordinate along one axis.

    Coordinates outside [-1, 1] belong to the first or last pixel.

    Args:
        coord: any shape, in the [-1, 1] frame.
        n: number of pixels along the axis.

    Returns:
        int64 indices in 0 … n-1, of the same shape.
    """
    return ((coord + TIE_BREAK + 1) * (n / 2)).floor().long().clamp(0, n - 1)


def centre_of(index: Tensor, n: int, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return the centre of the pixel with each `index` among `n`; inverse of `nearest_index`."""
    return ((2 * index.to(torch.float64) + 1) / n - 1).to(dtype)
