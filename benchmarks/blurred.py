"""How well are photos zoomed that are only soft? PSNR by the width of the blur; no times.

    python benchmarks/blurred.py DIR --weights liif-edsr liif-edsr-photo   # sharp photographs
    python benchmarks/blurred.py --quick                                   # does it work?

The middles of photographs are shrunk, blurred by a Gaussian and zoomed back; else as in training's
validation: RGB, 8 bits, a border of the scale shaved.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from liif_core.photos import photo_paths, read_rgb
from liif_core.pixels import to_uint8
from liif_core.samples import sample_photo
from liif_core.training.validation import SCALES, Validator
from liif_core.weights import load_model

#: Standard deviations of the blurs, in pixels of the small photo.
WIDTHS = (0.6, 1.0, 1.3)


def middles(folder: Path | None, side: int) -> list[np.ndarray]:
    """Return the middles of photographs, (side, side, 3) uint8 each, or all of a smaller one."""
    found = [read_rgb(path) for path in photo_paths(folder)] if folder else []
    pieces = []
    for photo in found or [sample_photo("portrait")]:
        top, left = (max(0, (length - side) // 2) for length in photo.shape[:2])
        pieces.append(np.ascontiguousarray(photo[top : top + side, left : left + side]))
    return pieces


def validator(photos: list[np.ndarray], width: float) -> Validator:
    """Return what scores models on photos of which the small ones are blurred so."""

    def blur(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return to_uint8(gaussian_filter(picture / np.float32(255), (width, width, 0)))

    return Validator(photos, blur)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="photographs")
    parser.add_argument("--weights", nargs="+", default=["liif-edsr-photo"], help="names or paths")
    parser.add_argument("--quick", action="store_true", help="a small piece: does it work?")
    options = parser.parse_args()
    photos = middles(options.folder, 48 if options.quick else 288)
    print(f"| weights | σ | {' | '.join(f'×{scale}' for scale in SCALES)} |")
    print("|-|-|" + "-|" * len(SCALES))
    for width in WIDTHS:
        scored = validator(photos, width)
        for name in options.weights:
            psnr = scored.scores(load_model(name, "cpu")).psnr
            values = " | ".join(f"{value:.3f}" for value in psnr.values())
            print(f"| {Path(name).stem} | {width} | {values} |")


if __name__ == "__main__":
    main()
