"""Checkers of lesson 01, pixel grids and continuous functions."""

from collections.abc import Callable

import numpy as np


def which_pixel(answer: Callable[[float, int], int]) -> None:
    """Check a function (x, n) -> index of the pixel whose cell holds x, of n on [-1, 1]."""
    for n in (1, 4, 5, 48):
        for i in range(n):
            centre = (2 * i + 1) / n - 1
            found = answer(centre, n)
            assert found is not None, "your function returns nothing; does it end with `return`?"
            assert found == i, (
                f"of {n} pixels, the one with its centre at x = {centre:.3f} is number {i}, yours "
                f"says {found}. Undo x = (2i + 1)/n − 1, step by step."
            )
            for inside in (centre - 0.8 / n, centre + 0.8 / n):
                found = answer(inside, n)
                assert found == i, (
                    f"x = {inside:.3f} lies in the cell of pixel {i} of {n}, yours says {found}. "
                    "A cell reaches half a pixel to both sides of its centre: count cells from "
                    "the left edge and round down."
                )
    for x, right in ((1.0, 4), (-1.0, 0), (1.3, 4), (-1.3, 0)):
        found = answer(x, 5)
        assert found == right, (
            f"x = {x} is on or beyond the edge of 5 pixels: the nearest one is {right}, yours says "
            f"{found}. Keep the index between 0 and n − 1."
        )


def straight_ramp(a: float) -> None:
    """Check the cubic kernel's free number: a ramp must stay a straight line."""
    assert isinstance(a, (int, float)), "a must be a plain number, such as -1.0"
    assert not a > 0, "a positive a bends the kernel the wrong way; try numbers between -1 and 0"
    # The ramp 0, 1, 2, 3, asked a quarter of the way from its second to its third sample.
    wobble = abs(_cubic_at_quarter(a) @ np.arange(4.0) - 1.25)
    assert wobble < 1e-3, (
        f"with a = {a} the ramp still wobbles, by {wobble:.3f} of a step at a quarter of the way. "
        + ("Go up, towards 0." if a < -0.5 else "Go down, towards −1.")
    )


def _cubic_at_quarter(a: float) -> np.ndarray:
    """Return the shares of pixels 0 … 3 in the value at 1.25: (4,), by the cubic kernel."""
    d = np.abs(1.25 - np.arange(4.0))
    near = (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = a * (d**3 - 5 * d**2 + 8 * d - 4)
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def bilinear_at(answer: Callable[[np.ndarray, float, float], np.ndarray]) -> None:
    """Check a function (photo, y, x) -> colour: bilinear interpolation at any coordinate."""
    photo = np.random.default_rng(1).random((5, 7, 3))
    row, col = 2, 3
    y, x = (2 * row + 1) / 5 - 1, (2 * col + 1) / 7 - 1
    found = answer(photo, y, x)
    assert found is not None, "your function returns nothing; does it end with `return`?"
    assert np.shape(found) == (3,), f"a colour has 3 numbers, yours has shape {np.shape(found)}"
    assert np.allclose(found, photo[row, col]), (
        "exactly on the centre of a pixel, the colour must be that pixel's own. Turn y into a row "
        "position first: (y + 1) / 2 · height − 0.5 is 0 at the centre of row 0, 1 at row 1, …"
    )
    found = answer(photo, y, x + 1 / 7)
    assert np.allclose(found, photo[row, col : col + 2].mean(axis=0)), (
        "halfway between two pixels of a row, the colour must be their mean"
    )
    found = answer(photo, y + 0.5 / 5, x)
    assert np.allclose(found, 0.75 * photo[row, col] + 0.25 * photo[row + 1, col]), (
        "a quarter of the way down to the next pixel, the *nearer* pixel counts three quarters. "
        "The nearer a pixel, the larger its share: are your two shares swapped?"
    )
    found = answer(photo, -0.99, -0.99)
    assert np.allclose(found, photo[0, 0]), (
        "closer to the border than the outermost centre there is no pixel on one side: the "
        "outermost pixel fills in. Clamp the two row and two column indices to the photo."
    )
    for y, x in np.random.default_rng(2).uniform(-1, 1, (50, 2)):
        assert np.allclose(answer(photo, y, x), _bilinear(photo, y, x)), (
            f"wrong at y = {y:.3f}, x = {x:.3f}: the shares along y and along x multiply, and the "
            "four products add up to 1"
        )


def _bilinear(photo: np.ndarray, y: float, x: float) -> np.ndarray:
    """Interpolate (H, W, 3) at one coordinate in [-1, 1]: (3,)."""
    total = np.zeros(photo.shape[2])
    down = (y + 1) / 2 * photo.shape[0] - 0.5
    across = (x + 1) / 2 * photo.shape[1] - 0.5
    for row in (int(np.floor(down)), int(np.floor(down)) + 1):
        for col in (int(np.floor(across)), int(np.floor(across)) + 1):
            share = (1 - abs(down - row)) * (1 - abs(across - col))
            total += (
                share * photo[np.clip(row, 0, len(photo) - 1), np.clip(col, 0, photo.shape[1] - 1)]
            )
    return total
