"""Checkers of lesson 00, how does AI zoom."""

from collections.abc import Callable, Mapping

import numpy as np

from liif_core.exercises.outputs import Output, number, outputs

#: Where the gold button of the sample portrait begins and ends, downwards, in the [-1, 1] frame.
BUTTON = (0.93, 0.967)


def button(y: float) -> None:
    """Check the y coordinate that asks for the gold button at the foot of the portrait."""
    y = number(y, "y")
    assert -1 <= y <= 1, (
        f"y = {y} lies outside the photo: its top edge is at y = −1, its bottom edge at y = 1."
    )
    assert y > 0, (
        f"y = {y} is not below the middle: y runs downwards, from −1 at the top edge over 0 in the "
        "middle to 1 at the bottom edge. The button is almost at the bottom."
    )
    assert y >= BUTTON[0], f"y = {y} is still above the button. Go further down: nearer to 1."
    assert y <= BUTTON[1], f"y = {y} is already below the button. Go back up a little."


def questions(answer: Callable[[int, int, float], int]) -> None:
    """Check `answer(height, width, times)`: how many questions a zoom takes."""
    for height, width, times in ((3, 5, 2), (128, 109, 10), (128, 109, 7.3), (40, 30, 1)):
        found = outputs(answer(height, width, times), Output("the number of questions", int))
        rows, columns = round(height * times), round(width * times)
        where = f"{height} × {width} pixels, {times}×"
        assert times == 1 or found != height * width, (
            f"{where}: {found:,} is one question for each pixel of the small photo. Ask one for "
            "each pixel of the zoomed picture."
        )
        assert times == 1 or abs(found - height * width * times) > 1, (
            f"{where}: with {found:,} questions the picture grows in one direction only. It "
            "becomes both taller and wider."
        )
        assert found == rows * columns, (
            f"{where}: the zoomed picture has {rows} rows of {columns} pixels, so "
            f"{rows * columns:,} questions, not {found:,}. Round height and width, each to the "
            "nearest whole number, and then multiply."
        )


#: The claims of the advertisement: whether each holds, and what is said to one who got it wrong.
CLAIMS = {
    1: (True, "more pixels is what a zoom makes: count the questions for 10×."),
    2: (False, "what became of the name on the badge?"),
    3: (False, "what did the empty badge, shrunk again, agree with?"),
    4: (False, "what was in the picture of nine times the questions, averaged?"),
    5: (True, "a picture of any size is a list of positions; nothing asks for whole numbers."),
}


def advertisement(holds: Mapping[int, bool]) -> None:
    """Check which claims of an advertisement hold: number -> True or False."""
    assert isinstance(holds, Mapping), "keep the dictionary: number of the claim -> True or False"
    for claim, (right, question) in CLAIMS.items():
        given = holds.get(claim)
        assert isinstance(given, (bool, np.bool_)), f"claim {claim}: write True or False"
        assert bool(given) == right, (
            f"claim {claim}: think again. {question[0].upper()}{question[1:]}"
        )
