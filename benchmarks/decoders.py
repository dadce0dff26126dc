"""How much sooner than a LIIF does a heat field answer, on codes that an encoder has read?

Both decoders are asked for the same results in turn, in one run, and the medians' ratio is shown:
at whole magnifications, where a heat field is one matrix, and at others, where it is not. What the
numbers in the weights are does not change the time: the heat field's are random.

    python benchmarks/decoders.py            # a table
    python benchmarks/decoders.py --against DIR      # beside the LIIF of another checkout
    python benchmarks/decoders.py --quick    # does it work? Its numbers mean nothing

Exit status 1: a ratio is below `FLOORS`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import liif_core
from liif_core import workers
from liif_core.liif import LIIFConfig
from liif_core.models import CONFIGS, Model, build
from liif_core.render import ContinuousPhoto

#: Times as fast that a heat field must be, by magnification. A LIIF answers 1.3 to 1.4 times as
#: fast as when `addmm` and ReLU decoded it: so much less is left of the heat field's lead.
FLOORS = {4: 5.5, 12: 8.0, 11.7: 2.8}


@dataclass(frozen=True)
class Case:
    """A photo's height and width, and its magnification."""

    height: int
    width: int
    scale: float

    @property
    def out(self) -> tuple[int, int]:
        """Height and width of the result."""
        return round(self.height * self.scale), round(self.width * self.scale)


def models(blocks: int) -> tuple[Model, Model]:
    """Return a LIIF as it is shipped, and a heat field; of both, the encoder is made short."""
    torch.manual_seed(0)
    liif, heat = CONFIGS["liif-edsr"], CONFIGS["heat-edsr"]
    assert isinstance(liif, LIIFConfig)
    config = LIIFConfig.from_dict({**liif.to_dict(), "blocks": blocks})
    short = type(heat).from_dict({**heat.to_dict(), "blocks": blocks})
    found = build(config), build(short)
    return tuple(model.eval().requires_grad_(False) for model in found)  # type: ignore[return-value]


def opened(model: Model, case: Case) -> Callable[[], float]:
    """Return what decodes a case once and tells the seconds; its tiles are encoded already."""
    photo = np.random.default_rng(0).random((case.height, case.width, 3), dtype=np.float32)
    view = ContinuousPhoto(model, photo)
    view.render(*case.out)

    def once() -> float:
        start = time.perf_counter()
        view.render(*case.out)
        return time.perf_counter() - start

    return once


def show_liif(threads: int | None) -> None:
    """Print where `liif_core` lies; then a LIIF's seconds for each case that is read, and again for
    each empty line."""
    print(Path(liif_core.__file__).parent, flush=True)
    once: Callable[[], float] | None = None
    with workers.limited_to(threads):
        for line in sys.stdin:
            if line.strip():
                height, width, scale = line.split()
                once = opened(models(1)[0], Case(int(height), int(width), float(scale)))
            assert once
            print(once(), flush=True)


def elsewhere(build: Path, threads: int | None, stack: ExitStack) -> Callable[[str], float]:
    """Start a process that decodes by the LIIF of another checkout; return how to ask it."""
    asked = [sys.executable, __file__, "--liif", *(["--threads", str(threads)] if threads else [])]
    environment = {**os.environ, "PYTHONPATH": str(build)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = stack.enter_context(subprocess.Popen(asked, env=environment, cwd=build, **pipes))
    if Path(process.stdout.readline().strip()) != build / "liif_core":
        sys.exit(f"liif_core was not imported from {build}")

    def ask(line: str) -> float:
        print(line, file=process.stdin, flush=True)
        return float(process.stdout.readline())

    return ask


def times(case: Case, turns: int, other: Callable[[str], float] | None = None) -> list[float]:
    """Return the median seconds that each decoder takes for a case.

    Args:
        other: asks another checkout's LIIF; None: this one's.
    """
    liif, heat = models(1)
    if other:
        other(f"{case.height} {case.width} {case.scale}")
        asked = [lambda: other(""), opened(heat, case)]
    else:
        asked = [opened(model, case) for model in (liif, heat)]
    taken = [[once() for once in asked] for _ in range(turns)]
    return [statistics.median(seconds) for seconds in zip(*taken, strict=True)]


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work?")
    parser.add_argument("--threads", type=int, help="default: what this process may use")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout's LIIF")
    parser.add_argument("--liif", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.liif:
        show_liif(options.threads)
        return 0
    part = 16 if options.quick else 1
    sizes = ((384, 512, 4), (109, 128, 12), (109, 128, 11.7), (384, 512, 1.3))
    cases = [Case(height // part, width // part, scale) for height, width, scale in sizes]
    print("| photo | scale | LIIF, ms | heat field, ms | times as fast |\n|-|-|-|-|-|")
    failed = 0
    with workers.limited_to(options.threads), ExitStack() as stack:
        build = options.against and options.against.resolve()
        other = elsewhere(build, options.threads, stack) if build else None
        for case in cases:
            liif, heat = times(case, 1 if options.quick else 7, other)
            print(
                f"| {case.width}×{case.height} | ×{case.scale:g} | {1e3 * liif:.0f} "
                f"| {1e3 * heat:.0f} | {liif / heat:.1f} |"
            )
            least = FLOORS.get(case.scale, 0.0)
            if not options.quick and liif / heat < least:
                print(f"{case}: less than {least} times as fast", file=sys.stderr)
                failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
