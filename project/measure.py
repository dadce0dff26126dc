"""What the tasks of notebooks/project.md bring, all under one small budget on one thread.

Each task trains a tiny LIIF as lesson 06 does, 600 steps on the same four sample photos, and is
set beside a baseline that saw as many pairs. Every network is trained with three seeds.

    python project/measure.py encoder      # another encoder: minutes
    python project/measure.py cell         # a cell with two sides of its own
    python project/measure.py frequency    # a head that thinks in waves
    python project/measure.py photos       # other photos to learn from
    python project/measure.py encoder --steps 3 --seeds 1   # does it run? Its numbers mean nothing

A row gives the mean PSNR in dB over the test photos, which no network has seen, and how far the
seeds lie apart (largest minus smallest).
"""

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from liif_core.baselines import resize
from liif_core.coords import cell_size, coord_grid, pixel_centres
from liif_core.edsr import conv3x3
from liif_core.liif import LIIF, MLP, LIIFConfig
from liif_core.metrics import psnr
from liif_core.pixels import to_uint8
from liif_core.samples import sample_photo
from liif_core.training.optim import rate_factor
from liif_core.training.pairs import Batch

TRAIN = ("astronaut", "cat", "coffee", "rocket")
TEST = ("flower", "palace", "portrait", "coins")
TINY = LIIFConfig(blocks=2, channels=16, hidden=(32, 32), local_colour=True)
PATCH, QUERIES, BATCH, RATE = 16, 128, 8, 7e-3

Photos = Sequence[np.ndarray]
Score = Callable[[LIIF], float]
Zoom = tuple[int, int]  # along y and x


# Pairs, training, measuring


def sample(photos: Photos, seed: int, number: int, *, square: bool) -> Batch:
    """Return a training pair as lesson 06 makes it; not `square`: each side has its own scale."""
    rng = np.random.default_rng([seed, number])
    photo = photos[rng.integers(len(photos))]
    drawn = rng.uniform(1, 4, size=2)
    high, wide = (round(PATCH * scale) for scale in (drawn[:1].repeat(2) if square else drawn))
    top = rng.integers(photo.shape[0] - high + 1)
    left = rng.integers(photo.shape[1] - wide + 1)
    target = photo[top : top + high, left : left + wide]
    down, across, swap = rng.integers(2, size=3)
    target = target[:: -1 if down else 1, :: -1 if across else 1]
    target = np.ascontiguousarray(target.transpose(1, 0, 2) if swap else target)
    high, wide = target.shape[:2]
    small = Image.fromarray(target).resize((PATCH, PATCH), Image.Resampling.BICUBIC)
    chosen = rng.choice(high * wide, QUERIES, replace=False)
    row, col = chosen // wide, chosen % wide
    coord = torch.stack([pixel_centres(high)[row], pixel_centres(wide)[col]], dim=-1)
    return Batch(
        torch.tensor(np.array(small)).permute(2, 0, 1) / 255,
        coord,
        cell_size(high, wide).expand_as(coord),
        torch.from_numpy(target[row, col]) / 255,
    )


def train(make: Callable[[], LIIF], photos: Photos, seed: int, steps: int, square: bool) -> LIIF:
    """Train a network from scratch, as lesson 06 does."""
    torch.manual_seed(seed)
    model = make()
    adam = torch.optim.Adam(model.parameters())
    for step in range(steps):
        numbers = range(step * BATCH, (step + 1) * BATCH)
        pairs = (sample(photos, seed, number, square=square) for number in numbers)
        batch = Batch(*(torch.stack(part) for part in zip(*pairs, strict=True)))
        adam.param_groups[0]["lr"] = RATE * rate_factor(
            step, steps=steps, warmup=min(20, steps // 2), decay=steps // 3
        )
        rgb = model.query(model.encode(batch.photo), batch.coord, batch.cell)
        adam.zero_grad()
        (rgb - batch.colour).abs().mean().backward()
        adam.step()
    return model.eval()


@torch.inference_mode()
def zoomed(model: LIIF, small: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a photo, (H, W, 3) uint8, as height × width pixels, uint8."""
    latents = model.encode(torch.from_numpy(small / np.float32(255)).permute(2, 0, 1)[None])
    cell = cell_size(height, width)
    rows = [  # some rows at a time, or the questions would fill the memory
        model.query(latents, coord, cell.expand_as(coord))
        for coord in coord_grid(height, width).view(1, -1, 2).split(20_000, dim=1)
    ]
    return to_uint8(torch.cat(rows, dim=1).view(height, width, 3).numpy())


def score(model: LIIF | None, photos: Photos, zoom: Zoom) -> float:
    """Return the mean PSNR of photos shrunk by `zoom` and zoomed back; None: by bicubic."""
    reached = []
    for photo in photos:
        rows, cols = (photo.shape[axis] // zoom[axis] for axis in (0, 1))
        reference = photo[: rows * zoom[0], : cols * zoom[1]]
        small = resize(reference, rows, cols, "bicubic")
        size = reference.shape[:2]
        back = zoomed(model, small, *size) if model else resize(small, *size, "bicubic")
        reached.append(psnr(back, reference, border=max(zoom)))
    return float(np.mean(reached))


# Task 1: another encoder


class WideBlock(nn.Module):
    """A 7×7 look at each channel alone, then a mix of the channels at each place: a correction."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 7, padding=3, groups=channels),
            nn.Conv2d(channels, 4 * channels, 1),
            nn.ReLU(),
            nn.Conv2d(4 * channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return x plus its correction: (B, C, H, W) -> (B, C, H, W)."""
        return x + self.body(x)


def with_encoder(encoder: nn.Module) -> LIIF:
    """Return a tiny LIIF with another encoder: (B, 3, H, W) -> (B, C, H, W)."""
    model = LIIF(TINY)
    model.encoder = encoder  # type: ignore[assignment]
    return model


def wide() -> LIIF:
    """Four wide blocks: as many parameters as the baseline's encoder, but a reach of 13 pixels."""
    blocks = (WideBlock(TINY.channels) for _ in range(4))
    return with_encoder(nn.Sequential(conv3x3(3, TINY.channels), *blocks))


def blind() -> LIIF:
    """Only 1×1 convolutions, as many parameters: a code that sees nothing but its own pixel."""
    width = 72
    layers = (nn.Conv2d(3, width, 1), nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU())
    rest = (nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, TINY.channels, 1))
    return with_encoder(nn.Sequential(*layers, *rest))


# Task 3: a head that thinks in waves


class WaveHead(nn.Module):
    """f_θ after LTE (Lee, Jin: arXiv 2111.08918): the code chooses waves, δ says where on them.

    It stands in for `LIIF.imnet`. Of the unfolded code, waves and their heights are two linear
    maps; the cell shifts them. Feature unfolding stays, so that nothing else changes.
    """

    def __init__(self, waves: int = 8) -> None:
        super().__init__()
        codes = 9 * TINY.channels
        self.frequency = nn.Linear(codes, 2 * waves)
        self.height = nn.Linear(codes, 2 * waves)
        self.phase = nn.Linear(2, waves, bias=False)
        self.mlp = MLP(2 * waves, (32, 32))

    def forward(self, x: Tensor) -> Tensor:
        """Decode (..., 9C + 4), the code, δ and the cell -> (..., 3)."""
        code, delta, cell = x[..., :-4], x[..., -4:-2], x[..., -2:]
        turns = (self.frequency(code).unflatten(-1, (-1, 2)) * delta[..., None, :]).sum(-1)
        angle = torch.pi * (turns + self.phase(cell))
        return self.mlp(self.height(code) * torch.cat([angle.cos(), angle.sin()], dim=-1))


class FourierHead(nn.Module):
    """f_θ that is told δ also as fixed waves: sin and cos of π δ and 2π δ."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp = MLP(9 * TINY.channels + 4 + 8, (32, 32))

    def forward(self, x: Tensor) -> Tensor:
        """Decode (..., 9C + 4), the code, δ and the cell -> (..., 3)."""
        angles = torch.pi * torch.cat([x[..., -4:-2], 2 * x[..., -4:-2]], dim=-1)
        return self.mlp(torch.cat([x, angles.sin(), angles.cos()], dim=-1))


def with_head(head: Callable[[], nn.Module]) -> LIIF:
    """Return a tiny LIIF with another decoding function."""
    model = LIIF(TINY)
    model.imnet = head()  # type: ignore[assignment]
    return model


# The tasks


def tiny() -> LIIF:
    """The baseline of lesson 06."""
    return LIIF(TINY)


Network = tuple[str, Callable[[], LIIF], Photos, bool]


def photos_of(names: Sequence[str], longest: int = 256) -> Photos:
    """Return sample photos, made smaller."""
    return [sample_photo(name, longest=longest) for name in names]


def halves(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the left and the right half of a sample photo."""
    photo = sample_photo(name, longest=504)
    return photo[:, : photo.shape[1] // 2], photo[:, photo.shape[1] // 2 :]


def task(name: str) -> tuple[list[Network], dict[str, tuple[Photos, Zoom]]]:
    """Return a task's networks, the baseline first, and what they are measured on."""
    four, test = photos_of(TRAIN), photos_of(TEST, 252)
    baseline: Network = ("baseline", tiny, four, True)
    plain = {f"×{s}": (test, (s, s)) for s in (2, 3, 4)}
    if name == "encoder":
        return [baseline, ("wide", wide, four, True), ("blind", blind, four, True)], plain
    if name == "frequency":
        heads = [("waves", WaveHead), ("Fourier", FourierHead)]
        others = [(n, lambda head=head: with_head(head), four, True) for n, head in heads]
        return [baseline, *others], plain
    if name == "cell":
        zooms = {"×4 along x": (1, 4), "×4 along y": (4, 1), "×2 by ×4": (2, 4), "×3": (3, 3)}
        measured = {label: (test, zoom) for label, zoom in zooms.items()}
        return [baseline, ("two sides", tiny, four, False)], measured
    more = photos_of(("bricks", "cameraman", "galaxies", "grass", "gravel", "retina"))
    (known, kept), ten = halves("scripts"), [*four, *more]
    letters: Photos = [known]
    schools = (("one photo", four[:1]), ("ten photos", ten), ("letters only", letters))
    networks = [baseline, *((label, tiny, photos, True) for label, photos in schools)]
    return networks, {"test ×3": (test, (3, 3)), "letters ×3": ([kept], (3, 3))}


def count(model: LIIF) -> int:
    """Return how many numbers a network learns."""
    return sum(p.numel() for p in model.parameters())


def main() -> None:
    """Measure one task and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=["encoder", "cell", "frequency", "photos"])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    networks, measured = task(options.task)
    start = time.perf_counter()
    print("| network | parameters |", " | ".join(measured), "|")
    print("|-|-|" + "-|" * len(measured))
    fixed = [f"{score(None, photos, zoom):.2f}" for photos, zoom in measured.values()]
    print("| bicubic | 0 |", " | ".join(fixed), "|", flush=True)
    for label, make, photos, square in networks:
        seeds = range(options.seeds)
        models = [train(make, photos, seed, options.steps, square) for seed in seeds]
        cells = []
        for where, zoom in measured.values():
            reached = [score(model, where, zoom) for model in models]
            cells.append(f"{np.mean(reached):.2f} ({np.ptp(reached):.2f})")
        print(f"| {label} | {count(models[0]):,} |", " | ".join(cells), "|", flush=True)
    print(f"\n{options.steps} steps, seeds 0 to {options.seeds - 1}", end=": ")
    print(f"{(time.perf_counter() - start) / 60:.0f} minutes here, on one thread")


if __name__ == "__main__":
    main()
