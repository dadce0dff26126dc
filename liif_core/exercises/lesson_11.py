"""The checkers of lesson 11, after LIIF."""

import math
import re
from collections.abc import Callable, Mapping

import numpy as np

from liif_core.exercises.outputs import Output, number, outputs

#: The variance of a square pixel of side 1, over 2: what the lesson's exercise 1 takes for κ.
KAPPA = 1 / 24

#: How far off, in cycles per pixel, a drawn wave must be in exercise 3, and how strong at least.
ASTRAY, STRONG = 0.1, 0.05


def half_gone(cell: float) -> None:
    """Check exercise 1: the pixel side at which half of a wave of π radians per pixel is left."""
    side = number(cell, "the side")
    assert side > 0, f"a pixel has a side above 0, not {side:g}"
    wanted = math.sqrt(math.log(2) / KAPPA) / math.pi
    near = {"rel_tol": 0.02}
    assert not math.isclose(side, wanted**2, **near), (
        "this is the side's square: in the formula the side and ω are both squared"
    )
    assert not math.isclose(side, math.sqrt(math.log(2)) / math.pi, **near), "κ got lost on the way"
    assert not math.isclose(side, 2 * math.pi * wanted, **near), (
        "ω is in radians per pixel: the finest wave that pixels hold has π of them, not ½"
    )
    left = math.exp(-KAPPA * (math.pi * side) ** 2)
    assert math.isclose(side, wanted, rel_tol=0.01), (
        f"a pixel of the side {side:g} leaves {left:.0%} of this wave, and half is wanted: try a "
        f"{'larger' if left > 0.5 else 'smaller'} one"
    )


def _seen(
    x: np.ndarray, place: np.ndarray, spread: np.ndarray, amount: np.ndarray, cell: float
) -> np.ndarray:
    """Return, by many samples under the pixel's bell, what pixels see of a row of splats: (n,)."""
    sigma = cell / math.sqrt(12)
    steps = np.linspace(-8, 8, 4001)
    bell = np.exp(-0.5 * steps**2)
    at = x[:, None] + sigma * steps
    row = sum(
        a * np.exp(-0.5 * ((at - p) / s) ** 2)
        for p, s, a in zip(place, spread, amount, strict=True)
    )
    seen: np.ndarray = (row * bell).sum(axis=1) / bell.sum()
    return seen


def splat_row(answer: Callable[..., np.ndarray]) -> None:
    """Check exercise 2: `answer(x, place, spread, amount, cell)` is what pixels see of splats."""
    dice = np.random.default_rng(11)
    x = np.linspace(-3, 3, 25)
    place, spread = dice.uniform(-2, 2, 5), dice.uniform(0.2, 0.8, 5)
    amount = dice.uniform(-1, 1, 5)

    def asked(cell: float, x: np.ndarray = x) -> np.ndarray:
        found = answer(x, place, spread, amount, cell)
        row: np.ndarray = outputs(found, Output("the row", np.ndarray, x.shape))
        return row

    sharp = asked(0.0)
    assert np.allclose(sharp, _seen(x, place, spread, amount, 0), atol=1e-3), (
        "without any size (cell = 0) a pixel sees the splats as they are: the sum of "
        "amount · exp(−½ ((x − place) / spread)²)"
    )
    wide = asked(1.5)
    true = _seen(x, place, spread, amount, 1.5)
    assert not np.allclose(wide, sharp), "a pixel 1.5 wide sees the same as one without any size"
    broad = np.hypot(spread, 1.5 / math.sqrt(12))
    unweakened = sum(
        a * np.exp(-0.5 * ((x - p) / s) ** 2) for p, s, a in zip(place, broad, amount, strict=True)
    )
    assert not np.allclose(wide, unweakened, atol=1e-3), (
        "the splats got wider, and kept their height: now there is more of each than before. What "
        "a blur spreads out it also lowers"
    )
    assert not np.allclose(wide, _seen(x, place, spread, amount, 1.5 * math.sqrt(12)), atol=1e-3), (
        "too wide: the variance of a box of width c is c² / 12, not c²"
    )
    worst = float(np.abs(wide - true).max())
    assert np.allclose(wide, true, atol=1e-3), (
        f"a pixel 1.5 wide: up to {worst:.2f} away from the mean under its bell. Do the "
        "*variances* add up, and is the height lowered by as much as the width grew?"
    )
    small = x[:1]
    assert np.allclose(asked(0.7, small), _seen(small, place, spread, amount, 0.7), atol=1e-3), (
        "right for 25 places, and wrong for a single one"
    )


def fooled(
    wave: tuple[float, float],
    drawn: Callable[[tuple[float, float]], Mapping[str, tuple[float, float, float]]],
) -> None:
    """Check exercise 3: a wave that, once shrunk, every decoder draws as another one.

    Args:
        wave: (down, across) in cycles per pixel of the large picture.
        drawn: wave -> decoder -> (down, across, strength) of the strongest wave in its zoom.
    """
    assert np.shape(wave) == (2,), "the wave is two numbers: (down, across)"
    down, across = (number(part, name) for part, name in zip(wave, ("down", "across"), strict=True))
    assert max(abs(down), abs(across)) <= 0.5, (
        f"({down:g}, {across:g}): no wave of a pixel picture has more than ½ cycle per pixel"
    )
    assert math.hypot(down, across) > 0.02, "this is hardly a wave: the picture is plain"
    for name, (other_down, other_across, strength) in drawn((down, across)).items():
        told = f"{name} draws ({other_down:.2f}, {other_across:.2f}), strength {strength:.2f}: "
        away = min(
            math.hypot(other_down - sign * down, other_across - sign * across) for sign in (1, -1)
        )
        assert away >= ASTRAY, told + (
            "that is your wave, and right. What can the *small* picture not hold?"
        )
        assert strength >= STRONG, told + (
            f"so pale that nobody is fooled (at least {STRONG}). Shrinking averages the finest "
            "waves away; stay just beyond what the small picture holds"
        )


#: What one must ask about a comparison of decoders, and by what words a question is known.
ASKS = (
    (r"encoder|backbone|feature extractor", "whether both sit on the same encoder"),
    (
        r"train\w*|steps|epochs|data ?sets?|recipe|hours|learning rate|iterations",
        "whether both were trained alike: data, steps, recipe",
    ),
    (
        r"seed|spread|varia|error bar|standard error|uncertain|signific|chance|luck|repeat"
        r"|how many (?:runs|times)|noise",
        "how far the figure moves by chance: other seeds, other photos",
    ),
    (
        r"scale|magnif|×|\btimes as large|cell|shape|which photos|other photos|kind of photo"
        r"|benchmark|test set",
        "on which photos and at which magnifications",
    ),
    (
        r"cost|fast|slow|speed|time per|seconds|multiply|arithmetic|memory|parameters|compute",
        "what it costs",
    ),
)


def questions(text: str) -> None:
    """Check exercise 4: what one would ask before believing "0.3 dB better"."""
    assert isinstance(text, str), "your questions are a text, in quotes"
    assert text.strip(), "there is no question yet: write four or five"
    low = " ".join(text.lower().split())
    missing = [what for pattern, what in ASKS if not re.search(pattern, low)]
    assert not missing, f"you would still not know {'; '.join(missing)}"
    marks = text.count("?")
    assert marks >= 3, f"{marks} question marks: ask at least three questions"
    assert len(text.split()) <= 120, f"{len(text.split())} words; the author has time for 120"
