"""A learner's copy of the course: made, kept up to date, given afresh; nothing of theirs lost."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from lessons.reading import ROOT, Notebook, as_page

import liif_core.course as course
from liif_core.__main__ import main
from liif_core.course import copy_course, reset_lesson
from liif_core.errors import LiifError

NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def source(tmp_path, monkeypatch) -> Path:
    """A small course of three lessons."""
    folder = tmp_path / "source"
    for name in ("00_how_does_ai_zoom", "01_b", "03_c", "page", "solutions/01_b"):
        lesson(folder, name, f"given {name}")
    (folder / "notebooks/README.md").write_text("guide", encoding="utf-8")
    monkeypatch.setattr(course, "course_folder", lambda: folder)
    return folder


def lesson(folder: Path, name: str, text: str) -> Path:
    path = folder / f"notebooks/{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({**NOTEBOOK, "cells": [{"cell_type": "raw", "source": text}]}), encoding="utf-8"
    )
    return path


def said(path: Path) -> str:
    return json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]


def test_a_copy_has_all_that_its_lessons_lead_to(tmp_path):
    copy_course(tmp_path / "mine")
    names = {p.relative_to(tmp_path / "mine").as_posix() for p in (tmp_path / "mine").rglob("*")}
    lessons = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("notebooks/**/[0-9]*.ipynb")}
    assert len(lessons) >= 22
    assert lessons <= names
    assert "notebooks/my_liif" in names
    for name in names:
        for link in links(tmp_path / "mine" / name):
            path = (tmp_path / "mine" / name).parent / link.partition("#")[0]
            assert ":" in link or path.exists(), f"{name} leads to {link}"


def links(path: Path) -> list[str]:
    """Return where a notebook or a Markdown file leads."""
    if path.suffix not in (".ipynb", ".md"):
        return []
    text = path.read_text(encoding="utf-8")
    cells = Notebook(path, text).cells if path.suffix == ".ipynb" else []
    pages = [page for cell in cells for page in cell.pages] or [as_page(text)]
    return [str(tag.get("href") or tag.get("src")) for page in pages for tag in page(["a", "img"])]


def test_a_lesson_tells_of_the_kernel_what_jupyter_would_write(tmp_path):
    """Else it counts as unsaved as soon as it is opened."""
    kernel = pytest.importorskip("ipykernel.ipkernel").IPythonKernel
    specs = pytest.importorskip("jupyter_client.kernelspec").KernelSpecManager()
    copy_course(tmp_path / "mine")
    lesson = json.loads((tmp_path / "mine" / course.FIRST).read_text(encoding="utf-8"))
    shown = specs.get_kernel_spec("python3")
    assert lesson["metadata"] == {
        "kernelspec": {
            "display_name": shown.display_name,
            "language": shown.language,
            "name": "python3",
        },
        "language_info": kernel.language_info,
    }
    original = json.loads((ROOT / course.FIRST).read_text(encoding="utf-8"))
    assert lesson["cells"] == original["cells"]


def test_a_newer_course_renews_what_nobody_changed_and_that_alone(source, tmp_path, capsys):
    mine = tmp_path / "mine"
    assert main(["course", str(mine)]) == 0
    assert "copy of the course, 8 new" in capsys.readouterr().out
    lesson(mine, "03_c", "mine")
    lesson(mine, "page", "mine, and the course's is as it was")
    lesson(source, "01_b", "newer")
    lesson(source, "03_c", "newer")
    lesson(source, "04_d", "new")
    done = copy_course(mine)
    assert done.new == ["notebooks/04_d.ipynb"]
    assert done.renewed == ["notebooks/01_b.ipynb"]
    assert done.kept == ["notebooks/03_c.ipynb"]
    assert said(mine / "notebooks/01_b.ipynb") == "newer"
    assert said(mine / "notebooks/03_c.ipynb") == "mine"
    assert said(mine / "notebooks/page.ipynb").startswith("mine")
    main(["course", str(mine)])
    told = capsys.readouterr().out
    assert "up to date" in told
    assert "liif course reset 03 gives it, and keeps yours" in told


@pytest.mark.parametrize("named", ["03", "3", "03_c", "03_c.ipynb"])
def test_a_lesson_afresh_keeps_the_old_one(source, tmp_path, named):
    mine = tmp_path / "mine"
    copy_course(mine)
    given = (mine / "notebooks/03_c.ipynb").read_bytes()
    for number, text in enumerate(["first try", "second try"], start=1):
        lesson(mine, "03_c", text)
        fresh, old = reset_lesson(mine, named)
        assert fresh.read_bytes() == given
        assert old == mine / f"notebooks/03_c_old_{number}.ipynb"
    assert said(mine / "notebooks/03_c_old_1.ipynb") == "first try"
    assert said(mine / "notebooks/03_c_old_2.ipynb") == "second try"
    assert reset_lesson(mine, named) == (fresh, None), "nothing of the learner's to keep"
    fresh.unlink()
    assert reset_lesson(mine, named) == (fresh, None)
    lesson(source, "03_c", "newer")
    assert copy_course(mine).renewed == ["notebooks/03_c.ipynb"], "it is the course's again"


def test_reset_finds_the_copy_one_is_in(source, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["course", "reset", "03"]) == 2
    assert capsys.readouterr().err.startswith("liif: no copy of the course here")
    copy_course(Path("my_course"))
    for place in (".", "my_course", "my_course/notebooks/solutions"):
        lesson(tmp_path / "my_course", "03_c", "mine")
        monkeypatch.chdir(tmp_path / place)
        assert main(["course", "reset", "03"]) == 0
        assert "yours is now 03_c_old" in capsys.readouterr().out
    assert said(tmp_path / "my_course/notebooks/03_c.ipynb") == "given 03_c"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["reset"], "say which lesson"),
        (["reset", "77", "mine"], "there is no lesson 77"),
        (["reset", "../03_c", "mine"], "there is no lesson ../03_c"),
        (["reset", "03", "nowhere"], "nowhere is no copy of the course"),
        (["reset", "03", "source"], "source is the course itself"),
        (["source"], "source is the course itself"),
        (["photos"], "photos holds other things"),
        (["photos/a.jpg"], "photos/a.jpg"),
        (["mine", "yours"], "name one folder"),
        (["n" * 300], "n" * 300),
        (["reset", "03", "n" * 300], f"{'n' * 300} is no copy"),
        (["reset", "page", "mine"], "mine/notebooks/page"),  # a folder
    ],
)
def test_what_cannot_be_is_said_in_a_line(source, tmp_path, monkeypatch, capsys, words, line):
    monkeypatch.chdir(tmp_path)
    copy_course(Path("mine"))
    Path("photos").mkdir()
    Path("photos/a.jpg").write_bytes(b"not to be lost")
    Path("mine/notebooks/page.ipynb").unlink()
    Path("mine/notebooks/page.ipynb").mkdir()
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert main(["course", *words]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"liif: {line}")
    assert told.count("\n") == 1
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_where_the_list_is_broken_all_is_the_learners(source, tmp_path):
    copy_course(tmp_path / "mine")
    (tmp_path / "mine" / course.GIVEN).write_text('{"a": 3}', encoding="utf-8")
    lesson(source, "01_b", "newer")
    done = copy_course(tmp_path / "mine")
    assert done.renewed == []
    assert "notebooks/01_b.ipynb" in done.kept
    assert said(tmp_path / "mine/notebooks/01_b.ipynb") == "given 01_b"


def test_what_is_as_the_course_has_it_is_no_ones_change_though_the_list_is_lost(source, tmp_path):
    copy_course(tmp_path / "mine")
    (tmp_path / "mine" / course.GIVEN).write_text("[", encoding="utf-8")
    assert copy_course(tmp_path / "mine").kept == []
    lesson(source, "01_b", "newer")
    assert copy_course(tmp_path / "mine").renewed == ["notebooks/01_b.ipynb"]


def test_a_solution_is_not_said_to_be_given_with_its_lesson(source, tmp_path, capsys):
    mine = tmp_path / "mine"
    copy_course(mine)
    lesson(mine, "solutions/01_b", "mine")
    lesson(source, "solutions/01_b", "newer")
    main(["course", str(mine)])
    told = capsys.readouterr().out
    assert "solutions/01_b.ipynb is yours, and the course has a newer one" in told
    assert "reset" not in told


def test_a_lesson_afresh_makes_its_folder(source, tmp_path):
    mine = tmp_path / "mine"
    copy_course(mine)
    (mine / "notebooks").rename(tmp_path / "elsewhere")
    assert said(reset_lesson(mine, "03")[0]) == "given 03_c"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_place_is_said_in_a_line(source, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(LiifError, match="could not be written"):
            copy_course(tmp_path / "mine")
    finally:
        tmp_path.chmod(0o700)


def test_the_copy_of_make_lab_leaves_the_checkout_clean():
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout")
    command = ["git", "check-ignore", "-q", "my_course/notebooks/00_how_does_ai_zoom.ipynb"]
    assert subprocess.run(command, cwd=ROOT).returncode == 0
