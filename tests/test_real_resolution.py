"""How fine a photo really is, of photos that were blurred and enlarged by known factors."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from liif_core.baselines import downscale, resize
from liif_core.errors import LiifError
from liif_core.photos import photo_from
from liif_core.real_resolution import MOST_WINDOWS, real_resolution
from liif_core.samples import sample_photo
from liif_core.training.degrade import jpeg, sensor_noise

SHARP = {name: downscale(sample_photo(name), 1.5) for name in ("astronaut", "coffee", "flower")}


def enlarged(photo: np.ndarray, scale: float) -> np.ndarray:
    height, width = (round(side * scale) for side in photo.shape[:2])
    return resize(photo, height, width, "bicubic")


@pytest.mark.parametrize("name", SHARP)
@pytest.mark.parametrize("noise", [0, 8])
def test_a_sharp_photo_fills_its_pixels(name, noise):
    noisy = sensor_noise(SHARP[name], noise, np.random.default_rng(0))
    assert real_resolution(noisy).shrink < 1.25


@pytest.mark.parametrize("name", ["grass", "gravel"])
def test_texture_all_over_is_no_noise(name):
    assert real_resolution(sample_photo(name)).shrink < 1.25


@pytest.mark.parametrize("name", SHARP)
@pytest.mark.parametrize("scale", [1.5, 2, 3])
def test_an_enlarged_photo_is_as_fine_as_it_was(name, scale):
    large = enlarged(SHARP[name], scale)
    assert real_resolution(large).shrink == pytest.approx(scale, rel=0.25)


@pytest.mark.parametrize("name", SHARP)
def test_noise_and_jpeg_do_not_pass_for_detail(name):
    large = enlarged(SHARP[name], 2)
    noisy = sensor_noise(large, 8, np.random.default_rng(1))
    for worn in (noisy, jpeg(large, 80, np.zeros(2, int))):
        assert real_resolution(worn).shrink == pytest.approx(2, rel=0.25)


def test_nor_does_noise_that_jpeg_has_squeezed():
    noisy = sensor_noise(enlarged(SHARP["coffee"], 2), 8, np.random.default_rng(1))
    assert real_resolution(jpeg(noisy, 85, np.zeros(2, int))).shrink == pytest.approx(2, rel=0.25)


def test_the_more_blur_the_coarser():
    photo = SHARP["astronaut"].astype(np.float32) / 255
    found = [real_resolution(gaussian_filter(photo, (s, s, 0))).finest for s in (0.7, 1, 2, 3, 5)]
    assert found == sorted(found, reverse=True)
    # Blur of σ leaves 40 % of the amplitude at √(2 ln 2.5) / 2πσ.
    assert found[2] == pytest.approx(np.sqrt(2 * np.log(2.5)) / (2 * np.pi * 2), rel=0.2)


def test_bytes_floats_grey_and_windows_agree():
    photo = enlarged(SHARP["flower"], 2)
    shrink = real_resolution(photo).shrink
    assert real_resolution(photo.astype(np.float64) / 255).shrink == pytest.approx(shrink)
    assert real_resolution(photo_from(photo)).shrink == pytest.approx(shrink)
    grey = photo.mean(axis=2, dtype=np.float32) / 255
    assert real_resolution(grey).shrink == pytest.approx(shrink, rel=1e-3)


def test_what_it_saw_can_be_drawn():
    found = real_resolution(enlarged(SHARP["coffee"], 3))
    assert found.frequencies.shape == found.detail.shape == found.foretold.shape == (33,)
    assert 0 < found.finest < found.frequencies[-1] < 0.5  # it looked at a smaller copy
    below, above = (
        np.interp(f * found.finest, found.frequencies, found.detail) for f in (0.9, 1.2)
    )
    assert above < below / 1.5
    assert (found.noise >= 0).all()


@pytest.mark.parametrize("shape", [(1, 1, 3), (63, 500, 3), (500, 40), (64, 64), (90, 70, 3)])
@pytest.mark.parametrize("value", [0, 127])
def test_what_tells_nothing_is_left_as_it_is(shape, value):
    assert real_resolution(np.full(shape, value, np.uint8)).shrink == 1


@pytest.mark.parametrize("shape", [(64, 40_000), (40_000, 64), (70, 700), (2000, 2000)])
def test_no_more_windows_are_looked_at_than_are_needed(shape):
    class Counted:
        height, width, seen = *shape, 0

        def rgb(self, rows, cols):
            self.seen += 1
            return np.zeros((rows.stop - rows.start, cols.stop - cols.start, 3), np.float32)

    pixels = Counted()
    assert real_resolution(pixels).shrink == 1
    assert 15 < pixels.seen <= MOST_WINDOWS


def test_what_is_no_picture_is_refused():
    with pytest.raises(LiifError):
        real_resolution(np.zeros((3, 4, 5, 6), np.uint8))
