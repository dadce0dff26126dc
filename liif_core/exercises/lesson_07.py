"""The checkers of lesson 07, can you trust a zoom."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count

import numpy as np

from liif_core.baselines import resize
from liif_core.exercises.outputs import Output, outputs
from liif_core.models import Model, set_seed
from liif_core.render import render
from liif_core.samples import sample_photo
from liif_core.weights import load_model

#: Exercise 2 is solved where so much of a zoom's distance from a photograph's steps is left.
ENOUGH = 0.6

#: A photo, (H, W, 3) in [0, 1], and a whole number -> the photo, so many times as large.
Tool = Callable[[np.ndarray, int], np.ndarray]


def cheat(answer: Callable[[np.ndarray], np.ndarray]) -> None:
    """Check exercise 2: `answer(picture)` makes a bicubic zoom's steps look like a photograph's."""
    for name in ("gravel", "cat"):
        truth = sample_photo(name)[64:256, 64:256] / np.float32(255)
        soft = resize(resize(truth, 48, 48, "bicubic"), 192, 192, "bicubic").clip(0, 1)
        before = _unreal(soft, truth)
        found = outputs(answer(soft.copy()), Output("the picture", np.ndarray, soft.shape))
        found = np.asarray(found, np.float64)
        where = f"a zoom of {name}: "
        assert np.isfinite(found).all(), where + "your picture holds numbers that are not finite"
        after = _unreal(found.clip(0, 1), truth)
        larger = _steps(found.clip(0, 1)).mean() > _steps(truth).mean()
        assert after < ENOUGH * before, (
            where + f"it was {before:.1f} of 255 away from a photograph's steps, and is now "
            f"{after:.1f}. The steps are "
            + ("larger than a photograph's: do less." if larger else "still too small: do more.")
        )
        near = np.corrcoef(found.ravel(), soft.ravel())[0, 1]
        assert near > 0.7, where + "what you return has little to do with the zoom: keep its scene"


def _steps(picture: np.ndarray) -> np.ndarray:
    """Return all changes of brightness from a pixel to its right neighbour, smallest first."""
    return np.sort(np.abs(np.diff(picture.mean(axis=2), axis=1)), axis=None)


def _unreal(picture: np.ndarray, truth: np.ndarray) -> float:
    return float(255 * np.abs(_steps(picture) - _steps(truth)).mean())


#: The cases of exercise 3: the verdict, and what is said to one who chose another.
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
    """Check exercise 3: what the meter's readings say, case by case."""
    choices = ("possible", "ruled out", "cannot say")
    _named(answers, VERDICTS, choices, "case", "verdict")


def still_possible(
    answer: Callable[[np.ndarray, Mapping[str, np.ndarray], float], Sequence[str]],
) -> None:
    """Check exercise 1: `answer(small, candidates, tolerance)` names all that could be it."""
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


#: The kinds of exercise 4's tools, and what is said to one who takes it for another.
KINDS = {
    "A": (
        "generative",
        "it says the same of the same photo, as a tool with one seed does. Leave out the photo's "
        "first column of pixels: are its details still at their places?",
    ),
    "B": ("mean error", "it draws nothing by chance, and no weighted mean of pixels is so crisp"),
    "C": ("generative", "ask it twice, and subtract: chance is at work"),
    "D": ("formula", "its answer to the negative is the negative of its answer: a weighted mean"),
}


def tools() -> dict[str, Tool]:
    """Return exercise 4's four tools, without a label."""
    crisp = load_model("liif-edsr-crisp", device="cpu")
    small = load_model("liif-edsr-small", device="cpu")
    seeds = count(1)

    def asked(model: Model, photo: np.ndarray, scale: int) -> np.ndarray:
        height, width = (scale * side for side in photo.shape[:2])
        return render(model, photo.astype(np.float32), height, width)

    def same_seed(photo: np.ndarray, scale: int) -> np.ndarray:
        set_seed(crisp, 0)
        return asked(crisp, photo, scale)

    def next_seed(photo: np.ndarray, scale: int) -> np.ndarray:
        set_seed(crisp, next(seeds))
        return asked(crisp, photo, scale)

    def least_error(photo: np.ndarray, scale: int) -> np.ndarray:
        return asked(small, photo, scale)

    def formula(photo: np.ndarray, scale: int) -> np.ndarray:
        height, width = (scale * side for side in photo.shape[:2])
        return resize(photo.astype(np.float32), height, width, "bicubic")

    return {"A": same_seed, "B": least_error, "C": next_seed, "D": formula}


def kinds(answers: Mapping[str, str]) -> None:
    """Check exercise 4: of which kind each of the four tools is."""
    _named(answers, KINDS, ("formula", "mean error", "generative"), "tool", "kind")


def _named(
    answers: Mapping[str, str],
    expected: Mapping[str, tuple[str, str]],
    choices: Sequence[str],
    what: str,
    word: str,
) -> None:
    """Check words that were written beside letters; say why the first wrong one is wrong."""
    assert isinstance(answers, Mapping), f"keep the dictionary: {what} -> {word}"
    for letter, (right, because) in expected.items():
        given = " ".join(str(answers.get(letter, "")).lower().rstrip(" .").split())
        assert given in choices, (
            f"{what} {letter}: write one of {', '.join(choices)}, not {given!r}"
        )
        assert given == right, f"{what} {letter} is not “{given}”: {because}."
