"""Prepare executed notebooks for pages without a kernel: `python -m liif_core.widgets.keep_stills`.

A live widget is shown by its `widget-view` output, which refers to an object in the kernel by a
random number. In a saved file that object is gone. JupyterLab with our extension shows the still
picture beside it then; other programs show nothing, or an error. So before a lesson is committed
its widget views are taken out, and the stills (`text/html`) stay. Running the lesson brings the
widgets back. What the run wrote about its Python is taken out as well, and a text that a slow cell
printed in parts becomes one: a lesson is the same file, whoever ran it.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from liif_core.widgets.still_widget import STILL

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def keep_stills(notebook: NotebookNode) -> bool:
    """Take out widget views that have a still beside them, widget state, and Python's version.

    Texts that a cell printed one after the other are joined.

    Returns:
        Whether anything was changed.
    """
    changed = notebook.metadata.pop("widgets", None) is not None
    language = notebook.metadata.get("language_info", {})
    if len(language) > 1:
        notebook.metadata["language_info"] = {"name": language["name"]}
        changed = True
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if WIDGET_VIEW in data and "text/html" in data:
                del data[WIDGET_VIEW]
                data.pop(STILL, None)  # which of the two to show is no question any more
                changed = True
        changed |= join_texts(cell.get("outputs", []))
    return changed


def join_texts(outputs: list[NotebookNode]) -> bool:
    """Join each printed text with the one right before it; return whether there was any."""
    before = len(outputs)
    for place in range(before - 1, 0, -1):
        first, second = outputs[place - 1 : place + 1]
        if first.output_type == second.output_type == "stream" and first.name == second.name:
            first.text += second.text
            del outputs[place]
    return len(outputs) < before


def main(paths: Sequence[str]) -> int:
    """Apply `keep_stills` to notebook files in place; return the exit status."""
    if not paths:
        print("usage: python -m liif_core.widgets.keep_stills NOTEBOOK …", file=sys.stderr)
        return 2
    for path in map(Path, paths):
        notebook = nbformat.read(path, as_version=4)
        if keep_stills(notebook):
            nbformat.write(notebook, path)
            print(f"{path}: made ready for pages without a kernel")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
