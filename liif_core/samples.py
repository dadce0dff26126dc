"""Photographs that come with other packages, so that no lesson downloads anything.

All are free to use, most in the public domain; NOTICE names their sources. The shipped weights
never saw them in training.
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
    "cameraman": Sample("skimage", "data/camera.png", "Camera; Lav Varshney, CC0"),
    "grass": Sample("skimage", "data/grass.png", "Grass 01; linolafett, CC0"),
    "gravel": Sample("skimage", "data/gravel.png", "Gravel04; CC0Textures, CC0"),
    "palace": Sample("sklearn", "datasets/images/china.jpg", "China; danielbuechele, CC-BY 2.0"),
    "flower": Sample("sklearn", "datasets/images/flower.jpg", "Flower; vultilion, CC-BY 2.0"),
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
        raise LiifError(
            f"sample '{name}' needs {sample.package}: pip install '.[lab,companions]'"
        ) from error
    with path.open("rb") as file, Image.open(file) as image:
        photo = ImageOps.exif_transpose(image).convert("RGB")
    if longest and max(photo.size) > longest:
        photo = ImageOps.contain(photo, (longest, longest), Image.Resampling.BICUBIC)
    return np.asarray(photo)
