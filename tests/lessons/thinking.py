"""What leaves the thinking to the reader: one function for each rule, as in form.py.

Nothing above a question says its answer, no cell above an exercise is its solution, the last hint
is not the solution either, and what may be skipped says so.
"""

import ast
import re
from collections.abc import Callable, Iterator

from bs4 import BeautifulSoup, Tag
from reading import Cell, Notebook

#: Words that tell nothing: of grammar, of degree, and of every question.
STOP_WORDS = """
a about all almost also an and any are as at be been both but by can clearly could did do does each
either else even every exactly few for from get gets had hardly has have here how i if in into is it
its just less many more most much nearly neither no none nor not of off on one ones only or other
others our out over own so some such than that the their them then there these they this those to
too two under up very was we were what when where which while who why will with would you your
between after before again measure measured
"""
STOP = set(STOP_WORDS.split())
#: Words that say the same: a heading about seams names the borders where they are.
SYNONYMS = (
    {"seam", "border", "edge", "cut"},
    {"same", "equal", "identical"},
    {"soft", "blur", "smooth"},
)
#: Exercises that are judged, tried or read off, and not only coded.
KINDS = ("experiment", "interpretation", "critique")
CORE = re.compile(r"Core: (\d+) minutes; with all asides: (\d+) minutes\.")
#: A piece of code of fewer parts is everybody's: `mean(dim=0)`, `x + 1`.
PARTS = 7


# Questions


def not_given_away(notebook: Notebook) -> Iterator[str]:
    """No heading, objective or paragraph above a question holds the words of its right answer."""
    for cell in notebook.code:
        for page in cell.pages:
            if "Predict(" in cell.source:
                tells = told_by_choice(page)
                for where, text in above(notebook, cell):
                    if gives_away(text, *tells):
                        yield f"{cell} asks what the {where} above it says: {text.strip()[:80]!r}"


def told_by_choice(page: BeautifulSoup) -> tuple[set[str], list[set[str]]]:
    """Return what words only the right choice of a question has, and those of each wrong one.

    Words of the question and of several choices tell nothing. Numbers count where there is nothing
    else: a text need only name them to give them away.
    """
    question = words(page.find("strong").get_text())
    right = page.select("details strong")[0].get_text()
    texts = [item.get_text() for item in page.select("ol li")]
    own = []
    for text in texts:
        others = set().union(*(words(other) for other in texts if other != text))
        left = words(text) - others - question
        letters = {word for word in left if not word[0].isdigit()}
        own.append(letters or left)
    number = texts.index(right)
    return own[number], own[:number] + own[number + 1 :]


def gives_away(text: str, right: set[str], wrong: list[set[str]]) -> bool:
    """Return whether a text has most of the right choice's words, and no wrong choice's."""
    found = words(text)

    def named(tell: set[str]) -> bool:
        hits = sum(bool(alike(word) & found) for word in tell)
        return bool(tell) and 2 * hits > len(tell)

    return named(right) and not any(named(tell) for tell in wrong)


def above(notebook: Notebook, question: Cell) -> Iterator[tuple[str, str]]:
    """Yield each objective, each heading and each paragraph of the last text above a question."""
    texts = [c for c in notebook.cells[: question.number] if not c.is_code]
    for item in texts[0].pages[0].select("ul li"):
        yield "objective", item.get_text()
    for cell in texts:
        for heading in cell.pages[0].find_all(re.compile("^h[1-6]$")):
            if not heading.get_text().startswith("Exercise"):
                yield "heading", re.sub(r"^\d+\. ", "", heading.get_text())
    for paragraph in texts[-1].pages[0].find_all("p"):
        yield "paragraph", paragraph.get_text()


def words(text: str) -> set[str]:
    """Return the words of a text that say something, without their endings, and its numbers."""
    found = re.findall(r"\d+(?:[.,]\d+)*|[a-zé]+", text.lower().replace("’", "'"))
    return {stem(word) for word in found if word not in STOP and (len(word) > 2 or word.isdigit())}


def stem(word: str) -> str:
    """Return a word without its ending: crude, and the same for seam and seams, soft and softer."""
    for ending in ("s", "ing", "ed", "er", "est", "ly", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
    return word


def alike(word: str) -> set[str]:
    """Return a stem and those of its synonyms."""
    groups = [{stem(other) for other in group} for group in SYNONYMS]
    return {word}.union(*(group for group in groups if word in group))


# Core and aside


def core_and_asides(notebook: Notebook) -> Iterator[str]:
    """The first cell gives the core's minutes and all; each aside is named, and may be skipped."""
    found = CORE.search(" ".join(notebook.cells[0].source.split()))
    if not found:
        yield "the first cell needs “Core: N minutes; with all asides: M minutes.”"
        return
    core, whole = map(int, found.groups())
    asides = [section for section in sections(notebook) if section[0].startswith("Aside: ")]
    if (whole > core) != bool(asides):
        yield f"core {core} and whole {whole} minutes do not go with {len(asides)} asides"
    if whole < core:
        yield f"the core, {core} minutes, takes longer than the whole, {whole}"
    for heading, text in asides:
        if not re.search(r"\bskip", text):
            yield f"the section “{heading}” does not say that it can be skipped"


def sections(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """Yield each heading, and the prose up to the next one of its level or a higher one."""
    parts: list[Tag] = [
        part
        for cell in notebook.cells
        if not cell.is_code
        for page in cell.pages
        for part in page.find_all(recursive=False)
    ]
    level = re.compile(r"h([1-6])$")
    for number, part in enumerate(parts):
        if not (own := level.match(part.name)):
            continue
        text = []
        for after in parts[number + 1 :]:
            other = level.match(after.name)
            if other and other[1] <= own[1]:
                break
            text.append(after.get_text())
        yield part.get_text(), "\n".join(text)


# Exercises


def exercises_think(notebook: Notebook) -> Iterator[str]:
    """At least one exercise of a lesson is marked as an experiment, interpretation or critique."""
    marked = rf"(Exercise|Your turn).*\((an? )?({'|'.join(KINDS)})\)"
    headings = [heading.strip() for heading, _ in sections(notebook)]
    if not any(re.match(marked, heading) for heading in headings):
        yield f"no exercise's heading ends with one of {', '.join(f'({kind})' for kind in KINDS)}"


def built_anew(lesson: Notebook, solution: Notebook) -> Iterator[str]:
    """No exercise's solution, or half of it, stands in a cell above the exercise."""
    for stub, answer in exercise_pairs(lesson, solution):
        earlier = [cell for cell in lesson.code if cell.number < stub.number]
        known = set().union(*(pieces(cell.tree) for cell in earlier))
        lines = own_lines(stub, answer)
        found = [code for code, shape in lines.items() if shape in known]
        if found and 2 * len(found) >= len(lines):
            yield f"{stub} asks for what stands in a cell above: {found}"


def hints_sketch(lesson: Notebook, solution: Notebook) -> Iterator[str]:
    """The hints of an exercise do not hold its solution: at least one line of it is left to do."""
    for stub, answer in exercise_pairs(lesson, solution):
        hints = [code for cell in hint_cells(lesson, stub) for code in hinted(cell)]
        if value := given_value(answer):
            if value in hints:
                yield f"a hint of {stub} is its solution: {value}"
            continue
        known = set().union(*(pieces(parsed(code)) for code in hints))
        lines = own_lines(stub, answer)
        if lines and all(shape in known for shape in lines.values()):
            yield f"the hints of {stub} are its solution: {list(lines)}"


def exercise_pairs(lesson: Notebook, solution: Notebook) -> Iterator[tuple[Cell, Cell]]:
    """Yield each exercise of a lesson with its solution's cell."""
    stubs = [cell for cell in lesson.code if "exercise" in cell.tags]
    answers = [cell for cell in solution.code if "solution" in cell.tags]
    yield from zip(stubs, answers, strict=False)  # form.answered complains of a missing one


def hint_cells(lesson: Notebook, stub: Cell) -> Iterator[Cell]:
    """Yield the texts with hints next to an exercise: the first one after it, or before."""
    for side in (lesson.cells[stub.number :], lesson.cells[stub.number :: -1]):
        for cell in side[1:]:
            if "exercise" in cell.tags:
                break
            if not cell.is_code and "Hint 3" in cell.source:
                yield cell
                return


def hinted(cell: Cell) -> list[str]:
    """Return the pieces of code in the hints of a text, spaces as Python writes them."""
    found = [
        code.get_text()
        for page in cell.pages
        for details in page.find_all("details")
        for code in details.find_all("code")
        if "Hint" in details.get_text()
    ]
    return [ast.unparse(parsed(code)) for code in found]


def given_value(answer: Cell) -> str:
    """Return an answer that is one number or text, `k = 5`; "" for any other."""
    match answer.tree.body:
        case [ast.Assign(value=ast.Constant() | ast.BinOp()) as line]:
            return ast.unparse(line)
    return ""


def own_lines(stub: Cell, answer: Cell) -> dict[str, str]:
    """Return the code that a solution adds to its stub: as written -> its shape."""
    given = {shape_of(value) for value in values(stub.tree)}
    lines = {ast.unparse(value): shape_of(value) for value in values(answer.tree)}
    return {code: shape for code, shape in lines.items() if shape not in given}


def values(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield what each statement computes, where that is more than a few parts."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Assign(value=value)
                | ast.AugAssign(value=value)
                | ast.Return(value=value)
                | ast.Expr(value=value)
            ) if value is not None and parts(value) >= PARTS:
                yield value


def pieces(tree: ast.AST) -> set[str]:
    """Return the shapes of all expressions in some code."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.expr))
    return {shape_of(node) for node in found if parts(node) >= PARTS}


def parts(node: ast.AST) -> int:
    kinds = (ast.Name, ast.Constant, ast.Call, ast.BinOp, ast.UnaryOp, ast.Subscript, ast.Attribute)
    return sum(isinstance(part, kinds) for part in ast.walk(node))


def shape_of(node: ast.expr) -> str:
    """Return an expression with its names numbered as they come: the same under other names."""
    numbers: dict[str, str] = {}

    class Rename(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.Name:
            return ast.Name(numbers.setdefault(name.id, f"x{len(numbers)}"), name.ctx)

    return ast.unparse(Rename().visit(parsed(ast.unparse(node))))


def parsed(code: str) -> ast.Module:
    """Return code as a tree; an empty one where it is a fragment that Python cannot read."""
    try:
        return ast.parse(code.strip())
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


PairRule = Callable[[Notebook, Notebook], Iterator[str]]
#: Of a lesson and its solutions.
EVERY_PAIR: list[PairRule] = [built_anew, hints_sketch]
