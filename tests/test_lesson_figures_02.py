"""Pictures made of feature maps: ranges, colours that do not depend on the machine, places."""

import numpy as np
import pytest
import torch

from liif_core.exercises.lesson_02 import TAMPERINGS
from liif_core.lesson_figures import lesson_02 as plots
from liif_core.liif import Latents

FEATURES = np.random.default_rng(0).normal(size=(6, 20, 30)) * np.arange(1, 7)[:, None, None]


def test_stretch_fills_the_range_whatever_the_scale():
    grey = plots.stretch(FEATURES[0] * 1e6 + 5)
    assert grey.min() == 0
    assert grey.max() == 1
    assert np.allclose(grey, plots.stretch(FEATURES[0]))


def test_stretch_of_a_flat_map_is_flat():
    assert np.ptp(plots.stretch(np.full((4, 4), 3.0))) == 0


def test_false_colours_put_the_strongest_direction_first():
    features = np.zeros((4, 8, 8))
    features[2] = np.linspace(0, 10, 64).reshape(8, 8)
    features[0] = np.random.default_rng(1).normal(size=(8, 8)) * 0.1
    picture = plots.false_colours(features)
    assert picture.shape == (8, 8, 3)
    assert np.corrcoef(picture[..., 0].ravel(), features[2].ravel())[0, 1] > 0.99


def test_false_colours_ignore_order_and_offset_of_channels():
    picture = plots.false_colours(FEATURES)
    other = plots.false_colours(FEATURES[::-1] + np.arange(6)[:, None, None])
    assert np.allclose(picture, other, atol=1e-9)


def test_contact_sheet_places_maps_in_reading_order():
    maps = np.stack([np.eye(5), 1 - np.eye(5), np.eye(5)[::-1]])
    sheet = plots.contact_sheet(maps, columns=2, gap=1)
    assert sheet.shape == (11, 11)
    assert np.array_equal(sheet[:5, 6:], maps[1])
    assert np.array_equal(sheet[6:, :5], maps[2])
    assert (sheet[6:, 6:] == 1).all(), "an empty place stays white"


@pytest.mark.parametrize("place", [(10, 10), (0, 0), (19, 29)])
def test_cross_surrounds_its_pixel_and_leaves_it_free(place):
    grey = np.full((20, 30), 0.5)
    marked = plots.with_cross(grey, *place)
    assert marked.shape == (20, 30, 3)
    assert (marked[place] == 0.5).all()
    assert {0.0, 0.5, 1.0} == set(np.unique(marked))
    assert (grey == 0.5).all(), "the picture itself is not changed"


def test_change_map_marks_both_distances():
    change = np.zeros((7, 7))
    change[2:5, 2:5] = 1e-3
    figure = plots.change_map(change, {"most": 1, "reach": 3})
    widths = sorted(patch.get_width() for patch in figure.axes[0].patches)
    assert widths == [3, 7]


def test_two_codes_draws_every_channel():
    figure = plots.two_codes([np.zeros((3, 3, 3))] * 2, [np.arange(5.0), np.ones(5)])
    assert [len(axis.patches) for axis in figure.axes] == [1, 5, 1, 5]


def test_each_tampering_is_what_its_name_says():
    codes, colours = torch.randn(1, 4, 6, 7), torch.randn(1, 3, 6, 7)
    found = plots.tampered(Latents(codes, colours))
    named = {TAMPERINGS[letter]: latents for letter, latents in found.items()}
    assert torch.equal(named["codes zero"].codes, torch.zeros_like(codes))
    assert torch.equal(named["codes doubled"].codes, 2 * codes)
    assert torch.equal(named["codes moved"].codes[..., 2:, 3:], codes[..., :-2, :-3])
    assert torch.equal(named["colours zero"].colours, torch.zeros_like(colours))
    assert all(
        torch.equal(latents.colours, colours)
        for way, latents in named.items()
        if way != "colours zero"
    )
