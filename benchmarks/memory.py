"""How much memory a pupil's kernel takes: `python benchmarks/memory.py`.

A lesson is run from top to bottom in a kernel of its own, as Run All does; then Linux is asked what
its process holds. On a server for a class three numbers count, in MB (10⁶ bytes):

- own: what this kernel alone can hold (anonymous pages: USS beside another kernel of the course).
  Each further pupil takes this much.
- all: with the pages of files, libraries mostly, that it shares with other kernels (RSS). The first
  pupil's.
- peak: the most that it ever held while it ran (of all). A limit has to be above it.

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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
LESSONS = ("00", "03", "05", "09")


@dataclass(frozen=True)
class Held:
    """What a process holds, in MB.

    Attributes:
        own: in pages that are of no file, so that no other process has them.
        all: with the pages of files, which others may have, too.
        peak: the most that it ever held of these.
    """

    own: float
    all: float
    peak: float


def held(process: int) -> Held:
    """Return what a process holds now. Linux only."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    status = Path(f"/proc/{process}/status").read_text()

    def megabytes(name: str, text: str) -> float:
        (found,) = re.findall(rf"^{name}: *\t? *(\d+) kB", text, re.MULTILINE)
        return int(found) * 1024 / 1e6

    return Held(
        megabytes("Anonymous", rollup), megabytes("Rss", rollup), megabytes("VmHWM", status)
    )


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
    lines = ["   own    all   peak  after"]

    def told(source: str, now: Held) -> None:
        line = next((line for line in source.splitlines() if line.strip()), "")
        lines.append(f"{now.own:6.0f} {now.all:6.0f} {now.peak:6.0f}  {line[:70]}")

    run_lesson(build, number, told)
    return "\n".join(lines)


def table(builds: list[Path], lessons: list[str], rounds: int) -> str:
    """Return Markdown: medians of each lesson, and what the other checkout takes of the first."""
    lines = ["| lesson | own | all | peak |" + " other's own | all | peak |" * (len(builds) - 1)]
    lines += ["|-|-|-|-|" + "-|-|-|" * (len(builds) - 1)]
    for lesson in lessons:
        found: dict[Path, list[Held]] = {build: [] for build in builds}
        for _ in range(rounds):
            for build in builds:
                found[build].append(run_lesson(build, lesson))
                print(lesson, build, found[build][-1], file=sys.stderr, flush=True)
        cells = [
            f"{median(getattr(one, name) for one in runs):.0f}"
            for runs in found.values()
            for name in ("own", "all", "peak")
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
    if options.cells:
        print(cells_of(ROOT, options.cells))
        return
    builds = [ROOT, *([options.against.resolve()] if options.against else [])]
    print(table(builds, options.lessons, options.rounds))


if __name__ == "__main__":
    main()
