"""What a lesson holds for paper: its pictures, its bets, its questions, in the lesson's own words.

All of it is read from the notebook as it is committed: nothing is typed a second time.
"""

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup, Tag
from markupsafe import Markup
from nbconvert.filters import markdown2html
from nbformat import NotebookNode
from PIL import Image

LIVING = "application/vnd.liif.living+json"
DATA = re.compile(r"data:image/(\w+);base64,(.*)", re.DOTALL)
FOLDED = re.compile(r"<details>\s*<summary>(\d+)\. (.*?)</summary>(.*?)</details>", re.DOTALL)
NUMBERED = re.compile(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", re.MULTILINE | re.DOTALL)
ANSWERS = re.compile(r"<details><summary>Answers</summary>(.*?)</details>", re.DOTALL)
ASIDE = re.compile(r"^\((?:From the|From the first)? ?[Aa]side\.?\) ")
LETTERS = "ABCDE"


@dataclass(frozen=True)
class Picture:
    """A picture of a cell's output.

    Args:
        name: of its file: the lesson's number and the cell's id.
        content: of the file.
        alt: what it shows, in words.
    """

    name: str
    content: bytes
    alt: str

    @property
    def aspect(self) -> float:
        """Its width in units of its height."""
        width, height = Image.open(io.BytesIO(self.content)).size
        return width / height


@dataclass(frozen=True)
class Bet:
    """A question with choices, as its widget holds them.

    Args:
        answer: the index of the right choice.
        why: what was measured.
        why_not: index of a wrong choice -> why it is tempting and wrong.
    """

    question: str
    choices: tuple[str, ...]
    answer: int
    why: str
    why_not: dict[int, str]

    @property
    def letter(self) -> str:
        """The letter before the right choice."""
        return LETTERS[self.answer]


@dataclass(frozen=True)
class Recall:
    """A question of the questionnaire, and its answer, as HTML."""

    number: int
    question: Markup
    answer: Markup


class Material:
    """A lesson's notebook, asked for its parts.

    Args:
        path: of the notebook.

    Attributes:
        pictures: name of a file -> those that were asked for.
    """

    def __init__(self, path: Path) -> None:
        self.number = path.stem[:2]
        self.stem = path.stem
        self.notebook = nbformat.read(path, as_version=4)
        self.pictures: dict[str, Picture] = {}

    @cached_property
    def title(self) -> str:
        """The question that the lesson asks."""
        return str(self.notebook.cells[0].source).splitlines()[0].removeprefix("# ")

    def picture(self, cell: str) -> Picture:
        """Return the picture that a cell shows.

        Args:
            cell: the cell's id.

        Raises:
            LookupError: no such cell, or it shows no picture.
        """
        for output in self.cell(cell).get("outputs", []):
            shown = BeautifulSoup(text_of(output, "text/html"), "html.parser").find("img")
            if isinstance(shown, Tag) and (found := DATA.match(str(shown["src"]))):
                kind, content = found.groups()
                name = f"{self.number}_{cell}.{kind}"
                picture = Picture(name, base64.b64decode(content), str(shown["alt"]))
                self.pictures[name] = picture
                return picture
        raise LookupError(f"cell {cell} of {self.stem} shows no picture")

    def bet(self, cell: str) -> Bet:
        """Return the question that a cell asks.

        Raises:
            LookupError: no such cell, or it asks none.
        """
        for found, bet in self.bets:
            if found == cell:
                return bet
        raise LookupError(f"cell {cell} of {self.stem} asks no question")

    def bet_number(self, cell: str) -> int:
        """Return a question's number among those of the lesson, from 1 on.

        Raises:
            LookupError: the cell asks none.
        """
        return self.bets.index((cell, self.bet(cell))) + 1

    @cached_property
    def bets(self) -> list[tuple[str, Bet]]:
        """All questions of the lesson: the cell's id, and the question."""
        return list(bets_of(self.notebook))

    @cached_property
    def questionnaire(self) -> list[Recall]:
        """The questions at the lesson's end."""
        return list(recalls_of(self.section("Questionnaire")))

    def recall(self, number: int) -> Recall:
        """Return a question of the questionnaire.

        Raises:
            LookupError: it has fewer.
        """
        for one in self.questionnaire:
            if one.number == number:
                return one
        raise LookupError(f"the questionnaire of {self.stem} has no question {number}")

    @cached_property
    def three_lines(self) -> list[Markup]:
        """The lesson in three lines."""
        return items(self.section("In three lines"))

    @cached_property
    def goals(self) -> list[Markup]:
        """What one can explain after the lesson."""
        _, _, after = str(self.notebook.cells[0].source).partition("you can explain**")
        return items(after.partition("\n**")[0])

    def listed(self, cell: str) -> list[Markup]:
        """Return the items of the list in a cell's text.

        Raises:
            LookupError: no such cell, or it has no list.
        """
        if found := items(self.cell(cell).source):
            return found
        raise LookupError(f"cell {cell} of {self.stem} has no list")

    def table(self, cell: str) -> list[list[Markup]]:
        """Return the rows of the table in a cell's text, without its head.

        Raises:
            LookupError: no such cell, or it has no table.
        """
        page = BeautifulSoup(markdown2html(self.cell(cell).source), "html.parser")
        rows = [[inner(field) for field in row("td")] for row in page("tr")]
        if found := [row for row in rows if row]:
            return found
        raise LookupError(f"cell {cell} of {self.stem} has no table")

    def cell(self, name: str) -> NotebookNode:
        """Return a cell by its id.

        Raises:
            LookupError: the lesson has no such cell.
        """
        for cell in self.notebook.cells:
            if cell.get("id") == name:
                return cell
        raise LookupError(f"{self.stem} has no cell {name}")

    def section(self, heading: str) -> str:
        """Return the Markdown under a heading of the second level.

        Raises:
            LookupError: the lesson has no such heading.
        """
        for cell in self.notebook.cells:
            found = re.search(
                rf"^## {heading}\n(.*?)(?=^## |\Z)", cell.source, re.MULTILINE | re.DOTALL
            )
            if cell.cell_type == "markdown" and found:
                return found.group(1)
        raise LookupError(f"{self.stem} has no section “{heading}”")


def bets_of(notebook: NotebookNode) -> Iterator[tuple[str, Bet]]:
    """Yield the questions of a notebook, from what their widgets left in it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            living: dict[str, Any] = output.get("data", {}).get(LIVING, {})
            if living.get("kind") == "predict":
                yield cell.id, bet_of(living["data"])


def bet_of(held: dict[str, Any]) -> Bet:
    """Return a question from what its widget holds (`Predict.living`)."""
    answer = int(held["answer"])
    _, _, why = held["reveals"][answer].partition("\n")
    why_not = {}
    for index, text in enumerate(held["reveals"]):
        _, _, reason = text.partition("\n")
        reason = reason.removesuffix(why).strip()
        if index != answer and reason:
            why_not[index] = reason
    return Bet(held["question"], tuple(held["choices"]), answer, why, why_not)


def recalls_of(text: str) -> Iterator[Recall]:
    """Yield the questions of a questionnaire, in either form that lessons have."""
    for number, question, answer in FOLDED.findall(text):
        yield Recall(int(number), inline(question), inline(answer))
    listed = ANSWERS.search(text)
    if listed:
        answers = items(listed.group(1))
        questions = NUMBERED.findall(text[: listed.start()])
        for (number, question), answer in zip(questions, answers, strict=True):
            yield Recall(int(number), inline(question), answer)


def items(text: str) -> list[Markup]:
    """Return the items of the lists in Markdown, as HTML."""
    page = BeautifulSoup(markdown2html(text), "html.parser")
    return [inner(item) for item in page("li")]


def inline(text: str) -> Markup:
    """Return a line or two of Markdown as HTML, without a paragraph around it."""
    page = BeautifulSoup(markdown2html(ASIDE.sub("", text.strip())), "html.parser")
    paragraphs = page("p")
    return Markup(" ").join(inner(one) for one in paragraphs) if paragraphs else Markup(page)


def inner(tag: Tag) -> Markup:
    """Return what is inside a tag, its links as plain text: paper has none."""
    for link in tag("a"):
        link.unwrap()
    return Markup(tag.decode_contents().strip().removeprefix("<p>").removesuffix("</p>").strip())


def text_of(output: NotebookNode, kind: str) -> str:
    """Return an output's text of one kind; "" if it has none."""
    return str(output.get("data", {}).get(kind, ""))
