"""Checkers of lesson 01, pixel grids and continuous functions."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from liif_core import coords
from liif_core.baselines import resize
from liif_core.exercises.outputs import Output, number, outputs
from liif_core.metrics import psnr
from liif_core.samples import sample_photo
from liif_core.spectrum import folded


def nearest_index(answer: Callable[[Tensor, int], Tensor]) -> None:
    """Check a function (x, n) -> index of the pixel whose cell holds each x, of n on [-1, 1]."""

    def index(x: float, n: int) -> int:
        found = answer(torch.tensor([x], dtype=torch.float64), n)
        return int(outputs(found, Output("the index", int)))

    for n in (1, 4, 5, 48):
        for i in range(n):
            centre = (2 * i + 1) / n - 1
            found = index(centre, n)
            assert found == i, (
                f"of {n} pixels, the one with its centre at x = {centre:.3f} is number {i}, yours "
                f"says {found}. Undo x = (2i + 1)/n − 1, step by step."
            )
            for inside in (centre - 0.8 / n, centre + 0.8 / n):
                found = index(inside, n)
                assert found == i, (
                    f"x = {inside:.3f} lies in the cell of pixel {i} of {n}, yours says {found}. "
                    "A cell reaches half a pixel to both sides of its centre: count cells from "
                    "the left edge and round down."
                )
    for x, right in ((1.0, 4), (-1.0, 0), (1.3, 4), (-1.3, 0)):
        found = index(x, 5)
        assert found == right, (
            f"x = {x} is on or beyond the edge of 5 pixels: the nearest one is {right}, yours says "
            f"{found}. Keep the index between 0 and n − 1."
        )
    _many(answer)


def _many(answer: Callable[[Tensor, int], Tensor]) -> None:
    """Check many coordinates at once, and those on the border between two cells."""
    x = torch.rand(2, 50, generator=torch.Generator().manual_seed(0)) * 2.2 - 1.1
    try:
        found = answer(x, 9)
    except AssertionError as error:
        raise AssertionError(
            "right for one coordinate. Now for a whole tensor of them: int, min and max take one "
            f"number, .floor(), .long() and .clamp() take all. ({error})"
        ) from error
    found = outputs(found, Output("the indices", Tensor, (2, 50)))
    assert torch.equal(found.long(), coords.nearest_index(x, 9)), (
        "right for one coordinate, wrong for many at once"
    )
    assert not found.is_floating_point(), "an index is a whole number: .long() makes it one"
    for n in range(3, 200):
        border = 2 * torch.arange(1, n) / n - 1
        wrong = (answer(border, n) != torch.arange(1, n)).sum()
        assert not wrong, (
            f"x on the border between two cells belongs to the right one; of {n} pixels, {wrong} "
            "borders are given to the left one, by a rounding error. Add 1e-6 to x first."
        )


def best_a(a: float) -> None:
    """Check the cubic kernel's free number: no other may zoom the small portrait better."""
    a = number(a, "a")
    assert -3 <= a <= 1, f"a = {a:g} is far out; try numbers between -2 and 0"
    scores = {float(tried): _psnr_with(tried) for tried in np.arange(-20, 1) / 10}
    best = max(scores, key=scores.__getitem__)
    found = _psnr_with(a)
    assert found >= scores[best] - 0.01, (
        f"with a = {a:g} the zoom reaches {found:.3f} dB, and another value reaches "
        f"{scores[best]:.3f} dB. Go {'down' if best < a else 'up'}, "
        f"{'away from' if best < a else 'towards'} 0."
    )


def _psnr_with(a: float) -> float:
    """Return the PSNR of the lesson's small portrait, zoomed ×4 by the cubic kernel with `a`."""
    truth = sample_photo("astronaut")[20:212, 130:322]
    small = resize(truth, 48, 48, "bicubic") / 255
    d = np.abs((np.arange(192)[:, None] + 0.5) / 4 - 0.5 - np.arange(48))
    inner = (a + 2) * d**3 - (a + 3) * d**2 + 1
    outer = a * (d**3 - 5 * d**2 + 8 * d - 4)
    say = np.where(d <= 1, inner, np.where(d < 2, outer, 0))
    say = say / say.sum(axis=1, keepdims=True)
    zoom = np.einsum("yi,ijc,xj->yxc", say, small, say, optimize=True)
    return psnr(zoom.clip(0, 1), truth / 255)


def alias(answer: Callable[[float, int], float]) -> None:
    """Check a function (frequency, step) -> the frequency that a wave has when every `step`-th
    pixel is kept, both in cycles per pixel of the picture before."""

    def told(frequency: float, step: int) -> float:
        return float(outputs(answer(frequency, step), Output("the frequency", float)))

    for frequency, step in ((0.1, 1), (0.2, 2), (0.05, 4)):
        found = told(frequency, step)
        stays = f"a wave of {frequency} kept at step {step} is longer than two kept pixels: it "
        stays += f"stays {frequency}, yours says {found:.4g}."
        assert step == 1 or abs(found - step * frequency) > 1e-9, (
            f"{stays} That is {step} times too large: count in cycles per *old* pixel, so divide "
            "by the step at the end."
        )
        assert abs(found - frequency) < 1e-9, (
            f"{stays} From one kept pixel to the next it goes through {step * frequency:g} of a "
            "cycle, and the nearest whole number of cycles is 0."
        )
    for frequency, step in ((0.4, 2), (0.3, 2), (0.45, 3), (0.35, 4), (0.5, 2), (0.5, 5)):
        found, right = told(frequency, step), folded(frequency, step)
        assert found >= -1e-9, (
            f"of {frequency} at step {step} yours makes {found:.4g}: no wave has less than 0 cycles"
        )
        assert found <= 0.5 / step + 1e-9, (
            f"of {frequency} at step {step} yours makes {found:.4g}, but the kept pixels hold "
            f"nothing above {0.5 / step:.4g}. Whole cycles from one kept pixel to the next are "
            "invisible: how far is the wave from the *nearest* whole number of them?"
        )
        assert abs(found - right) < 1e-9, (
            f"{frequency} at step {step} is not {found:.4g}. Count the cycles from one kept pixel "
            "to the next, and take the distance to the nearest whole number."
        )


def bilinear_at(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    """Check a function (photo, y, x) -> colours: bilinear interpolation at any coordinates."""
    photo = torch.rand(5, 7, 3, generator=torch.Generator().manual_seed(1))
    row, col = 1, 2
    y, x = (2 * row + 1) / 5 - 1, (2 * col + 1) / 7 - 1

    def colour(y: float, x: float) -> np.ndarray:
        found = answer(photo, torch.tensor([y]), torch.tensor([x]))
        return np.asarray(outputs(found, Output("for one place, the colours", Tensor, (1, 3))))[0]

    def same(found: np.ndarray, right: Tensor) -> bool:
        return np.allclose(found, right, atol=1e-5)

    found = colour(y, x)
    assert not same(found, photo[row + 1, col + 1]), (
        "on the centre of a pixel, you give the colour of the next one, down and to the right. "
        "The nearer a pixel, the larger its share: are your two shares swapped?"
    )
    assert not same(found, _bilinear(photo, x, y)), (
        "y and x are swapped: y is the first of the two, and chooses the row"
    )
    assert same(found, photo[row, col]), (
        "exactly on the centre of a pixel, the colour must be that pixel's own. Turn y into a row "
        "position first: (y + 1) / 2 · height − 0.5 is 0 at the centre of row 0, 1 at row 1, …"
    )
    found = colour(y, x + 1 / 7)
    assert same(found, photo[row, col : col + 2].mean(dim=0)), (
        "halfway between two pixels of a row, the colour must be their mean"
    )
    found = colour(y + 0.5 / 5, x)
    assert same(found, 0.75 * photo[row, col] + 0.25 * photo[row + 1, col]), (
        "a quarter of the way down to the next pixel, the *nearer* pixel counts three quarters. "
        "The nearer a pixel, the larger its share: are your two shares swapped?"
    )
    found = colour(-0.99, -0.99)
    assert same(found, photo[0, 0]), (
        "closer to the border than the outermost centre there is no pixel on one side: the "
        "outermost pixel fills in. Clamp the two row and two column indices to the photo."
    )
    places = np.random.default_rng(2).uniform(-1, 1, (50, 2))
    for y, x in places:
        assert same(colour(y, x), _bilinear(photo, y, x)), (
            f"wrong at y = {y:.3f}, x = {x:.3f}: the shares along y and along x multiply, and the "
            "four products add up to 1"
        )
    many = answer(photo, *torch.from_numpy(places).float().T)
    many = outputs(many, Output("for 50 places, the colours", Tensor, (50, 3)))
    right = torch.stack([_bilinear(photo, y, x) for y, x in places])
    assert torch.allclose(many, right, atol=1e-5), "right for one place, wrong for 50 at once"


def _bilinear(photo: Tensor, y: float, x: float) -> Tensor:
    """Interpolate (H, W, 3) at one coordinate in [-1, 1]: (3,)."""
    total = torch.zeros(photo.shape[2])
    down = (y + 1) / 2 * photo.shape[0] - 0.5
    across = (x + 1) / 2 * photo.shape[1] - 0.5
    for row in (int(np.floor(down)), int(np.floor(down)) + 1):
        for col in (int(np.floor(across)), int(np.floor(across)) + 1):
            share = (1 - abs(down - row)) * (1 - abs(across - col))
            place = min(max(row, 0), photo.shape[0] - 1), min(max(col, 0), photo.shape[1] - 1)
            total += share * photo[place]
    return total
