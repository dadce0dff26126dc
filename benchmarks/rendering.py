"""What does rendering cost: the paper's order of computing, and ours, side by side?

`LIIF.query` is the paper's order: 3×3 neighbourhoods gathered for each output pixel and each of 4
codes, then the whole decoder. It is asked for 30,000 pixels at a time, as the official code does.
`ContinuousPhoto` computes the same function with the first layer folded into a convolution. Both
get the same weights and the same photo, on the same threads, in the same run.

The yardstick is this machine's own: the hidden layers' matrix products alone, of the very shapes
that the renderer uses, timed in this run. No decoder of these weights can take less time than they.

    python benchmarks/rendering.py            # a table and figures/rendering.png
    python benchmarks/rendering.py --quick    # a minute at small sizes, which are noisier
    python benchmarks/rendering.py --large 6000x4000 --weights liif-edsr-small heat-edsr-small \\
        --against DIR       # only: a large photo ×4 by `liif zoom`, time and memory, with the first
                            # of the weights in another checkout, too

Exit status 1: a ratio is worse than `FLOORS`, or the two orders of computing disagree.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image
from torch.utils.benchmark import Timer

from liif_core.coords import cell_size, coord_grid
from liif_core.folded_grid import CHUNK_PIXELS
from liif_core.liif import CONFIGS, LIIF
from liif_core.pixels import to_uint8
from liif_core.render import ContinuousPhoto
from liif_core.samples import sample_photo
from liif_core.weights import load_model

ROOT = Path(__file__).parent.parent
MODELS = ("edsr-baseline-liif", "liif-edsr-small")

#: Queries at a time, as in the official code (eval_bsize).
BATCH = 30_000

#: What the two orders of computing may differ by: float32, sums in another order.
TOLERANCE = 1e-5

#: Ratios at ×4 that must not get worse: (speed-up over the paper's order, share of the decoder's
#: time that its matrix products alone would take).
FLOORS = {"edsr-baseline-liif": (3.0, 0.8), "liif-edsr-small": (10.0, 0.5)}


@dataclass(frozen=True)
class Case:
    """One measurement to make: a model, threads, and an input zoomed to an output."""

    model: str
    threads: int
    height: int
    width: int
    scale: int

    @property
    def out(self) -> tuple[int, int]:
        """Height and width of the result."""
        return self.height * self.scale, self.width * self.scale

    @property
    def pixels(self) -> int:
        """Pixels of the result."""
        return self.out[0] * self.out[1]


@dataclass(frozen=True)
class Row:
    """What was measured, in seconds for the whole result.

    Attributes:
        encode: the encoder, which both share.
        query: `LIIF.query`, from a sample of the result's pixels.
        decode: the renderer with its tiles encoded.
        total: the renderer from the photo on.
        products: the hidden layers' matrix products alone.
        flops: of those products.
        difference: largest, between the two results.
    """

    case: Case
    encode: float
    query: float
    decode: float
    total: float
    products: float
    flops: float
    difference: float

    @property
    def speed_up(self) -> float:
        """How many times faster than the paper's order, from the photo on."""
        return (self.encode + self.query) / self.total

    @property
    def share(self) -> float:
        """Share of the decoder's time that its matrix products alone take."""
        return self.products / self.decode


def model_of(name: str) -> LIIF:
    """Return a shipped model; of a published architecture that is not shipped, random weights."""
    if name == "liif-edsr-small":
        return load_model(name, "cpu")
    torch.manual_seed(0)
    return LIIF(CONFIGS[name]).eval().requires_grad_(False)


def photo_of(height: int, width: int) -> np.ndarray:
    """Return a photo of any size, (height, width, 3) in [0, 1]."""
    image = Image.fromarray(sample_photo("coffee")).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    return np.asarray(image, np.float32) / 255


def seconds(statement: str, threads: int, least: float, **names: object) -> float:
    """Return the median time of a statement; of a long one, the time of one run."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    start = time.perf_counter()
    eval(statement, names)  # Timer would run even a long one three times
    once = time.perf_counter() - start
    torch.set_num_threads(before)
    if once > 5 * least:
        return once
    timer = Timer(statement, globals=names, num_threads=threads)
    return timer.blocked_autorange(min_run_time=least).median


def paper_order(
    model: LIIF, photo: np.ndarray, case: Case, batches: int
) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Return (seconds to encode, seconds to query all, which pixels were asked, their colours)."""
    tensor = torch.from_numpy(photo).permute(2, 0, 1)[None].contiguous()
    # float64: rounded in another order, a place on a pixel's border may fall to another code.
    coord = coord_grid(*case.out, dtype=torch.float64).reshape(1, -1, 2)
    # Whole batches, spread evenly: every batch costs the same.
    count = -(-case.pixels // BATCH)
    chosen = np.unique(np.linspace(0, count - 1, min(batches, count)).round().astype(int))
    asked = np.concatenate(
        [np.arange(c * BATCH, min((c + 1) * BATCH, case.pixels)) for c in chosen]
    )
    cell = cell_size(*case.out).expand(1, BATCH, 2)
    before = torch.get_num_threads()
    torch.set_num_threads(case.threads)
    with torch.inference_mode():
        model.encode(tensor)
        start = time.perf_counter()
        latents = model.encode(tensor)
        encode = time.perf_counter() - start
        parts = torch.from_numpy(asked).split(BATCH)
        model.query(latents, coord[:, parts[0][:100]], cell[:, : len(parts[0][:100])])
        start = time.perf_counter()
        colours = [model.query(latents, coord[:, part], cell[:, : len(part)])[0] for part in parts]
        query = time.perf_counter() - start
    torch.set_num_threads(before)
    return encode, query * case.pixels / len(asked), asked, torch.cat(colours).numpy()


def products_alone(model: LIIF, case: Case, least: float) -> tuple[float, float]:
    """Return (seconds, FLOPs) of the hidden layers' matrix products for the whole result."""
    linears = [layer for layer in model.imnet.layers if isinstance(layer, torch.nn.Linear)][1:]
    rows = CHUNK_PIXELS  # about as many as a block of the renderer's has
    took = flops = 0.0
    for number, layer in enumerate(linears, 1):
        x, weight = torch.rand(rows, layer.in_features), layer.weight
        factors = (x, weight.t().contiguous()) if number < len(linears) else (weight, x.t())
        names = {"mm": torch.mm, "a": factors[0], "b": factors[1], "y": torch.mm(*factors)}
        took += seconds("mm(a, b, out=y)", case.threads, least, **names)
        flops += 2 * rows * layer.in_features * layer.out_features
    runs = 4 * case.pixels / rows  # the local ensemble asks 4 codes
    return took * runs, flops * runs


def measure(case: Case, batches: int, least: float) -> Row:
    """Measure one case."""
    model, photo = model_of(case.model), photo_of(case.height, case.width)
    encode, query, asked, colours = paper_order(model, photo, case, batches)
    names = {"open": lambda: ContinuousPhoto(model, photo), "size": case.out}
    total = seconds("open().render(*size)", case.threads, least, **names)
    view = ContinuousPhoto(model, photo)
    result = view.render(*case.out)  # from here on its tiles are encoded
    decode = seconds("view.render(*size)", case.threads, least, view=view, size=case.out)
    products, flops = products_alone(model, case, least / 4)
    difference = float(abs(result.reshape(-1, 3)[asked] - colours).max())
    return Row(case, encode, query, decode, total, products, flops, difference)


def peak(name: str, order: str, height: int, width: int, scale: int) -> float:
    """Return MiB that one rendering needs beyond model and photo, measured in its own process."""
    command = [sys.executable, __file__, "--peak", name, order, *map(str, (height, width, scale))]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(run.stdout)


def show_peak(name: str, order: str, height: str, width: str, scale: str) -> None:
    """Print what `peak` reads."""
    case = Case(name, torch.get_num_threads(), int(height), int(width), int(scale))
    model, photo = model_of(name), photo_of(case.height, case.width)
    Path("/proc/self/clear_refs").write_text("5")  # Linux: forget the peak so far
    before = psutil.Process().memory_info().rss
    if order == "paper":
        paper_order(model, photo, case, batches=1)
    else:
        result = np.empty((*case.out, 3), np.float32)
        view = ContinuousPhoto(model, photo)
        result[:] = view.render(*case.out)
        before += 2 * result.nbytes  # neither result counts
    high = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert high
    print((int(high[1]) * 1024 - before) / 2**20)


def large(photo: Path, build: Path, weights: str) -> tuple[float, float, float]:
    """Return (seconds, CPU seconds, peak MB) that `liif zoom` of a checkout takes for a photo ×4.

    Memory is all that the process holds: Python, PyTorch, the photo.
    """
    out = photo.with_name("large.tif")
    asked = ["--scale", "4", "-o", str(out), "--weights", weights, "--device", "cpu", "--overwrite"]
    command = [sys.executable, "-m", "liif_core", "zoom", str(photo), *asked]
    environment = {**os.environ, "PYTHONPATH": str(build)}
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=build, env=environment, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed in {build}")
    took = time.perf_counter() - start
    out.unlink()
    return took, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6


def show_large(size: str, weights: list[str], against: Path | None) -> None:
    """Print a table of large photos, the first row's time being what others are compared with."""
    width, height = map(int, size.split("x"))
    asked = [(ROOT, name) for name in weights]
    if against:
        asked = [(against.resolve(), weights[0]), *asked]
    print(f"{width}×{height} ×4, {width * height * 16 / 1e6:.3g} megapixels\n")
    print("| checkout | weights | s | CPU, s | peak, MB | of the first row's time |")
    print("|-|-|-|-|-|-|")
    first = 0.0
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        Image.fromarray(to_uint8(photo_of(height, width))).save(photo, quality=92)
        for build, name in asked:
            took, cpu, memory = large(photo, build, name)
            first = first or took
            which = "this" if build == ROOT else "other"
            print(
                f"| {which} | `{Path(name).stem}` | {took:.0f} | {cpu:.0f} | {memory:.0f} "
                f"| {took / first:.2f} |",
                flush=True,
            )


def table(rows: list[Row]) -> str:
    """Return Markdown."""
    lines = [
        "| model | threads | input | scale | output, MP | encoder, s | paper's order, s | ours, s "
        "| times faster | ours, GFLOP/s | products alone, GFLOP/s | share | largest difference |",
        "|-|-|-|-|-|-|-|-|-|-|-|-|-|",
    ]
    for row in rows:
        case = row.case
        lines.append(
            f"| `{case.model}` | {case.threads} | {case.width}×{case.height} | ×{case.scale} "
            f"| {case.pixels / 1e6:.2f} | {row.encode:.2f} | {row.encode + row.query:.2f} "
            f"| {row.total:.2f} | {row.speed_up:.1f} | {row.flops / row.decode / 1e9:.0f} "
            f"| {row.flops / row.products / 1e9:.0f} | {row.share:.0%} | {row.difference:.1e} |"
        )
    return "\n".join(lines)


def draw(rows: list[Row], one_input: list[Case], one_output: list[Case], path: Path) -> None:
    """Draw cost against scale: the output growing with it, and the input shrinking under it."""
    from liif_core.figures import BLUE, ORANGE, new_figure, to_png

    figure = new_figure(9, 3.6)
    titles = ("one input, the output grows", "one output, the input shrinks")
    for axes, cases, title in zip(
        figure.subplots(1, 2), (one_input, one_output), titles, strict=True
    ):
        for name, marker in zip(MODELS, "os", strict=True):
            part = [row for row in rows if row.case in cases and row.case.model == name]
            scales = [row.case.scale for row in part]
            paper = [row.encode + row.query for row in part]
            axes.plot(scales, paper, marker, ls="--", c=ORANGE, label=f"{name}, paper's order")
            ours = [row.total for row in part]
            axes.plot(scales, ours, marker, ls="-", c=BLUE, label=f"{name}, ours")
        axes.set(xscale="log", yscale="log", xlabel="scale", ylabel="seconds", title=title)
        ticks = sorted({case.scale for case in cases})
        axes.set_xticks(ticks, [f"×{tick}" for tick in ticks])
        axes.minorticks_off()
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8
    )
    path.write_bytes(to_png(figure))


def complaints(rows: list[Row], headline: list[Case], quick: bool) -> list[str]:
    """Return what is worse than it may be; times of a quick run are not judged."""
    found = [
        f"{row.case}: the two orders of computing differ by {row.difference:.1e}"
        for row in rows
        if row.difference > TOLERANCE
    ]
    for row in rows if not quick else ():
        if row.case in headline:
            faster, share = FLOORS[row.case.model]
            if row.speed_up < faster:
                found.append(f"{row.case}: {row.speed_up:.2f} times faster, not {faster}")
            if row.share < share:
                found.append(f"{row.case}: {row.share:.0%} in matrix products, not {share:.0%}")
    return found


def main() -> int:
    """Measure, print, draw, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work?")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--table", type=Path, default=ROOT / "benchmarks" / "rendering.md")
    parser.add_argument("--figure", type=Path, default=ROOT / "figures" / "rendering.png")
    parser.add_argument("--large", metavar="WIDTHxHEIGHT", help="only a photo of this size ×4")
    parser.add_argument("--weights", nargs="+", default=["liif-edsr-small"], help="for --large")
    parser.add_argument("--against", type=Path, metavar="DIR", help="for --large: a checkout")
    parser.add_argument("--peak", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        show_peak(*options.peak)
        return 0
    if options.large:
        show_large(options.large, options.weights, options.against)
        return 0
    quick = options.quick
    # Smaller, and waking the workers would be what is timed.
    scales, least, batches = ((2, 4), 0.3, 2) if quick else ((2, 3, 4, 6, 12, 30), 1.0, 4)
    height, width = (96, 128) if quick else (384, 512)  # the headline's input
    small = (96, 128) if quick else (64, 96)  # the input of a growing output
    large = (192, 256) if quick else (960, 1200)  # the output of a shrinking input
    rows: list[Row] = []
    most = max(options.threads)
    headline = [Case(m, t, height, width, 4) for m in MODELS for t in options.threads]
    one_input = [Case(m, most, *small, s) for m in MODELS for s in scales]
    one_output = [Case(m, most, large[0] // s, large[1] // s, s) for m in MODELS for s in scales]
    cases = dict.fromkeys([*headline, *one_input, *one_output])
    for case in cases:
        rows.append(measure(case, batches, least))
        print(f"{len(rows)} of {len(cases)}: {case}", file=sys.stderr)
    text = [
        f"PyTorch {torch.__version__}, {platform.machine()}, "
        f"{psutil.cpu_count(logical=False)} cores. Seconds for the whole result; the paper's order "
        f"was timed on up to {batches} batches of {BATCH:,} of its pixels.",
        "",
        table(rows),
        "",
        "Peak memory beyond model, photo and result, MiB, "
        f"{width}×{height} ×4: paper's order (a batch of {BATCH:,} queries), ours",
        "",
    ]
    for name in MODELS if Path("/proc/self/status").exists() else ():
        needs = [peak(name, order, height, width, 4) for order in ("paper", "ours")]
        text.append(f"- `{name}`: {needs[0]:.0f}, {needs[1]:.0f}")
    print("\n".join(text))
    if not quick:
        options.table.write_text("\n".join([*text, ""]), encoding="utf-8")
    if not quick or options.figure != parser.get_default("figure"):
        draw(rows, one_input, one_output, options.figure)
    found = complaints(rows, headline, quick)
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
