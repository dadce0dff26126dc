"""Does a zoom look real? Measures beside PSNR, which prefers a soft picture to a crisp guess.

All of them compare zooms with the photographs that they should have been, cut into square patches.
Perception and distortion are two axes (Blau, Michaeli 2018, arXiv 1711.06077): to be near the
truth on average, and to look like a photograph, are not the same aim.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter

from liif_core.baselines import resize
from liif_core.companions.encoder import Encoder
from liif_core.metrics import psnr

#: Side of a patch: a multiple of the scales that are measured, ×2, ×3, ×4, ×6, ×8 and ×12.
PATCH = 96

#: Neighbouring frequencies, in steps of one cycle a patch: beyond a Hann window's main lobe.
NEAR, FAR = 3, 6

#: Gradients this steep, as a share of all, are edges.
EDGES = 0.01

#: A region has texture where a photograph's details have this standard deviation, of 255.
TEXTURE = 8.0


class Estimate(NamedTuple):
    """A value and its standard error."""

    value: float
    error: float


def patches(photo: np.ndarray, side: int = PATCH) -> np.ndarray:
    """Cut a picture into squares, from top left on: (H, W, 3) -> (N, side, side, 3)."""
    rows, cols = photo.shape[0] // side, photo.shape[1] // side
    cut = photo[: rows * side, : cols * side].reshape(rows, side, cols, side, 3)
    return cut.transpose(0, 2, 1, 3, 4).reshape(-1, side, side, 3)


def embeddings(encoder: Encoder, photos: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return what the encoder's last layer says of each photo's patches: (N, 1280) each.

    That layer is the pooled one that its classifier reads. No loss here uses it.
    """
    return [encoder.embed(patches(photo)) for photo in photos]


def kid(found: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> Estimate:
    """Return the kernel distance between the looks of zooms and of photographs.

    The squared maximum mean discrepancy under the kernel (x·y + 1)³, unbiased: KID (Bińkowski et
    al. 2018, arXiv 1801.01401), with features of length 1. Patches of one photograph are alike, so
    the photographs are what is sampled: pairs within one are left out, also of a zoom with its own
    truth (equal sets are 0 apart, exactly), and the error is the jackknife's over photographs.

    Args:
        found, truth: (N, D) for each photograph, two or more, in the same order.
    """
    kernels = [_kernel(found, found), _kernel(truth, truth), _kernel(found, truth)]
    number = len(found)
    everyone = np.arange(number)
    value = _discrepancy(kernels, everyone)
    if number < 3:
        return Estimate(value, float("nan"))
    without = [_discrepancy(kernels, np.delete(everyone, n)) for n in everyone]
    spread = np.sum((np.array(without) - np.mean(without)) ** 2)
    return Estimate(value, float(np.sqrt((number - 1) / number * spread)))


def _kernel(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> np.ndarray:
    """Return the kernel's mean over the patches of each pair of photographs."""
    return np.array([[((x @ y.T + 1.0) ** 3).mean() for y in b] for x in a])


def _discrepancy(kernels: Sequence[np.ndarray], which: np.ndarray) -> float:
    apart = ~np.eye(len(which), dtype=bool)
    within, true, across = (kernel[np.ix_(which, which)][apart].mean() for kernel in kernels)
    return float(within + true - 2 * across)


def grid_lock(photos: Sequence[np.ndarray], scale: int) -> Estimate:
    """Return how much of a zoom's pattern repeats with the latent codes, which it must not.

    The power of the patches, less their local mean, at the codes' frequency and its harmonics,
    over the mean power of the frequencies around each: 1 for photographs, which know of no codes.
    It is averaged over the patches of a photo first, then over frequencies and photos.

    Args:
        photos: zooms by `scale`, (H, W, 3) uint8, whose codes begin at the top left corner.
        scale: output pixels per code; a divisor of `PATCH`.
    """
    window = np.hanning(PATCH + 1)[:-1]
    each = []
    for photo in photos:
        grey = patches(photo).astype(float).mean(axis=3)
        detail = (grey - uniform_filter(grey, (0, scale, scale))) * window[:, None] * window
        power = np.abs(np.fft.fft2(detail)) ** 2 + 1e-9
        each.append(np.mean([_ratio(power, *place) for place in _harmonics(scale)]))
    return Estimate(float(np.mean(each)), float(np.std(each, ddof=1) / len(each) ** 0.5))


def _harmonics(scale: int) -> list[tuple[int, int]]:
    """Return the bins of the codes' frequency, along, down and across, and of its multiples."""
    first, count = PATCH // scale, scale // 2
    steps = range(-count + (scale % 2 == 0), count + 1)
    return [(first * y, first * x) for y in range(count + 1) for x in steps if y > 0 or x > 0]


def _ratio(power: np.ndarray, row: int, col: int) -> float:
    steps = np.arange(-FAR, FAR + 1)
    around = power[:, (row + steps)[:, None] % PATCH, (col + steps) % PATCH]
    ring = np.maximum(np.abs(steps)[:, None], np.abs(steps)) >= NEAR
    return float(np.mean(around[:, FAR, FAR]) / around[:, ring].mean())


def steepness(found: np.ndarray, truth: np.ndarray) -> float:
    """Return how steep the edges of a zoom are, beside those of its truth: 1 if they are alike.

    The mean of the steepest `EDGES` of all gradients, over the same of the truth, wherever they
    are.
    """
    steep = [np.hypot(*np.gradient(photo.astype(float).mean(axis=2))) for photo in (found, truth)]
    means = [s[s >= np.quantile(s, 1 - EDGES)].mean() for s in steep]
    return float(means[0] / means[1])


def consistency(found: np.ndarray, small: np.ndarray) -> float:
    """Return how well a zoom, shrunk again, is the photo that it was made from: PSNR in dB."""
    height, width = small.shape[:2]
    return psnr(resize(found, height, width, "bicubic"), small)


def textured(truth: np.ndarray) -> np.ndarray:
    """Return where a photograph has texture: (H, W) bool."""
    grey = truth.astype(float).mean(axis=2)
    detail = grey - gaussian_filter(grey, 2.0)
    return np.sqrt(gaussian_filter(detail**2, 4.0)) >= TEXTURE


def difference(one: np.ndarray, other: np.ndarray, where: np.ndarray) -> float:
    """Return how far two zooms of one photo are apart in a region: the mean difference, of 255."""
    if not where.any():
        return float("nan")
    return float(np.abs(one.astype(float) - other.astype(float))[where].mean())
