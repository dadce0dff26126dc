"""Lesson 10's checkers: stubs fail, different solutions pass, typical slips get their own hint."""

import numpy as np
import pytest

from liif_core.companions.framings import Framing
from liif_core.exercises import is_solved, lesson_10
from liif_core.exercises.lesson_10 import Verdict


@pytest.mark.parametrize("right", [1 - (1 - 1 / 10) ** 27, 0.942, 94.2, np.float64(0.9419)])
def test_the_right_chance(right: float) -> None:
    assert is_solved(lesson_10.lucky, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (2.7, "add up"),
        (0.9**27, "opposite"),
        (0.1, "single"),
        (0.5, "all 27"),
        ("0.94", "leave the quotes out"),
    ],
)
def test_wrong_chances(wrong: object, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_10.lucky, wrong)
    assert hint in capsys.readouterr().out


def judge(thing: str, framing: Framing) -> Verdict:
    """Be sure and right in the middle, sure and wrong at the top, unsure elsewhere."""
    says, right = ("espresso", True) if framing.row == 1 else ("fountain", False)
    return Verdict(says, 0.4 if framing.row == 2 else 0.8, right)


@pytest.mark.parametrize(
    ("name", "framing"),
    [
        ("cup", Framing(900, 0, 1)),
        ("coffee", (700, 0, 2)),  # by its photo's name, as a plain tuple
        ("uniform", Framing(np.int64(900), 0, 0)),
    ],
)
def test_a_sure_and_wrong_look(name, framing, capsys) -> None:  # type: ignore[no-untyped-def]
    solved = is_solved(lesson_10.sure_and_wrong, name, framing, judge)
    assert solved, capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "framing", "hint"),
    [
        ("cup", Framing(900, 1, 1), "“espresso”, 80 % sure. That is right"),
        ("cup", Framing(900, 2, 1), "not sure: at least 50 %"),
        ("cup", Framing(448, 0, 0), "grey filler"),
        ("tea", Framing(900, 0, 0), "no thing 'tea'"),
        ("cup", (900, 0), "(size, row, col)"),
        ("cup", 900, "(size, row, col)"),
        ("cup", (900, 0, 3), "row and col are 0, 1 or 2"),
    ],
)
def test_other_looks(name, framing, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_10.sure_and_wrong, name, framing, judge)
    assert hint in " ".join(capsys.readouterr().out.split())


def entropy(table: np.ndarray) -> np.ndarray:
    return -(table * np.log(table + 1e-12)).sum(axis=1)


def by_loop(table: np.ndarray) -> int:
    best, least = -1, np.inf
    for row in table:
        doubt = sum(-p * np.log(p) for p in row if p > 0)
        if doubt < least:
            best, least = int(np.argmax(row)), doubt
    return best


@pytest.mark.parametrize(
    "right",
    [
        lambda t: t[entropy(t).argmin()].argmax(),
        by_loop,
        lambda t: np.argmax(t[np.argmax(np.nansum(t * np.log2(t), axis=1))]),
    ],
    ids=["with a tiny number", "by a loop", "zeros left out, in bits"],
)
def test_the_right_decision(right, capsys) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_10.least_entropy, right), capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda t: None, "return"),
        (lambda t: t[(-(t * np.log(t)).sum(axis=1)).argmin()].argmax(), "0 · log 0"),
        (lambda t: entropy(t).argmin(), "number of the framing"),
        (lambda t: t.max(axis=0).argmax(), "highest peak"),
        (lambda t: t[entropy(t).argmax()].argmax(), "mind the minus sign"),
        (lambda t: 4, "not 4"),
        (lambda t: 0, "of 20 tables"),
        (lambda t: t[entropy(t).argmin()], "a whole number is wanted"),
        (lambda t: t.log(), "stopped in its line"),
    ],
)
def test_wrong_decisions(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_10.least_entropy, wrong)
    assert hint in " ".join(capsys.readouterr().out.split())


def test_stubs_fail() -> None:
    def stub(*_: object) -> int:
        raise NotImplementedError

    assert not is_solved(lesson_10.least_entropy, stub)
