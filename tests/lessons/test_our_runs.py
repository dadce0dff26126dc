"""Lesson 00's answer quotes one figure of each related idea: the lesson that measures it says so.

The lessons' own cells assert the figures; what they print about them is compared when nbval runs
them. Here the words in lesson 00 are held to these printed words.
"""

import re

import pytest
from reading import NOTEBOOKS, Notebook, lessons, read


def quoted(number: str) -> str:
    """Return what lesson 00 says after “Our run (lesson …)”, to the end of the list's item."""
    answer = "\n".join(cell.source for cell in read(lessons()[0]).cells if not cell.is_code)
    found = re.findall(
        rf"\*\*Our run\*\* \(\[lesson {number}\]\([^)]*\)\):(.*?)(?=\n- |\Z)", answer, re.S
    )
    assert len(found) == 1, f"lesson 00 should quote lesson {number} once"
    return " ".join(found[0].split())


def measured(number: str) -> str:
    """Return what the cells of a lesson print whose text nbval compares."""
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    notebook: Notebook = read(path)
    printed = [cell.printed for cell in notebook.code if "nbval-check-output" in cell.tags]
    return " ".join(" ".join(printed).split())


@pytest.mark.parametrize(
    ("number", "figures", "basis"),
    [
        ("08", ["over 80 %", "less than 20 %"], "from over 80 % to less than 20 %."),
        ("08", ["less than a third"], "less than a third of that error away from the cut"),
        ("08", ["nothing on the whole map"], "and gain nothing on the whole map"),
        ("09", ["100 examples", "over 80 %"], "100 over 80 % of the new questions"),
        ("09", ["over 98 %"], "Over 98 % of the answers on the old classes are the very same"),
        ("10", ["fewer than a third", "27 scenes"], "right for fewer than a third of the scenes"),
        ("10", ["more than two thirds"], "some framing for more than two thirds"),
    ],
)
def test_lesson_00_quotes_what_was_measured(number: str, figures: list[str], basis: str) -> None:
    assert all(figure in quoted(number) for figure in figures), quoted(number)
    assert basis in measured(number)
