"""Photographs that come with matplotlib and scikit-image, so that no lesson downloads anything.

All are in the public domain or CC0; NOTICE names their sources. The shipped weights never saw
them in training.
"""

from importlib import resources
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from liif_core.errors import LiifError


class Sample(NamedTuple):
    """Where a sample photograph lies, who made it, and its licence."""

    package: str
    file: str
    credit: str


SAMPLES = {
    "portrait": Sample(
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        "Grace Hopper; US Navy, public domain",
    ),
    "astronaut": Sample("skimage", "data/astronaut.png", "Eileen Collins; NASA, public domain"),
    "cat": Sample("skimage", "data/chelsea.png", "Chelsea; Stefan van der Walt, CC0"),
    "coffee": Sample("skimage", "data/coffee.png", "Espresso; Rachel Michetti, CC0"),
    "rocket": Sample("skimage", "data/rocket.jpg", "DSCOVR launch; SpaceX, public domain"),
    "text": Sample("skimage", "data/text.png", "Handwriting; Wikipedia, public domain"),
    "galaxies": Sample(
        "skimage", "data/hubble_deep_field.jpg", "Hubble eXtreme Deep Field; NASA, public domain"
    ),
    "bricks": Sample("skimage", "data/brick.png", "Bricks25; CC0Textures, CC0"),
}


def sample_photo(name: str, longest: int | None = None) -> np.ndarray:
    """Return a sample photograph.

    Args:
        name: one of `SAMPLES`.
        longest: shrink it (PIL bicubic) until its longer side has this many pixels; never
            enlarges.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        LiifError: no such sample, or the package that carries it is not installed.
    """
    if name not in SAMPLES:
        raise LiifError(f"no sample photo '{name}'; there are: {', '.join(SAMPLES)}")
    sample = SAMPLES[name]
    try:
        path = resources.files(sample.package) / sample.file
    except ModuleNotFoundError as error:
        raise LiifError(f"sample '{name}' needs {sample.package}: pip install '.[lab]'") from error
    with path.open("rb") as file, Image.open(file) as image:
        photo = ImageOps.exif_transpose(image).convert("RGB")
    if longest and max(photo.size) > longest:
        photo = ImageOps.contain(photo, (longest, longest), Image.Resampling.BICUBIC)
    return np.asarray(photo)
