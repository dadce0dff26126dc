"""What every notebook must be, and what a lesson must have besides: one function for each rule.

A rule takes a notebook and yields a complaint, in words, for each place that breaks it.
"""

import ast
import json
import re
import statistics
from collections.abc import Callable, Iterator

import nbformat.validator
from bs4 import BeautifulSoup
from reading import Cell, Notebook, checker_of, dead_links, without_alt
from thinking import core_and_asides, exercises_think, not_given_away

Rule = Callable[[Notebook], Iterator[str]]

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
#: A question's source gives its answer away. JupyterLab folds it by the first, nbconvert leaves it
#: out by the second, without any configuration.
FOLDED = {"jupyter": {"source_hidden": True}, "transient": {"remove_source": True}}
#: JupyterLab leaves the first line of a folded cell in sight. It should say why the rest is not.
FOLDED_LINE = "# A question. Its code is folded away, because it holds the answer."
#: Others would go unseen (a misspelt one) or take a cell out of the tests (`nbval-skip`).
TAGS = {"exercise", "check", "solution", "nbval-check-output"}
#: How code takes the reader's place at each widget.
DRIVERS = {
    "Predict": "reveal",
    "FrameSlider": "show_frame",
    "UploadBox": "receive",
    "ZoomExplorer": "look",
}
FILE_BYTES = 1_000_000
CELL_LINES, MEDIAN_LINES, COLUMNS = 30, 8, 100
#: A cell that starts another program gets past the runner's watch on the network.
OUTWARD_MODULES = {"httpx", "requests", "socket", "subprocess", "urllib"}
MACHINE_PATH = re.compile(r"(?<![\w.])(/(home|root|Users|tmp|var|work|mnt|opt|usr)/\w|[A-Z]:\\\w)")
ADDRESS = re.compile(r"0x[0-9a-f]{6,}", re.IGNORECASE)


# Of every notebook, lesson or solutions


def valid(notebook: Notebook) -> Iterator[str]:
    raw = json.loads(notebook.text)
    for error in nbformat.validator.iter_validate(raw, version=4, version_minor=5):
        yield f"not a valid notebook: {error.message[:200]}"
    ids = [cell.get("id") for cell in raw["cells"]]
    if len(set(ids)) < len(ids):
        yield "two cells have the same id"


def bare_metadata(notebook: Notebook) -> Iterator[str]:
    """Nothing of the machine or the tool that wrote the file."""
    if notebook.node.metadata != METADATA:
        found = str(notebook.node.metadata)[:200]
        yield f"the notebook's metadata must be {METADATA}, not {found}"
    for cell in notebook.cells:
        if more := set(cell.node.metadata) - {"tags", *FOLDED}:
            yield f"{cell} has the metadata {sorted(more)}: take it out"
        if unknown := set(cell.tags) - TAGS:
            yield f"{cell} has the tag {sorted(unknown)}; known are {sorted(TAGS)}"


def folded(notebook: Notebook) -> Iterator[str]:
    """The source of each question is folded away, of nothing else, and nothing else is in it."""
    questions = {cell.number for kind, _, cell in widgets(notebook) if kind == "Predict"}
    asked = {name for kind, name, _ in widgets(notebook) if kind == "Predict"}
    hidden: set[str] = set()
    for cell in notebook.cells:
        found = {key: cell.node.metadata[key] for key in FOLDED if key in cell.node.metadata}
        if cell.number in questions and found != FOLDED:
            yield f"{cell} shows the answer of its question: give it the metadata {FOLDED}"
        if cell.number in questions and not cell.source.startswith(FOLDED_LINE):
            yield f"{cell} must begin with the line “{FOLDED_LINE}”"
        if cell.number not in questions and found:
            yield f"{cell} asks no question, and folds its source: take {found} out"
        if cell.number in questions:
            hidden |= assigned(cell)
    hidden -= asked.union(
        *(assigned(cell) for cell in notebook.code if cell.number not in questions)
    )
    for cell in notebook.code:
        lost = sorted(hidden & used(cell))
        if lost and cell.number not in questions:
            yield f"{cell} uses {lost}, computed in a folded cell, where no reader sees how"


def assigned(cell: Cell) -> set[str]:
    """Return the names that a cell leaves behind by `=`."""
    targets = [t for node in cell.tree.body if isinstance(node, ast.Assign) for t in node.targets]
    nodes = [node for target in targets for node in ast.walk(target)]
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def used(cell: Cell) -> set[str]:
    """Return the names that a cell reads and does not itself bind, not even as an argument."""
    nodes = list(ast.walk(cell.tree))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return {node.id for node in names if isinstance(node.ctx, ast.Load)} - bound


def unfolds(notebook: Notebook) -> Iterator[str]:
    """What is folded away is so on every page: `--embed-images` ends <details> at a blank line."""
    for cell in notebook.cells:
        if cell.node.cell_type == "markdown":
            for broken in re.findall(
                r"<details>(?:(?!</details>).)*?\n\s*\n", cell.source, re.DOTALL
            ):
                yield f"{cell} has <details> with a blank line: {broken.strip()[:60]}"


def code_as_typed(notebook: Notebook) -> Iterator[str]:
    """No star in <code> was taken for the mark of italics: the reader would copy it without."""
    for cell in notebook.cells:
        for page in cell.pages:
            for code in page.find_all("code"):
                if code.find(["em", "strong"]):
                    yield f"{cell} has italics inside code, stars lost: {code}"


def names_its_weights(notebook: Notebook) -> Iterator[str]:
    """Numbers must not move when the package gets another default."""
    for cell in notebook.code:
        for node in ast.walk(cell.tree):
            match node:
                case ast.Call(func=ast.Name(id="load_model"), args=[]):
                    yield f"{cell} loads whatever model is the default: name its weights"
                case ast.Name(id="DEFAULT_MODEL"):
                    yield f"{cell} uses DEFAULT_MODEL, which may change: name the weights"


def run_in_order(notebook: Notebook) -> Iterator[str]:
    counts = [cell.node.execution_count for cell in notebook.code]
    if counts != list(range(1, len(counts) + 1)):
        yield f"not run from top to bottom: the execution counts are {counts}"
    for cell in notebook.code:
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"{cell} ended with an error"
        if any(output.get("name") == "stderr" for output in cell.outputs):
            yield f"{cell} shows a warning or a progress bar (stderr)"


def described(notebook: Notebook) -> Iterator[str]:
    """A picture says in words what it shows, on every page that it may be read on."""
    for cell in notebook.cells:
        for output in cell.outputs:
            if any(kind.startswith("image/") for kind in output.get("data", {})):
                yield f"{cell} shows a bare picture, its words lost on a page: use figures.show"
        for page in cell.pages:
            for picture in without_alt(page):
                yield f"{cell} has a picture without an alternative text: {picture}"


def linked(notebook: Notebook) -> Iterator[str]:
    for cell in notebook.cells:
        for page in cell.pages:
            for problem in dead_links(page, notebook.path):
                yield f"{cell}: {problem}"


#: Where a reader may be led, by a click of their own: papers and their code.
PAPERS = re.compile(r"https://(arxiv\.org/(pdf|abs)|github\.com/[\w-]+)/[\w./-]+$")


def offline(notebook: Notebook) -> Iterator[str]:
    """Nothing comes from another machine, in code or prose; a link leads to a paper or its code."""
    for cell in notebook.cells:
        if cell.is_code and "http" in cell.source:
            yield f"{cell} has an address in its code"
        if found := imported(cell) & OUTWARD_MODULES:
            yield f"{cell} imports {sorted(found)}"
        for page in cell.pages:
            for tag in page.find_all(["a", "img", "script", "link", "iframe"]):
                target = str(tag.get("href") or tag.get("src") or "")
                may = tag.name == "a" and not cell.is_code and PAPERS.match(target)
                if re.match(r"(https?:)?//", target) and not may:
                    yield f"{cell} leads to {target}: write it as text"


def imported(cell: Cell) -> set[str]:
    """Return the packages that a cell imports."""
    found = set()
    for node in ast.walk(cell.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def plain_python(notebook: Notebook) -> Iterator[str]:
    """No magics, no shell lines, no comment that takes a cell out of the tests."""
    for cell in notebook.code:
        if not cell.tree.body:
            yield f"{cell} is empty, or not plain Python"
        if re.search(r"# *(NBVAL|PYTEST)_", cell.source):
            yield f"{cell} steers nbval by a comment: use a tag"


def small(notebook: Notebook) -> Iterator[str]:
    if (size := len(notebook.text.encode())) >= FILE_BYTES:
        yield f"the file has {size:,} bytes; {FILE_BYTES:,} are too many"


def short_cells(notebook: Notebook) -> Iterator[str]:
    for cell in notebook.code:
        lines = cell.source.splitlines()
        if len(lines) > CELL_LINES:
            yield f"{cell} has {len(lines)} lines, more than {CELL_LINES}"
        if (widest := max(map(len, lines), default=0)) > COLUMNS:
            yield f"{cell} has a line of {widest} characters, more than {COLUMNS}"


def same_everywhere(notebook: Notebook) -> Iterator[str]:
    """Outputs name no folder, no address in memory, no widget that lives in a kernel now gone."""
    if "widgets" in notebook.node.metadata:
        yield "the file holds the state of widgets: run liif_core.widgets.keep_stills on it"
    for cell in notebook.code:
        for text in cell.texts:
            if found := MACHINE_PATH.search(text):
                yield f"{cell} names a folder of this machine: {found[0]}…"
            if found := ADDRESS.search(text):
                yield f"{cell} shows an address in memory: {found[0]}"
        for output in cell.outputs:
            if any("jupyter.widget" in kind for kind in output.get("data", {})):
                yield f"{cell} shows a live widget: run liif_core.widgets.keep_stills"


def reader_commits(notebook: Notebook) -> Iterator[str]:
    """No cell commits to a choice: it would overwrite the reader's, and call a wrong one right."""
    for cell in notebook.code:
        for node in ast.walk(cell.tree):
            match node:
                case ast.Call(func=ast.Attribute(attr="commit", value=asked)):
                    name = ast.unparse(asked)
                    yield f"{cell} calls {name}.commit(…): the reader commits; use {name}.reveal()"


def compares_text(notebook: Notebook) -> Iterator[str]:
    """What nbval compares is printed text: a repr, a picture or a widget differs by machine."""
    for cell in notebook.code:
        if "nbval-check-output" in cell.tags:
            if not cell.printed:
                yield f"{cell} is tagged nbval-check-output, and prints nothing"
            if any(output.output_type != "stream" for output in cell.outputs):
                yield f"{cell} is tagged nbval-check-output, and shows more than printed text"


EVERY_NOTEBOOK: list[Rule] = [
    valid,
    bare_metadata,
    folded,
    unfolds,
    code_as_typed,
    names_its_weights,
    run_in_order,
    described,
    linked,
    offline,
    plain_python,
    small,
    short_cells,
    same_everywhere,
    reader_commits,
    compares_text,
]


# Of every lesson


def opened(notebook: Notebook) -> Iterator[str]:
    """The title asks; before the first code stand the time, the hardware and what is learnt."""
    first = notebook.cells[0].source
    title = first.splitlines()[0]
    if not (title.startswith("# ") and title.endswith("?")):
        yield f"the first line must be a title that asks a question, not {title!r}"
    for what, pattern in (
        ("how many minutes it takes", r"\d+ minutes"),
        ("the hardware it needs", r"laptop|GPU"),
        ("what the reader can explain after it", r"can explain"),
    ):
        if not re.search(pattern, first):
            yield f"the first cell does not say {what}"


def seen_early(notebook: Notebook) -> Iterator[str]:
    if not any(shows_picture(cell) for cell in notebook.code[:3]):
        yield "none of the first three code cells shows a picture"


def shows_picture(cell: Cell) -> bool:
    return any(page.find(["img", "svg"]) for page in cell.pages)


def brief(notebook: Notebook) -> Iterator[str]:
    median = statistics.median(len(cell.source.splitlines()) for cell in notebook.code)
    if median > MEDIAN_LINES:
        yield f"half of the code cells have more than {MEDIAN_LINES} lines: the median is {median}"


def predicts(notebook: Notebook) -> Iterator[str]:
    """There is a question; every widget is driven, a question only in a cell after its own."""
    found = widgets(notebook)
    if not any(kind == "Predict" for kind, _, _ in found):
        yield "there is no Predict"
    for kind, name, cell in found:
        method = DRIVERS[kind]
        if not name:
            yield f"{cell} has a {kind} without a name: no cell can drive it"
            continue
        start = cell.number + (kind == "Predict")
        if not any(calls(other, name, method) for other in notebook.code if other.number >= start):
            yield f"no cell calls {name}.{method}(…) after {cell}, which shows the {kind}"
    for cell in notebook.code:
        for node in ast.walk(cell.tree):
            if isinstance(node, ast.ImportFrom) and node.module == "liif_core.widgets":
                for alias in node.names:
                    if alias.name not in DRIVERS:
                        yield f"{cell}: say in DRIVERS how code drives {alias.name}"


def widgets(notebook: Notebook) -> list[tuple[str, str, Cell]]:
    """Return the widgets that a notebook makes: the class, the variable ("" if none), the cell."""
    found = []
    for cell in notebook.code:
        names = {
            id(node.value): node.targets[0].id
            for node in ast.walk(cell.tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(cell.tree):
            match node:
                case ast.Call(func=ast.Name(id=kind)) if kind in DRIVERS:
                    found.append((kind, names.get(id(node), ""), cell))
    return found


def calls(cell: Cell, name: str, method: str) -> bool:
    """Return whether a cell calls `name.method(…)`."""
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func) == f"{name}.{method}"
        for node in ast.walk(cell.tree)
    )


def numbered(notebook: Notebook) -> Iterator[str]:
    """Sections and exercises that carry numbers count from 1: none was lost with a neighbour."""
    headings = [
        heading.get_text()
        for cell in notebook.cells
        if not cell.is_code
        for heading in cell.pages[0].find_all(["h2", "h3"])
    ]
    for what, pattern in (("section", r"(\d+)\. "), ("exercise", r"Exercise (\d+)\b")):
        found = [int(match[1]) for text in headings if (match := re.match(pattern, text))]
        if found != list(range(1, len(found) + 1)):
            yield f"the {what}s are numbered {found}"


def exercised(notebook: Notebook) -> Iterator[str]:
    """Two to six exercises: a stub, then its checker; three hints for each, above or below."""
    stubs = [cell for cell in notebook.code if "exercise" in cell.tags]
    if not 2 <= len(stubs) <= 6:
        yield f"there are {len(stubs)} exercises; a lesson has 2 to 6"
    for cell, following in zip(notebook.code, [*notebook.code[1:], None], strict=True):
        checked = following is not None and "check" in following.tags
        if "exercise" in cell.tags and not checked:
            yield f"{cell} is an exercise, and the next code cell does not check it"
        if "exercise" not in cell.tags and checked:
            yield f"{following} checks an exercise, and the code cell before it is none"
    hints = [hint for cell in notebook.cells for hint in hints_in(cell)]
    if hints != ["Hint 1", "Hint 2", "Hint 3"] * len(stubs):
        yield f"each exercise needs Hint 1, Hint 2, Hint 3, each in <details>; there are {hints}"


def hints_in(cell: Cell) -> list[str]:
    summaries = [tag for page in cell.pages for tag in page.select("details > summary")]
    words = [tag.get_text().strip() for tag in summaries]
    return [text for text in words if text.startswith("Hint")]


def closed(notebook: Notebook) -> Iterator[str]:
    """At the end: a summary, questions, what the pictures do not show, and a way on."""
    titles = [
        heading.get_text().lower()
        for cell in notebook.cells
        if not cell.is_code
        for page in cell.pages
        for heading in page.find_all(re.compile("^h[1-6]$"))
    ]
    if "in three lines" not in titles:
        yield "there is no heading “In three lines”"
    if not any("questionnaire" in title for title in titles):
        yield "there is no heading “Questionnaire”"
    if not any(re.search("do(es)? not show", title) for title in titles):
        yield "there is no heading “What the pictures do not show”"
    names = (path.name for path in notebook.path.parent.glob("[0-9][0-9]_*.ipynb"))
    later = [name for name in names if name[:2] > notebook.lesson]
    if later and not leads_to(notebook, min(later)):
        yield f"there is no link to the next lesson, {min(later)}"


def tells_what_is_solved(notebook: Notebook) -> Iterator[str]:
    """The very last cell says which exercises are solved: as committed, none."""
    last, call = notebook.cells[-1], f'progress("{notebook.lesson}")'
    if not (last.is_code and any(ast.unparse(node) == repr_of(call) for node in last.tree.body)):
        yield f"the last cell is not {call}"
    elif "nbval-check-output" not in last.tags:
        yield f"{last} is not tagged nbval-check-output: what it prints may be out of date"
    exercises = sum("exercise" in cell.tags for cell in notebook.code)
    told = f"Lesson {notebook.lesson}: 0 of {exercises} exercises solved"
    if not last.is_code or not last.printed.startswith(told):
        yield f"the last cell does not say “{told}”"


def repr_of(code: str) -> str:
    """Return code as `ast.unparse` writes it."""
    return ast.unparse(ast.parse(code))


def leads_to(notebook: Notebook, target: str) -> bool:
    """Return whether a text of the notebook has a link to `target`."""
    pages: list[BeautifulSoup] = [page for cell in notebook.cells for page in cell.pages]
    links = [str(tag["href"]) for page in pages for tag in page.find_all("a", href=True)]
    return any(link.split("#")[0] == target for link in links)


EVERY_LESSON: list[Rule] = [
    opened,
    seen_early,
    brief,
    predicts,
    not_given_away,
    core_and_asides,
    numbered,
    exercised,
    exercises_think,
    closed,
    tells_what_is_solved,
]


# Exercises and solutions


def stubs_fail(notebook: Notebook) -> Iterator[str]:
    """Each checker of a lesson is its own, and says, as committed, that its stub is no answer."""
    yield from checked(notebook, "✗ Not yet")


def solutions_pass(notebook: Notebook) -> Iterator[str]:
    """As committed, each solution passes; each stands just before its checker."""
    yield from checked(notebook, "✓ Solved.")
    for before, cell in zip([None, *notebook.code], notebook.code, strict=False):
        if "check" in cell.tags and not (before and "solution" in before.tags):
            yield f"the code cell before {cell} is not tagged as a solution"
    if not notebook.cells[0].source.startswith("# "):
        yield "the first cell must begin with a title"
    if not leads_to(notebook, f"../{notebook.path.name}"):
        yield f"there is no link back to the lesson, ../{notebook.path.name}"


def checked(notebook: Notebook, verdict: str) -> Iterator[str]:
    for cell in notebook.code:
        if "check" in cell.tags:
            if not cell.printed.startswith(verdict):
                yield f"{cell} prints {cell.printed!r}, not “{verdict}”"
            checker = checker_of(notebook, cell)
            if not checker.startswith(f"lesson_{notebook.lesson}."):
                yield f"{cell} must call check(lesson_{notebook.lesson}.…, …), not {checker!r}"


def answered(lesson: Notebook, solution: Notebook) -> Iterator[str]:
    """The solutions answer the exercises of a lesson, all and no others, in its order."""
    asked, given = (
        [checker_of(notebook, cell) for cell in notebook.code if "check" in cell.tags]
        for notebook in (lesson, solution)
    )
    if asked != given:
        yield f"the lesson asks for {asked}, the solutions answer {given}"
