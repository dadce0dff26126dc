"""The checkers of lesson 05, ten times and beyond."""

import math
from collections.abc import Callable

import numpy as np

from liif_core.baselines import resize
from liif_core.liif import LIIF, LIIFConfig
from liif_core.metrics import psnr
from liif_core.render import render
from liif_core.weights import load_model


def screen_magnification(magnification: float) -> None:
    """Check exercise 1: a screen 1920 pixels wide is to show 40 pixels of the photo."""
    seen = 1920 / magnification if magnification else math.inf
    assert not math.isclose(magnification, 40 / 1920), (
        "upside down: a magnification counts screen pixels per photo pixel, so it is above 1 here"
    )
    assert math.isclose(seen, 40), (
        f"at ×{magnification:g} the screen shows {seen:g} pixels of the photo, not 40"
    )


def scale_for_print(answer: Callable[[int, float, float], float]) -> None:
    """Check exercise 2: `answer(pixels, centimetres, dpi)` is the magnification for a print."""
    scale = answer(300, 2.54, 300)
    assert scale is not None, "your function returns nothing: is there a `return`?"
    assert math.isclose(scale, 1), (
        "300 pixels printed 2.54 cm (one inch) wide at 300 dpi need no zoom, the answer is 1; "
        f"you got {scale:g}: are the centimetres turned into inches?"
    )
    assert not math.isclose(answer(300, 25.4, 300), 0.1), (
        "upside down: the print's pixels divided by the photo's pixels, not the other way round"
    )
    for pixels, centimetres, dpi in ((300, 25.4, 300), (640, 30.0, 150), (1000, 100.0, 72)):
        needed = centimetres / 2.54 * dpi
        found = answer(pixels, centimetres, dpi)
        assert math.isclose(found * pixels, needed, rel_tol=1e-6), (
            f"{centimetres:g} cm at {dpi} dpi are {needed:.1f} pixels; ×{found:g} makes "
            f"{found * pixels:.1f} of {pixels}"
        )


def stop_and_stretch(answer: Callable[[LIIF, np.ndarray, int, int], np.ndarray]) -> None:
    """Check exercise 3: `answer(model, small, h, w)` asks LIIF for ×4, Lanczos for the rest."""
    model = load_model("liif-edsr-small", device="cpu")
    small = np.random.default_rng(5).random((9, 12, 3), dtype=np.float32)
    small = resize(resize(small, 3, 4, "bicubic"), 9, 12, "bicubic").clip(0, 1)
    size = (72, 96)
    result = answer(model, small, *size)
    assert result is not None, "your function returns nothing: is there a `return`?"
    assert result.shape == (*size, 3), (
        f"a {size[1]} × {size[0]} picture was asked for, yours has the shape {result.shape}"
    )
    first = render(model, small, 36, 48)
    assert psnr(result, render(model, small, *size)) < 100, (
        "this is LIIF alone: render at 4 times the small photo's size, then resize the result"
    )
    assert psnr(result, resize(small, *size, "lanczos")) < 100, (
        "this is Lanczos alone: give `resize` what `render` returned, not the small photo"
    )
    untrained = LIIF(LIIFConfig(blocks=1, channels=4, hidden=(4,))).eval().requires_grad_(False)
    assert psnr(result, answer(untrained, small, *size)) < 100, (
        "another model, and the same picture: use the model that your function is given"
    )
    for method in ("nearest", "bilinear", "bicubic"):
        assert psnr(result, resize(first, *size, method)) < 100, (
            f"the second step is {method} here, and should be lanczos"
        )
    assert psnr(result, resize(first, *size, "lanczos")) > 80, (
        "not ×4 by `render`, then `resize` with lanczos to the full size: which height and width "
        "do you give to each of the two?"
    )
