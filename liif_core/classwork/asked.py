"""What a lesson asks: its exercises and its questions, read from the notebook that asks them."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liif_core.errors import LiifError, one_line

#: What a question of `Predict` leaves in a saved notebook.
LIVING = "application/vnd.liif.living+json"
SOLVED = "✓ Solved."
_HEADING = re.compile(r"^(#+) +(.+)$", re.MULTILINE)

Cell = dict[str, Any]


@dataclass(frozen=True)
class Exercise:
    """One exercise, as a notebook holds it.

    Args:
        name: lesson and checker, "03.query".
        title: the heading above it.
        cell: id of the cell that is left to the reader.
        answer: what stands in that cell.
        checker: id of the cell that checks it.
        checked: how the checker is called, such as "lesson_03.query, query".
        said: the first line that the checker's cell printed when it was last run and saved.
    """

    name: str
    title: str
    cell: str
    answer: str
    checker: str
    checked: str
    said: str


@dataclass(frozen=True)
class Lesson:
    """What a lesson asks.

    Args:
        number: "03".
        title: its first heading.
        exercises, questions: in order; a question by its text.
    """

    number: str
    title: str
    exercises: tuple[Exercise, ...]
    questions: tuple[str, ...]


def lesson_files(course: Path) -> list[Path]:
    """Return the lessons of a course, or of a copy of it, without those put aside by a reset."""
    files = sorted((course / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return [file for file in files if not re.search(r"_old_\d+$", file.stem)]


def read_lesson(file: Path) -> Lesson:
    """Read what a lesson asks, and what its saved notebook says to that.

    Raises:
        LiifError: it is no notebook, or cannot be read.
    """
    try:
        cells = json.loads(file.read_bytes())["cells"]
        return Lesson(
            number=file.name[:2],
            title=next(_headings(cells), (0, file.stem))[1],
            exercises=tuple(_exercises(cells, file.name[:2])),
            questions=tuple(_questions(cells)),
        )
    except OSError as error:
        raise LiifError(f"{file} cannot be read: {error.strerror or one_line(error)}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LiifError(
            f"{file} is no whole notebook; liif course reset {file.name[:2]} gives it afresh, "
            "and keeps yours"
        ) from error


def text_of(cell: Cell) -> str:
    """Return a cell's source, which a file may hold as a text or as lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def called(source: str, name: str) -> list[ast.expr]:
    """Return the arguments of the first call of a function in some code; none where it is not."""
    if f"{name}(" not in source:  # most cells: parsing all takes a second
        return []
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
            return node.args
    return []


def _exercises(cells: list[Cell], number: str) -> Iterator[Exercise]:
    """Yield each exercise: a cell that calls `check`, and the one that it checks."""
    heading, answer = "", None
    for cell in cells:
        if cell["cell_type"] != "code":
            heading = ([text for _, text in _headings([cell])] or [heading])[-1]
            continue
        arguments = called(text_of(cell), "check")
        if arguments and isinstance(arguments[0], ast.Attribute) and answer:
            checker = arguments[0].attr
            asked = [f"lesson_{number}.{checker}", *map(ast.unparse, arguments[1:])]
            yield Exercise(
                name=f"{number}.{checker}",
                title=heading.replace("`", ""),
                cell=str(answer.get("id", "")),
                answer=text_of(answer),
                checker=str(cell.get("id", "")),
                checked=", ".join(asked),
                said=_printed(cell).partition("\n")[0],
            )
            answer = None
        elif _is_left_to_the_reader(cell) or not (answer and _is_left_to_the_reader(answer)):
            answer = cell


def _is_left_to_the_reader(cell: Cell) -> bool:
    return "exercise" in cell.get("metadata", {}).get("tags", [])


def _questions(cells: list[Cell]) -> Iterator[str]:
    for cell in cells:
        for output in cell.get("outputs", []):
            living = output.get("data", {}).get(LIVING, {})
            if living.get("kind") == "predict":
                yield living["data"]["question"]


def _headings(cells: list[Cell]) -> Iterator[tuple[int, str]]:
    for cell in cells:
        if cell["cell_type"] == "markdown":
            for marks, text in _HEADING.findall(text_of(cell)):
                yield len(marks), text.strip()


def _printed(cell: Cell) -> str:
    """Return what a cell printed on stdout when it was saved."""
    texts = [o["text"] for o in cell.get("outputs", []) if o.get("name") == "stdout"]
    return "".join(text if isinstance(text, str) else "".join(text) for text in texts)
