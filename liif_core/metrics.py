"""How close is a zoomed picture to the truth? PSNR, SSIM, and consistency with the input.

None of the three sees what a person sees: PSNR rewards a cautious blur over a sharp guess that is
off by a pixel. They are comparable between methods, on the same pictures and by the same rules.
"""

import math

import numpy as np

from liif_core.baselines import check_picture, resize
from liif_core.errors import LiifError

#: Share of R, G and B in the luma Y (ITU-R BT.601, studio range), as in the paper's benchmarks.
LUMA = np.array([65.738, 129.057, 25.064]) / 256

#: Y of black in the same convention. Differences do not see it; SSIM compares means and does.
LUMA_BLACK = 16 / 255

#: Side of SSIM's Gaussian window: σ 1.5, cut off at 3.5 σ on each side.
SSIM_WINDOW = 11


def psnr(
    result: np.ndarray, reference: np.ndarray, *, border: int = 0, luma: bool = False
) -> float:
    """Measure the peak signal-to-noise ratio, in dB: 10 · log10(1 / mean squared error).

    The paper's rules (section 4.1 and the official code). DIV2K: RGB, `border` = scale + 6. The
    benchmark sets Set5, Set14, B100 and Urban100: `luma=True`, `border` = scale. In both, the
    result is clamped to [0, 1] first and not rounded; a set's figure is the mean over its pictures.

    Args:
        result: (H, W, 3) or (H, W), uint8 or floats in [0, 1]; taken as it is, not clamped.
        reference: the true picture, of the same shape; its type may differ.
        border: pixels shaved off each side, where a method lacks neighbours.
        luma: compare the luma Y only; a grey picture counts as R = G = B.

    Returns:
        PSNR in dB; infinity for identical pictures.

    Raises:
        LiifError: the shapes differ, the arrays are not pictures, or the border leaves nothing.
    """
    result, reference = _prepare(result, reference, border)
    difference = result - reference
    if luma:
        difference = _weigh(difference)
    error = float(np.mean(difference**2))
    return math.inf if error == 0 else -10 * math.log10(error)


def ssim(
    result: np.ndarray, reference: np.ndarray, *, border: int = 0, luma: bool = False
) -> float:
    """Measure structural similarity (Wang et al. 2004) with that paper's Gaussian window.

    Args:
        result, reference, border, luma: as for `psnr`.

    Returns:
        the mean over all pixels (and over R, G and B, unless `luma`): 1 for identical pictures,
        about 0 for unrelated ones.

    Raises:
        LiifError: as for `psnr`, or the picture is smaller than the 11 × 11 window.
    """
    # Imported here: it takes as long as a small zoom, and only this function needs it.
    from skimage.metrics import structural_similarity

    result, reference = _prepare(result, reference, border)
    height, width = result.shape[:2]
    if min(height, width) < SSIM_WINDOW:
        raise LiifError(
            f"SSIM needs at least {SSIM_WINDOW} × {SSIM_WINDOW} pixels inside the border, got"
            f" {width} × {height}: use a larger picture, a smaller border, or PSNR"
        )
    if luma:
        result, reference = _weigh(result) + LUMA_BLACK, _weigh(reference) + LUMA_BLACK
    return float(
        structural_similarity(
            result,
            reference,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1,
            channel_axis=2 if result.ndim == 3 else None,
        )
    )


def consistency(result: np.ndarray, photo: np.ndarray) -> float:
    """Measure whether a zoomed picture still shows the photo that it was made from.

    Needs no true picture: the result, shrunk back by bicubic interpolation, should be the photo.
    That holds of a clean photo. One with noise, or a JPEG, is not its own original shrunk: there
    even the true picture scores low, and what has copied the noise scores high (lesson 07).

    Args:
        result: (h, w, 3) or (h, w), uint8 or floats in [0, 1], at least as large as the photo.
        photo: (H, W, 3) or (H, W), the input of the zoom.

    Returns:
        PSNR in dB between the shrunk result and the photo; infinity if they are identical.

    Raises:
        LiifError: the result is smaller than the photo, or the arrays are not pictures alike.
    """
    check_picture(result)
    check_picture(photo)
    height, width = photo.shape[:2]
    if result.shape[0] < height or result.shape[1] < width:
        raise LiifError(
            f"consistency needs a result at least as large as the photo: shape {result.shape}"
            f" is smaller than {photo.shape}"
        )
    return psnr(resize(result, height, width, "bicubic"), photo)


def _prepare(
    result: np.ndarray, reference: np.ndarray, border: int
) -> tuple[np.ndarray, np.ndarray]:
    """Check two pictures; return them without their border, as float64 in [0, 1]."""
    check_picture(result)
    check_picture(reference)
    if result.shape != reference.shape:
        raise LiifError(
            f"cannot compare pictures of different shapes, {result.shape} and {reference.shape}"
        )
    height, width = result.shape[:2]
    if border < 0:
        raise LiifError(f"the border must be 0 or more pixels, not {border}")
    if min(height, width) <= 2 * border:
        raise LiifError(
            f"a border of {border} pixels leaves nothing of a {width} × {height} picture:"
            " use a smaller border or a larger picture"
        )
    inner = np.s_[border : height - border, border : width - border]
    return _to_unit(result[inner]), _to_unit(reference[inner])


def _to_unit(picture: np.ndarray) -> np.ndarray:
    """Return a picture as float64 in [0, 1]."""
    return picture / 255.0 if picture.dtype == np.uint8 else picture.astype(np.float64)


def _weigh(picture: np.ndarray) -> np.ndarray:
    """Weigh R, G and B into one channel: (H, W, 3), or (H, W) as R = G = B, -> (H, W)."""
    return picture @ LUMA if picture.ndim == 3 else picture * LUMA.sum()
