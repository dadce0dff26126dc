"""A saved lesson where no kernel runs: opened in JupyterLab, and as a page made by nbconvert."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

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
]


@pytest.fixture(scope="module")
def saved(server: Any) -> nbformat.NotebookNode:  # asks for the server, to be skipped with it
    """Return an executed notebook as a lesson is committed."""
    from nbconvert.preprocessors import ExecutePreprocessor

    from liif_core.widgets.keep_stills import keep_stills

    notebook = new_notebook(
        cells=[new_code_cell(source) for source in CELLS],
        metadata={"kernelspec": {"display_name": "Python 3", "name": "python3"}},
    )
    notebook.cells[1].metadata = nbformat.from_dict(FOLDED)
    ExecutePreprocessor(timeout=300).preprocess(notebook, {"metadata": {"path": str(ROOT)}})
    keep_stills(notebook)
    return notebook


def check_stills(page: Any) -> None:
    """Assert that figure, question and frames are there, and the answer where one must open it."""
    figure = page.get_by_alt_text("A black box.", exact=True)
    figure.wait_for()
    assert figure.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [30, 20]
    assert page.get_by_text("FrameSlider([10, 20]").is_visible()  # code, but not the question's:
    assert page.get_by_text('explain="That was "').filter(visible=True).count() == 0
    page.get_by_text("that", exact=True).first.wait_for()
    assert page.get_by_text("That was MEASURED").is_hidden()
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


def test_opened_in_jupyterlab_and_not_run(server: Any, new_page: Any, saved: Any) -> None:
    nbformat.write(saved, server.folder / "saved.ipynb")
    page = new_page()
    page.goto(f"{server.url}/lab/tree/saved.ipynb?reset")
    check_stills(page)


def test_page_made_by_nbconvert(new_page: Any, saved: Any, tmp_path: Any) -> None:
    from nbconvert import HTMLExporter

    html, _resources = HTMLExporter().from_notebook_node(saved)
    file = tmp_path / "saved.html"
    file.write_text(html, encoding="utf-8")
    page = new_page(offline=True)
    page.goto(file.as_uri(), wait_until="domcontentloaded")
    check_stills(page)
