"""How much of a training step is arithmetic that nothing can avoid?

One step of a recipe is run as `liif train` runs it, batches being cut in the background. Every
convolution and matrix product in it, forward and backward and in the optimiser, is recorded with
its shapes, strides and dtype, and then timed alone, on the same threads, in the same run. The share
is the sum of those times over the time of a step: what is missing to 100 % is spent elsewhere.

    python benchmarks/training.py --config liif-edsr --threads 2
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from liif_core.samples import sample_photo
from liif_core.training.pairs import batches
from liif_core.training.recipe import load_recipe
from liif_core.training.trainer import Place, Run

PHOTOS = ("astronaut", "coffee", "cat", "rocket")


class Products(TorchDispatchMode):
    """Counts the operations that PyTorch's own FLOP counter counts, by what they are given."""

    def __init__(self):
        super().__init__()
        self.calls = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run the operation, and note it if it is a convolution or a matrix product."""
        if function.overloadpacket in flop_registry:
            self.calls[function, _frozen(args)] += 1
        return function(*args, **(kwargs or {}))


def _frozen(value):
    """Replace tensors by what decides their speed, and lists by tuples, which can be counted."""
    if isinstance(value, torch.Tensor):
        return "tensor", tuple(value.shape), value.stride(), value.dtype
    if isinstance(value, list | tuple):
        return tuple(_frozen(part) for part in value)
    return value


def _is_tensor(value):
    return isinstance(value, tuple) and value[:1] == ("tensor",)


def _thawed(value):
    """Make random tensors again; tuples remain tuples, which operations take as lists."""
    if _is_tensor(value):
        _, shape, stride, dtype = value
        return torch.empty_strided(shape, stride, dtype=dtype).normal_()
    if isinstance(value, tuple):
        return [_thawed(part) for part in value]
    return value


def alone(function, frozen, threads):
    """Return (median seconds, FLOPs) of one operation run on its own."""
    args = _thawed(frozen)
    with FlopCounterMode(display=False) as counter:
        function(*args)
    timer = Timer("f(*a)", globals={"f": function, "a": args}, num_threads=threads)
    return timer.blocked_autorange(min_run_time=0.3).median, counter.get_total_flops()


def steps_of(run, number):
    """Take `number` steps; return (seconds of each, the products of one more)."""
    source = batches(run.sampler, 0)
    for _ in range(3):  # the first steps allocate
        run.advance(next(source))
    with Products() as products:
        run.advance(next(source))
    seconds = []
    for _ in range(number):
        start = time.perf_counter()
        run.advance(next(source))
        seconds.append(time.perf_counter() - start)
    source.close()
    return seconds, products.calls


def measure(config, threads, number):
    """Print a table for one recipe."""
    recipe = load_recipe(config)
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        for name in PHOTOS:
            Image.fromarray(sample_photo(name)).save(photos / f"{name}.png")
        out, place = Path(folder) / "run", Place(0, 1, torch.device("cpu"))
        run = Run(recipe, photos, out, val=None, init=None, resume=False, place=place)
        seconds, calls = steps_of(run, number)
    rows = []
    for (function, args), count in calls.items():
        each, flops = alone(function, args, threads)
        rows.append((count * each, count * flops, count, function.overloadpacket.__name__, args))
    rows.sort(key=lambda row: row[0], reverse=True)
    print(f"\n{config}, {recipe.batch} × {recipe.patch}×{recipe.patch}, {threads} threads")
    print(f"{'alone, ms':>10} {'GFLOP/s':>8} {'calls':>6}  operation")
    for took, work, count, name, args in rows[:8]:
        shapes = " ".join("×".join(map(str, a[1])) for a in args if _is_tensor(a))
        print(f"{1e3 * took:10.1f} {work / took / 1e9:8.0f} {count:6}  {name} {shapes}")
    took, work = (sum(row[i] for row in rows) for i in (0, 1))
    step = median(seconds)
    print(f"{1e3 * took:10.1f} {work / took / 1e9:8.0f} {sum(calls.values()):6}  all of them")
    print(f"{1e3 * step:10.1f} {work / step / 1e9:8.0f} {'':6}  the whole step")
    print(f"share of a step in convolutions and matrix products: {took / step:.0%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", nargs="+", default=["liif-edsr", "liif-edsr-small"])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for config in options.config:
        measure(config, options.threads, options.steps)
