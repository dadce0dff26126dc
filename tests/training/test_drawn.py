"""Drawn patches, and those of photos that were shrunk before."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from liif_core.photos import photo_paths
from liif_core.training import drawn as drawing
from liif_core.training.drawn import drawn
from liif_core.training.pairs import PairSampler
from liif_core.training.recipe import Recipe

RECIPE = Recipe("tiny", steps=10, batch=3, patch=8, queries=20, warmup=1)


@pytest.mark.parametrize("kind", drawing.KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_draws_sharp_edges(kind, monkeypatch):
    """Colours differ, steps between neighbours are large, and most of a picture is plain."""
    monkeypatch.setattr(drawing, "KINDS", (kind,))
    steps, plain = [], []
    for seed in range(30):
        picture = drawn(48, np.random.default_rng(seed)).astype(float)
        assert picture.shape == (48, 48, 3)
        across = np.abs(np.diff(picture, axis=1)).max(axis=-1)
        steps.append(across.max())
        plain.append((across < 8).mean())
    assert np.mean(np.array(steps) > 40) > 0.6
    assert np.median(plain) > 0.3


def test_a_picture_depends_on_its_numbers_alone():
    one, same, other = (drawn(33, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert one.dtype == np.uint8
    assert (one == same).all()
    assert (one != other).any()


def test_so_many_patches_are_drawn(photos, monkeypatch):
    """And no photograph is looked at for them; the rest is cut from photographs."""
    monkeypatch.setattr(
        "liif_core.training.pairs.drawn", lambda side, rng: np.zeros((side, side, 3), np.uint8)
    )
    sampler = PairSampler(photo_paths(photos), replace(RECIPE, drawn=0.3))
    black = [not sampler.sample(number).colour.any() for number in range(200)]
    assert 0.2 < np.mean(black) < 0.4


def test_crisper_patches_are_of_photos_that_were_shrunk(tmp_path):
    """Stripes of 8 pixels get narrower, but no wider; those of a third in all, none is drawn."""
    stripes = np.indices((160, 160))[1] // 8 % 2 * 255
    Image.fromarray(stripes.astype(np.uint8)).convert("RGB").save(tmp_path / "stripes.png")
    recipe = replace(RECIPE, patch=40, min_scale=1.0, max_scale=1.0, crisper=0.5, queries=1600)
    sampler = PairSampler([tmp_path / "stripes.png"], recipe)
    changes = []
    for number in range(60):
        grey = sampler.sample(number).photo[0] > 0.5
        changes.append(
            max(int((part[1:] != part[:-1]).sum()) / 39 for part in (grey[0], grey[:, 0]))
        )
    widths = 1 / np.array(changes)
    as_it_is = np.abs(widths - 8) < 2.5
    assert 0.3 < as_it_is.mean() < 0.7
    assert (widths[~as_it_is] < 8).all()
    assert widths.min() > 2.2


def test_without_shares_the_samples_are_those_of_before(photos):
    """Of runs from before there were shares, begun and gone on with since."""
    sampler = PairSampler(photo_paths(photos), RECIPE)
    rng = np.random.default_rng([RECIPE.seed, 5])
    picture = sampler.photos[rng.integers(len(sampler.photos))]
    side = round(RECIPE.patch * rng.uniform(RECIPE.min_scale, RECIPE.max_scale))
    top, left = (rng.integers(length - side + 1) for length in picture.shape[:2])
    crop = picture[top : top + side, left : left + side]
    sample = sampler.sample(5)
    assert round(2 / float(sample.cell[0, 0])) == side
    means = [torch.tensor(crop / 255).float().mean(dim=(0, 1)), sample.photo.mean(dim=(1, 2))]
    torch.testing.assert_close(*means, atol=0.02, rtol=0)
