"""One training run: its photographs, its folder, and the loop over its steps."""

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from liif_core.errors import LiifError
from liif_core.photos import photo_paths
from liif_core.processes import Place
from liif_core.training.checkpoint import State, forget_parts, run_folder, share_out
from liif_core.training.degrade import noise_and_jpeg
from liif_core.training.log import Log, write_text
from liif_core.training.loss import PairLoss
from liif_core.training.pairs import Batch, PairSampler, batches
from liif_core.training.photographs import Tell, read_each, to_stderr
from liif_core.training.recipe import Recipe
from liif_core.training.revive import open_shares, revive
from liif_core.training.scans import DEGRADATIONS
from liif_core.training.update import Update, can_record
from liif_core.training.validation import LEAST, Scores, Validator
from liif_core.weights import save_weights

if TYPE_CHECKING:
    from liif_core.training.realness import Realness

#: Where neither a folder nor the recipe says what to validate on, every 16th photograph is kept
#: for it.
HELD_OUT = 16

#: What share of an encoder's units may be dead before it is worth a line.
MANY_DEAD = 0.05

#: How many patches tell which of an encoder's units are dead.
TELLING = 128

#: Photographs in memory are handed to each process that cuts batches; not more than so many bytes.
MOST_HANDED_OVER = 256 << 20


class Run:
    """One training run.

    Args:
        recipe, photos, out, val, init, resume: as for `train`.
        place: which process this is.
    """

    def __init__(
        self,
        recipe: Recipe,
        photos: Path,
        out: Path,
        *,
        val: Path | None,
        init: str | None,
        resume: bool,
        place: Place,
    ) -> None:
        self.recipe, self.out, self.place = recipe, out, place
        self.dtype = getattr(torch, recipe.stored)
        share_out(recipe, place)
        record = can_record(place.device, place.world) and recipe.loss != "crisp"
        with run_folder(out, resume=resume):
            # What takes long comes last: nothing is decoded for a run that cannot begin.
            for folder in (photos, val) if val else (photos,):
                photo_paths(folder)
            self.state = State(recipe, init, place.device, resumed=resume, capturable=record)
            self.tell = tell = to_stderr if place.leads else _silently
            if resume:
                self._go_on()
            self.recipe = recipe = self.state.recipe
            paths, held_out = split(photos, val, recipe, tell)
            degrade = DEGRADATIONS[recipe.degrade]
            self.sampler = PairSampler(paths, recipe, degrade, place=place, tell=tell)
        if recipe.revive and not resume:
            self._revive()
        self.validator = make_validator(recipe, held_out, place)
        self.realness = realness_of(recipe, held_out) if place.leads else None
        if place.leads:
            forget_parts(out)
            write_text(out / "recipe.json", json.dumps(recipe.to_dict(), indent=1) + "\n")
            if not resume:  # so that it can be resumed, and knows what it began with
                self.state.save(out)
        self.log = Log(out / "log.csv", self.state.step) if place.leads else None
        self.update = Update(
            loss_of(self.state),
            self.state.model,
            self.state.average,
            self.state.optimizers,
            recipe,
            adversary=self.state.adversary,
            world=place.world,
            record=record,
        )

    def _revive(self) -> None:
        """Let the encoder's dead units begin anew, the same ones in each process."""
        encoder = self.state.model.encoder
        generator = torch.Generator().manual_seed(self.recipe.seed)
        count = revive(encoder, self._telling_patches(), generator)
        self.state.average.encoder.load_state_dict(encoder.state_dict())
        config = self.state.model.config
        units = config.blocks * config.channels
        self.tell(f"{count:,} of the encoder's {units:,} units were dead, and begin anew")

    def _telling_patches(self) -> torch.Tensor:
        """Return patches that tell which units are dead, in [-1, 1]."""
        return self.sampler.batch(range(TELLING)).photo.to(self.place.device) * 2 - 1

    def tell_of_dead_units(self) -> None:
        """Say how many of the encoder's units are dead, if that is more than a few."""
        found = open_shares(self.state.average.encoder, self._telling_patches())
        dead = int((found == 0).sum())
        if dead > MANY_DEAD * found.numel():
            self.tell(
                f"{dead:,} of the encoder's {found.numel():,} units are dead: no patch opens their "
                'ReLU. Another run from these weights, with "revive": true in its recipe, lets '
                "them begin anew"
            )

    def _go_on(self) -> None:
        """Take up the run in the folder where it was left."""
        self.state.load(self.out)
        if self.state.step >= self.recipe.steps:
            raise LiifError(
                f"the run in {self.out} is finished: {self.state.step:,} steps; for more, begin "
                f"another from its weights: --init {self.out / 'best.safetensors'}"
            )

    def loop(self, *, quiet: bool, which: str = "") -> float:
        """Train to the end of the recipe; return the best gain over bicubic, in dB.

        Args:
            quiet: no progress bar.
            which: what stands before the bar: which of several runs this is.
        """
        recipe, state, place = self.recipe, self.state, self.place
        bar = tqdm(
            desc=which or None,
            total=recipe.steps,
            initial=state.step,
            unit="step",
            disable=quiet or not place.leads,
            smoothing=0.05,
        )
        cutters = self._cutters()
        source = batches(
            self.sampler, state.step, rank=place.rank, world=place.world, workers=cutters
        )
        started = time.monotonic() - state.seconds
        with bar:
            while state.step < recipe.steps:
                self.advance(next(source))
                state.seconds = time.monotonic() - started
                bar.update()
                if state.step % recipe.validate_every == 0 or state.step == recipe.steps:
                    self._validate(bar)
                if state.step % recipe.save_every == 0 or state.step == recipe.steps:
                    self._save()
        source.close()  # type: ignore[attr-defined]
        return state.best

    def advance(self, batch: Batch) -> None:
        """Take one optimiser step."""
        state = self.state
        state.loss_sum += self.update(batch.to(self.place.device), state.step)
        state.losses += 1
        state.step += 1

    def _validate(self, bar: Any) -> None:
        state = self.state
        loss = float(state.loss_sum) / state.losses
        state.loss_sum.zero_()
        state.losses = 0
        scores = self.validator.scores(state.average)  # each process scores its share
        gain = scores.mean_gain
        better, state.best = gain > state.best, max(gain, state.best)
        if self.recipe.last_is_best:
            better = True
        if self.log is None:
            return
        rate = float(state.optimizers[0].param_groups[0]["lr"])
        more = self.realness.of(state.average) if self.realness else {}
        known = (scores.psnr, self.validator.bicubic, more)
        self.log.add(state.step, state.seconds, loss, rate, *known)
        bar.set_postfix(loss=f"{loss:.5f}", gain=f"{gain:+.3f} dB")
        if better:
            save_weights(
                state.average, self.out / "best.safetensors", self.facts(scores), self.dtype
            )
        self.log.draw(self.out / "curves.png")

    def facts(self, scores: Scores) -> dict[str, Any]:
        """Return what a weight file says about its training."""
        return {
            "recipe": self.recipe.noted(),
            "step": self.state.step,
            "hours": round(self.state.seconds / 3600, 2),
            "processes": self.place.world,
            "photographs": len(self.sampler.photos),
            "validation_psnr": scores.by_scale(),
        }

    def _save(self) -> None:
        if self.place.leads:
            self.state.save(self.out)

    def _cutters(self) -> int:
        """How many processes cut batches: none, but threads, unless a fast device would wait."""
        if self.place.device.type != "cuda":
            return 0
        self.sampler.photos.settle()
        if self.sampler.photos.bytes_in_memory > MOST_HANDED_OVER:
            return 0
        return max(1, (os.cpu_count() or 1) // self.place.world - 1)


def split(
    photos: Path, val: Path | None, recipe: Recipe, tell: Tell
) -> tuple[list[Path], list[np.ndarray]]:
    """Return the photographs to train on, and the pixels of those to validate on.

    Args:
        photos, val: as for `train`.
        recipe: says what is held out of `photos` where there is no `val`.
        tell: is given a line for each photograph that cannot be validated on.

    Raises:
        LiifError: a folder that is missing or empty, or too few photographs that can be used.
    """
    paths = photo_paths(photos)
    candidates = photo_paths(val) if val else paths
    while True:
        held_out = candidates if val else _held_out(candidates, recipe)
        pixels, faults = read_each(held_out, least=LEAST)
        for path in held_out:
            if path in faults:
                tell(f"left out: {faults[path]}")
        candidates = [path for path in candidates if path not in faults]
        if val or not faults or not candidates:
            break
    usable = paths if val else candidates
    training = [path for path in usable if path not in pixels and path not in faults]
    if not training or not pixels:
        raise LiifError(f"{photos} holds too few photographs; give more, or --val a folder")
    return training, list(pixels.values())


def _held_out(paths: list[Path], recipe: Recipe) -> list[Path]:
    named = [path for path in paths if path.name in recipe.held_out]
    return named or paths[::HELD_OUT]


def loss_of(state: State) -> nn.Module:
    """Return what a run makes small."""
    recipe = state.recipe
    if recipe.loss != "crisp":
        asked: dict[str, Any] = {
            "enough": recipe.enough,
            "teacher_to": recipe.teacher_to,
            "from_all_sides": recipe.from_all_sides,
            "from_any_side": recipe.from_any_side,
        }
        return PairLoss(state.model, recipe.loss, state.teacher, **asked)
    from liif_core.training.crisp import CrispLoss, Weights  # it needs an extra, the companions'

    assert state.adversary is not None
    return CrispLoss(state.model, state.adversary, Weights(**recipe.crisp))


def realness_of(recipe: Recipe, photos: list[np.ndarray]) -> "Realness | None":
    """Return what measures how real a crisp model's zooms look; None for others."""
    if recipe.loss != "crisp":
        return None
    from liif_core.training.realness import Realness

    return Realness(photos)


def make_validator(recipe: Recipe, photos: list[np.ndarray], place: Place) -> Validator:
    """Return the validator of a recipe: of degraded inputs where it trains on such."""
    return Validator(photos, None if recipe.degrade == "none" else noise_and_jpeg, place)


def _silently(line: str) -> None:
    """Say nothing: the leading process does."""
