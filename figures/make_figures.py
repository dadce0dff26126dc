"""Rebuild every picture in this folder: `make figures`."""

import csv
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from liif_core.baselines import resize
from liif_core.figures import training_curves
from liif_core.render import ContinuousPhoto
from liif_core.samples import sample_photo
from liif_core.weights import load_model, weights_folder

HERE = Path(__file__).parent

#: The hat and its badge in the portrait shrunk to 128 pixels: left, top, right, bottom.
BADGE = (38, 6, 70, 34)


def hero(scale: int = 12) -> Image.Image:
    """Nearest, bicubic and LIIF of one detail, side by side, and the photo it comes from."""
    photo = sample_photo("portrait", longest=128)
    left, top, right, bottom = BADGE
    height, width = (bottom - top) * scale, (right - left) * scale
    pictures = [resize(photo, height, width, name, box=BADGE) for name in ("nearest", "bicubic")]
    source = ContinuousPhoto(load_model(device="cpu"), photo.astype(np.float32) / 255)
    liif = source.render(height, width, BADGE).clip(0, 1)
    pictures.append((liif * 255).round().astype(np.uint8))
    gap = np.full((height, 8, 3), 255, np.uint8)
    row = [part for picture in pictures for part in (gap, picture)][1:]
    return Image.fromarray(np.concatenate(row, axis=1))


def curves(log: Path) -> Figure:
    """Loss and validation PSNR above bicubic of the run that made a shipped weight."""
    with log.open(newline="", encoding="utf-8") as file:
        return training_curves(
            [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
        )


def main() -> None:
    """Write the pictures."""
    hero().save(HERE / "hero.jpg", quality=90, subsampling=0, optimize=True)
    for log in sorted((weights_folder() / "logs").glob("*.csv")):
        curves(log).savefig(HERE / f"training_{log.stem}.png", dpi=80)


if __name__ == "__main__":
    main()
