"""A lesson that no kernel has run: in JupyterLab, trusted or not, and as a page of nbconvert."""

import copy
import html
import re
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browsers import expect
from nbformat.v4 import new_code_cell, new_notebook

pytest.importorskip("anywidget", reason="the widgets need anywidget: pip install '.[lab]'")

from liif_core.widgets.keep_stills import WIDGET_VIEW, keep_stills
from liif_core.widgets.still_widget import LIVING, STILL

FOLDED = {"jupyter": {"source_hidden": True}, "transient": {"remove_source": True}}
ROOT = Path(__file__).parents[2]
CELLS = [
    """
import numpy as np
from liif_core import figures
figures.show(np.zeros((20, 30)), alt="A black box.")
""",
    """
from liif_core.widgets import Predict
Predict("Which?", ["this", "that"], answer=1, explain="That was " + "measured".upper())
""",
    """
import numpy as np
from liif_core.widgets import FrameSlider
FrameSlider([10, 20], lambda n: np.full((n, 40, 3), 9 * n, np.uint8), label=str, alt="Grey bars.")
""",
    """
from liif_core import load_model
from liif_core.widgets import ZoomExplorer
dots = np.tile(np.eye(4, dtype=np.uint8)[..., None] * 200, (2, 2, 3))
ZoomExplorer(dots, load_model("liif-edsr-small", "cpu"), alt="Some dots.", screen=(60, 80))
""",
    """
from liif_core.widgets import UploadBox
UploadBox(lambda photo: (photo.colour, "The same."))
""",
]


@pytest.fixture(scope="module")
def executed(server: Any) -> nbformat.NotebookNode:  # asks for the server, to be skipped with it
    """Return an executed notebook as a reader saves it."""
    from nbconvert.preprocessors import ExecutePreprocessor

    notebook = new_notebook(
        cells=[new_code_cell(source) for source in CELLS],
        metadata={"kernelspec": {"display_name": "Python 3", "name": "python3"}},
    )
    notebook.cells[1].metadata = nbformat.from_dict(FOLDED)
    ExecutePreprocessor(timeout=300).preprocess(notebook, {"metadata": {"path": str(ROOT)}})
    del notebook.metadata["widgets"]  # JupyterLab does not keep the widgets' state, unless told to
    assert all(WIDGET_VIEW in cell.outputs[0].data for cell in notebook.cells[1:])
    return notebook


@pytest.fixture(scope="module")
def saved(executed: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the same as a lesson is committed."""
    notebook = copy.deepcopy(executed)
    keep_stills(notebook)
    assert not any(STILL in cell.outputs[0].data for cell in notebook.cells)
    return notebook


def check_stills(page: Any) -> None:
    """Assert that figure, question and frames are there, and the answer where one must open it."""
    figure = page.get_by_alt_text("A black box.", exact=True)
    figure.wait_for()
    assert figure.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [30, 20]
    expect(
        page.get_by_text("FrameSlider([10, 20]")
    ).to_be_visible()  # code, but not the question's:
    assert page.get_by_text('explain="That was "').filter(visible=True).count() == 0
    page.get_by_text("that", exact=True).first.wait_for()
    expect(page.get_by_text("That was MEASURED")).to_be_hidden()
    page.get_by_text("Choose first").click()
    page.get_by_text("That was MEASURED").wait_for()
    sheet = page.get_by_alt_text("Grey bars. Frames in reading order (2 of 2): 10 | 20")
    sheet.wait_for()
    size = "(image) => [image.naturalWidth, image.naturalHeight]"
    assert sheet.evaluate(size) == [84, 20]
    explorer = page.get_by_alt_text("Some dots. bicubic | LIIF, ×7.50, centre y, x = 0.000, 0.000")
    explorer.wait_for()
    assert explorer.evaluate(size) == [60, 60]
    page.get_by_text("bicubic | LIIF, ×7.50").wait_for()
    page.get_by_text("(Here stands a button that takes your own photo.").wait_for()
    assert page.get_by_text("Error displaying widget").count() == 0


def trust(server: Any, notebook: nbformat.NotebookNode, name: str) -> None:
    """Put a notebook into the server's folder, signed as one that was run there."""
    from nbformat.sign import NotebookNotary

    nbformat.write(notebook, server.folder / name)
    again = nbformat.read(server.folder / name, as_version=4)
    NotebookNotary(data_dir=str(server.settings.parent / "data")).sign(again)


def test_opened_in_jupyterlab_and_not_run(server: Any, new_page: Any, saved: Any) -> None:
    nbformat.write(saved, server.folder / "saved.ipynb")
    page = new_page()
    page.goto(f"{server.url}/lab/tree/saved.ipynb?reset")
    check_stills(page)


def seen(place: Any, seconds: float) -> bool:
    """Whether something is visible before so many seconds are over."""
    end = time.monotonic() + seconds
    while not place.is_visible() and time.monotonic() < end:
        place.page.wait_for_timeout(200)
    return bool(place.is_visible())


def test_trusted_and_opened_with_a_kernel_that_has_not_run_it(
    server: Any, new_page: Any, executed: Any
) -> None:
    trust(server, executed, "trusted.ipynb")
    page = new_page()
    page.goto(f"{server.url}/lab/tree/trusted.ipynb?reset")
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    check_stills(page)
    try:
        live = page.locator(".liif-frame-slider")
        for patience in (30, 120):  # a key pressed while a busy page is laid out may be lost
            page.get_by_text("FrameSlider([10, 20]").click()  # and by running it, the live view
            page.keyboard.press("Shift+Enter")
            if seen(live, patience):
                break
        expect(live).to_be_visible()
        assert page.get_by_alt_text("Grey bars. Frames in reading order").count() == 0
    finally:
        server.stop_kernels()


def test_a_trusted_lesson_without_any_kernel(server: Any, new_page: Any) -> None:
    lesson = nbformat.read(ROOT / "notebooks/04_cell_decoding.ipynb", as_version=4)
    del lesson.metadata["kernelspec"]
    widgets = [
        output.data
        for cell in lesson.cells
        for output in cell.get("outputs", [])
        if LIVING in output.get("data", {})
    ]
    for number, data in enumerate(widgets):  # as they are when the lesson has been run
        data[WIDGET_VIEW] = {"model_id": f"{number:032x}", "version_major": 2, "version_minor": 0}
        data[STILL] = {}
    trust(server, lesson, "lesson.ipynb")
    page = new_page()
    page.goto(f"{server.url}/lab/tree/lesson.ipynb?reset")
    page.get_by_role("button", name="No Kernel", exact=True).click()
    assert {data[LIVING]["kind"] for data in widgets} == {"predict", "frames", "explorer"}
    for data in widgets:
        if data[LIVING]["kind"] == "predict":
            still = page.get_by_text(data[LIVING]["data"]["question"].split("\n")[0]).last
        else:
            alt = re.search(r'alt="([^"]*)"', data["text/html"])[1]
            still = page.get_by_alt_text(html.unescape(alt))
        still.scroll_into_view_if_needed()
        expect(still).to_be_visible()
    assert page.get_by_text("Error displaying widget").count() == 0
    assert page.get_by_text("Loading widget").count() == 0


def test_page_made_by_nbconvert(new_page: Any, saved: Any, tmp_path: Any) -> None:
    from nbconvert import HTMLExporter

    text, _resources = HTMLExporter().from_notebook_node(saved)
    file = tmp_path / "saved.html"
    file.write_text(text, encoding="utf-8")
    page = new_page(offline=True)
    page.goto(file.as_uri(), wait_until="domcontentloaded")
    check_stills(page)
