"""Lesson 09's checkers: stubs fail, different solutions pass, typical slips get their own hint."""

import numpy as np
import pytest

from liif_core.exercises import is_solved, lesson_09


def test_the_right_k() -> None:
    assert is_solved(lesson_09.largest_k, 5)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [(3, "strangers"), (6, "tie"), (10, "7 other votes"), (2, "a larger k"), (4, "harmless")],
)
def test_wrong_k(wrong: int, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_09.largest_k, wrong)
    assert hint in capsys.readouterr().out


def world(vote) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Try a vote on 100 made-up questions: a small class (5 rows) in first place, others after it.

    On half of the questions the small class is right; on the others it came first by chance, with
    little likeness, and the large class is right.
    """
    count = np.array([250, 5, 250])
    right = []
    for question in range(100):
        new = question % 2 == 0
        labels = np.array([1, 1, 0, 0, 2, 0, 2, 0]) if new else np.array([0, 0, 2, 0, 0, 1, 0, 2])
        similarity = np.linspace(0.9, 0.5, 8).astype(np.float32)
        weights = np.asarray(vote(similarity, labels, count), float)
        right.append(np.bincount(labels, weights).argmax() == (1 if new else 0))
    return float(np.mean(right[::2])), float(np.mean(right[1::2]))


def ranks(similarity: np.ndarray) -> np.ndarray:
    return 1 / (2 + np.arange(len(similarity)))


@pytest.mark.parametrize(
    "right",
    [
        lambda s, labels, count: ranks(s) / count[labels] ** 0.5,
        lambda s, labels, count: [
            (3 if count[label] < 100 else 1) / (2 + i) for i, label in enumerate(labels)
        ],
        lambda s, labels, count: np.exp(s / 0.07) / np.log(count[labels]),
    ],
    ids=["by the root of the count", "by a threshold, as a list", "softmax"],
)
def test_fair_votes(right, capsys) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_09.fair_vote, right, world), capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda s, labels, count: None, "return"),
        (lambda s, labels, count: ranks(s), "rank vote itself"),
        (lambda s, labels, count: ranks(s)[:2], "the shape (4,)"),
        (lambda s, labels, count: -ranks(s), "less than nothing"),
        (lambda s, labels, count: 0 * ranks(s), "nobody votes"),
        (lambda s, labels, count: ranks(s) / (count[labels] - 5), "not finite"),
        (lambda s, labels, count: np.ones(len(s)), "more than 50 % of the new are wanted"),
        (lambda s, labels, count: ranks(s) / count[labels], "too generous"),
        (lambda s, labels, count: ranks(s) / count, "stopped in its line"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_unfair_votes(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_09.fair_vote, wrong, world)
    assert hint in " ".join(capsys.readouterr().out.split())


def vote(query, vectors, labels, k, sign=-1, weigh=True):  # type: ignore[no-untyped-def]
    nearest = np.argsort(sign * (vectors @ query), kind="stable")[:k]
    weights = 1 / (2 + np.arange(k)) if weigh else np.ones(k)
    return np.bincount(labels[nearest], weights).argmax()


def by_sums(query, vectors, labels, k):  # type: ignore[no-untyped-def]
    order = sorted(range(len(vectors)), key=lambda row: -float(vectors[row] @ query))
    sums: dict[int, float] = {}
    for place, row in enumerate(order[:k]):
        sums[labels[row]] = sums.get(labels[row], 0) + 1 / (place + 2)
    return max(sums, key=lambda label: sums[label])


@pytest.mark.parametrize("right", [vote, by_sums])
def test_the_right_classifier(right) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_09.my_classifier, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda *a: None, "nothing: is there a"),
        (lambda q, v, y, k: [1, 2], "a whole number is wanted"),
        (lambda q, v, y, k: y[np.argmax(v @ q)], "nearest row alone"),
        (lambda q, v, y, k: np.argmax(v @ q), "own number"),
        (lambda q, v, y, k: vote(q, v, y, k, sign=1), "least"),
        (lambda q, v, y, k: vote(q, v, y, k, weigh=False), "plurality"),
        (
            lambda q, v, y, k: np.bincount(
                y[np.argsort(v @ q)[-k:]], 1 / (2 + np.arange(k))
            ).argmax(),
            "wrong order",
        ),
        (lambda q, v, y, k: 0, "of 40 decisions"),
    ],
)
def test_wrong_classifiers(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_09.my_classifier, wrong)
    assert hint in capsys.readouterr().out


def test_stubs_fail() -> None:
    def stub(*_: object) -> np.ndarray:
        raise NotImplementedError

    assert not is_solved(lesson_09.fair_vote, stub, world)
    assert not is_solved(lesson_09.my_classifier, stub)  # type: ignore[arg-type]
