"""The colours of a JPEG, decoded straight into the array that they are wanted in.

Pillow decodes into pixels of 4 bytes, packs them, and copies: a training run, which wants nothing
of a folder of photographs but 3 bytes a pixel, would spend half its time and two thirds of its
fresh memory on that. The library below, libjpeg-turbo, and so the pixels, are the same.
"""

from typing import Any

import numpy as np
from PIL import Image

from liif_core.files.upright import turn_of, upright_samples

_END = b"\xff\xd9"


def plain_jpeg(image: Image.Image) -> np.ndarray | None:
    """Decode an opened file if it is a JPEG of RGB, whole and without anything behind its end.

    Args:
        image: the file, not decoded yet; afterwards Pillow can still decode it.

    Returns:
        (H, W, 3) uint8, upright; or None if it is anything else, which Pillow is to read, and to
        say what is wrong with it.
    """
    file: Any = getattr(image, "fp", None)
    if image.format != "JPEG" or image.mode != "RGB" or file is None:
        return None
    from imagecodecs import Jpeg8Error, jpeg8_decode

    file.seek(0)
    data = file.read()
    if not data.endswith(_END):  # what is cut off would be filled with grey, without a word
        return None
    samples = np.empty((image.height, image.width, 3), np.uint8)
    try:
        jpeg8_decode(data, out=samples)
    except (Jpeg8Error, ValueError):
        return None
    return np.ascontiguousarray(upright_samples(samples, turn_of(image)))
