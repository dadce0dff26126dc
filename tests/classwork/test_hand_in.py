"""What a pupil hands in, and what a teacher sees of it; nothing of it is run."""

import csv
import json
from pathlib import Path

import pytest
from classwork.conftest import rewrite

from liif_core.__main__ import main
from liif_core.classwork.asked import lesson_files, read_lesson
from liif_core.classwork.hand_in import KIND, MOST_BYTES, _checksum, file_for, read_hand_in
from liif_core.exercises import check, lesson_00
from liif_core.exercises.recheck import checked_again

SOLVED = {"name": "stdout", "output_type": "stream", "text": ["✓ Solved.\n"]}
CLAIMS = {1: True, 2: False, 3: False, 4: False, 5: True}


@pytest.fixture
def solved(mine) -> Path:
    """A copy in which two exercises of lesson 00 are solved, and one of them is saved."""
    check(lesson_00.button, 0.95)
    check(lesson_00.advertisement, CLAIMS)
    save(mine, "00.button", "y = 0.95  # Zoë's guess")
    (mine / "notebooks/my_liif/my_liif.py").write_text("# mine\n", encoding="utf-8")
    return mine


def save(copy: Path, name: str, answer: str) -> None:
    """Save an answer in its lesson, and below it what its checker said."""
    file = next(file for file in lesson_files(copy) if file.name[:2] == name[:2])
    (cell,) = [each.cell for each in read_lesson(file).exercises if each.name == name]
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    place = [each["id"] for each in cells].index(cell)
    below = next(each["id"] for each in cells[place + 1 :] if each["cell_type"] == "code")
    rewrite(copy, name[:2], {cell: {"source": answer}, below: {"outputs": [SOLVED]}})


def hand_in(capsys, name: str, *more: object) -> str:
    assert main(["progress", "--hand-in", name, *map(str, more)]) == 0
    return capsys.readouterr().out


def checked(capsys, *arguments: object, status: int = 0) -> str:
    capsys.readouterr()
    assert main(["progress", "--check", *map(str, arguments)]) == status
    return capsys.readouterr().out


def changed(file: Path, change) -> None:
    """Change a file's content and give it the right checksum, as one can."""
    content = json.loads(file.read_text(encoding="utf-8"))
    content.pop("checksum")
    change(content)
    text = json.dumps({**content, "checksum": _checksum(content)})
    file.write_text(text, encoding="utf-8")


def test_a_pupil_hands_in_what_is_solved_with_the_answers(solved, capsys):
    said = hand_in(capsys, "Zoë  K.")
    assert "Zoe_K.hand-in.json: written, 2 exercises solved" in said
    assert "do not show all of it: 00" in said, "one answer was not saved"
    found = read_hand_in(Path("Zoe_K.hand-in.json"))
    assert (found.name, found.whole, found.my_liif) == ("Zoë K.", True, "# mine\n")
    assert [lesson["lesson"] for lesson in found.lessons][:2] == ["00", "01"]
    button, questions, advertisement = found.lessons[0]["exercises"]
    assert (button["solved"], button["answer"]) == (True, "y = 0.95  # Zoë's guess")
    assert button["checked"] == "lesson_00.button, y"
    assert button["at"].endswith("+00:00")
    assert (questions["solved"], questions["answer"]) == (False, ""), "a stub is no answer"
    assert (advertisement["solved"], advertisement["said"][:9]) == (True, "✗ Not yet")
    assert str(solved) not in Path("Zoe_K.hand-in.json").read_text(encoding="utf-8")


def test_a_teacher_sees_a_table_of_the_class(solved, capsys, tmp_path):
    for name in ("Ada", "Zoë", "=1+2"):
        hand_in(capsys, name, "-o", tmp_path / f"{file_for(name).name}")
    said = checked(capsys, tmp_path, "--csv", tmp_path / "class.csv")
    head, *lines = said.splitlines()
    assert head.split()[:4] == ["name", "00", "01", "02"]
    assert [line.split()[:3] for line in lines[:3]] == [
        ["=1+2", "2/3", "0/4"],
        ["Ada", "2/3", "0/4"],
        ["Zoë", "2/3", "0/4"],
    ]
    assert "Ada.hand-in.json: solved, and the lesson as it was saved does not show it" in said
    with open(tmp_path / "class.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["00"], row["solved"]) for row in rows] == [
        ("'=1+2", "2", "2"),
        ("Ada", "2", "2"),
        ("Zoë", "2", "2"),
    ]
    assert "00.advertisement" in rows[1]["remarks"]


def test_a_file_changed_by_chance_is_found_and_what_a_checksum_cannot_tell_is_checked_again(
    solved, capsys
):
    hand_in(capsys, "Ada", "-o", "ada.json")
    file = Path("ada.json")
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"solved": false', '"solved": true', 1), encoding="utf-8")
    assert "its checksum is wrong" in checked(capsys, file)
    file.write_text(text, encoding="utf-8")
    assert "checksum" not in checked(capsys, file)

    def claim(content):
        content["lessons"][0]["exercises"][0]["answer"] = "y = 0.1"

    changed(file, claim)
    said = checked(capsys, file)
    assert "checksum" not in said, "whoever edits a file can mend its checksum"
    assert "said to be solved, and checked again it is not: 00.button" in said


def test_nothing_handed_in_is_run(solved, capsys, tmp_path):
    hand_in(capsys, "Ada", "-o", "ada.json")
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')"

    def claim(content):
        for exercise in content["lessons"][0]["exercises"]:
            exercise |= {
                "solved": True,
                "answer": f"y = {trap}\ndef questions(*a):\n    {trap}\n{trap}",
            }
        content["lessons"][0]["exercises"][2]["checked"] = f"lesson_00.__import__, {trap}"

    changed(Path("ada.json"), claim)
    checked(capsys, "ada.json")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("checker", "answer", "verdict"),
    [
        ("lesson_00.button, y", "y = 0.95", True),
        ("lesson_00.button, y", "y = 0.0\nfigures.show(y)\ny = 0.95", True),
        ("lesson_00.button, y", "y = 0.95\ny = 0.1", False),
        ("lesson_00.button, y", "y = -0.95", False),
        ("lesson_00.button, y", "y = 'below'", False),
        ("lesson_00.button, y", "for y in (1, 0.95): pass\ny = 0.95", None),
        ("lesson_00.button, y", "y = float('0.95')", None),
        ("lesson_00.button, y", "y = 10.0 ** 400", None),
        ("lesson_00.button, y", "y = 1 / 0", None),
        ("lesson_00.button, y", "y = " + "(" * 9000 + "1" + ")" * 9000, None),
        ("lesson_00.button, y", "y = " + "-" * 9000 + "1", None),
        ("lesson_00.button, y", "y = \0", None),
        ("lesson_00.button, y", "y =", None),
        ("lesson_00.button, y", "", None),
        ("lesson_00.button, y", "# " + "x" * 30_000 + "\ny = 0.95", None),
        ("lesson_00.advertisement, holds", f"holds = {CLAIMS}", True),
        ("lesson_00.questions, questions", "def questions(*a): return 1", None),
        ("lesson_05.screen_magnification, m", "m = 1920 / 40", True),
        ("lesson_10.lucky, chance", "chance = 1 - (1 - 1 / 10) ** 27", True),
        ("lesson_00.BUTTON, y", "y = 1", None),
        ("lesson_00.number, y", "y = 1", None),
        ("lesson_77.button, y", "y = 1", None),
        ("os.system, y", "y = 'true'", None),
        ("lesson_00.button", "y = 1", None),
    ],
)
def test_a_value_is_read_and_checked_again_a_function_is_left_alone(checker, answer, verdict):
    assert checked_again({"checked": checker, "answer": answer}) is verdict


def test_checking_again_notes_nothing_as_the_teachers_own(mine):
    assert checked_again({"checked": "lesson_00.button, y", "answer": "y = 0.95"})
    assert not (mine / ".liif-progress").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"[" * 100_000,
        json.dumps({"kind": KIND, "format": 1}).encode(),
        json.dumps({"kind": KIND, "format": 2, "checksum": ""}).encode(),
        json.dumps({"kind": "another", "format": 1}).encode(),
        b" " * (MOST_BYTES + 1),
    ],
    ids=["empty", "bytes", "list", "bare", "deep", "kind", "later", "another", "long"],
)
def test_what_is_no_hand_in_is_said_in_a_line_and_the_others_are_shown(
    solved, capsys, content, tmp_path
):
    hand_in(capsys, "Ada", "-o", tmp_path / "ada.json")
    (tmp_path / "other.json").write_bytes(content)
    capsys.readouterr()
    assert main(["progress", "--check", *map(str, sorted(tmp_path.glob("*.json")))]) == 1
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "other.json is no file that `liif progress --hand-in` wrote" in printed.err
    assert "Ada   " in printed.out
    assert main(["progress", "--check", str(tmp_path / "other.json")]) == 2


def test_other_kinds_in_a_file_s_fields_are_refused(solved, capsys, tmp_path):
    file = tmp_path / "ada.json"
    for place, value in (("name", 3), ("lessons", {"a": 1}), ("my_liif", None), ("name", "")):
        hand_in(capsys, "Ada", "-o", file)
        changed(file, lambda content, place=place, value=value: content.update({place: value}))
        assert main(["progress", "--check", str(file)]) == 2
        assert "is no file that" in capsys.readouterr().err


def test_two_files_of_one_name_and_another_version_are_pointed_out(solved, capsys, tmp_path):
    for name in ("one", "two"):
        hand_in(capsys, "Ada", "-o", tmp_path / f"{name}.hand-in.json")
    changed(tmp_path / "two.hand-in.json", lambda content: content.update(course="0.0.1"))
    said = checked(capsys, tmp_path)
    assert "one.hand-in.json: there is more than one file of Ada" in said
    assert "two.hand-in.json: made with version 0.0.1 of the course" in said


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--hand-in", " "], "a name is wanted"),
        (["--hand-in", "n" * 81], "a name is wanted"),
        (["--hand-in", "Ada", "-o", "nowhere/ada.json"], "nowhere/ada.json"),
        (["--hand-in", "Ada", "--csv", "a.csv"], "--csv is of a class"),
        (["--hand-in", "Ada", "--check"], "--check reads files"),
        (["-o", "a.json"], "-o is the file to hand in"),
        (["--check"], "no file to check"),
        (["--check", "nowhere.json"], "nowhere.json cannot be read"),
        (["a", "b"], "name one folder"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(solved, capsys, arguments, line):
    capsys.readouterr()
    assert main(["progress", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"liif: {line}")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "file"),
    [("Zoë K.", "Zoe_K"), ("../../etc", "etc"), ("李", "pupil"), ("a" * 80, "a" * 80)],
)
def test_a_file_is_called_as_its_pupil_on_any_disk(name, file):
    assert str(file_for(name)) == f"{file}.hand-in.json"


def test_a_broken_notebook_does_not_keep_the_rest_from_being_handed_in(solved, capsys):
    save(solved, "00.advertisement", "half a letter: \ud83d")
    lesson_files(solved)[1].write_text("{", encoding="utf-8")
    said = hand_in(capsys, "Ada")
    assert "liif course reset 01 gives it afresh" in said
    found = read_hand_in(Path("Ada.hand-in.json"))
    assert found.whole
    assert found.lessons[0]["exercises"][2]["answer"] == "half a letter: ?"
