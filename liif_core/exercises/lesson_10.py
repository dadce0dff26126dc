"""The checkers of lesson 10, the power of zoom."""

import math
from collections.abc import Callable

import numpy as np

from liif_core.companions.framings import Framing, box_of, by_entropy


def lucky(chance: float) -> None:
    """Check exercise 1: at least one of 27 random guesses among 10 classes is right."""
    assert not math.isclose(chance, 2.7, abs_tol=0.01), (
        "a chance of more than 1? Chances of several tries do not add up"
    )
    assert not math.isclose(chance, 0.9**27, abs_tol=1e-3), (
        "this is the chance that *all* 27 guesses are wrong: what is the chance of the opposite?"
    )
    assert not math.isclose(chance, 0.1, abs_tol=1e-3), "this is the chance of a single guess"
    assert math.isclose(chance, 1 - 0.9**27, abs_tol=5e-3), (
        f"{chance:g} is not it: with what chance is one guess wrong? And all 27 of them?"
    )


def my_box(
    answer: Callable[[int, int, int, int, int], tuple[float, float, float, float]],
) -> None:
    """Check exercise 2: `answer(size, row, col, height, width)` is a framing's window."""
    for size, row, col, height, width in ((448, 1, 1, 512, 512), (300, 0, 2, 400, 600)):
        expected = box_of(Framing(size, row, col), height, width)
        found = answer(size, row, col, height, width)
        assert found is not None, "your function returns nothing: is there a `return`?"
        assert len(found) == 4, "return (left, top, right, bottom)"
        left, top, right, bottom = (float(value) for value in found)
        side = expected[2] - expected[0]
        assert math.isclose(right - left, bottom - top, rel_tol=1e-6), "the window is a square"
        assert not math.isclose(right - left, 224, rel_tol=1e-6), (
            "224 pixels of the *resized* photo: how many are they of the photo itself?"
        )
        assert math.isclose(right - left, side, rel_tol=1e-6), (
            f"the window is {right - left:.1f} pixels wide, and should be {side:.1f}: 224 · "
            f"{min(height, width)} / {size}, with the shorter side of the photo"
        )
        swapped = box_of(Framing(size, col, row), height, width)
        assert row == col or not np.allclose(found, swapped), "rows go with y and height"
        assert np.allclose(found, expected), (
            f"the window has the right size, but its left top is ({left:.1f}, {top:.1f}) instead "
            f"of ({expected[0]:.1f}, {expected[1]:.1f}): its centre is at (2 · col + 1) / 6 of the "
            "width"
        )


def least_entropy(answer: Callable[[np.ndarray], int]) -> None:
    """Check exercise 3: `answer(probabilities)` is the class of the least uncertain framing."""
    sure = np.array([0.68, 0.32, 0.0, 0.0, 0.0])  # least entropy
    peaked = np.array([0.04, 0.04, 0.04, 0.7, 0.18])  # the highest peak, and more entropy
    flat = np.array([0.2, 0.2, 0.2, 0.2, 0.2])
    table = np.stack([flat, peaked, sure])
    with np.errstate(divide="raise", invalid="raise"):
        try:
            found = answer(table)
        except FloatingPointError:
            raise AssertionError(
                "log(0): a probability may be 0. Add something tiny, such as 1e-12, or clip"
            ) from None
    assert found is not None, "your function returns nothing: is there a `return`?"
    assert by_entropy(table) == 0
    assert int(found) != 3, (
        "the framing with the highest peak is not the one with the least entropy"
    )
    assert int(found) != 2, (
        "2 is the number of the framing; return the class that this framing finds most probable"
    )
    assert int(found) == 0, (
        "of three framings the last has the least entropy, and its most probable class is 0, "
        f"not {int(found)}"
    )
    random = np.random.default_rng(10).dirichlet(np.full(6, 0.5), (20, 7)) + 1e-9
    wrong = sum(int(answer(table)) != by_entropy(table) for table in random)
    assert not wrong, f"{wrong} of 20 tables more come out wrong: least entropy, then its argmax"
