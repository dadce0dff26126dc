#!/usr/bin/env bash
# nbgrader gives a locked test cell its points by what the cell leaves in its outputs, and not only by whether it fails.
# A number as its last value is taken for partial credit; True and False are no numbers, so a cell that ends with
# `is_solved(...)` earns all points also where that is False: only the log warns. A semicolon behind the value hides it,
# and with it the 0. The other way round, any word on standard error, such as a library's deprecation warning, costs all
# points of a cell that passed. So: end a test with an assert, or with a number; put no semicolon; keep standard error empty.
#
# Besides: nbgrader starts `alembic` by its bare name. Called by its full path from an environment that is not activated,
# it ends with FileNotFoundError, whatever is installed beside it.
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11 (3 points each):
#   nbgrader 0.9.6
#   assert 1 > 2: 0
#   1 > 2: 3
#   0: 0
#   0;: 3
#   import sys; print("a warning", file=sys.stderr): 0
#   by its full path: FileNotFoundError: [Errno 2] No such file or directory: 'alembic'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME="$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nbgrader==0.9.6 SQLAlchemy==2.1.9 alembic==1.20.1 2>/dev/null
cat >try.py <<'PYTHON'
import logging
import os
import sys
from pathlib import Path

import nbformat
import nbgrader
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

ENDINGS = ["assert 1 > 2", "1 > 2", "0", "0;", 'import sys; print("a warning", file=sys.stderr)']
config = Config()
config.CourseDirectory.root = os.getcwd()
api = NbGraderAPI(config=config)
cells = []
for number, ending in enumerate(ENDINGS):
    notes = {"grade": True, "grade_id": f"test{number}", "locked": True, "points": 3}
    notes |= {"schema_version": 3, "solution": False, "task": False}
    cells.append(new_code_cell(ending, metadata={"nbgrader": notes}))
Path("source/one").mkdir(parents=True, exist_ok=True)
kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), "source/one/a.ipynb")
logging.disable(logging.CRITICAL)
made = api.generate_assignment("one", force=True)
assert made["success"], made
Path("submitted/ada/one").mkdir(parents=True)
nbformat.write(nbformat.read("release/one/a.ipynb", 4), "submitted/ada/one/a.ipynb")
assert api.autograde("one", "ada")["success"]
print(f"nbgrader {nbgrader.__version__}")
found = []
for number, ending in enumerate(ENDINGS):
    grade = api.gradebook.find_grade(f"test{number}", "a", "one", "ada")
    found.append(grade.auto_score)
    print(f"{ending}: {grade.auto_score:g}")
sys.exit(0 if found == [0, 3, 0, 3, 0] else "this has changed")
PYTHON
mkdir activated not_activated
cd "$folder/activated"
PATH="$folder/venv/bin:$PATH" python -W ignore ../try.py 2>&1 | grep -v "IPKernelApp\|SAWarning\|^  "
cd "$folder/not_activated"
if told=$(PATH=/usr/bin:/bin ../venv/bin/nbgrader db student list 2>&1); then
    echo "by its full path: it runs; this has changed" && exit 1
fi
echo "by its full path: $(grep -o "FileNotFoundError.*'alembic'" <<<"$told")"
