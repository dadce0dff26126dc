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


def by_halves(kernels):
    return sum(side // 2 for side in kernels)


def by_sum(kernels):
    return (sum(kernels) - len(kernels)) / 2


def by_padding(kernels):
    """Let a spot of one pixel grow through the layers."""
    seen = torch.zeros(1, 1, 101, 101)
    seen[..., 50, 50] = 1
    for side in kernels:
        seen = F.conv2d(seen, torch.ones(1, 1, side, side), padding=side // 2).clamp(max=1)
    return torch.tensor(int(seen[0, 0, 50].sum()) // 2)


def conv_by_unfolding(x, weight, bias):
    columns = F.unfold(x[None], 3, padding=1)[0]
    return (weight.flatten(1) @ columns + bias[:, None]).reshape(-1, *x.shape[1:])


def conv_by_loops(x, weight, bias):
    padded = torch.zeros(x.shape[0], x.shape[1] + 2, x.shape[2] + 2)
    padded[:, 1:-1, 1:-1] = x
    result = torch.empty(len(weight), *x.shape[1:])
    for row in range(x.shape[1]):
        for col in range(x.shape[2]):
            patch = padded[:, row : row + 3, col : col + 3]
            result[:, row, col] = (weight * patch).sum(dim=(1, 2, 3)) + bias
    return result


def transplant_with_where(host, donor, rows, cols):
    inside = torch.zeros(host.codes.shape[-2:], dtype=torch.bool)
    inside[rows, cols] = True
    return Latents(*(torch.where(inside, d, h) for h, d in zip(host, donor, strict=True)))


def in_numpy(*q):
    return Latents(*(grid.numpy() for grid in transplant(*q)))


def cut_out(host, donor, rows, cols):
    return Latents(*(grid[..., rows, cols] for grid in donor))


def conv_in_double(x, weight, bias):
    return F.conv2d(x[None].double(), weight.double(), bias.double(), padding=1)[0]


FOUND = dict(lesson_02.TAMPERINGS)
CHECKERS = [lesson_02.convolution, lesson_02.reach, lesson_02.transplant]


@pytest.mark.parametrize("checker", CHECKERS)
def test_stub_is_not_yet_solved(capsys, checker):
    assert "NotImplementedError" in verdict(capsys, checker, stub)


@pytest.mark.parametrize(
    ("checker", "answer"),
    [
        *((lesson_02.convolution, way) for way in (convolution, conv_by_unfolding)),
        *((lesson_02.convolution, way) for way in (conv_by_loops, conv_in_double)),
        *((lesson_02.reach, way) for way in (by_halves, by_sum, by_padding)),
        *((lesson_02.transplant, way) for way in (transplant, transplant_with_where)),
        (lesson_02.detective, FOUND),
        (lesson_02.detective, {key: f"{value.upper()} " for key, value in FOUND.items()}),
    ],
)
def test_solution_passes(capsys, checker, answer):
    assert verdict(capsys, checker, answer) == "✓ Solved."


@pytest.mark.parametrize(
    ("checker", "answer", "hint"),
    [
        (lesson_02.convolution, lambda x, w, b: None, "returns nothing"),
        (lesson_02.convolution, lambda *q: convolution(*q).numpy(), "torch.from_numpy"),
        (lesson_02.convolution, lambda *q: convolution(*q)[None], "yours has (1, 5, 6, 7)"),
        (lesson_02.convolution, lambda x, w, b: convolution(x, w, 9 * b), "nine times"),
        (lesson_02.convolution, lambda x, w, b: F.conv2d(x[None], w, b)[0], "Pad x"),
        (lesson_02.convolution, lambda x, w, b: convolution(x, w, 0 * b), "bias"),
        (lesson_02.convolution, lambda x, w, b: convolution(x, w.flip(2, 3), b), "upside down"),
        (lesson_02.convolution, lambda x, w, b: convolution(x, w.mT, b), "on its side"),
        (lesson_02.convolution, lambda x, w, b: convolution(x, w / 2, b), "in the middle"),
        (lesson_02.convolution, wrapped_convolution, "border"),
        (lesson_02.reach, lambda kernels: None, "returns nothing"),
        (lesson_02.reach, len, "9×9 kernel"),
        (lesson_02.reach, sum, "both directions"),
        (lesson_02.reach, lambda kernels: 2 * by_halves(kernels) + 1, "whole square"),
        (lesson_02.reach, lambda kernels: 2 * by_halves(kernels), "both sides"),
        (lesson_02.reach, lambda kernels: max(kernels) // 2, "travel on"),
        (lesson_02.reach, lambda kernels: by_halves(kernels) + 1, "by itself"),
        (lesson_02.detective, dict.fromkeys(FOUND, ""), "picture P: write one of"),
        (lesson_02.detective, FOUND | {"P": "colours zero", "R": "codes zero"}, "no crisp edge"),
        (lesson_02.detective, FOUND | {"Q": "codes moved"}, "too steep"),
        (lesson_02.detective, FOUND | {"S": "codes doubled"}, "beside the edges"),
        (lesson_02.detective, list(FOUND), "keep the dictionary"),
        (lesson_02.transplant, lambda *q: q[0].codes, "return Latents"),
        (lesson_02.transplant, in_numpy, "torch.from_numpy"),
        (lesson_02.transplant, cut_out, "codes should have the shape (1, 4, 5, 6)"),
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
