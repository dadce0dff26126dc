"""The checkers of lesson 07, can you trust a zoom."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from liif_core.baselines import resize
from liif_core.exercises.outputs import number


def free_numbers(free: float) -> None:
    """Check exercise 1: how many of the 64 numbers behind a pixel at ×8 are left open."""
    free = number(free, "free")
    assert free != 64, (
        "the small pixel does tell you something: it is one equation among the 64 numbers"
    )
    assert free != 7, "the magnification counts along both axes: 8 × 8 numbers, not 8"
    assert free != 0, "one equation does not fix 64 numbers: choose some, and see what is left"
    assert free == 63, (
        f"{free:g} is not it: 64 unknown numbers, and one equation. How many of them can you still "
        "choose freely?"
    )


def _noisy_scene(noise: float, seed: int, side: int = 96) -> np.ndarray:
    """Draw a grey scene (a sky, a slope, a house, a hatched field) with noise: (side, side)."""
    y, x = np.mgrid[:side, :side] / side
    scene = 0.55 + 0.2 * y * (y < 0.5)
    scene = np.where(y >= 0.5, 0.3 + 0.3 * x, scene)
    scene[side // 4 : side * 3 // 4, side // 8 : side // 3] = 0.8
    field = (y > 0.7) & (x > 0.5)
    scene = np.where(field, 0.5 + 0.15 * np.sign(np.sin(2 * np.pi * 16 * x)), scene)
    noisy = scene + np.random.default_rng(seed).normal(0, noise, scene.shape)
    return noisy.astype(np.float32)


def noise_of(answer: Callable[[np.ndarray], float]) -> None:
    """Check exercise 2: `answer(photo)` estimates the standard deviation of a photo's noise."""
    for noise, seed in ((0.02, 1), (0.04, 2), (0.08, 3)):
        photo = _noisy_scene(noise, seed)
        found = number(answer(photo), "the noise")
        right = abs(found / noise - 1) < 0.35
        where = f"a photo with noise of {noise}: you say {found:.3f}. "
        step = np.diff(photo, axis=1)
        for statistic, what in (
            (
                photo.std(),
                "That is the contrast of the whole photo: the scene, and the noise in it",
            ),
            (photo.var(), "That is the variance of the whole photo: scene and noise together"),
            (step.std(), "The edges of the scene count as noise: keep them out"),
            (np.abs(step).mean(), "The edges of the scene count as noise: keep them out"),
        ):
            assert right or not math.isclose(found, statistic, rel_tol=0.02), where + what + "."
        assert right or not math.isclose(found, 255 * noise, rel_tol=0.35), (
            where + "That counts in steps of 8 bits; the photo's values run from about 0 to 1."
        )
        assert right or not math.isclose(found, noise**2, rel_tol=0.35), (
            where + "That is close to the variance; the standard deviation is its square root."
        )
        assert right or not math.isclose(found, noise * math.sqrt(2), rel_tol=0.12), (
            where + "The difference of two noisy pixels has twice the variance of one."
        )
        assert right, (
            where + "Within a third of the true value is near enough. Too large: does some of the "
            "scene get in? Too small: is it a place that was chosen for being calm?"
        )


#: The cases of exercise 4: the verdict, and what is said to one who chose another.
VERDICTS = {
    "A": ("possible", "its misfit is what the truth's would be; nothing speaks against it"),
    "B": ("ruled out", "the noise explains a misfit of about 1, and nothing near 64"),
    "C": (
        "cannot say",
        "27 dB are much for a clean photo and just right for a noisy one, and nothing is known "
        "of the noise: what did the true original score in the noisy photo above?",
    ),
    "D": (
        "ruled out",
        "the true original does not contain the photo's noise, so it would read about 1; what "
        "reads 0.04 has taken the noise for part of the scene",
    ),
    "E": (
        "cannot say",
        "that the picture could be the original does not say that no other could: did the wrong "
        "card pass?",
    ),
}


def verdicts(answers: Mapping[str, str]) -> None:
    """Check exercise 4: what the meter's readings say, case by case."""
    choices = ("possible", "ruled out", "cannot say")
    assert isinstance(answers, Mapping), "keep the dictionary: case -> verdict"
    for case, (right, because) in VERDICTS.items():
        given = " ".join(str(answers.get(case, "")).lower().rstrip(" .").split())
        assert given in choices, f"case {case}: write one of {', '.join(choices)}, not {given!r}"
        assert given == right, f"case {case} is not “{given}”: {because}."


def still_possible(
    answer: Callable[[np.ndarray, Mapping[str, np.ndarray], float], Sequence[str]],
) -> None:
    """Check exercise 3: `answer(small, candidates, tolerance)` names all that could be it."""
    random = np.random.default_rng(3)
    truth = random.random((24, 32), dtype=np.float32)
    down, across = (resize(np.eye(n, dtype=np.float32), n // 8, n, "bicubic") for n in (24, 32))
    other = random.random((24, 32), dtype=np.float32)
    gap = np.linalg.pinv(down) @ (down @ (truth - other) @ across.T) @ np.linalg.pinv(across.T)
    spot = truth.copy()
    spot[8:16, 8:16] += 0.1
    candidates = {
        "brighter": truth + 0.1,
        "one spot brighter": spot,
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
    assert "one spot brighter" not in named, (
        "'one spot brighter' is off by more than the tolerance in a single pixel: that is enough "
        "to rule it out. Does a mean over all pixels hide it? Ask for the largest difference"
    )
    assert named == {"the truth", "a twin"}, (
        f"of {', '.join(candidates)} exactly 'the truth' and 'a twin' shrink to the small photo; "
        f"you named {', '.join(sorted(named)) or 'nobody'}"
    )
    everyone = set(answer(small, candidates, 10.0))
    assert everyone == set(candidates), (
        "with a tolerance of 10 everything is possible: is the tolerance used?"
    )
