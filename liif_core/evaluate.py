"""How good is a zoom? Shrink photographs, zoom them back, compare with the originals.

The protocol is that of the model card: sides cropped to multiples of the scale, inputs by PIL
bicubic, results rounded to 8 bits, PSNR in RGB with a border of `scale` pixels shaved.
"""

import collections
import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np

from liif_core import workers
from liif_core.baselines import resize
from liif_core.errors import LiifError
from liif_core.files.opening import naming
from liif_core.files.publish import publishing
from liif_core.metrics import psnr, ssim
from liif_core.models import Model, kind_of
from liif_core.photos import photo_paths, read_header, read_rgb
from liif_core.pixels import to_uint8
from liif_core.render import render

T = TypeVar("T")

#: Changes an 8-bit input, (H, W, 3), by choices that the generator makes.
Degrade: TypeAlias = Callable[[np.ndarray, np.random.Generator], np.ndarray]

BASELINES = ("bicubic", "lanczos")
METHODS = len(BASELINES) + 1


@dataclass(frozen=True)
class Score:
    """What one method reached on one photograph at one scale.

    Attributes:
        photo: its name.
        scale: the magnification.
        method: "bicubic", "lanczos", or the model's kind: "liif" or "heat".
        psnr: dB, RGB.
        ssim: structural similarity, RGB; NaN where the picture is too small for its window.
    """

    photo: str
    scale: int
    method: str
    psnr: float
    ssim: float


def make_pair(photo: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (reference, input) for a photograph.

    Args:
        photo: (H, W, 3) uint8.
        scale: whole magnification, 2 or more.

    Returns:
        the photograph cropped to multiples of the scale, and its PIL-bicubic downscale, uint8.

    Raises:
        LiifError: a side is shorter than 3 times the scale: no pixel would be left to compare.
    """
    _check_size(photo.shape[0], photo.shape[1], scale)
    height, width = (side // scale * scale for side in photo.shape[:2])
    reference = photo[:height, :width]
    return reference, resize(reference, height // scale, width // scale, "bicubic")


def _check_size(height: int, width: int, scale: int) -> None:
    if min(height, width) < 3 * scale:
        raise LiifError(
            f"a photo of {width}×{height} pixels is too small for ×{scale}; "
            f"its sides must be at least {3 * scale}"
        )


def check_scales(scales: Sequence[int]) -> None:
    """Refuse a scale below 2.

    Raises:
        LiifError: so it is.
    """
    if any(scale < 2 for scale in scales):
        raise LiifError("scales must be whole numbers from 2 on, for example 2 3 4")


def zoom_back(model: Model, small: np.ndarray, height: int, width: int) -> np.ndarray:
    """Render `small` (uint8) at height × width, rounded to uint8."""
    rgb = render(model, small.astype(np.float32) / 255, height, width)
    return to_uint8(rgb)


@dataclass(frozen=True, eq=False)
class Trial:
    """One photograph at one scale, as evaluation and validation give it to a method.

    Attributes:
        number: which photograph of the set it is.
        scale: the magnification.
        reference: (H, W, 3) uint8, what a perfect zoom would be.
        small: (H/scale, W/scale, 3) uint8, what is zoomed.
    """

    number: int
    scale: int
    reference: np.ndarray
    small: np.ndarray

    @classmethod
    def of(cls, number: int, photo: np.ndarray, scale: int, degrade: Degrade | None) -> "Trial":
        """Prepare photograph `number` of a set; `degrade` as for `evaluate`."""
        reference, small = make_pair(photo, scale)
        if degrade is not None:
            small = degrade(small, np.random.default_rng([number, scale]))
        return cls(number, scale, reference, small)

    def resized(self, method: str) -> np.ndarray:
        """Return what a baseline makes of the input, uint8."""
        height, width = self.reference.shape[:2]
        return resize(self.small, height, width, method)

    def zoomed(self, model: Model) -> np.ndarray:
        """Return what a model makes of the input, uint8."""
        height, width = self.reference.shape[:2]
        return zoom_back(model, self.small, height, width)

    def psnr(self, result: np.ndarray) -> float:
        """Return how near a result comes to the reference, in dB."""
        return psnr(result, self.reference, border=self.scale)

    def ssim(self, result: np.ndarray) -> float:
        """Return the structural similarity to the reference; NaN if smaller than its window."""
        try:
            return ssim(result, self.reference, border=self.scale)
        except LiifError:
            return float("nan")


def each_trial(
    function: Callable[[Trial], T],
    trials: Sequence[Trial],
    model: Model | None = None,
    tell: Callable[[T], None] | None = None,
) -> list[T]:
    """Return what a function makes of each trial: on a CPU several at once, each on one thread.

    Args:
        function: of one trial.
        trials: what it is called with.
        model: what it asks; an accelerator is asked one thing at a time.
        tell: called with each result as it comes.
    """
    if model is None or next(model.parameters()).device.type == "cpu":
        return workers.run(function, trials, tell)
    results = []
    for trial in trials:
        results.append(function(trial))
        if tell:
            tell(results[-1])
    return results


def evaluate(
    model: Model,
    photos: Sequence[tuple[str, np.ndarray]],
    scales: Sequence[int],
    *,
    degrade: Degrade | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Score]:
    """Score a model and the baselines, a few photographs at a time.

    Args:
        model: the model.
        photos: (name, (H, W, 3) uint8) pairs; see `read_folder`.
        scales: magnifications, whole numbers from 2.
        degrade: what the 8-bit inputs go through after downscaling, as real scans do: a function
            of the input and of a generator for its choices.
        progress: called with (photographs × scales done, in all).

    Raises:
        LiifError: a scale below 2; a photograph that is too small for one, or cannot be read.
    """
    check_scales(scales)
    done = itertools.count(1)

    def tell(_: list[Score]) -> None:
        if progress:
            progress(next(done), len(photos) * len(scales))

    scores: list[Score] = []
    numbered = enumerate(photos)
    while few := list(itertools.islice(numbered, _few(len(scales)))):
        names = {number: name for number, (name, _) in few}
        trials = [Trial.of(n, photo, s, degrade) for n, (_, photo) in few for s in scales]
        score = partial(_scores, model, names)
        for found in each_trial(score, trials, model, tell):
            scores += found
    return scores


def _few(scales: int) -> int:
    """How many photographs are in memory at once: all workers have two trials, or more."""
    return max(2, math.ceil(2 * workers.count() / max(scales, 1)))


def _scores(model: Model, names: dict[int, str], trial: Trial) -> list[Score]:
    results = {method: trial.resized(method) for method in BASELINES}
    results[kind_of(model.config)] = trial.zoomed(model)
    return [
        Score(names[trial.number], trial.scale, method, trial.psnr(result), trial.ssim(result))
        for method, result in results.items()
    ]


def means(scores: Iterable[Score]) -> dict[int, dict[str, tuple[float, float]]]:
    """Return scale -> method -> (mean PSNR, mean SSIM) over the photographs."""
    table: dict[int, dict[str, list[Score]]] = {}
    for score in scores:
        table.setdefault(score.scale, {}).setdefault(score.method, []).append(score)
    return {
        scale: {
            method: (
                float(np.mean([score.psnr for score in group])),
                float(np.mean([score.ssim for score in group])),
            )
            for method, group in row.items()
        }
        for scale, row in table.items()
    }


def read_folder(folder: Path, scales: Sequence[int] = ()) -> "PhotoFolder":
    """Return the name and pixels, (H, W, 3) uint8, of every photograph directly in a folder.

    They are read as they are asked for.

    Args:
        folder: the photographs.
        scales: what they are to be evaluated at.

    Raises:
        LiifError: no such folder, no picture in it, one that is none, or one that is too small
            for a scale. (Means over some of the photographs could not be compared with means over
            all.)
    """
    check_scales(scales)
    return PhotoFolder(photo_paths(folder), scales)


class PhotoFolder(Sequence[tuple[str, np.ndarray]]):
    """Photographs, decoded one after the other, the next ones while the caller computes.

    Args:
        paths: their files.
        scales: what each must be large enough for.

    Raises:
        LiifError: one is not a picture, or too small.
    """

    #: How many are decoded ahead.
    AHEAD = 2

    def __init__(self, paths: Sequence[Path], scales: Sequence[int] = ()) -> None:
        self.paths = paths
        for path in paths:
            header = read_header(path)
            with naming(str(path)):
                for scale in scales:
                    _check_size(header.height, header.width, scale)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.paths)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        """Return (name, pixels) of one, decoded now."""
        return _read(self.paths[index])

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield (name, pixels) of each.

        Raises:
            LiifError: one is broken.
        """
        with ThreadPoolExecutor(1) as reader:
            ahead = collections.deque[Future[tuple[str, np.ndarray]]]()
            for path in self.paths:
                ahead.append(reader.submit(_read, path))
                if len(ahead) > self.AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()


def _read(path: Path) -> tuple[str, np.ndarray]:
    return path.name, read_rgb(path)


def format_table(scores: Sequence[Score], name: str) -> str:
    """Return mean PSNR (dB) and SSIM by method and scale, as text."""
    table = means(scores)
    photos = len({score.photo for score in scores})
    lines = [f"{photos} photographs; mean PSNR in dB (RGB) / SSIM"]
    lines.append(f"{'':<24}" + "".join(f"{f'×{scale}':>16}" for scale in table))
    for method in next(iter(table.values()), {}):
        cells = (table[scale][method] for scale in table)
        text = "".join(f"{f'{value:.3f} / {similar:.4f}':>16}" for value, similar in cells)
        lines.append(f"{method if method in BASELINES else name:<24}{text}")
    return "\n".join(lines)


def write_json(scores: Sequence[Score], name: str, path: Path) -> None:
    """Write every score, and the means, as JSON."""
    found = {
        "weights": name,
        "means": {
            f"x{scale}": {method: {"psnr": p, "ssim": s} for method, (p, s) in row.items()}
            for scale, row in means(scores).items()
        },
        "scores": [asdict(score) for score in scores],
    }
    with publishing(path) as part:
        Path(part).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
