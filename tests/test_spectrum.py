"""Spectra of pictures whose waves are known."""

import numpy as np
import pytest

from liif_core.baselines import resize
from liif_core.errors import LiifError
from liif_core.spectrum import Spectrum, compare, folded, spectrum


def stripes(down: float, across: float, height: int = 60, width: int = 80) -> np.ndarray:
    """Waves of so many cycles per pixel, (height, width) in [0, 1]."""
    y, x = np.mgrid[0:height, 0:width]
    return 0.5 + 0.4 * np.cos(2 * np.pi * (down * y + across * x))


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape)


def peak(found: Spectrum) -> tuple[float, float]:
    """Return the strongest wave, (down, across), the one of the two mirrored with across ≥ 0."""
    half = np.where(found.across >= 0, found.power, 0)
    row, col = np.unravel_index(half.argmax(), half.shape)
    return float(found.down[row]), float(found.across[col])


@pytest.mark.parametrize(("down", "across"), [(0, 0.25), (0.1, 0.2), (-0.3, 0.4)])
def test_stripes_are_one_wave_of_their_frequency(down: float, across: float) -> None:
    found = spectrum(stripes(down, across))
    assert found.power.shape == (60, 80)
    assert peak(found) == pytest.approx((down, across))


def test_the_axis_counts_cycles_per_input_pixel() -> None:
    found = spectrum(stripes(0, 0.2), scale=4)
    assert peak(found) == pytest.approx((0, 0.8))
    assert found.across[[0, 40]] == pytest.approx([-2, 0])
    assert found.down[30] == 0


def test_power_adds_up_to_the_variance() -> None:
    assert spectrum(stripes(0.1, 0.2)).power.sum() == pytest.approx(0.4**2 / 2, rel=0.01)
    assert spectrum(np.full((9, 8, 3), 0.7)).power.sum() == pytest.approx(0, abs=1e-20)


def test_white_noise_is_flat() -> None:
    picture = noise(200, 200, 3)
    found = spectrum(picture)
    frequency = np.hypot(*np.meshgrid(found.down, found.across, indexing="ij"))
    for low in (0.1, 0.2, 0.3, 0.4):
        ring = (low <= frequency) & (frequency < low + 0.1)
        assert found.power[ring].mean() * picture[..., 0].size == pytest.approx(1 / 12, rel=0.05)


def test_bytes_and_floats_are_the_same_picture() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_allclose(spectrum(picture).power, spectrum(picture / 255).power)


@pytest.mark.parametrize("step", [2, 3, 4])
@pytest.mark.parametrize("frequency", [0.05, 0.2, 0.3, 0.4, 0.45])
def test_a_wave_that_is_too_fine_folds(frequency: float, step: int) -> None:
    kept = stripes(0, frequency, 240, 240)[::step, ::step]
    _, found = peak(spectrum(kept, scale=1 / step))
    assert abs(found) == pytest.approx(folded(frequency, step), abs=1.01 / 240)
    assert folded(frequency, step) <= 0.5 / step + 1e-12


def test_folding_of_known_waves() -> None:
    assert folded(0.2, 1) == pytest.approx(0.2)
    assert folded(0.4, 2) == pytest.approx(0.1)
    assert folded(0.5, 2) == pytest.approx(0)


def test_a_picture_agrees_with_itself_and_its_negative_with_none() -> None:
    picture = noise(40, 50, 3)
    for band in compare(picture, picture, [0, 0.2, 0.5]):
        assert band[2:] == pytest.approx((1, 1, 0), abs=1e-12)
    for band in compare(1 - picture, picture, [0.1, 0.2, 0.5]):
        assert band[2:4] == pytest.approx((1, -1))


def test_other_noise_has_the_energy_and_does_not_agree() -> None:
    for band in compare(noise(100, 100, seed=1), noise(100, 100), [0.1, 0.3, 0.5]):
        assert band.energy == pytest.approx(1, abs=0.1)
        assert abs(band.agreement) < 0.1


def test_half_the_contrast_is_a_quarter_of_the_energy_in_full_agreement() -> None:
    picture = noise(30, 30)
    (band,) = compare(0.5 * picture, picture, [0.05, 0.5])
    assert band[:4] == pytest.approx((0.05, 0.5, 0.25, 1))


def test_a_blur_takes_the_fine_waves_first() -> None:
    picture = noise(96, 96)
    blurred = resize(resize(picture, 24, 24, "bicubic"), 96, 96, "bicubic")
    low, high = compare(blurred, picture, [0.02, 0.08, 0.5])
    assert low.energy > 0.7
    assert low.agreement > 0.9
    assert high.energy < 0.1


def test_a_band_without_energy_is_not_a_number() -> None:
    flat = np.full((20, 20), 0.5)
    (band,) = compare(noise(20, 20), flat, [0.1, 0.4])
    assert np.isnan(band.agreement)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: spectrum(np.zeros((2, 9))), "at least 3 × 3"),
        (lambda: spectrum(np.zeros(9)), "picture"),
        (lambda: spectrum(np.zeros((9, 9)), scale=0), "per input pixel"),
        (lambda: folded(0.3, 0), "no sense"),
        (lambda: folded(-0.3, 2), "no sense"),
        (lambda: compare(np.zeros((9, 9)), np.zeros((9, 8)), [0, 1]), "different shapes"),
        (lambda: compare(noise(9, 9), noise(9, 9), [0.2, 0.1]), "must rise"),
        (lambda: compare(noise(9, 9), noise(9, 9), [3, 4]), "no wave"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, said) -> None:
    with pytest.raises(LiifError, match=said):
        call()


def test_errors_of_bands_add_up_to_the_squared_error() -> None:
    original, result = noise(40, 50, 3), noise(40, 50, 3, seed=1)
    bands = compare(result, original, [0, 0.25, 0.5, 1])
    whole = spectrum(0.5 + (result - original) / 2).power.sum() * 4
    assert sum(band.error for band in bands) == pytest.approx(whole)
    power = spectrum(original).power.sum()
    (band,) = compare(0.5 * original, original, [0, 1])
    assert band.error == pytest.approx(0.25 * power), "half of every wave is missing"
