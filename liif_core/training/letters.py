"""Train the model of `companions/letters.py`, on a CPU.

    python -m liif_core.training.letters FOLDER [--steps 6000] [--init WEIGHTS]

FOLDER gets `last.pt`, from which the same command goes on after an interruption, `log.csv`, and the
moving average of the weights as `letters-that-lie.safetensors`, from which another run may begin
(`--init`). Step i draws its plates from (seed, i) alone. The rate rises over 100 steps, is held,
and falls as half a cosine over the last third.
"""

import argparse
import copy
import csv
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from liif_core.companions.letters import WEIGHTS, Letters, flow_loss, load_letters
from liif_core.companions.plates import photographed, random_plate
from liif_core.files.publish import publishing
from liif_core.training.optim import rate_factor

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
    return RATE * rate_factor(step, steps=steps, warmup=WARMUP, decay=steps // 3)


class Training:
    """A run: the model, the moving average of its weights, and the folder it is kept in."""

    def __init__(self, folder: Path, steps: int, init: Path | None = None) -> None:
        torch.manual_seed(SEED)
        self.folder, self.steps, self.step = folder, steps, 0
        self.model = load_letters(init).train().requires_grad_(True) if init else Letters()
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), weight_decay=0.01, betas=(0.9, 0.99)
        )
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "last.pt").exists():
            state = torch.load(folder / "last.pt", weights_only=True)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]

    def advance(self) -> float:
        """Take a step; return the loss before it."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.step, self.steps)
        plates, seen = plates_of(self.step)
        loss = flow_loss(self.model, plates, seen, torch.Generator().manual_seed(self.step))
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        # Early on the average follows quickly, so that it forgets the random start.
        keep = min(EMA, (self.step + 1) / (self.step + 10))
        both = zip(self.average.parameters(), self.model.parameters(), strict=True)
        with torch.no_grad():
            for mean, mine in both:
                mean.lerp_(mine, 1 - keep)
        self.step += 1
        return loss.item()

    def save(self) -> None:
        """Write what the run goes on from, and the average, in half the bytes."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }
        half = {key: value.half() for key, value in self.average.state_dict().items()}
        with publishing(self.folder / "last.pt") as part, open(part, "wb") as file:
            torch.save(state, file)
        with publishing(self.folder / WEIGHTS) as part:
            Path(part).write_bytes(save(half))


def train(folder: Path, steps: int, init: Path | None = None) -> None:
    """Train to the end, or on from what lies in the folder; from weights, if it is empty."""
    run = Training(folder, steps, init)
    started, losses = time.monotonic(), []
    while run.step < steps:
        losses.append(run.advance())
        if run.step % EVERY == 0 or run.step == steps:
            row = [run.step, f"{time.monotonic() - started:.0f}", f"{np.mean(losses):.5f}"]
            with open(folder / "log.csv", "a", newline="") as file:
                csv.writer(file).writerow(row)
            losses.clear()
            run.save()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--init", type=Path, help="weights to begin with")
    options = parser.parse_args()
    train(options.folder, options.steps, options.init)
