"""Every lesson and every solution keeps the rules of form.py, and every rule finds its breach."""

from pathlib import Path

import form
import pytest
import specimens
import thinking
from bs4 import BeautifulSoup
from form import EVERY_LESSON, EVERY_NOTEBOOK, Rule
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_output
from reading import (
    NOTEBOOKS,
    ROOT,
    Notebook,
    as_page,
    dead_links,
    lessons,
    markdown_files,
    name_of,
    pages,
    read,
    solutions,
    without_alt,
)
from specimens import (
    CHECK,
    ENDING,
    HINTS,
    JPEG,
    PICTURE,
    QUESTION,
    REVEAL,
    SOLVED,
    STUB,
    TITLE,
    Spoil,
    both,
    meta,
    printing,
    put,
    say,
    show,
    tag,
)


def rule_name(rule: Rule) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", EVERY_NOTEBOOK, ids=rule_name)
@pytest.mark.parametrize("path", [*lessons(), *pages(), *solutions()], ids=name_of)
def test_every_notebook(path: Path, rule: Rule) -> None:
    complaints = list(rule(read(path)))
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("rule", EVERY_LESSON, ids=rule_name)
@pytest.mark.parametrize("path", lessons(), ids=name_of)
def test_every_lesson(path: Path, rule: Rule) -> None:
    complaints = list(rule(read(path)))
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("path", markdown_files(), ids=name_of)
def test_every_markdown_file(path: Path) -> None:
    page = as_page(path.read_text(encoding="utf-8"))
    assert dead_links(page, path) == []
    assert without_alt(page) == []


def test_lessons_are_numbered_without_a_gap() -> None:
    numbers = [path.name[:2] for path in lessons()]
    assert len(set(numbers)) == len(numbers), "two lessons have one number"
    assert numbers == [f"{number:02}" for number in range(len(numbers))]


def test_the_next_lesson_is_the_next_that_there_is(tmp_path: Path) -> None:
    (tmp_path / "02_two.ipynb").touch()
    (tmp_path / "03_three.ipynb").touch()
    lesson = Notebook(tmp_path / "00_zero.ipynb", specimens.lesson().text)
    assert list(form.closed(lesson)) == ["there is no link to the next lesson, 02_two.ipynb"]


# The rules themselves


@pytest.mark.parametrize("rule", [*EVERY_NOTEBOOK, *EVERY_LESSON], ids=rule_name)
def test_a_good_lesson_breaks_no_rule(rule: Rule) -> None:
    assert list(rule(specimens.lesson())) == []


BREACHES: list[tuple[Rule, Spoil, str]] = [
    (form.valid, put(PICTURE, outputs="none"), "not a valid notebook"),
    (form.valid, lambda node: node.cells[PICTURE].pop("id"), "'id' is a required property"),
    (form.valid, put(PICTURE, id="cell-0"), "the same id"),
    (form.bare_metadata, meta(kernelspec={"name": "my-env"}), "metadata must be"),
    (form.bare_metadata, meta(language_info={"name": "python", "version": "3"}), "must be"),
    (form.bare_metadata, put(PICTURE, metadata={"execution": {}}), "take it out"),
    (form.bare_metadata, tag(STUB, "excercise"), "has the tag"),
    (form.bare_metadata, tag(CHECK, "nbval-skip"), "has the tag"),
    (form.folded, put(QUESTION, metadata={}), "shows the answer of its question"),
    (
        form.folded,
        put(QUESTION, metadata={"jupyter": {"source_hidden": True}}),
        "shows the answer of its question",
    ),
    (form.folded, put(QUESTION, source="question = Predict('1?', [])"), "must begin with the line"),
    (form.folded, put(PICTURE, metadata=form.FOLDED), "asks no question"),
    (form.folded, put(TITLE, metadata={"jupyter": {"source_hidden": True}}), "asks no question"),
    (
        form.folded,
        both(say(QUESTION, "measured = 1"), say(REVEAL, "assert measured")),
        "uses ['measured'], computed in a folded cell",
    ),
    (
        form.unfolds,
        say(HINTS, "<details><summary>Answers</summary>\n\nOne.\n\n</details>"),
        "a blank line: <details><summary>Answers",
    ),
    (form.names_its_weights, say(STUB, "model = load_model(device='cpu')"), "name its weights"),
    (form.names_its_weights, say(STUB, "name = DEFAULT_MODEL"), "name the weights"),
    (form.run_in_order, put(PICTURE, execution_count=7), "not run from top"),
    (form.run_in_order, put(PICTURE, execution_count=None), "not run from top"),
    (form.run_in_order, printing(PICTURE, "100%", "stderr"), "a warning"),
    (
        form.run_in_order,
        put(PICTURE, outputs=[new_output("error", ename="E", evalue="", traceback=[])]),
        "ended with an error",
    ),
    (form.described, show(PICTURE, JPEG), "a bare picture"),
    (form.described, show(PICTURE, JPEG, metadata={JPEG: {"alt": "A one."}}), "a bare picture"),
    (form.described, show(PICTURE, "image/svg+xml", "<svg/>"), "a bare picture"),
    (form.described, show(PICTURE, "text/html", "<img alt=' ' src='data:'>"), "<img"),
    (form.described, show(PICTURE, "text/html", "<img src='data:'>"), "<img"),
    (form.described, show(PICTURE, "text/html", "<svg></svg>"), "<svg>"),
    (form.described, say(TITLE, "![](../figures/hero.jpg)"), "hero.jpg"),
    (form.described, say(TITLE, '<img src="../figures/hero.jpg">'), "hero.jpg"),
    (form.code_as_typed, say(TITLE, "<code>2 <em> x</em></code>"), "stars lost"),
    (form.linked, say(TITLE, "[gone](gone.ipynb)"), "gone.ipynb leads to no file"),
    (form.linked, say(TITLE, "![gone](gone.jpg)"), "gone.jpg leads to no file"),
    (form.linked, say(TITLE, "[up](../../elsewhere)"), "out of the repository"),
    (form.linked, say(TITLE, "[readme](../README.md#nowhere)"), "to no heading in README.md"),
    (form.linked, show(PICTURE, "text/html", "<a href='gone.md'>x</a>"), "gone.md leads to no"),
    (form.offline, put(STUB, source='url = "https://x"'), "address in its code"),
    (form.offline, put(STUB, source="import urllib.request"), "imports ['urllib']"),
    (form.offline, put(STUB, source="from subprocess import run"), "imports ['subprocess']"),
    (form.offline, say(TITLE, "[news](https://example.org)"), "write it as text"),
    (form.offline, say(TITLE, "![plot](https://arxiv.org/pdf/1.png)"), "write it as text"),
    (
        form.offline,
        show(PICTURE, "text/html", "<a href='https://arxiv.org/pdf/1'>a</a>"),
        "as text",
    ),
    (form.offline, show(PICTURE, "text/html", "<script src='//x'></script>"), "write it as text"),
    (form.plain_python, put(PICTURE, source="!ls"), "not plain Python"),
    (form.plain_python, put(PICTURE, source="%matplotlib inline"), "not plain Python"),
    (form.plain_python, put(PICTURE, source=""), "empty"),
    (form.plain_python, say(PICTURE, "# NBVAL_SKIP"), "steers nbval"),
    (form.small, say(TITLE, "long " * 200_000), "too many"),
    (form.short_cells, put(PICTURE, source="a = 1\n" * 31), "31 lines"),
    (form.short_cells, put(PICTURE, source="a = " + "1" * 97), "a line of 101"),
    (form.same_everywhere, meta(widgets={}), "state of widgets"),
    (form.same_everywhere, printing(PICTURE, "/home/me/photo.jpg"), "a folder of this machine"),
    (form.same_everywhere, printing(PICTURE, r"C:\Users\me"), "a folder of this machine"),
    (form.same_everywhere, show(PICTURE, "text/html", "<p>/tmp/x</p>"), "folder of this machine"),
    (form.same_everywhere, show(PICTURE, "text/plain", "<f at 0x7f00AA10>"), "address in memory"),
    (form.same_everywhere, show(PICTURE, "application/vnd.jupyter.widget-view+json"), "live"),
    (form.reader_commits, put(REVEAL, source="print(q.commit(q.answer))"), "use q.reveal()"),
    (form.compares_text, put(CHECK, outputs=[]), "prints nothing"),
    (form.compares_text, show(CHECK, "text/plain"), "more than printed text"),
    (form.opened, put(TITLE, source="# One"), "a title that asks"),
    (form.opened, put(TITLE, source="Is one a number?"), "a title that asks"),
    (form.opened, put(TITLE, source="# One?\n\nA laptop. You can explain."), "how many minutes"),
    (form.opened, put(TITLE, source="# One?\n\n5 minutes. You can explain."), "the hardware"),
    (form.opened, put(TITLE, source="# One?\n\n5 minutes, a laptop."), "can explain after it"),
    (form.seen_early, put(PICTURE, outputs=[]), "shows a picture"),
    (
        form.brief,
        lambda node: [cell.update(source="a = 1\n" * 9) for cell in node.cells],
        "the median is 9",
    ),
    (form.predicts, put(QUESTION, source="question = 1"), "there is no Predict"),
    (form.predicts, put(QUESTION, source='Predict("1?", ["yes", "no"])'), "without a name"),
    (form.predicts, put(REVEAL, source="answer = 1"), "calls question.reveal(…) after cell 2"),
    (
        form.predicts,  # the answer would stand below the question before the reader can choose
        both(say(QUESTION, "question.reveal()"), put(REVEAL, source="a = 1")),
        "calls question.reveal(…) after cell 2",
    ),
    (form.predicts, say(REVEAL, "slider = FrameSlider([1])"), "calls slider.show_frame(…)"),
    (form.predicts, say(REVEAL, "from liif_core.widgets import New"), "how code drives New"),
    (thinking.not_given_away, say(TITLE, "- why one is a whole"), "what the objective above it"),
    (thinking.not_given_away, say(PICTURE - 1, "## Whole numbers"), "what the heading above it"),
    (thinking.not_given_away, say(TITLE, "So it is whole."), "what the paragraph above it says"),
    (thinking.core_and_asides, put(TITLE, source="# One?\n\n5 minutes"), "the first cell needs"),
    (thinking.core_and_asides, put(ENDING, source="## None"), "do not go with 0 asides"),
    (thinking.core_and_asides, say(ENDING, "## Aside: two"), "“Aside: two” does not say"),
    (
        thinking.core_and_asides,
        put(TITLE, source="Core: 7 minutes; with all asides: 5 minutes."),
        "takes longer than the whole",
    ),
    (form.numbered, say(TITLE, "## 1. One\n\n## 3. Three"), "sections are numbered [1, 3]"),
    (form.numbered, say(TITLE, "### Exercise 2: more"), "exercises are numbered [2, 1]"),
    (thinking.exercises_think, put(ENDING, source="## Exercise 3 (implement it)"), "(critique)"),
    (form.exercised, lambda node: node.cells.pop(STUB), "there are 1 exercises"),
    (form.exercised, tag(CHECK), "the next code cell does not check it"),
    (form.exercised, tag(STUB), "the code cell before it is none"),
    (
        form.exercised,
        lambda node: node.cells.insert(CHECK, new_code_cell("answer = 2")),
        "the next code cell does not check it",
    ),
    (form.exercised, put(HINTS, source="<details><summary>Hint 1</summary></details>"), "Hint 2"),
    (form.exercised, put(HINTS, source="Hint 1\nHint 2\nHint 3"), "Hint 2"),
    (form.closed, put(ENDING, source="## Summary"), "In three lines"),
    (form.closed, put(ENDING, source="## What it does not show"), "Questionnaire"),
    (form.closed, put(ENDING, source="## Questionnaire"), "do not show"),
    (form.closed, put(ENDING, source="## Questionnaire"), "no link to the next lesson"),
    (form.tells_what_is_solved, lambda node: node.cells.pop(), 'is not progress("00")'),
    (form.tells_what_is_solved, put(SOLVED, source='progress("03")'), 'is not progress("00")'),
    (form.tells_what_is_solved, put(SOLVED, outputs=[]), "does not say “Lesson 00: 0 of 2"),
    (form.tells_what_is_solved, tag(SOLVED), "may be out of date"),
]


@pytest.mark.parametrize(
    ("rule", "spoil", "complaint"), BREACHES, ids=[f"{b[0].__name__}-{b[2]}" for b in BREACHES]
)
def test_a_rule_finds_its_breach(rule: Rule, spoil: Spoil, complaint: str) -> None:
    found = list(rule(specimens.lesson(spoil)))
    assert any(complaint in text for text in found), found


def test_every_rule_has_a_breach() -> None:
    assert {rule for rule, _, _ in BREACHES} == {*EVERY_NOTEBOOK, *EVERY_LESSON}


@pytest.mark.parametrize(
    "text",
    [
        "- what is a whole, and what a part",  # names both: gives nothing away
        "## Exercise 1: a whole number",
        "- what one is",
    ],
)
def test_what_names_every_choice_or_none_gives_nothing_away(text: str) -> None:
    assert list(thinking.not_given_away(specimens.lesson(say(TITLE, text)))) == []


def test_an_experiment_may_be_called_an_experiment() -> None:
    spoil = put(ENDING, source="### Your turn: try it (an experiment)")
    assert list(thinking.exercises_think(specimens.lesson(spoil))) == []


def test_endings_and_synonyms_give_away_too() -> None:
    assert thinking.gives_away("One code leaves seams", {"bord"}, [{"middl"}])
    assert thinking.gives_away("They are equal, every pixel.", {"sam"}, [{"say"}])
    assert not thinking.gives_away("The same in the middle", {"bord"}, [{"middl"}])


def test_numbers_count_where_the_choices_are_numbers() -> None:
    still = "<strong>How far?</strong><ol><li>×{}</li><li>×4</li></ol><details><strong>×{}</strong>"
    tells = thinking.told_by_choice(BeautifulSoup(still.format(18, 18), "html.parser"))
    assert tells == ({"18"}, [{"4"}])
    assert thinking.gives_away("It reaches 18 pixels.", *tells)
    assert not thinking.gives_away("18 or 4?", *tells)


def test_a_slider_may_be_driven_where_it_is_made() -> None:
    spoil = say(REVEAL, "slider = FrameSlider([1])\nslider.show_frame(0)")
    assert list(form.predicts(specimens.lesson(spoil))) == []


def test_a_page_made_of_a_lesson_describes_its_pictures_and_keeps_its_answers() -> None:
    """By nbconvert, as it comes: `jupyter nbconvert --to html` of anybody, anywhere."""
    html, _resources = HTMLExporter().from_notebook_node(specimens.lesson().node)
    page = BeautifulSoup(html, "html.parser")
    assert [image["alt"] for image in page.find_all("img")] == ["A one."]
    shown = page.get_text()
    assert "show(one)" in shown
    assert "1?" in shown
    assert "Predict(" not in shown


def test_embedded_pictures_are_not_searched_for_folders() -> None:
    spoil = show(PICTURE, "text/html", '<img alt="x" src="data:image/png;base64,AA/tmp/x0xabcdef">')
    assert list(form.same_everywhere(specimens.lesson(spoil))) == []


@pytest.mark.parametrize("link", ["[x](gone.md)", "![x](gone.jpg)", "[x](#gone)", "[x](../x)"])
def test_a_dead_link_in_a_markdown_file_is_found(link: str) -> None:
    assert len(dead_links(as_page(link), ROOT / "README.md")) == 1


@pytest.mark.parametrize(
    "link", ["[x](README.md)", "[x](#the-lessons)", "[x](https://arxiv.org)", "[x](notebooks/)"]
)
def test_a_good_link_in_a_markdown_file_is_left_alone(link: str) -> None:
    assert dead_links(as_page(link), ROOT / "README.md") == []


def test_a_link_to_a_heading_of_a_notebook() -> None:
    target = lessons()[0]
    pages = [page for cell in read(target).cells for page in cell.pages]
    heading = next(str(tag["id"]) for page in pages for tag in page("h2"))
    page = as_page(f"[x]({target.name}#{heading}) [y]({target.name}#{heading.lower()}-not)")
    (problem,) = dead_links(page, NOTEBOOKS / "README.md")
    assert "-not leads to no heading" in problem
