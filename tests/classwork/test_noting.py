"""What a pupil solves and predicts is noted in their copy, and there alone; no lesson breaks."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from classwork.conftest import rewrite
from lessons.reading import ROOT, checker_of, lessons, read

from liif_core.__main__ import main
from liif_core.classwork import records
from liif_core.classwork.asked import lesson_files, read_lesson
from liif_core.exercises import check, lesson_00, progress
from liif_core.widgets import Predict


def notes(copy: Path) -> list[str]:
    return sorted(path.name for path in (copy / records.FOLDER).glob("*"))


def told(capsys, *arguments: object) -> str:
    assert main(["progress", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def line_of(text: str, lesson: str) -> list[str]:
    """Return what a table says of a lesson: exercises, predictions."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"{lesson} ")]
    words = line.split()
    return [" ".join(words[-6:-3]), " ".join(words[-3:])]


def first_question() -> Predict:
    (file, *_) = lesson_files(ROOT)
    question = read_lesson(file).questions[0]
    return Predict(question, ["no", "yes", "perhaps"], answer=2, explain="Measured.")


def choose(question: Predict, choice: int) -> None:
    """Commit to a choice as the browser does."""
    question._handle_custom_msg({"type": "commit", "choice": choice}, [])


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.name[:2])
def test_a_lesson_asks_what_its_notebook_holds(path):
    lesson, notebook = read_lesson(path), read(path)
    stubs = [cell for cell in notebook.code if "exercise" in cell.tags]
    checks = [cell for cell in notebook.code if "check" in cell.tags]
    assert [e.answer for e in lesson.exercises] == [cell.source for cell in stubs]
    assert [f"lesson_{e.name}" for e in lesson.exercises] == [
        checker_of(notebook, cell) for cell in checks
    ]
    assert all(e.said.startswith("✗ Not yet") for e in lesson.exercises)
    assert all(e.title.startswith(("Exercise", "Your turn")) for e in lesson.exercises)
    assert len(lesson.questions) == sum("Predict(" in cell.source for cell in notebook.code)


def test_what_is_solved_and_predicted_outlives_the_kernel(mine, capsys, monkeypatch):
    check(lesson_00.button, 0.1)
    choose(first_question(), 1)
    choose(first_question(), 2)
    assert line_of(told(capsys), "00") == ["0 of 3", "1 of 2"]
    check(lesson_00.button, 0.95)
    monkeypatch.setattr(records, "memory", records.Memory())  # another kernel
    assert line_of(told(capsys), "00") == ["1 of 3", "1 of 2"]
    assert line_of(told(capsys), "01") == ["0 of 4", "0 of 5"]
    note = records.noted(mine, first_question().question)
    assert (note["choice"], note["right"]) == ("yes", False), "the first bet is the one that counts"
    assert notes(mine)[0] == "00.button.json"
    assert set(json.loads((mine / records.FOLDER / "00.button.json").read_text())) == {"name", "at"}


def test_a_question_is_known_whatever_numbers_were_measured_for_it(mine):
    measured = [
        Predict(f"After {n} steps: which?", ["a", "b"], answer=0, explain="So.") for n in (1, 250)
    ]
    choose(measured[0], 1)
    assert records.noted(mine, measured[1].question)["choice"] == "b"
    questions = [
        records._called(q) for file in lesson_files(ROOT) for q in read_lesson(file).questions
    ]
    assert len(set(questions)) == len(questions), "and still no two are called alike"


def test_the_closing_cell_says_what_is_solved_and_what_is_open(mine, capsys):
    progress("00")
    assert capsys.readouterr().out.splitlines() == [
        "Lesson 00: 0 of 3 exercises solved, 0 of 2 predictions made",
        "○ open:   Your turn: change one number",
        "○ open:   Your turn: how many questions?",
        "○ open:   Your turn: an advertisement (critique)",
    ]
    check(
        lesson_00.questions,
        lambda height, width, times: round(height * times) * round(width * times),
    )
    choose(first_question(), 0)
    capsys.readouterr()
    progress("00")
    said = capsys.readouterr().out
    assert "1 of 3 exercises solved, 1 of 2 predictions made" in said
    assert "✓ solved: Your turn: how many questions?" in said
    assert "copy" not in said


def test_a_terminal_anywhere_in_the_copy_or_above_it_finds_it(mine, capsys, monkeypatch):
    check(lesson_00.button, 0.95)
    (mine.parent / "my_course").symlink_to(mine, target_is_directory=True)
    for place in (mine, mine / "notebooks/solutions", mine.parent):
        monkeypatch.chdir(place)
        assert line_of(told(capsys), "00")[0] == "1 of 3"
    monkeypatch.chdir(ROOT)
    assert line_of(told(capsys, mine), "00")[0] == "1 of 3"
    assert "open in 00:\n  Your turn: how many questions?" in told(capsys, mine)


def test_a_folder_without_a_course_is_said_in_a_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for arguments in ([], [str(tmp_path)], ["nowhere"], ["n" * 300]):
        assert main(["progress", *arguments]) == 2
        error = capsys.readouterr().err
        assert "is no copy of the course; name one" in error
        assert error.count("\n") == 1


def test_a_saved_lesson_that_says_solved_counts_as_well(mine, capsys):
    """Of a copy from before things were noted, or a lesson worked on in the course itself."""
    output = {"name": "stdout", "output_type": "stream", "text": ["✓ Solved.\n"]}
    (exercise, *_) = read_lesson(lesson_files(mine)[0]).exercises
    cells = json.loads(lesson_files(mine)[0].read_text(encoding="utf-8"))["cells"]
    (check_cell,) = [cell["id"] for cell in cells if "exercise.button" in "".join(cell["source"])]
    rewrite(mine, "00", {check_cell: {"outputs": [output]}, exercise.cell: {"source": "y = 0.95"}})
    assert line_of(told(capsys, mine), "00")[0] == "1 of 3"
    assert notes(mine) == []


def test_nothing_is_noted_in_the_course_or_for_its_solutions(mine, capsys, monkeypatch):
    before = sorted(ROOT.iterdir()), sorted((ROOT / "notebooks").iterdir())
    for place in (ROOT, ROOT / "notebooks", ROOT / "notebooks/solutions"):
        monkeypatch.chdir(place)
        check(lesson_00.button, 0.95)
        choose(first_question(), 2)
    assert (sorted(ROOT.iterdir()), sorted((ROOT / "notebooks").iterdir())) == before
    for place in (mine / "notebooks/solutions", mine / "project"):
        monkeypatch.chdir(place)
        check(lesson_00.button, 0.95)
    assert notes(mine) == []


def test_elsewhere_a_kernel_remembers_and_says_what_keeps_it(mine, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    check(lesson_00.button, 0.95)
    progress("00")
    said = capsys.readouterr().out
    assert "1 of 3 exercises solved" in said
    assert "kept in a copy of the course alone: liif course DIR makes one" in said


def test_what_is_no_checker_of_a_lesson_is_not_noted(mine):
    def mine_alone(answer):
        pass

    check(mine_alone, 1)
    assert notes(mine) == []


@pytest.mark.parametrize(
    "content", [b"", b"[", b"[]", b'{"name": "00.button"}', b"\xff", b"[" * 9999]
)
def test_a_damaged_note_costs_one_exercise_until_it_is_checked_again(mine, capsys, content):
    check(lesson_00.button, 0.95)
    check(lesson_00.advertisement, {1: True, 2: False, 3: False, 4: False, 5: True})
    (mine / records.FOLDER / "00.button.json").write_bytes(content)
    assert line_of(told(capsys), "00")[0] == "1 of 3"
    check(lesson_00.button, 0.95)
    assert line_of(told(capsys), "00")[0] == "2 of 3"


def test_a_note_under_another_name_is_not_taken_for_it(mine, capsys):
    check(lesson_00.button, 0.95)
    notes_folder = mine / records.FOLDER
    shutil.copy(notes_folder / "00.button.json", notes_folder / "00.questions.json")
    assert line_of(told(capsys), "00")[0] == "1 of 3"


def test_a_copy_that_is_moved_keeps_its_progress(mine, capsys, monkeypatch):
    check(lesson_00.button, 0.95)
    monkeypatch.chdir(mine.parent)
    mine.rename(mine.parent / "moved")
    assert line_of(told(capsys, "moved"), "00")[0] == "1 of 3"


def test_where_nothing_can_be_written_a_lesson_goes_on_and_says_so_once(mine, capsys):
    """A file in the folder's place stands for a disk that is full, or may not be written to."""
    (mine / records.FOLDER).write_text("in the way")
    check(lesson_00.button, 0.95)
    choose(first_question(), 2)
    assert capsys.readouterr().out == "✓ Solved.\n"
    progress("00")
    said = capsys.readouterr().out
    assert "1 of 3 exercises solved, 1 of 2 predictions made" in said
    assert said.count("Nothing can be written here") == 1


def test_a_kernel_whose_folder_is_gone_goes_on(mine, capsys, monkeypatch):
    gone = mine / "notebooks/gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    try:
        gone.rmdir()
    except OSError:
        pytest.skip("this system keeps a folder that a process is in")
    check(lesson_00.button, 0.95)
    progress("00")
    assert "1 of 3 exercises solved" in capsys.readouterr().out


TWO_KERNELS = """
import sys
from liif_core.classwork import records

def checker(name):
    function = lambda answer: None
    function.__module__, function.__name__ = "liif_core.exercises.lesson_00", name
    return function

sys.stdin.readline()  # both begin at once
for number in range(100):
    records.memory.notes.clear()
    for name in ("button", "questions"):
        records.note_solved(checker(name))
        file = records.copy_here() / records.FOLDER / f"00.{name}.json"
        file.unlink(missing_ok=True)
records.memory.notes.clear()
records.note_solved(checker(sys.argv[1]))
"""


def test_two_kernels_write_at_once(mine, capsys):
    kernels = [
        subprocess.Popen(
            [sys.executable, "-c", TWO_KERNELS, name],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
        for name in ("advertisement", "button")
    ]
    for kernel in kernels:
        kernel.stdin.write("\n")
        kernel.stdin.flush()
    for kernel in kernels:
        _, errors = kernel.communicate(timeout=120)
        assert (kernel.returncode, errors) == (0, "")
    assert "00.advertisement.json" in notes(mine)
    assert set(notes(mine)) <= {"00.advertisement.json", "00.button.json"}, "no part is left behind"
    assert records.noted(mine, "00.advertisement")


def test_a_lesson_afresh_begins_afresh_and_the_old_one_counts_again_once_it_is_run(
    mine, capsys, monkeypatch
):
    check(lesson_00.button, 0.95)
    choose(first_question(), 2)
    (mine / records.FOLDER / "01.alias.json").write_text('{"name": "01.alias", "at": "2026"}')
    capsys.readouterr()
    assert main(["course", "reset", "00"]) == 0
    assert "Its exercises count as open again" in capsys.readouterr().out
    assert main(["course", "reset", "tensors_on_one_page"]) == 0
    assert "exercises" not in capsys.readouterr().out
    assert line_of(told(capsys), "00") == ["0 of 3", "0 of 2"]
    assert line_of(told(capsys), "01")[0] == "1 of 4", "others stay"
    progress("00")
    assert "0 of 3 exercises solved" in capsys.readouterr().out, "in the kernel that saw it, too"
    check(lesson_00.button, 0.95)  # in 00_..._old_1.ipynb, beside it
    assert line_of(told(capsys), "00")[0] == "1 of 3"


def test_a_broken_lesson_is_said_and_what_is_noted_stays(mine, capsys):
    check(lesson_00.button, 0.95)
    lesson_files(mine)[0].write_text("{", encoding="utf-8")
    lesson_files(mine)[1].unlink()
    said = told(capsys)
    assert line_of(said, "00")[0] == "1 of 3"
    assert "00_how_does_ai_zoom.ipynb is no whole notebook; liif course reset 00 gives it" in said
    assert "01_pixel_grids_and_continuous_functions.ipynb cannot be read" in said


def test_the_course_itself_is_told_by_its_saved_lessons(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("liif_core.cli.classwork.MINE", "no_such_copy")
    monkeypatch.setattr(records, "memory", records.Memory({"00.button": {"at": "2026"}}))
    assert line_of(told(capsys), "00") == ["0 of 3", "0 of 2"]
