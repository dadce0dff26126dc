"""liif course: a learner's own copy of the course, and a lesson of it afresh."""

import argparse
from pathlib import Path

from liif_core.cli.common import Commands
from liif_core.errors import LiifError

#: Where `make lab` puts the copy.
MINE = "my_course"


def add_course(commands: Commands) -> None:
    """Add the command to the parser."""
    course = commands.add_parser(
        "course",
        help="make your own copy of the course, or give a lesson afresh",
        usage="liif course DIR\n       liif course reset LESSON [DIR]\n"
        "       liif course nbgrader DIR",
        description="Make your own copy of the course in DIR, or bring it up to date: what you "
        "have changed stays. `reset 03` gives a lesson afresh; yours is kept beside it. For "
        "teachers: `nbgrader DIR` writes the lessons as assignments that nbgrader can grade.",
    )
    course.add_argument(
        "words", nargs="+", metavar="DIR", help="a new folder, or a copy made before"
    )
    course.set_defaults(run=_course)


def _course(options: argparse.Namespace) -> None:
    words = options.words
    if words[0] == "reset":
        if not 2 <= len(words) <= 3:
            raise LiifError("say which lesson is to be given afresh: liif course reset 03")
        _reset(words[1], Path(words[2]) if len(words) == 3 else None)
    elif words[0] == "nbgrader":
        if len(words) != 2:
            raise LiifError("name the folder of the nbgrader course: liif course nbgrader DIR")
        _write_assignments(Path(words[1]))
    elif len(words) == 1:
        _copy(Path(words[0]))
    else:
        raise LiifError("name one folder: liif course DIR")


def _copy(folder: Path) -> None:
    from liif_core.course import copy_course

    done = copy_course(folder)
    told = [f"{len(done.new)} new"] * bool(done.new)
    told += [f"{len(done.renewed)} renewed"] * bool(done.renewed)
    print(f"{folder}: your copy of the course, {', '.join(told) or 'up to date'}")
    for name in done.kept:
        print(f"  {name} is yours, and the course has a newer one", end="")
        number = Path(name).name[:2]
        is_lesson = Path(name).parent == Path("notebooks") and number.isdecimal()
        print(f": liif course reset {number} gives it, and keeps yours" if is_lesson else "")


def _reset(lesson: str, folder: Path | None) -> None:
    from liif_core.course import copy_around, is_copy, reset_lesson

    found = folder or copy_around(Path())
    if not found:
        found = Path(MINE)
        if not is_copy(found):
            raise LiifError(f"no copy of the course here; name it: liif course reset {lesson} DIR")
    fresh, old = reset_lesson(found, lesson)
    again = " Its exercises count as open again." if _begin_again(found, fresh.name[:2]) else ""
    kept = f"; yours is now {old.name}" if old else ""
    print(f"{fresh.name}: as it was at first{kept}.{again}")
    print("If it is open in JupyterLab: File, Reload Notebook from Disk.")


def _begin_again(folder: Path, lesson: str) -> bool:
    """Count a lesson's exercises as open, until they are checked again; return whether it has any.

    Whoever runs the lesson that was put aside has them counted again.
    """
    from liif_core.classwork.records import forget
    from liif_core.classwork.standing import questions_and_exercises

    names = questions_and_exercises(lesson)
    forget(folder, names)
    return bool(names)


def _write_assignments(folder: Path) -> None:
    from liif_core.classwork.assignments import write_assignments

    names = write_assignments(folder)
    print(f"{folder}: {len(names)} assignments for nbgrader, {names[0]} to {names[-1]}")
