"""A lesson and its solutions that break no rule, made in memory, for the tests to spoil."""

import copy
import json
from collections.abc import Callable

import nbformat
from form import FOLDED, FOLDED_LINE
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from reading import NOTEBOOKS, Notebook

Spoil = Callable[[NotebookNode], object]

NEXT_LESSON = next(NOTEBOOKS.glob("01_*.ipynb"), NOTEBOOKS).name
#: Places in LESSON, for the functions that spoil it.
TITLE, PICTURE, QUESTION, REVEAL, STUB, CHECK, HINTS, _, _, _, ENDING, SOLVED = range(12)

JPEG = "image/jpeg"
HINT = "<details><summary>{}</summary>Try one more.</details>"
HINTS_OF_ONE = "\n".join(map(HINT.format, ("Hint 1", "Hint 2", "Hint 3")))
LESSON = {
    "# Is one a number?\n\nAfter this you can explain\n\n- what a number is;\n\n"
    "**Time:** Core: 5 minutes; with all asides: 7 minutes. Any laptop.": None,
    "show(one)": new_output(
        "display_data", data={"text/html": '<img alt="A one." src="data:">', "text/plain": "1"}
    ),
    FOLDED_LINE + '\nquestion = Predict("1?", ["a whole", "a part"])\nquestion': new_output(
        "execute_result",
        data={
            "text/html": "<p><strong>1?</strong></p><ol><li>a whole</li><li>a part</li></ol>"
            "<details><p>✓ <strong>a whole</strong></p></details>",
            "text/plain": "Predict",
        },
    ),
    "print(question.reveal())": new_output("stream", text="Answer: a whole\n"),
    "answer = 0": None,
    "check(lesson_00.one, answer)": new_output("stream", text="✗ Not yet: it is more.\n"),
    HINTS_OF_ONE: None,
    "other = 0": None,
    "check(lesson_00.other, other)": new_output("stream", text="✗ Not yet: it is less.\n"),
    HINTS_OF_ONE + "\n": None,
    "## Aside: zero\n\nThis can be skipped.\n\n### Exercise 1: count (experiment)\n\n"
    "## In three lines\n\n## Questionnaire\n\n## What the pictures do not show\n\n"
    f"Next: [lesson 1]({NEXT_LESSON}), and the [README](../README.md#start)": None,
    'progress("00")': new_output("stream", text="Lesson 00: 0 of 2 exercises solved\n"),
}
SOLUTION = {
    "# Solutions\n\nBack to [the lesson](../00_one.ipynb).": None,
    "answer = 1": None,
    "check(lesson_00.one, answer)": new_output("stream", text="✓ Solved.\n"),
    "other = -1": None,
    "check(lesson_00.other, other)": new_output("stream", text="✓ Solved.\n"),
}
TAGS = {
    "answer = 0": ["exercise"],
    "other = 0": ["exercise"],
    "answer = 1": ["solution"],
    "other = -1": ["solution"],
    "check(lesson_00.one, answer)": ["check", "nbval-check-output"],
    "check(lesson_00.other, other)": ["check", "nbval-check-output"],
    'progress("00")': ["nbval-check-output"],
}


def lesson(spoil: Spoil | None = None) -> Notebook:
    """Return the good lesson, or what `spoil` makes of it."""
    return notebook(LESSON, "00_one.ipynb", spoil)


def solution(spoil: Spoil | None = None) -> Notebook:
    """Return the good solutions, or what `spoil` makes of them."""
    return notebook(SOLUTION, "solutions/00_one.ipynb", spoil)


def notebook(contents: dict[str, NotebookNode | None], name: str, spoil: Spoil | None) -> Notebook:
    """Return a notebook of cells with an output each; it need not exist as a file."""
    cells, count = [], 0
    for number, (source, output) in enumerate(contents.items()):
        if source.startswith(("#", "<")) and not source.startswith(FOLDED_LINE):
            cells.append(new_markdown_cell(source, id=f"cell-{number}"))
            continue
        count += 1
        cells.append(new_code_cell(source, id=f"cell-{number}", execution_count=count))
        cells[-1].metadata = {"tags": TAGS[source]} if source in TAGS else {}
        if "Predict(" in source:
            cells[-1].metadata = copy.deepcopy(FOLDED)
        cells[-1].outputs = [nbformat.from_dict(dict(output))] if output else []
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    node = new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )
    if spoil:
        spoil(node)
    return Notebook(NOTEBOOKS / name, json.dumps(node))


# Ways to spoil one


def put(cell: int, **changes: object) -> Spoil:
    """Spoil a cell by changing what it has, such as its source."""
    return lambda node: node.cells[cell].update(changes)


def say(cell: int, text: str) -> Spoil:
    """Spoil a cell by adding text to its source."""
    return lambda node: node.cells[cell].update(source=f"{node.cells[cell].source}\n\n{text}")


def show(cell: int, kind: str, data: str = "x", **more: object) -> Spoil:
    """Spoil a cell by adding an output."""
    output = new_output("display_data", data={kind: data}, **more)
    return lambda node: node.cells[cell].outputs.append(output)


def printing(cell: int, text: str, name: str = "stdout") -> Spoil:
    """Spoil a cell by adding something printed."""
    return lambda node: node.cells[cell].outputs.append(new_output("stream", text=text, name=name))


def both(*spoils: Spoil) -> Spoil:
    return lambda node: [spoil(node) for spoil in spoils]


def meta(**changes: object) -> Spoil:
    return lambda node: node.metadata.update(changes)


def tag(cell: int, *tags: str) -> Spoil:
    return put(cell, metadata={"tags": list(tags)})
