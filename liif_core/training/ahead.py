"""What can be known of all runs of a recipe before the first of them trains for hours."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from liif_core.errors import LiifError
from liif_core.models import Model, build, seed_of
from liif_core.photos import photo_paths, read_header
from liif_core.processes import Place
from liif_core.training.checkpoint import (
    begun,
    config_of,
    finished,
    fitted,
    refuse_to_overwrite,
    share_out,
)
from liif_core.training.crisp import new_adversary
from liif_core.training.grow import stir
from liif_core.training.recipe import Recipe
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
    runs = list(_runs(recipe, out, resume=resume))
    _look_for_teachers([part for _, part, _ in runs])
    if len(runs) == 1:  # it says all else itself, as soon
        return
    _check_folders(recipe, out, resume=resume)
    model = None
    for which, part, folder in runs:
        if resume and finished(part, folder):
            model = build(config_of(part))
            continue
        start = init or part.init
        if model is None and start:
            model = load_model(start, "cpu")
        with _named(which):
            share_out(part, place)
            model = _begun_with(part, model)
            _check_sizes(part, photos)


def _runs(recipe: Recipe, out: Path, *, resume: bool) -> Iterator[tuple[str, Recipe, Path]]:
    """Yield all runs that are not past, in their order: in words which it is, recipe, folder."""
    before = recipe.runs_before()
    if not (resume and (out / "last.pt").is_file()):
        for number, part in enumerate(before, start=1):
            yield f"before {number} of {len(before)}", part, out / f"before-{number}"
    yield "", recipe, out
    for part in recipe.fine_tunings():
        yield f"soup, seed {part.seed}", part, out / f"soup-{part.seed}"


@contextmanager
def _named(which: str) -> Iterator[None]:
    """Have a LiifError in this context say which of the runs it is about; "": the recipe's own."""
    try:
        yield
    except LiifError as error:
        if not which:
            raise
        raise LiifError(f"recipe: {which}: {str(error).removeprefix('recipe: ')}") from error


def _look_for_teachers(runs: list[Recipe]) -> None:
    """Raise LiifError if a teacher cannot be loaded, or would teach chance."""
    for name in sorted({run.teacher for run in runs if run.teacher}):
        if seed_of(load_model(name, "cpu")) is not None:
            raise LiifError(
                f"recipe: {name} cannot be a teacher: it reads noise, and its answers hold chance; "
                "name weights that read none, such as liif-edsr"
            )


def _check_folders(recipe: Recipe, out: Path, *, resume: bool) -> None:
    """Raise LiifError if a run's folder is another's, or there is nothing to go on with."""
    folders = [out / f"before-{number}" for number in range(1, len(recipe.before) + 1)] + [out]
    if not resume:
        for folder in reversed(folders):
            refuse_to_overwrite(folder)
    elif not begun(out) and not begun(folders[0]):
        raise LiifError(f"no run to resume in {folders[0]}; start it without --resume")


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
