"""The checkers of lesson 06, train a LIIF: the largest scale, the pair, the schedule, a run."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from liif_core.coords import cell_size, coord_grid, nearest_index
from liif_core.exercises.outputs import Output, number, outputs
from liif_core.training.optim import rate_factor


def largest_scale(scale: float) -> None:
    """Check exercise 1: patches of 48 × 48 from photos of 600 × 400 pixels."""
    scale = number(scale, "the scale")
    assert not math.isclose(scale, 600 / 48), (
        "a square crop of 600 × 600 pixels does not fit into a photo of 600 × 400: which side is"
        " the tight one?"
    )
    assert not math.isclose(scale, 48 / 400), (
        "upside down: a scale of ×s means that the crop is s times as wide as the patch"
    )
    crop = 48 * scale
    assert 396 <= crop < 400.5, (  # a crop is rounded to whole pixels
        f"at ×{scale:g} the crop is {crop:.0f} × {crop:.0f} pixels. In a photo of 600 × 400 "
        + ("a larger one still fits." if crop < 396 else "it does not fit.")
    )


def questions(answer: Callable[[np.ndarray, Tensor], tuple[Tensor, Tensor, Tensor]]) -> None:
    """Check exercise 2: `answer(target, chosen) -> (coord, cell, colour)`, all of them right."""
    rng = np.random.default_rng(6)
    for side in (7, 30):
        target = rng.integers(256, size=(side, side, 3), dtype=np.uint8)
        chosen = torch.from_numpy(rng.choice(side * side, 20, replace=False))
        coord, cell, colour = outputs(
            answer(target, chosen),
            Output("coord", Tensor, (20, 2)),
            Output("cell", Tensor, (20, 2)),
            Output("colour", Tensor, (20, 3)),
        )
        assert not torch.allclose(coord, cell_size(side, side).expand(20, 2)), (
            "coord and cell are swapped: coord comes first"
        )
        _check_coord(coord, coord_grid(side, side).reshape(-1, 2)[chosen], side)
        assert torch.allclose(cell.float(), cell_size(side, side).expand(20, 2)), (
            f"the coordinates are right, the cell is not: 2 / {side} in both directions"
        )
        want = torch.from_numpy(target.reshape(-1, 3)[chosen.numpy()]) / 255
        assert torch.allclose(colour.float(), want), (
            "the coordinates are right, the colours are not: target[row, col] / 255"
        )


def _check_coord(coord: Tensor, want: Tensor, side: int) -> None:
    """Compare coordinates with the right ones, and name the usual slips."""
    corner = want - 1 / side
    (row, col), (y, x), (y_found, x_found) = nearest_index(want[0], side), want[0], coord[0]
    assert not torch.allclose(coord, corner.flip(-1), atol=1e-4), (
        f"two mistakes are left. Of {side} × {side} pixels, the one in row {row}, column {col}"
        f" is at (y, x) = ({y:.3f}, {x:.3f}), and is asked for at ({y_found:.3f}, {x_found:.3f})."
    )
    assert not torch.allclose(coord, want.flip(-1), atol=1e-4), (
        "one mistake left: the order is (y, x), so the row comes first"
    )
    assert not torch.allclose(coord, corner, atol=1e-4), (
        "one mistake left: these are the pixels' upper left corners; a pixel's value belongs to"
        " its centre, half a pixel further"
    )
    assert torch.allclose(coord, want, atol=1e-4), (
        f"of {side} pixels, number 0 has its centre at {1 / side - 1:.3f} and the last one at"
        f" {1 - 1 / side:.3f}: (2 i + 1) / n - 1"
    )


def rate_at(answer: Callable[[int, int, int, int], float]) -> None:
    """Check exercise 3: `answer(step, steps, warmup, decay)` is the share of the peak rate."""

    def share(step: int, *shape: int) -> float:
        return number(outputs(answer(step, *shape), Output(f"the share at step {step}", float)))

    first, last = share(0, 100, 10, 40), share(9, 100, 10, 40)
    assert first > 0, "at step 0 the rate is 0, so the first step is wasted: begin with 1 / warmup"
    assert math.isclose(last, 1), (
        f"with a warm-up of 10, step 9 is its last and has the full rate; you have {last:g}"
    )
    assert math.isclose(share(50, 100, 10, 40), 1), (
        "of 100 steps, the last 40 are for the decay; step 50 should still have the full rate"
    )
    half = share(80, 100, 10, 40)
    assert math.isclose(half, 0.5, abs_tol=1e-6), (
        f"half-way through the decay (step 80 of 100) the share is one half; you have {half:g}"
    )
    assert not math.isclose(share(65, 100, 10, 40), 1 - 5 / 40), (
        "this is a straight line down; half a cosine leaves the top slowly: 0.5 * (1 - cos(...))"
    )
    for shape in ((100, 10, 40), (240, 20, 80), (50, 1, 49)):
        steps, warmup, decay = shape
        for step in range(steps):
            want = rate_factor(step, steps=steps, warmup=warmup, decay=decay)
            found = share(step, *shape)
            assert math.isclose(found, want, abs_tol=1e-6), (
                f"step {step} of {steps}, warm-up {warmup}, decay {decay}: it should be"
                f" {want:.3f}, and you have {found:.3f}"
            )


Row = Mapping[str, float]
#: A gain that was rounded to hundredths of a dB is right, too.
ROUNDED = 0.0051


def gained(answer: Callable[[Sequence[Row]], tuple[float, float]]) -> None:
    """Check exercise 4: `answer(rows)` -> dB at ×4 gained at the peak rate, and in its fall."""
    rates = [0.1, 2.0, 2.0, 2.0, 1.0, 0.5, 0.1]
    psnrs = [24.0, 25.0, 25.5, 25.625, 26.375, 26.5, 26.75]
    for begin, end in ((1, 7), (1, 5), (0, 7)):  # the last one has a row of the warm-up
        rows = [
            {"step": 100.0 * k, "rate": rates[k], "psnr_x2": 30.0 + k, "psnr_x4": psnrs[k]}
            for k in range(begin, end)
        ]
        at_peak, falling = outputs(
            answer(rows), Output("at the peak", float), Output("while it fell", float)
        )
        first, turn, last = psnrs[begin], psnrs[3], psnrs[end - 1]
        half = psnrs[(begin + end) // 2]
        where = f"a log with the rates {rates[begin:end]} and, at ×4, {psnrs[begin:end]} dB"
        assert half == turn or not math.isclose(at_peak, half - first), (
            f"{where}: that is the first half of the rows; see from the rates where the peak ends"
        )
        assert not math.isclose(at_peak, last - turn), f"{where}: the two are swapped"
        assert not math.isclose(falling, last - psnrs[4]) or end == 5, (
            f"{where}: the fall begins where the peak ends, not one row later"
        )
        assert at_peak != 3 - begin, f"{where}: that is the gain at ×2; ×4 is asked for"
        assert math.isclose(at_peak, turn - first, abs_tol=ROUNDED), (
            f"{where}: up to its last row with the rate {max(rates)} the run gained"
            f" {turn - first:g} dB; you say {at_peak:g}"
        )
        assert math.isclose(falling, last - turn, abs_tol=ROUNDED), (
            f"{where}: from its last row with the peak rate to its last row of all it gained"
            f" {last - turn:g} dB; you say {falling:g}"
        )
