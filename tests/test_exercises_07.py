"""Lesson 07's checkers: stubs fail, solutions pass, and typical slips get their own hint."""

from collections.abc import Mapping

import numpy as np
import pytest

from liif_core.baselines import resize
from liif_core.exercises import is_solved, lesson_07


@pytest.mark.parametrize("right", [63, 63.0, np.int64(8 * 8 - 1)])
def test_the_right_number_is_free(right: float) -> None:
    assert is_solved(lesson_07.free_numbers, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [(64, "one equation"), (7, "both axes"), (1, "choose freely"), (0, "does not fix")],
)
def test_wrong_numbers(wrong: int, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_07.free_numbers, wrong)
    assert hint in capsys.readouterr().out


def from_differences(photo: np.ndarray) -> float:
    return float(np.median(np.abs(np.diff(photo, axis=1))) / 0.6745 / np.sqrt(2))


def from_the_sky(photo: np.ndarray) -> float:
    return float(photo[:20].std())


def from_calm_patches(photo: np.ndarray) -> np.floating:
    patches = photo.reshape(12, 8, 12, 8).std(axis=(1, 3))
    return np.quantile(patches, 0.2)


@pytest.mark.parametrize("right", [from_differences, from_the_sky, from_calm_patches])
def test_right_estimates_of_the_noise(right) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_07.noise_of, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda photo: None, "return"),
        (lambda photo: photo.std(axis=0), "a number is wanted"),
        (np.std, "contrast of the whole photo"),
        (lambda photo: np.diff(photo, axis=1).std(), "edges of the scene"),
        (lambda photo: from_differences(photo) * np.sqrt(2), "twice the variance"),
        (lambda photo: from_the_sky(photo) ** 2, "square root"),
        (lambda photo: 255 * from_the_sky(photo), "from about 0 to 1"),
        (lambda photo: 0.02, "noise of 0.04: you say 0.020"),
    ],
)
def test_wrong_estimates_of_the_noise(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_07.noise_of, wrong)
    assert hint in " ".join(capsys.readouterr().out.split())


RIGHT = {case: verdict for case, (verdict, _) in lesson_07.VERDICTS.items()}


@pytest.mark.parametrize("right", [RIGHT, {k: f" {v.upper()}. " for k, v in RIGHT.items()}])
def test_right_verdicts(right: dict[str, str]) -> None:
    assert is_solved(lesson_07.verdicts, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (dict.fromkeys(RIGHT, ""), "case A: write one of"),
        (RIGHT | {"B": "possible"}, "case B"),
        (RIGHT | {"C": "ruled out"}, "score in the noisy photo"),
        (RIGHT | {"D": "possible"}, "taken the noise"),
        (RIGHT | {"E": "possible"}, "the wrong card"),
        (["possible"] * 5, "dictionary"),
    ],
)
def test_wrong_verdicts(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_07.verdicts, wrong)
    assert hint in " ".join(capsys.readouterr().out.split())


def possible(  # type: ignore[no-untyped-def]
    small: np.ndarray, candidates: Mapping[str, np.ndarray], tolerance: float, largest=np.max
) -> list[str]:
    height, width = small.shape
    gaps = {k: resize(v, height, width, "bicubic") - small for k, v in candidates.items()}
    return [name for name, gap in gaps.items() if largest(np.abs(gap)) <= tolerance]


def in_a_loop(small, candidates, tolerance) -> set[str]:  # type: ignore[no-untyped-def]
    named = set()
    for name, picture in candidates.items():
        gap = resize(picture, *small.shape, "bicubic") - small
        if -tolerance <= gap.min() and gap.max() <= tolerance:
            named.add(name)
    return named


def within(small, candidates, tolerance) -> list[str]:  # type: ignore[no-untyped-def]
    """Exactly at the tolerance: out. Nothing in the lesson says that it is in."""
    gaps = {k: resize(v, *small.shape, "bicubic") - small for k, v in candidates.items()}
    return [name for name, gap in gaps.items() if np.abs(gap).max() < tolerance]


@pytest.mark.parametrize("right", [possible, in_a_loop, within])
def test_the_right_candidates(right) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_07.still_possible, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda small, candidates, tolerance: None, "return"),
        (lambda small, candidates, tolerance: ["the truth"], "a twin shrinks"),
        (lambda small, candidates, tolerance: list(candidates), "brighter picture"),
        (lambda small, candidates, tolerance: ["a twin", "darker"], "np.abs"),
        (lambda small, candidates, tolerance: ["a twin"], "exactly"),
        (lambda *asked: possible(*asked, largest=np.mean), "a single pixel"),
        (lambda small, candidates, tolerance: possible(small, candidates, 0.02), "tolerance"),
    ],
)
def test_wrong_candidates(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_07.still_possible, wrong)
    assert hint in capsys.readouterr().out


def test_stubs_fail() -> None:
    def stub(*_: object) -> float:
        raise NotImplementedError

    assert not is_solved(lesson_07.noise_of, stub)
    assert not is_solved(lesson_07.still_possible, stub)
