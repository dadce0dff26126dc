"""Build fashion_mnist.png, the part of Fashion-MNIST that lesson 09 remembers.

    python -m liif_core.companions.make_fashion_mnist FOLDER

FOLDER holds the four .gz files of the data set, as github.com/zalandoresearch/fashion-mnist or
Debian's package dataset-fashion-mnist (/usr/share/datasets/fashion-mnist) has them. The sheet has
one row per class: its first 250 pictures of the training set, then its first 200 of the test set.
"""

import gzip
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from liif_core.companions.fashion import CLASSES, MEMORIES, QUERIES, SHEET, SIDE


def read(folder: Path, name: str) -> np.ndarray:
    """Return the pictures, (N, 28, 28), or the labels, (N,), of an IDX file, as uint8."""
    pictures = "images" in name
    with gzip.open(folder / name) as file:
        data = np.frombuffer(file.read(), np.uint8, offset=16 if pictures else 8)
    return data.reshape(-1, SIDE, SIDE) if pictures else data


def build(folder: Path) -> Image.Image:
    """Return the sheet, from the folder of the data set."""
    parts = []
    for part, count in (("train", MEMORIES), ("t10k", QUERIES)):
        pictures = read(folder, f"{part}-images-idx3-ubyte.gz")
        labels = read(folder, f"{part}-labels-idx1-ubyte.gz")
        parts.append([pictures[labels == label][:count] for label in range(len(CLASSES))])
    rows = [np.concatenate(both) for both in zip(*parts, strict=True)]
    return Image.fromarray(np.stack(rows).transpose(0, 2, 1, 3).reshape(len(CLASSES) * SIDE, -1))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python -m {__spec__.name} FOLDER")
    build(Path(sys.argv[1])).save(SHEET, optimize=True)
    print(f"{SHEET.name}: {SHEET.stat().st_size:,} bytes")
