"""The training loop: resumable, and bit for bit so on as many processes; on one or several.

A run folder holds `recipe.json`, `log.csv`, `curves.png`, `last.pt` (everything a resumed run
needs) and `best.safetensors` (the averaged weights that validated best). A recipe with a soup
leaves a run folder `soup-SEED` for each fine-tuning besides, and `soup.safetensors`, the mean.
"""

import copy
import csv
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from liif_core.device import pick_device
from liif_core.errors import LiifError
from liif_core.liif import CONFIGS, LIIF
from liif_core.photos import photo_paths
from liif_core.training.degrade import DEGRADATIONS, noise_and_jpeg
from liif_core.training.grow import grow
from liif_core.training.loss import PairLoss
from liif_core.training.optim import make_optimizers
from liif_core.training.pairs import Batch, PairSampler, batches
from liif_core.training.recipe import Recipe
from liif_core.training.soup import greedy_soup, mean_of
from liif_core.training.update import Update, can_record
from liif_core.training.validation import Scores, Validator
from liif_core.weights import load_model, save_weights, training_facts

#: Of a folder without a separate validation folder, every 16th photograph is kept for it.
HELD_OUT = 16


@dataclass(frozen=True)
class Place:
    """Which process this is: its rank among `world`, and the device it computes on."""

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0


def train(
    recipe: Recipe,
    photos: Path,
    out: Path,
    *,
    val: Path | None = None,
    init: str | None = None,
    resume: bool = False,
    device: str = "auto",
    quiet: bool = False,
) -> float | None:
    """Run a recipe, and the fine-tunings of its soup if it has one.

    Args:
        recipe: what to train and how.
        photos: folder of training photographs.
        out: run folder, made if missing.
        val: folder of validation photographs; without one, every 16th of `photos` is held out.
        init: weights to start from, instead of the recipe's; grown where its encoder is larger.
        resume: go on with the run in `out`; see `Recipe.goes_on_from`.
        device: see `pick_device`.
        quiet: no progress bar.

    Returns:
        the best validation gain over bicubic, in dB; None in all processes but the leading one.

    Raises:
        LiifError: a folder, weight or run that does not fit.
    """
    with _processes(device) as place:
        if not (recipe.soup and resume and _finished(recipe, out)):
            run = Run(recipe, photos, out, val=val, init=init, resume=resume, place=place)
            gain = run.loop(quiet=quiet)
        if recipe.soup:
            gain = _soup(recipe, photos, out, val=val, place=place, quiet=quiet)
        return gain if place.leads else None


def _soup(
    recipe: Recipe, photos: Path, out: Path, *, val: Path | None, place: Place, quiet: bool
) -> float:
    """Fine-tune a finished run in `soup-SEED` folders; write the mean to `soup.safetensors`.

    What is finished is not run again; returns the mean's gain over bicubic, in dB.
    """
    parts = [out / "best.safetensors"]
    for part in recipe.fine_tunings():
        folder = out / f"soup-{part.seed}"
        parts.append(folder / "best.safetensors")
        if _finished(part, folder):
            continue
        if place.world > 1:
            dist.barrier()  # until the leading process has written what this one begins with
        resume = (folder / "last.pt").is_file()
        run = Run(part, photos, folder, val=val, init=str(parts[0]), resume=resume, place=place)
        run.loop(quiet=quiet)
    if not place.leads:
        return float("-inf")
    validator = _validator(recipe, _split(photos, val)[1])
    hours = round(sum(training_facts(part)["hours"] for part in parts), 2)
    if recipe.greedy:
        parts = greedy_soup(parts, lambda model: validator.scores(model).mean_gain)
    mixed = mean_of(parts)
    scores = validator.scores(mixed)
    changed = {
        "recipe": recipe.to_dict(),
        "hours": hours,
        "mean_of": [part.relative_to(out).as_posix() for part in parts],
        "validation_psnr": _by_scale(scores),
    }
    facts = training_facts(out / "best.safetensors")
    save_weights(mixed, out / "soup.safetensors", facts | changed)
    return scores.mean_gain


def _finished(recipe: Recipe, out: Path) -> bool:
    """Whether `out` holds a run of this recipe that needs no further step."""
    if not (out / "last.pt").is_file():
        return False
    state = torch.load(out / "last.pt", map_location="cpu", weights_only=True)
    begun, step = Recipe.from_dict(state["recipe"]), state["step"]
    return bool(step >= recipe.steps and recipe.goes_on_from(begun, step))


def _split(photos: Path, val: Path | None) -> tuple[list[Path], list[Path]]:
    """Return the photographs to train on and those to validate on."""
    paths = photo_paths(photos)
    held_out = photo_paths(val) if val else paths[::HELD_OUT]
    paths = [path for path in paths if path not in set(held_out)]
    if not paths:
        raise LiifError(f"{photos} holds too few photographs; give more, or --val a folder")
    return paths, held_out


def _validator(recipe: Recipe, held_out: list[Path]) -> Validator:
    return Validator(held_out, noise_and_jpeg if recipe.degrade == "photo" else None)


def _by_scale(scores: Scores) -> dict[str, float]:
    return {f"x{scale}": round(value, 3) for scale, value in scores.psnr.items()}


@contextmanager
def _processes(device: str) -> Iterator[Place]:
    """Join the other processes that torchrun started, if it did."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Place(0, 1, pick_device(device))
        return
    chosen = pick_device(device)
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Place(dist.get_rank(), world, chosen)
    finally:
        dist.destroy_process_group()


class Run:
    """One training run: its model, average, optimisers, folder and place in time."""

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
        self.step, self.best, self.seconds = 0, float("-inf"), 0.0
        if recipe.batch % place.world:
            raise LiifError(
                f"a batch of {recipe.batch} cannot be shared out among {place.world} processes; "
                "start as many as divide it"
            )
        _check_folder(out, recipe, resume)
        paths, held_out = _split(photos, val)
        self.sampler = PairSampler(paths, recipe, DEGRADATIONS[recipe.degrade])
        self.validator = _validator(recipe, held_out)

        torch.manual_seed(recipe.seed)
        self.model = _first_model(recipe, init or recipe.init).train().requires_grad_(True)
        self.model.to(place.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        record = can_record(place.device, place.world)
        self.optimizers = make_optimizers(
            self.model, recipe.optimizer, recipe.rate, capturable=record
        )
        # Since the last validation; on the device, so that no step waits for its loss.
        self.losses, self.loss_sum = 0, torch.zeros((), dtype=torch.float64, device=place.device)
        if resume:
            self._load()
            if self.step >= recipe.steps:
                raise LiifError(
                    f"the run in {out} is finished: {self.step:,} steps; for more, begin another "
                    f"from its weights: --init {out / 'best.safetensors'}"
                )
        if place.leads:
            _write_text(out / "recipe.json", json.dumps(recipe.to_dict(), indent=1) + "\n")
        self.log = Log(out / "log.csv", self.step) if place.leads else None
        loss: nn.Module = PairLoss(self.model, recipe.loss)
        loss = DistributedDataParallel(loss) if place.world > 1 else loss
        self.update = Update(loss, self.model, self.average, self.optimizers, recipe, record=record)

    def loop(self, *, quiet: bool) -> float:
        """Train to the end of the recipe; return the best gain over bicubic, in dB."""
        recipe = self.recipe
        bar = tqdm(
            total=recipe.steps,
            initial=self.step,
            unit="step",
            disable=quiet or not self.place.leads,
            smoothing=0.05,
        )
        source = batches(
            self.sampler,
            self.step,
            rank=self.place.rank,
            world=self.place.world,
            workers=_workers(self.place),
        )
        started = time.monotonic() - self.seconds
        with bar:
            while self.step < recipe.steps:
                self.advance(next(source))
                self.seconds = time.monotonic() - started
                bar.update()
                if self.step % recipe.validate_every == 0 or self.step == recipe.steps:
                    self._validate(bar)
                if self.step % recipe.save_every == 0 or self.step == recipe.steps:
                    self._save()
        source.close()  # type: ignore[attr-defined]
        return self.best

    def advance(self, batch: Batch) -> None:
        """Take one optimiser step."""
        self.loss_sum += self.update(batch.to(self.place.device), self.step)
        self.losses += 1
        self.step += 1

    def _validate(self, bar: Any) -> None:
        loss = float(self.loss_sum) / self.losses
        self.loss_sum.zero_()
        self.losses = 0
        if self.log is None:
            return
        scores = self.validator.scores(self.average)
        gain = scores.mean_gain
        rate = float(self.optimizers[0].param_groups[0]["lr"])
        self.log.add(self.step, self.seconds, loss, rate, scores.psnr, self.validator.bicubic)
        bar.set_postfix(loss=f"{loss:.5f}", gain=f"{gain:+.3f} dB")
        if gain > self.best:
            self.best = gain
            save_weights(self.average, self.out / "best.safetensors", self.facts(scores))
        self.log.draw(self.out / "curves.png")

    def facts(self, scores: Scores) -> dict[str, Any]:
        """Return what a weight file says about its training."""
        return {
            "recipe": self.recipe.to_dict(),
            "step": self.step,
            "hours": round(self.seconds / 3600, 2),
            "processes": self.place.world,
            "photographs": len(self.sampler.photos),
            "validation_psnr": _by_scale(scores),
        }

    def _save(self) -> None:
        if not self.place.leads:
            return
        state = {
            "recipe": self.recipe.to_dict(),
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "best": self.best,
            "seconds": self.seconds,
            "losses": self.losses,
            "loss_sum": self.loss_sum,
        }
        part = self.out / "last.pt.part"
        torch.save(state, part)
        os.replace(part, self.out / "last.pt")

    def _load(self) -> None:
        state = torch.load(self.out / "last.pt", map_location=self.place.device, weights_only=True)
        begun = Recipe.from_dict(state["recipe"])
        if not self.recipe.goes_on_from(begun, state["step"]):
            raise LiifError(
                f"the run in {self.out} has another recipe; resume with the options it was started "
                f"with, or begin another from its weights: --init {self.out / 'best.safetensors'}"
            )
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            # Rates and the like follow from the recipe and the device, not from the file.
            for group, mine in zip(saved["param_groups"], optimizer.param_groups, strict=True):
                group.update({key: value for key, value in mine.items() if key != "params"})
            optimizer.load_state_dict(saved)
        self.step, self.best, self.seconds = state["step"], state["best"], state["seconds"]
        self.losses = state["losses"]
        self.loss_sum.copy_(state["loss_sum"])


class Log:
    """The run's CSV log; lines after `step` (from a run that was cut off) are dropped."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        kept = [line for line in lines[1:] if int(line.split(",")[0]) <= step]
        _write_text(path, "".join(f"{line}\n" for line in lines[:1] + kept))

    def add(
        self,
        step: int,
        seconds: float,
        loss: float,
        rate: float,
        psnr: dict[int, float],
        bicubic: dict[int, float],
    ) -> None:
        """Append one validation: PSNR of the model and of bicubic interpolation, in dB."""
        row: dict[str, Any] = {
            "step": step,
            "hours": f"{seconds / 3600:.3f}",
            "loss": f"{loss:.6f}",
            "rate": f"{rate:.3e}",
        }
        row |= {f"psnr_x{scale}": f"{value:.4f}" for scale, value in psnr.items()}
        row |= {f"bicubic_x{scale}": f"{value:.4f}" for scale, value in bicubic.items()}
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row, lineterminator="\n")
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(row)

    def draw(self, path: Path) -> None:
        """Draw loss and validation gain over bicubic against the step, as PNG."""
        try:
            from liif_core.figures import training_curves
        except ImportError:  # matplotlib is an extra; the log is there without it
            return
        with self.path.open(newline="", encoding="utf-8") as file:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
        training_curves(rows).savefig(path, dpi=110)


def _first_model(recipe: Recipe, init: str | None) -> LIIF:
    if recipe.model not in CONFIGS:
        raise LiifError(f"recipe: no model called '{recipe.model}'; known: {', '.join(CONFIGS)}")
    config = CONFIGS[recipe.model]
    if init is None:
        return LIIF(config)
    model = load_model(init, device="cpu")
    return model if model.config == config else grow(model, config)


def _check_folder(out: Path, recipe: Recipe, resume: bool) -> None:
    """Refuse to overwrite a run, and to resume one that is not there."""
    log = out / "log.csv"
    started = (out / "last.pt").is_file() or (log.is_file() and log.stat().st_size > 0)
    if resume and not (out / "last.pt").is_file():
        raise LiifError(f"no run to resume in {out}; start it without --resume")
    if started and not resume:
        raise LiifError(f"{out} holds a run already; go on with --resume, or name another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LiifError(f"run folder {out} cannot be made: {error.strerror}") from error


def _workers(place: Place) -> int:
    """How many processes cut batches: none, but threads, unless a fast device would wait.

    They are forked, so that the decoded photographs are in memory once.
    """
    if place.device.type != "cuda" or "fork" not in multiprocessing.get_all_start_methods():
        return 0
    return max(1, (os.cpu_count() or 1) // place.world - 1)


def _write_text(path: Path, text: str) -> None:
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
