"""What all checkers share: readers' functions run guarded, and what they return is looked at."""

import numpy as np
import pytest
import torch
from torch import Tensor

from liif_core.exercises import is_solved
from liif_core.exercises.outputs import Output, number, outputs

INDEX, DELTA = Output("index", Tensor, (4,)), Output("delta", Tensor, (4, 2))


def verdict(capsys, checker, *answers):
    solved = is_solved(checker, *answers)
    said = " ".join(capsys.readouterr().out.split())
    assert solved == (said == "✓ Solved.")
    return said


def halve(answer):
    """Check a function that halves a tensor in place or not."""
    given = torch.tensor([2.0, 4.0])
    assert torch.equal(answer(given), torch.tensor([1.0, 2.0])), "half of it"
    assert torch.equal(given, torch.tensor([2.0, 4.0])), "the checker's own is untouched"


def test_the_line_that_stopped_is_named(capsys):
    def mine(values):
        total = 0
        return values / total.mean()

    said = verdict(capsys, halve, mine)
    assert (
        "`mine` stopped in its line 3, `return values / total.mean()`, with AttributeError" in said
    )


def test_a_line_deep_in_a_library_is_charged_to_the_reader_s_own(capsys):
    def inner(values):
        return torch.stack([values, values[:1]])

    def mine(values):
        return inner(values)

    said = verdict(capsys, halve, mine)
    assert "`inner` stopped in its line 2, `return torch.stack([values, values[:1]])`" in said


def test_a_function_of_other_arguments_is_told_so(capsys):
    said = verdict(capsys, halve, lambda: 1)
    assert "could not be called as the exercise asks: TypeError" in said


def test_only_the_stub_s_own_line_counts_as_a_stub(capsys):
    def stub(_):
        raise NotImplementedError

    def unlucky(_):
        return torch.nn.Module()(1)  # NotImplementedError, too, and not the reader's

    assert "there is still a `raise NotImplementedError`" in verdict(capsys, halve, stub)
    assert "`unlucky` stopped in its line 2" in verdict(capsys, halve, unlucky)


def test_work_in_place_spoils_nothing(capsys):
    assert verdict(capsys, halve, lambda values: values.div_(2)) == "✓ Solved."


def test_a_value_in_place_of_a_function_is_told_so(capsys):
    assert "the text 'half' came: give its name alone" in verdict(capsys, halve, "half")


def test_an_answer_that_nobody_foresaw_ends_no_lesson(capsys):
    said = verdict(capsys, lambda answer: answer["a"], 3)
    assert "✗ Not yet: the checker cannot work with your answer" in said


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        (None, "returns nothing"),
        (torch.zeros(4, 2), "returns one: a tensor of the shape \\(4, 2\\)"),
        ((torch.zeros(4),), "2 things are wanted, \\(index, delta\\); your function returns 1"),
        ((torch.zeros(4, 2), torch.zeros(4)), "another order: it should be \\(index, delta\\)"),
        ((torch.zeros(4), np.zeros((4, 2))), "NumPy array.*torch.from_numpy"),
        (
            (torch.zeros(4), torch.zeros(4)),
            "should have the shape \\(4, 2\\), yours has \\(4,",
        ),
        ((torch.zeros(4), None), "delta is None"),
        ((torch.zeros(4), "delta"), "delta is the text 'delta'; a tensor"),
    ],
)
def test_what_came_and_what_was_expected(found, hint):
    with pytest.raises(AssertionError, match=hint):
        outputs(found, INDEX, DELTA)


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        (None, "None"),
        ("3.5", "leave the quotes out"),
        (True, "True \\(bool\\)"),
        (1j, "complex"),
        (float("nan"), "divided by zero"),
        (torch.zeros(2), "a tensor of the shape \\(2,\\); a number is wanted"),
        (number, "a function"),
        ((1.0, 2.0), "a tuple of 2"),
    ],
)
def test_what_is_no_number(found, hint):
    with pytest.raises(AssertionError, match=hint):
        number(found)


def test_right_answers_in_any_dress_are_read():
    index, delta = outputs([torch.arange(4), torch.zeros(4, 2, dtype=torch.float64)], INDEX, DELTA)
    assert (index.dtype, delta.dtype) == (torch.int64, torch.float32)
    assert [number(x) for x in (2, 2.0, np.float32(2), np.array([2]), torch.tensor(2))] == [2.0] * 5
    assert outputs(torch.tensor([1.0, 2.0]), Output("a", float), Output("b", float)) == (1.0, 2.0)
    assert outputs(np.float64(3.0), Output("n", int)) == 3
    colour = outputs([0.1, 0.2, 0.3], Output("colour", np.ndarray, (3,)))
    assert isinstance(colour, np.ndarray)
    with pytest.raises(AssertionError, match="whole number"):
        outputs(2.5, Output("n", int))
    with pytest.raises(AssertionError, match="numpy\\(\\) turns it into one"):
        outputs(torch.zeros(3), Output("colour", np.ndarray, (3,)))
