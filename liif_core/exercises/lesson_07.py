"""The checkers of lesson 07, can you trust a zoom."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from liif_core.baselines import resize
from liif_core.metrics import consistency


def free_numbers(free: int) -> None:
    """Check exercise 1: how many of the 64 numbers behind a pixel at ×8 are left open."""
    assert free != 64, (
        "the small pixel does tell you something: it is one equation among the 64 numbers"
    )
    assert free != 7, "the magnification counts along both axes: 8 × 8 numbers, not 8"
    assert free == 63, (
        f"{free} is not it: 64 unknown numbers, and one equation. How many of them can you still "
        "choose freely?"
    )


def my_consistency(answer: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """Check exercise 2: `answer(result, small)` is the consistency in dB, by hand."""
    random = np.random.default_rng(7)
    for height, width, scale in ((6, 9, 4), (5, 5, 3)):
        result = random.random((height * scale, width * scale), dtype=np.float32)
        shrunk = resize(result, height, width, "bicubic")
        small = (shrunk + random.normal(0, 0.05, shrunk.shape)).astype(np.float32)
        error = float(np.mean((shrunk - small) ** 2))
        expected, found = consistency(result, small), answer(result, small)
        assert found is not None, "your function returns nothing: is there a `return`?"
        assert not math.isclose(found, error, rel_tol=1e-3), (
            "this is the mean squared error; decibels are 10 · log10(1 / error)"
        )
        assert not math.isclose(found, -expected, rel_tol=1e-3), (
            "the sign is wrong: 10 · log10(1 / error) is positive where the error is below 1"
        )
        assert not math.isclose(found, expected / 10, rel_tol=1e-3), "log10 is still to be × 10"
        for method in ("nearest", "bilinear", "lanczos"):
            other = float(np.mean((resize(result, height, width, method) - small) ** 2))
            assert not math.isclose(found, -10 * math.log10(other), rel_tol=1e-3), (
                f"you shrink with {method}; the small photo was made with bicubic"
            )
        assert math.isclose(found, expected, rel_tol=1e-3), (
            f"{found:.2f} dB, and it should be {expected:.2f} dB: shrink `result` to the small "
            "photo's size, then 10 · log10(1 / mean squared difference)"
        )


def still_possible(
    answer: Callable[[np.ndarray, Mapping[str, np.ndarray], float], Sequence[str]],
) -> None:
    """Check exercise 3: `answer(small, candidates, tolerance)` names all that could be it."""
    random = np.random.default_rng(3)
    truth = random.random((24, 32), dtype=np.float32)
    down, across = (resize(np.eye(n, dtype=np.float32), n // 8, n, "bicubic") for n in (24, 32))
    other = random.random((24, 32), dtype=np.float32)
    gap = np.linalg.pinv(down) @ (down @ (truth - other) @ across.T) @ np.linalg.pinv(across.T)
    candidates = {
        "brighter": truth + 0.1,
        "the truth": truth,
        "a twin": (other + gap).astype(np.float32),
        "another": other,
        "darker": truth - 0.1,
    }
    small = resize(truth, 3, 4, "bicubic")
    found = answer(small, candidates, 0.02)
    assert found is not None, "your function returns nothing: is there a `return`?"
    named = set(found)
    assert "a twin" in named, (
        "a twin shrinks to the same small photo, so it stays possible: compare the *shrunk* "
        "candidates with `small`"
    )
    assert "brighter" not in named, (
        "a candidate that shrinks to a brighter picture than `small` is not possible: does your "
        "comparison see differences of both signs (np.abs)?"
    )
    assert "darker" not in named, (
        "a candidate that shrinks to a darker picture than `small` is not possible: does your "
        "comparison see differences of both signs (np.abs)?"
    )
    assert named == {"the truth", "a twin"}, (
        f"of {', '.join(candidates)} exactly 'the truth' and 'a twin' shrink to the small photo; "
        f"you named {', '.join(sorted(named)) or 'nobody'}"
    )
    everyone = set(answer(small, candidates, 10.0))
    assert everyone == set(candidates), (
        "with a tolerance of 10 everything is possible: is the tolerance used?"
    )
