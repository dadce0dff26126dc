"""The house itself: which way its arrows point, and how large its rooms' parts may grow."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import tree_sitter
import tree_sitter_javascript

import liif_core

PACKAGE = Path(liif_core.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted(PACKAGE.rglob("*.js"))

#: Most lines of a function and of a class, docstring and all.
LIMITS = {"function": 80, "class": 200}

#: What the model's own rooms may import of ours: they read as the paper does.
MODEL = {
    "coords": set(),
    "edsr": set(),
    "noise_field": {"scripted"},
    "liif": {"coords", "edsr", "noise_field"},
}

#: Rooms and lesson tools that may import Jupyter's libraries.
JUPYTER_ROOMS = ("widgets", "lesson_figures", "exercises", "figures.py")
JUPYTER = {"IPython", "anywidget", "ipywidgets", "jupyter_core", "nbformat", "traitlets"}


class Part(NamedTuple):
    """A function or class."""

    kind: str
    name: str
    lines: int


def python_parts(path: Path) -> Iterator[Part]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            assert node.end_lineno
            yield Part(kind, node.name, node.end_lineno - node.lineno + 1)


def script_parts(path: Path) -> Iterator[Part]:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_javascript.language()))
    waiting = [parser.parse(path.read_bytes()).root_node]
    assert not waiting[0].has_error, f"{path} is not understood"
    while waiting:
        node = waiting.pop()
        waiting += node.children
        kind = "class" if "class" in node.type else "function"
        if node.is_named and node.type in FUNCTIONS | CLASSES:
            name = node.child_by_field_name("name")
            text = name.text.decode() if name else f"(line {node.start_point.row + 1})"
            yield Part(kind, text, node.end_point.row - node.start_point.row + 1)


FUNCTIONS = {
    "arrow_function",
    "function_declaration",
    "function_expression",
    "generator_function",
    "generator_function_declaration",
    "method_definition",
}
CLASSES = {"class", "class_declaration"}


def imported(path: Path) -> set[str]:
    """Return what a module imports, dotted, wherever in it the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            rooms = parts & ROOMS
            found |= rooms if rooms == parts else {node.module, *rooms}
    return found


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


ROOMS = {name_of(path) for path in MODULES}


def test_there_are_rooms():
    assert len(MODULES) > 50
    assert len(SCRIPTS) > 5


@pytest.mark.parametrize("path", MODULES + SCRIPTS, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_part_is_too_long_to_read(path):
    parts = list((python_parts if path.suffix == ".py" else script_parts)(path))
    assert not [part for part in parts if part.lines > LIMITS[part.kind]]


def test_the_measure_sees_long_functions(tmp_path):
    body = "\n".join("x = 1" for _ in range(90))
    (tmp_path / "a.py").write_text("def long():\n" + body.replace("x", "    x"))
    assert [part.lines for part in python_parts(tmp_path / "a.py")] == [91]
    (tmp_path / "a.js").write_text("export const f = () => {\n" + body + "\n};\nclass A { b() {} }")
    found = {(part.kind, part.lines) for part in script_parts(tmp_path / "a.js")}
    assert found == {("function", 92), ("class", 1), ("function", 1)}


@pytest.mark.parametrize("room", MODEL)
def test_the_model_reads_as_the_paper(room):
    """`liif.py` knows nothing of files, devices or progress bars."""
    ours = {name.split(".")[1] for name in imported(PACKAGE / f"{room}.py") if "liif_core." in name}
    assert ours <= MODEL[room]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_below_the_widgets_imports_jupyter(path):
    if path.relative_to(PACKAGE).parts[0] not in JUPYTER_ROOMS:
        assert not {name.split(".")[0] for name in imported(path)} & JUPYTER


def test_no_circle():
    """Whoever imports a room, directly or not, is not imported by it."""
    arrows = {name_of(path): (imported(path) & ROOMS) - {name_of(path)} for path in MODULES}
    done: set[str] = set()

    def follow(room: str, way: tuple[str, ...]) -> None:
        assert room not in way, f"a circle: {' → '.join((*way, room))}"
        if room in done:
            return
        for following in sorted(arrows[room]):
            follow(following, (*way, room))
        done.add(room)

    for room in sorted(ROOMS):
        follow(room, ())
    assert done == ROOMS
