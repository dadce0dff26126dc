"""How good is a zoom? Shrink photographs, zoom them back, compare with the originals.

The protocol is that of the model card: sides cropped to multiples of the scale, inputs by PIL
bicubic, results rounded to 8 bits, PSNR in RGB with a border of `scale` pixels shaved.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from liif_core.baselines import resize
from liif_core.errors import LiifError
from liif_core.liif import LIIF
from liif_core.metrics import psnr, ssim
from liif_core.photos import photo_paths, read_rgb
from liif_core.pixels import to_uint8
from liif_core.render import render

BASELINES = ("bicubic", "lanczos")
METHODS = len(BASELINES) + 1


@dataclass(frozen=True)
class Score:
    """What one method reached on one photograph at one scale.

    Attributes:
        photo: its name.
        scale: the magnification.
        method: "bicubic", "lanczos" or "liif".
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
    height, width = (side // scale * scale for side in photo.shape[:2])
    if min(height, width) < 3 * scale:
        raise LiifError(
            f"a photo of {photo.shape[1]}×{photo.shape[0]} pixels is too small for ×{scale}; "
            f"its sides must be at least {3 * scale}"
        )
    reference = photo[:height, :width]
    return reference, resize(reference, height // scale, width // scale, "bicubic")


def zoom_back(model: LIIF, small: np.ndarray, height: int, width: int) -> np.ndarray:
    """Render `small` (uint8) at height × width, rounded to uint8."""
    rgb = render(model, small.astype(np.float32) / 255, height, width)
    return to_uint8(rgb)


def evaluate(
    model: LIIF,
    photos: Sequence[tuple[str, np.ndarray]],
    scales: Sequence[int],
    *,
    degrade: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Score]:
    """Score a model and the baselines.

    Args:
        model: the model.
        photos: (name, (H, W, 3) uint8) pairs.
        scales: magnifications, whole numbers from 2.
        degrade: what the 8-bit inputs go through after downscaling, as real scans do.
        progress: called with (photographs × scales done, in all).
    """
    if any(scale < 2 for scale in scales):
        raise LiifError("scales must be whole numbers from 2 on, for example 2 3 4")
    scores: list[Score] = []
    for number, (name, photo) in enumerate(photos):
        for scale in scales:
            reference, small = make_pair(photo, scale)
            if degrade is not None:
                small = degrade(small, np.random.default_rng([number, scale]))
            height, width = reference.shape[:2]
            results = {method: resize(small, height, width, method) for method in BASELINES}
            results["liif"] = zoom_back(model, small, height, width)
            for method, result in results.items():
                scores.append(
                    Score(
                        name,
                        scale,
                        method,
                        psnr(result, reference, border=scale),
                        _ssim(result, reference, scale),
                    )
                )
            if progress:
                progress(len(scores) // METHODS, len(photos) * len(scales))
    return scores


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


def read_folder(folder: Path) -> list[tuple[str, np.ndarray]]:
    """Return the name and pixels, (H, W, 3) uint8, of every photograph directly in a folder.

    Raises:
        LiifError: no such folder, no picture in it, or one that cannot be read.
    """
    return [(path.name, read_rgb(path)) for path in photo_paths(folder)]


def format_table(scores: Sequence[Score], name: str) -> str:
    """Return mean PSNR (dB) and SSIM by method and scale, as text."""
    table = means(scores)
    photos = len({score.photo for score in scores})
    lines = [f"{photos} photographs; mean PSNR in dB (RGB) / SSIM"]
    lines.append(f"{'':<24}" + "".join(f"{f'×{scale}':>16}" for scale in table))
    for method in (*BASELINES, "liif"):
        cells = (table[scale][method] for scale in table)
        text = "".join(f"{f'{value:.3f} / {similar:.4f}':>16}" for value, similar in cells)
        lines.append(f"{name if method == 'liif' else method:<24}{text}")
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
    try:
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise LiifError(f"{path} cannot be written: {error.strerror}") from error


def _ssim(result: np.ndarray, reference: np.ndarray, border: int) -> float:
    try:
        return ssim(result, reference, border=border)
    except LiifError:  # smaller than the window
        return float("nan")
