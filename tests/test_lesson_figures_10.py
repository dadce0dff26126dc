"""Lesson 10's scenes and figures."""

from collections import Counter

import numpy as np

from liif_core.lesson_figures.lesson_10 import (
    SCENE,
    THINGS,
    anchor_maps,
    framing_plot,
    heat_map,
    make_scenes,
    share_bars,
)


def test_scenes_put_things_everywhere_alike() -> None:
    scenes = make_scenes()
    assert len(scenes) == 27
    assert set(Counter((scene.row, scene.col) for scene in scenes).values()) == {3}
    assert set(Counter(scene.thing for scene in scenes)) == set(THINGS)
    assert min(Counter(scene.thing for scene in scenes).values()) >= 4
    again = make_scenes()
    for scene, same in zip(scenes, again, strict=True):
        assert scene.picture.shape == (SCENE, SCENE, 3)
        assert np.array_equal(scene.picture, same.picture)


def test_a_scene_shows_its_thing_where_it_says() -> None:
    """The grounds are grey; of the coloured things most of the colour lies in the scene's cell."""
    for scene in make_scenes():
        if scene.thing == "camera":  # a grey photo
            continue
        colour = np.ptp(scene.picture.astype(int), axis=2) > 0
        row, col = (
            int(np.average(np.arange(SCENE), weights=colour.sum(axis=axis)) // (SCENE / 3))
            for axis in (1, 0)
        )
        assert (row, col) == (scene.row, scene.col)


def test_figures_show_what_they_are_given() -> None:
    right = np.zeros((6, 9), bool)
    right[2, 4] = right[5, 0] = True
    figure = heat_map(np.zeros((6, 9)), right, range(100, 106))
    dots = [tuple(line.get_xydata()[0]) for line in figure.axes[0].lines]
    assert dots == [(2, 4), (5, 0)]
    figure = anchor_maps({"a": np.arange(9).reshape(3, 3) / 9, "b": np.ones((3, 3))})
    assert [text.get_text() for text in figure.axes[0].texts][4] == "0.44"
    figure = share_bars({"one": 0.2, "all": 0.7}, {"one": 1, "all": 27})
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "20 % (1 look)",
        "70 % (27 looks)",
    ]
    picture = np.zeros((40, 60, 3), np.uint8)
    figure = framing_plot(picture, [(0, 0, 20, 20), (30, 10, 50, 30)], [picture, picture])
    assert len(figure.axes) == 3
    assert len(figure.axes[0].patches) == 2
    assert framing_plot(picture, [(-30, 0, 80, 40)], [picture]).axes[0].get_xlim()[0] < -30
