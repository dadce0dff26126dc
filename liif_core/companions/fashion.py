"""A part of Fashion-MNIST (arXiv 1708.07747, MIT): 4,500 small grey pictures of clothes."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from liif_core.baselines import resize

CLASSES = (
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
SIDE = 28
#: Pictures of each class: from the training set, to be remembered; from the test set, to be asked.
MEMORIES, QUERIES = 250, 200

SHEET = Path(__file__).with_name("fashion_mnist.png")


class Fashion(NamedTuple):
    """Pictures, (N, 28, 28) uint8, white on black, and their labels, (N,), 0 … 9."""

    pictures: np.ndarray
    labels: np.ndarray


def load_fashion() -> tuple[Fashion, Fashion]:
    """Return what is to be remembered (2,500 pictures) and what is to be asked (2,000).

    In both the classes take turns, so that the first n pictures hold about n / 10 of each.
    """
    with Image.open(SHEET) as image:
        sheet = np.asarray(image)
    tiles = sheet.reshape(len(CLASSES), SIDE, -1, SIDE).transpose(2, 0, 1, 3)  # (450, 10, 28, 28)
    parts = tiles[:MEMORIES], tiles[MEMORIES:]
    labels = np.arange(len(CLASSES))
    memories, queries = (
        Fashion(part.reshape(-1, SIDE, SIDE), np.tile(labels, len(part))) for part in parts
    )
    return memories, queries


def for_encoder(pictures: np.ndarray, side: int = 96) -> np.ndarray:
    """Return grey pictures, (N, 28, 28), as the encoder takes them: (N, side, side, 3) uint8."""
    large = [resize(picture, side, side, "bicubic") for picture in pictures]
    return np.repeat(np.stack(large)[..., None], 3, axis=3)
