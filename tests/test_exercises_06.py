"""Lesson 06's checkers: stubs fail, solutions pass, and typical slips get their own hint."""

import math

import pytest
import torch

from liif_core.exercises import is_solved, lesson_06


def test_the_largest_scale() -> None:
    assert is_solved(lesson_06.largest_scale, 400 / 48)
    assert is_solved(lesson_06.largest_scale, 8.33)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (1.0, "a larger one still fits"),
        (9.0, "does not fit"),
        (12.5, "tight"),
        (0.12, "upside down"),
    ],
)
def test_wrong_scales(wrong: float, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_06.largest_scale, wrong)
    assert hint in capsys.readouterr().out


def ask(target, chosen, shift=0.5, flip=False, cell=2.0, top=255):  # type: ignore[no-untyped-def]
    side = len(target)
    place = torch.stack([chosen // side, chosen % side], dim=-1)
    coord = (place + shift) / side * 2 - 1
    colour = torch.from_numpy(target.reshape(-1, 3)[chosen.numpy()]) / top
    return coord.flip(-1) if flip else coord, torch.full_like(coord, cell / side), colour


def test_the_right_questions() -> None:
    assert is_solved(lesson_06.questions, ask)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"shift": 0.0, "flip": True}, "two mistakes"),
        ({"shift": 0.0}, "corners"),
        ({"flip": True}, "(y, x)"),
        ({"shift": 1.0}, "(2 i + 1)"),
        ({"cell": 1.0}, "the cell is not"),
        ({"top": 1}, "colours are not"),
    ],
)
def test_wrong_questions(change, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_06.questions, lambda target, chosen: ask(target, chosen, **change))
    assert hint in capsys.readouterr().out


def test_questions_of_another_shape(capsys: pytest.CaptureFixture[str]) -> None:
    def all_at_once(target, chosen):  # type: ignore[no-untyped-def]
        coord, cell, colour = ask(target, chosen)
        return coord[None], cell, colour

    assert not is_solved(lesson_06.questions, all_at_once)
    assert "shape (20, 2)" in capsys.readouterr().out


def schedule(step, steps, warmup, decay, shape="cosine", first=1):  # type: ignore[no-untyped-def]
    if step < warmup:
        return (step + first) / warmup
    left = min((steps - step) / decay, 1)
    return left if shape == "line" else 0.5 * (1 - math.cos(math.pi * left))


def test_the_right_schedule() -> None:
    assert is_solved(lesson_06.rate_at, schedule)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda *_: None, "return"),
        (lambda *a: schedule(*a, first=0), "wasted"),
        (lambda *a: schedule(*a, shape="line"), "straight line"),
        (lambda step, n, w, d: schedule(step, n, w, n - w), "step 50"),
        (lambda step, n, w, d: schedule(step, n, 2 * w, d), "full rate"),
        (lambda step, n, w, d: 1.0 if step < n - d else schedule(step, n, w, d), "step 0 of 100"),
        (lambda step, n, w, d: 1.0, "half-way"),
    ],
)
def test_wrong_schedules(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_06.rate_at, wrong)
    assert hint in capsys.readouterr().out


def test_stubs_fail() -> None:
    def stub(*_: object) -> float:
        raise NotImplementedError

    assert not is_solved(lesson_06.rate_at, stub)
