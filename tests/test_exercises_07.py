"""Lesson 07's checkers: stubs fail, solutions pass, and typical slips get their own hint."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from liif_core.baselines import resize
from liif_core.exercises import is_solved, lesson_07


def sharpened(picture: np.ndarray) -> np.ndarray:
    return (picture + 2.5 * (picture - gaussian_filter(picture, (3, 3, 0)))).clip(0, 1)


def with_noise(strength: float):  # type: ignore[no-untyped-def]
    def speckled(picture: np.ndarray) -> np.ndarray:
        return picture + np.random.default_rng(0).normal(0, strength, (*picture.shape[:2], 1))

    return speckled


@pytest.mark.parametrize("right", [sharpened, with_noise(0.025)], ids=["sharpened", "noise"])
def test_a_yardstick_can_be_cheated_in_several_ways(right) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_07.cheat, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda picture: None, "return"),
        (lambda picture: picture, "do more"),
        (lambda picture: picture.mean(axis=2), "the picture"),
        (lambda picture: picture * np.nan, "not finite"),
        (with_noise(0.2), "do less"),
        (lambda picture: np.roll(sharpened(picture), 90, axis=0), "keep its scene"),
    ],
    ids=["nothing", "unchanged", "grey", "nan", "too much", "another scene"],
)
def test_cheats_that_do_not_work(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_07.cheat, wrong)
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


KINDS = {tool: kind for tool, (kind, _) in lesson_07.KINDS.items()}


def test_the_four_tools_are_of_the_kinds_that_the_checker_says() -> None:
    photo = np.random.default_rng(0).random((64, 64, 3), dtype=np.float32)
    tools = lesson_07.tools()
    assert tools.keys() == KINDS.keys()
    for name, tool in tools.items():
        first, middle = tool(photo, 2), np.s_[60:68, 60:68]
        assert first.shape == (128, 128, 3)
        again = np.abs(tool(photo, 2) - first).max()
        moved = np.abs(tool(photo[:, 1:], 2)[60:68, 58:66] - first[middle]).max()
        negative = np.abs(1 - tool(1 - photo, 2) - first).max()
        assert (max(again, moved) > 0.02) == (KINDS[name] == "generative"), name
        assert (negative < 1e-4) == (KINDS[name] == "formula"), name


@pytest.mark.parametrize("right", [KINDS, {k: f" {v.upper()}. " for k, v in KINDS.items()}])
def test_the_right_kinds(right: dict[str, str]) -> None:
    assert is_solved(lesson_07.kinds, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (dict.fromkeys(KINDS, ""), "tool A: write one of"),
        (KINDS | {"A": "mean error"}, "first column"),
        (KINDS | {"B": "generative"}, "tool B"),
        (KINDS | {"C": "formula"}, "ask it twice"),
        (KINDS | {"D": "mean error"}, "negative"),
        (["formula"] * 4, "dictionary"),
    ],
)
def test_wrong_kinds(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_07.kinds, wrong)
    assert hint in " ".join(capsys.readouterr().out.split())


def test_stubs_fail() -> None:
    def stub(*_: object) -> float:
        raise NotImplementedError

    assert not is_solved(lesson_07.cheat, stub)
    assert not is_solved(lesson_07.still_possible, stub)
