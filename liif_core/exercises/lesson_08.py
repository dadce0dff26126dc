"""The checkers of lesson 08, sharper features."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from liif_core.companions.features import nmse, stitch, upsample
from liif_core.exercises.outputs import Output, number, outputs

#: Pixels along a side of what the encoder of exercise 3 may be shown.
TILE = 224


def honest_share(share: float, missed: Mapping[str, float]) -> None:
    """Check exercise 1: the share of the error that tiles take away, the size being right.

    Args:
        share: the reader's, as a fraction or in per cent.
        missed: way -> its NMSE on the whole map, with the names that the lesson gives them.
    """
    share = number(share, "the share")
    fraction = share / 100 if abs(share) > 1.5 else share
    interpolated, enlarged = missed["interpolated notes"], missed["enlarged"]
    tiles = missed["tiles"]
    for slip, hint in (
        (
            1 - tiles / interpolated,
            "that is the colleague's figure: it compares with notes of another *size*. Whoever "
            "merely enlarges the small photo has the size right, too",
        ),
        (
            1 - enlarged / interpolated,
            "that is what the right size alone takes away, without any tile",
        ),
        (tiles / enlarged, "that is the share that is *left*; how much is taken away?"),
        (
            enlarged - tiles,
            "that is the difference; as a share of what? Divide by the error to begin with",
        ),
    ):
        assert not math.isclose(fraction, slip, abs_tol=0.006), f"{share:g}: {hint}"
    right = 1 - tiles / enlarged
    assert math.isclose(fraction, right, abs_tol=0.015), (
        f"{share:g} is not it: which way has the right size and no new detail? Compare the tiles' "
        "error with the error of that way"
    )


def beats_bilinear(answer: Callable[[Tensor], Tensor], coarse: Tensor, dense: Tensor) -> None:
    """Check exercise 2: `answer(coarse)` comes nearer to `dense` than bilinear interpolation.

    Args:
        answer: (B, C, h, w) -> (B, C, 2h, 2w).
        coarse: (B, C, h, w), the notes.
        dense: (B, C, 2h, 2w), what the encoder itself writes between them.
    """
    wanted = Output("the map", Tensor, tuple(dense.shape))
    found = outputs(answer(coarse), wanted)
    assert torch.isfinite(found).all(), "some of your numbers are not finite"
    plain = nmse(upsample(coarse), dense)
    got = nmse(found, dense)
    assert not math.isclose(got, plain, rel_tol=1e-4), (
        f"that is bilinear itself, NMSE {plain:.3f}: try something else, and see what comes out"
    )
    for mode in ("bilinear", "bicubic"):
        corners = F.interpolate(coarse, scale_factor=2, mode=mode, align_corners=True)
        assert not torch.allclose(found.float(), corners, atol=1e-4), (
            f"NMSE {got:.3f}, bilinear has {plain:.3f}: with align_corners=True the map is "
            "stretched, and its notes stand beside their places"
        )
    assert got < 0.97 * plain, (
        f"NMSE {got:.3f}, bilinear has {plain:.3f}: "
        + ("nearly the same. " if got < 1.03 * plain else "worse. ")
        + "Does your way blur the notes, or sharpen them, or sharpen them too much?"
    )
    again = outputs(answer(coarse[:1]), Output("the map", Tensor, (1, *dense.shape[1:])))
    assert torch.allclose(again[0], found[0], atol=1e-3), (
        "one photo alone comes out otherwise than among the others: does your way look at them all?"
    )


def _read(tile: np.ndarray) -> Tensor:
    """Write notes of a tile: local means of its colours over 7 × 7 cells, black beyond its edge."""
    assert getattr(tile, "ndim", 0) == 3, (
        "`read` takes one tile at a time, an array (height, width, 3)"
    )
    height, width = tile.shape[:2]
    whole = 0 not in (height, width) and height % 16 == width % 16 == 0
    assert whole, f"`read` was given {height} × {width} pixels: it takes whole cells of 16 pixels"
    assert max(height, width) <= TILE, (
        f"`read` was given {height} × {width} pixels: it takes {TILE} × {TILE} at most"
    )
    return _notes(tile)


def _notes(picture: np.ndarray) -> Tensor:
    colours = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
    return F.avg_pool2d(F.avg_pool2d(colours, 16), 7, stride=1, padding=3)[0]


def without_seams(answer: Callable[[Callable[[np.ndarray], Tensor], np.ndarray], Any]) -> None:
    """Check exercise 3: `answer(read, photo)` puts tiles together, and no seam shows.

    The checker's `read` looks three cells far, so that whoever keeps three cells of margin gets
    exactly the notes of the whole photo.
    """
    photo = np.random.default_rng(8).integers(0, 256, (2 * TILE, 2 * TILE, 3)).astype(np.uint8)
    photo = np.maximum(photo, np.linspace(0, 200, 2 * TILE).astype(np.uint8)[:, None, None])
    whole = _notes(photo)
    found = outputs(answer(_read, photo), Output("the map", Tensor, tuple(whole.shape)))
    wrong = ((found - whole).abs() > 1e-4).any(dim=0)
    if not wrong.any():
        return
    four = [photo[y : y + TILE, x : x + TILE] for y in (0, TILE) for x in (0, TILE)]
    plain = stitch(torch.stack([_notes(tile) for tile in four]))[0]
    assert not torch.allclose(found, plain, atol=1e-4), (
        f"{int(wrong.sum())} of 784 notes are not those of the whole photo: these are the four "
        "tiles of the lesson, and along the cut they know nothing of their neighbours"
    )
    assert not torch.allclose(found, whole.transpose(1, 2), atol=1e-4), "rows and columns swapped"
    rows, cols = (sorted(set(index.tolist())) for index in torch.where(wrong))
    assert wrong.float().mean() > 0.75, (
        f"{int(wrong.sum())} of 784 notes are not those of the whole photo, in rows {rows[0]} to "
        f"{rows[-1]}, columns {cols[0]} to {cols[-1]}. A note within 3 of a tile's edge is wrong, "
        "unless that is the photo's own edge. Leave it out: averaging it with a right one does not "
        "mend it. Or has a tile's map come into the place of another's?"
    )
    raise AssertionError(
        f"{int(wrong.sum())} of 784 notes are not those of the whole photo: is each tile's map put "
        "where the tile was cut (16 pixels are one note), and is the margin wide enough?"
    )
