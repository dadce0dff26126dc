"""The checkers of lesson 04, and the one calculation among its figures."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from liif_core.exercises import check, lesson_04
from liif_core.lesson_figures.lesson_04 import square_mean, with_square

Ask = Callable[[float, float, float], float]


def many_small(ask: Ask, y: float, x: float, cell: float, n: int) -> float:
    offsets = [(i + 0.5) / n * cell - cell / 2 for i in range(n)]
    return sum(ask(y + dy, x + dx, cell / n) for dy in offsets for dx in offsets) / n**2


def plan(scale: float) -> tuple[float, int]:
    n = max(1, math.ceil(1 / scale - 1e-9))
    return max(0.25, 1 / (scale * n)), n


def test_right_answers_are_solved(capsys: pytest.CaptureFixture[str]) -> None:
    check(lesson_04.cell_units, lambda a, b: (2 / b, a / b, 2 * a / b))
    check(lesson_04.many_small, many_small)
    check(lesson_04.plan, plan)
    assert capsys.readouterr().out == "✓ Solved.\n" * 3


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda a, b: (2 / a, a / b, 2 * a / b), r"\*new\* pixel"),
        (lambda a, b: (1 / b, a / b, 2 * a / b), "2 long"),
        (lambda a, b: (2 / b, b / a, 2 * a / b), "turned round"),
        (lambda a, b: (2 / b, 1 / b, 2 * a / b), "how many under one"),
        (lambda a, b: (2 / b, a / b, a / b), "f hears"),
    ],
)
def test_cell_units_hints(wrong: Callable[[int, int], object], hint: str) -> None:
    with pytest.raises(AssertionError, match=hint):
        lesson_04.cell_units(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda ask, y, x, cell, n: ask(y, x, cell), "9 in all; you asked 1"),
        (
            lambda ask, y, x, cell, n: many_small(lambda a, b, c: ask(a, b, cell), y, x, cell, n),
            "wide",
        ),
        (lambda ask, y, x, cell, n: many_small(ask, y + 0.1, x, cell, n), "along y"),
        (lambda ask, y, x, cell, n: many_small(ask, y, x - cell / 2, cell, n), "along x"),
        (lambda ask, y, x, cell, n: many_small(ask, y, x, cell, n) * n, "mean"),
    ],
)
def test_many_small_hints(wrong: Callable[..., float], hint: str) -> None:
    with pytest.raises(AssertionError, match=hint):
        lesson_04.many_small(wrong)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda scale: (1 / scale, 1), "smaller than any in training"),  # the stub
        (lambda scale: (max(0.25, 1 / scale), 1), "larger than any in training"),
        (lambda scale: (min(1.0, max(0.25, 1 / scale)), 1), "fill the new one"),
        (lambda scale: (max(0.25, 1 / scale), 1.5), "whole number"),
        (lambda scale: (max(0.25, 1 / scale), 0), "at least one"),
        (lambda scale: (max(0.25, 1 / (scale * 2)), 2) if scale < 4 else (0.25, 1), "1 per side"),
    ],
)
def test_plan_hints(wrong: Callable[[float], object], hint: str) -> None:
    with pytest.raises(AssertionError, match=hint):
        lesson_04.plan(wrong)  # type: ignore[arg-type]


def test_square_mean_counts_cut_pixels_by_their_share() -> None:
    picture = np.random.default_rng(0).random((8, 9, 3))
    np.testing.assert_allclose(square_mean(picture, (3, 5), 4), picture[1:5, 3:7].mean((0, 1)))
    np.testing.assert_allclose(square_mean(picture, (2.5, 4.5), 1), picture[2, 4])
    fine = picture.repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_allclose(
        square_mean(picture, (3.25, 4.5), 2.5), fine[8:18, 13:23].mean((0, 1))
    )


@pytest.mark.parametrize("side", [0.0, 1.0, 6.0, 64.0])
def test_with_square_stays_inside(side: float) -> None:
    picture = np.zeros((20, 30, 3))
    drawn = with_square(picture, side)
    assert drawn.max() == 1
    assert picture.max() == 0, "the picture itself is left alone"
    rows, cols = drawn.any(axis=(1, 2)).nonzero()[0], drawn.any(axis=(0, 2)).nonzero()[0]
    assert np.ptp(rows) + 1 == min(max(side, 2), 20)
    assert np.ptp(cols) + 1 == min(max(side, 2), 30)
