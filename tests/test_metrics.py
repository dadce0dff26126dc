import math
from collections.abc import Callable

import numpy as np
import pytest

from liif_core.baselines import METHODS, downscale, resize
from liif_core.errors import LiifError
from liif_core.metrics import consistency, psnr, ssim


def picture(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape)


def smooth(height: int, width: int) -> np.ndarray:
    """A colourful picture without fine detail, float32."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)]
    return (np.stack(waves, axis=2) * 0.4 + 0.5).astype(np.float32)


def test_psnr_of_a_known_error() -> None:
    truth = np.full((8, 9, 3), 0.5)
    assert psnr(truth + 0.1, truth) == pytest.approx(20)
    assert psnr(truth - 0.01, truth) == pytest.approx(40)
    assert psnr(np.zeros((4, 4)), np.ones((4, 4))) == pytest.approx(0)


def test_psnr_averages_the_squared_error_over_pixels_and_channels() -> None:
    result, truth = picture(6, 7, 3), picture(6, 7, 3, seed=1)
    error = sum(
        (result[y, x, c] - truth[y, x, c]) ** 2
        for y in range(6)
        for x in range(7)
        for c in range(3)
    )
    assert psnr(result, truth) == pytest.approx(10 * math.log10(6 * 7 * 3 / error))


def test_bytes_and_floats_are_alike() -> None:
    rng = np.random.default_rng(3)
    result, truth = rng.integers(0, 256, (2, 20, 24, 3), dtype=np.uint8)
    for metric in (psnr, ssim):
        expected = metric(result / 255, truth / 255)
        assert metric(result, truth) == pytest.approx(expected)
        assert metric((result / 255).astype(np.float32), truth) == pytest.approx(expected)


def test_luma_weighs_the_difference() -> None:
    truth = np.full((5, 5, 3), 0.5)
    for channel, weight in enumerate((65.738, 129.057, 25.064)):
        result = truth.copy()
        result[..., channel] += 0.1
        expected = -20 * math.log10(0.1 * weight / 256)
        assert psnr(result, truth, luma=True) == pytest.approx(expected)
    # Errors of opposite sign cancel in the luma: weighing comes before squaring.
    hidden = truth + np.array([129.057, -65.738, 0]) * 1e-3
    assert psnr(hidden, truth, luma=True) > 300
    assert psnr(hidden, truth) < 25


def test_a_grey_picture_counts_as_three_equal_channels() -> None:
    result, truth = picture(16, 16), picture(16, 16, seed=1)
    in_colour = np.stack([result] * 3, axis=2), np.stack([truth] * 3, axis=2)
    for metric in (psnr, ssim):
        for luma in (False, True):
            assert metric(result, truth, luma=luma) == pytest.approx(metric(*in_colour, luma=luma))


def test_the_border_is_shaved_off_each_side() -> None:
    truth = picture(30, 25, 3)
    result = truth.copy()
    result[:4], result[-4:], result[:, :4], result[:, -4:] = 0, 0, 0, 0
    assert psnr(result, truth, border=4) == math.inf
    assert ssim(result, truth, border=4) == pytest.approx(1)
    assert math.isfinite(psnr(result, truth, border=3))
    assert psnr(result, truth, border=3, luma=True) == pytest.approx(
        psnr(result[3:-3, 3:-3], truth[3:-3, 3:-3], luma=True)
    )


def test_identical_pictures() -> None:
    image = picture(20, 20, 3)
    assert psnr(image, image) == math.inf
    assert psnr(image, image, luma=True) == math.inf
    assert ssim(image, image) == pytest.approx(1)
    photo = image.astype(np.float32)
    assert consistency(photo, photo) == math.inf


def test_ssim_by_the_formula_on_one_window() -> None:
    """An 11 × 11 picture's centre pixel has a full window: compute Wang's formula there by hand."""
    from skimage.metrics import structural_similarity

    result, truth = picture(11, 11), picture(11, 11, seed=1)
    steps = np.arange(-5, 6)
    line = np.exp(-(steps**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    mean_r, mean_t = (window * result).sum(), (window * truth).sum()
    var_r = (window * result**2).sum() - mean_r**2
    var_t = (window * truth**2).sum() - mean_t**2
    both = (window * result * truth).sum() - mean_r * mean_t
    c1, c2 = 0.01**2, 0.03**2
    expected = (2 * mean_r * mean_t + c1) * (2 * both + c2)
    expected /= (mean_r**2 + mean_t**2 + c1) * (var_r + var_t + c2)
    # scikit-image averages the pixels that have a full window: here the centre alone.
    assert ssim(result, truth) == pytest.approx(expected)
    assert ssim(result, truth) != pytest.approx(
        structural_similarity(result, truth, data_range=1)  # its default: a 7 × 7 box
    )


def test_ssim_falls_as_noise_rises() -> None:
    truth = smooth(40, 40)
    noise = np.random.default_rng(5).normal(size=truth.shape)
    values = [ssim(truth + strength * noise, truth) for strength in (0.01, 0.05, 0.2)]
    assert 1 > values[0] > values[1] > values[2] > 0


def test_ssim_of_luma_sees_only_luma() -> None:
    truth = np.full((16, 16, 3), 0.5)
    result = truth + np.array([129.057, -65.738, 0]) * 1e-3
    assert ssim(result, truth, luma=True) == pytest.approx(1)
    assert ssim(result, truth) < 0.99


def test_ssim_of_luma_compares_brightness_in_studio_range() -> None:
    dark, light = np.full((16, 16, 3), 0.1), np.full((16, 16, 3), 0.2)
    scale = (65.738 + 129.057 + 25.064) / 256
    a, b = 16 / 255 + 0.1 * scale, 16 / 255 + 0.2 * scale
    expected = (2 * a * b + 0.01**2) / (a**2 + b**2 + 0.01**2)  # flat: only the means count
    assert ssim(light, dark, luma=True) == pytest.approx(expected)


@pytest.mark.parametrize("method", METHODS)
def test_consistency_of_an_honest_zoom_is_high(method: str) -> None:
    photo = downscale(smooth(80, 64), 2)
    zoomed = resize(photo, 160, 128, method)
    assert consistency(zoomed, photo) > 34
    assert consistency(1 - zoomed, photo) < 20


def test_consistency_shrinks_by_bicubic() -> None:
    photo, zoomed = picture(6, 5, 3), picture(20, 15, 3, seed=1)
    expected = psnr(resize(zoomed, 6, 5, "bicubic"), photo)
    assert consistency(zoomed, photo) == pytest.approx(expected)


def test_consistency_refuses_a_result_smaller_than_the_photo() -> None:
    with pytest.raises(LiifError, match="at least as large as the photo"):
        consistency(picture(10, 9, 3), picture(10, 10, 3))


@pytest.mark.parametrize("metric", [psnr, ssim, consistency])
@pytest.mark.parametrize("shape", [(), (7,), (20, 20, 4), (0, 20)])
def test_what_is_not_a_picture_is_refused(
    metric: Callable[..., float], shape: tuple[int, ...]
) -> None:
    image = picture(20, 20, 3)
    for pair in [(np.zeros(shape), image), (image, np.zeros(shape))]:
        with pytest.raises(LiifError, match="expected a picture of shape"):
            metric(*pair)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_what_cannot_be_compared_is_refused(metric: Callable[..., float]) -> None:
    image = picture(20, 20, 3)
    with pytest.raises(LiifError, match="different shapes"):
        metric(image, image[:-1])
    with pytest.raises(LiifError, match="different shapes"):
        metric(image[..., 0], image)
    with pytest.raises(LiifError, match="expected a picture of shape"):
        metric(image[..., :2], image[..., :2])
    with pytest.raises(LiifError, match="border must be 0 or more pixels, not -1"):
        metric(image, image, border=-1)
    with pytest.raises(LiifError, match="border of 10 pixels leaves nothing of a 20 × 20 picture"):
        metric(image, image, border=10)
    with pytest.raises(LiifError, match="expected uint8 or floats"):
        metric(image.astype(int), image)


def test_ssim_needs_room_for_its_window() -> None:
    assert ssim(picture(11, 30), picture(11, 30)) == pytest.approx(1)
    with pytest.raises(LiifError, match="at least 11 × 11 pixels inside the border, got 30 × 10"):
        ssim(picture(10, 30), picture(10, 30))
    with pytest.raises(LiifError, match="got 18 × 10"):
        ssim(picture(12, 20), picture(12, 20), border=1)
