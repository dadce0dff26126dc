"""Lesson 08's props: its photographs, and colours for features."""

import numpy as np
import pytest
import torch

from liif_core.lesson_figures.lesson_08 import (
    MEASURED,
    OTHERS,
    FeatureColours,
    bias_map,
    measured_photos,
    method_bars,
    other_crops,
)


def test_what_is_measured_is_not_trained_on() -> None:
    assert not set(MEASURED) & set(OTHERS)


def test_photos_are_squares_of_bytes() -> None:
    photos, crops = measured_photos(64), other_crops(2, 32)
    assert photos.shape == (6, 64, 64, 3)
    assert crops.shape == (12, 32, 32, 3)
    assert photos.dtype == crops.dtype == np.uint8
    assert np.array_equal(crops, other_crops(2, 32))
    assert len(np.unique(crops.reshape(12, -1), axis=0)) == 12


def test_colours_show_the_directions_in_which_features_differ_most() -> None:
    torch.manual_seed(0)
    strong = torch.zeros(1, 6, 20, 20)
    strong[:, 1] = 9 * torch.randn(20, 20)
    maps = strong + 0.1 * torch.randn(1, 6, 20, 20)
    colours = FeatureColours.fit(maps)
    assert colours.axes[1, 0] > 0.99
    (picture,) = colours.paint(maps)
    assert picture.shape == (20, 20, 3)
    assert 0 <= picture.min() <= picture.max() <= 1
    assert np.corrcoef(picture[..., 0].ravel(), maps[0, 1].ravel())[0, 1] > 0.97
    (reversed_,) = FeatureColours.fit(-maps).paint(-maps)
    assert np.allclose(reversed_[..., 0], 1 - picture[..., 0], atol=0.02)


def test_figures_have_what_they_promise() -> None:
    assert bias_map(torch.rand(3, 4, 4)).axes[0].get_title() == "Position bias of a tile"
    rows = {"one": (0.5, 0.1), "two": (0.25, 0.0)}
    figure = method_bars({"whole map": rows, "at seams": rows})
    assert [axis.get_title() for axis in figure.axes] == ["whole map", "at seams"]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["one", "two"]
    for axis in figure.axes:
        assert [text.get_text() for text in axis.texts] == ["0.50", "0.25"]
        assert [bar.get_width() for bar in axis.patches] == [0.5, 0.25]
        assert axis.patches[0].get_y() > axis.patches[1].get_y(), "the first on top"
        (whiskers,) = axis.collections
        assert whiskers.get_segments()[0][:, 0] == pytest.approx([0.4, 0.6])
