"""The checkers of lesson 09, a visual memory."""

from collections.abc import Callable

import numpy as np

from liif_core.companions.memory import VisualMemory, by_rank


def largest_k(k: int) -> None:
    """Check exercise 1: 3 examples, which are the 3 nearest; the largest k at which they win."""
    assert k != 3, "3 votes of 3 win, of course. How many strangers may vote as well?"
    assert k != 6, "3 against 3 is a tie in the worst case: the new class must have *more* votes"
    assert k == 5, (
        f"with k = {k} there are {k - 3} other votes; in the worst case all of them name one other "
        "class, and 3 must be more than that"
    )


def rank_weights(answer: Callable[[int], np.ndarray]) -> None:
    """Check exercise 2: `answer(k)` returns the k weights 1 / (2 + i), i from 0."""
    for k in (1, 4):
        found = answer(k)
        assert found is not None, "your function returns nothing: is there a `return`?"
        found = np.asarray(found, float)
        expected = 1 / (2 + np.arange(k))
        assert found.shape == (k,), f"there should be {k} weights; your array is {found.shape}"
        assert not np.allclose(found, 1 / (1 + np.arange(k))), "the offset is 2, not 1"
        assert not np.allclose(found, 1 / (3 + np.arange(k))), "the first neighbour has i = 0"
        assert np.allclose(found, expected), (
            f"for k = {k} the weights should be {np.round(expected, 3).tolist()}, not "
            f"{np.round(found, 3).tolist()}"
        )


def my_classifier(
    answer: Callable[[np.ndarray, np.ndarray, np.ndarray, int], int],
) -> None:
    """Check exercise 3: `answer(query, vectors, labels, k)` is the label that wins by rank."""
    random = np.random.default_rng(9)
    vectors = random.normal(size=(60, 6)) + 0.3
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    labels = random.integers(0, 4, 60)
    memory = VisualMemory(6)
    memory.add(vectors, labels)
    queries = random.normal(size=(40, 6)) + 0.3
    queries = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)
    searched = memory.search(queries, 9)
    expected = memory.decide(searched, by_rank)
    found = [answer(query, vectors, labels, 9) for query in queries]
    assert all(label is not None for label in found), "your function returns nothing"
    decided = np.array([int(label) for label in found])
    assert not np.array_equal(decided, searched.labels[:, 0]), (
        "you return the label of the nearest row alone; let all k vote"
    )
    alike = queries @ vectors.T
    furthest = labels[np.argsort(alike, axis=1)[:, :9]]
    weight = 1 / (2 + np.arange(9))
    last = [np.bincount(row, weight).argmax() for row in furthest]
    assert not np.array_equal(decided, last), (
        "these are the *least* similar rows: np.argsort sorts upwards, so sort −similarity"
    )
    counted = [np.bincount(row).argmax() for row in searched.labels]
    assert not np.array_equal(decided, counted), "this is plurality: weigh the votes by rank"
    wrong = int((decided != expected).sum())
    assert not wrong, (
        f"{wrong} of {len(expected)} decisions are wrong: the k most similar rows, weights "
        "1 / (2 + i), and the label with the largest sum"
    )
