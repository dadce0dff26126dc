"""Lesson 05's stopwatch."""

import pytest

from liif_core.lesson_figures.lesson_05 import measure


def test_measure_returns_the_result_and_passes_errors_on() -> None:
    result, seconds, megabytes = measure(lambda: 42)
    assert result == 42
    assert 0 <= seconds < 60
    assert megabytes > 1
    with pytest.raises(ZeroDivisionError):
        measure(lambda: 1 / 0)
