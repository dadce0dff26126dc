"""Lesson 06's figures: the one computation in them, the running mean."""

import numpy as np

from liif_core.lesson_figures.lesson_06 import running_mean


def test_the_running_mean_of_a_line_is_the_line() -> None:
    steps, mean = running_mean([2 * step + 1 for step in range(50)], 20)
    assert len(steps) == 50 - 20 + 1
    assert np.allclose(mean, 2 * steps + 1)


def test_a_single_value_spreads_over_the_window() -> None:
    _, mean = running_mean([0, 0, 6, 0, 0], 3)
    assert np.allclose(mean, [2, 2, 2])
