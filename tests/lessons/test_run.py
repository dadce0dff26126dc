"""The checks that notebooks/conftest.py puts around nbval's run of a notebook find what is wrong.

The lessons themselves are run by `pytest --nbval-lax --nbval-current-env notebooks`, each once,
with these checks. Here the same conftest.py is put to notebooks made for the purpose.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from reading import NOTEBOOKS

CONFTEST = NOTEBOOKS / "conftest.py"

GOOD = """
import os
assert not {"refuse", "sys"} & set(globals()), "a name is left behind in the reader's namespace"
"""
LOOPBACK = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
"""
HIDDEN_ATTEMPT = """
import urllib.request
try:
    urllib.request.urlopen("http://192.0.2.1/")
except OSError as error:
    assert "runs without a network" in str(error)
else:
    raise AssertionError("connected")
"""
QUESTION = """
from liif_core.widgets import Predict
question = Predict("Which?", ["this", "that"], answer=1, explain="Measured.")
"""
MISTAKEN = QUESTION + "question._text_for = lambda choice: '✓ Right: this'"
STUB, SOLUTION = "print('✗ Not yet: no.'); False;", "print('✓ Solved.'); True;"


def write(path: Path, *sources: str) -> None:
    """Write a notebook; a cell that prints a verdict checks an exercise, and is compared."""
    cells = [new_code_cell(source) for source in sources]
    for cell in cells:
        if cell.source in (STUB, SOLUTION):
            cell.metadata = {"tags": ["check", "nbval-check-output"]}
            cell.execution_count = 1
            cell.outputs = [new_output("stream", text=cell.source.split("'")[1] + "\n")]
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=cells), path)


def run(folder: Path) -> dict[str, str]:
    """Run nbval over a folder and return the outcome of each item, such as "PASSED"."""
    command = [sys.executable, "-m", "pytest", "-v", "--color=no", "-p", "no:cacheprovider"]
    command += ["--rootdir=.", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=60", "."]
    environment = {name: value for name, value in os.environ.items() if name != "CI_TIMING"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    outcomes = re.findall(r"^(.+::.+) (PASSED|FAILED|ERROR|SKIPPED)", done.stdout, re.MULTILINE)
    assert outcomes, done.stdout + done.stderr
    return dict(outcomes)


def items_of(outcomes: dict[str, str], notebook: str) -> dict[str, str]:
    """Return the outcome of each item of one notebook, in order."""
    return {name.split("::")[-1]: how for name, how in outcomes.items() if notebook in name}


def failed(outcomes: dict[str, str], notebook: str) -> list[str]:
    """Return the items of a notebook that failed."""
    items = items_of(outcomes, notebook)
    assert len(items) > 5, outcomes
    return [name for name, how in items.items() if how in ("FAILED", "ERROR")]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What nbval says of good and bad notebooks."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copy(CONFTEST, folder)
    write(folder / "good_lesson.ipynb", GOOD, LOOPBACK, QUESTION, STUB)
    write(folder / "solutions/good_solution.ipynb", GOOD, SOLUTION)
    write(folder / "bad_network.ipynb", "import os", HIDDEN_ATTEMPT)
    write(folder / "bad_question.ipynb", QUESTION, MISTAKEN)
    write(folder / "bad_lesson.ipynb", STUB, SOLUTION, "1 / 0")
    write(folder / "solutions/bad_solution.ipynb", SOLUTION, STUB)
    text = (folder / "bad_lesson.ipynb").read_text(encoding="utf-8")
    changed = text.replace('"✗ Not yet: no.\\n"', '"✗ Not yet: another hint.\\n"')
    assert changed != text
    (folder / "bad_lesson.ipynb").write_text(changed, encoding="utf-8")
    return run(folder)


@pytest.mark.parametrize("notebook", ["good_lesson", "good_solution"])
def test_a_good_notebook_passes(outcomes: dict[str, str], notebook: str) -> None:
    assert failed(outcomes, notebook) == []


def test_the_checks_stand_around_the_cells(outcomes: dict[str, str]) -> None:
    assert list(items_of(outcomes, "good_solution")) == [
        *["start", "Cell 0", "Cell 1"],
        *["no network", "exercises", "questions", "memory", "time"],
    ]


def test_a_hidden_attempt_to_reach_the_network_is_found(outcomes: dict[str, str]) -> None:
    """Also inside a `try`, and the attempt itself was refused: the cell says so."""
    assert failed(outcomes, "bad_network") == ["no network"]


def test_a_cell_that_fails_a_changed_text_and_a_solved_stub_are_found(
    outcomes: dict[str, str],
) -> None:
    assert failed(outcomes, "bad_lesson") == ["Cell 0", "Cell 2", "exercises"]


def test_a_question_with_a_wrong_verdict_is_found(outcomes: dict[str, str]) -> None:
    assert failed(outcomes, "bad_question") == ["questions"]


def test_a_wrong_solution_is_found(outcomes: dict[str, str]) -> None:
    assert failed(outcomes, "bad_solution") == ["exercises"]


def test_a_notebook_beyond_its_budget_is_found(tmp_path: Path) -> None:
    shutil.copy(CONFTEST, tmp_path / "around.py")
    (tmp_path / "conftest.py").write_text(
        "import around\nfrom around import pytest_collection_modifyitems, pytest_runtest_call\n"
        "around.SECONDS, around.MEBIBYTES = 0.001, 10\n"
    )
    write(tmp_path / "slow.ipynb", "import time", "time.sleep(2)")
    assert failed(run(tmp_path), "slow") == ["memory", "time"]


@pytest.fixture(scope="module")
def around() -> ModuleType:
    """notebooks/conftest.py as a module."""
    spec = importlib.util.spec_from_file_location("around_notebooks", CONFTEST)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("seconds", "computed", "slower", "passes"),
    [
        (59, 59, 1, True),
        (61, 61, 1, False),
        (61, 61, 0.5, False),  # a faster machine does not make the budget smaller
        (110, 110, 2, True),
        (130, 130, 2, False),
        (300, 59, 1, True),  # neighbours took the rest
        (59, 110, 1, True),  # on two cores at once
    ],
)
def test_the_time_is_that_of_a_machine_of_ones_own(
    around: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    computed: float,
    slower: float,
    passes: bool,
) -> None:
    for variable in ("CI_TIMING", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(around, "computed", lambda notebook: 7 + computed)
    measured = around.Run()
    measured.seconds, measured.computed_before = seconds, 7
    measured.known_work = [0.5 * slower * around.KNOWN_WORK_SECONDS] * 2
    measured.known_work += [2 * slower * around.KNOWN_WORK_SECONDS]  # the mean is what counts
    notebook = SimpleNamespace(stash={around.RUN: measured})
    if passes:
        around.time_needed(notebook)
        return
    with pytest.raises(pytest.fail.Exception, match="the budget is 60 s"):
        around.time_needed(notebook)
    with monkeypatch.context() as beside:
        beside.setenv("PYTEST_XDIST_WORKER", "gw0")
        around.time_needed(notebook)  # less than twice as long
    monkeypatch.setenv("CI_TIMING", "off")
    with pytest.raises(pytest.skip.Exception, match="CI_TIMING is off"):
        around.time_needed(notebook)
