"""The checkers of lesson 09, a visual memory."""

from collections.abc import Callable

import numpy as np

from liif_core.companions.memory import VisualMemory, by_rank
from liif_core.exercises.outputs import NOTHING, Output, number, outputs

#: A vote of exercise 2: similarity (k,), labels (k,), rows of each label in the memory -> (k,).
FairVote = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
#: What exercise 2 wants: so many of the new questions right, so few of the old ones lost.
WON, LOST = 0.5, 0.02


def largest_k(k: int) -> None:
    """Check exercise 1: 3 examples, which are the 3 nearest; the largest k at which they win."""
    k = outputs(k, Output("k", int))
    assert k != 3, "3 votes of 3 win, of course. How many strangers may vote as well?"
    assert k > 3, f"with k = {k} only {k} of the 3 nearest vote: a larger k still wins for certain"
    assert k != 4, "1 other vote is harmless, indeed. A larger k still wins for certain"
    assert k != 6, "3 against 3 is a tie in the worst case: the new class must have *more* votes"
    assert k == 5, (
        f"with k = {k} there are {k - 3} other votes; in the worst case all of them name one other "
        "class, and 3 must be more than that"
    )


def fair_vote(answer: FairVote, shares: Callable[[FairVote], tuple[float, float]]) -> None:
    """Check exercise 2: `answer` lets small classes win, and the large ones lose hardly anything.

    Args:
        answer: (similarity, labels, count) -> the weight of each vote.
        shares: tries a vote on the lesson's memory, and returns the share of right answers on the
            new classes and on the old ones.
    """
    similarity = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    labels, count = np.array([1, 0, 0, 2]), np.array([250, 5, 250])
    weights = outputs(answer(similarity, labels, count), Output("weights", np.ndarray, (4,)))
    assert np.isfinite(weights).all(), f"weights that are not finite: {weights.tolist()}"
    assert (weights >= 0).all(), f"a vote cannot weigh less than nothing: {weights.tolist()}"
    assert weights.any(), "all weights are 0: nobody votes"
    ranked = by_rank(similarity[None])[0]
    same = np.allclose(weights / weights.max(), ranked / ranked.max())
    assert not same, "that is the rank vote itself: it does not ask how many rows a class has"
    old_before = number(shares(_by_rank_alone)[1], "the share of the old")
    new, old = (number(share, "a share") for share in shares(answer))
    told = f"new classes {100 * new:.0f} % right, old ones {100 * old:.1f} %: "
    assert new > WON, (
        told + f"more than {100 * WON:.0f} % of the new are wanted. By how much do 5 rows have to "
        "count more, so that they are heard among 250?"
    )
    assert old > old_before - LOST, (
        told + f"the old ones had {100 * old_before:.1f} % with the rank vote, and may lose "
        f"{100 * LOST:.0f} points at most. Is yours too generous to the small classes?"
    )


def _by_rank_alone(similarity: np.ndarray, labels: np.ndarray, count: np.ndarray) -> np.ndarray:
    return by_rank(similarity[None])[0]


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
    assert all(label is not None for label in found), NOTHING
    decided = np.array([outputs(label, Output("the label", int)) for label in found])
    assert not np.array_equal(decided, searched.labels[:, 0]), (
        "you return the label of the nearest row alone; let all k vote"
    )
    alike = queries @ vectors.T
    assert not np.array_equal(decided, alike.argmax(axis=1)), (
        "that is the nearest row's own number; a label is wanted: labels[row], and of all k rows"
    )
    furthest = labels[np.argsort(alike, axis=1)[:, :9]]
    weight = 1 / (2 + np.arange(9))
    last = [np.bincount(row, weight).argmax() for row in furthest]
    assert not np.array_equal(decided, last), (
        "these are the *least* similar rows: np.argsort sorts upwards, so sort −similarity"
    )
    upwards = [np.bincount(row[::-1], weight).argmax() for row in searched.labels]
    assert not np.array_equal(decided, upwards), (
        "the right rows in the wrong order: the most similar one is to come first, at i = 0"
    )
    counted = [np.bincount(row).argmax() for row in searched.labels]
    assert not np.array_equal(decided, counted), "this is plurality: weigh the votes by rank"
    wrong = int((decided != expected).sum())
    assert not wrong, (
        f"{wrong} of {len(expected)} decisions are wrong: the k most similar rows, weights "
        "1 / (2 + i), and the label with the largest sum"
    )
