"""Reading notebooks and pages: cells, tags, what they show, where their links lead."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from bs4 import BeautifulSoup
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"


@dataclass(frozen=True)
class Notebook:
    """A notebook file: where it is, and its text."""

    path: Path
    text: str

    @cached_property
    def node(self) -> NotebookNode:
        return nbformat.reads(self.text, as_version=4)

    @cached_property
    def cells(self) -> list["Cell"]:
        return [Cell(number, node) for number, node in enumerate(self.node.cells)]

    @cached_property
    def code(self) -> list["Cell"]:
        return [cell for cell in self.cells if cell.is_code]

    @property
    def lesson(self) -> str:
        """The number that the file's name begins with, such as "03"."""
        return self.path.name[:2]


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook, and its place there, counted from 0."""

    number: int
    node: NotebookNode

    def __str__(self) -> str:
        return f"cell {self.number}"

    @property
    def is_code(self) -> bool:
        return self.node.cell_type == "code"

    @property
    def source(self) -> str:
        return self.node.source

    @property
    def tags(self) -> list[str]:
        return self.node.metadata.get("tags", [])

    @property
    def outputs(self) -> list[NotebookNode]:
        return self.node.get("outputs", [])

    @cached_property
    def tree(self) -> ast.Module:
        """The code; without statements where it is not plain Python."""
        try:
            return ast.parse(self.source)
        except SyntaxError:
            return ast.Module(body=[], type_ignores=[])

    @property
    def printed(self) -> str:
        """What it printed on stdout."""
        return "".join(o.text for o in self.outputs if o.get("name") == "stdout")

    @property
    def texts(self) -> Iterator[str]:
        """The text of each output: printed, shown or HTML, its embedded pictures left out."""
        for output in self.outputs:
            shown = [output.get("text", ""), *output.get("data", {}).values()]
            kinds = ["text/plain", *output.get("data", {})]
            for kind, text in zip(kinds, shown, strict=True):
                if kind.startswith("text/"):
                    yield re.sub(r"data:[^\"')]*", "data:", text)

    @cached_property
    def pages(self) -> list[BeautifulSoup]:
        """What a browser shows of it: its prose, or its HTML outputs."""
        if self.is_code:
            found = [output.get("data", {}).get("text/html") for output in self.outputs]
            return [BeautifulSoup(html, "html.parser") for html in found if html]
        return [as_page(self.source)] if self.node.cell_type == "markdown" else []


def as_page(markdown: str) -> BeautifulSoup:
    """Return Markdown as a browser gets it, without the marks beside its headings."""
    page = BeautifulSoup(markdown2html(markdown), "html.parser")
    for mark in page.find_all("a", class_="anchor-link"):
        mark.decompose()
    return page


@cache
def read(path: Path) -> Notebook:
    return Notebook(path, path.read_text(encoding="utf-8"))


def lessons() -> list[Path]:
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def pages() -> list[Path]:
    """Return the notebooks beside the lessons."""
    return sorted(set(NOTEBOOKS.glob("*.ipynb")) - set(lessons()))


def solutions() -> list[Path]:
    return sorted((NOTEBOOKS / "solutions").glob("*.ipynb"))


def markdown_files() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("weights/*.md"), *NOTEBOOKS.glob("*.md")])


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def checker_of(notebook: Notebook, cell: Cell) -> str:
    """Return the checker that a `check` cell calls, such as "lesson_03.query"; "" if none."""
    modules = {
        alias.asname or alias.name: alias.name
        for other in notebook.code
        for node in ast.walk(other.tree)
        if isinstance(node, ast.ImportFrom) and node.module == "liif_core.exercises"
        for alias in node.names
    }
    for node in ast.walk(cell.tree):
        match node:
            case ast.Call(
                func=ast.Name(id="check"),
                args=[ast.Attribute(value=ast.Name(id=module), attr=checker), *_],
            ):
                return f"{modules.get(module, module)}.{checker}"
    return ""


def without_alt(page: BeautifulSoup) -> list[str]:
    """Return the pictures of a page that say nothing to a reader who cannot see them."""
    silent = [img for img in page.find_all("img") if not str(img.get("alt", "")).strip()]
    for svg in page.find_all("svg"):
        named = svg.get("aria-label") or svg.get("aria-labelledby") or svg.find("title")
        if not (named or svg.get("aria-hidden") == "true"):
            silent.append(svg)
    return [str(picture)[:80] for picture in silent]


def dead_links(page: BeautifulSoup, path: Path) -> list[str]:
    """Return what is wrong with the links of a page that leads to the repository's own files."""
    targets = [str(tag["href"]) for tag in page.find_all("a", href=True)]
    targets += [str(tag["src"]) for tag in page.find_all("img", src=True)]
    return [problem for target in targets if (problem := dead_link(target, path))]


def dead_link(target: str, path: Path) -> str:
    """Return what is wrong with one link in the file `path`; "" for a good one."""
    link = urlsplit(target)
    if link.scheme or link.netloc:
        return ""
    file = (path.parent / unquote(link.path)).resolve() if link.path else path
    if not file.is_relative_to(ROOT):
        return f"{target} leads out of the repository"
    if not file.exists():
        return f"{target} leads to no file"
    if link.fragment and unquote(link.fragment) not in anchors(file):
        return f"{target} leads to no heading in {file.name}"
    return ""


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the places inside a file that a link can lead to.

    GitHub writes the headings of a Markdown file in its own way; those of a notebook keep their
    capitals, in JupyterLab and on GitHub.
    """
    if path.suffix == ".ipynb":
        pages = [page for cell in read(path).cells for page in cell.pages]
        return frozenset(str(tag["id"]) for page in pages for tag in page.find_all(id=True))
    if path.suffix != ".md":
        return frozenset()
    headings = as_page(path.read_text(encoding="utf-8")).find_all(re.compile("^h[1-6]$"))
    words = (re.sub(r"[^\w\- ]", "", tag.get_text().strip().lower()) for tag in headings)
    return frozenset(text.replace(" ", "-") for text in words)
