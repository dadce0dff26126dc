"""What a run knows at a step, and the run folder's `last.pt` that it goes on from."""

import copy
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from liif_core.errors import LiifError
from liif_core.files.publish import publishing
from liif_core.models import CONFIGS, Config, Model, build
from liif_core.processes import Place
from liif_core.training.crisp import new_adversary
from liif_core.training.grow import grow, stir
from liif_core.training.optim import adversary_optimizer, make_optimizers
from liif_core.training.recipe import Recipe
from liif_core.weights import load_model


class State:
    """All that changes from step to step.

    Args:
        recipe: what is trained and how.
        init: weights to start from, instead of the recipe's.
        resumed: `load` is to follow: nothing is started from.
        device: where the arithmetic runs.
        capturable: steps are to be recorded as a CUDA graph.

    Attributes:
        model, average: the trained model, and the moving average of its weights.
        adversary: what a crisp model is trained against; None for others.
        teacher: the model whose answers it learns, if any.
        optimizers: of the model's parameters, and the adversary's.
        step: how many steps were taken.
        best: the best validation gain so far, in dB.
        seconds: how long the run has taken.
        losses, loss_sum: how many losses were added up since the last validation, and their sum;
            on the device, so that no step waits for its loss.
    """

    def __init__(
        self,
        recipe: Recipe,
        init: str | None,
        device: torch.device,
        *,
        resumed: bool = False,
        capturable: bool = False,
    ) -> None:
        self.recipe, self.device = recipe, device
        self.step, self.best, self.seconds = 0, float("-inf"), 0.0
        torch.manual_seed(recipe.seed)
        start = None if resumed else init or recipe.init
        first = fitted(recipe, load_model(start, device="cpu") if start else None)
        self.model = first.train().requires_grad_(True)
        if recipe.loss == "crisp":
            stir(self.model)
        self.model.to(device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        if recipe.freeze_encoder:
            self.model.encoder.requires_grad_(False)
        self.teacher = load_model(recipe.teacher, "cpu").to(device) if recipe.teacher else None
        self.optimizers = make_optimizers(
            self.model, recipe.optimizer, recipe.rate, capturable=capturable
        )
        self.adversary = new_adversary().to(device) if recipe.loss == "crisp" else None
        if self.adversary:
            self.optimizers.append(adversary_optimizer(self.adversary, recipe.rate))
        self.losses, self.loss_sum = 0, torch.zeros((), dtype=torch.float64, device=device)

    def save(self, out: Path) -> None:
        """Write `last.pt` in the run folder.

        Raises:
            LiifError: it cannot be written; the one before stays as it was.
        """
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
        if self.adversary:
            state["adversary"] = self.adversary.state_dict()
        # Into an open file: given its name, PyTorch calls a full disk a RuntimeError.
        with publishing(out / "last.pt") as part, open(part, "wb") as file:
            torch.save(state, file)

    def load(self, out: Path) -> None:
        """Go on from `last.pt` in the run folder.

        Raises:
            LiifError: it cannot be read, or is of another recipe.
        """
        state = _read(out, self.device)
        begun = Recipe.from_dict(state["recipe"])
        if not self.recipe.goes_on_from(begun, state["step"]):
            differing = ", ".join(self.recipe.differing(begun))
            raise LiifError(
                f"the run in {out} has another recipe, which differs in {differing}; resume with "
                f"the options it was started with, or {_instead(out, state['step'])}"
            )
        self.recipe = replace(self.recipe, before=begun.before)  # what is past stays as it was
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        if self.adversary:
            self.adversary.load_state_dict(state["adversary"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            # Rates and the like follow from the recipe and the device, not from the file.
            for group, mine in zip(saved["param_groups"], optimizer.param_groups, strict=True):
                group.update({key: value for key, value in mine.items() if key != "params"})
            optimizer.load_state_dict(saved)
        self.step, self.best, self.seconds = state["step"], state["best"], state["seconds"]
        self.losses = state["losses"]
        self.loss_sum.copy_(state["loss_sum"])


def finished(recipe: Recipe, out: Path) -> bool:
    """Whether `out` holds a run of this recipe that needs no further step."""
    if not (out / "last.pt").is_file():
        return False
    state = _read(out, torch.device("cpu"))
    begun, step = Recipe.from_dict(state["recipe"]), state["step"]
    return bool(step >= recipe.steps and recipe.goes_on_from(begun, step))


def begun(out: Path) -> bool:
    """Whether a folder holds a run to go on with: each has a checkpoint before its first step."""
    return (out / "last.pt").is_file()


def check_folder(out: Path, *, resume: bool) -> None:
    """See that a run can begin in a folder, or be resumed there.

    Raises:
        LiifError: a run is there already, or none is to be resumed.
    """
    log = out / "log.csv"
    logged = log.is_file() and log.stat().st_size > 0
    if logged and not begun(out):
        raise LiifError(f"the run in {out} has lost its checkpoint, last.pt; {_instead(out)}")
    if resume and not begun(out):
        raise LiifError(f"no run to resume in {out}; start it without --resume")
    # Of one that was stopped before a step was saved or logged, nothing would be lost.
    if not resume and begun(out) and (logged or _read(out, torch.device("cpu"))["step"] > 0):
        raise LiifError(f"{out} holds a run already; go on with --resume, or name another folder")


@contextmanager
def run_folder(out: Path, *, resume: bool) -> Iterator[None]:
    """Make the folder of a run, and take it away again if the block, which prepares it, fails.

    Raises:
        LiifError: as `check_folder`; or the folder cannot be made.
    """
    check_folder(out, resume=resume)
    missing = list(itertools.takewhile(lambda folder: not folder.exists(), [out, *out.parents]))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LiifError(f"run folder {out} cannot be made: {error.strerror}") from error
    try:
        yield
    except BaseException:
        with suppress(OSError):  # something lies in it, or another process was faster
            for folder in missing:
                folder.rmdir()
        raise


def forget_parts(out: Path) -> None:
    """Remove what a run that was killed while it wrote has left in its folder."""
    for part in out.glob(".liif-*.part"):
        with suppress(OSError):
            part.unlink()


def _read(out: Path, device: torch.device) -> dict[str, Any]:
    path = out / "last.pt"
    try:
        found = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # a damaged file: PyTorch raises almost anything
        raise LiifError(
            f"{path} cannot be read: damaged, or not a checkpoint; {_instead(out)}"
        ) from error
    if not isinstance(found, dict) or not {"recipe", "step", "model"} <= found.keys():
        raise LiifError(f"{path} is not the checkpoint of a run; name another folder")
    _name_teachers(found["recipe"])
    return found


def _instead(out: Path, step: int = 1) -> str:
    """Return what to do about a run that cannot go on, in words; `step`: how far it had come."""
    if re.fullmatch(r"(before|soup)-\d+", out.name):  # what it began with lies beside it
        return f"take {out} away, and this run alone begins anew"
    if step == 0:
        return "take last.pt and log.csv there away, and it begins anew: none of its steps is saved"
    best = out / "best.safetensors"
    return "name another folder" + (f", and begin with --init {best}" if best.is_file() else "")


def _name_teachers(recipe: dict[str, Any]) -> None:
    """Say in a recipe from before it named a teacher, of whom it learns: its `init`, or none."""
    for values in (recipe, *(recipe.get("before") or ()), *(recipe.get("soup") or ())):
        if values.pop("distil", False):
            values["teacher"] = recipe.get("init")


def config_of(recipe: Recipe) -> Config:
    """Return the configuration of what a recipe trains; LiifError if there is none."""
    if recipe.model not in CONFIGS:
        raise LiifError(f"recipe: no model called '{recipe.model}'; known: {', '.join(CONFIGS)}")
    return CONFIGS[recipe.model]


def fitted(recipe: Recipe, start: Model | None) -> Model:
    """Return what a recipe trains at first: `start`, grown where need be; None: at random."""
    config = config_of(recipe)
    if start is None:
        return build(config)
    return start if start.config == config else grow(start, config)


def share_out(recipe: Recipe, place: Place) -> None:
    """Raise LiifError if a recipe's batch cannot be shared out evenly among the processes."""
    if recipe.batch % place.world:
        raise LiifError(
            f"a batch of {recipe.batch} cannot be shared out among {place.world} processes; "
            "start as many as divide it"
        )
