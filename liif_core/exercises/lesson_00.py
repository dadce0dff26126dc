"""The checker of lesson 00, how does AI zoom."""

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
