"""Train the model of `letters.py`, on a CPU.

    python -m liif_core.companions.train_letters FOLDER [--steps 6000]

FOLDER gets `last.pt`, from which the same command goes on after an interruption, `log.csv`, and the
moving average of the weights as `letters-that-lie.safetensors`. Step i draws its plates from
(seed, i) alone. The rate rises over 100 steps, is held, and falls as half a cosine over the last
third.
"""

import argparse
import copy
import csv
import math
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from liif_core.companions.letters import WEIGHTS, Letters, flow_loss
from liif_core.companions.plates import photographed, random_plate

BATCH, RATE, WARMUP, EMA, SEED = 32, 2e-3, 100, 0.999, 0
EVERY = 100


def plates_of(step: int) -> tuple[Tensor, Tensor]:
    """Return a step's plates, (32, 1, 64, 192), and their small ones, (32, 1, 8, 24): [-1, 1]."""
    rng = np.random.default_rng([SEED, step])
    drawn = np.stack([random_plate(rng).drawn() for _ in range(BATCH)])
    seen = photographed(drawn, rng)
    both = (torch.from_numpy(part[:, None]).float() * 2 - 1 for part in (drawn, seen))
    plates, seen_small = both
    return plates, seen_small


def rate(step: int, steps: int) -> float:
    """Return the learning rate at a step of so many."""
    left = (steps - step) / (steps / 3)
    fall = 0.5 * (1 - math.cos(math.pi * min(left, 1)))
    return RATE * min(1, (step + 1) / WARMUP) * fall


def train(folder: Path, steps: int) -> None:
    """Train to the end, or on from what lies in the folder."""
    torch.manual_seed(SEED)
    model = Letters()
    average = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01, betas=(0.9, 0.99))
    first, total, since = 0, 0.0, time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "last.pt").exists():
        state = torch.load(folder / "last.pt", weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps)
        plates, seen = plates_of(step)
        loss = flow_loss(model, plates, seen, torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        keep = min(EMA, (step + 1) / (step + 10))
        with torch.no_grad():
            for mean, mine in zip(average.parameters(), model.parameters(), strict=True):
                mean.lerp_(mine, 1 - keep)
        total += loss.item()
        if (step + 1) % EVERY == 0 or step + 1 == steps:
            count = (step % EVERY) + 1
            with open(folder / "log.csv", "a", newline="") as file:
                row = [step + 1, f"{time.monotonic() - since:.0f}", f"{total / count:.5f}"]
                csv.writer(file).writerow(row)
            total = 0.0
            states = {"model": model.state_dict(), "average": average.state_dict()}
            states |= {"optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(states, folder / "last.pt.part")
            (folder / "last.pt.part").replace(folder / "last.pt")
            half = {key: value.half() for key, value in average.state_dict().items()}
            save_file(half, folder / WEIGHTS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=6000)
    options = parser.parse_args()
    train(options.folder, options.steps)
