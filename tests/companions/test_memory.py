"""The visual memory: searching, voting, adding, unlearning, pruning."""

import math

import numpy as np
import pytest

from liif_core.companions import memory as module
from liif_core.companions.memory import (
    VOTES,
    VisualMemory,
    accuracy,
    by_distance,
    by_rank,
    by_softmax,
    plurality,
    reliability,
)
from liif_core.errors import LiifError


def unit(*shape: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def filled(n: int = 40, classes: int = 4) -> VisualMemory:
    memory = VisualMemory(8)
    memory.add(unit(n, 8), np.arange(n) % classes)
    return memory


def test_search_finds_the_most_similar_first(monkeypatch):
    memory, queries = filled(), unit(10, 8, seed=1)
    monkeypatch.setattr(module, "BLOCK", 3)
    found = memory.search(queries, 5)
    alike = queries @ memory.vectors.T
    for row in range(10):
        expected = sorted(range(40), key=lambda i: -alike[row, i])[:5]
        assert found.rows[row].tolist() == expected
    assert np.allclose(found.similarity, -np.sort(-alike, axis=1)[:, :5])
    assert np.array_equal(found.labels, memory.labels[found.rows])


def test_leaving_oneself_out(monkeypatch):
    memory = filled()
    monkeypatch.setattr(module, "BLOCK", 7)
    assert np.array_equal(memory.search(memory.vectors, 1).rows[:, 0], np.arange(40))
    found = memory.search(memory.vectors, 39, skip_self=True)
    assert all(row not in found.rows[row] for row in range(40))


@pytest.mark.parametrize(("k", "skip", "most"), [(0, False, 40), (41, False, 40), (40, True, 39)])
def test_an_impossible_k_is_refused(k, skip, most):
    with pytest.raises(LiifError, match=f"k must lie in 1 … {most}"):
        filled().search(unit(40, 8), k, skip_self=skip)


def test_what_does_not_fit_is_refused():
    memory = filled()
    with pytest.raises(LiifError, match="vectors of length 8"):
        memory.add(unit(3, 5), np.zeros(3, int))
    with pytest.raises(LiifError, match="as many labels"):
        memory.add(unit(3, 8), np.zeros(2, int))
    with pytest.raises(LiifError, match="0 or more"):
        memory.add(unit(3, 8), np.array([0, -1, 2]))
    with pytest.raises(LiifError, match="length is not 1"):
        memory.add(2 * unit(3, 8), np.zeros(3, int))
    assert len(memory) == 40


def test_unlearning_leaves_what_was_never_learned():
    """Deleted, a class is gone bit for bit; and its ids are not given to others."""
    memory, never = filled(), VisualMemory(8)
    kept = memory.labels != 2
    never.add(memory.vectors[kept], memory.labels[kept])
    assert memory.forget_label(2) == 10
    assert np.array_equal(memory.vectors, never.vectors)
    assert np.array_equal(memory.labels, never.labels)
    queries = unit(30, 8, seed=2)
    for vote in VOTES.values():
        ours, theirs = (m.decide(m.search(queries, 9), vote) for m in (memory, never))
        assert np.array_equal(ours, theirs)
        assert 2 not in ours
    assert memory.add(unit(1, 8), np.array([2])).tolist() == [40]


def test_forgetting_by_id():
    memory = filled()
    assert memory.forget(np.array([0, 39, 77])) == 2
    assert memory.ids.tolist() == list(range(1, 39))
    assert memory.trust.shape == (38,)


def test_the_weights_of_the_votes():
    similarity = np.array([[0.9, 0.5, 0.2]], np.float32)
    assert plurality(similarity).tolist() == [[1, 1, 1]]
    assert by_distance(similarity)[0, 1] == pytest.approx(math.exp(-0.5))
    softmax = by_softmax(similarity)[0]
    expected = np.exp(similarity[0] / 0.07)
    assert np.allclose(softmax / softmax.sum(), expected / expected.sum(), atol=1e-6)
    assert by_rank(similarity)[0].tolist() == [1 / 2, 1 / 3, 1 / 4]


def test_votes_can_differ():
    """One very near row against two others: rank and plurality decide differently."""
    memory = VisualMemory(2)
    angles = np.array([0.0, 0.5, 0.6])
    memory.add(np.stack([np.cos(angles), np.sin(angles)], 1), np.array([0, 1, 1]))
    found = memory.search(np.array([[1.0, 0.0]]), 3)
    assert memory.decide(found, plurality).tolist() == [1]
    assert memory.decide(found, by_softmax).tolist() == [0]
    assert memory.decide(found, plurality, k=1).tolist() == [0]
    memory.trust[0] = 0
    assert memory.decide(found, by_softmax).tolist() == [1]


def test_a_tie_goes_to_the_smaller_label():
    memory = VisualMemory(2)
    memory.add(np.array([[1.0, 0], [1.0, 0]]), np.array([3, 1]))
    found = memory.search(np.array([[1.0, 0]]), 2)
    assert found.ids.tolist() == [[0, 1]]
    assert memory.decide(found, plurality).tolist() == [1]


def test_reliability_finds_the_rows_that_mislead():
    """Two clear clusters; five rows in one carry the other's label."""
    memory = VisualMemory(8)
    centres = np.zeros((2, 8))
    centres[0, 0] = centres[1, 1] = 1
    labels = np.arange(100) % 2
    vectors = centres[labels] + 0.1 * unit(100, 8)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    wrong = np.arange(0, 50, 10)
    labels[wrong] = 1
    memory.add(vectors, labels)
    trust = reliability(memory, 10)
    assert trust.shape == (100,)
    assert ((trust > 0) & (trust <= 1)).all()
    assert trust[wrong].max() < 0.4 < np.delete(trust, wrong).min()


def test_a_row_that_was_never_asked_keeps_its_trust():
    memory = VisualMemory(2)
    angles = np.array([0.0, 0.01, 0.02, 2.0])
    memory.add(np.stack([np.cos(angles), np.sin(angles)], 1), np.zeros(4, int))
    assert reliability(memory, 1)[3] == 1


def test_accuracy_comes_with_its_standard_error():
    assert accuracy(np.array([1, 1, 0, 0]), np.array([1, 1, 1, 0])) == pytest.approx(
        (0.75, math.sqrt(0.75 * 0.25 / 4))
    )
