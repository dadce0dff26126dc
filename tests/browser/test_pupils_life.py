"""A pupil's life on a class's server: from the hub's form to a solved lesson, handed in, afresh."""

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from classrooms import ON_LINUX, ROOT, trial

from liif_core.__main__ import main
from liif_core.classwork.asked import SOLVED, read_lesson
from liif_core.course import FIRST

pytestmark = ON_LINUX
PUPIL = "anna"
NAME = "Anna Müller"
LESSON = Path(FIRST).name
#: Milliseconds to wait for a server to start, and for a lesson to run, on a busy machine.
PATIENCE = 300_000
#: An executed cell's prompt; [*]: is still running, and [ ]: was never.
DONE = re.compile(r"\[\d+\]:")


class Pupil:
    """What a pupil does in a page of Playwright's; `home` is the pupil's folder on the server."""

    def __init__(self, page: Any, home: Path) -> None:
        self.page, self.home = page, home
        self.copy = home / "how_does_ai_zoom"
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: said.type == "error" and self.errors.append(said.text))

    def log_in(self, url: str, password: str) -> None:
        """Fill in the hub's form; return when lesson 00 is there, and its kernel idle."""
        self.page.goto(url)
        self.page.get_by_label("Username").fill(PUPIL)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.idle()
        assert f"/user/{PUPIL}/lab/tree/{FIRST}" in self.page.url

    def idle(self) -> None:
        """Wait until the lesson has a kernel, and it has nothing to do."""
        self.page.locator(".jp-KernelName", has_text="Python 3").wait_for()
        self.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()

    def choose(self, menu: str, *labels: str) -> None:
        """Choose from a menu of JupyterLab's, and from the menus in it."""
        self.page.locator("#jp-MainMenu").get_by_text(menu, exact=True).first.click()
        for label in labels:
            self.page.locator(".lm-Menu-item").get_by_text(label, exact=True).last.click()

    def cell(self, name: str) -> Any:
        """Return a code cell of the lesson, by its id in the file."""
        cells = json.loads((self.copy / FIRST).read_bytes())["cells"]
        codes = [cell["id"] for cell in cells if cell["cell_type"] == "code"]
        return self.page.locator(".jp-CodeCell").nth(codes.index(name))

    def see(self, cell: Any, text: str) -> None:
        """Wait until a cell's output has a text."""
        cell.locator(".jp-OutputArea-output", has_text=text).first.wait_for()

    def run_all(self, last: Any) -> None:
        """Run the lesson in a fresh kernel, from the menu, to its last cell."""
        self.choose("Run", "Restart Kernel and Run All Cells…")
        self.page.locator(".jp-Dialog").get_by_role("button", name="Confirm").click()
        prompt = last.locator(".jp-InputPrompt")
        prompt.filter(has_text="[*]:").wait_for()  # what was saved has a number there, too
        prompt.filter(has_text=DONE).wait_for()
        self.idle()

    def run(self, cell: Any) -> None:
        """Run a cell that stands still, and wait for its end."""
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.text_content()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        until(lambda: DONE.search(now := prompt.text_content()) and now != before, "cell's end")

    def write(self, cell: Any, text: str) -> None:
        """Type an answer in place of what stands in a cell; the editor indents."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        for number, line in enumerate(text.splitlines()):
            if number:
                self.page.keyboard.press("Enter")
            self.page.keyboard.type(line.strip())

    def save(self) -> None:
        self.page.keyboard.press("Control+s")
        self.page.locator(".lm-TabBar-tab.jp-mod-dirty").first.wait_for(state="detached")

    def open_terminal(self) -> None:
        self.choose("File", "New", "Terminal")
        self.page.locator(".jp-Terminal .xterm-screen").click()

        def answers() -> bool:  # what is typed before the shell is there is lost
            self.page.keyboard.type("true > ~/awake\n")
            self.page.wait_for_timeout(1000)
            return (self.home / "awake").exists()

        until(answers, "a shell")

    def tell(self, command: str) -> str:
        """Type a command into the terminal; return what it says there."""
        told = self.home / f"told_{len(list(self.home.glob('told_*')))}"
        self.page.keyboard.type(f"{command} 2>&1 | tee ~/telling; mv ~/telling ~/{told.name}\n")
        until(told.exists, command)
        return told.read_text(encoding="utf-8")


def until(happened: Callable[[], Any], what: str) -> None:
    """Wait until something has happened that no page tells of."""
    limit = time.monotonic() + PATIENCE / 1000
    while not happened():
        assert time.monotonic() < limit, f"waited in vain: {what}"
        time.sleep(0.1)


def counted(table: str) -> list[str]:
    """Return what `liif progress` says of lesson 00: exercises, predictions."""
    (line,) = re.findall(r"^00 .*$", table, re.MULTILINE)
    return re.findall(r"\d of \d", line)


def solve(pupil: Pupil) -> None:
    """Answer one question of the lesson, and every exercise."""
    question = pupil.page.locator(".liif-predict").first
    question.get_by_role("radio").nth(2).check()
    question.get_by_role("button", name="Commit").click()
    question.locator(".liif-verdict", has_text=re.compile(r"\w")).wait_for()
    answers = read_lesson(ROOT / "notebooks/solutions" / LESSON).exercises
    for asked, known in zip(read_lesson(pupil.copy / FIRST).exercises, answers, strict=True):
        assert asked.name == known.name
        pupil.write(pupil.cell(asked.cell), known.answer)
        pupil.run(pupil.cell(asked.cell))
        pupil.run(pupil.cell(asked.checker))
        pupil.see(pupil.cell(asked.checker), SOLVED)


def hand_in(pupil: Pupil, capsys: pytest.CaptureFixture[str]) -> None:
    """Hand in from the terminal; the teacher looks at the file."""
    assert counted(pupil.tell("liif progress")) == ["3 of 3", "1 of 2"]
    assert "3 exercises solved" in (said := pupil.tell(f"liif progress --hand-in '{NAME}'"))
    assert "do not show" not in said, "saved"
    (file,) = pupil.copy.rglob("*.hand-in.json")
    assert main(["progress", "--check", str(file)]) in (0, None)
    head, line, *remarks = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["name", "00"]
    assert line.startswith(f"{NAME}    3/3 ")
    assert remarks == [], "nothing for the teacher to doubt"


def begin_afresh(pupil: Pupil, given: bytes) -> None:
    """Reset the lesson from the terminal."""
    lesson = pupil.copy / FIRST
    solved = lesson.read_bytes()
    said = pupil.tell("liif course reset 00")
    old = lesson.with_name(f"{lesson.stem}_old_1.ipynb")
    assert old.name in said
    assert lesson.read_bytes() == given
    assert old.read_bytes() == solved != given, "kept"
    assert [each.said for each in read_lesson(old).exercises] == [SOLVED] * 3
    assert counted(pupil.tell("liif progress")) == ["0 of 3", "0 of 2"]
    pupil.page.locator(".lm-TabBar-tab", has_text=LESSON).first.click()
    pupil.choose("File", "Reload Notebook from Disk")
    asked = read_lesson(lesson).exercises[-1]
    pupil.cell(asked.cell).filter(has_text=asked.answer).wait_for()


def test_from_log_in_to_hand_in_and_afresh(new_page: Any, tmp_path: Path, capsys: Any) -> None:
    with trial().running_hub({"PYTHONPATH": str(ROOT)}, tmp_path / "log") as hub:
        pupil = Pupil(new_page(), hub.folder / PUPIL)
        try:
            pupil.log_in(hub.url, hub.token)
            given = (pupil.copy / FIRST).read_bytes()
            last = pupil.cell("closing00")
            pupil.run_all(last)
            pupil.see(last, "0 of 3 exercises solved, 0 of 2 predictions made")
            solve(pupil)
            pupil.run(last)
            pupil.see(last, "3 of 3 exercises solved, 1 of 2 predictions made")
            pupil.save()
            pupil.open_terminal()
            hand_in(pupil, capsys)
            begin_afresh(pupil, given)
            pupil.run(last)  # the kernel knows what was solved in it, and must not tell
            pupil.see(last, "0 of 3 exercises solved, 0 of 2 predictions made")
            assert pupil.errors == []
        finally:
            with suppress(Exception):  # a page that is gone hides no failure
                pupil.page.screenshot(path=tmp_path / "last.png")
