"""How fine is a photo really? Where its spectrum ends above its noise.

A scan has as many pixels as the scanner was asked for, not as many as the print can fill. What is
finer than the print's own blur is paper, grain and noise: pixels that cost time and tell nothing.
The finest wave that is really there shows in the spectrum: where the detail of the photo sinks to
less than half of what photographs have there, or into the noise that the flattest parts show, too.
"""

from dataclasses import dataclass

import numpy as np

from liif_core.baselines import check_picture, resize
from liif_core.grid import Pixels, pixels_of

#: Side of the windows whose spectra are taken, and the finest wave of a picture: cycles per pixel.
SIDE, NYQUIST = 64, 0.5

#: Shares of the windows: those with the least of the finest waves stand for noise, those with
#: the most of all waves for detail.
FLATTEST, BUSIEST = 0.1, 0.25

#: Windows whose mean is this near to black or white (0 or 1) have only half of their noise.
BLACK = 0.1

#: Rings of the spectrum, in cycles per window, that tell how a photo's power falls.
KNOWN = range(3, 9)

#: How photographs' power falls: as frequency to the minus this (Field 1987: 2; beyond the middle
#: of a lens's range more).
FALL = (2.0, 3.0)

#: A wave is there where its power is this share of what the fall foretells (an amplitude of 40 %;
#: lenses are judged at 50 %, and at 10 %), and this share of the noise.
FORETOLD, ABOVE_NOISE = 0.16, 1.0

#: Where the finest waves' power falls less steeply than frequency to the minus this, they are
#: noise, even where the flattest parts have less of it: in the black of a photo, noise is cut off.
FLAT, FINEST_RINGS = 1.0, slice(20, None)

#: A picture whose finest wave is below this (cycles per pixel) is looked at again, half as large:
#: of its windows, too few rings are left.
COARSE = 0.2

#: How often, at most, and how many windows and pixels are looked at each time.
HALVINGS, MOST_WINDOWS, MOST_PIXELS = 4, 400, 1 << 24


@dataclass(frozen=True, eq=False)
class RealResolution:
    """How fine a photo is.

    Attributes:
        finest: frequency of the finest wave that is there, in cycles per pixel, above 0 and at
            most 0.5; 0.5: the pixels are filled.
        frequencies: (33,), rising, in cycles per pixel: where detail was measured.
        detail: (33,), power of the busiest parts of the photo without the noise, values in [0, 1].
        noise: (33,), power of what counts as noise.
        foretold: (33,), what detail a sharp photo had; infinite at frequency 0.
    """

    finest: float
    frequencies: np.ndarray
    detail: np.ndarray
    noise: np.ndarray
    foretold: np.ndarray

    @property
    def shrink(self) -> float:
        """How many times smaller each side may be, and still hold the finest wave: at least 1."""
        return NYQUIST / self.finest


def real_resolution(photo: np.ndarray | Pixels) -> RealResolution:
    """Estimate how fine a photo really is.

    A sharp photo gives a `shrink` of 1 (at most 1.25), one that was enlarged s times about s. Of 8
    photographs enlarged 1.5, 2 and 3 times by bicubic interpolation, without and with noise of
    σ 12 of 255 or JPEG of quality 80, each median is within 14 % of s, and all lie between 0.65
    and 1.5 of it. Grain that was enlarged with the photo counts as detail.

    Args:
        photo: (H, W, 3) or (H, W), uint8 or floats in [0, 1]; or anything that reads like
            `Pixels`. One that is smaller than 64 × 64 pixels tells nothing: its `finest` is 0.5.

    Raises:
        LiifError: the array is not a picture.
    """
    pixels = _as_pixels(photo)
    found = _at(pixels, 1)
    for halving in range(1, HALVINGS + 1):
        factor = 2**halving
        if found.finest >= COARSE * 2 / factor or min(pixels.height, pixels.width) < SIDE * factor:
            break
        found = _at(pixels, factor)
    return found


def _as_pixels(photo: np.ndarray | Pixels) -> Pixels:
    if not isinstance(photo, np.ndarray):
        return photo
    check_picture(photo)
    values = photo.astype(np.float32) / 255 if photo.dtype == np.uint8 else photo
    return pixels_of(values if photo.ndim == 3 else np.repeat(values[..., None], 3, axis=2))


def _at(pixels: Pixels, factor: int) -> RealResolution:
    """Look at a photo shrunk by a whole factor."""
    frequencies = np.arange(SIDE // 2 + 1) / SIDE
    windows = _windows(pixels, factor)
    if not windows:
        nothing = np.zeros(len(frequencies))
        return RealResolution(NYQUIST, frequencies, nothing, nothing, nothing)
    powers = np.array([_ring_powers(window) for window in windows])
    busy = powers[:, KNOWN.start :].sum(axis=1)
    busiest = np.argsort(busy)[-max(1, int(len(powers) * BUSIEST)) :]
    # Their median: a scratch or a speck of dust has waves of all kinds.
    everything = np.median(powers[busiest], axis=0)
    noise = _noise(frequencies, everything, powers[_flattest(windows, powers)].mean(axis=0))
    detail = np.maximum(everything - noise, 1e-12)
    foretold = _foretold(frequencies, detail)
    finest = _end(frequencies, detail / np.maximum(FORETOLD * foretold, ABOVE_NOISE * noise))
    return RealResolution(finest / factor, frequencies / factor, detail, noise, foretold)


def _windows(pixels: Pixels, factor: int) -> list[np.ndarray]:
    """Return windows of a photo, evenly spread and shrunk: (64, 64) grey in [0, 1] each."""
    side = SIDE * factor
    most = min(MOST_WINDOWS, max(16, MOST_PIXELS // side**2))
    high, wide = (max(0, 2 * length // side - 1) for length in (pixels.height, pixels.width))
    if high * wide > most:
        fewer = np.sqrt(most / (high * wide))
        high, wide = max(1, int(high * fewer)), max(1, int(wide * fewer))
        high = max(1, min(high, most // wide))  # of a long strip, one row or column is left
        wide = min(wide, most // high)
    tops = np.linspace(0, pixels.height - side, high).astype(int)
    lefts = np.linspace(0, pixels.width - side, wide).astype(int)
    found = []
    for top in tops:
        for left in lefts:
            rgb = pixels.rgb(slice(top, top + side), slice(left, left + side))
            grey = rgb.mean(axis=2, dtype=np.float32)
            found.append(grey if factor == 1 else resize(grey, SIDE, SIDE, "bicubic"))
    return found


def _ring_powers(window: np.ndarray) -> np.ndarray:
    """Return a window's mean power at 0, 1, … 32 cycles along it, under a Hann window."""
    waves = np.fft.rfft2((window - window.mean()) * _HANN)
    power = np.abs(waves) ** 2
    counted = np.bincount(_RING.ravel(), minlength=SIDE)
    return (np.bincount(_RING.ravel(), power.ravel(), SIDE) / counted.clip(1))[: SIDE // 2 + 1]


def _flattest(windows: list[np.ndarray], powers: np.ndarray) -> np.ndarray:
    """Return which windows show noise alone, and all of it: black and white cut it off."""
    fine = powers[:, SIDE // 4 :].sum(axis=1)
    means = np.array([window.mean() for window in windows])
    cut_off = (means < BLACK) | (means > 1 - BLACK)
    number = max(1, int(len(windows) * FLATTEST))
    return np.lexsort((fine, cut_off))[:number]


def _noise(frequencies: np.ndarray, busiest: np.ndarray, flattest: np.ndarray) -> np.ndarray:
    """Return the power of noise: of white noise at least, and of what JPEG makes of it."""
    # Fine texture all over a photo is no noise: of what the flattest parts show, a faint copy of
    # the busiest is detail.
    known = slice(KNOWN.start, KNOWN.stop)
    copy = float((flattest[known] / busiest[known].clip(1e-12)).mean())
    noise = np.maximum(flattest - copy * busiest, flattest[FINEST_RINGS].min())
    if -_slope(frequencies[FINEST_RINGS], busiest[FINEST_RINGS]) < FLAT:
        noise = np.maximum(noise, busiest[FINEST_RINGS].min())
    return noise


def _slope(frequencies: np.ndarray, power: np.ndarray) -> float:
    return float(np.polyfit(np.log(frequencies), np.log(power.clip(1e-12)), 1)[0])


def _foretold(frequencies: np.ndarray, detail: np.ndarray) -> np.ndarray:
    """Go on with the power as it falls where every photo has some."""
    known = slice(KNOWN.start, KNOWN.stop)
    fall = np.clip(-_slope(frequencies[known], detail[known]), *FALL)
    height = np.exp(np.log(detail[known] * frequencies[known] ** fall).mean())
    with np.errstate(divide="ignore"):
        return height * frequencies**-fall


def _end(frequencies: np.ndarray, strength: np.ndarray) -> float:
    """Return the frequency where a strength, from the known rings on, first sinks below 1."""
    level = np.log(strength[KNOWN.stop - 1 :])
    weak = np.flatnonzero(level <= 0)
    if not len(weak):
        return NYQUIST
    first = int(weak[0])
    last_strong = float(frequencies[KNOWN.stop - 1 + max(0, first - 1)])
    if first == 0:
        return last_strong
    share = level[first - 1] / (level[first - 1] - level[first])
    return last_strong + float(share) / SIDE


def _hann() -> np.ndarray:
    fade = np.sin(np.pi * (np.arange(SIDE) + 0.5) / SIDE) ** 2
    window = np.multiply.outer(fade, fade)
    return window / np.sqrt((window**2).sum())


_HANN = _hann()
_RING = np.rint(
    np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij")) * SIDE
).astype(int)
