"""The checkers of lesson 00: where the button is, and what a wrong answer is told."""

from typing import Any

import numpy as np
import pytest

from liif_core.exercises import is_solved, lesson_00
from liif_core.lesson_figures.lesson_00 import cut
from liif_core.samples import sample_photo

#: The x coordinate that the lesson gives away.
GIVEN_X = -0.04


@pytest.mark.parametrize(
    "y", [0.93, 0.955, 0.965, 125 / 64 - 1 + 1 / 128, np.float32(0.95), np.array(0.95)]
)
def test_the_button_is_found(y: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_solved(lesson_00.button, y)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("y", "hint"),
    [
        (0.0, "y = 0.0 is not below the middle"),
        (-0.95, "downwards"),
        (0.7, "further down"),
        (0.925, "further down"),  # beige, the button's rim
        (0.97, "Go back up"),  # the answer is brown from here on
        (1.0, "Go back up"),
        (118.0, "outside the photo"),
        ("0.95", "leave the quotes out"),
        (True, "a number is wanted"),
    ],
)
def test_a_wrong_answer_gets_its_hint(y: object, hint: str) -> None:
    with pytest.raises(AssertionError, match=hint):
        lesson_00.button(y)  # type: ignore[arg-type]


def test_a_long_hint_is_broken_between_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_00.button, 0.0)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 96
    assert "0 in the middle to 1 at the bottom edge." in " ".join(lines)


def test_the_accepted_range_is_gold_in_the_photo() -> None:
    photo = sample_photo("portrait").astype(int)
    height, width = photo.shape[:2]
    column = round((GIVEN_X + 1) / 2 * width)
    top, bottom = (int((y + 1) / 2 * height) for y in lesson_00.BUTTON)
    red, _, blue = photo[top : bottom + 1, column].T
    assert np.mean(red - blue > 40) > 0.8  # a bright spot on the metal may be white
    assert np.mean(photo[top - 30 : top - 15, column]) < 60  # the coat above it is nearly black


def test_cut_takes_the_same_part_of_pictures_of_any_size() -> None:
    small, large = np.zeros((8, 6, 3)), np.zeros((80, 60, 3))
    small[2:4, 1:5] = 1
    large[20:40, 10:50] = 1
    box = (1, 2, 5, 4)
    assert cut(small, box, small).shape == (2, 4, 3)
    assert cut(large, box, small).shape == (20, 40, 3)
    assert cut(small, box, small).all()
    assert cut(large, box, small).all()


@pytest.mark.parametrize(
    "right",
    [
        lambda height, width, times: round(height * times) * round(width * times),
        lambda h, w, t: len(range(round(t * h))) * round(t * w),
        lambda h, w, t: np.prod(np.round([h * t, w * t])),
    ],
)
def test_the_number_of_questions(right: Any) -> None:
    assert is_solved(lesson_00.questions, right)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda height, width, times: height * width, "one question for each pixel of the small"),
        (lambda height, width, times: round(height * width * times), "in one direction only"),
        (lambda height, width, times: round(height * width * times**2), "Round height and width"),
        (lambda height, width, times: int(height * times) * int(width * times), "nearest whole"),
        (lambda height, width, times: height * width * times**2, r"743502\.\d+; a whole number"),
        (lambda height, width, times: None, "returns nothing"),
    ],
)
def test_a_wrong_number_of_questions_gets_its_hint(answer: Any, hint: str) -> None:
    with pytest.raises(AssertionError, match=hint):
        lesson_00.questions(answer)


RIGHT = {claim: right for claim, (right, _) in lesson_00.CLAIMS.items()}


@pytest.mark.parametrize("right", [RIGHT, {k: np.bool_(v) for k, v in RIGHT.items()}])
def test_the_advertisement_is_judged(right: dict[int, Any]) -> None:
    assert is_solved(lesson_00.advertisement, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (dict.fromkeys(RIGHT, True), "claim 2: think again. What became of the name"),
        (dict.fromkeys(RIGHT, False), "claim 1: think again. More pixels"),
        (RIGHT | {4: True}, "nine times the questions"),
        (RIGHT | {5: "yes"}, "claim 5: write True or False"),
        (list(RIGHT.values()), "keep the dictionary"),
    ],
)
def test_a_wrong_judgement_gets_its_hint(wrong: Any, hint: str) -> None:
    with pytest.raises(AssertionError, match=hint):
        lesson_00.advertisement(wrong)
