"""In which order is an old photo best enlarged? `python benchmarks/old_photos.py [DIR]`.

Photographs are worn as an old print is that somebody scans: printed softly, faded, with the grain
of its film; then scanned finer than it is, with the paper's texture, dust and scratches, the
scanner's noise, and saved as JPEG. Each scan is enlarged ×2 in several ways, and compared with the
photograph (faded alike: a zoom keeps the colours it is given). The seeds are fixed: two runs agree.

    python benchmarks/old_photos.py DIR           # a folder of sharp photographs
    python benchmarks/old_photos.py               # five photographs that come with other packages
    python benchmarks/old_photos.py DIR --path    # the dial --denoise, on clean and on worn photos
    python benchmarks/old_photos.py --quick       # does it work? Its numbers mean nothing
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from liif_core.baselines import downscale, resize
from liif_core.cli.common import a_count
from liif_core.errors import LiifError
from liif_core.liif import LIIF
from liif_core.metrics import psnr, ssim
from liif_core.photos import photo_from, photo_paths, read_rgb
from liif_core.pixels import to_uint8
from liif_core.render import render
from liif_core.samples import sample_photo
from liif_core.training.degrade import film_grain, jpeg, noise_and_jpeg, sensor_noise
from liif_core.weights import load_model
from liif_core.zooming.mixture import ENDS
from liif_core.zooming.old import SHARE, as_old

#: How many times finer than the print its scans are, and how much they are enlarged.
FINER, SCALE = (1.0, 1.5, 2.0, 3.0), 2

#: Rows and columns at the border that are not compared.
BORDER = 12

#: Longest side of a photograph, of which the middle is taken; and of the scan's middle, which is
#: compared.
SIDE, MIDDLE = 576, 84

SAMPLES = ("astronaut", "cat", "coffee", "flower", "palace")

#: Places of the dial.
SHARES = (0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)


@dataclass(frozen=True)
class Scan:
    """An old photo.

    Attributes:
        finer: how many times finer than the print it is.
        pixels: (h, w, 3) uint8.
        truth: (SCALE · h, SCALE · w, 3) uint8, what it would show if nothing had happened but
            fading.
    """

    finer: float
    pixels: np.ndarray
    truth: np.ndarray

    def middle(self, side: int) -> "Scan":
        """Return the middle of it: an estimate needs a whole photo, a comparison does not."""
        height, width = self.pixels.shape[:2]
        top, left = max(0, height - side) // 2, max(0, width - side) // 2
        part = (slice(top, top + side), slice(left, left + side))
        whole = tuple(slice(SCALE * one.start, SCALE * one.stop) for one in part)
        return Scan(self.finer, self.pixels[part], self.truth[whole])


def chosen(
    folder: Path | None, quick: bool, every: int
) -> list[tuple[int, Callable[[], np.ndarray]]]:
    """Return (number, what reads it) of the photographs."""
    if folder:
        found = [partial(read_rgb, path) for path in photo_paths(folder)]
    else:
        found = [partial(sample_photo, name) for name in SAMPLES]
    return list(enumerate(found))[:: len(found) if quick else every]


def photographs(
    folder: Path | None, quick: bool, every: int = 1
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (number, the middle of a photograph): sides divisible by 12, so that all sizes fit."""
    for number, read in chosen(folder, quick, every):
        photo = read()
        longest = 144 if quick else SIDE
        height, width = (min(side, longest) // 12 * 12 for side in photo.shape[:2])
        top, left = (photo.shape[0] - height) // 2, (photo.shape[1] - width) // 2
        yield number, photo[top : top + height, left : left + width]


def worn(photo: np.ndarray, finer: float, seed: int) -> Scan:
    """Print, age and scan a photograph.

    Args:
        photo: (H, W, 3) uint8, sides divisible by 2 · finer.
        finer: how many times finer than the print the scan is.
        seed: of all that happens by chance.
    """
    rng = np.random.default_rng(seed)
    truth = faded(photo, rng)
    printed = gaussian_filter(downscale(truth, SCALE * finer), (*[rng.uniform(0.3, 0.7)] * 2, 0))
    printed = film_grain(printed, rng.uniform(2, 9), rng.uniform(0.4, 0.8), rng)
    height, width = (side // SCALE for side in photo.shape[:2])
    scan = resize(printed, height, width, "bicubic")
    scan = scratched(paper(scan, rng), rng)
    scan = sensor_noise(scan, rng.uniform(1, 5), rng)
    scan = jpeg(scan, int(rng.integers(70, 96)), np.zeros(2, int))
    return Scan(finer, scan, truth)


def faded(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Take contrast from a photo, lift its blacks and give it a cast, as years of light do."""
    contrast = rng.uniform(0.6, 0.95)
    floor = rng.uniform(0, 255 * (1 - contrast)) + rng.uniform(-10, 10, size=3)
    return to_uint8((photo * contrast + floor) / 255)


def paper(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Let the paper's texture show: light and shade of fibres, the same in all channels."""
    fibres = gaussian_filter(rng.normal(size=scan.shape[:2]), rng.uniform(0.6, 1.2))
    fibres *= rng.uniform(0.5, 3) / fibres.std()
    return to_uint8((scan + fibres[..., None]) / 255)


def scratched(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a few bright scratches, a pixel wide, and specks of dust."""
    height, width = scan.shape[:2]
    marks = np.zeros((height, width))
    for _ in range(rng.integers(1, 4)):
        ends = rng.uniform(0, 1, (2, 2)) * (height - 1, width - 1)
        steps = np.linspace(0, 1, 2 * (height + width))[:, None]
        rows, cols = np.rint(ends[0] + steps * (ends[1] - ends[0])).astype(int).T
        marks[rows, cols] = 1
    specks = rng.integers(0, (height, width), size=(height * width // 20_000, 2))
    marks[tuple(specks.T)] = 1
    marks = gaussian_filter(marks, 0.5)[..., None]
    return to_uint8(scan / 255 + marks * rng.uniform(0.1, 0.4))


# --- ways -----------------------------------------------------------------------------------------


class Score(NamedTuple):
    """How near a result is to the photograph: PSNR in dB, SSIM."""

    psnr: float
    ssim: float


def score(result: np.ndarray, truth: np.ndarray) -> Score:
    """Compare a result, floats or uint8, with the photograph."""
    pixels = to_uint8(result) if result.dtype != np.uint8 else result
    return Score(psnr(pixels, truth, border=BORDER), ssim(pixels, truth, border=BORDER))


def zoomed(model: LIIF, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Zoom floats in [0, 1] to a size."""
    return render(model, picture.astype(np.float32), *size).clip(0, 1)


def ways(models: Sequence[LIIF], scan: Scan) -> dict[str, np.ndarray]:
    """Enlarge the middle of a scan in each of the ways.

    Args:
        models: of clean photos, and of worn ones.
        scan: all of it.
    """
    clean, photo = models
    old = as_old(photo_from(scan.pixels))
    middle = scan.middle(MIDDLE)
    picture, size = middle.pixels.astype(np.float32) / 255, middle.truth.shape[:2]

    def small(height: float, width: float) -> np.ndarray:
        parts = height / scan.pixels.shape[0], width / scan.pixels.shape[1]
        sides = (round(side * part) for side, part in zip(picture.shape[:2], parts, strict=True))
        return resize(picture, *sides, "bicubic").clip(0, 1)

    height, width = scan.pixels.shape[:2]
    cautious, real = small(*old.read_at), small(height / old.finer, width / old.finer)
    known = small(height / scan.finer, width / scan.finer)
    plain = zoomed(clean, picture, size)
    of_small = {model: zoomed(model, cautious, size) for model in (clean, photo)}
    return {
        "bicubic": resize(picture, *size, "bicubic").clip(0, 1),
        "plain `liif-edsr`": plain,
        "plain `liif-edsr-photo`": zoomed(photo, picture, size),
        "denoise (`liif-edsr-photo` ×1), then zoom (`liif-edsr`)": zoomed(
            clean, zoomed(photo, picture, picture.shape[:2]), size
        ),
        "zoom (`liif-edsr`), then denoise (`liif-edsr-photo` ×1)": zoomed(photo, plain, size),
        "shrink as `--old` does, then `liif-edsr`": of_small[clean],
        "the same, then `liif-edsr-photo`": of_small[photo],
        "**`--old`**": (1 - SHARE) * of_small[clean] + SHARE * of_small[photo],
        "shrink by all of the estimate, then `liif-edsr-photo`": zoomed(photo, real, size),
        "shrink to what is known of the print, then `liif-edsr-photo`": zoomed(photo, known, size),
    }


def orders(folder: Path | None, quick: bool, every: int = 1) -> str:
    """Return a table of all ways, and what was estimated."""
    models = [load_model(name, "cpu") for name in ENDS]
    scores: dict[str, dict[float, list[Score]]] = {}
    finer: dict[float, list[float]] = {}
    for number, photo in photographs(folder, quick, every):
        for place, fine in enumerate(FINER[2:3] if quick else FINER):
            scan = worn(photo, fine, 100 * number + place)
            finer.setdefault(fine, []).append(as_old(photo_from(scan.pixels)).finer)
            truth = scan.middle(MIDDLE).truth
            for name, result in ways(models, scan).items():
                scores.setdefault(name, {}).setdefault(fine, []).append(score(result, truth))
    return table(scores, finer)


def table(scores: dict[str, dict[float, list[Score]]], finer: dict[float, list[float]]) -> str:
    """Return the means as Markdown.

    Args:
        scores: of each way, of scans so many times finer than their prints.
        finer: what was estimated of these.
    """
    titles = [f"{fine:g}× finer" for fine in finer]
    lines = [f"| PSNR / SSIM | {' | '.join(titles)} | all |", "|-|" + "-|" * (len(titles) + 1)]
    for name, row in scores.items():
        cells = [*row.values(), [one for cell in row.values() for one in cell]]
        lines.append(f"| {name} | {' | '.join(map(_mean, cells))} |")
    estimates = (
        f"{median(found):.2f} ({min(found):.2f} … {max(found):.2f})" for found in finer.values()
    )
    lines.append(f"| *estimate: median (range)* | {' | '.join(estimates)} | |")
    return "\n".join(lines)


def _mean(scores: list[Score]) -> str:
    return f"{mean(one.psnr for one in scores):.2f} / {mean(one.ssim for one in scores):.3f}"


# --- the dial -------------------------------------------------------------------------------------


def dial(folder: Path | None, quick: bool, every: int = 1) -> str:
    """Return a table of `--denoise`, mixing answers, beside mixing weights; ×3."""
    models = [load_model(name, "cpu") for name in ENDS]
    between = deepcopy(models[0])
    columns: dict[str, dict[float, list[float]]] = {}
    for number, (_, read) in enumerate(chosen(folder, quick, every)):
        rng = np.random.default_rng(number)
        photo = read()[:96, :96] if quick else read()[:288, :288]
        clean = downscale(photo, 3)
        inputs = {
            "clean": clean,
            "noise of σ 3": sensor_noise(clean, 3, rng),
            "σ 8, JPEG 60": noise_and_jpeg(clean, rng),
        }
        shares = SHARES[::4] if quick else SHARES
        for name, picture in inputs.items():
            values, size = picture / np.float32(255), photo.shape[:2]
            first, second = (zoomed(model, values, size) for model in models)
            for share in shares:
                mixed = (1 - share) * first + share * second
                column = columns.setdefault(name, {})
                column.setdefault(share, []).append(psnr(to_uint8(mixed), photo, border=3))
                between.load_state_dict(_weights_between(models, share))
                of_weights = zoomed(between, values, size)
                column = columns.setdefault(f"{name}; weights mixed", {})
                column.setdefault(share, []).append(psnr(to_uint8(of_weights), photo, border=3))
    lines = [f"| share | {' | '.join(columns)} |", "|-|" + "-|" * len(columns)]
    for share in SHARES[::4] if quick else SHARES:
        cells = (f"{mean(column[share]):.2f}" for column in columns.values())
        lines.append(f"| {share:g} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _note(
    columns: dict[str, dict[float, list[float]]], name: str, share: float, psnr: float
) -> None:
    columns.setdefault(name, {}).setdefault(share, []).append(psnr)


def _weights_between(models: Sequence[LIIF], share: float) -> dict[str, torch.Tensor]:
    first, second = (model.state_dict() for model in models)
    return {key: (1 - share) * first[key] + share * second[key] for key in first}


def main() -> None:
    """Measure what the command line asks for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR")
    parser.add_argument("--path", action="store_true", help="the dial --denoise")
    parser.add_argument(
        "--every", type=a_count, default=1, metavar="N", help="every Nth photo alone"
    )
    parser.add_argument("--quick", action="store_true", help="one photo: does it work?")
    options = parser.parse_args()
    try:
        print((dial if options.path else orders)(options.folder, options.quick, options.every))
    except LiifError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
