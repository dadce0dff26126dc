"""Lesson 05's checkers: stubs fail, solutions pass, and typical slips get their own hint."""

import numpy as np
import pytest

from liif_core.exercises import is_solved, lesson_05


@pytest.mark.parametrize("right", [48, 1920 / 40])
def test_the_right_magnification(right: float) -> None:
    assert is_solved(lesson_05.screen_magnification, right)


@pytest.mark.parametrize(
    ("wrong", "hint"), [(1.0, "shows 1920 pixels"), (40 / 1920, "upside down"), (0, "inf")]
)
def test_wrong_magnifications(wrong: float, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_05.screen_magnification, wrong)
    assert hint in capsys.readouterr().out


@pytest.mark.parametrize(
    "right",
    [
        lambda pixels, cm, dpi: cm / 2.54 * dpi / pixels,
        lambda pixels, cm, dpi: np.float32(cm * dpi) / (2.54 * pixels),
    ],
)
def test_the_right_scale_for_print(right) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_05.scale_for_print, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda pixels, cm, dpi: None, "return"),
        (lambda pixels, cm, dpi: cm * dpi / pixels, "inches"),
        (lambda pixels, cm, dpi: cm / 2.54 * dpi, "pixels of the print"),
        (lambda pixels, cm, dpi: pixels / (cm / 2.54 * dpi), "upside down"),
        (lambda pixels, cm, dpi: round(cm / 2.54 * dpi / pixels), "pixels; ×"),
    ],
)
def test_wrong_scales_for_print(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_05.scale_for_print, wrong)
    assert hint in capsys.readouterr().out


SIDE = 96
ACROSS = np.arange(SIDE) / SIDE


def stripes() -> tuple[np.ndarray, np.ndarray]:
    wave = np.broadcast_to(np.sin(2 * np.pi * 6 * ACROSS), (SIDE, SIDE))
    return 0.5 + 0.4 * wave, 0.5 + 0.4 * np.sign(wave)


def rings() -> list[np.ndarray]:
    y, x = np.mgrid[-1:1:192j, -1:1:192j]
    wave = np.cos(2 * np.pi * 6 * np.hypot(y, x))
    grey = np.stack([0.5 + 0.4 * wave] * 3, axis=2)
    return [(255 * grey).astype(np.uint8), np.where(grey > 0.5, 230, 25).astype(np.uint8)]


@pytest.mark.parametrize("right", [stripes, rings])
def test_right_counterexamples(right) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_05.counterexample, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda: None, "two pictures are wanted"),
        (lambda: stripes()[0], "returns a NumPy array of the shape (96, 96)"),
        (lambda: (stripes()[0], stripes()[1][:60]), "not in their size"),
        (lambda: (100 * stripes()[0], stripes()[1]), "between 0 and 1"),
        (lambda: (np.full((64, 64), 0.5),) * 2, "flat"),
        (lambda: stripes()[::-1], "learned to expect"),
        (lambda: (stripes()[0],) * 2, "well found"),
        (lambda: (stripes()[0], stripes()[1].T), "too little in common"),
    ],
)
def test_wrong_counterexamples(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_05.counterexample, wrong)
    assert hint in " ".join(capsys.readouterr().out.split())


def test_stubs_fail() -> None:
    def stub(*_: object) -> np.ndarray:
        raise NotImplementedError

    assert not is_solved(lesson_05.scale_for_print, stub)
    assert not is_solved(lesson_05.counterexample, stub)
