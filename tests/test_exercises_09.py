"""Lesson 09's checkers: stubs fail, solutions pass, and typical slips get their own hint."""

import numpy as np
import pytest

from liif_core.exercises import is_solved, lesson_09


def test_the_right_k() -> None:
    assert is_solved(lesson_09.largest_k, 5)


@pytest.mark.parametrize(("wrong", "hint"), [(3, "strangers"), (6, "tie"), (10, "7 other votes")])
def test_wrong_k(wrong: int, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_09.largest_k, wrong)
    assert hint in capsys.readouterr().out


def test_the_right_weights() -> None:
    assert is_solved(lesson_09.rank_weights, lambda k: 1 / (2 + np.arange(k)))


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda k: None, "return"),
        (lambda k: 1 / (1 + np.arange(k)), "offset"),
        (lambda k: 1 / (3 + np.arange(k)), "i = 0"),
        (lambda k: np.ones(k + 1), "there should be 1"),
        (lambda k: np.exp(-np.arange(k)) / 2, "should be"),
    ],
)
def test_wrong_weights(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_09.rank_weights, wrong)
    assert hint in capsys.readouterr().out


def vote(query, vectors, labels, k, sign=-1, weigh=True):  # type: ignore[no-untyped-def]
    nearest = np.argsort(sign * (vectors @ query), kind="stable")[:k]
    weights = 1 / (2 + np.arange(k)) if weigh else np.ones(k)
    return np.bincount(labels[nearest], weights).argmax()


def test_the_right_classifier() -> None:
    assert is_solved(lesson_09.my_classifier, vote)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda *a: None, "nothing"),
        (lambda q, v, y, k: y[np.argmax(v @ q)], "nearest row alone"),
        (lambda q, v, y, k: vote(q, v, y, k, sign=1), "least"),
        (lambda q, v, y, k: vote(q, v, y, k, weigh=False), "plurality"),
        (lambda q, v, y, k: 0, "of 40 decisions"),
    ],
)
def test_wrong_classifiers(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_09.my_classifier, wrong)
    assert hint in capsys.readouterr().out


def test_stubs_fail() -> None:
    def stub(*_: object) -> np.ndarray:
        raise NotImplementedError

    assert not is_solved(lesson_09.rank_weights, stub)
    assert not is_solved(lesson_09.my_classifier, stub)  # type: ignore[arg-type]
