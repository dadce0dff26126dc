"""The checkers of lesson 03: right answers pass, and the usual slips get their hint."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from liif_core.coords import centre_of, nearest_index
from liif_core.exercises import is_solved, lesson_03
from liif_core.liif import LIIF, Latents


def seen_from(delta: Tensor, steps: int) -> Tensor:
    return delta - 2 * steps


def weights(delta: Tensor) -> Tensor:
    area = delta.abs().prod(-1).flip(-1)
    return area / area.sum(-1, keepdim=True)


def ask_four(
    model: LIIF,
    latents: Latents,
    coord: Tensor,
    cell: Tensor,
    *,
    share: Callable[[Tensor], Tensor] = weights,
    colour: bool | None = None,
    delta_scale: bool = True,
    cell_scale: bool = True,
    clamp: bool = True,
) -> Tensor:
    """A query by hand, with one switch for each slip that the checker knows."""
    height, width = latents.codes.shape[-2:]
    size = torch.tensor([height, width])
    codes = F.unfold(latents.codes, 3, padding=1).unflatten(2, (height, width))[0]
    answers, deltas = [], []
    for step_y, step_x in [(-1, -1), (-1, 1), (1, -1), (1, 1)]:
        row = nearest_index(coord[0, :, 0] + step_y / height, height)
        col = nearest_index(coord[0, :, 1] + step_x / width, width)
        if not clamp:  # what indexing with -1 does: the other side of the photo
            row[coord[0, :, 0] + step_y / height < -1] = height - 1
        delta = (coord[0] - torch.stack([centre_of(row, height), centre_of(col, width)], -1)) * size
        told = delta if delta_scale else delta / size
        seen = cell[0] * size if cell_scale else cell[0]
        answer = model.imnet(torch.cat([codes[:, row, col].T, told, seen], -1))
        if model.config.local_colour if colour is None else colour:
            answer = answer + latents.colours[0][:, row, col].T
        answers.append(answer)
        deltas.append(delta)
    blended = (torch.stack(answers, 1) * share(torch.stack(deltas, 1))[..., None]).sum(1)
    return blended[None] * 0.5 + 0.5


def test_right_answers_are_solved(capsys: pytest.CaptureFixture[str]) -> None:
    assert is_solved(lesson_03.seen_from, seen_from)
    assert is_solved(lesson_03.weights, weights)
    assert is_solved(lesson_03.query, ask_four)
    assert is_solved(lesson_03.where_the_bug_hides, (2, 80), (16, 16))
    assert capsys.readouterr().out == "✓ Solved.\n" * 4


def test_right_answers_written_in_other_ways() -> None:
    def by_coordinates(delta: Tensor, steps: int) -> Tensor:
        n = 40
        place = delta.double() / n  # seen from a code at 0
        return (place - steps * 2 / n) * n

    def in_place(delta: Tensor) -> Tensor:
        area = (2 - delta.abs_()).prod(-1)
        return area.div_(area.sum(-1, keepdim=True))

    def one_by_one(delta: Tensor) -> Tensor:
        y, x = delta.abs().unbind(-1)
        area = torch.stack([y[:, 3 - k] * x[:, 3 - k] for k in range(4)], dim=1)
        return torch.nn.functional.normalize(area, p=1, dim=1)

    assert is_solved(lesson_03.seen_from, by_coordinates)
    assert is_solved(lesson_03.seen_from, lambda delta, steps: delta.sub_(steps).sub_(steps))
    assert is_solved(lesson_03.weights, in_place)
    assert is_solved(lesson_03.weights, one_by_one)
    assert is_solved(lesson_03.where_the_bug_hides, [0, 60], torch.tensor([20, 14]))


@pytest.mark.parametrize(
    ("hides", "shows", "hint"),
    [
        ((16, 16), (16, 16), "less than 1 is wanted"),
        ((2, 80), (2, 80), "more than 6 is wanted"),
        ((2, 95), (16, 16), "do not lie inside"),
        (2, (16, 16), "2 things are wanted"),
        ((2.5, 80), (16, 16), "whole number"),
    ],
)
def test_where_the_bug_does_not_hide(hides, shows, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_03.where_the_bug_hides, hides, shows)
    assert hint in " ".join(capsys.readouterr().out.split())


def test_what_came_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for checker, wrong, hint in (
        (lesson_03.seen_from, lambda d, s: None, "returns nothing"),
        (lesson_03.seen_from, lambda d, s: (d - 2 * s).numpy(), "torch.from_numpy"),
        (lesson_03.seen_from, lambda d, s: (d - 2 * s)[0], "should have the shape (7,)"),
        (lesson_03.weights, lambda d: None, "returns nothing"),
        (lesson_03.weights, lambda d: d.missing(), "`<lambda>` stopped in its line 1"),
        (lesson_03.query, lambda *args: ask_four(*args).numpy(), "torch.from_numpy"),
    ):
        assert not is_solved(checker, wrong)
        assert hint in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda delta, steps: delta + 2 * steps, "wrong way round"),
        (lambda delta, steps: delta - steps, "how far apart"),
        (lambda delta, steps: delta, "δ = -2"),
    ],
)
def test_seen_from_hints(wrong: Callable[[Tensor, int], Tensor], hint: str) -> None:
    with pytest.raises(AssertionError, match=hint):
        lesson_03.seen_from(wrong)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda d: d.abs().prod(-1).sum(-1), r"one weight per code should have the shape \(50, 4"),
        (lambda d: d.prod(-1), "never negative"),
        (lambda d: d.abs().prod(-1).flip(-1), "add up to 1"),
        (lambda d: weights(d).flip(-1), "counts least"),
        (lambda d: weights(d)[:, [1, 0, 3, 2]], "number 3 - k"),
    ],
)
def test_weights_hints(wrong: Callable[[Tensor], Tensor], hint: str) -> None:
    with pytest.raises(AssertionError, match=hint):
        lesson_03.weights(wrong)


@pytest.mark.parametrize(
    ("slip", "hint"),
    [
        ({"share": lambda d: weights(d).flip(-1)}, "not swapped"),
        ({"share": lambda d: torch.full(d.shape[:2], 0.25)}, "plain mean"),
        ({"share": lambda d: F.one_hot(weights(d).argmax(1), 4).float()}, "alone"),
        ({"colour": False}, "add the code's own pixel"),
        ({"colour": True}, "no local colour"),
        ({"delta_scale": False}, "δ is not multiplied"),
        ({"cell_scale": False}, "cell must be multiplied"),
        ({"clamp": False}, "differ from model.query"),
    ],
)
def test_query_hints(slip: dict[str, object], hint: str) -> None:
    with pytest.raises(AssertionError, match=hint):
        lesson_03.query(lambda *args: ask_four(*args, **slip))  # type: ignore[arg-type]


def test_query_wants_the_right_shape_and_range() -> None:
    with pytest.raises(AssertionError, match="shape"):
        lesson_03.query(lambda *args: ask_four(*args)[0])
    with pytest.raises(AssertionError, match=r"\* 0.5 \+ 0.5"):
        lesson_03.query(lambda *args: ask_four(*args) * 2 - 1)

    def wrong_at_the_corners(*args: object) -> Tensor:
        result = ask_four(*args)  # type: ignore[arg-type]
        result[0, :4] = 0
        return result

    with pytest.raises(AssertionError, match="clamp each index"):
        lesson_03.query(wrong_at_the_corners)
