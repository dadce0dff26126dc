"""Measures of how real a zoom looks, on pictures whose answers are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom

from liif_core.baselines import resize
from liif_core.companions.encoder import load_encoder
from liif_core.companions.perception import (
    PATCH,
    consistency,
    difference,
    embeddings,
    grid_lock,
    kid,
    patches,
    steepness,
    textured,
)
from liif_core.samples import sample_photo


def grain(seed: int, side: int = 2 * PATCH, blur: float = 1.0) -> np.ndarray:
    """A grey picture of noise that is alike everywhere: (side, side, 3) uint8."""
    rng = np.random.default_rng(seed)
    grey = gaussian_filter(rng.normal(size=(side, side)), blur, mode="wrap")
    grey = 128 + 30 * grey / grey.std()
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def test_patches_are_cut_from_the_top_left():
    photo = np.arange(5 * 7 * 3).reshape(5, 7, 3)
    found = patches(photo, 2)
    assert found.shape == (6, 2, 2, 3)
    assert np.array_equal(found[4], photo[2:4, 2:4])


def sampled(rng: np.random.Generator, shift: float, photos: int = 8) -> list[np.ndarray]:
    values = rng.normal(size=(photos, 12, 16)) + shift
    return list(values / np.linalg.norm(values, axis=2, keepdims=True))


def test_kid_is_nothing_for_the_same_and_on_average_for_the_like():
    rng = np.random.default_rng(0)
    one = sampled(rng, 0.0)
    assert kid(one, one).value == pytest.approx(0, abs=1e-12)
    found = [kid(sampled(rng, 0.0), sampled(rng, 0.0)) for _ in range(60)]
    values = np.array([estimate.value for estimate in found])
    assert abs(values.mean()) < 3 * values.std() / 60**0.5, "unbiased"
    # Where there is nothing to find the jackknife is careful, by about half.
    assert 1 < np.mean([estimate.error for estimate in found]) / values.std() < 2


def test_kid_is_what_the_kernel_says():
    """Two photographs of one patch each, found and true at right angles."""
    found, truth = ([np.eye(4)[[n]] for n in pair] for pair in ((0, 1), (2, 3)))
    # Between different unit vectors the kernel is 1: 1 + 1 - 2 · 1.
    assert kid(found, truth).value == pytest.approx(0)
    same = [np.eye(4)[[0]]] * 2
    assert kid(same, truth).value == pytest.approx(8 + 1 - 2)


def test_kid_grows_with_the_distance():
    rng = np.random.default_rng(1)
    values = [kid(sampled(rng, 0.0), sampled(rng, shift)) for shift in (0.2, 0.5, 1.0)]
    assert values[0].value < values[1].value < values[2].value
    assert values[2].value > 5 * values[2].error


def test_blur_looks_less_real_than_the_photograph():
    pytest.importorskip("efficientnet_lite_pytorch")
    truth = [sample_photo(name)[:192, :192] for name in ("astronaut", "cat", "coffee", "flower")]
    encoder = load_encoder()
    looks = embeddings(encoder, truth)
    assert looks[0].shape == (4, 1280)
    blurred = [
        [gaussian_filter(photo, (sigma, sigma, 0)) for photo in truth] for sigma in (1.0, 3.0)
    ]
    little, much = (kid(embeddings(encoder, photos), looks).value for photos in blurred)
    assert 0.01 < little < much


@pytest.mark.parametrize("scale", [3, 4, 8, 12])
def test_grid_lock_is_one_where_nothing_knows_of_codes(scale):
    found = grid_lock([grain(seed, blur=0.5) for seed in range(8)], scale)
    assert found.value == pytest.approx(1, abs=0.15)
    assert found.error < 0.15


@pytest.mark.parametrize("scale", [4, 8, 12])
def test_grid_lock_sees_a_screen_of_the_codes_alone(scale):
    photos = [grain(seed).astype(float) for seed in range(4)]
    side = photos[0].shape[0]

    def screened(period: float) -> list[np.ndarray]:
        wave = 10 * np.cos(2 * np.pi * np.arange(side) / period)
        return [
            (photo + wave[:, None, None] + wave[:, None]).clip(0, 255).astype(np.uint8)
            for photo in photos
        ]

    assert grid_lock(screened(scale), scale).value > 3
    assert grid_lock(screened(scale * 0.77), scale).value < 1.5


def test_edges_are_as_steep_as_they_are():
    step = np.zeros((64, 64, 3), np.uint8)
    step[:, 32:] = 200
    assert steepness(step, step) == pytest.approx(1)
    soft = gaussian_filter(step, (0, 2, 0))
    assert steepness(soft, step) == pytest.approx(0.4, abs=0.05)  # 2 · 100 / (2 √(2π)) of 100
    assert steepness(step[::-1], step) == pytest.approx(1)


def test_consistency_forgives_what_the_photo_cannot_show():
    truth = grain(0)
    small = resize(truth, 48, 48, "bicubic")
    checks = truth.astype(int) + 12 * ((np.indices((192, 192)).sum(0) % 2) * 2 - 1)[..., None]
    assert consistency(truth, small) == np.inf
    assert consistency(checks.clip(0, 255).astype(np.uint8), small) > 45
    assert consistency((truth // 8 * 7 + 40).astype(np.uint8), small) < 30


def test_where_there_is_texture_and_how_far_zooms_are_apart():
    photo = np.full((192, 192, 3), 120, np.uint8)
    photo[:, 96:] = grain(3)[:, 96:]
    where = textured(photo)
    assert where[:, 110:180].mean() > 0.9
    assert not where[:, :80].any()
    other = photo.copy()
    other[:, 96:] += 4
    assert difference(photo, other, where) == pytest.approx(4, abs=0.2)
    assert np.isnan(difference(photo, other, np.zeros((192, 192), bool)))


def test_an_enlarged_photo_is_soft_and_consistent():
    truth = grain(1)
    small = resize(truth, 48, 48, "bicubic")
    soft = zoom(small, (4, 4, 1), order=1)
    assert steepness(soft, truth) < 0.8
