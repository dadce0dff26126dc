"""Lesson 05's checkers: stubs fail, solutions pass, and typical slips get their own hint."""

import numpy as np
import pytest

from liif_core.baselines import resize
from liif_core.exercises import is_solved, lesson_05
from liif_core.render import render
from liif_core.weights import load_model


def test_the_right_magnification() -> None:
    assert is_solved(lesson_05.screen_magnification, 48)


@pytest.mark.parametrize(
    ("wrong", "hint"), [(1.0, "shows 1920 pixels"), (40 / 1920, "upside down"), (0, "inf")]
)
def test_wrong_magnifications(wrong: float, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_05.screen_magnification, wrong)
    assert hint in capsys.readouterr().out


def test_the_right_scale_for_print() -> None:
    assert is_solved(lesson_05.scale_for_print, lambda pixels, cm, dpi: cm / 2.54 * dpi / pixels)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda pixels, cm, dpi: None, "return"),
        (lambda pixels, cm, dpi: cm * dpi / pixels, "inches"),
        (lambda pixels, cm, dpi: pixels / (cm / 2.54 * dpi), "upside down"),
        (lambda pixels, cm, dpi: round(cm / 2.54 * dpi / pixels), "pixels; ×"),
    ],
)
def test_wrong_scales_for_print(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_05.scale_for_print, wrong)
    assert hint in capsys.readouterr().out


SMALL = "liif-edsr-small"  # which the checker itself takes


def stretch(model, small, height, width, at=4, method="lanczos"):  # type: ignore[no-untyped-def]
    first = render(model, small, at * small.shape[0], at * small.shape[1])
    return resize(first, height, width, method)


def test_the_right_rival() -> None:
    assert is_solved(lesson_05.stop_and_stretch, stretch)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda model, small, h, w: None, "return"),
        (lambda model, small, h, w: stretch(model, small, 4, 4), "shape (4, 4, 3)"),
        (render, "LIIF alone"),
        (lambda model, small, h, w: resize(small, h, w, "lanczos"), "Lanczos alone"),
        (lambda model, small, h, w: stretch(model, small, h, w, method="bicubic"), "bicubic here"),
        (lambda model, small, h, w: stretch(model, small, h, w, at=2), "not ×4"),
        (lambda model, small, h, w: stretch(load_model(), small, h, w), "given"),
        (lambda model, small, h, w: stretch(load_model(SMALL), small, h, w), "given"),
    ],
)
def test_wrong_rivals(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_05.stop_and_stretch, wrong)
    assert hint in capsys.readouterr().out


def test_stubs_fail() -> None:
    def stub(*_: object) -> np.ndarray:
        raise NotImplementedError

    assert not is_solved(lesson_05.scale_for_print, stub)
    assert not is_solved(lesson_05.stop_and_stretch, stub)
