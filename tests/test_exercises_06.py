"""Lesson 06's checkers: stubs fail, solutions pass, and typical slips get their own hint."""

import math

import numpy as np
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
        (8.4, "does not fit"),  # 403 pixels
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
    assert "coord should have the shape (20, 2)" in capsys.readouterr().out


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


def by_hand(rows):  # type: ignore[no-untyped-def]
    peak = max(row["rate"] for row in rows)
    turn = [row for row in rows if row["rate"] == peak][-1]
    return turn["psnr_x4"] - rows[0]["psnr_x4"], rows[-1]["psnr_x4"] - turn["psnr_x4"]


def with_numpy(rows):  # type: ignore[no-untyped-def]
    rate, gain = np.array([[row["rate"], row["psnr_x4"]] for row in rows]).T
    turn = np.flatnonzero(rate >= rate.max()).max()
    return np.array([gain[turn] - gain[0], gain[-1] - gain[turn]])


def test_the_run_is_read() -> None:
    assert is_solved(lesson_06.gained, by_hand)
    assert is_solved(lesson_06.gained, with_numpy)
    assert is_solved(lesson_06.gained, lambda rows: [round(gain, 2) for gain in by_hand(rows)])


def halves(rows):  # type: ignore[no-untyped-def]
    first, middle, last = (rows[k]["psnr_x4"] for k in (0, len(rows) // 2, -1))
    return middle - first, last - middle


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda rows: None, "returns nothing"),
        (lambda rows: by_hand(rows)[::-1], "swapped"),
        (lambda rows: by_hand(rows)[0], "2 things are wanted"),
        (
            lambda rows: (
                by_hand(rows)[0],
                rows[-1]["psnr_x4"] - next(row for row in rows if row["rate"] < 2)["psnr_x4"],
            ),
            "one row later",
        ),
        (lambda rows: (rows[-1]["psnr_x4"] - rows[0]["psnr_x4"], 0.0), "you say"),
        (lambda rows: halves(rows), "first half of the rows"),
        (lambda rows: by_hand([{**row, "psnr_x4": row["psnr_x2"]} for row in rows]), "at ×2"),
        (lambda rows: [f"{gain} dB" for gain in by_hand(rows)], "leave the quotes out"),
    ],
)
def test_the_run_misread(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_06.gained, wrong)
    assert hint in " ".join(capsys.readouterr().out.split())


def test_what_came_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for checker, wrong, hint in (
        (lesson_06.largest_scale, "8.3", "leave the quotes out"),
        (lesson_06.questions, lambda *a: None, "returns nothing"),
        (lesson_06.questions, lambda *a: ask(*a)[:2], "returns 2"),
        (lesson_06.questions, lambda *a: ask(*a)[::-1], "another order"),
        (lesson_06.questions, lambda *a: [ask(*a)[k] for k in (1, 0, 2)], "cell are swapped"),
        (lesson_06.questions, lambda *a: [part.numpy() for part in ask(*a)], "torch.from_numpy"),
        (lesson_06.rate_at, lambda *a: "full", "leave the quotes out"),
    ):
        assert not is_solved(checker, wrong)
        assert hint in " ".join(capsys.readouterr().out.split())


def test_right_answers_written_in_other_ways() -> None:
    assert is_solved(lesson_06.largest_scale, np.float32(400 / 48))
    assert is_solved(lesson_06.questions, lambda *a: [part.double() for part in ask(*a)])
    assert is_solved(lesson_06.rate_at, lambda *a: torch.tensor(schedule(*a), dtype=torch.float64))


def test_stubs_fail() -> None:
    def stub(*_: object) -> float:
        raise NotImplementedError

    assert not is_solved(lesson_06.rate_at, stub)
