"""Lesson 11's figures."""

import numpy as np
import pytest

from liif_core.lesson_figures.lesson_11 import (
    cost_curves,
    framed,
    gains_over_training,
    grouped_bars,
    wave_discs,
    with_splats,
)

GREY = np.full((40, 60, 3), 128, np.uint8)


def test_the_frame_is_drawn_where_the_parts_are() -> None:
    figure = framed(GREY, (20, 30, 50, 36), {"a": GREY, "b": GREY, "c": GREY, "d": GREY})
    photo, *parts = figure.axes
    for frame in photo.patches:
        assert frame.get_bbox().bounds == (19.5, 29.5, 30, 6)
    assert [axis.get_title() for axis in parts] == ["a", "b", "c", "d"]


def test_bars_stand_in_groups_and_say_their_values() -> None:
    groups = {"square": {"LIIF": 27.0, "heat": 26.5}, "needle": {"LIIF": 29.0, "heat": 31.25}}
    axis = grouped_bars(groups, "PSNR (dB)", start=20).axes[0]
    tops = [bar.get_y() + bar.get_height() for bar in axis.patches]
    assert tops == [27.0, 29.0, 26.5, 31.25]
    assert {bar.get_y() for bar in axis.patches} == {20}
    assert [text.get_text() for text in axis.texts] == ["27.0", "29.0", "26.5", "31.2"]
    assert len({bar.get_hatch() for bar in axis.patches}) == 2, "told apart without colour, too"


def test_a_wave_is_drawn_with_its_mirror_image_and_its_strength() -> None:
    omega, strong = np.array([[1.0, 2.0], [0.0, 4.0]]), np.array([0.0, 1.0])
    figure = wave_discs(omega, {"roof": strong, "sky": 0.5 * strong})
    roof, sky = figure.axes
    there, mirrored = roof.collections
    assert np.array_equal(there.get_offsets(), [[2, 1], [4, 0]]), "across, then down"
    assert np.array_equal(mirrored.get_offsets(), [[-2, -1], [-4, 0]])
    areas = [panel.collections[0].get_sizes() - 2 for panel in (roof, sky)]
    assert areas[0][0] == 0
    assert areas[1][1] == pytest.approx(areas[0][1] / 2), "on one scale"


def test_outlines_lie_where_the_splats_do() -> None:
    splat = np.array([[10.0, 20.0]]), np.array([[6.0, 2.0]]), np.array([np.pi / 6])
    figure = with_splats({"one": GREY}, [splat])
    for outline in figure.axes[0].patches:
        assert outline.center == (20, 10)
        assert (outline.width, outline.height) == (12, 4)
        assert outline.angle == pytest.approx(30)


def test_costs_are_drawn_in_powers_of_ten() -> None:
    axis = cost_curves((1, 12), {"LIIF": (4e5, 4e4), "heat": (4e5, 4e3)}).axes[0]
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["×1", "×12"]


def test_a_decoders_gain_is_a_line_beside_that_of_training() -> None:
    axis = gains_over_training((5000, 70_000), (0, 0.39), 0.08).axes[0]
    run, line = axis.lines
    assert list(run.get_ydata()) == [0, 0.39]
    assert set(line.get_ydata()) == {0.08}
    assert "+0.08 dB" in axis.get_legend().get_texts()[1].get_text()
