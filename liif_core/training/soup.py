"""Model soups: the mean of weights that were fine-tuned separately from the same start.

Wortsman et al. 2022 (arXiv 2203.05482). Each fine-tuning ends a little to another side of the
same valley, as its samples led it; their mean lies nearer to the valley's floor than any of them,
and is no slower to use.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from liif_core.liif import LIIF
from liif_core.weights import load_model


def mean_of(paths: Sequence[Path]) -> LIIF:
    """Return a model with the even mean of several weight files of one configuration, on the CPU.

    Raises:
        LiifError: a file cannot be read.
    """
    model, *others = (load_model(path, device="cpu") for path in paths)
    states = [model.state_dict(), *(other.state_dict() for other in others)]
    model.load_state_dict(
        {key: torch.stack([state[key] for state in states]).mean(dim=0) for key in states[0]}
    )
    return model
