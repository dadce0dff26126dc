"""How much sooner than a LIIF does a heat field answer, on codes that an encoder has read?

Both decoders are asked for the same results in turn, in one run, and the medians' ratio is shown:
at whole magnifications, where a heat field is one matrix, and at others, where it is not. What the
numbers in the weights are does not change the time: the heat field's are random.

    python benchmarks/decoders.py            # a table
    python benchmarks/decoders.py --quick    # does it work? Its numbers mean nothing

Exit status 1: a ratio is below `FLOORS`.
"""

import argparse
import statistics
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch

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


def times(case: Case, turns: int) -> list[float]:
    """Return the median seconds that each decoder takes for a case."""
    photo = np.random.default_rng(0).random((case.height, case.width, 3), dtype=np.float32)
    views = [ContinuousPhoto(model, photo) for model in models(1)]
    taken: list[list[float]] = [[] for _ in views]
    for view in views:
        view.render(*case.out)  # from here on its tiles are encoded
    for _ in range(turns):
        for view, seconds in zip(views, taken, strict=True):
            start = time.perf_counter()
            view.render(*case.out)
            seconds.append(time.perf_counter() - start)
    return [statistics.median(seconds) for seconds in taken]


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work?")
    parser.add_argument("--threads", type=int, help="default: what this process may use")
    options = parser.parse_args()
    part = 16 if options.quick else 1
    sizes = ((384, 512, 4), (109, 128, 12), (109, 128, 11.7), (384, 512, 1.3))
    cases = [Case(height // part, width // part, scale) for height, width, scale in sizes]
    print("| photo | scale | LIIF, ms | heat field, ms | times as fast |\n|-|-|-|-|-|")
    failed = 0
    with workers.limited_to(options.threads):
        for case in cases:
            liif, heat = times(case, 1 if options.quick else 7)
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
