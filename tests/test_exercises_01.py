"""Checkers of lesson 01: the stub fails, the solution passes, a typical mistake gets its hint."""

import numpy as np
import pytest
import torch

from liif_core import coords
from liif_core.exercises import check, lesson_01


def stub(*_args):
    raise NotImplementedError


def verdict(capsys, checker, *answers) -> str:
    check(checker, *answers)
    return " ".join(capsys.readouterr().out.split())  # long lines are broken between words


def nearest_index(x, n):
    return ((x + 1e-6 + 1) * n / 2).floor().long().clamp(0, n - 1)


def one_by_one(x, n):
    return min(max(int(np.floor((float(x) + 1) * n / 2)), 0), n - 1)


def bilinear_at(photo, y, x, *, clamp=True, half=0.5, swap=False):
    down, across = ((c + 1) / 2 * n - half for c, n in zip((y, x), photo.shape[:2], strict=True))
    colour = 0
    for row in (down.floor(), down.floor() + 1):
        for col in (across.floor(), across.floor() + 1):
            shares = torch.stack([1 - (down - row).abs(), 1 - (across - col).abs()])
            place = [row.long(), col.long()]
            if clamp:
                place = [i.clamp(0, n - 1) for i, n in zip(place, photo.shape, strict=False)]
            colour += (1 - shares if swap else shares).prod(0)[:, None] * photo[tuple(place)]
    return colour


def alias(frequency, step):
    cycles = frequency * step
    return abs(cycles - round(cycles)) / step


@pytest.mark.parametrize(
    "checker", [lesson_01.nearest_index, lesson_01.bilinear_at, lesson_01.alias]
)
def test_stub_is_not_yet_solved(capsys, checker):
    assert "NotImplementedError" in verdict(capsys, checker, stub)


@pytest.mark.parametrize(
    ("checker", "answer"),
    [
        (lesson_01.nearest_index, nearest_index),
        (lesson_01.nearest_index, coords.nearest_index),
        (
            lesson_01.nearest_index,
            lambda x, n: (x[..., None] + 1e-6 >= 2 * torch.arange(1, n) / n - 1).sum(-1),
        ),
        (lesson_01.best_a, -0.9),
        (lesson_01.best_a, np.float32(-0.85)),
        (lesson_01.bilinear_at, lambda *q: bilinear_at(*q).double()),
        (lesson_01.bilinear_at, bilinear_at),
        (lesson_01.alias, alias),
        (lesson_01.alias, lambda f, n: np.arccos(np.cos(2 * np.pi * f * n)) / (2 * np.pi * n)),
        (lesson_01.alias, lambda f, n: min(f * n % 1, 1 - f * n % 1) / n),
        (lesson_01.alias, lambda f, n: torch.tensor(alias(f, n), dtype=torch.float64)),
    ],
)
def test_solution_passes(capsys, checker, answer):
    assert verdict(capsys, checker, answer) == "✓ Solved."


@pytest.mark.parametrize(
    ("checker", "answer", "hint"),
    [
        (lesson_01.nearest_index, lambda x, n: None, "returns nothing"),
        (lesson_01.nearest_index, lambda x, n: int((x + 1) / 2), "Undo"),
        (lesson_01.nearest_index, lambda x, n: ((x + 1) * n / 2).round().long(), "count cells"),
        (lesson_01.nearest_index, lambda x, n: ((x + 1) * n / 2).floor().long(), "Keep the index"),
        (lesson_01.nearest_index, one_by_one, "take one number, .floor()"),
        (lesson_01.nearest_index, lambda x, n: nearest_index(x - 1e-6, n), "Add 1e-6 to x first"),
        (lesson_01.nearest_index, lambda x, n: nearest_index(x, n).float(), ".long() makes it"),
        (lesson_01.nearest_index, lambda x, n: f"{x}", "leave the quotes out"),
        (lesson_01.nearest_index, lambda x, n: (x + 1) * n / 2, "whole number"),
        (lesson_01.nearest_index, lambda x, n: [0][n], "`<lambda>` stopped in its line 1"),
        (lesson_01.best_a, -0.5, "Go down"),
        (lesson_01.best_a, -0.75, "Go down"),
        (lesson_01.best_a, -1.0, "Go up"),
        (lesson_01.best_a, 0.5, "Go down"),
        (lesson_01.best_a, -40, "far out"),
        (lesson_01.best_a, "half", "leave the quotes out"),
        (lesson_01.bilinear_at, lambda photo, y, x: None, "returns nothing"),
        (lesson_01.bilinear_at, lambda photo, y, x: photo.mean(), "shape (1, 3), yours has ()"),
        (lesson_01.bilinear_at, lambda *q: bilinear_at(*q, half=0), "− 0.5"),
        (lesson_01.bilinear_at, lambda *q: bilinear_at(*q, swap=True), "shares swapped"),
        (lesson_01.bilinear_at, lambda photo, y, x: bilinear_at(photo, x, y), "y is the first"),
        (lesson_01.bilinear_at, lambda *q: bilinear_at(*q, clamp=False), "Clamp"),
        (lesson_01.alias, lambda f, n: None, "returns nothing"),
        (lesson_01.alias, lambda f, n: n * alias(f, n), "2 times too large"),
        (lesson_01.alias, lambda f, n: f / n, "goes through 0.4 of a cycle"),
        (lesson_01.alias, lambda f, n: 1 / n - f, "kept at step 1"),
        (lesson_01.alias, lambda f, n: f, "the kept pixels hold nothing above"),
        (lesson_01.alias, lambda f, n: (f * n - round(f * n)) / n, "less than 0 cycles"),
        (lesson_01.alias, lambda f, n: min(f, 0.5 / n), "nearest whole number"),
    ],
)
def test_mistake_gets_its_hint(capsys, checker, answer, hint):
    said = verdict(capsys, checker, answer)
    assert said.startswith("✗ Not yet")
    assert hint in said
