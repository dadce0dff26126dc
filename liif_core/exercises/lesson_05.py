"""The checkers of lesson 05, ten times and beyond."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from liif_core.baselines import resize
from liif_core.evaluate import make_pair, zoom_back
from liif_core.exercises.outputs import described, number
from liif_core.metrics import psnr
from liif_core.pixels import to_uint8
from liif_core.weights import load_model


def screen_magnification(magnification: float) -> None:
    """Check exercise 1: a screen 1920 pixels wide is to show 40 pixels of the photo."""
    magnification = number(magnification, "the magnification")
    seen = 1920 / magnification if magnification else math.inf
    assert not math.isclose(magnification, 40 / 1920), (
        "upside down: a magnification counts screen pixels per photo pixel, so it is above 1 here"
    )
    assert math.isclose(seen, 40), (
        f"at ×{magnification:g} the screen shows {seen:g} pixels of the photo, not 40"
    )


def scale_for_print(answer: Callable[[int, float, float], float]) -> None:
    """Check exercise 2: `answer(pixels, centimetres, dpi)` is the magnification for a print."""
    scale = number(answer(300, 2.54, 300), "the magnification")
    assert not math.isclose(scale, 300), (
        "300 are the pixels of the print. How many times as many are they as the photo has?"
    )
    assert math.isclose(scale, 1), (
        "300 pixels printed 2.54 cm (one inch) wide at 300 dpi need no zoom, the answer is 1; "
        f"you got {scale:g}: are the centimetres turned into inches?"
    )
    assert not math.isclose(answer(300, 25.4, 300), 0.1), (
        "upside down: the print's pixels divided by the photo's pixels, not the other way round"
    )
    for pixels, centimetres, dpi in ((300, 25.4, 300), (640, 30.0, 150), (1000, 100.0, 72)):
        needed = centimetres / 2.54 * dpi
        found = number(answer(pixels, centimetres, dpi), "the magnification")
        assert math.isclose(found * pixels, needed, rel_tol=1e-6), (
            f"{centimetres:g} cm at {dpi} dpi are {needed:.1f} pixels; ×{found:g} makes "
            f"{found * pixels:.1f} of {pixels}"
        )


def _lead(picture: np.ndarray, scale: int = 4) -> float:
    """Return by how many dB LIIF is ahead of Lanczos on a picture, (H, W, 3) uint8."""
    reference, small = make_pair(picture, scale)
    height, width = reference.shape[:2]
    model = load_model("liif-edsr-small", device="cpu")
    ours = psnr(zoom_back(model, small, height, width), reference, border=scale)
    return ours - psnr(resize(small, height, width, "lanczos"), reference, border=scale)


def _as_photo(found: Any, name: str) -> np.ndarray:
    """Return a reader's picture, grey or in colour, as (H, W, 3) uint8."""
    assert isinstance(found, np.ndarray), f"{name} is {described(found)}; a NumPy array is wanted"
    assert found.ndim == 2 or (found.ndim == 3 and found.shape[2] == 3), (
        f"{name} has the shape {found.shape}; (H, W) or (H, W, 3) is wanted"
    )
    assert all(48 <= side <= 512 for side in found.shape[:2]), (
        f"{name} has the shape {found.shape}: let each side have 48 to 512 pixels"
    )
    if found.dtype != np.uint8:
        assert np.isfinite(found).all(), f"{name} has places that are no number"
        assert found.min() >= 0, f"{name} goes down to {found.min():g}: keep it between 0 and 1"
        assert found.max() <= 1, f"{name} goes up to {found.max():g}: keep it between 0 and 1"
        found = to_uint8(found)
    return np.repeat(found[..., None], 3, axis=2) if found.ndim == 2 else found


def counterexample(answer: Callable[[], tuple[np.ndarray, np.ndarray]]) -> None:
    """Check exercise 3: `answer()` is a picture on which Lanczos wins at ×4, and one like it on
    which LIIF does."""
    found = answer()
    assert isinstance(found, (tuple, list)), (
        f"two pictures are wanted; your function returns {described(found)}"
    )
    assert len(found) == 2, f"two pictures are wanted; your function returns {len(found)}"
    first, second = (
        _as_photo(picture, name)
        for picture, name in zip(found, ("the first", "the second"), strict=True)
    )
    assert first.shape == second.shape, (
        f"the two should differ in one thing only, not in their size: {first.shape[:2]} and "
        f"{second.shape[:2]}"
    )
    contrast = first.std() / 255
    assert contrast > 0.02, "the first picture is flat: on nothing at all nobody wins"
    ahead = _lead(first)
    assert ahead < -1, (
        f"on the first picture LIIF's lead at ×4 is {ahead:+.1f} dB; Lanczos should win by 1 dB "
        "or more. What has LIIF learned to expect of a transition from dark to light? Draw what "
        "is not so"
    )
    again = _lead(second)
    assert again > 1, (
        f"Lanczos wins on the first, well found! On the second LIIF should win by 1 dB; its "
        f"lead is {again:+.1f} dB. Which one property made LIIF lose? Undo that one"
    )
    alike = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    assert alike > 0.5, (
        f"both are right, but they have too little in common (correlation {alike:.2f}): make the "
        "second out of the first, so that one changed property is the reason"
    )
