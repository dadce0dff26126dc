"""Lesson 07's props, lettering and JPEG, and its readings of a meter."""

import numpy as np

from liif_core.lesson_figures.lesson_07 import (
    jpeg,
    lettering,
    maps,
    misfits,
    notes_of,
    plane,
    stack,
)
from liif_core.weights import load_model


def test_lettering_keeps_between_ink_and_paper() -> None:
    card = lettering("8", 24, 16, 20, ink=0.2, paper=0.9)
    assert card.shape == (24, 16)
    assert card.dtype == np.float32
    assert np.isclose(card.max(), 0.9)
    assert 0.2 - 1e-6 <= card.min() < 0.4
    assert np.allclose(card[0], 0.9), "the margin should be empty"


def test_lettering_stands_in_the_middle() -> None:
    ink = np.flatnonzero((lettering("H", 24, 17, 20) < 0.5).any(axis=0))
    assert abs(ink[0] + ink[-1] - 16) <= 1


def test_jpeg_keeps_shape_and_range_and_loses_more_at_low_quality() -> None:
    picture = np.random.default_rng(0).random((16, 24, 3), dtype=np.float32)
    low, high = jpeg(picture, 10), jpeg(picture, 95)
    assert low.shape == picture.shape
    assert 0 <= low.min() <= low.max() <= 1
    assert np.std(low - picture) > np.std(high - picture) > 0
    assert jpeg(picture[..., 0], 50).shape == (16, 24)


def test_misfits_are_drawn_where_they_read_and_written_as_they_are() -> None:
    figure = misfits({"clean": {"a": 0.0, "b": 1.5}, "noise": {"a": 40.0, "b": 1.0}})
    axis = figure.axes[0]
    assert [text.get_text() for text in axis.texts] == ["0.00", "1.50", "40", "1.00"]
    assert np.allclose(axis.lines[1].get_xdata(), [40, 1])
    assert axis.lines[0].get_xdata()[0] == 0.01, "nothing has a place on a logarithmic scale"
    assert axis.lines[0].get_ydata()[0] > axis.lines[0].get_ydata()[1], "the first name on top"


def test_a_short_axis_of_misfits_has_marks_that_can_be_read() -> None:
    figure = misfits({"clean": {"a": 0.3, "b": 1.5}}, span=(0.15, 6))
    figure.canvas.draw()
    axis = figure.axes[0].xaxis
    inside = [t.get_text() for t in axis.get_ticklabels() if 0.15 <= t.get_position()[0] <= 6]
    assert inside == ["0.2", "0.5", "1", "2", "5"]
    assert not any(t.get_text() for t in axis.get_ticklabels(minor=True))


def test_a_files_notes_say_what_made_it_and_whether_it_was_invented() -> None:
    photo = np.full((16, 16, 3), 0.5, np.float32)
    kind, software = notes_of(photo, load_model("liif-edsr-small", device="cpu"))
    assert kind == "algorithmicallyEnhanced"
    assert "liif-edsr-small, ×2" in software
    kind, software = notes_of(photo, load_model("liif-edsr-crisp", device="cpu"))
    assert kind == "compositeWithTrainedAlgorithmicMedia"
    assert "seed 0, details are generated" in software


def test_the_plane_joins_a_path_and_names_its_ends() -> None:
    points = {"a": (20.0, 6.0), "1": (24.0, 1.0), "2": (24.5, 2.0), "4": (25.0, 3.0)}
    axis = plane(points, ["1", "2", "4"]).axes[0]
    assert np.allclose(axis.lines[0].get_xydata(), [points[name] for name in ("1", "2", "4")])
    assert {text.get_text() for text in axis.texts} == {"a", "1", "4", "photographs"}
    assert axis.get_ylim()[0] < 0, "photographs, at nought, are in sight"


def test_a_map_says_what_its_lightest_shade_is() -> None:
    layer = np.full((8, 8), 3.0)
    layer[0] = 12
    figure = maps({"one": (np.zeros((8, 8, 3)), {"error": layer, "doubt": layer / 3})})
    below = [axis.get_xlabel() for axis in figure.axes]
    assert below == ["", "dark: 0, light: 12 of 255", "dark: 0, light: 4 of 255"]
    assert [axis.get_title() for axis in figure.axes] == ["LIIF", "error", "doubt"]


def test_cells_are_drawn_in_true_grey_under_their_names() -> None:
    figure = stack({"all": np.array([0.1, 0.9]), "none": np.array([0.9, 0.9])})
    assert [axis.get_ylabel() for axis in figure.axes] == ["all", "none"]
    assert figure.axes[0].images[0].get_clim() == (0, 1)
