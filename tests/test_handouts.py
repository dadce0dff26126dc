"""The sheets hold what the notebooks hold, word for word, and no more than paper can."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

bs4 = pytest.importorskip("bs4", reason="the sheets are made with beautifulsoup4: pip install it")
pytest.importorskip("nbconvert", reason="the sheets are made with nbconvert: pip install it")

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
#: What only a screen has.
SCREEN = re.compile(
    r"\b(click|run the|cell below|scroll|slider|notebook|press shift|kernel)\b", re.I
)


def imported(name: str) -> Any:
    """Return a module of website/."""
    sys.path.insert(0, str(ROOT / "website"))
    try:
        return __import__(name)
    finally:
        sys.path.remove(str(ROOT / "website"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paper") / "handouts"
    imported("handouts").Handouts(folder).build()
    return folder


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem[:2])
def lesson(request: pytest.FixtureRequest) -> Path:
    return request.param


def page(path: Path) -> Any:
    return bs4.BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def outputs(lesson: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the cells' ids and what they show, as the file has it."""
    for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            yield cell["id"], output.get("data", {})


def words(text: str) -> str:
    return " ".join(text.split())


def stills(lesson: Path) -> list[Any]:
    """Return the questions of a lesson as its pages without Python show them."""
    found = []
    for _, data in outputs(lesson):
        if data.get("application/vnd.liif.living+json", {}).get("kind") == "predict":
            found.append(bs4.BeautifulSoup("".join(data["text/html"]), "html.parser"))
    return found


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_a_sheet_is_two_pages_that_need_no_screen(built, lesson, paper):
    sheet = page(built / paper / f"{lesson.stem}.html")
    assert len(sheet.select("section.page")) == 2
    assert not sheet.find(["script", "pre", "code", "button", "a", "iframe"])
    assert SCREEN.findall(sheet.get_text(" ")) == []
    assert "http" not in str(sheet)
    for picture in sheet.find_all("img"):
        assert len(picture["alt"]) > 20
        assert (built / paper / picture["src"]).resolve().is_file()
    for drawing in sheet.find_all("svg"):
        assert len(drawing["aria-label"]) > 20
    assert len(sheet.find_all(class_="bet")) >= 1
    assert len(sheet.find_all("img")) >= 2


def test_a_bet_is_the_lessons_own(built, lesson):
    """Question and choices stand on paper as the widget's still has them."""
    asked = {
        words(still.find("p").get_text()): [words(one.get_text()) for one in still("li")]
        for still in stills(lesson)
    }
    for bet in page(built / "a4" / f"{lesson.stem}.html").select(".bet"):
        question = words(bet.find("strong").get_text())
        choices = [words(one.get_text()).split(" ", 1)[1] for one in bet("li")]
        assert asked[question] == choices


def test_the_teacher_has_every_answer_with_its_reason(built, lesson):
    answers = page(built / "a4/answers.html")
    text = words(answers.get_text(" "))
    right = {words(one.find("p").get_text()): one for one in answers.select(".bet-answer")}
    for number, still in enumerate(stills(lesson), start=1):
        question, choice, explain, *_ = (words(one.get_text()) for one in still("p"))
        one = right[f"Bet {number}. {question}"]
        letter, told = one.find("strong").get_text().split(" ", 1)
        assert f"✓ {told}" == choice
        assert words(still("li")["ABCDE".index(letter)].get_text()) == told
        # the still has line breaks where words meet
        assert explain.replace(" ", "") in one.get_text().replace(" ", "").replace("\n", "")
        for wrong in still("p")[3:]:
            reason = words(wrong.get_text()).removeprefix(f"✗ {words(wrong.em.get_text())}: ")
            assert reason.replace(" ", "") in text.replace(" ", "")


def test_the_teacher_has_the_questionnaire(built, lesson):
    material = imported("material").Material(lesson)
    source = next(
        "".join(cell["source"])
        for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"]
        if "## Questionnaire" in "".join(cell["source"])
    )
    told = words(page(built / "a4/answers.html").get_text(" "))
    assert len(material.questionnaire) >= 5
    for one in material.questionnaire:
        question = bs4.BeautifulSoup(one.question, "html.parser").get_text()
        assert f"{one.number}. " in source
        assert words(question) in told
        assert words(bs4.BeautifulSoup(one.answer, "html.parser").get_text(" ")) in told


def test_no_answer_stands_beside_its_question(built, lesson):
    sheet = words(page(built / "a4" / f"{lesson.stem}.html").get_text(" "))
    for one in imported("material").Material(lesson).questionnaire:
        answer = words(bs4.BeautifulSoup(one.answer, "html.parser").get_text(" "))
        assert len(answer) < 12 or answer not in sheet
    for still in stills(lesson):
        assert words(still("p")[2].get_text()) not in sheet


def test_what_a_sheet_quotes_stands_in_the_lesson(built, lesson):
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    told = words(" ".join("".join(cell["source"]) for cell in cells).replace("**", ""))
    for quoted in re.findall("“(.*?)”", page(built / "a4" / f"{lesson.stem}.html").get_text(" ")):
        assert words(quoted) in told


@pytest.mark.parametrize("method", ["picture", "bet", "listed", "table", "cell"])
def test_what_is_not_in_a_lesson_stops_the_build(method):
    material = imported("material").Material(LESSONS[0])
    with pytest.raises(LookupError, match="00_how_does_ai_zoom"):
        getattr(material, method)("nosuch")
    with pytest.raises(LookupError, match="shows no picture"):
        material.picture("26bc5457")
    with pytest.raises(LookupError, match="no question 99"):
        material.recall(99)


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(SystemExit, match="other things"):
        imported("handouts").Handouts(tmp_path).build()
    assert (tmp_path / "diary.txt").read_text() == "mine"
