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

import math
from typing import NamedTuple

import torch
from torch import Tensor


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

_MASK = 0xFFFFFFFF


def noise_field(
    y: Tensor, x: Tensor, cell: Tensor | float, seed: Tensor | int, channels: int
) -> Tensor:
    """Return the field's values at points of the plane.

    Args:
        y, x: where, in input pixels, float64, any shapes that broadcast to one, (...).
        cell: side of the asked-for pixel, in input pixels: what is finer is averaged in it, and
            fainter. Broadcasts to (...).
        seed: which field; an integer, or several, int64, that broadcast to (...).
        channels: how many, up to `len(LATTICES)`.

    Returns:
        (..., channels) float32: independent, of mean 0, and of variance 1 / (1 + (cell / pitch)²):
        the mean of n independent values has an n-th of their variance.
    """
    key = _mixed(_seed(seed, y.device) & _MASK)
    values = [
        _values(lattice, y, x, key + 0x51ED2701 * number) * _damping(lattice, cell)
        for number, lattice in enumerate(LATTICES[:channels])
    ]
    return torch.stack(values, dim=-1)


def _seed(seed: Tensor | int, device: torch.device) -> Tensor:
    if isinstance(seed, Tensor):
        return seed
    return torch.tensor(seed % (1 << 31), device=device)


def _damping(lattice: Lattice, cell: Tensor | float) -> Tensor | float:
    finer = (cell / lattice.across) ** 2 + 1.0
    return finer.rsqrt().float() if isinstance(finer, Tensor) else finer**-0.5


def _values(lattice: Lattice, y: Tensor, x: Tensor, key: Tensor) -> Tensor:
    """Return one channel: (...) float32 of variance 1."""
    cos, sin = math.cos(lattice.angle), math.sin(lattice.angle)
    u = (x * (cos / lattice.along)) + (y * (sin / lattice.along))
    v = (y * (cos / lattice.across)) - (x * (sin / lattice.across))
    col, row = u.floor(), v.floor()
    right, below = _smooth((u - col).float()), _smooth((v - row).float())
    first = row.long() * 0x9E3779B1 + key
    counter = col.long() * 0x85EBCA77
    total, squares = torch.zeros_like(right), torch.zeros_like(right)
    for down, share in ((0, 1 - below), (0x9E3779B1, below)):
        along = _mixed((first + down) & _MASK)
        for across, other in ((0, 1 - right), (0x85EBCA77, right)):
            weight = share * other
            total += weight * _uniform(_mixed((along + counter + across) & _MASK))
            squares += weight * weight
    return total * squares.rsqrt()


def _smooth(t: Tensor) -> Tensor:
    """Return Perlin's 3t² - 2t³: no crease where two squares of a lattice meet."""
    return t * t * (3 - 2 * t)


def _uniform(bits: Tensor) -> Tensor:
    """Return 32 random bits as a number of mean 0 and variance 1: within ±√3."""
    # The upper 24: as many as float32 holds exactly.
    return ((bits >> 8).float() + 0.5) * (math.sqrt(12) / (1 << 24)) - math.sqrt(3)


def _mixed(x: Tensor) -> Tensor:
    """Return a hash of 32 bits, held in int64: Wellons' "lowbias32", two multiplications."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & _MASK
    x = ((x ^ (x >> 15)) * 0x846CA68B) & _MASK
    return x ^ (x >> 16)
