"""What `pytest --nbval-lax` checks of each lesson besides its cells.

nbval runs the cells of a notebook, once, in one kernel. Around this same run stand more items: the
kernel is first cut off from the network, and asked after the last cell what happened.
"""

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from nbval.plugin import IPyNbCell, IPyNbFile

from liif_core import workers

SECONDS = 60  # for a notebook from top to bottom
MEBIBYTES = 2048  # for its kernel, at the peak

#: How long `known_work` takes on an idle core of the machines that SECONDS was set on.
KNOWN_WORK_SECONDS = 0.012

#: How much longer cells may compute beside another worker of pytest, which takes its share of
#: caches and memory: work in many small steps feels that more than the known work does.
BESIDE_ANOTHER = 2

#: Runs in the kernel. An audit hook sees every connection and every look-up of a name that Python
#: makes, and cannot be taken off again. Jupyter's own messages (ZeroMQ) do not come this way.
CUT_OFF_THE_NETWORK = """
import sys

sys.network_attempts = []

def refuse(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # None: within the machine
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    if host not in (None, "", b"", "localhost", b"localhost", "127.0.0.1", b"127.0.0.1", "::1"):
        sys.network_attempts.append(str(host))
        raise OSError(f"a lesson runs without a network, and this one asks for {host}")

sys.addaudithook(refuse)
"""


#: Runs in the kernel. Takes the reader's place at each question of the lesson: it commits to every
#: choice, the way the browser does, and returns what came back that should not have.
ANSWER_EVERY_QUESTION = """
def unexpected(namespace):
    found = []
    for name, question in list(namespace.items()):
        if type(question).__name__ != "Predict" or name.startswith("_"):
            continue
        for choice, text in enumerate(question.choices):
            question._handle_custom_msg({"type": "commit", "choice": choice}, [])
            verdict = "✓ Right: " if choice == question.answer else "✗ Not this one. Measured: "
            told = question.revealed.startswith(verdict + question.choices[question.answer])
            if not told or question.choice != choice:
                found.append(f"{name}, {text!r}: {question.revealed!r}")
    return found
"""


class Run:
    """What was measured while a notebook ran.

    Attributes:
        cells: that have run.
        seconds: that passed while they ran.
        computed_before: seconds that the kernel had computed for before the first cell.
        known_work: seconds that the known work took, before each cell.
    """

    def __init__(self) -> None:
        self.cells: list[IPyNbCell] = []
        self.seconds = 0.0
        self.computed_before = 0.0
        self.known_work: list[float] = []


RUN = pytest.StashKey[Run]()


class Question(pytest.Item):
    """A check of a notebook's run as a whole, made in its living kernel."""

    def __init__(self, *, ask: Callable[[IPyNbFile], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ask = ask

    def runtest(self) -> None:
        self.ask(self.parent)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.path.name}: {self.name}"


def start(notebook: IPyNbFile) -> None:
    """Refuse connections from now on; no name is left behind in the reader's namespace.

    Cells are also made part of the kernel's history, as in JupyterLab. nbval leaves them out, and
    then IPython overlooks the semicolon at the end of a cell that hides the cell's value.
    """
    evaluate(notebook, f"exec({CUT_OFF_THE_NETWORK!r}, {{}})")
    folder = tempfile.TemporaryDirectory(prefix="my_liif_")  # its my_liif.py, and nobody else's
    notebook.config.add_cleanup(folder.cleanup)
    evaluate(notebook, f"__import__('os').environ.update(MY_LIIF={folder.name!r})")
    notebook.stash[RUN].computed_before = computed(notebook)
    client = notebook.kernel.kc
    without_history = client.execute
    client.execute = lambda *code, **options: without_history(
        *code, **{**options, "store_history": True}
    )


def no_network(notebook: IPyNbFile) -> None:
    """No cell asked for another machine, not even inside a `try`."""
    attempts = evaluate(notebook, "__import__('sys').network_attempts")
    if attempts != "[]":
        fail(f"a lesson runs without a network, and this one asked for {attempts}")


def exercises(notebook: IPyNbFile) -> None:
    """Every stub fails its checker; in the solutions, every solution passes it."""
    wanted = "✓ Solved." if notebook.path.parent.name == "solutions" else "✗ Not yet"
    for cell in notebook.stash[RUN].cells:
        if "check" in cell.cell.metadata.get("tags", []):
            printed = "".join(output.get("text", "") for output in cell.test_outputs or [])
            if not printed.startswith(wanted):
                fail(f"{cell.name} printed {printed!r}, not “{wanted}”")


def questions(notebook: IPyNbFile) -> None:
    """Every question takes every choice, and answers with the right verdict."""
    call = f"exec({ANSWER_EVERY_QUESTION!r}, made) or made['unexpected'](globals())"
    found = evaluate(notebook, f"(lambda made: {call})({{}})")
    if found != "[]":
        fail(f"a question did not take a choice as it should: {found}")


def memory(notebook: IPyNbFile) -> None:
    """The kernel's peak stays below the budget.

    getrusage would not do: its peak begins with that of the process that started the kernel.
    """
    if sys.platform != "linux":
        pytest.skip("the peak is read from /proc/self/status")
    status = evaluate(notebook, "open('/proc/self/status').read()")
    peak = int(re.findall(r"VmHWM:\\t *(\d+) kB", status)[0]) / 1024
    print(f"{peak:.0f} MiB")  # shown by pytest -rP
    if peak > MEBIBYTES:
        fail(f"the kernel took {peak:.0f} MiB at its peak; the budget is {MEBIBYTES} MiB")


def time_needed(notebook: IPyNbFile) -> None:
    """The cells together stay below the budget.

    The budget is for a machine of its own. Where other work shares the cores, cells take longer,
    but the kernel computes no longer for that: of the two the shorter time counts. On a slower
    core a known piece of work, done before each cell, takes longer as well: the budget grows by as
    much. It never shrinks. Beside another worker of pytest it is twice as long: whoever wants to
    know exactly runs a notebook alone. With CI_TIMING=off in the environment nothing is asserted.
    """
    run = notebook.stash[RUN]
    slower = max(1.0, sum(run.known_work) / len(run.known_work) / KNOWN_WORK_SECONDS)
    needed = min(run.seconds, computed(notebook) - run.computed_before)
    summary = f"{needed:.1f} s on cores {slower:.1f} times slower than an idle one"
    print(f"{summary}; {run.seconds:.1f} s went by")
    if os.environ.get("CI_TIMING") == "off":
        pytest.skip(f"CI_TIMING is off; {summary}")
    budget = SECONDS * (BESIDE_ANOTHER if "PYTEST_XDIST_WORKER" in os.environ else 1)
    if needed > budget * slower:
        fail(f"the cells took {summary}; the budget is {budget} s on that one")


AFTERWARDS = {
    "no network": no_network,
    "exercises": exercises,
    "questions": questions,
    "memory": memory,
    "time": time_needed,
}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the questions around the cells of each notebook."""
    cells: dict[IPyNbFile, list[IPyNbCell]] = {}
    for item in items:
        if isinstance(item, IPyNbCell):
            cells.setdefault(item.parent, []).append(item)
    for notebook, its_cells in cells.items():
        notebook.stash[RUN] = Run()
        first = items.index(its_cells[0])
        items.insert(first, question(notebook, "start", start))
        last = items.index(its_cells[-1])
        items[last + 1 : last + 1] = [question(notebook, *pair) for pair in AFTERWARDS.items()]


def question(notebook: IPyNbFile, name: str, ask: Callable[[IPyNbFile], None]) -> Question:
    """Return a question that pytest runs as an item of the notebook."""
    return Question.from_parent(notebook, name=name, ask=ask)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """Measure each cell, and the machine just before it."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    run = item.parent.stash[RUN]
    run.cells.append(item)
    run.known_work.append(known_work())
    start = time.perf_counter()
    try:
        return (yield)
    finally:
        run.seconds += time.perf_counter() - start


def computed(notebook: IPyNbFile) -> float:
    """Return the seconds that a kernel's threads, and processes it has waited for, computed."""
    return float(evaluate(notebook, "sum(__import__('os').times()[:4])"))


def known_work() -> float:
    """Return the seconds that a core computes a few convolutions: what lessons mostly do."""
    (seconds,) = workers.run(lambda _: convolve(), [None])
    return seconds


@torch.inference_mode()
def convolve() -> float:
    """Convolve some maps; return the seconds that this thread computed, not those it waited."""
    maps = torch.ones(1, 48, 96, 96)
    kernels = torch.ones(48, 48, 3, 3)
    torch.nn.functional.conv2d(maps, kernels, padding=1)  # brings code and memory
    start = time.thread_time()
    for _ in range(3):
        torch.nn.functional.conv2d(maps, kernels, padding=1)
    return time.thread_time() - start


def evaluate(notebook: IPyNbFile, expression: str) -> str:
    """Evaluate an expression in the kernel, which must not be busy, and return its repr."""
    if not notebook.kernel.is_alive():
        fail("the kernel has died")
    reply = notebook.kernel.kc.execute_interactive(
        "",
        silent=True,
        store_history=False,
        allow_stdin=False,
        user_expressions={"value": expression},
        timeout=300,
        output_hook=lambda message: None,
    )
    value = reply["content"]["user_expressions"]["value"]
    if value["status"] != "ok":
        fail(f"the kernel could not answer: {value['evalue']}")
    return value["data"]["text/plain"]


def fail(message: str) -> NoReturn:
    """Fail with nothing but the message."""
    pytest.fail(message, pytrace=False)
