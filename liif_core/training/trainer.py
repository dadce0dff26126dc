"""Training: resumable, and bit for bit so on as many processes; on one or several.

A run folder holds `recipe.json`, `log.csv`, `curves.png`, `last.pt` (everything a resumed run
needs) and `best.safetensors` (the averaged weights that validated best, or the last; see
`Recipe.last_is_best`). A recipe with a soup leaves a run folder `soup-SEED` for each fine-tuning
besides, and `soup.safetensors`, the mean.
"""

from pathlib import Path
from typing import Any

import torch

from liif_core.processes import Place, processes
from liif_core.training.ahead import look_ahead, runs_left
from liif_core.training.checkpoint import begun, finished
from liif_core.training.loss import PairLoss
from liif_core.training.photographs import to_stderr
from liif_core.training.recipe import Recipe
from liif_core.training.run import Run, make_validator, split
from liif_core.training.soup import greedy_soup, mean_of
from liif_core.weights import save_weights, training_facts

__all__ = ["PairLoss", "Place", "Run", "closing_words", "train"]


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
    """Run a recipe, after the runs before it, and the fine-tunings of its soup, if it has any.

    Args:
        recipe: what to train and how.
        photos: folder of training photographs. One that is broken, or smaller than the largest
            crop, is named on standard error and left out.
        out: run folder, made if missing.
        val: folder of validation photographs; without one, those that the recipe names are held
            out of `photos`, or else every 16th.
        init: weights to start from, instead of the recipe's; grown where its encoder is larger.
        resume: go on with the run in `out`, wherever it was left; see `Recipe.goes_on_from`. What
            it began with, it knows: `init` does not count then.
        device: see `pick_device`.
        quiet: no progress bar.

    Returns:
        the best validation gain over bicubic, in dB; None in all processes but the leading one.

    Raises:
        LiifError: a folder, weight or run that does not fit.
    """
    with processes(device) as place:
        look_ahead(recipe, photos, out, init=init, resume=resume, place=place)
        gain = float("-inf")
        for which, part, folder in runs_left(recipe, out, resume=resume):
            own = folder == out
            # Of one that is finished, and which nothing follows, `Run` says so.
            if not (resume and (recipe.soup or not own) and finished(part, folder)):
                run = Run(part, photos, folder, val=val, init=init, resume=resume, place=place)
                gain = run.loop(quiet=quiet, which=which)
                if own and place.leads and not recipe.freeze_encoder:
                    run.tell_of_dead_units()
            place.wait()  # until the leading process has written what the next one begins with
            init, resume = str(folder / "best.safetensors"), False
        if recipe.soup:
            gain = _soup(recipe, photos, out, val=val, place=place, quiet=quiet)
        return gain if place.leads else None


def result_of(recipe: Recipe, out: Path) -> Path:
    """Return where a finished run's weights lie: the soup's, or the best of the run."""
    return out / ("soup.safetensors" if recipe.soup else "best.safetensors")


def closing_words(recipe: Recipe, out: Path, gain: float) -> list[str]:
    """Return what to tell whoever has trained: how good the weights are, and how to use them.

    Args:
        recipe: what was trained.
        out: the run folder.
        gain: what `train` returned, in dB.
    """
    weights = result_of(recipe, out)
    lines = [f"{weights}: {gain:+.3f} dB beside bicubic interpolation on the held-out photos"]
    if gain < 0:
        lines.append(
            "below 0 dB the model is not yet as good as bicubic: a new network begins far below "
            "it and overtakes it after some thousand steps. Train for more of them, or begin with "
            "trained weights: --init liif-edsr-small"
        )
    lines.append(f"zoom with it: liif zoom PHOTO --scale 4 --weights {weights}")
    return lines


def _soup(
    recipe: Recipe, photos: Path, out: Path, *, val: Path | None, place: Place, quiet: bool
) -> float:
    """Fine-tune a finished run in `soup-SEED` folders; write the mean to `soup.safetensors`.

    What is finished is not run again; returns the mean's gain over bicubic, in dB. All processes
    taste together: each scores the same means, on its share of the photographs.
    """
    parts = [out / "best.safetensors"]
    for part in recipe.fine_tunings():
        place.wait()  # until the leading process has written what this one begins with
        folder = out / f"soup-{part.seed}"
        parts.append(folder / "best.safetensors")
        if finished(part, folder):
            continue
        options: dict[str, Any] = {"val": val, "init": str(parts[0]), "place": place}
        run = Run(part, photos, folder, resume=begun(folder), **options)
        run.loop(quiet=quiet, which=f"soup, seed {part.seed}")
    place.wait()
    held_out = split(photos, val, recipe, to_stderr if place.leads else lambda line: None)[1]
    validator = make_validator(recipe, held_out, place)
    hours = round(sum(training_facts(part)["hours"] for part in parts), 2)
    if recipe.greedy:
        parts = greedy_soup(parts, lambda model: validator.scores(model).mean_gain)
    mixed = mean_of(parts)
    scores = validator.scores(mixed)
    if place.leads:
        changed = {
            "recipe": recipe.noted(),
            "hours": hours,
            "mean_of": [part.relative_to(out).as_posix() for part in parts],
            "validation_psnr": scores.by_scale(),
        }
        facts = training_facts(out / "best.safetensors")
        dtype = getattr(torch, recipe.stored)
        save_weights(mixed, out / "soup.safetensors", facts | changed, dtype)
    return scores.mean_gain
