"""As committed: each stub fails its checker, each solution passes, and each exercise has one.

That the committed outputs are true shows when nbval runs the notebooks: see notebooks/conftest.py.
"""

from pathlib import Path

import form
import pytest
import specimens
import thinking
from form import Rule
from reading import Notebook, lessons, name_of, read, solutions
from specimens import CHECK, STUB, Spoil, both, printing, put, tag


@pytest.mark.parametrize("path", lessons(), ids=name_of)
def test_stubs_fail_and_have_solutions(path: Path) -> None:
    beside = path.parent / "solutions" / path.name
    assert beside.exists(), f"{path.name} has no solutions"
    complaints = [*form.stubs_fail(read(path)), *form.answered(read(path), read(beside))]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("path", solutions(), ids=name_of)
def test_solutions_pass(path: Path) -> None:
    complaints = list(form.solutions_pass(read(path)))
    assert not complaints, "\n".join(complaints)
    assert (path.parents[1] / path.name).exists(), f"{path.name} has no lesson"


@pytest.mark.parametrize("rule", thinking.EVERY_PAIR, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", lessons(), ids=name_of)
def test_exercises_are_left_to_the_reader(path: Path, rule: thinking.PairRule) -> None:
    complaints = list(rule(read(path), read(path.parent / "solutions" / path.name)))
    assert not complaints, "\n".join(complaints)


# The rules themselves


def test_good_specimens_break_no_rule() -> None:
    lesson, solution = specimens.lesson(), specimens.solution()
    assert list(form.stubs_fail(lesson)) == []
    assert list(form.solutions_pass(solution)) == []
    assert list(form.answered(lesson, solution)) == []


SOLUTION, VERDICT = 1, 2  # places in specimens.SOLUTION


@pytest.mark.parametrize(
    ("rule", "notebook", "complaint"),
    [
        (form.stubs_fail, specimens.lesson(put(CHECK, outputs=[])), "prints '', not “✗ Not yet”"),
        (
            form.stubs_fail,
            specimens.lesson(both(put(CHECK, outputs=[]), printing(CHECK, "✓ Solved."))),
            "not “✗ Not yet”",
        ),
        (
            form.stubs_fail,
            specimens.lesson(put(CHECK, source="check(lesson_07.one, answer)")),
            "must call check(lesson_00.…, …), not 'lesson_07.one'",
        ),
        (
            form.stubs_fail,
            specimens.lesson(put(CHECK, source="print('✗ Not yet')")),
            "must call check",
        ),
        (
            form.solutions_pass,
            specimens.solution(both(put(VERDICT, outputs=[]), printing(VERDICT, "✗ Not yet: …"))),
            "not “✓ Solved.”",
        ),
        (form.solutions_pass, specimens.solution(tag(SOLUTION)), "not tagged as a solution"),
        (
            form.solutions_pass,
            specimens.solution(put(0, source="[back](../00_one.ipynb)")),
            "must begin with a title",
        ),
        (form.solutions_pass, specimens.solution(put(0, source="# One")), "no link back"),
    ],
)
def test_a_rule_finds_its_breach(rule: Rule, notebook: Notebook, complaint: str) -> None:
    found = list(rule(notebook))
    assert any(complaint in text for text in found), found


@pytest.mark.parametrize(
    "spoil",
    [
        put(VERDICT, source="check(lesson_00.two, answer)"),
        lambda node: node.cells.pop(VERDICT),
        lambda node: node.cells.append({**node.cells[VERDICT], "id": "again"}),
    ],
)
def test_an_exercise_without_its_solution_is_found(spoil: Spoil) -> None:
    (complaint,) = form.answered(specimens.lesson(), specimens.solution(spoil))
    asked = "['lesson_00.one', 'lesson_00.other']"
    assert complaint.startswith(f"the lesson asks for {asked}, the solutions answer")


def test_a_checker_is_known_by_another_name() -> None:
    code = "from liif_core.exercises import lesson_00 as mine\nprint(mine)"
    spoil = both(put(STUB, source=code), put(CHECK, source="check(mine.one, answer);"))
    lesson = specimens.lesson(spoil)
    assert list(form.stubs_fail(lesson)) == []


# What is left to the reader

SQUARED = "def mean_square(x):\n    return (x.astype(float) ** 2).mean(axis=1)"
STUB_OF_IT = "def mean_square(x):\n    raise NotImplementedError"


def asking(above: str = "a = 1", hint: str = "Square it first.") -> Notebook:
    """Return the good lesson, its first exercise a function, with code above it and a last hint."""
    hints = specimens.HINTS_OF_ONE.replace(
        "Hint 3</summary>Try one more.", f"Hint 3</summary>{hint}"
    )
    return specimens.lesson(
        both(
            put(specimens.PICTURE, source=above),
            put(STUB, source=STUB_OF_IT),
            put(specimens.HINTS, source=hints),
        )
    )


ANSWERED = specimens.solution(put(SOLUTION, source=SQUARED))


def test_good_specimens_leave_the_work_to_the_reader() -> None:
    for rule in thinking.EVERY_PAIR:
        assert list(rule(specimens.lesson(), specimens.solution())) == []
        assert list(rule(asking(), ANSWERED)) == []


@pytest.mark.parametrize(
    "above",
    [
        "power = (x.astype(float) ** 2).mean(axis=1)",
        "assert 2 > max((noise.astype(float) ** 2).mean(axis=1))  # under another name",
    ],
)
def test_a_solution_in_a_cell_above_is_found(above: str) -> None:
    (complaint,) = thinking.built_anew(asking(above), ANSWERED)
    assert complaint.startswith(f"cell {STUB} asks for what stands in a cell above: ['(x.astype")


def test_code_given_in_the_stub_is_no_answer_above() -> None:
    spoil = put(STUB, source=SQUARED)
    assert list(thinking.built_anew(specimens.lesson(spoil), ANSWERED)) == []


def test_a_hint_that_is_the_solution_is_found() -> None:
    hint = "<code>return (x.astype(float) ** 2).mean(axis=1)</code>"
    (complaint,) = thinking.hints_sketch(asking(hint=hint), ANSWERED)
    assert complaint.startswith(f"the hints of cell {STUB} are its solution")
    sketch = "<code>x ** 2</code>, then the mean over <code>axis=1</code>"
    assert list(thinking.hints_sketch(asking(hint=sketch), ANSWERED)) == []


def test_a_hint_that_is_the_number_is_found() -> None:
    (complaint,) = thinking.hints_sketch(asking(hint="<code>answer=1</code>"), specimens.solution())
    assert complaint == f"a hint of cell {STUB} is its solution: answer = 1"
