"""Do zooms look real? `python benchmarks/perception.py DIR --weights liif-edsr liif-edsr-crisp`.

Photographs are shrunk and zoomed back, whole or their middles. A zoom is measured by how near it is
to the truth (PSNR, RGB, a border of the scale shaved), and by how real it looks:

* KID, ×1000, with its standard error: the kernel distance between zooms' and photographs' patches
  of 96 × 96 pixels, as the last layer of EfficientNet-Lite0 sees them, which no loss here uses;
* grid lock: how much repeats with the latent codes; photographs have 1;
* edges: how steep they are beside the truth's;
* consistency: PSNR of the zoom, shrunk again, against the photo that was zoomed;
* seeds: how far two seeds' zooms are apart where there is texture, of 255.

    python benchmarks/perception.py DIR --weights A B      # DIR: sharp photographs; names or files
    python benchmarks/perception.py DIR --weights A --scales 4 8 12 --middle 288
    python benchmarks/perception.py DIR --weights A B --plane plane.png    # means of 1 … 16 seeds
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import numpy as np

from liif_core.baselines import resize
from liif_core.cli.common import a_count
from liif_core.companions.encoder import Encoder, load_encoder
from liif_core.companions.perception import (
    PATCH,
    Estimate,
    consistency,
    difference,
    embeddings,
    grid_lock,
    kid,
    steepness,
    textured,
)
from liif_core.errors import LiifError
from liif_core.evaluate import make_pair
from liif_core.metrics import psnr
from liif_core.models import Model, seed_of
from liif_core.photos import photo_paths, read_rgb
from liif_core.pixels import to_uint8
from liif_core.render import ContinuousPhoto
from liif_core.weights import load_model

#: So many seeds' zooms are averaged for the plane.
MEANS = (1, 2, 4, 8, 16)


class Pair(NamedTuple):
    """A photograph, and what it is zoomed back from: (H, W, 3) and (h, w, 3), uint8."""

    truth: np.ndarray
    small: np.ndarray


class Row(NamedTuple):
    """What one method reached at one scale: see the module; None where it does not apply."""

    name: str
    scale: int
    kid: Estimate
    psnr: float
    lock: Estimate
    edges: float
    consistency: float
    seeds: float | None = None


def read(folder: Path, middle: int | None, every: int) -> list[np.ndarray]:
    """Return the photographs, or their middles, none smaller than two patches."""
    found = []
    for path in photo_paths(folder)[::every]:
        photo = read_rgb(path)
        if middle:
            top, left = (max(0, (side - middle) // 2) for side in photo.shape[:2])
            photo = photo[top : top + middle, left : left + middle]
        if min(photo.shape[:2]) < 2 * PATCH:
            raise LiifError(f"{path}: smaller than {2 * PATCH} pixels; leave it out")
        found.append(photo)
    if len(found) < 3:
        raise LiifError(f"{folder}: three photographs are needed, or no error can be told")
    return found


def zooms(model: Model | None, pair: Pair, seeds: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield a photograph zoomed back, not clamped, for each seed; None: bicubic interpolation.

    It is encoded once.
    """
    size = pair.truth.shape[:2]
    if model is None:
        yield from (resize(pair.small, *size, "bicubic") / np.float32(255) for _ in seeds)
        return
    photo = ContinuousPhoto(model, pair.small.astype(np.float32) / 255)
    for seed in seeds:
        yield photo.seeded(seed).render(*size)


def measured(
    name: str, scale: int, found: list[np.ndarray], pairs: list[Pair], looks: "Looks"
) -> Row:
    """Measure one method's zooms, uint8."""
    both = list(zip(found, pairs, strict=True))
    return Row(
        name,
        scale,
        kid(embeddings(looks.encoder, found), looks.of(scale, pairs)),
        mean(psnr(one, pair.truth, border=scale) for one, pair in both),
        grid_lock(found, scale),
        mean(steepness(one, pair.truth) for one, pair in both),
        mean(consistency(one, pair.small) for one, pair in both),
    )


class Looks:
    """What the true photographs look like to the encoder, found once for each scale."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._known: dict[int, list[np.ndarray]] = {}

    def of(self, scale: int, pairs: list[Pair]) -> list[np.ndarray]:
        """Return the embeddings of the photographs' patches."""
        if scale not in self._known:
            self._known[scale] = embeddings(self.encoder, [pair.truth for pair in pairs])
        return self._known[scale]


def rows_of(
    models: dict[str, Model | None], scale: int, photos: list[np.ndarray], looks: Looks
) -> Iterator[Row]:
    """Yield what each method reached at one scale."""
    pairs = [Pair(*make_pair(photo, scale)) for photo in photos]
    for name, model in models.items():
        drawn = model is not None and seed_of(model) is not None
        seeds = (0, 1) if drawn else (0,)
        found = [[to_uint8(zoom) for zoom in zooms(model, pair, seeds)] for pair in pairs]
        row = measured(name, scale, [first for first, *_ in found], pairs, looks)
        if drawn:
            apart = [
                difference(*two, textured(pair.truth))
                for two, pair in zip(found, pairs, strict=True)
            ]
            row = row._replace(seeds=float(np.nanmean(apart)))
        yield row


def plane(
    models: dict[str, Model | None], scale: int, photos: list[np.ndarray], looks: Looks
) -> Iterator[Row]:
    """Yield the points of the perception–distortion plane: each method, and means of seeds."""
    pairs = [Pair(*make_pair(photo, scale)) for photo in photos]
    for name, model in models.items():
        means = MEANS if model is not None and seed_of(model) is not None else MEANS[:1]
        found: dict[int, list[np.ndarray]] = {count: [] for count in means}
        for pair in pairs:
            total = np.zeros(pair.truth.shape)
            for number, zoom in enumerate(zooms(model, pair, range(means[-1])), 1):
                total += zoom
                if number in found:
                    found[number].append(to_uint8(total / number))
        for count, pictures in found.items():
            title = name if len(means) == 1 else f"{name}, mean of {count}"
            yield measured(title, scale, pictures, pairs, looks)


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw rows on the perception–distortion plane; a method's means of seeds are joined."""
    from liif_core.figures import DPI, perception_plane

    one = f", mean of {MEANS[0]}"
    points, errors, paths = {}, {}, dict[str, list[str]]()
    for row in rows:
        name = row.name.replace(one, ", one seed") if row.name.endswith(one) else row.name
        points[name] = (row.psnr, row.kid.value * 1e3)
        errors[name] = row.kid.error * 1e3
        method, mean_of, _ = row.name.partition(", mean of")
        if mean_of:
            paths.setdefault(method, []).append(name)
    y_label = "KID × 1000: ← looks more real"
    figure = perception_plane(points, list(paths.values()), y_label, errors=errors)
    figure.axes[0].set_title(f"Perception and distortion at ×{rows[0].scale}")
    figure.savefig(path, dpi=DPI)


def table(rows: Sequence[Row]) -> str:
    """Return rows as Markdown."""
    lines = [
        "| | scale | KID ×1000 | PSNR | grid lock | edges | consistency | seeds |",
        "|-|-|-|-|-|-|-|-|",
    ]
    for row in rows:
        seeds = "" if row.seeds is None else f"{row.seeds:.1f}"
        lines.append(
            f"| {row.name} | ×{row.scale} | {row.kid.value * 1e3:.1f} ± {row.kid.error * 1e3:.1f} "
            f"| {row.psnr:.2f} | {row.lock.value:.2f} ± {row.lock.error:.2f} | {row.edges:.2f} "
            f"| {row.consistency:.1f} | {seeds} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure what the command line asks for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--weights", nargs="+", required=True, metavar="NAME")
    parser.add_argument("--scales", nargs="+", type=a_count, default=[4, 8], metavar="N")
    parser.add_argument("--middle", type=a_count, metavar="PIXELS", help="of each photo's middle")
    parser.add_argument("--every", type=a_count, default=1, metavar="N", help="every Nth photo")
    parser.add_argument("--plane", type=Path, metavar="PNG", help="draw means of seeds, too")
    options = parser.parse_args()
    try:
        if any(scale < 2 or PATCH % scale for scale in options.scales):
            raise LiifError(f"scales must divide {PATCH}, as 2, 3, 4, 6, 8 and 12 do")
        photos = read(options.folder, options.middle, options.every)
        models: dict[str, Model | None] = {"bicubic": None}
        models |= {Path(name).stem: load_model(name, "cpu") for name in options.weights}
        looks = Looks(load_encoder())
        found = [row for scale in options.scales for row in rows_of(models, scale, photos, looks)]
        print(table(found), flush=True)
        if options.plane:
            points = list(plane(models, options.scales[0], photos, looks))
            draw(points, options.plane)
            print(f"\n{table(points)}")
    except LiifError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
