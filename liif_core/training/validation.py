"""Validation while training: the evaluation protocol at a few scales, on the averaged weights."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from liif_core.baselines import resize
from liif_core.evaluate import make_pair, zoom_back
from liif_core.liif import LIIF
from liif_core.metrics import psnr
from liif_core.photos import read_rgb
from liif_core.training.degrade import Change

SCALES = (2, 3, 4)


class Scores(NamedTuple):
    """Mean PSNR by scale, in dB, and how far that is above bicubic interpolation."""

    psnr: dict[int, float]
    gain: dict[int, float]

    @property
    def mean_gain(self) -> float:
        """The mean gain over the scales, in dB."""
        return sum(self.gain.values()) / len(self.gain)


class Validator:
    """Scores a model on a fixed set of photographs, always with the same inputs.

    Args:
        paths: the photographs.
        degrade: what the inputs go through after downscaling, or None.
    """

    def __init__(self, paths: list[Path], degrade: Change | None = None) -> None:
        self.pairs: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {s: [] for s in SCALES}
        for number, path in enumerate(paths):
            photo = read_rgb(path)
            for scale in SCALES:
                reference, small = make_pair(photo, scale)
                if degrade is not None:
                    small = degrade(small, np.random.default_rng([number, scale]))
                self.pairs[scale].append((reference, small))
        self.bicubic = {
            scale: _mean(
                psnr(resize(small, *_size(reference), "bicubic"), reference, border=scale)
                for reference, small in pairs
            )
            for scale, pairs in self.pairs.items()
        }

    def scores(self, model: LIIF) -> Scores:
        """Return the mean PSNR of `model` at each scale, RGB, 8 bits, border = scale."""
        found = {
            scale: _mean(
                psnr(zoom_back(model, small, *_size(reference)), reference, border=scale)
                for reference, small in pairs
            )
            for scale, pairs in self.pairs.items()
        }
        return Scores(found, {scale: found[scale] - self.bicubic[scale] for scale in found})


def _size(picture: np.ndarray) -> tuple[int, int]:
    return picture.shape[0], picture.shape[1]


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
