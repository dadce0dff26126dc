"""The checkers of the lessons' exercises: `check(lesson_03.query, my_query)`.

A checker is a function that takes the reader's answer and asserts what must hold, each assert with
a hint. `check` runs one and says in words how it went, so that a lesson runs on to its end. The
reader's functions run guarded: one that stops is told in which line (`guarding`). What they return
is looked at before it is compared (`outputs`).
"""

import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any

from liif_core.classwork import records
from liif_core.classwork.said import below_a_lesson
from liif_core.classwork.standing import standing_here
from liif_core.exercises.guarding import guarded
from liif_core.exercises.outputs import described
from liif_core.wrapping import wrapped


def check(checker: Callable[..., None], *answers: Any) -> None:
    """Run a checker on the reader's answers and print how it went.

    It returns nothing, so that a cell may end with it and show these words alone.

    Args:
        checker: raises AssertionError with a hint where an answer is wrong.
        answers: functions or values, as the checker takes them.
    """
    is_solved(checker, *answers)


def is_solved(checker: Callable[..., None], *answers: Any) -> bool:
    """Do what `check` does, and return whether the exercise is solved."""
    try:
        checker(*map(guarded, answers))
    except NotImplementedError:
        print("✗ Not yet: there is still a `raise NotImplementedError` to replace.")
    except AssertionError as error:
        print(wrapped(f"✗ Not yet: {error}"))
    except Exception as error:  # an answer that no checker foresaw must not end the lesson
        print(wrapped(f"✗ Not yet: {_not_foreseen(error, answers)}"))
    else:
        print("✓ Solved.")
        records.note_solved(checker)
        return True
    return False


def graded(checker: Callable[..., None], *answers: Any) -> int | None:
    """Do what `check` does, as the last line of a cell that nbgrader gives points for.

    nbgrader gives all points for a cell without a value, whatever it printed; the value in points
    where it is a number; and none where anything went to standard error, such as a warning.

    Returns:
        None if the exercise is solved, else 0.
    """
    with redirect_stderr(sys.stdout):
        return None if is_solved(checker, *answers) else 0


def progress(lesson: str) -> None:
    """Print which exercises of a lesson are solved, and which are open.

    Args:
        lesson: its number, such as "03".
    """
    print(below_a_lesson(standing_here(lesson)))


def _not_foreseen(error: Exception, answers: tuple[Any, ...]) -> str:
    if isinstance(error, TypeError) and "not callable" in str(error):
        came = ", ".join(described(answer) for answer in answers)
        return f"a function is wanted, and {came} came: give its name alone, without brackets"
    return f"the checker cannot work with your answer. {type(error).__name__}: {error}"
