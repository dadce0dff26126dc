import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from liif_core.classwork import records
from liif_core.course import copy_course


@pytest.fixture(scope="session")
def fresh_copy(tmp_path_factory) -> Path:
    """A copy of the course that nobody changes."""
    folder = tmp_path_factory.mktemp("course") / "fresh"
    copy_course(folder)
    return folder


@pytest.fixture
def mine(fresh_copy, tmp_path, monkeypatch) -> Path:
    """A pupil's copy of the course; a kernel in it, which has seen nothing yet."""
    shutil.copytree(fresh_copy, tmp_path / "mine")
    monkeypatch.setattr(records, "memory", records.Memory())
    monkeypatch.chdir(tmp_path / "mine/notebooks")
    return tmp_path / "mine"


def rewrite(copy: Path, lesson: str, cells: dict[str, dict[str, Any]]) -> None:
    """Save a lesson with other content in some of its cells, by their ids."""
    (file,) = copy.glob(f"notebooks/{lesson}_*.ipynb")
    notebook = json.loads(file.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell.update(cells.get(cell["id"], {}))
    file.write_text(json.dumps(notebook, indent=1) + "\n", encoding="utf-8")
