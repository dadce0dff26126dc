"""A recipe: everything that decides what a training run computes, apart from the photographs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any

from liif_core.errors import LiifError, one_line
from liif_core.training.kinds import is_number, wrong_kinds

#: What `loss` may name; see `liif_core.training.loss`.
LOSSES = ("l1", "psnr", "crisp")

#: The keys that hold lists, and of what.
LISTS = {"before": "runs, {…} each", "soup": "groups, {…} each", "held_out": "file names"}

#: A recipe changed by these is one run, with none before it and no soup.
ALONE: dict[str, Any] = {"before": (), "soup": (), "greedy": False}

#: What `crisp` may name; see `liif_core.training.crisp.Weights`.
CRISP = ("spread", "consistency", "grid", "features", "adversary")


@dataclass(frozen=True)
class Recipe:
    """How to train one model.

    Attributes:
        model: name of a configuration in `liif_core.models.CONFIGS`.
        steps: optimiser steps in all.
        batch: patches per step, shared out evenly among the processes.
        patch: side of a patch at input resolution, in pixels.
        queries: random target pixels asked for per patch, none twice while the patch has enough.
        window: side of a square of target pixels, at a random place, that is asked for instead;
            0 for none. The crisp loss needs one.
        min_scale, max_scale: each patch's scale is drawn evenly from between (paper: 1 … 4).
        drawn: share of the patches that show drawn lines and edges instead of a photo; see `drawn`.
        crisper: share of those that show a photo shrunk before, so that it is crisper than itself.
        optimizer: "muon" or "adamw".
        rate: peak learning rate.
        warmup: steps of linear rise at the start.
        decay: steps of cosine fall to zero at the end; steps - warmup gives a plain cosine.
        ema: decay per step of the moving average of the weights, which is what is shipped.
        clip: largest norm of the whole gradient.
        precision: "bfloat16" computes convolutions and matrix products in bfloat16 where the
            processor or accelerator has it (the weights stay float32); "float32" never does.
        loss: "l1" or "psnr", see `PairLoss`; or "crisp", see `CrispLoss`.
        enough: the PSNR, in dB, 0 to 100, beyond which a patch counts less and less in the loss
            "psnr". A photograph's PSNR is decided by its busy parts; plain patches reach far more,
            and making them better still hardly changes it. So for weights that are to be good at
            photographs, about the PSNR that those reach as a whole.
        crisp: the weights of that loss, by the names of `liif_core.training.crisp.Weights`.
        degrade: "none" for clean bicubic inputs as in the paper, "photo" for worn ones, "scan" for
            those of prints, with paper, print screens and unknown blur, a fifth of them clean;
            "mixed" for both of these, clean ones and ones that are only blurred.
        init: weights to start from, unless the command names others; they grow where `model` is
            the larger one, and where its decoder is of another kind lend their encoder alone.
        before: runs that come first, in their order: each the changes to this recipe that make
            its own. The first starts from `init`, each other, and this one, from what the one
            before it has left. Empty: none.
        revive: let the encoder's units whose ReLU no patch opens begin anew, before the first step
            (the soup's are left as they are); see `liif_core.training.revive`.
        freeze_encoder: leave the encoder as `init` has it: a new decoder learns to read its codes
            first, in a third of the time.
        teacher: weights whose answers are the target, instead of the photo's pixels. They have no
            noise, so that a new decoder comes near them in fewer steps. Empty: no such.
        teacher_to: the largest scale at which the teacher's answers alone are the target; beyond,
            which it may not have learnt itself, the photo's pixels count as much: they know more,
            but are noisier. 0: at all scales.
        far: share of the patches that have a scale beyond that, evenly up to `max_scale`; the
            others', drawn evenly too, end there.
        from_all_sides: the teacher answers as a self-ensemble does: the mean of what it says of
            the photo in its eight orientations, which is better than each.
        from_any_side: the teacher sees each sample in one of these orientations. Over many steps
            that teaches about the same, for an eighth of the work.
        stored: number format of the weights that are written, "float32", or "float16" for half the
            bytes; they are loaded to float32. What only begins another run stays float32.
        seed: decides every random choice.
        validate_every: steps between validations.
        save_every: steps between checkpoints.
        soup: how to fine-tune the result: groups, each with the "seeds" of its fine-tunings and the
            changes to this recipe that they share. The mean of the result and all of these is
            what is shipped. Empty: no such.
        greedy: whether the mean takes in only what raises its validation score; see `greedy_soup`.
        held_out: names of the photographs that are kept out of training and that the weights and
            the soup are chosen by, unless the command names a folder of others. Where the folder
            has none of these, every 16th of its photographs.
    """

    model: str
    steps: int
    batch: int = 16
    patch: int = 32
    queries: int = 1024
    window: int = 0
    min_scale: float = 1.0
    max_scale: float = 4.0
    drawn: float = 0.0
    crisper: float = 0.0
    optimizer: str = "muon"
    rate: float = 1.5e-3
    warmup: int = 200
    decay: int = 0
    ema: float = 0.999
    clip: float = 1.0
    precision: str = "bfloat16"
    loss: str = "l1"
    enough: float = 50.0
    crisp: dict[str, float] = field(default_factory=dict)
    degrade: str = "none"
    init: str | None = None
    before: tuple[dict[str, Any], ...] = ()
    revive: bool = False
    freeze_encoder: bool = False
    teacher: str | None = None
    teacher_to: float = 0.0
    far: float = 0.0
    from_all_sides: bool = False
    from_any_side: bool = False
    stored: str = "float32"
    seed: int = 0
    validate_every: int = 1000
    save_every: int = 200
    soup: tuple[dict[str, Any], ...] = ()
    greedy: bool = False
    held_out: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Recipe":
        """Build a recipe from JSON values.

        Raises:
            LiifError: an unknown key, or a value that cannot be.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise LiifError(f"recipe: unknown {', '.join(sorted(unknown))}")
        for key in LISTS:
            if not isinstance(values.get(key), list | tuple | None):
                raise LiifError(f"recipe: {key} must be a list of {LISTS[key]}")
        lists = {key: tuple(values.get(key) or ()) for key in LISTS}
        recipe = cls(**{**values, **lists})
        _check(recipe)
        return recipe

    @property
    def last_is_best(self) -> bool:
        """Whether the validation's PSNR does not tell which weights are best, so the last are kept.

        A crisp model looks ever better while its PSNR falls; and of inputs of many kinds, that of
        one kind is measured.
        """
        return self.loss == "crisp" or self.degrade in ("scan", "mixed")

    def fine_tunings(self) -> list["Recipe"]:
        """Return the recipes whose results make up the soup, along with this one's own."""
        # Each would let other units begin anew, and their mean be of none.
        alike = {**self.to_dict(), "init": None, "revive": False, **ALONE}
        found = []
        for place, group in _placed("soup", self.soup):
            changes = {key: value for key, value in group.items() if key != "seeds"}
            found += [_at(place, {**alike, **changes, "seed": seed}) for seed in group["seeds"]]
        return found

    def runs_before(self) -> list["Recipe"]:
        """Return the recipes of the runs that come before this one, in their order."""
        alike = {**self.to_dict(), **ALONE, "stored": "float32"}
        return [
            _at(place, {**alike, **changes, "init": None if number else self.init})
            for number, (place, changes) in enumerate(_placed("before", self.before))
        ]

    def with_steps(self, steps: int) -> "Recipe":
        """Return the same recipe for another number of steps, warm-up and decay in proportion.

        So are those of the runs before. The soup is left out: it ends the full run.
        """
        share = steps / self.steps
        before = [
            {**changes, **run.length(max(1, round(run.steps * share)))}
            for changes, run in zip(self.before, self.runs_before(), strict=True)
        ]
        return Recipe.from_dict({**self.to_dict(), **ALONE, **self.length(steps), "before": before})

    def length(self, steps: int) -> dict[str, int]:
        """Return `steps`, and a warm-up and decay in proportion."""
        share = steps / self.steps
        warmup = min(self.warmup, int(self.warmup * share))
        return {"steps": steps, "warmup": warmup, "decay": int(self.decay * share)}

    def goes_on_from(self, other: "Recipe", step: int) -> bool:
        """Whether a run of `other`, stopped at `step`, can go on under this recipe.

        That is so if they are the same, or differ only in how long they hold the peak rate and
        both hold it at `step`: a warm-up–stable–decay run may decide late when to decay. What
        came before the run, and what follows it, its soup, may differ too; and a run from before
        recipes said what is held out may be told now.
        """
        differing = self.differing(other)
        if not differing:
            return True
        held = all(r.warmup <= step <= r.steps - r.decay for r in (self, other))
        return held and set(differing) <= {"steps", "warmup", "decay"}

    def differing(self, other: "Recipe") -> list[str]:
        """Return the keys that count in `goes_on_from` and differ from those of `other`."""
        past = {"before", "soup", "greedy"} | (set() if other.held_out else {"held_out"})
        mine, others = self.to_dict(), other.to_dict()
        return [key for key in mine if key not in past and mine[key] != others[key]]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; inverse of `from_dict`."""
        values = asdict(self)
        return {**values, **{key: list(values[key]) for key in LISTS}}

    def noted(self) -> dict[str, Any]:
        """Return what a weight file says of the recipe: `to_dict`, of a file in it the name alone.

        Weights travel, and folders are nobody's business.
        """
        values = _without_folders(self.to_dict())
        for key in ("before", "soup"):
            values[key] = [_without_folders(changes) for changes in values[key]]
        return values


def _without_folders(values: dict[str, Any]) -> dict[str, Any]:
    """Return what names weights by the name of their file alone, all else as it is."""
    files = {key: Path(values[key]).name for key in ("init", "teacher") if values.get(key)}
    return {**values, **files}


def _placed(key: str, runs: tuple[Any, ...]) -> list[tuple[str, Any]]:
    """Return each run before, or group of a soup, with what an error calls it."""
    return [(f"{key} {number} of {len(runs)}", run) for number, run in enumerate(runs, start=1)]


@contextmanager
def naming(which: str) -> Iterator[None]:
    """Have a LiifError in this context say which of the runs it is about; "": the recipe's own."""
    try:
        yield
    except LiifError as error:
        if not which:
            raise
        raise LiifError(f"recipe: {which}: {str(error).removeprefix('recipe: ')}") from error


def _at(place: str, values: dict[str, Any]) -> Recipe:
    """Build the recipe of a run before, or of a soup."""
    with naming(place):
        return Recipe.from_dict(values)


def _check(recipe: Recipe) -> None:
    """Raise LiifError for a value that cannot be."""
    for key, kind in wrong_kinds(recipe):
        raise LiifError(f"recipe: {key} must be {kind}")
    positive = ("steps", "batch", "patch", "queries", "rate", "validate_every", "save_every")
    for key in positive:
        if not getattr(recipe, key) > 0:
            raise LiifError(f"recipe: {key} must be greater than 0")
    if recipe.degrade not in ("none", "photo", "scan", "mixed"):
        raise LiifError("recipe: degrade must be 'none', 'photo', 'scan' or 'mixed'")
    if recipe.loss not in LOSSES:
        raise LiifError("recipe: loss must be 'l1', 'psnr' or 'crisp'")
    if recipe.optimizer not in ("muon", "adamw"):
        raise LiifError("recipe: optimizer must be 'muon' or 'adamw'")
    if recipe.precision not in ("bfloat16", "float32"):
        raise LiifError("recipe: precision must be 'bfloat16' or 'float32'")
    if recipe.stored not in ("float32", "float16"):
        raise LiifError("recipe: stored must be 'float32' or 'float16'")
    for key in ("init", "teacher"):
        if not isinstance(getattr(recipe, key), str | None):
            raise LiifError(f"recipe: {key} must be the name of weights, or a file")
    if recipe.teacher and recipe.loss == "crisp":
        raise LiifError("recipe: the crisp loss has no teacher")
    for key in ("from_all_sides", "from_any_side"):
        if getattr(recipe, key) and not recipe.teacher:
            raise LiifError(f"recipe: {key} must be true only of a teacher")
    if recipe.from_all_sides and recipe.from_any_side:
        raise LiifError("recipe: a teacher is asked from_all_sides or from_any_side; drop one")
    if recipe.revive and recipe.freeze_encoder:
        raise LiifError("recipe: revive changes the encoder, freeze_encoder leaves it; drop one")
    if not 1 <= recipe.min_scale <= recipe.max_scale:
        raise LiifError("recipe: 1 ≤ min_scale ≤ max_scale is needed")
    if not 0 <= recipe.enough <= 100:
        raise LiifError("recipe: enough must lie between 0 and 100, in dB")
    _check_shares(recipe)
    if recipe.warmup + recipe.decay > recipe.steps:
        raise LiifError("recipe: warmup and decay together take more than all steps")
    if not all(isinstance(name, str) for name in recipe.held_out):
        raise LiifError("recipe: held_out must be a list of file names")
    _check_crisp(recipe)
    _check_more_runs(recipe)


def _check_shares(recipe: Recipe) -> None:
    """Raise LiifError if patches cannot be shared out so."""
    shares = (recipe.drawn, recipe.crisper)
    if not all(0 <= share <= 1 for share in (*shares, sum(shares))):
        raise LiifError(
            "recipe: drawn and crisper must be shares of the patches, 1 together at most"
        )
    if recipe.teacher_to and not recipe.teacher:
        raise LiifError("recipe: teacher_to is for a recipe with a teacher")
    if recipe.teacher_to and not recipe.min_scale <= recipe.teacher_to <= recipe.max_scale:
        raise LiifError("recipe: teacher_to must lie between min_scale and max_scale")
    if not 0 <= recipe.far <= bool(recipe.teacher_to):
        raise LiifError("recipe: far must be a share of the patches, and needs teacher_to")


def _check_crisp(recipe: Recipe) -> None:
    """Raise LiifError if the crisp loss lacks what it needs, or a window leaves its crop."""
    if recipe.window > recipe.patch * recipe.min_scale:
        raise LiifError("recipe: a window must fit into patch × min_scale pixels")
    if recipe.loss != "crisp":
        return
    if recipe.window < 16:
        raise LiifError("recipe: the crisp loss needs a window of 16 pixels or more")
    weights = recipe.crisp if isinstance(recipe.crisp, dict) else {}
    if set(weights) != set(CRISP) or not all(is_number(v) and v >= 0 for v in weights.values()):
        raise LiifError(f"recipe: crisp needs weights of 0 or more for {', '.join(CRISP)}")


def _check_more_runs(recipe: Recipe) -> None:
    """Raise LiifError if a run before this one, or of its soup, cannot be."""
    for place, changes in (*_placed("before", recipe.before), *_placed("soup", recipe.soup)):
        if not isinstance(changes, dict):
            raise LiifError(f"recipe: {place} must be changes to the recipe, {{…}}")
        fixed = {"init", *ALONE} | ({"model", "revive"} if place.startswith("soup") else set())
        if own := fixed & set(changes):
            raise LiifError(f"recipe: {place}: {', '.join(sorted(own))} cannot change there")
    for place, group in _placed("soup", recipe.soup):
        if not isinstance(group.get("seeds"), list | tuple) or not group["seeds"]:
            raise LiifError(f"recipe: {place}: a group needs seeds, a list of whole numbers")
    seeds = [seed for group in recipe.soup for seed in group["seeds"]]
    if len({str(seed) for seed in seeds}) < len(seeds):
        raise LiifError("recipe: each group of a soup needs seeds, none twice")
    recipe.fine_tunings()
    recipe.runs_before()


def recipe_names() -> list[str]:
    """Return the names of the recipes in the package, one for each shipped weight."""
    folder = resources.files(__package__) / "recipes"
    return sorted(
        entry.name.removesuffix(".json")
        for entry in folder.iterdir()
        if entry.name.endswith(".json")
    )


def trained_scales(weights: str) -> tuple[float, float]:
    """Return the (least, largest) magnification that shipped weights were trained for; for others,
    what a recipe has that says nothing else."""
    if weights not in recipe_names():
        return Recipe.min_scale, Recipe.max_scale
    recipe = load_recipe(weights)
    runs = [*recipe.runs_before(), recipe]
    return min(run.min_scale for run in runs), max(run.max_scale for run in runs)


def load_recipe(name: str) -> Recipe:
    """Return a recipe by its name in the package, or from a file that ends in `.json`.

    Raises:
        LiifError: no such name (those there are get listed), or a file that holds no recipe.
    """
    if name.endswith(".json"):
        return _from_file(Path(name))
    if name not in recipe_names():
        raise LiifError(
            f"no recipe called '{name}'; there are: {', '.join(recipe_names())}; or give a file "
            "that ends in .json"
        )
    text = (resources.files(__package__) / "recipes" / f"{name}.json").read_text(encoding="utf-8")
    return Recipe.from_dict(json.loads(text))


def _from_file(path: Path) -> Recipe:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LiifError(f"recipe {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise LiifError(f"recipe {path} is not JSON: {one_line(error)}") from error
    if not isinstance(values, dict) or not {"model", "steps"} <= set(values):
        raise LiifError(f'recipe {path} must be a JSON object with "model", "steps" and more')
    return Recipe.from_dict(values)
