"""The second picture of every picture: which waves it is made of, and how a result's agree with
the original's.

A frequency is counted in cycles per *input* pixel, whatever the size of the picture that is looked
at. So 0.5, one wave for every two input pixels, is always the finest that the input can hold
(Shannon 1949), and a result's energy above it was added by the method that made the result.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from liif_core.baselines import check_picture
from liif_core.errors import LiifError


class Spectrum(NamedTuple):
    """How strong each wave of a picture is; frequency 0 in the middle, at [H // 2, W // 2]."""

    #: (H, W), of a picture in [0, 1]; adds up to the picture's variance under the window.
    power: np.ndarray
    #: (H,) and (W,), rising, in cycles per input pixel: waves down the picture, and across it.
    down: np.ndarray
    across: np.ndarray


class Band(NamedTuple):
    """A result against its original, over all waves of frequency `low` ≤ f < `high`."""

    low: float
    high: float
    #: Result's power over the original's: 1 is right, less is blur, more is detail made up.
    energy: float
    #: From −1 to 1: 1 where the waves stand as they do in the original, 0 where by chance.
    agreement: float
    #: Power of the difference, in the units of `Spectrum.power`. Over all waves, these add up to
    #: the mean squared error under the window, each picture's mean colour taken out.
    error: float


def folded(frequency: float, step: float) -> float:
    """Return as which frequency a wave comes back when only every `step`-th pixel is kept.

    Args:
        frequency: in cycles per pixel, not negative.
        step: from one kept pixel to the next, in pixels, above 0.

    Returns:
        |f · step − round(f · step)| / step, in cycles per (old) pixel, at most 0.5 / step: the
        wave itself where it is no finer than two kept pixels, and another, its alias, where it is.

    Raises:
        LiifError: a negative frequency, or a step that is not above 0.
    """
    if not (frequency >= 0 and step > 0):
        raise LiifError(f"a wave of frequency {frequency:g} kept at steps of {step:g} has no sense")
    cycles = frequency * step
    return abs(cycles - round(cycles)) / step


def spectrum(picture: np.ndarray, scale: float = 1) -> Spectrum:
    """Compute the power spectrum of a picture under a Hann window.

    The window fades the picture out towards its borders: without it, the jump from the right border
    to the left one, which a Fourier transform sees, would show as waves of every frequency.

    Args:
        picture: (H, W, 3) or (H, W), uint8 or floats in [0, 1]; at least 3 × 3. A colour picture's
            power is the mean of its channels'.
        scale: the picture's pixels per input pixel, above 0: 4 for the result of a ×4 zoom.

    Raises:
        LiifError: the array is not a picture, is too small, or the scale is not above 0.
    """
    power = (np.abs(np.fft.fft2(_faded(picture), axes=(0, 1))) ** 2).mean(axis=2)
    down, across = (np.fft.fftfreq(side, _checked_step(scale)) for side in picture.shape[:2])
    return Spectrum(*(np.fft.fftshift(part) for part in (power, down, across)))


def compare(
    result: np.ndarray, original: np.ndarray, borders: Sequence[float], scale: float = 1
) -> list[Band]:
    """Measure per band of frequencies how much of the original's detail a result has, and where.

    The agreement is the Fourier ring correlation (Saxton and Baumeister 1982; van Heel et al.
    1982): the correlation of both pictures' waves within a ring of the spectrum. Energy alone does
    not tell detail from noise; a wave of the right strength in the wrong place does not agree.

    Args:
        result, original: of one shape, as for `spectrum`.
        borders: of the bands, rising, in cycles per input pixel; n + 1 for n bands.
        scale: as for `spectrum`.

    Returns:
        a `Band` for each two neighbouring borders; its energy is NaN where the original has none,
        its agreement where either has none.

    Raises:
        LiifError: the shapes differ, the borders do not rise or leave a band without waves, or as
            `spectrum`.
    """
    if result.shape != original.shape:
        raise LiifError(f"the pictures have different shapes: {result.shape}, {original.shape}")
    if len(borders) < 2 or not (np.diff(borders) > 0).all():
        raise LiifError(f"the borders of bands must rise, got {list(borders)}")
    ours, theirs = _waves(result), _waves(original)
    step, (height, width) = _checked_step(scale), result.shape[:2]
    frequency = np.hypot(np.fft.fftfreq(height, step)[:, None], np.fft.rfftfreq(width, step))
    channels = ours.shape[2]
    bands = []
    for low, high in itertools.pairwise(borders):
        ring = (low <= frequency) & (frequency < high)
        if not ring.any():
            raise LiifError(f"no wave of the picture is between {low:g} and {high:g}: a wider band")
        a, b = ours[ring], theirs[ring]
        mine, true = (float((np.abs(waves) ** 2).sum()) for waves in (a, b))
        common = float((a * b.conj()).real.sum())
        energy = mine / true if true > 0 else np.nan
        both = np.sqrt(mine * true)
        agreement = common / both if both > 0 else np.nan
        error = float((np.abs(a - b) ** 2).sum()) / channels
        bands.append(Band(low, high, energy, agreement, error))
    return bands


def _waves(picture: np.ndarray) -> np.ndarray:
    """Return the Fourier transform of a picture under the window, without its mean.

    Real values have each wave twice, at f and at -f, the one conjugate to the other. Only one of
    the two is here, √2 times as large, so that sums of powers are those of all.

    Returns:
        (H, W // 2 + 1, C), ordered as by `numpy.fft.rfft2` of the first two axes.
    """
    waves: np.ndarray = np.fft.rfft2(_faded(picture), axes=(0, 1))
    alone = [0, picture.shape[1] // 2] if picture.shape[1] % 2 == 0 else [0]  # f and -f are one
    pairs = np.full((waves.shape[1], 1), np.sqrt(2))
    pairs[alone] = 1
    return waves * pairs


def _faded(picture: np.ndarray) -> np.ndarray:
    """Return a picture without its mean under the window, (H, W, C), of which the transform's
    powers add up to the variance."""
    check_picture(picture)
    height, width = picture.shape[:2]
    if min(height, width) < 3:
        raise LiifError(f"a spectrum needs at least 3 × 3 pixels, got {width} × {height}")
    values = np.atleast_3d(picture) / (255 if picture.dtype == np.uint8 else 1)
    window = np.multiply.outer(_hann(height), _hann(width))[:, :, None]
    mean = (window * values).sum(axis=(0, 1)) / window.sum()
    return (values - mean) * (window / np.sqrt(height * width * (window**2).sum()))


def _hann(length: int) -> np.ndarray:
    return np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2


def _checked_step(scale: float) -> float:
    """Return how far a picture's pixels lie apart, in input pixels."""
    if not scale > 0:
        raise LiifError(f"a picture has more than 0 pixels per input pixel, not {scale:g}")
    return 1 / scale
