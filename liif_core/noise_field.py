"""Noise as a function of position: what a decoder invents details from.

A photo of few pixels fits many scenes. A decoder that is given nothing but latent codes answers
with one of them, or with their mean; given chance as well, it can answer with one that looks real,
and with another one for another seed. Chance is a *field* here: each point of the plane has its
value, whichever tile, box or order it is asked in, and nothing is stored. It is value noise (random
values on a lattice, smoothly interpolated, after Perlin: An Image Synthesizer, SIGGRAPH 1985) whose
lattice values come from a hash of (row, column, lattice, seed): a counter-based generator (Salmon
et al.: Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011), in integers, the same on any machine.

The lattices are turned by angles and have pitches that no grid of codes shares, and every point has
variance 1, so that what is made of them does not repeat with the codes. Some are long and narrow:
hair, grass and bark need something that runs along with them.
"""

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from liif_core.scripted import scripted


class Lattice(NamedTuple):
    """Where one channel's random values lie.

    Attributes:
        angle: of its columns' direction, in radians.
        along, across: its pitch in both directions, in input pixels.
    """

    angle: float
    along: float
    across: float


#: A channel each; a model with n noise inputs reads the first n. Wavelengths of a missing detail
#: are below two input pixels (those above are in the photo), so a pitch is below about one.
LATTICES = (
    Lattice(0.31, 0.61, 0.61),
    Lattice(1.13, 0.33, 0.33),
    Lattice(0.52, 0.18, 0.18),
    Lattice(0.83, 1.07, 1.07),
    *(Lattice(0.21 + turn * math.pi / 4, 1.3, 0.43) for turn in range(4)),
    *(Lattice(0.59 + turn * math.pi / 4, 0.67, 0.22) for turn in range(4)),
)

#: An odd number that tells channels apart before they are mixed. Rows and columns are told apart
#: by 0x9E3779B1 and 0x85EBCA77, which are -0x61C8864F and -0x7A143589 as signed numbers.
CHANNEL = 0x51ED2701

#: Most points at a time on a CPU: so many, of all channels, stay in its second-level cache.
POINTS = 2048


def noise_field(
    y: Tensor, x: Tensor, cell: Tensor | float, seed: Tensor | int, channels: int
) -> Tensor:
    """Return the field's values at points of the plane.

    Args:
        y, x: where, in input pixels, float64, any shapes that broadcast to one, (...); up to some
            hundred million away from 0.
        cell: side of the asked-for pixel, in input pixels: what is finer is averaged in it, and
            fainter. Broadcasts to (...).
        seed: which field; an integer, or several, int64, that broadcast to (...).
        channels: how many, up to `len(LATTICES)`.

    Returns:
        (..., channels) float32: independent, of mean 0, and of variance 1 / (1 + (cell / pitch)²):
        the mean of n independent values has an n-th of their variance.
    """
    size, device = torch.broadcast_shapes(y.shape, x.shape), y.device
    turned, number = _tables(channels, device)
    along_x, along_y, across_x, across_y = (_aside(one, len(size)) for one in turned.unbind(1))
    key = _mixed(_seed(seed, device)) + _aside(number, len(size))
    asked = (y, x, key, _loud(cell, channels, len(size), device))
    turn = (along_x, along_y, across_x, across_y)
    if device.type != "cpu":
        return _values(*asked, *turn).movedim(0, -1)
    values = [scripted(_values)(*part, *turn) for part in _parts(asked, size)]
    return (values[0] if len(values) == 1 else torch.cat(values, _longest(size))).movedim(0, -1)


def _values(
    y: Tensor,
    x: Tensor,
    key: Tensor,
    loud: Tensor,
    along_x: Tensor,
    along_y: Tensor,
    across_x: Tensor,
    across_y: Tensor,
) -> Tensor:
    """Return the field by channels, (channels, ...), for TorchScript: see `scripted`.

    Args:
        y, x: as for `noise_field`.
        key: what stands for seed and channel, int32, and
        loud: how loud they are, of what is between -2²³ and 2²³; both broadcast to the result.
        along_x, along_y, across_x, across_y: what turns x and y, (channels, …).
    """
    u, v = x * along_x + y * along_y, y * across_y - x * across_x
    column, row = u.floor(), v.floor()
    right, below = _smooth((u - column).float()), _smooth((v - row).float())
    first = row.to(torch.int32).mul_(-0x61C8864F).add_(key)
    along = _mixed(torch.stack([first, first - 0x61C8864F]))
    counter = column.to(torch.int32).mul_(-0x7A143589)
    bits = _mixed(along[:, None] + torch.stack([counter, counter - 0x7A143589]))
    # (2, 2, channels, …), the upper 24: as many as float32 holds exactly; half of them below zero.
    corners = (bits.bitwise_xor_(-0x80000000) >> 8).float()
    rows = torch.lerp(corners[:, 0], corners[:, 1], right)
    values = torch.lerp(rows[0], rows[1], below).add_(0.5)
    # The weights' squares add up to so much, and to one the mean of n independent values' variance.
    spread = _squares(right).mul_(_squares(below)).rsqrt_()
    return values.mul_(spread).mul_(loud)


def _longest(size: torch.Size) -> int:
    """Return the longest axis, counted from the end."""
    return max(range(-len(size), 0), key=size.__getitem__)


def _parts(asked: tuple[Tensor, ...], size: torch.Size) -> Iterator[tuple[Tensor, ...]]:
    """Cut what is asked for along the longest axis: whatever is as long there."""
    if math.prod(size) <= POINTS:
        yield asked
        return
    axis = _longest(size)
    step = max(1, POINTS * size[axis] // math.prod(size))

    def cut(one: Tensor, first: int) -> Tensor:
        if one.ndim < -axis or one.shape[axis] == 1:
            return one
        return one.narrow(axis, first, min(step, size[axis] - first))

    for first in range(0, size[axis], step):
        yield tuple(cut(one, first) for one in asked)


@functools.cache
def _tables(channels: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return what turns (x, y) into pitches along and across, (channels, 4) float64, and what tells
    channels apart, (channels,) int32."""
    lattices = LATTICES[:channels]
    turns = [(math.cos(one.angle), math.sin(one.angle)) for one in lattices]
    rows = [
        (cos / one.along, sin / one.along, sin / one.across, cos / one.across)
        for one, (cos, sin) in zip(lattices, turns, strict=True)
    ]
    with torch.inference_mode(False):  # these are used again, perhaps with gradients
        turned = torch.tensor(rows, dtype=torch.float64, device=device)
        number = torch.arange(channels, dtype=torch.int32, device=device) * CHANNEL
    return turned.view(channels, 4), number


def _aside(values: Tensor, ndim: int) -> Tensor:
    """Return a number for each channel as it stands beside points of so many dimensions."""
    return values.view(-1, *(1 for _ in range(ndim)))


def _seed(seed: Tensor | int, device: torch.device) -> Tensor:
    """Return the lower 32 bits."""
    if isinstance(seed, Tensor):
        return seed.to(torch.int32, copy=True)  # to be overwritten
    return torch.tensor(seed % (1 << 31), dtype=torch.int32, device=device)


def _loud(cell: Tensor | float, channels: int, ndim: int, device: torch.device) -> Tensor:
    """Return what 24 bits, -2²³ … 2²³, are multiplied by: (channels, ...) float32."""
    across = torch.tensor([one.across for one in LATTICES[:channels]], device=device)
    damping = ((cell / _aside(across, ndim)) ** 2 + 1.0).rsqrt()
    return (damping * (math.sqrt(12) / (1 << 24))).float()


def _smooth(t: Tensor) -> Tensor:
    """Return Perlin's 3t² - 2t³: no crease where two squares of a lattice meet."""
    return (3 - 2 * t).mul_(t).mul_(t)


def _squares(t: Tensor) -> Tensor:
    """Return t² + (1 - t)²."""
    return (t - 1).mul_(t).mul_(2).add_(1)


def _mixed(x: Tensor) -> Tensor:
    """Return a hash of 32 bits, held in int32: Wellons' "lowbias32", two multiplications.

    Products keep their lower 32 bits, whatever the sign; a shift to the right brings copies of the
    sign, which are taken away. Overwrites what it is given.
    """
    x ^= (x >> 16).bitwise_and_(0xFFFF)
    x *= 0x7FEB352D
    x ^= (x >> 15).bitwise_and_(0x1FFFF)
    x *= -0x7B935975  # 0x846CA68B as a signed number
    x ^= (x >> 16).bitwise_and_(0xFFFF)
    return x
