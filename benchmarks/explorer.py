"""How fast the zoom explorer answers: `python benchmarks/explorer.py`.

A scripted zoom from the whole photo to ×64, about a point off the middle: at each step the coarse
frame that follows the hand, then the full one. What is timed is what the kernel does for a frame,
from question to encoded picture; the tiles that the encoder reads are timed apart, since each is
read once. Wall time counts for the reader; CPU time says what the frame costs where other programs
take the processor away.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from liif_core.baselines import resize
from liif_core.explorer import ExploredPhoto, Side, Viewport
from liif_core.explorer.messages import answer
from liif_core.photos import photo_from
from liif_core.samples import sample_photo
from liif_core.weights import load_model

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


def main() -> None:
    """Run the script and print, or write, the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="liif-edsr-small")
    parser.add_argument("--screen", default="640x480", help="WIDTHxHEIGHT in pixels")
    parser.add_argument("--photo-side", type=int, default=512, help="longer side of the photo")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the numbers to this file, too")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    width, height = map(int, options.screen.split("x"))
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
