"""How much memory a pupil's kernel takes: `python benchmarks/memory.py`.

A lesson is run from top to bottom in a kernel of its own, as Run All does; then Linux is asked what
its process holds (`/proc/PID/smaps_rollup`). Another kernel of the course, which has imported what
lessons import and waits, is there all the time: only beside a neighbour does Linux know which pages
are shared. On a server for a class four numbers count, in MB (10⁶ bytes):

- own: pages that this kernel alone has (USS: Private_Clean + Private_Dirty). Each further pupil
  takes this much.
- fair: the same, and of each shared page the part that falls to each kernel that has it (PSS).
- all: with all of the shared pages, libraries mostly (RSS). The first pupil's.
- peak: the most that it ever held while it ran (of all: VmHWM). A limit has to be above it.

    python benchmarks/memory.py                     # lessons 00, 03, 05 and 09 of this checkout
    python benchmarks/memory.py --against DIR       # in turn with another checkout
    python benchmarks/memory.py --lessons 07 12     # of others
    python benchmarks/memory.py --cells 05          # what each cell of one adds
"""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
LESSONS = ("00", "03", "05", "09")


#: What lessons import, and a line to say that it is done.
NEIGHBOUR = "import torch, matplotlib.pyplot, liif_core.render, liif_core.widgets"


@dataclass(frozen=True)
class Held:
    """What a process holds, in MB.

    Attributes:
        own: in pages that no other process has.
        fair: with its part of the pages that others have, too.
        all: with all of those.
        peak: the most that it ever held of these.
    """

    own: float
    fair: float
    all: float
    peak: float


def held(process: int) -> Held:
    """Return what a process holds now. Linux only."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    status = Path(f"/proc/{process}/status").read_text()

    def megabytes(name: str, text: str) -> float:
        (found,) = re.findall(rf"^{name}: *\t? *(\d+) kB", text, re.MULTILINE)
        return int(found) * 1024 / 1e6

    own = megabytes("Private_Clean", rollup) + megabytes("Private_Dirty", rollup)
    whole = megabytes("Rss", rollup), megabytes("VmHWM", status)
    return Held(own, megabytes("Pss", rollup), *whole)


@contextmanager
def a_neighbour() -> Iterator[None]:
    """Keep another kernel of the course beside those that are measured."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=120)
        reply = client.execute_interactive(NEIGHBOUR, timeout=300, silent=True)
        if reply["content"]["status"] != "ok":
            sys.exit(f"the neighbour's kernel cannot import: {reply['content']}")
        client.stop_channels()
        yield
    finally:
        manager.shutdown_kernel(now=True)


def run_lesson(
    build: Path, number: str, told: Callable[[str, Held], None] = lambda cell, now: None
) -> Held:
    """Run a lesson of a checkout; return what its kernel holds in the end.

    Args:
        build: the folder of the checkout. Its kernel is started as JupyterLab would there.
        number: of the lesson, such as "05".
        told: is given each code cell that has run, and what the kernel holds then.
    """
    (path,) = build.glob(f"notebooks/{number}_*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as mine:
        environment = {**os.environ, "PYTHONPATH": str(build), "MY_LIIF": mine}
        manager = KernelManager(kernel_name="python3")
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=600,
            resources={"metadata": {"path": str(path.parent)}},
        )
        with client.setup_kernel(env=environment):
            process = manager.provisioner.process.pid
            where = _ask(client, "__import__('liif_core').__file__")
            if Path(where).parent != build / "liif_core":
                sys.exit(f"liif_core was not imported from {build}, but from {where}")
            told("import liif_core", held(process))
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
                if cell.cell_type == "code":
                    told(cell.source, held(process))
            return held(process)


def _ask(client: NotebookClient, expression: str) -> str:
    """Return the value of an expression in the kernel, a text, which tells no history of it."""
    reply = client.kc.execute(
        "", silent=True, user_expressions={"value": expression}, reply=True, timeout=120
    )
    return str(reply["content"]["user_expressions"]["value"]["data"]["text/plain"]).strip("'")


def cells_of(build: Path, number: str) -> str:
    """Return a line for each cell of a lesson: what the kernel holds after it."""
    lines = ["   own   fair    all   peak  after"]

    def told(source: str, now: Held) -> None:
        line = next((line for line in source.splitlines() if line.strip()), "")
        lines.append(f"{now.own:6.0f} {now.fair:6.0f} {now.all:6.0f} {now.peak:6.0f}  {line[:70]}")

    run_lesson(build, number, told)
    return "\n".join(lines)


def table(builds: list[Path], lessons: list[str], rounds: int) -> str:
    """Return Markdown: medians of each lesson, and what the other checkout takes of the first."""
    others = len(builds) - 1
    lines = ["| lesson | own | fair | all | peak |" + " other's own | fair | all | peak |" * others]
    lines += ["|-|-|-|-|-|" + "-|-|-|-|" * others]
    for lesson in lessons:
        found: dict[Path, list[Held]] = {build: [] for build in builds}
        for _ in range(rounds):
            for build in builds:
                found[build].append(run_lesson(build, lesson))
                print(lesson, build, found[build][-1], file=sys.stderr, flush=True)
        cells = [
            f"{median(getattr(one, name) for one in runs):.0f}"
            for runs in found.values()
            for name in ("own", "fair", "all", "peak")
        ]
        lines.append(f"| {lesson} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout")
    parser.add_argument("--lessons", nargs="+", default=list(LESSONS), help="their numbers")
    parser.add_argument("--rounds", type=int, default=1, help="how often to run each")
    parser.add_argument("--cells", metavar="LESSON", help="show each cell of one lesson instead")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        sys.exit("memory is read from /proc, which only Linux has")
    builds = [ROOT, *([options.against.resolve()] if options.against else [])]
    with a_neighbour():
        if options.cells:
            print(cells_of(ROOT, options.cells))
        else:
            print(table(builds, options.lessons, options.rounds))


if __name__ == "__main__":
    main()
