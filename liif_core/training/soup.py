"""Model soups: the mean of weights that were fine-tuned separately from the same start.

Wortsman et al. 2022 (arXiv 2203.05482). Each fine-tuning ends a little to another side of the
same valley, as its samples led it; their mean lies nearer to the valley's floor than any of them,
and is no slower to use.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from liif_core.models import Model
from liif_core.weights import load_model


def mean_of(paths: Sequence[Path]) -> Model:
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


def greedy_soup(paths: Sequence[Path], score: Callable[[Model], float]) -> list[Path]:
    """Return those of several weight files whose mean scores well: the paper's recipe 1.

    The best one begins; each other, from the best on, joins if the mean does not score worse
    with it.

    Args:
        paths: weight files of one configuration.
        score: says how good a model is; more is better.

    Raises:
        LiifError: a file cannot be read.
    """
    alone = {path: score(mean_of([path])) for path in paths}
    first, *others = sorted(paths, key=lambda path: alone[path], reverse=True)
    kept, best = [first], alone[first]
    for path in others:
        with_it = score(mean_of([*kept, path]))
        if with_it >= best:
            kept, best = [*kept, path], with_it
    return kept
