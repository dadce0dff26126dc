"""The checkers of lesson 04, and the one calculation among its figures."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from liif_core.exercises import check, lesson_04
from liif_core.lesson_figures.lesson_04 import square_mean, with_square
from liif_core.samples import sample_photo

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


def test_right_answers_written_in_other_ways(capsys: pytest.CaptureFixture[str]) -> None:
    check(lesson_04.cell_units, lambda a, b: torch.tensor([2 / b, a / b, 2 * a / b]).double())
    check(lesson_04.cell_units, lambda a, b: [np.float64(2) / b, a / b, 2 / b * a])

    def with_numpy(ask: Ask, y: float, x: float, cell: float, n: int) -> float:
        steps = (np.arange(n) - (n - 1) / 2) * cell / n
        asked = [ask(y + dy, x + dx, cell / n) for dx in steps for dy in steps]
        return np.mean(asked)

    check(lesson_04.many_small, with_numpy)
    check(lesson_04.plan, lambda s: (max(0.25, min(1, 1 / s)), 1) if s >= 1 else plan(s))
    check(lesson_04.plan, lambda s: [np.float64(plan(s)[0]), np.int64(plan(s)[1])])
    assert capsys.readouterr().out == "✓ Solved.\n" * 5


def hard_edge(column: int = 33) -> np.ndarray:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, column:] = 255
    return picture


def test_counter_examples_of_both_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    check(lesson_04.wrong_cell_wins, hard_edge(), 0.25)
    check(lesson_04.wrong_cell_wins, hard_edge(32), 0.375)  # as the solutions say
    check(lesson_04.wrong_cell_wins, sample_photo("bricks", longest=256), 0.75)
    squares = np.random.default_rng(0).integers(0, 2, (16, 16, 1), np.uint8) * 255
    check(lesson_04.wrong_cell_wins, squares.repeat(8, 0).repeat(8, 1).repeat(3, 2), 0.2)
    assert capsys.readouterr().out == "✓ Solved.\n" * 4


@pytest.mark.parametrize(
    ("picture", "cell", "hint"),
    [
        (sample_photo("cat", longest=128), 0.25, "the true one wins"),
        (hard_edge(32), 0.75, "the true one wins"),
        (hard_edge(), 0.5, "the true cell, or nearly"),
        (hard_edge(), 1.0, "the true one wins"),
        (hard_edge(), "¼", "leave the quotes out"),
        (hard_edge()[..., 0], 0.25, "height, width, 3"),
        (hard_edge() / 255, 0.25, "float64"),
        (np.zeros((64, 64, 3), np.uint8), 0.25, "flat colour"),
        ("bricks", 0.75, "the text 'bricks'"),
        (sample_photo("retina"), 0.75, "32 to 640"),
    ],
)
def test_what_is_no_counter_example(picture: object, cell: object, hint: str, capsys) -> None:  # type: ignore[no-untyped-def]
    check(lesson_04.wrong_cell_wins, picture, cell)
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("✗ Not yet")
    assert hint in said


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda a, b: None, "returns nothing"),
        (lambda a, b: 2 / b, "3 things are wanted"),
        (lambda a, b: (2 / b, a / b), "returns 2"),
        (lambda a, b: ("2 / b", a / b, 2 * a / b), "leave the quotes out"),
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
        (lambda ask, y, x, cell, n: None, "returns nothing"),
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


def heat_row(x: np.ndarray, omega: np.ndarray, a: np.ndarray, b: np.ndarray, cell: float):  # type: ignore[no-untyped-def]
    left = np.exp(-(omega**2) * cell**2 / 24)
    phase = np.outer(x, omega)
    return np.sin(phase) @ (left * a) + np.cos(phase) @ (left * b)


def test_heat_rows_written_in_two_ways(capsys: pytest.CaptureFixture[str]) -> None:
    check(lesson_04.heat_row, heat_row)

    def wave_by_wave(x, omega, a, b, cell):  # type: ignore[no-untyped-def]
        total = 0 * x
        for w, s, c in zip(omega, a, b, strict=True):
            total += np.exp(-((w * cell) ** 2) / 24) * (s * np.sin(w * x) + c * np.cos(w * x))
        return total

    check(lesson_04.heat_row, wave_by_wave)
    assert capsys.readouterr().out == "✓ Solved.\n" * 2


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda x, w, a, b, cell: None, "returns nothing"),
        (lambda x, w, a, b, cell: heat_row(x, w, a, b, 0), "nothing is damped"),
        (lambda x, w, a, b, cell: heat_row(x, w, b, a, cell), "at cell = 0"),
        (lambda x, w, a, b, cell: heat_row(x, w, a, b, cell * 12**0.5), "too wide"),
        (lambda x, w, a, b, cell: heat_row(x, w, a, b, 0.5 * cell), "under the bell is"),
    ],
)
def test_heat_row_hints(wrong: Callable[..., object], hint: str) -> None:
    with pytest.raises(AssertionError, match=hint):
        lesson_04.heat_row(wrong)  # type: ignore[arg-type]
