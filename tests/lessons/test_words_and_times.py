"""The glossary leads to lessons where its words stand; the guide gives the lessons' own times."""

import re
from pathlib import Path

import pytest
from reading import NOTEBOOKS, Notebook, lessons, name_of, read
from thinking import CORE, sections

ENTRY = re.compile(r"^\*\*(.+?)\.\*\* (.*?)(?:\((\d\d(?:[,;] \d\d)*)\))?$", re.S)
#: | [00 How does AI zoom?](00_how_does_ai_zoom.ipynb) | the idea | core | whole | … |
ROW = r"\| \[{number} [^|]*\| [^|]* \| (\d+) \| (\d+) \|"


def entries(glossary: str) -> list[tuple[list[str], list[str]]]:
    """Return the words of each entry, and the numbers of the lessons that it points to."""
    found = []
    for paragraph in glossary.split("\n\n"):
        if paragraph.startswith("**"):
            match = ENTRY.match(paragraph.strip())
            assert match, f"not “**Word.** What it means. (00)”: {paragraph[:60]}"
            terms = re.split(r", |\(|\)", match[1])
            found.append(([term.strip() for term in terms if term.strip()], numbers(match[3])))
    return found


def numbers(pointers: str | None) -> list[str]:
    return re.findall(r"\d\d", pointers or "")


def prose(notebook: Notebook) -> str:
    """Return what a reader reads of a lesson: its texts, and what its cells show, without code."""
    shown = [page.get_text(" ") for cell in notebook.cells for page in cell.pages]
    return " ".join(" ".join([*shown, *(cell.printed for cell in notebook.code)]).split())


def stands_in(terms: list[str], text: str) -> bool:
    """Return whether one of an entry's words stands in a text, with whatever ending."""
    stems = [re.sub(r"(ing|ion|s)$", "", term) for term in terms]
    return any(re.search(rf"\b{re.escape(stem)}", text, re.IGNORECASE) for stem in stems)


GLOSSARY = (NOTEBOOKS / "GLOSSARY.md").read_text(encoding="utf-8")
POINTERS = [(terms, number) for terms, found in entries(GLOSSARY) for number in found]


@pytest.mark.parametrize(("terms", "number"), POINTERS, ids=lambda value: str(value))
def test_a_word_stands_in_the_lesson_that_the_glossary_names(terms: list[str], number: str) -> None:
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    assert stands_in(terms, prose(read(path))), f"lesson {number} never says {' or '.join(terms)}"


def test_every_word_of_the_glossary_leads_to_a_lesson_or_to_another_word() -> None:
    for terms, found in entries(GLOSSARY):
        assert found or "See *" in GLOSSARY.split(f"**{terms[0]}")[1][:40], terms


def test_the_glossary_is_in_the_order_of_the_alphabet() -> None:
    words = [" ".join(terms).casefold() for terms, _ in entries(GLOSSARY)]
    assert words == sorted(words)


def test_what_the_glossary_is_read_by() -> None:
    text = "# Words\n\n**SSIM, ssim (so).** Likeness.\nMore. (05; 07)\n\n**Pixel.** See it."
    assert entries(text) == [(["SSIM", "ssim", "so"], ["05", "07"]), (["Pixel"], [])]
    assert stands_in(["Latent code"], "its latent codes, all")
    assert not stands_in(["Sampling"], "resampling")


@pytest.mark.parametrize("path", lessons(), ids=name_of)
def test_the_guide_gives_a_lessons_own_times(path: Path) -> None:
    guide = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
    row = re.search(ROW.format(number=path.name[:2]), guide)
    assert row, f"the guide's table has no core and whole minutes for {path.name}"
    times = CORE.search(" ".join(read(path).cells[0].source.split()))
    assert times, f"{path.name} gives no times"
    assert row.groups() == times.groups(), "the guide and the lesson give other minutes"


#: | 03 | One section 6 · (Aside: another 10) · … |
SECTIONS = re.compile(r"^\| (\d\d) \| (.* \d+\)?) \|$", re.M)
#: What the guide's table calls "the end".
END = {"In three lines", "Questionnaire", "What the pictures do not show", "Further reading"}


def minutes(row: str) -> dict[str, int]:
    """Return the minutes of each section that a row of the guide names."""
    parts = [part.strip("()").rpartition(" ") for part in row.split(" · ")]
    return {name: int(number) for name, _, number in parts}


GUIDE = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
PLANS = dict(SECTIONS.findall(GUIDE))


def test_the_guide_has_a_plan_for_each_lesson() -> None:
    assert len(PLANS) >= 11
    assert minutes("the opening 2 · (Aside: on 3 × 4 10) · the end 3") == {
        "the opening": 2,
        "Aside: on 3 × 4": 10,
        "the end": 3,
    }


@pytest.mark.parametrize("number", PLANS)
def test_the_minutes_of_sections_add_up_to_the_lessons(number: str) -> None:
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    planned = minutes(PLANS[number])
    found = CORE.search(" ".join(read(path).cells[0].source.split()))
    assert found
    core = sum(time for name, time in planned.items() if not name.startswith("Aside"))
    assert (str(core), str(sum(planned.values()))) == found.groups()
    headings = [re.sub(r"^\d+\. ", "", heading.strip()) for heading, _ in sections(read(path))]
    missing = set(planned) - set(headings) - {"the opening", "the end"}
    assert not missing, "the guide names sections that the lesson has not"
    assert END & set(headings)
