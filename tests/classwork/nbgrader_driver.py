"""Runs in a Python that has nbgrader: hands in two copies of an assignment, prints the scores.

    python nbgrader_driver.py COURSE ASSIGNMENT

"solved" hands in the source, solutions and all, as a pupil's own; "open" what nbgrader releases.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader


def without_marks(notebook: dict) -> dict:
    """Return a source assignment as a pupil would hand it in who answered all."""
    for cell in notebook["cells"]:
        lines = "".join(cell["source"]).splitlines()
        cell["source"] = "\n".join(line for line in lines if not line.startswith("### "))
    return notebook


def main(course: Path, assignment: str) -> None:
    os.chdir(course)
    # nbgrader starts a program, `alembic`, that lies beside its Python, by its bare name.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    config = PyFileConfigLoader("nbgrader_config.py", path=".").load_config()
    config.CourseDirectory.root = str(course)
    api = NbGraderAPI(config=config)
    made = api.generate_assignment(assignment, force=True, create=True)
    assert made["success"], made
    released = course / "release" / assignment
    for pupil in ("solved", "open"):
        shutil.copytree(released, course / "submitted" / pupil / assignment)
    (file,) = released.glob("*.ipynb")
    handed_in = course / "submitted/solved" / assignment / file.name
    release = json.loads(handed_in.read_text(encoding="utf-8"))
    source = json.loads((course / "source" / assignment / file.name).read_text(encoding="utf-8"))
    answers = {cell["id"]: cell["source"] for cell in without_marks(source)["cells"]}
    for cell in release["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = answers[cell["id"]]
    handed_in.write_text(json.dumps(release), encoding="utf-8")
    scores = {}
    for pupil in ("solved", "open"):
        graded = api.autograde(assignment, pupil)
        assert graded["success"], graded
        submission = api.gradebook.find_submission(assignment, pupil)
        scores[pupil] = [submission.score, submission.max_score]
    print(json.dumps(scores))


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), sys.argv[2])
