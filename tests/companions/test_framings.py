"""Framings: windows, what they show, and ways to decide."""

import numpy as np
import pytest
import torch

from liif_core.baselines import resize
from liif_core.companions.framings import (
    OUTSIDE,
    Framing,
    all_framings,
    box_of,
    by_confidence,
    by_entropy,
    by_mean,
    frame,
    is_inside,
    is_right,
)
from liif_core.coords import pixel_centres
from liif_core.errors import LiifError

RANDOM = np.random.default_rng(0)


def test_36_sizes_and_9_anchors_are_324_framings():
    framings = all_framings(range(100, 136))
    assert len(framings) == len(set(framings)) == 324
    assert framings[:4] == [Framing(100, 0, 0), (100, 0, 1), (100, 0, 2), (100, 1, 0)]


def test_a_window_is_a_coordinate_and_a_scale():
    """Its centre is one of three pixel centres in [-1, 1]; its side 2 · 224 / size."""
    for framing in all_framings([300, 700]):
        left, top, right, bottom = np.array(box_of(framing, 500, 500)) / 250 - 1
        centres = pixel_centres(3, dtype=torch.float64)
        assert (left + right) / 2 == pytest.approx(centres[framing.col].item())
        assert (top + bottom) / 2 == pytest.approx(centres[framing.row].item())
        assert right - left == pytest.approx(2 * 224 / framing.size)


def test_size_counts_the_shorter_side():
    left, top, right, bottom = box_of(Framing(400, 1, 1), 200, 300)
    assert (right - left, bottom - top) == pytest.approx((112, 112))
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((150, 100))


def test_a_window_inside_is_what_resize_makes_of_it():
    photo = RANDOM.integers(0, 256, (300, 400, 3), np.uint8)
    framing = Framing(700, 1, 2)
    assert is_inside(framing, 300, 400)
    expected = resize(photo, 224, 224, "bicubic", box=box_of(framing, 300, 400))
    assert np.array_equal(frame(photo, framing), expected)


@pytest.mark.parametrize(("height", "width"), [(512, 512), (427, 640), (512, 600), (301, 300)])
def test_from_size_672_on_all_windows_lie_inside(height, width):
    assert all(is_inside(framing, height, width) for framing in all_framings([672, 900]))
    inside = [is_inside(framing, height, width) for framing in all_framings([660])]
    assert inside[4]
    assert not all(inside)


def test_zooming_out_shows_grey_around():
    photo = np.full((100, 100, 3), 250, np.uint8)
    framing = Framing(112, 1, 1)
    assert not is_inside(framing, 100, 100)
    shown = frame(photo, framing)
    assert shown.shape == (224, 224, 3)
    assert (shown[56:168, 56:168] == 250).all()
    outside = np.ones((224, 224), bool)
    outside[56:168, 56:168] = False
    assert (shown[outside] == OUTSIDE).all()


def test_a_corner_shows_the_photos_own_corner():
    photo = np.zeros((90, 90, 3), np.uint8)
    photo[:30, :30] = 200
    shown = frame(photo, Framing(224, 0, 0))  # as large as the window: centred on pixel 15
    middle = 112
    assert (shown[middle, middle] == 200).all()
    assert (shown[20, 20] == OUTSIDE).all()
    assert (shown[middle + 90, middle] == 0).all()


@pytest.mark.parametrize("framing", [Framing(0, 1, 1), Framing(224, 3, 0), Framing(224, 0, -1)])
def test_an_impossible_framing_is_refused(framing):
    with pytest.raises(LiifError, match="a framing has a size"):
        frame(np.zeros((50, 50, 3), np.uint8), framing)


def test_tiny_sizes_still_show_something():
    shown = frame(np.full((40, 60, 3), 9, np.uint8), Framing(1, 1, 1))
    assert (shown == 9).all(axis=2).sum() >= 1


def test_several_labels_may_be_right():
    table = np.eye(4)[[0, 1, 2, 3]]
    assert is_right(table, {1, 3}).tolist() == [False, True, False, True]


def test_three_ways_to_decide():
    table = np.array(
        [
            [0.60, 0.40, 0.00, 0.00, 0.00],  # least entropy
            [0.04, 0.04, 0.04, 0.70, 0.18],  # most confident
            [0.00, 0.36, 0.30, 0.00, 0.34],
            [0.00, 0.36, 0.30, 0.00, 0.34],
        ]
    )
    assert (by_entropy(table), by_confidence(table), by_mean(table)) == (0, 3, 1)
