"""The files that a class handed in, as one table: for a terminal, or for a spreadsheet."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from liif_core.classwork.asked import SOLVED
from liif_core.classwork.hand_in import HandedIn

#: What a spreadsheet would take for a formula, were it at the beginning of a cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def class_table(files: Sequence[HandedIn], doubts: dict[str, list[str]]) -> str:
    """Return a table with a line for each pupil, and below it what a teacher should look at.

    Args:
        files: as they were read.
        doubts: of a file, by its path: exercises whose answer was checked again, and is wrong.
    """
    numbers = _numbers(files)
    width = max(4, *(len(file.name) for file in files))
    heads = [f"{number:>5}" for number in numbers]
    lines = [f"{'name':{width}}  {' '.join(heads)}  {'all':>7}  predicted  handed in (UTC)"]
    for file in files:
        of = {each["lesson"]: f"{_solved(each)}/{len(each['exercises'])}" for each in file.lessons}
        cells = [f"{of.get(number, '-'):>5}" for number in numbers]
        lines.append(
            f"{file.name:{width}}  {' '.join(cells)}  {_in_all(file):>7}  {_predicted(file):>9}  "
            f"{file.at[:16].replace('T', ' ')}"
        )
    remarks = [
        f"{file.file.name}: {text}" for file in files for text in _remarks(file, files, doubts)
    ]
    return "\n".join([*lines, *([""] if remarks else []), *remarks])


def class_csv(files: Sequence[HandedIn], doubts: dict[str, list[str]]) -> str:
    """Return the same as comma-separated values; of each lesson, how many are solved."""
    numbers, out = _numbers(files), io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = ["solved", "exercises", "predicted", "questions", "handed in", "course", "file"]
    writer.writerow(["name", *numbers, *heads, "remarks"])
    for file in files:
        of = {lesson["lesson"]: _solved(lesson) for lesson in file.lessons}
        made, asked = _predicted(file).split("/")
        solved, exercises = _in_all(file).split("/")
        row = [file.name, *(of.get(number, "") for number in numbers), solved, exercises]
        row += [made, asked, file.at, file.course, file.file.name]
        row.append("; ".join(_remarks(file, files, doubts)))
        writer.writerow([_no_formula(value) for value in row])
    return out.getvalue()


def _numbers(files: Sequence[HandedIn]) -> list[str]:
    return sorted({lesson["lesson"] for file in files for lesson in file.lessons})


def _solved(lesson: dict[str, Any]) -> int:
    return sum(each["solved"] for each in lesson["exercises"])


def _in_all(file: HandedIn) -> str:
    asked = sum(len(lesson["exercises"]) for lesson in file.lessons)
    return f"{sum(map(_solved, file.lessons))}/{asked}"


def _predicted(file: HandedIn) -> str:
    questions = [each for lesson in file.lessons for each in lesson["predictions"]]
    return f"{sum(bool(each['choice']) for each in questions)}/{len(questions)}"


def _remarks(file: HandedIn, files: Sequence[HandedIn], doubts: dict[str, list[str]]) -> list[str]:
    """Return what a teacher should look at."""
    remarks = []
    if not file.whole:
        remarks.append("its checksum is wrong: it was changed, or damaged, since it was written")
    ours = version("how-does-ai-zoom")
    if file.course != ours:
        remarks.append(f"made with version {file.course} of the course; here is {ours}")
    if Counter(each.name for each in files)[file.name] > 1:
        remarks.append(f"there is more than one file of {file.name}")
    exercises = [each for lesson in file.lessons for each in lesson["exercises"]]
    without = [e["exercise"] for e in exercises if e["solved"] and e["said"] != SOLVED]
    if without:
        shown = ", ".join(without)
        remarks.append(f"solved, and the lesson as it was saved does not show it: {shown}")
    if wrong := doubts.get(str(file.file)):
        remarks.append(f"said to be solved, and checked again it is not: {', '.join(wrong)}")
    return remarks


def _no_formula(value: object) -> object:
    """Return a value that no spreadsheet computes: a name comes from somebody else."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
