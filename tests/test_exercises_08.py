"""Lesson 08's checkers: stubs fail, solutions pass, and typical slips get their own hint."""

from math import exp

import pytest
import torch

from liif_core.companions.features import position_bias
from liif_core.exercises import is_solved, lesson_08


def test_the_right_number_of_tiles() -> None:
    assert is_solved(lesson_08.tiles_for, 5)


@pytest.mark.parametrize(("wrong", "hint"), [(25, "how often"), (70, "one feature"), (4, "56")])
def test_wrong_numbers(wrong: int, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_08.tiles_for, wrong)
    assert hint in capsys.readouterr().out


def near(distance: float) -> float:
    return exp(-0.5 * distance**2)


def alike(difference: float) -> float:
    return exp(-0.5 * (difference / 0.2) ** 2)


def test_the_right_weight() -> None:
    assert is_solved(lesson_08.bilateral_weight, lambda d, c: near(d) * alike(c))


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda d, c: None, "return"),
        (lambda d, c: (near(d) + alike(c)) / (2 if not (d and c) else 1), "should be"),
        (lambda d, c: near(d) + alike(c) if d and c else near(d) * alike(c), "multiply"),
        (lambda d, c: near(d), "colour does not count"),
        (lambda d, c: 1 / (near(d) * alike(c)), "minus"),
        (lambda d, c: near(d) * exp(-c / 0.2), "should be"),
    ],
)
def test_wrong_weights(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_08.bilateral_weight, wrong)
    assert hint in capsys.readouterr().out


def test_the_right_bias() -> None:
    assert is_solved(lesson_08.my_bias, lambda m: m.mean(0) - m.mean((0, 2, 3))[:, None, None])


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda m: None, "return"),
        (lambda m: m.mean((2, 3)), "the shape is (6, 3)"),
        (lambda m: m.mean(0), "everywhere"),
        (lambda m: -position_bias(m), "sign"),
        (lambda m: m.mean(0) - m.mean(), "each channel"),
        (lambda m: m[0] - m.mean((0, 2, 3))[:, None, None], "not yet"),
    ],
)
def test_wrong_biases(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_08.my_bias, wrong)
    assert hint in capsys.readouterr().out


def test_stubs_fail() -> None:
    def stub(*_: object) -> torch.Tensor:
        raise NotImplementedError

    assert not is_solved(lesson_08.bilateral_weight, stub)  # type: ignore[arg-type]
    assert not is_solved(lesson_08.my_bias, stub)
