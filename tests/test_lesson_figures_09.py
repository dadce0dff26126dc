"""Lesson 09's figures: what is drawn is what was measured."""

import numpy as np

from liif_core.figures import STRIP
from liif_core.lesson_figures.lesson_09 import (
    adding_plot,
    clothes,
    decision,
    recall_plot,
    voting_plot,
)


def test_plots_show_percentages_at_their_places() -> None:
    figure = voting_plot([1, 10], {"rank": [(0.5, 0.01), (0.75, 0.01)]})
    assert figure.axes[0].lines[0].get_xydata().tolist() == [[1, 50], [10, 75]]
    pairs = [(0.0, 0.0), (0.9, 0.02)]
    figure = adding_plot([0, 100], pairs, pairs[::-1])
    assert figure.axes[0].lines[0].get_ydata().tolist() == [0, 90]
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["0", "100"]


def test_an_exact_search_finds_all() -> None:
    axis = recall_plot([0.1, 0.2], [0.5, 0.9], [1, 4], 3.0).axes[0]
    assert axis.lines[1].get_xydata().tolist() == [[3, 100]]
    assert [text.get_text() for text in axis.texts] == ["1", "4"]


def test_a_decision_names_what_was_asked_and_what_came_out() -> None:
    picture = np.full((28, 28), 200, np.uint8)
    right = decision(picture, "bag", "bag", [(picture, "bag", 1.0)] * 3)
    wrong = decision(picture, "bag", "coat", [(picture, "coat", 1.0)] * 3)
    assert right.shape == wrong.shape
    assert right.dtype == np.uint8
    assert not np.array_equal(right, wrong)
    ground = tuple(int(STRIP[i : i + 2], 16) for i in (1, 3, 5))
    assert (right[[0, 0, -1, -1], [0, -1, 0, -1]] == ground).all(), "its own, whatever the page's"
    assert (right.max(axis=(0, 1)) == 255).all(), "white words on it"


def test_clothes_stand_in_rows() -> None:
    figure = clothes(np.zeros((3, 5, 28, 28), np.uint8), ("a", "b", "c"))
    assert [axis.get_ylabel() for axis in figure.axes] == ["a", "b", "c"]
