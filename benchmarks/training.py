"""How much of a training step is arithmetic that nothing can avoid, and how much is waiting?

Some steps of a recipe are run as `liif train` runs them, batches being cut in the background. Every
convolution and matrix product in a step, forward and backward and in the optimiser, is recorded
with its shapes, strides and dtype, and then timed alone, on one thread as in a worker, in the same
run. The share is the sum of those times, divided among the workers, over the time of a step: what
is missing to 100 % is spent elsewhere. Told as well: the share that is spent waiting for data, and
how much of a step's processor time goes into cutting its batch. So much would be waited for if
nothing were cut in the background, and other programs on the machine change it little.

    python benchmarks/training.py --config liif-edsr --threads 2
    python benchmarks/training.py --config liif-edsr-small --photos DIR   # on photographs of yours

`--loader` times something else: how long the training loader takes from a folder of 40 photos of
12 megapixels to its first batch. `--against` names another checkout of this project, which does
the same, in turn.

    python benchmarks/training.py --loader --threads 2 --against ../before
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from liif_core import workers
from liif_core.processes import Place
from liif_core.samples import sample_photo
from liif_core.training.pairs import batches
from liif_core.training.recipe import load_recipe
from liif_core.training.run import Run

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = ("astronaut", "coffee", "cat", "rocket")

#: What a build runs to be timed as a loader; this one and older ones understand it.
LOADER = """
import sys, time
from pathlib import Path
from liif_core.photos import photo_paths
from liif_core.training.pairs import PairSampler
from liif_core.training.recipe import load_recipe

recipe = load_recipe("liif-edsr-small")
start = time.perf_counter()
PairSampler(photo_paths(Path(sys.argv[1])), recipe).batch(range(recipe.batch))
print(time.perf_counter() - start, time.process_time())
"""


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


def alone(function, frozen):
    """Return (median seconds, FLOPs) of one operation run on its own, on one thread."""
    args = _thawed(frozen)
    with FlopCounterMode(display=False) as counter:
        function(*args)
    timer = Timer("f(*a)", globals={"f": function, "a": args}, num_threads=1)
    return timer.blocked_autorange(min_run_time=0.3).median, counter.get_total_flops()


def steps_of(run, number):
    """Take `number` steps; return (seconds of each, of these waiting, the share of their processor
    time in which batches are cut, the products of one more)."""
    source = batches(run.sampler, 0)
    for _ in range(3):  # the first steps allocate
        run.advance(next(source))
    seconds, waiting = [], []
    used = time.process_time()
    for _ in range(number):
        start = time.perf_counter()
        batch = next(source)
        waiting.append(time.perf_counter() - start)
        run.advance(batch)
        seconds.append(time.perf_counter() - start)
    used = time.process_time() - used
    cut = cutting(run, number) / used
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # then the only worker is this thread, which is being recorded
    with workers.limited_to(1), Products() as products:
        run.advance(next(source))
    torch.set_num_threads(threads)
    source.close()
    return seconds, waiting, cut, products.calls


def cutting(run, number):
    """Return how many seconds of processor time it takes to cut `number` batches."""
    batch = run.recipe.batch
    start = time.thread_time()
    for step in range(number):
        run.sampler.batch(range(step * batch, (step + 1) * batch))
    return time.thread_time() - start


def measure(config, threads, number, photos=None):
    """Print a table for one recipe."""
    recipe = load_recipe(config)
    with tempfile.TemporaryDirectory() as folder, workers.limited_to(threads):
        if photos is None:
            photos = Path(folder) / "photos"
            photos.mkdir()
            for name in PHOTOS:
                Image.fromarray(sample_photo(name)).save(photos / f"{name}.png")
        out, place = Path(folder) / "run", Place(0, 1, torch.device("cpu"))
        start = time.perf_counter()
        run = Run(recipe, photos, out, val=None, init=None, resume=False, place=place)
        opened = time.perf_counter() - start
        seconds, waiting, cut, calls = steps_of(run, number)
    rows = []
    for (function, args), count in calls.items():
        each, flops = alone(function, args)
        shared = count * each / threads
        rows.append((shared, count * flops, count, function.overloadpacket.__name__, args))
    rows.sort(key=lambda row: row[0], reverse=True)
    print(f"\n{config}, {recipe.batch} × {recipe.patch}×{recipe.patch}, {threads} workers")
    print(f"{'alone, ms':>10} {'GFLOP/s':>8} {'calls':>6}  operation")
    for took, work, count, name, args in rows[:8]:
        shapes = " ".join("×".join(map(str, a[1])) for a in args if _is_tensor(a))
        print(f"{1e3 * took:10.1f} {work / took / 1e9:8.0f} {count:6}  {name} {shapes}")
    took, work = (sum(row[i] for row in rows) for i in (0, 1))
    step = median(seconds)
    print(f"{1e3 * took:10.1f} {work / took / 1e9:8.0f} {sum(calls.values()):6}  all of them")
    print(f"{1e3 * step:10.1f} {work / step / 1e9:8.0f} {'':6}  the whole step")
    print(f"share of a step in convolutions and matrix products: {took / step:.0%}")
    print(f"share of the steps spent waiting for data: {sum(waiting) / sum(seconds):.1%}")
    print(f"share of their processor time in which batches are cut: {cut:.1%}")
    print(f"{len(run.sampler.photos)} photographs ready after {opened:.1f} s")


def make_photos(folder, number, width=4000, height=3000):
    """Write JPEGs of gradients, blurred noise and grain, each from a seed of its own."""

    def write(seed):
        rng = np.random.default_rng(seed)
        coarse = Image.fromarray(rng.integers(0, 256, (height // 40, width // 40, 3), np.uint8))
        picture = (
            np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.int16) // 2
        )
        picture = picture + np.linspace(0, 100, width, dtype=np.int16)[:, None]
        picture += rng.integers(-8, 9, (height, width, 1), np.int16)
        photo = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
        photo.save(folder / f"{seed:03}.jpg", quality=90)

    workers.run(write, range(number))


def load(checkout, photos, threads):
    """Return (seconds, seconds of processor time) that one build takes to its first batch.

    Nothing is decoded before. The processor time is that of the whole program, imports included.
    """
    with tempfile.TemporaryDirectory() as cache:
        settings = {
            "PYTHONPATH": str(checkout),
            "OMP_NUM_THREADS": str(threads),
            "XDG_CACHE_HOME": cache,
        }
        done = subprocess.run(
            [sys.executable, "-c", LOADER, str(Path(photos).resolve())],
            cwd=checkout,  # which Python looks into before PYTHONPATH
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"{checkout}: {done.stderr.strip().splitlines()[-1]}")
    taken, used = map(float, done.stdout.split())
    return taken, used


def compare_loaders(against, threads, number, rounds):
    """Print how long this build's loader takes, and another's, in turn."""
    builds = {"this build": ROOT} | ({"the other": against.resolve()} if against else {})
    with tempfile.TemporaryDirectory() as folder:
        make_photos(Path(folder), number)
        times = {name: [] for name in builds}
        for _ in range(rounds):
            for name, checkout in builds.items():
                times[name].append(load(checkout, folder, threads))
    print(f"{number} photos of 12 megapixels to the first batch, {threads} threads")
    for name, taken in times.items():
        waited, used = (median(part) for part in zip(*taken, strict=True))
        each = ", ".join(f"{seconds:.1f}" for seconds, _ in taken)
        print(f"{name:>12}: {waited:6.1f} s   ({each}); of processor time {used:.1f} s")
    if against:
        other, this = (median(t for t, _ in times[name]) for name in ("the other", "this build"))
        print(f"ratio: {other / this:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", nargs="+", default=["liif-edsr", "liif-edsr-small"])
    parser.add_argument("--threads", type=int, default=workers.count())
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--photos", type=Path, metavar="DIR", help="instead of the sample photos")
    parser.add_argument("--loader", action="store_true", help="time the reading of photos instead")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="time this build too")
    parser.add_argument("--number", type=int, default=40, help="of photos for --loader")
    parser.add_argument("--rounds", type=int, default=3, help="of --loader")
    options = parser.parse_args()
    if options.loader:
        compare_loaders(options.against, options.threads, options.number, options.rounds)
    else:
        for config in options.config:
            measure(config, options.threads, options.steps, options.photos)
