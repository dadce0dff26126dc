"""Validation while training: the evaluation protocol at a few scales, on the averaged weights."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from liif_core.evaluate import Trial, each_trial
from liif_core.models import Model
from liif_core.processes import Place
from liif_core.training.degrade import Change

SCALES = (2, 3, 4)

#: The shortest side, in pixels, of a photograph that can be validated on.
LEAST = 3 * max(SCALES)


class Scores(NamedTuple):
    """Mean PSNR by scale, in dB, and how far that is above bicubic interpolation."""

    psnr: dict[int, float]
    gain: dict[int, float]

    @property
    def mean_gain(self) -> float:
        """The mean gain over the scales, in dB."""
        return sum(self.gain.values()) / len(self.gain)

    def by_scale(self) -> dict[str, float]:
        """Return the PSNR as a weight file notes it."""
        return {f"x{scale}": round(value, 3) for scale, value in self.psnr.items()}


class Validator:
    """Scores a model on a fixed set of photographs, always with the same inputs.

    Several processes share the photographs out; each must call what the others call, and all
    are given the same scores.

    Args:
        photos: (H, W, 3) uint8 each.
        degrade: what the inputs go through after downscaling, or None.
        place: which process this is; None for the only one.
    """

    def __init__(
        self,
        photos: Sequence[np.ndarray],
        degrade: Change | None = None,
        place: Place | None = None,
    ) -> None:
        self.place = place
        rank, world = (place.rank, place.world) if place else (0, 1)
        trials = [(n, photo, scale) for n, photo in enumerate(photos) for scale in SCALES]
        self.trials = [Trial.of(*trial, degrade=degrade) for trial in trials[rank::world]]
        self.bicubic = self._means(lambda trial: trial.psnr(trial.resized("bicubic")))

    def scores(self, model: Model) -> Scores:
        """Return the mean PSNR of `model` at each scale, RGB, 8 bits, border = scale."""
        found = self._means(lambda trial: trial.psnr(trial.zoomed(model)), model)
        return Scores(found, {scale: found[scale] - self.bicubic[scale] for scale in found})

    def _means(
        self, score: Callable[[Trial], float], model: Model | None = None
    ) -> dict[int, float]:
        values = each_trial(score, self.trials, model)
        mine = [
            (trial.scale, trial.number, value)
            for trial, value in zip(self.trials, values, strict=True)
        ]
        parts = self.place.gather(mine) if self.place else [mine]
        every = sorted(part for parts_of_one in parts for part in parts_of_one)
        return {
            s: float(np.mean([value for scale, _, value in every if scale == s])) for s in SCALES
        }
