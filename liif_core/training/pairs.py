"""Training pairs cut from photographs (paper, section 4: "Training").

Sample i of a run depends on (seed, i) alone: a resumed run and several processes draw the very
samples that one uninterrupted process would.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from liif_core.coords import cell_size, pixel_centres
from liif_core.processes import Place
from liif_core.training.degrade import Degradation
from liif_core.training.drawn import drawn
from liif_core.training.photographs import Tell, read_photographs, to_stderr
from liif_core.training.recipe import Recipe

#: How many times as large a photo is before it is shrunk, to be crisper: least and most.
CRISPER = (1.3, 3.0)

NO_SEED = torch.zeros(0, dtype=torch.int64)


class Batch(NamedTuple):
    """What one training step sees.

    Attributes:
        photo: (B, 3, patch, patch) inputs in [0, 1].
        coord: (B, Q, 2) where the target pixels' centres lie, in [-1, 1].
        cell: (B, Q, 2) the target pixels' size in the same frame.
        colour: (B, Q, 3) the target pixels in [0, 1].
        seed: (B,) int64, the number of each sample: the seed of noise, for models that read it;
            empty where it does not matter.
    """

    photo: Tensor
    coord: Tensor
    cell: Tensor
    colour: Tensor
    seed: Tensor = NO_SEED

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on another device."""
        return Batch(*(part.to(device, non_blocking=True) for part in self))


class PairSampler:
    """Cuts training samples from photographs, each decoded once.

    Args:
        paths: the photographs. One that is broken, or smaller than the largest crop, is left out.
        recipe: patch size, queries, scales and seed.
        degrade: what each pair goes through, or None.
        place: which process this is, of several that share the decoding; None for the only one.
        tell: is given a line for each photograph left out.

    Raises:
        LiifError: no photograph is left.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        recipe: Recipe,
        degrade: Degradation | None = None,
        *,
        place: Place | None = None,
        tell: Tell = to_stderr,
    ) -> None:
        self.recipe = recipe
        self.degrade = degrade
        largest = round(recipe.patch * recipe.max_scale)
        self.photos = read_photographs(paths, least=largest, place=place, tell=tell)

    def sample(self, number: int) -> Batch:
        """Return sample `number` of the run, as a batch of one without the batch axis."""
        recipe = self.recipe
        rng = np.random.default_rng([recipe.seed, number])
        share = rng.random() if recipe.drawn or recipe.crisper else 1.0
        photo = self.photos[rng.integers(len(self.photos))]
        side = round(recipe.patch * _scale(recipe, rng))
        if share < recipe.drawn:
            target = drawn(side, rng)
        else:
            target = _cut(photo, side, rng, crisper=share < recipe.drawn + recipe.crisper)
        if self.degrade is not None:
            target = self.degrade.both(target, rng)
        small = np.asarray(
            Image.fromarray(target).resize((recipe.patch, recipe.patch), Image.Resampling.BICUBIC)
        )
        if self.degrade is not None:
            small = self.degrade.input_only(small, rng)
        chosen = torch.from_numpy(_chosen(side, recipe, rng))
        centres = pixel_centres(side)
        coord = torch.stack([centres[chosen // side], centres[chosen % side]], dim=-1)
        colours = torch.from_numpy(target.reshape(-1, 3)[chosen.numpy()])
        return Batch(
            torch.tensor(small).permute(2, 0, 1).float() / 255,
            coord,
            cell_size(side, side).expand(len(chosen), 2),
            colours.float() / 255,
            torch.tensor(number),
        )

    def batch(self, numbers: range, each: Callable[..., Iterable[Batch]] = map) -> Batch:
        """Return the samples `numbers` stacked; `each` may be the map of a pool of threads."""
        samples = zip(*each(self.sample, numbers), strict=True)
        return Batch(*(torch.stack(parts) for parts in samples))


class Share(Dataset[Batch]):
    """What one process sees of each batch: share[step] is its part of the batch of that step.

    Args:
        sampler: cuts the samples.
        rank, world: which process this is, of how many.
    """

    def __init__(self, sampler: PairSampler, rank: int = 0, world: int = 1) -> None:
        self.sampler, self.rank = sampler, rank
        self.whole = sampler.recipe.batch
        self.size = self.whole // world

    def __getitem__(self, step: int) -> Batch:
        """Return the part, cut in this thread."""
        return self.cut(step)

    def cut(self, step: int, each: Callable[..., Iterable[Batch]] = map) -> Batch:
        """Return the part; `each` as for `PairSampler.batch`."""
        start = step * self.whole + self.rank * self.size
        return self.sampler.batch(range(start, start + self.size), each)


def batches(
    sampler: PairSampler, first_step: int, *, rank: int = 0, world: int = 1, workers: int = 0
) -> Iterator[Batch]:
    """Yield what process `rank` of `world` sees of each batch from `first_step` on, without end.

    The next batches are cut in the background while the caller computes. Threads serve a CPU:
    Pillow and numpy let go of the interpreter's lock. An accelerator asks for more than they can
    cut, and `workers`, processes of their own, cut the same. They are started anew rather than
    forked, which is not safe once CUDA or threads of PyTorch have begun.
    """
    share = Share(sampler, rank, world)
    return _by_workers(share, first_step, workers) if workers else _by_threads(share, first_step)


def _by_threads(share: Share, first_step: int) -> Iterator[Batch]:
    with ThreadPoolExecutor(4) as cutters, ThreadPoolExecutor(1) as ahead:
        pending = ahead.submit(share.cut, first_step, cutters.map)
        for step in itertools.count(first_step + 1):
            ready = pending.result()
            pending = ahead.submit(share.cut, step, cutters.map)
            yield ready


def _by_workers(share: Share, first_step: int, workers: int) -> Iterator[Batch]:
    steps: Any = itertools.count(first_step)  # without an end, as no Sampler may be
    loader: DataLoader[Batch] = DataLoader(
        share,
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        prefetch_factor=4,
        pin_memory=torch.cuda.is_available(),
        multiprocessing_context="spawn",
    )
    yield from loader


def _scale(recipe: Recipe, rng: np.random.Generator) -> float:
    """Return a patch's scale."""
    least, most = recipe.min_scale, recipe.max_scale
    if recipe.far and rng.random() < recipe.far:
        least = recipe.teacher_to
    elif recipe.far:
        most = recipe.teacher_to
    return rng.uniform(least, most)


def _cut(
    photo: np.ndarray, side: int, rng: np.random.Generator, *, crisper: bool = False
) -> np.ndarray:
    """Return a part of a photo, (side, side, 3) uint8, at random; or of one that was shrunk."""
    whole = min(int(side * rng.uniform(*CRISPER)), *photo.shape[:2]) if crisper else side
    top = rng.integers(photo.shape[0] - whole + 1)
    left = rng.integers(photo.shape[1] - whole + 1)
    part = _flip(photo[top : top + whole, left : left + whole], rng)
    if whole == side:
        return part
    return np.asarray(Image.fromarray(part).resize((side, side), Image.Resampling.BICUBIC))


def _chosen(side: int, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Return which pixels of a crop are asked for: some at random, or those of a window."""
    if not recipe.window:
        return rng.choice(side * side, recipe.queries, replace=recipe.queries > side * side)
    top, left = rng.integers(side - recipe.window + 1, size=2)
    within = np.arange(recipe.window)
    return ((top + within)[:, None] * side + left + within).flatten()


def _flip(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirror and transpose at random: the 8 symmetries of the square."""
    down, across, swap = rng.integers(2, size=3)
    if down:
        picture = picture[::-1]
    if across:
        picture = picture[:, ::-1]
    if swap:
        picture = picture.transpose(1, 0, 2)
    return np.ascontiguousarray(picture)
