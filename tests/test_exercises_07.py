"""Lesson 07's checkers: stubs fail, solutions pass, and typical slips get their own hint."""

from collections.abc import Mapping

import numpy as np
import pytest

from liif_core.baselines import resize
from liif_core.exercises import is_solved, lesson_07


def test_the_right_number_is_free() -> None:
    assert is_solved(lesson_07.free_numbers, 63)


@pytest.mark.parametrize(
    ("wrong", "hint"), [(64, "one equation"), (7, "both axes"), (1, "choose freely")]
)
def test_wrong_numbers(wrong: int, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_07.free_numbers, wrong)
    assert hint in capsys.readouterr().out


def by_hand(result: np.ndarray, small: np.ndarray, method: str = "bicubic") -> float:
    height, width = small.shape
    return float(np.mean((resize(result, height, width, method) - small) ** 2))


def test_the_right_meter() -> None:
    assert is_solved(lesson_07.my_consistency, lambda r, s: 10 * np.log10(1 / by_hand(r, s)))


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda r, s: None, "return"),
        (by_hand, "mean squared error"),
        (lambda r, s: 10 * np.log10(by_hand(r, s)), "sign"),
        (lambda r, s: np.log10(1 / by_hand(r, s)), "× 10"),
        (lambda r, s: -10 * np.log10(by_hand(r, s, "nearest")), "with nearest"),
        (lambda r, s: -20 * np.log10(by_hand(r, s)), "it should be"),
    ],
)
def test_wrong_meters(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_07.my_consistency, wrong)
    assert hint in capsys.readouterr().out


def possible(
    small: np.ndarray, candidates: Mapping[str, np.ndarray], tolerance: float
) -> list[str]:
    height, width = small.shape
    gaps = {k: resize(v, height, width, "bicubic") - small for k, v in candidates.items()}
    return [name for name, gap in gaps.items() if np.abs(gap).max() <= tolerance]


def test_the_right_candidates() -> None:
    assert is_solved(lesson_07.still_possible, possible)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda small, candidates, tolerance: None, "return"),
        (lambda small, candidates, tolerance: ["the truth"], "a twin shrinks"),
        (lambda small, candidates, tolerance: list(candidates), "brighter picture"),
        (lambda small, candidates, tolerance: ["a twin", "darker"], "np.abs"),
        (lambda small, candidates, tolerance: ["a twin"], "exactly"),
        (lambda small, candidates, tolerance: possible(small, candidates, 0.02), "tolerance"),
    ],
)
def test_wrong_candidates(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_07.still_possible, wrong)
    assert hint in capsys.readouterr().out


def test_stubs_fail() -> None:
    def stub(*_: object) -> float:
        raise NotImplementedError

    assert not is_solved(lesson_07.my_consistency, stub)
    assert not is_solved(lesson_07.still_possible, stub)
