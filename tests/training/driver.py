"""Trains a tiny model as its own process, so that tests can kill it or start two."""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import torch

from liif_core.evaluate import Trial
from liif_core.liif import LIIFConfig
from liif_core.models import CONFIGS
from liif_core.training import trainer
from liif_core.training.recipe import Recipe

CONFIGS["tiny"] = LIIFConfig(blocks=2, channels=8, hidden=(8,), local_colour=True)
CONFIGS["tiny-crisp"] = LIIFConfig(blocks=2, channels=8, hidden=(8,), local_colour=True, noise=4)
BASE = {
    "model": "tiny",
    "steps": 12,
    "batch": 2,
    "patch": 8,
    "queries": 16,
    "warmup": 2,
    "decay": 4,
    "validate_every": 5,
    "save_every": 3,
    "precision": "float32",
}


def kill_at_step(step: int) -> None:
    """SIGKILL this process in the middle of a step: gradients computed, weights not updated."""
    clip = torch.nn.utils.clip_grad_norm_
    calls = 0

    def clip_or_die(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return clip(*args, **kwargs)

    torch.nn.utils.clip_grad_norm_ = clip_or_die


def kill_at_save(number: int) -> None:
    """SIGKILL this process in the middle of writing a checkpoint: half of it is on the disk."""
    save = torch.save
    calls = 0

    def save_or_die(state, file):
        nonlocal calls
        calls += 1
        save(state, file)
        if calls == number:
            file.flush()
            os.truncate(file.name, os.path.getsize(file.name) // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    torch.save = save_or_die


def note_validated(folder: Path) -> None:
    """Note each photograph and scale that this process zooms, in a file named by its rank."""
    zoomed = Trial.zoomed

    def noted(trial, model):
        with (folder / os.environ["RANK"]).open("a") as notes:
            notes.write(f"{trial.number} {trial.scale}\n")
        return zoomed(trial, model)

    Trial.zoomed = noted


def note_threads(folder: Path) -> None:
    """Note the names of the threads that this process still has, in a file named by its rank."""
    names = ""
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it ended meanwhile
            names += (task / "comm").read_text()
    (folder / os.environ["RANK"]).write_text(names)


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    if "kill_at_step" in options:
        kill_at_step(options["kill_at_step"])
    if "kill_at_save" in options:
        kill_at_save(options["kill_at_save"])
    if "note_validated" in options:
        note_validated(Path(options["note_validated"]))
    trainer.train(
        Recipe.from_dict({**BASE, **options.get("recipe", {})}),
        Path(options["photos"]),
        Path(options["out"]),
        val=Path(options["val"]) if "val" in options else None,
        resume=options.get("resume", False),
        device="cpu",
        quiet=True,
    )
    if "note_threads" in options:
        note_threads(Path(options["note_threads"]))
