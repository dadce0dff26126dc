"""Lesson 12's checkers: stubs fail, solutions pass, and typical slips get their own hint."""

import numpy as np
import pytest

from liif_core.exercises import is_solved, lesson_12


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("right", [1200, 1200.0, np.float32(2 * 0.2 * 3000)])
def test_the_right_width(right: float) -> None:
    assert is_solved(lesson_12.real_width, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (3000, "own width"),
        (600, "a light and a dark"),
        (7500, "larger than the scan"),
        (1500, "0.25"),
        (900, "900 is not it"),
        ("1200", "quotes"),
    ],
)
def test_wrong_widths(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_12.real_width, wrong)
    assert hint in said(capsys)


NOTHING = {"blur": 0, "grain": 0, "noise": 0, "quality": 0}
SOFT = {**NOTHING, "blur": 1}


def gain(wear) -> float:  # type: ignore[no-untyped-def]
    """Stand in for the networks: each bit of wear helps the photo weights."""
    return -0.4 + wear["blur"] + 0.1 * wear["noise"]


def test_a_turning_point() -> None:
    assert is_solved(lesson_12.turning_point, NOTHING, SOFT, gain)
    assert is_solved(lesson_12.turning_point, {**SOFT, "blur": 0.1}, SOFT, gain)


@pytest.mark.parametrize(
    ("clean", "worn", "hint"),
    [
        (NOTHING, NOTHING, "differ in 0: none"),
        (NOTHING, {**SOFT, "noise": 3}, "differ in 2: blur, noise"),
        (SOFT, {**SOFT, "blur": 2}, "gains +0.60 dB; it should lose"),
        (NOTHING, {**NOTHING, "noise": 1}, "Turn noise further"),
        (NOTHING, {"blur": 1}, "`worn` needs blur, grain, noise, quality"),
        (3, SOFT, "`clean` should stay a dictionary"),
        (NOTHING, {**NOTHING, "noise": "3"}, "noise of `worn` is the text '3'"),
        ({**NOTHING, "blur": -1}, SOFT, "blur of `clean` is -1; it can be anything from 0"),
        (NOTHING, {**NOTHING, "quality": 300}, "quality of `worn` is 300"),
    ],
)
def test_no_turning_point(clean, worn, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_12.turning_point, clean, worn, gain)
    assert hint in said(capsys)


def blocks(plane: np.ndarray, side: int) -> np.ndarray:
    rows, cols = (length // side for length in plane.shape)
    cut = plane[: rows * side, : cols * side].reshape(rows, side, cols, side)
    return cut.swapaxes(1, 2).reshape(rows * cols, side * side)


def from_calm_squares(plane: np.ndarray) -> float:
    return float(np.quantile(blocks(plane, 12).std(axis=1), 0.15))


def from_the_calmest_few(plane: np.ndarray) -> np.floating:
    return np.sort(blocks(plane, 24).std(axis=1))[:6].mean()


def from_the_sky(plane: np.ndarray) -> float:
    return float(plane[:40].std())


def in_place(plane: np.ndarray) -> float:
    plane -= plane.mean()
    return from_calm_squares(plane)


@pytest.mark.parametrize("right", [from_calm_squares, from_the_calmest_few, in_place])
def test_right_meters_for_grain(right) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_12.grain_of, right)


def from_neighbours(plane: np.ndarray) -> float:
    return float(np.median(np.abs(np.diff(plane, axis=1))) / 0.6745 / np.sqrt(2))


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda plane: None, "None"),
        (np.std, "contrast of the whole print"),
        (from_neighbours, "blind to clumps"),
        (lambda plane: from_the_sky(plane) ** 2, "square root"),
        (lambda plane: 6.0, "a corner burnt out: you say 6.00"),
        (from_the_sky, "does some of the scene get in"),
        (lambda plane: blocks(plane, 16).std(axis=1).min(), "or burnt out"),
        (lambda plane: np.median(blocks(plane, 16).std(axis=1)), "half of it a meadow"),
        (lambda plane: blocks(plane, 2).std(axis=1).min(), "smaller than a clump"),
    ],
)
def test_wrong_meters_for_grain(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_12.grain_of, wrong)
    assert hint in said(capsys)


GOOD = (
    "Detail of an old print at ×10. The scan was shrunk to calm the grain and zoomed by LIIF, "
    "weights liif-edsr-photo. Fine detail is the network's guess. The original scan hangs beside."
)
PLAIN = (
    "What you see is a small part of a scan, ten times as large. A neural network that was trained "
    "on worn photos drew it, after the scan had been reduced; nothing was restored: the outlines "
    "are estimated. Ask at the desk for the untouched picture."
)


SMALLER = (
    "Not restored: an old print, enlarged 10-fold by software. The scan was made smaller first, "
    "and trained weights drew the rest. Whether the pale thing is an office tower nobody can tell: "
    "fine detail is a guess. See the unaltered scan next to this picture."
)


@pytest.mark.parametrize(
    "right", [GOOD, PLAIN, SMALLER, GOOD.upper(), GOOD.replace("×10", "10 times")]
)
def test_captions_that_say_what_was_done(right: str) -> None:
    assert is_solved(lesson_12.caption, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("", "no caption yet"),
        (3, "in quotes"),
        ("Digitally restored: AI has recovered the lost detail.", "“restored”"),
        (GOOD.replace("zoomed", "enhanced"), "“enhanced”"),
        (GOOD + " It shows an office tower.", "“office”: is that in the scan"),
        (GOOD.replace(" at ×10", ""), "by how much"),
        (GOOD.replace("weights liif-edsr-photo", "a program"), "with which weights"),
        (GOOD.replace("Fine detail is the network's guess.", ""), "is a guess"),
        (GOOD.replace("shrunk to calm the grain and ", ""), "what was done before"),
        (GOOD.replace("The original scan hangs beside.", ""), "where the untouched scan is"),
        (GOOD + " And so on." * 30, "Under 90"),
    ],
)
def test_captions_that_leave_something_out(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_12.caption, wrong)
    assert hint in said(capsys)


def test_stubs_fail() -> None:
    def stub(*_: object) -> float:
        raise NotImplementedError

    assert not is_solved(lesson_12.grain_of, stub)
