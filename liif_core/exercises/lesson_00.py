"""Checkers of lesson 00, how does AI zoom."""

from collections.abc import Callable

#: Where the gold button of the sample portrait begins and ends, downwards, in the [-1, 1] frame.
BUTTON = (0.925, 0.985)


def button(y: float) -> None:
    """Check the y coordinate that asks for the gold button at the foot of the portrait."""
    assert isinstance(y, (int, float)), "y must be a plain number, such as 0.5"
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
        found = answer(height, width, times)
        assert found is not None, "your function returns nothing: is there a `return`?"
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
            f"{rows * columns:,} questions, not {found:,}. Round height and width before you "
            "multiply."
        )
