"""A visual memory (arXiv 2408.08172): a classifier that is a table, and can be edited like one.

A frozen encoder turns pictures into vectors of length 1. The memory holds one row per picture that
it was shown: vector, label, id. To classify, the k most similar rows are looked up, and they vote.
Nothing is trained: to learn is to append rows, to unlearn is to delete them, and the neighbours
that voted are the explanation.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from liif_core.errors import LiifError

#: Queries that are compared with the whole memory at a time: bounds the table of similarities.
BLOCK = 256

#: similarity, (Q, k), most similar first -> the weight of each vote, (Q, k).
Vote = Callable[[np.ndarray], np.ndarray]


class Neighbours(NamedTuple):
    """What a search found for each of Q queries, most similar first.

    Attributes:
        rows: (Q, k) where in the memory, as it was when searched.
        ids: (Q, k) the ids of those rows; they outlive every edit.
        labels: (Q, k) their labels.
        similarity: (Q, k) float32, cosine similarity in [-1, 1].
    """

    rows: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    similarity: np.ndarray


class VisualMemory:
    """Rows of (vector, label, id), searched exactly.

    Args:
        size: length of a vector.

    Attributes:
        vectors: (N, size) float32, each of length 1.
        labels: (N,) int64, 0 or more.
        ids: (N,) int64, given in order and never twice.
        trust: (N,) float32, by how much a row's votes count; 1 unless someone lowers it.
    """

    def __init__(self, size: int) -> None:
        self.vectors = np.empty((0, size), np.float32)
        self.labels = np.empty(0, np.int64)
        self.ids = np.empty(0, np.int64)
        self.trust = np.empty(0, np.float32)
        self._next_id = 0

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Append rows, and return their ids.

        Args:
            vectors: (n, size), each of length 1.
            labels: (n,) integers, 0 or more.

        Raises:
            LiifError: shapes that do not fit, a vector whose length is not 1, a negative label.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self.vectors.shape[1]:
            raise LiifError(
                f"this memory holds vectors of length {self.vectors.shape[1]}, got {vectors.shape}"
            )
        if len(labels) != len(vectors) or (len(labels) and np.min(labels) < 0):
            raise LiifError(f"{len(vectors)} vectors need as many labels, 0 or more")
        if not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3):
            raise LiifError("a vector's length is not 1: divide each by its norm first")
        ids = self._next_id + np.arange(len(vectors))
        self._next_id += len(vectors)
        self.vectors = np.concatenate([self.vectors, vectors.astype(np.float32)])
        self.labels = np.concatenate([self.labels, np.asarray(labels, np.int64)])
        self.ids = np.concatenate([self.ids, ids])
        self.trust = np.concatenate([self.trust, np.ones(len(ids), np.float32)])
        return ids

    def forget(self, ids: np.ndarray) -> int:
        """Delete the rows with these ids, and return how many there were; ids may be unknown."""
        return self._keep(~np.isin(self.ids, ids))

    def forget_label(self, label: int) -> int:
        """Delete all rows with a label, and return how many there were."""
        return self._keep(self.labels != label)

    def search(self, queries: np.ndarray, k: int, *, skip_self: bool = False) -> Neighbours:
        """Find the k most similar rows of each query; of equal ones the earlier comes first.

        Args:
            queries: (Q, size), each of length 1.
            k: at least 1; at most as many as there are rows.
            skip_self: query i *is* row i, and must not find itself (leave one out).

        Raises:
            LiifError: k is out of range.
        """
        available = len(self) - skip_self
        if not 1 <= k <= available:
            raise LiifError(f"k must lie in 1 … {available}, the rows to choose from; it is {k}")
        rows, similarity = [], []
        for start in range(0, len(queries), BLOCK):
            alike = queries[start : start + BLOCK] @ self.vectors.T
            if skip_self:
                own = np.arange(len(alike))
                alike[own, start + own] = -np.inf
            best = np.argsort(-alike, axis=1, kind="stable")[:, :k]
            rows.append(best)
            similarity.append(np.take_along_axis(alike, best, axis=1))
        found = np.concatenate(rows)
        return Neighbours(found, self.ids[found], self.labels[found], np.concatenate(similarity))

    def decide(self, found: Neighbours, vote: Vote, k: int | None = None) -> np.ndarray:
        """Return the label that wins each vote, (Q,); of equal ones the smallest.

        Args:
            found: what `search` returned, the memory unchanged since.
            vote: gives each neighbour a weight, which its `trust` multiplies.
            k: let only the first k vote; all by default.
        """
        weight = vote(found.similarity[:, :k]) * self.trust[found.rows[:, :k]]
        sums = np.zeros((len(weight), self.labels.max() + 1))
        row = np.arange(len(weight))[:, None]
        np.add.at(sums, (row, found.labels[:, :k]), weight)
        return sums.argmax(axis=1)

    def _keep(self, kept: np.ndarray) -> int:
        self.vectors, self.labels = self.vectors[kept], self.labels[kept]
        self.ids, self.trust = self.ids[kept], self.trust[kept]
        return int((~kept).sum())


def plurality(similarity: np.ndarray) -> np.ndarray:
    """One neighbour, one vote."""
    return np.ones_like(similarity)


def by_distance(similarity: np.ndarray) -> np.ndarray:
    """Weigh a vote e^(−d), where d = 1 − cosine similarity."""
    return np.exp(similarity - 1)


def by_softmax(similarity: np.ndarray, temperature: float = 0.07) -> np.ndarray:
    """Weigh a vote e^(s / 0.07), s the cosine similarity, scaled so that the first counts 1."""
    return np.exp((similarity - similarity[:, :1]) / temperature)


def by_rank(similarity: np.ndarray, offset: float = 2.0) -> np.ndarray:
    """Weigh a vote 1 / (2 + i) for the neighbour in place i = 0, 1, … (the paper's RankVoting)."""
    ranks = np.arange(similarity.shape[1])
    return np.broadcast_to(1 / (offset + ranks), similarity.shape)


VOTES: dict[str, Vote] = {
    "plurality": plurality,
    "distance": by_distance,
    "softmax": by_softmax,
    "rank": by_rank,
}


def reliability(memory: VisualMemory, k: int) -> np.ndarray:
    """Return how far each row can be trusted: (N,) in (0, 1].

    Every row is asked for in turn, with itself left out. A row that stands among the k neighbours
    of others has voted rightly or wrongly; its reliability is (right + 1) / (all + 1). One that was
    never asked keeps 1. Used as `trust`, it prunes softly; rows below a threshold, deleted, hard.
    """
    found = memory.search(memory.vectors, k, skip_self=True)
    right = found.labels == memory.labels[:, None]
    asked = np.bincount(found.rows.ravel(), minlength=len(memory))
    agreed = np.bincount(found.rows[right], minlength=len(memory))
    return ((agreed + 1) / (asked + 1)).astype(np.float32)


def accuracy(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Return the share of right answers, and its standard error √(p (1 − p) / n)."""
    share = float(np.mean(found == true))
    return share, float(np.sqrt(share * (1 - share) / len(true)))
