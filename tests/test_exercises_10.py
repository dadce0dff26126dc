"""Lesson 10's checkers: stubs fail, solutions pass, and typical slips get their own hint."""

import numpy as np
import pytest

from liif_core.companions.framings import Framing, box_of
from liif_core.exercises import is_solved, lesson_10


def test_the_right_chance() -> None:
    assert is_solved(lesson_10.lucky, 1 - (1 - 1 / 10) ** 27)


@pytest.mark.parametrize(
    ("wrong", "hint"), [(2.7, "add up"), (0.9**27, "opposite"), (0.1, "single"), (0.5, "all 27")]
)
def test_wrong_chances(wrong: float, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_10.lucky, wrong)
    assert hint in capsys.readouterr().out


def box(size, row, col, height, width, side=None):  # type: ignore[no-untyped-def]
    side = side or 224 * min(height, width) / size
    x, y = (2 * col + 1) / 6 * width, (2 * row + 1) / 6 * height
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


def test_the_right_box() -> None:
    assert is_solved(lesson_10.my_box, box)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda *a: None, "return"),
        (lambda *a: (1, 2, 3), "left, top, right, bottom"),
        (lambda s, r, c, h, w: (0, 0, 5, 9), "square"),
        (lambda *a: box(*a, side=224), "resized"),
        (lambda s, r, c, h, w: box(s, r, c, h, w, side=224 * max(h, w) / s + 1), "should be"),
        (lambda s, r, c, h, w: box_of(Framing(s, c, r), h, w), "rows go with y"),
        (lambda s, r, c, h, w: tuple(v + 5 for v in box(s, r, c, h, w)), "instead of"),
    ],
)
def test_wrong_boxes(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_10.my_box, wrong)
    assert hint in capsys.readouterr().out


def entropy(table: np.ndarray) -> np.ndarray:
    return -(table * np.log(table + 1e-12)).sum(axis=1)


def test_the_right_decision() -> None:
    assert is_solved(lesson_10.least_entropy, lambda t: t[entropy(t).argmin()].argmax())


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda t: None, "return"),
        (lambda t: t[(-(t * np.log(t)).sum(axis=1)).argmin()].argmax(), "log(0)"),
        (lambda t: entropy(t).argmin(), "number of the framing"),
        (lambda t: t.max(axis=0).argmax(), "highest peak"),
        (lambda t: 4, "not 4"),
        (lambda t: 0, "of 20 tables"),
    ],
)
def test_wrong_decisions(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_10.least_entropy, wrong)
    assert hint in capsys.readouterr().out


def test_stubs_fail() -> None:
    def stub(*_: object) -> int:
        raise NotImplementedError

    assert not is_solved(lesson_10.my_box, stub)  # type: ignore[arg-type]
    assert not is_solved(lesson_10.least_entropy, stub)
