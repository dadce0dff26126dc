"""What becomes of the speed when the machine is busy: `python benchmarks/busy.py`.

Every reader has a browser beside the kernel, and on a class server everybody has neighbours. Here
three things that people wait for are timed, on a quiet machine and beside programs that keep every
core busy: a frame of the zoom explorer, a photo zoomed from the command line, and a lesson. Then
four readers run the lesson at once.

    python benchmarks/busy.py                   # this checkout
    python benchmarks/busy.py --against DIR     # in turn with another checkout; ratios of medians
    python benchmarks/busy.py --quick           # does it work? Its numbers mean nothing
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from PIL import Image

ROOT = Path(__file__).parent.parent
LESSON = "notebooks/05_ten_times_and_beyond.ipynb"

#: How many readers run the lesson at once, in the end.
READERS = 4

#: Two kinds of neighbours: one that computes in registers, one that fights for the caches, too.
NEIGHBOURS = (
    "while True: pass",
    "import numpy as np\na = np.ones((500, 500))\nwhile True: a @ a",
)


@dataclass(frozen=True)
class Row:
    """What was measured of one task, in seconds.

    Attributes:
        task: its name.
        neighbours: busy programs per core.
        new: this checkout.
        old: the other one, if there is one.
    """

    task: str
    neighbours: int
    new: list[float]
    old: list[float]


@dataclass(frozen=True)
class Sizes:
    """How much to measure: (height, width) of the explorer's screen and of the photo to zoom."""

    screen: tuple[int, int] = (480, 640)
    photo: tuple[int, int] = (384, 512)
    frames: int = 5
    loads: tuple[int, ...] = (0, 1, 2)
    lesson: bool = True


QUICK = Sizes((30, 40), (18, 24), frames=1, loads=(0, 1), lesson=False)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def neighbours(per_core: int) -> Iterator[None]:
    """Keep every core busy with other programs within this context."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with ExitStack() as stack:
        for number in range(per_core * cores()):
            command = [sys.executable, "-c", NEIGHBOURS[number % len(NEIGHBOURS)]]
            process = stack.enter_context(subprocess.Popen(command, env=environment))
            stack.callback(process.kill)
        time.sleep(1 if per_core else 0)  # until they have begun
        yield


def environment_of(build: Path) -> dict[str, str]:
    """Return an environment in which Python imports `liif_core` from a checkout."""
    return {**os.environ, "PYTHONPATH": str(build)}


def timed(command: list[str], build: Path, limit: float) -> float:
    """Return the seconds that a command takes, or `limit` if it takes longer."""
    start = time.perf_counter()
    try:
        subprocess.run(
            command,
            cwd=build,
            env=environment_of(build),
            check=True,
            capture_output=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        return limit
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(command)}\n{error.stderr.decode()}")
    return time.perf_counter() - start


def frame(build: Path, sizes: Sizes, limit: float) -> float:
    """Return the median time of a frame of the explorer at ×12, its tiles encoded already."""
    command = [sys.executable, __file__, "--frame", *map(str, sizes.screen), str(sizes.frames)]
    start = subprocess.Popen(
        command, env=environment_of(build), stdout=subprocess.PIPE, text=True, cwd=build
    )
    with start as process:
        try:
            out, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
    lines = out.splitlines()
    if not lines or Path(lines[0]) != build / "liif_core":
        sys.exit(f"liif_core was not imported from {build}: {lines[:1]}")
    return median(map(float, lines[1:])) if lines[1:] else limit


def show_frames(height: int, width: int, count: int) -> None:
    """Print where `liif_core` lies, and then what `frame` reads, a frame a line."""
    import liif_core
    from liif_core.explorer import ExploredPhoto, Side, Viewport
    from liif_core.photos import photo_from
    from liif_core.samples import sample_photo
    from liif_core.weights import load_model

    print(Path(liif_core.__file__).parent, flush=True)
    model = load_model("liif-edsr-small", "cpu")
    ready = ExploredPhoto(photo_from(sample_photo("portrait")), {"LIIF": model})
    view, side = Viewport(ready.size, (height, width), (0.1, 0.1), 12), Side("LIIF")
    ready.picture(view, side)
    for number in range(1, count + 1):
        # By a part of a pixel, so that nothing that was shown before can be shown again.
        moved = view.panned(0.37 * number, 0.37 * number)
        start = time.perf_counter()
        ready.picture(moved, side)
        print(time.perf_counter() - start, flush=True)


def zoom(build: Path, sizes: Sizes, limit: float) -> float:
    """Return the time of `liif zoom --scale 4`, from the start of Python on."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.png"
        height, width = sizes.photo
        Image.effect_noise((width, height), 80).convert("RGB").save(photo)
        command = [sys.executable, "-m", "liif_core", "zoom", str(photo), "--scale", "4"]
        return timed(command, build, limit)


def lesson_command(folder: str) -> list[str]:
    """Return what runs the lesson, and puts the result into a folder."""
    convert = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute"]
    return [*convert, "--output-dir", folder, LESSON]


def lesson(build: Path, sizes: Sizes, limit: float) -> float:
    """Return the time of a lesson, kernel and all."""
    with tempfile.TemporaryDirectory() as folder:
        return timed(lesson_command(folder), build, limit)


def lessons_at_once(build: Path, limit: float) -> float:
    """Return the time until `READERS` lessons, begun at once, have all ended."""
    start = time.perf_counter()
    with ExitStack() as stack:
        running = []
        for _ in range(READERS):
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            process = subprocess.Popen(
                lesson_command(folder),
                cwd=build,
                env=environment_of(build),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            running.append(stack.enter_context(process))
        for process in running:
            try:
                if process.wait(max(0.1, limit - (time.perf_counter() - start))):
                    sys.exit(f"{build / LESSON} failed beside others")
            except subprocess.TimeoutExpired:
                for late in running:
                    late.terminate()
                return limit
    return time.perf_counter() - start


def measure(builds: list[Path], sizes: Sizes, rounds: int, limit: float) -> list[Row]:
    """Measure everything, the checkouts in turn."""
    tasks: dict[str, Callable[[Path, Sizes, float], float]]
    tasks = {"explorer frame": frame, "liif zoom": zoom}
    if sizes.lesson:
        tasks["lesson 05"] = lesson

    def in_turn(task: str, load: int, once: Callable[[Path], float]) -> Row:
        found: list[list[float]] = [[], []]
        for _ in range(rounds):
            for build, times in zip(builds, found, strict=False):
                times.append(once(build))
        row = Row(task, load, *found)
        print(row, file=sys.stderr, flush=True)
        return row

    rows = []
    for load in sizes.loads:
        with neighbours(load):
            for name, task in tasks.items():
                rows.append(in_turn(name, load, lambda build, t=task: t(build, sizes, limit)))
    if sizes.lesson:
        name = f"{READERS} lessons at once"
        rows.append(in_turn(name, 0, lambda build: lessons_at_once(build, limit)))
    return rows


def table(rows: list[Row], limit: float) -> str:
    """Return Markdown: medians, how many times the quiet time, and ratios of the checkouts."""
    quiet = {row.task: median(row.new) for row in reversed(rows) if row.neighbours == 0}
    lines = [
        "| task | busy neighbours per core | seconds | times its quiet time | other checkout, s "
        "| times faster |",
        "|-|-|-|-|-|-|",
    ]
    for row in rows:
        new = median(row.new)
        old = f"{_time(median(row.old), limit)} | {median(row.old) / new:.1f}" if row.old else "| "
        lines.append(
            f"| {row.task} | {row.neighbours} | {_time(new, limit)} "
            f"| {new / quiet[row.task]:.1f} | {old} |"
        )
    return "\n".join(lines)


def _time(seconds: float, limit: float) -> str:
    return f"over {limit:g}" if seconds >= limit else f"{seconds:.2f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work?")
    parser.add_argument("--rounds", type=int, default=3, help="how often to measure each")
    parser.add_argument("--limit", type=float, default=300, help="seconds to wait for one task")
    parser.add_argument("--json", type=Path, help="write the numbers to this file, too")
    parser.add_argument("--frame", nargs=3, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.frame:
        show_frames(*options.frame)
        return
    builds = [ROOT, *([options.against.resolve()] if options.against else [])]
    sizes, rounds = (QUICK, 1) if options.quick else (Sizes(), options.rounds)
    rows = measure(builds, sizes, rounds, options.limit)
    print(f"{cores()} cores, medians of {rounds}\n\n{table(rows, options.limit)}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
