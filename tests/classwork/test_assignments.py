"""The lessons as nbgrader takes them: it gives a solved copy all points, and a stub none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lessons.reading import ROOT

import liif_core.classwork.assignments as assignments
from liif_core.__main__ import main
from liif_core.classwork.asked import lesson_files, read_lesson
from liif_core.classwork.needed import with_what_it_needs
from liif_core.exercises import graded, lesson_00

DRIVER = Path(__file__).with_name("nbgrader_driver.py")
#: A Python that has nbgrader besides what the lessons need: it has one of its own, because its
#: extensions would show in every JupyterLab that is started from .venv.
NBGRADER = Path(os.environ.get("NBGRADER_PYTHON", ROOT / "build/nbgrader/bin/python"))


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("assignments") / "course"
    assert main(["course", "nbgrader", str(folder)]) == 0
    return folder


def cells_of(folder: Path, number: str) -> list[dict]:
    (file,) = folder.glob(f"source/lesson_{number}/*.ipynb")
    return json.loads(file.read_text(encoding="utf-8"))["cells"]


@pytest.mark.parametrize("lesson", lesson_files(ROOT), ids=lambda path: path.name[:2])
def test_each_exercise_is_an_answer_and_a_locked_test_of_a_point(written, lesson):
    cells = cells_of(written, lesson.name[:2])
    marked = [cell for cell in cells if "nbgrader" in cell["metadata"]]
    exercises = read_lesson(lesson).exercises
    solutions = read_lesson(lesson.parent / "solutions" / lesson.name).exercises
    assert len(marked) == 2 * len(exercises)
    ids = [cell["metadata"]["nbgrader"]["grade_id"] for cell in marked]
    assert len(set(ids)) == len(ids)
    for answer, test, asked, solution in zip(
        marked[::2], marked[1::2], exercises, solutions, strict=True
    ):
        notes = answer["metadata"]["nbgrader"]
        assert (notes["solution"], notes["grade"], notes["locked"]) == (True, False, False)
        stub, _, rest = answer["source"].partition("\n\n### BEGIN SOLUTION\n")
        assert stub == asked.answer
        assert rest.endswith(f"{solution.answer}\n### END SOLUTION")
        notes = test["metadata"]["nbgrader"]
        assert (notes["solution"], notes["grade"], notes["locked"]) == (False, True, True)
        assert notes["points"] == 1
        assert test["source"].splitlines()[-1] == f"graded(checkers_of_{asked.checked})"


@pytest.mark.parametrize("lesson", lesson_files(ROOT), ids=lambda path: path.name[:2])
def test_solutions_know_all_names_in_the_lesson_that_they_are_put_into(written, lesson):
    code = [c["source"] for c in cells_of(written, lesson.name[:2]) if c["cell_type"] == "code"]
    text = "\n\n".join(source if isinstance(source, str) else "".join(source) for source in code)
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select=F821", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_solution_brings_the_import_or_the_cell_that_it_was_written_with():
    written_in = [
        "import math\nimport torch.nn.functional as F\nfrom a import b, c",
        "x = b(3)\nx.sort()",
        "def mine(n):\n    y = n\n    return [x for z in (n, y)]",
    ]
    solution = "def answer(n):\n    k = n\n    return mine(k) + math.pi + known(len(n))"
    found = with_what_it_needs(solution, written_in, ["known = 1\ndef other():\n    mine = 2"])
    assert found.split("\n\n") == [
        *("from a import b, c", "x = b(3)\nx.sort()", written_in[2], "import math", solution),
    ]
    assert with_what_it_needs("y = known", written_in, ["known = 1"]) == "y = known"
    assert with_what_it_needs("y = F.pad", written_in, []).startswith(
        "import torch.nn.functional as F\n"
    )


def test_no_link_leads_out_of_the_assignments_and_no_solution_shows(written):
    for file in written.glob("source/*/*.ipynb"):
        text = file.read_text(encoding="utf-8")
        for link in assignments._LINK.findall(text):
            assert (file.parent / link[1].partition("#")[0]).exists(), link
        assert "](solutions/" not in text
        assert not any(cell.get("outputs") for cell in json.loads(text)["cells"])
    assert (written / "source/lesson_00/hero.jpg").exists()


def test_what_is_there_is_not_replaced(written, tmp_path, capsys):
    assert main(["course", "nbgrader", str(written)]) == 2
    assert "source/lesson_00 is there already" in capsys.readouterr().err.replace("\\", "/")
    (tmp_path / assignments.CONFIG).write_text("# a teacher's own\n")
    (tmp_path / "file").write_text("")
    assert main(["course", "nbgrader", str(tmp_path)]) == 0
    assert (tmp_path / assignments.CONFIG).read_text() == "# a teacher's own\n"
    for words, line in ((["nbgrader"], "name the folder"), (["nbgrader", "file"], "file")):
        capsys.readouterr()
        assert main(["course", *words[:1], *(str(tmp_path / word) for word in words[1:])]) == 2
        assert line in capsys.readouterr().err


def test_a_test_s_value_is_what_nbgrader_counts(capsys):
    def warns(answer):
        sys.stderr.write("more\n")

    assert graded(lesson_00.button, 0.95) is None, "no value: all points"
    assert graded(lesson_00.button, 0.1) == 0
    assert graded(warns, 1) is None
    assert capsys.readouterr().err == "", "else nbgrader would give no point"


def small_course(folder: Path) -> None:
    """Write a course of one lesson, whose cells import nothing but its checkers."""
    first = "from liif_core.exercises import check, lesson_00 as exercise"
    claims = "{1: True, 2: False, 3: False, 4: False, 5: True}"
    for place, y, holds in (("", 0, "{}"), ("solutions", 0.95, claims)):
        sources = [
            *(first, f"y = {y}", "check(exercise.button, y);"),
            *(f"holds = {holds}", "check(exercise.advertisement, holds)"),
        ]
        cells = [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell{number}",
                "metadata": {},
                "outputs": [],
                "source": source,
            }
            for number, source in enumerate(sources)
        ]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        notebook = {"cells": cells, "metadata": {"kernelspec": kernel}}
        file = folder / "notebooks" / place / "00_small.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**notebook, "nbformat": 4, "nbformat_minor": 5}))


def test_a_course_without_its_solutions_is_said_in_a_line(tmp_path, monkeypatch, capsys):
    small_course(tmp_path / "small")
    (tmp_path / "small/notebooks/solutions/00_small.ipynb").unlink()
    monkeypatch.setattr(assignments, "course_folder", lambda: tmp_path / "small")
    assert main(["course", "nbgrader", str(tmp_path / "course")]) == 2
    error = capsys.readouterr().err
    assert "00_small.ipynb cannot be read: No such file" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "course/source/lesson_00").exists(), "nothing half-written"


def test_nbgrader_gives_a_solved_copy_all_points_and_a_stub_none(tmp_path, monkeypatch):
    """The one test that runs it: on a small lesson, for a whole one takes minutes."""
    if not NBGRADER.exists():
        pytest.skip(f"no nbgrader here ({NBGRADER}); .ci/run says how it is installed")
    small_course(tmp_path / "small")
    monkeypatch.setattr(assignments, "course_folder", lambda: tmp_path / "small")
    assert assignments.write_assignments(tmp_path / "course") == ["lesson_00"]
    done = subprocess.run(
        [str(NBGRADER), str(DRIVER), str(tmp_path / "course"), "lesson_00"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    scores = json.loads(done.stdout.splitlines()[-1])
    assert scores == {"solved": [2.0, 2.0], "open": [0.0, 2.0]}
    released = (tmp_path / "course/release/lesson_00/00_small.ipynb").read_text(encoding="utf-8")
    assert "0.95" not in released
    assert "Your answer goes into the lines above" in released
