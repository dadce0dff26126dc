"""A real JupyterLab on loopback, driven in Chromium; skipped where either is missing."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browsers import driver
from nbformat.v4 import new_code_cell, new_notebook

from liif_core.course import copy_course

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-webgpu",  # an adapter that a program plays: what it computes is right, if slow
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
NUMBER = re.compile(r"\d")  # of an executed cell: [3], where [*] is still running
SECONDS = 1000  # Playwright counts in milliseconds


@dataclass
class Server:
    """A running JupyterLab: its address, the folder it serves, its settings, what it prints."""

    url: str
    folder: Path
    settings: Path
    log: Path

    def set_theme(self, name: str) -> None:
        """Choose the theme of pages that are opened from now on."""
        file = self.settings / "@jupyterlab/apputils-extension/themes.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'{{"theme": "{name}"}}')

    def stop_kernels(self) -> None:
        """Stop every kernel: each holds some hundred megabytes, and a run opens many notebooks."""
        with urllib.request.urlopen(f"{self.url}/api/sessions") as answer:
            sessions = json.load(answer)
        for session in sessions:
            where = f"{self.url}/api/sessions/{session['id']}"
            urllib.request.urlopen(urllib.request.Request(where, method="DELETE")).close()


class NotebookPage:
    """A notebook open in the browser."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def run(self, cell: int = 0) -> None:
        """Run a cell and wait until the kernel is done with it."""
        prompt = self.page.locator(".jp-CodeCell .jp-InputPrompt").nth(cell)
        before = prompt.inner_text()
        self.page.locator(".jp-CodeCell .cm-content").nth(cell).click()
        self.page.keyboard.press("Shift+Enter")
        deadline = time.monotonic() + 120
        while (now := prompt.inner_text()) == before or not NUMBER.search(now):
            assert time.monotonic() < deadline, f"cell {cell} has not finished: {now!r}"
            self.page.wait_for_timeout(50)

    def output(self, cell: int = 0) -> str:
        """Return the text of a cell's output."""
        return self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea").inner_text()


def need(*packages: str) -> None:
    """Skip where Chromium, Playwright or one of these packages is missing."""
    for package in ("playwright", *packages):
        pytest.importorskip(
            package, reason=f"the browser tests need {package}: pip install {package}"
        )
    if CHROMIUM is None:
        pytest.skip("the browser tests need Chromium: apt-get install chromium")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start JupyterLab, which serves Notebook 7 too, in a copy of the course; stop it at the end.

    Its settings are the copy's, as for `make lab`; so a test asks nothing of the network.
    """
    need("jupyterlab", "notebook", "anywidget")
    home = tmp_path_factory.mktemp("jupyter")
    folder = home / "course"
    copy_course(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ServerApp.token=", "--ServerApp.password=", "--ip=127.0.0.1"]
    command += ["--ServerApp.disable_check_xsrf=True"]
    command += ["--ServerApp.port_retries=0"]
    extensions = home / "extensions"  # this tree's, whatever is installed
    shutil.copytree(ROOT / "liif_core/widgets/labextension", extensions / "liif-stills")
    shutil.copytree(ROOT / "liif_core/widgets/static", extensions / "liif-stills/static")
    command += [f"--LabApp.extra_labextensions_path={extensions}"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_PATH": str(folder),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
    }
    log = home / "server.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=stream, stderr=stream
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url, process, log)
            yield Server(url, folder, home / "settings", log)
        finally:
            process.terminate()
            process.wait(timeout=60)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers; fail with its log if it ends or takes two minutes."""
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/api", timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return a headless Chromium."""
    need()
    chromium = driver().chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield chromium
    chromium.close()


@pytest.fixture
def new_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens an empty page, with the options of a Playwright context."""
    contexts = []

    def open_page(**options: Any) -> Any:
        context = browser.new_context(viewport={"width": 1100, "height": 900}, **options)
        context.set_default_timeout(120 * SECONDS)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def open_notebook(
    server: Server, new_page: Callable[..., Any], request: pytest.FixtureRequest
) -> Iterator[Callable[..., NotebookPage]]:
    """Return a function that opens a notebook of the given code cells in JupyterLab or Notebook 7.

    At the end of a test no error may be left in `errors`, the browser's console included.
    """
    opened: list[NotebookPage] = []

    def open_cells(
        *sources: str, theme: str = "JupyterLab Light", app: str = "lab"
    ) -> NotebookPage:
        name = f"{request.node.name.replace('[', '-').replace(']', '')}-{len(opened)}.ipynb"
        notebook = new_notebook(
            cells=[new_code_cell(source) for source in sources],
            metadata={"kernelspec": KERNELSPEC},
        )
        nbformat.write(notebook, server.folder / name)
        server.set_theme(theme)
        shown = NotebookPage(new_page())
        where = f"lab/tree/{name}?reset" if app == "lab" else f"notebooks/{name}"
        shown.page.goto(f"{server.url}/{where}")
        shown.page.locator(".jp-KernelName", has_text=KERNELSPEC["display_name"]).wait_for()
        shown.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
        shown.errors.clear()  # what Jupyter says about itself while it starts
        opened.append(shown)
        return shown

    yield open_cells
    errors = [error for shown in opened for error in shown.errors]
    server.stop_kernels()
    assert errors == [], "errors in the browser"
