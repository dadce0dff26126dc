"""Inputs as real scans give them: faded, blurred, grainy, noisy, saved as JPEG.

The network learns to take back blur, grain, noise and JPEG blocks, since the target has none. It
does not learn to take back fading, which is done to input and target alike: how bright a colour
once was cannot be seen in its surroundings, and a zoom must agree with the photo it was given.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

#: Takes 8-bit RGB (H, W, 3) and a generator for its choices; returns the same shape.
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Degradation:
    """What is done to a training pair.

    Attributes:
        both: changes the target before it is shrunk to the input.
        input_only: changes the input.
    """

    both: Change
    input_only: Change


def fade(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fade one in three: less contrast, lifted blacks, a yellow, red or blue cast."""
    if rng.random() > 1 / 3:
        return picture
    contrast = rng.uniform(0.5, 1.0)
    floor = rng.uniform(0, 255 * (1 - contrast)) + rng.uniform(-12, 12, size=3)
    return to_uint8(picture * np.float32(contrast) + floor.astype(np.float32))


def wear(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur, grain, noise and JPEG, each in a share of the inputs; about one in 26 stays clean."""
    if rng.random() < 0.5:
        radius = rng.uniform(0, 1.0)
        blurred = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius))
        picture = np.asarray(blurred)
    if rng.random() < 0.35:
        picture = film_grain(picture, rng.uniform(2, 14), rng.uniform(0.4, 0.9), rng)
    if rng.random() < 0.6:
        picture = sensor_noise(picture, rng.uniform(1, 14), rng)
    if rng.random() < 0.7:
        picture = jpeg(picture, int(rng.integers(40, 96)), rng.integers(8, size=2))
    return picture


def sensor_noise(picture: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Add independent Gaussian noise of standard deviation `sigma` (of 255) to every value."""
    return to_uint8(picture + rng.normal(0, sigma, picture.shape).astype(np.float32))


def film_grain(
    picture: np.ndarray, sigma: float, size: float, rng: np.random.Generator
) -> np.ndarray:
    """Add the grain of film: the same in all channels, in clumps, strongest in the mid-tones.

    Args:
        picture: (H, W, 3) uint8.
        sigma: standard deviation in mid-grey, of 255.
        size: standard deviation of a clump's Gaussian shape, in pixels.
        rng: source of the grain.
    """
    from scipy.ndimage import gaussian_filter  # 11 MB of each kernel that imports training

    grain = gaussian_filter(rng.normal(size=picture.shape[:2]), size, mode="wrap")
    grain *= sigma / max(grain.std(), 1e-6)
    light = picture.mean(axis=2) / 255
    strength = 4 * light * (1 - light)
    return to_uint8(picture + (grain * strength)[..., None].astype(np.float32))


def jpeg(picture: np.ndarray, quality: int, offset: np.ndarray) -> np.ndarray:
    """Compress and decompress as JPEG.

    Args:
        picture: (H, W, 3) uint8.
        quality: 1 … 100.
        offset: (2,) 0 … 7: where the 8×8 blocks begin, so that patches see every alignment.
    """
    down, across = (int(value) for value in offset)
    padded = np.pad(picture, ((down, 0), (across, 0), (0, 0)), mode="symmetric")
    buffer = io.BytesIO()
    Image.fromarray(padded).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))[down:, across:]


def noise_and_jpeg(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise of σ = 8/255, then JPEG of quality 60: the model card's test of a poor input."""
    return jpeg(sensor_noise(picture, 8.0, rng), 60, np.zeros(2, int))


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Round values of 0 … 255 to bytes; what lies beyond is clipped."""
    return np.rint(values.clip(0, 255)).astype(np.uint8)
