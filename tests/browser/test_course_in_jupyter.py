"""A learner's copy of the course in JupyterLab, as `make lab` opens it."""

import time
from pathlib import Path
from typing import Any

from browsers import SECONDS, expect

from liif_core.course import FIRST, reset_lesson

MARK = "what I typed"
UNSAVED = ".lm-TabBar-tab.jp-mod-dirty"


def await_noted(workspaces: Path) -> None:
    """Wait until JupyterLab has noted, in the copy, what is open: it does so some time after."""
    deadline = time.monotonic() + SECONDS
    while not any(FIRST in noted.read_text(encoding="utf-8") for noted in workspaces.glob("*")):
        assert time.monotonic() < deadline, "never noted in the copy"
        time.sleep(0.1)


def test_a_lesson_opens_unchanged_is_worked_on_and_given_afresh(server: Any, new_page: Any) -> None:
    assert f"{server.url}/lab/tree/{FIRST}" in server.log.read_text(encoding="utf-8"), "printed"
    lesson = server.folder / FIRST
    given = lesson.read_bytes()
    page = new_page()
    page.goto(server.url)  # nothing but the server: its settings lead to the lesson
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    assert page.url.endswith(f"/lab/tree/{FIRST}")
    page.wait_for_timeout(1500)  # in which JupyterLab would ask about news
    assert page.get_by_text("Jupyter news").count() == 0
    assert page.locator(UNSAVED).count() == 0, "unsaved as soon as it is opened"

    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type(f"# {MARK}\n")
    page.locator(UNSAVED).first.wait_for()
    page.keyboard.press("Control+s")
    page.locator(UNSAVED).first.wait_for(state="detached")
    assert MARK in lesson.read_text(encoding="utf-8")
    await_noted(server.folder / ".jupyter/workspaces")

    _, old = reset_lesson(server.folder, "00")
    assert lesson.read_bytes() == given
    assert MARK in old.read_text(encoding="utf-8")
    page.reload()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    expect(page.locator(".jp-CodeCell").first).not_to_contain_text(MARK)
    server.stop_kernels()
