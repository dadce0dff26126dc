"""The lessons as source assignments of nbgrader: https://nbgrader.readthedocs.io

Each exercise becomes a cell for the answer, its stub and its solution in it, and a locked cell
with a point, which asks the checker. `nbgrader generate_assignment` takes the solutions out.
"""

import ast
import json
import re
from pathlib import Path
from typing import Any

from liif_core.classwork.asked import Exercise, lesson_files, read_lesson, text_of
from liif_core.classwork.needed import with_what_it_needs
from liif_core.course import course_folder
from liif_core.errors import LiifError
from liif_core.files.publish import publishing

#: The version of the notes that nbgrader keeps in a cell.
SCHEMA = 3
#: A picture that a lesson shows beside it.
PICTURE = "hero.jpg"
CONFIG = "nbgrader_config.py"
_CONFIG_TEXT = '''\
"""What nbgrader is to do with the lessons of the course How does AI zoom?"""

c = get_config()
c.CourseDirectory.course_id = "how_does_ai_zoom"
# In the solution's place: the stub stands above it, and is all that a pupil needs.
c.ClearSolutions.code_stub = {"python": "# Your answer goes into the lines above."}
# Seconds for a cell; the longest of the lessons trains a network.
c.Execute.timeout = 300
'''
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)")


def write_assignments(folder: Path) -> list[str]:
    """Write every lesson as a source assignment, and nbgrader's settings for them.

    Args:
        folder: of the nbgrader course. It may be missing or empty, or have other assignments.

    Returns:
        the names of the assignments, such as "lesson_03".

    Raises:
        LiifError: one of them is there already, or cannot be written.
    """
    course = course_folder()
    files = lesson_files(course)
    places = [folder / "source" / f"lesson_{file.name[:2]}" for file in files]
    for place in places:
        if place.exists():
            raise LiifError(f"{place} is there already; move it away, or name another folder")
    texts = [json.dumps(_assignment(file), ensure_ascii=False, indent=1) + "\n" for file in files]
    for file, place, text in zip(files, places, texts, strict=True):
        _make(place)
        _write(place / file.name, text.encode())
        if PICTURE in text:
            _write(place / PICTURE, (course / "figures" / PICTURE).read_bytes())
    if not (folder / CONFIG).exists():  # a teacher's own says more
        _write(folder / CONFIG, _CONFIG_TEXT.encode())
    return [place.name for place in places]


def _assignment(file: Path) -> dict[str, Any]:
    """Return a lesson as nbgrader's source notebook: without outputs, solutions in it."""
    notebook = json.loads(file.read_bytes())
    solutions = _solutions(file, _code(notebook))
    exercises = read_lesson(file).exercises
    stubs = {exercise.cell: exercise for exercise in exercises}
    checks = {exercise.checker: exercise for exercise in exercises}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        else:
            cell["source"] = _leading_to_assignments(text_of(cell))
        if exercise := stubs.get(cell["id"]):
            cell["source"] = _with_solution(exercise.answer, solutions[exercise.name])
            cell["metadata"] = {"nbgrader": _notes(exercise, solution=True)}
        elif exercise := checks.get(cell["id"]):
            cell["source"] = _test(text_of(cell), exercise)
            cell["metadata"] = {"nbgrader": _notes(exercise, solution=False)}
        elif cell["cell_type"] == "code":
            cell["metadata"].pop("tags", None)
    return dict(notebook)


def _solutions(file: Path, lesson: list[str]) -> dict[str, str]:
    """Return what solves each exercise of a lesson, with what the lesson lacks for it."""
    beside = file.parent / "solutions" / file.name
    exercises = read_lesson(beside).exercises
    cells = _code(json.loads(beside.read_bytes()))
    return {
        exercise.name: with_what_it_needs(
            exercise.answer, cells[: cells.index(exercise.answer)], lesson
        )
        for exercise in exercises
    }


def _code(notebook: dict[str, Any]) -> list[str]:
    return [text_of(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _with_solution(stub: str, solution: str) -> str:
    return f"{stub}\n\n### BEGIN SOLUTION\n{solution}\n### END SOLUTION"


def _test(source: str, exercise: Exercise) -> str:
    """Return the cell that nbgrader gives a point for, in place of the one with `check`.

    Its value tells: so nothing may follow, not even a semicolon, which hides the value.
    """
    *before, last = ast.parse(source).body
    lines = source.splitlines()[: last.lineno - 1] if before else []
    module, _, asked = exercise.checked.partition(".")
    # Under a name of its own: some lessons call their pictures' module lesson_00 as well.
    head = f"from liif_core.exercises import graded, {module} as checkers_of_{module}"
    return "\n".join([head, "", *lines, f"graded(checkers_of_{module}.{asked})"])


def _notes(exercise: Exercise, *, solution: bool) -> dict[str, Any]:
    """Return what nbgrader keeps in a cell: of the answer, or of its test."""
    lesson, _, checker = exercise.name.partition(".")
    notes = {
        "grade": not solution,
        "grade_id": f"{'answer' if solution else 'test'}_{lesson}_{checker}",
        "locked": not solution,
        "schema_version": SCHEMA,
        "solution": solution,
        "task": False,
    }
    return notes if solution else {**notes, "points": 1}


def _leading_to_assignments(text: str) -> str:
    """Return a text whose links lead to other assignments; others, such as to solutions, go."""

    def lead(match: re.Match[str]) -> str:
        words, target = match.groups()
        lesson = re.fullmatch(r"(\d\d)_\w+\.ipynb(#.*)?", target)
        return f"[{words}](../lesson_{lesson[1]}/{target})" if lesson else words

    return _LINK.sub(lead, text).replace(f"../figures/{PICTURE}", PICTURE)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise LiifError(f"{folder} could not be written: {error.strerror}") from error


def _write(file: Path, content: bytes) -> None:
    with publishing(file) as part:
        Path(part).write_bytes(content)
