"""How fast the zoom explorer answers: `python benchmarks/explorer.py`.

A scripted zoom from the whole photo to ×64, about a point off the middle: at each step the coarse
frame that follows the hand, then the full one. What is timed is what the kernel does for a frame,
from question to encoded picture; the tiles that the encoder reads are timed apart, since each is
read once. Wall time counts for the reader; CPU time says what the frame costs where other programs
take the processor away.

    python benchmarks/explorer.py                   # the scripted zoom
    python benchmarks/explorer.py --against DIR     # frames that move, and of another checkout
    python benchmarks/explorer.py --heat heat-edsr-small       # and with a heat field

The last two ask for frames that move, at full resolution, each a part of a pixel from the one
before, so that none shows what is computed already; tiles are encoded already. A row is a median of
times that were taken in turn, in processes of their own.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from liif_core.baselines import resize
from liif_core.explorer import ExploredPhoto, Side, Viewport, messages
from liif_core.explorer.messages import answer
from liif_core.photos import photo_from
from liif_core.samples import sample_photo
from liif_core.weights import load_model

ROOT = Path(__file__).parent.parent

#: Magnifications at which frames move: a heat field gains by whole ones.
MOVING = (12.0, 11.7, 4.0)

#: Screen pixels, down and right, from one of these frames to the next.
PAN = 0.37

#: What the explorer is meant to reach on two CPU cores, in milliseconds.
GOALS = {"coarse": 120, "full": 500}


@dataclass
class Timing:
    """What one kind of answer took, in milliseconds."""

    wall: list[float]
    cpu: list[float]

    def summary(self) -> dict[str, float]:
        """Return medians and the 90th percentile."""
        return {
            "count": len(self.wall),
            "wall_median": median(self.wall),
            "wall_p90": float(np.percentile(self.wall, 90)),
            "cpu_median": median(self.cpu),
        }


def ask(ready: ExploredPhoto, timing: Timing, question: dict[str, Any]) -> dict[str, Any]:
    """Answer a question and note what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    found, _ = answer(ready, question)
    timing.wall.append(1000 * (time.perf_counter() - wall))
    timing.cpu.append(1000 * (time.process_time() - cpu))
    return found


def scripted_zoom(ready: ExploredPhoto, screen: tuple[int, int], steps: int) -> dict[str, Timing]:
    """Zoom from the whole photo to ×64 in even steps; return what each kind of answer took."""
    timings = {kind: Timing([], []) for kind in ("tile", "coarse", "full", "bicubic full")}
    view = Viewport(ready.size, screen)
    factor = (64 / max(view.magnification, 1)) ** (1 / (steps - 1))
    view = view.zoomed(max(1.0, 1 / view.magnification))  # below ×1 no LIIF is asked
    for _ in range(steps):
        where = {"centre": view.centre, "magnification": view.magnification, "screen": screen}
        question = {"type": "frame", "view": where, "side": vars(Side("LIIF"))}
        coarse, full = {"coarse": True, "lossless": False}, {"coarse": False, "lossless": True}
        reads = 0
        while ready.tiles(view, Side("LIIF"))[0]:
            ask(ready, timings["tile"], {**question, **coarse, "reads": reads or 1})
            reads += 1
        ask(ready, timings["coarse"], {**question, **coarse, "reads": reads})
        ask(ready, timings["full"], {**question, **full, "reads": reads})
        baseline = {**question, **full, "reads": 0, "side": vars(Side("bicubic"))}
        ask(ready, timings["bicubic full"], baseline)
        view = view.zoomed(factor, (0.4 * screen[0], 0.55 * screen[1]))
    return timings


def show_moving(weights: str, height: str, width: str, threads: str) -> None:
    """Print where `liif_core` lies; then a frame's wall and CPU ms for each line that is read: its
    magnification and number."""
    import liif_core

    torch.set_num_threads(int(threads))
    messages.COARSE_PIXELS = 1 << 40  # all in full resolution, however long it takes
    vars(messages)["BUDGET"] = 1e9
    photo = photo_from(sample_photo("portrait"))
    ready = ExploredPhoto(photo, {"LIIF": load_model(weights, "cpu")})
    print(Path(liif_core.__file__).parent, flush=True)
    screen, side = (int(height), int(width)), Side("LIIF")
    for line in sys.stdin:
        magnification, number = map(float, line.split())
        view = Viewport(ready.size, screen, (0.1, 0.1), magnification)
        view = view.panned(PAN * number, PAN * number)
        where = {"centre": view.centre, "magnification": view.magnification, "screen": screen}
        how = {"coarse": True, "lossless": False, "reads": 1 << 20}
        while ready.tiles(view, side)[0]:
            ready.read(side, ready.tiles(view, side)[0][0])
        timing = Timing([], [])
        ask(ready, timing, {"type": "frame", "view": where, "side": vars(side), **how})
        print(timing.wall[0], timing.cpu[0], flush=True)


class Moving:
    """A process that answers frames of one checkout and one model.

    Args:
        build: the checkout.
        weights: name or path.
        screen: (height, width).
        threads: of it.
        stack: ends it.
    """

    def __init__(
        self, build: Path, weights: str, screen: tuple[int, int], threads: int, stack: ExitStack
    ) -> None:
        here = [__file__, "--moving", weights, *map(str, (*screen, threads))]
        environment = {**os.environ, "PYTHONPATH": str(build)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        started = subprocess.Popen([sys.executable, *here], env=environment, cwd=build, **pipes)
        self.process = stack.enter_context(started)
        if Path(self._read()) != build / "liif_core":
            sys.exit(f"liif_core was not imported from {build}")

    def frame(self, magnification: float, number: int) -> list[float]:
        """Return the milliseconds that a frame takes: wall, and CPU."""
        assert self.process.stdin
        print(magnification, number, file=self.process.stdin, flush=True)
        return [float(value) for value in self._read().split()]

    def _read(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()


def compare_moving(options: argparse.Namespace, screen: tuple[int, int]) -> list[dict[str, Any]]:
    """Time frames that move, in turn; return a row for each threads, magnification and model."""
    asked = {"this checkout": (ROOT, options.weights)}
    if options.against:
        asked = {"other checkout": (options.against.resolve(), options.weights), **asked}
    if options.heat:
        asked["heat field"] = (ROOT, options.heat)
    rows = []
    for threads in sorted({1, options.threads}):
        with ExitStack() as stack:
            ready = {
                name: Moving(build, weights, screen, threads, stack)
                for name, (build, weights) in asked.items()
            }
            for magnification in MOVING:
                taken: dict[str, list[list[float]]] = {name: [] for name in ready}
                for number in range(options.rounds + 1):
                    for name, process in ready.items():
                        times = process.frame(magnification, number)
                        if number:  # the first one reads tiles, and wakes much
                            taken[name].append(times)
                medians = {
                    name: [median(column) for column in zip(*times, strict=True)]
                    for name, times in taken.items()
                }
                first = next(iter(medians.values()))
                for name, (wall, cpu) in medians.items():
                    row = {"threads": threads, "magnification": magnification, "what": name}
                    faster = {"faster": first[0] / wall, "faster_cpu": first[1] / cpu}
                    rows.append({**row, "ms": wall, "cpu_ms": cpu, **faster})
    return rows


def main() -> None:
    """Run the script and print, or write, the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="liif-edsr-small")
    parser.add_argument("--screen", default="640x480", help="WIDTHxHEIGHT in pixels")
    parser.add_argument("--photo-side", type=int, default=512, help="longer side of the photo")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the numbers to this file, too")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout")
    parser.add_argument("--heat", metavar="WEIGHTS", help="a heat field's weights, by name or path")
    parser.add_argument("--rounds", type=int, default=15, help="frames of each that move")
    parser.add_argument("--moving", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.moving:
        show_moving(*options.moving)
        return
    width, height = map(int, options.screen.split("x"))
    if options.against or options.heat:
        rows = compare_moving(options, (height, width))
        print(f"{options.weights}, frames that move, {width}×{height}\n")
        print("| threads | | | ms | times as fast | CPU, ms | times less |\n|-|-|-|-|-|-|-|")
        for row in rows:
            print(
                f"| {row['threads']} | ×{row['magnification']:g} | {row['what']} "
                f"| {row['ms']:.0f} | {row['faster']:.2f} "
                f"| {row['cpu_ms']:.0f} | {row['faster_cpu']:.2f} |"
            )
        if options.json:
            options.json.write_text(json.dumps(rows, indent=1) + "\n")
        return
    torch.set_num_threads(options.threads)
    photo = sample_photo("portrait")
    scale = options.photo_side / max(photo.shape[:2])
    photo = resize(photo, *(round(side * scale) for side in photo.shape[:2]), "bicubic")
    ready = ExploredPhoto(photo_from(photo), {"LIIF": load_model(options.weights, "cpu")})
    timings = scripted_zoom(ready, (height, width), options.steps)
    table = {kind: timing.summary() for kind, timing in timings.items()}
    print(
        f"{options.weights}, photo {photo.shape[1]}×{photo.shape[0]}, screen {width}×{height}, "
        f"{options.steps} steps from ×1 or the whole photo to ×64, {options.threads} threads"
    )
    print(f"{'answer':14}{'count':>6}{'wall ms':>10}{'p90':>8}{'CPU ms':>9}  goal")
    for kind, row in table.items():
        goal = f"≤ {GOALS[kind]} ms" if kind in GOALS else ""
        print(
            f"{kind:14}{row['count']:6.0f}{row['wall_median']:10.1f}{row['wall_p90']:8.1f}"
            f"{row['cpu_median']:9.1f}  {goal}"
        )
    ratio = table["full"]["wall_median"] / table["bicubic full"]["wall_median"]
    print(f"a full LIIF frame takes {ratio:.1f} times as long as a bicubic one")
    if options.json:
        options.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
