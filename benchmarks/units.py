"""How much of an encoder works? A unit whose ReLU opens nowhere is dead: it adds nothing.

    python benchmarks/units.py DIR --weights liif-edsr liif-edsr-small   # photographs in DIR
    python benchmarks/units.py --quick                                   # does it work?

Photographs are shrunk to half, as inputs of a zoom are, and their middles are encoded. No times.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from liif_core.baselines import resize
from liif_core.models import Model
from liif_core.photos import photo_paths, read_rgb
from liif_core.samples import sample_photo
from liif_core.training.revive import open_shares
from liif_core.weights import load_model


def middles(folder: Path | None, side: int) -> list[Tensor]:
    """Return the middles of photographs at half size, (1, 3, H, W) in [-1, 1]."""
    photos = [read_rgb(path) for path in photo_paths(folder)] if folder else []
    found = []
    for photo in photos or [sample_photo("portrait")]:
        small = resize(photo, photo.shape[0] // 2, photo.shape[1] // 2, "bicubic")
        top, left = (max(0, (size - side) // 2) for size in small.shape[:2])
        piece = np.ascontiguousarray(small[top : top + side, left : left + side])
        found.append(torch.from_numpy(piece).permute(2, 0, 1)[None].float() / 127.5 - 1)
    return found


def shares(model: Model, photos: list[Tensor]) -> Tensor:
    """Return (photographs, blocks, channels): at which share of its pixels each ReLU is open."""
    return torch.stack([open_shares(model.encoder, photo) for photo in photos])


def line(name: str, found: Tensor) -> str:
    """Return a model's row: its dead units in all and block by block, and how open the others are.

    Args:
        name: of the weights.
        found: what `shares` returns.
    """
    dead = (found == 0).all(dim=0)
    live = found.mean(dim=0)[~dead]
    each = " ".join(str(int(block.sum())) for block in dead)
    share = f"{float(live.mean()):.1%}" if len(live) else "none"
    return f"| {name} | {int(dead.sum())} of {dead.numel()} | {each} | {share} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="photographs")
    parser.add_argument("--weights", nargs="+", default=["liif-edsr"], help="names or paths")
    parser.add_argument("--side", type=int, default=256, help="of the middles, in pixels")
    parser.add_argument("--quick", action="store_true", help="a small piece: does it work?")
    options = parser.parse_args()
    photos = middles(options.folder, 48 if options.quick else options.side)
    print(f"{len(photos)} photographs\n")
    print("| weights | dead units | of each block | where the others are open |\n|-|-|-|-|")
    for name in options.weights:
        print(line(Path(name).stem, shares(load_model(name, "cpu"), photos)))


if __name__ == "__main__":
    main()
