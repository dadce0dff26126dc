"""The checkers of the lessons' exercises: `check(lesson_03.query, my_query)`.

A checker is a function that takes the reader's answer and asserts what must hold, each assert with
a hint. `check` runs one and says in words how it went, so that a lesson runs on to its end.
"""

from collections.abc import Callable
from typing import Any

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
        checker(*answers)
    except NotImplementedError:
        print("✗ Not yet: there is still a `raise NotImplementedError` to replace.")
    except AssertionError as error:
        print(wrapped(f"✗ Not yet: {error}"))
    except Exception as error:  # the reader's own code may fail in any way
        print(wrapped(f"✗ Not yet: your code stopped with {type(error).__name__}: {error}"))
    else:
        print("✓ Solved.")
        return True
    return False
