"""Lesson 12's scratches and figures."""

import numpy as np

from liif_core.lesson_figures.lesson_12 import (
    falling_waves,
    order_bars,
    scratched,
    shrink_curves,
    whole_and_part,
)

DARK = np.full((128, 128, 3), 60, np.uint8)


def test_a_scratch_is_thin_light_and_the_same_each_time() -> None:
    worn = scratched(DARK, np.random.default_rng(12))
    changed = (worn != DARK).any(axis=2)
    assert (worn >= DARK).all()
    assert 0.002 < changed.mean() < 0.03
    rows = changed[64:100].sum(axis=1)
    assert (rows > 0).all(), "the scratch runs on without a gap"
    assert np.median(rows) <= 3
    assert np.array_equal(worn, scratched(DARK, np.random.default_rng(12)))


def test_a_scratch_leaves_the_upper_part_alone() -> None:
    assert np.array_equal(scratched(DARK, np.random.default_rng(1))[:50], DARK[:50])


def test_the_frame_is_drawn_where_the_part_is() -> None:
    figure = whole_and_part(DARK, (20, 30, 60, 50), DARK, "a part")
    for frame in figure.axes[0].patches:
        assert frame.get_bbox().bounds == (20, 30, 40, 20)
    assert figure.axes[1].get_title() == "a part"


def test_each_limit_is_marked_on_its_curve() -> None:
    curve = (np.array([0.1, 0.2]), np.array([1.0, 0.1]))
    figure = falling_waves({"soft": curve, "sharp": curve}, {"soft": 0.2, "sharp": 0.3})
    marks = [line.get_xdata()[0] for line in figure.axes[0].lines[2:]]
    assert marks == [0.2, 0.3]
    words = [text.get_text().strip() for text in figure.axes[0].texts]
    assert words == ["soft: 0.20", "sharp: 0.30"]


def test_bars_say_their_values_and_where_the_axis_begins() -> None:
    axis = order_bars({"a": 27.0, "b": 28.333}, start=26.5).axes[0]
    assert [text.get_text() for text in axis.texts] == ["27.00", "28.33"]
    assert [bar.get_x() + bar.get_width() for bar in axis.patches] == [27.0, 28.333]
    assert "26.5" in axis.get_xlabel()


def test_gains_are_drawn_against_the_factor() -> None:
    axis = shrink_curves({"soft": {1: 0, 2: 0.3}, "sharp": {1: 0, 2: -1}}).axes[0]
    assert list(axis.lines[1].get_ydata()) == [0, -1]
