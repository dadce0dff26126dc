"""How well does a model answer for pixels that are not square, or larger than the photo's?

A photograph is shrunk to a third, and asked for again with pixels that are up to three times as
fine along one axis as along the other, and at magnifications from ×1/2 to ×1. Two references are
supersampled, both shrunk to the very pixels that were asked for, by the filter that training and
evaluation shrink photographs with:

- the photograph itself, three times as fine as what the model saw;
- the model's own answer at three times the photo's density: a model whose cells are exact says
  the same whether it is asked for large pixels, or for fine ones that are averaged afterwards.

    python benchmarks/cells.py DIR --weights liif-edsr heat-edsr      # photographs in DIR: PSNR, dB
    python benchmarks/cells.py --quick                                # does it work?
"""

import argparse
import statistics
from pathlib import Path
from typing import NamedTuple

import numpy as np

from liif_core.baselines import resize
from liif_core.metrics import psnr
from liif_core.models import Model
from liif_core.photos import photo_paths, read_rgb
from liif_core.pixels import to_uint8
from liif_core.render import ContinuousPhoto
from liif_core.samples import sample_photo
from liif_core.weights import load_model

#: How much finer than what the models see the photographs are.
FINER = 3

#: Magnification along y and along x.
CELLS = ((3, 1), (1, 3), (3, 1.5), (2, 1), (1, 1), (0.8, 0.8), (2 / 3, 2 / 3), (0.5, 0.5), (1, 0.5))

#: Output pixels at the border that do not count.
BORDER = 4


class Found(NamedTuple):
    """PSNR in dB of one answer to the photograph, and to the model's own supersampled answer."""

    photograph: float
    itself: float


def crops(folder: Path | None, every: int, side: int) -> list[np.ndarray]:
    """Return the middles of photographs, (side, side, 3) uint8 or smaller, whole multiples of 6."""
    photos = [read_rgb(path) for path in photo_paths(folder)[::every]] if folder else []
    found = []
    for photo in photos or [sample_photo("portrait")]:
        height, width = (min(side, size) // 6 * 6 for size in photo.shape[:2])
        top, left = (
            (size - part) // 2 for size, part in zip(photo.shape, (height, width), strict=False)
        )
        found.append(np.ascontiguousarray(photo[top : top + height, left : left + width]))
    return found


def measured(model: Model, photo: np.ndarray) -> list[Found]:
    """Ask a model for every cell of `CELLS`."""
    height, width = (side // FINER for side in photo.shape[:2])
    small = resize(photo, height, width, "bicubic")
    view = ContinuousPhoto(model, small.astype(np.float32) / 255)
    own = to_uint8(view.render(*photo.shape[:2]))
    found = []
    for down, across in CELLS:
        size = round(height * down), round(width * across)
        answer = to_uint8(view.render(*size))
        references = (resize(fine, *size, "bicubic") for fine in (photo, own))
        found.append(Found(*(psnr(answer, other, border=BORDER) for other in references)))
    return found


def table(weights: list[str], rows: list[list[list[Found]]]) -> str:
    """Return Markdown: means over photographs, to the photograph / to the model itself.

    Args:
        rows: of each weights, for each photograph, what `measured` returns.
    """
    lines = [f"| y, x | {' | '.join(weights)} |", "|-|" + "-|" * len(weights)]
    for number, (down, across) in enumerate(CELLS):
        cells = []
        for photos in rows:
            means = (
                statistics.mean(values) for values in zip(*(f[number] for f in photos), strict=True)
            )
            cells.append(" / ".join(f"{mean:.2f}" for mean in means))
        lines.append(f"| ×{down:.3g}, ×{across:.3g} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="photographs")
    parser.add_argument("--weights", nargs="+", default=["liif-edsr"], help="names or paths")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth photo alone")
    parser.add_argument("--side", type=int, default=480, help="of the photographs' middles")
    parser.add_argument("--quick", action="store_true", help="a small piece: does it work?")
    options = parser.parse_args()
    photos = crops(options.folder, options.every, 72 if options.quick else options.side)
    rows = []
    for name in options.weights:
        model = load_model(name, "cpu")
        rows.append([measured(model, photo) for photo in photos])
    print(f"{len(photos)} photographs; PSNR in dB to the photograph / to the model itself\n")
    print(table([Path(name).stem for name in options.weights], rows))


if __name__ == "__main__":
    main()
