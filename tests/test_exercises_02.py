"""Checkers of lesson 02: the stub fails, the solution passes, a typical mistake gets its hint."""

import pytest
import torch
import torch.nn.functional as F

from liif_core.exercises import check, lesson_02
from liif_core.liif import Latents


def stub(*_args):
    raise NotImplementedError


def verdict(capsys, checker, *answers) -> str:
    check(checker, *answers)
    return " ".join(capsys.readouterr().out.split())  # long lines are broken between words


def convolution(x, weight, bias):
    height, width = x.shape[-2:]
    padded = F.pad(x, (1, 1, 1, 1))
    total = bias[:, None, None]
    for dy in range(3):
        for dx in range(3):
            shifted = padded[:, dy : dy + height, dx : dx + width]
            total = total + torch.einsum("kc,cyx->kyx", weight[:, :, dy, dx], shifted)
    return total


def wrapped_convolution(x, weight, bias):
    total = bias[:, None, None]
    for dy in range(3):
        for dx in range(3):
            shifted = x.roll((1 - dy, 1 - dx), dims=(1, 2))
            total = total + torch.einsum("kc,cyx->kyx", weight[:, :, dy, dx], shifted)
    return total


def transplant(host, donor, rows, cols, *, copy=True, colours=True):
    result = Latents(host.codes.clone(), host.colours.clone()) if copy else host
    result.codes[..., rows, cols] = donor.codes[..., rows, cols]
    if colours:
        result.colours[..., rows, cols] = donor.colours[..., rows, cols]
    return result


CHECKERS = [lesson_02.convolution, lesson_02.reach, lesson_02.transplant]


@pytest.mark.parametrize("checker", CHECKERS)
def test_stub_is_not_yet_solved(capsys, checker):
    assert "NotImplementedError" in verdict(capsys, checker, stub)


@pytest.mark.parametrize(
    ("checker", "answer"),
    list(zip(CHECKERS, [convolution, lambda blocks: 2 * blocks + 2, transplant], strict=True)),
)
def test_solution_passes(capsys, checker, answer):
    assert verdict(capsys, checker, answer) == "✓ Solved."


@pytest.mark.parametrize(
    ("checker", "answer", "hint"),
    [
        (lesson_02.convolution, lambda x, w, b: None, "return a tensor"),
        (lesson_02.convolution, lambda x, w, b: F.conv2d(x[None], w, b)[0], "Pad x"),
        (lesson_02.convolution, lambda x, w, b: convolution(x, w, 0 * b), "bias"),
        (lesson_02.convolution, lambda x, w, b: convolution(x, w.flip(2, 3), b), "upside down"),
        (lesson_02.convolution, lambda x, w, b: convolution(x, w.mT, b), "in the middle"),
        (lesson_02.convolution, wrapped_convolution, "border"),
        (lesson_02.reach, lambda blocks: None, "returns nothing"),
        (lesson_02.reach, lambda blocks: 2 * blocks, "two more"),
        (lesson_02.reach, lambda blocks: blocks, "two convolutions"),
        (lesson_02.reach, lambda blocks: 4 * blocks + 5, "whole square"),
        (lesson_02.reach, lambda blocks: blocks + 2, "Count its"),
        (lesson_02.transplant, lambda *q: q[0].codes, "return Latents"),
        (lesson_02.transplant, lambda *q: transplant(*q, copy=False), "copies"),
        (lesson_02.transplant, lambda *q: transplant(*q, colours=False), "stayed behind"),
        (lesson_02.transplant, lambda *q: q[0], "inside the window"),
        (lesson_02.transplant, lambda *q: q[1], "outside the window"),
    ],
)
def test_mistake_gets_its_hint(capsys, checker, answer, hint):
    said = verdict(capsys, checker, answer)
    assert said.startswith("✗ Not yet")
    assert hint in said
