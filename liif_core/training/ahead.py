"""What can be known of all runs of a recipe before the first of them trains for hours."""

from pathlib import Path

from liif_core.errors import LiifError
from liif_core.models import Model, build, seed_of
from liif_core.photos import photo_paths, read_header
from liif_core.processes import Place
from liif_core.training.checkpoint import (
    begun,
    check_folder,
    config_of,
    fitted,
    share_out,
)
from liif_core.training.crisp import new_adversary
from liif_core.training.grow import stir
from liif_core.training.recipe import Recipe, naming
from liif_core.weights import load_model


def look_ahead(
    recipe: Recipe, photos: Path, out: Path, *, init: str | None, resume: bool, place: Place
) -> None:
    """See that each run of a recipe can begin.

    Args:
        recipe, photos, out, init, resume: as for `train`.
        place: which process this is.

    Raises:
        LiifError: one could not; nothing was made or trained yet.
    """
    runs = runs_left(recipe, out, resume=resume)
    for number, (_, _, folder) in reversed(list(enumerate(runs))):
        check_folder(folder, resume=resume and number == 0)
    for part in recipe.fine_tunings():
        folder = out / f"soup-{part.seed}"
        check_folder(folder, resume=resume and begun(folder))
        runs.append((f"soup, seed {part.seed}", part, folder))
    _look_for_teachers([part for _, part, _ in runs])
    if len(runs) == 1:  # it says all else itself, as soon
        return
    model = None
    for which, part, folder in runs:
        if resume and begun(folder):
            model = build(config_of(part))
            continue
        start = init or part.init
        if model is None and start:
            model = load_model(start, "cpu")
        with naming(which):
            share_out(part, place)
            model = _begun_with(part, model)
            _check_sizes(part, photos)


def runs_left(recipe: Recipe, out: Path, *, resume: bool) -> list[tuple[str, Recipe, Path]]:
    """Return the runs before a recipe's own, and that, in their order, less those that are past.

    When it is resumed, all before the one that was begun last are past: that one's checkpoint
    holds what they left it.

    Returns:
        of each in words which it is, "" for the recipe's own; its recipe; and its folder.
    """
    before = recipe.runs_before()
    runs = [
        (f"before {number} of {len(before)}", part, out / f"before-{number}")
        for number, part in enumerate(before, start=1)
    ]
    runs.append(("", recipe, out))
    if not resume:
        return runs
    return runs[max((number for number, run in enumerate(runs) if begun(run[2])), default=0) :]


def _look_for_teachers(runs: list[Recipe]) -> None:
    """Raise LiifError if a teacher cannot be loaded, or would teach chance."""
    for name in sorted({run.teacher for run in runs if run.teacher}):
        if seed_of(load_model(name, "cpu")) is not None:
            raise LiifError(
                f"recipe: {name} cannot be a teacher: it reads noise, and its answers hold chance; "
                "name weights that read none, such as liif-edsr"
            )


def _begun_with(recipe: Recipe, start: Model | None) -> Model:
    """Return the model that a run begins with; its weights do not matter here, its sizes do."""
    model = fitted(recipe, start)
    if recipe.loss == "crisp":
        stir(model)
        new_adversary()
    return model


def _check_sizes(recipe: Recipe, photos: Path) -> None:
    """Raise LiifError if all photographs are smaller than a run's largest crop."""
    least = round(recipe.patch * recipe.max_scale)
    for path in photo_paths(photos):
        try:
            header = read_header(path)
        except LiifError:  # which the run names, and leaves out
            continue
        if min(header.height, header.width) >= least:
            return
    raise LiifError(f"all photographs in {photos} are smaller than {least} pixels; give larger")
