"""The methods that an explorer offers: their names, and which parts of them can be switched off."""

from collections.abc import Mapping
from typing import Any

from liif_core.errors import LiifError
from liif_core.explorer.frames import BASELINES, LEAST_ASKED, Side, seed_shown
from liif_core.explorer.viewport import MOST, Viewport
from liif_core.models import Model, seed_of

#: Which parts of a model can be switched off in the explorer.
SWITCHES = ("local_ensemble", "cell_decoding", "feature_unfolding")


def check_models(models: Mapping[str, Any]) -> None:
    """Raise LiifError unless there are models, with names of their own."""
    if not models:
        raise LiifError("the explorer needs a model: pass load_model(…), or several by name")
    for name, model in models.items():
        if not isinstance(model, Model):
            raise LiifError(
                f"model {name!r} is a {type(model).__name__}: pass what load_model gave"
            )
        if not isinstance(name, str) or not name or name in BASELINES:
            raise LiifError(f"a model cannot be called {name!r}; give it a name of its own")


def checked_side(side: str | Side, models: Mapping[str, Model]) -> Side:
    """Return a side, given as such or by its method's name.

    Raises:
        LiifError: an unknown method, or a seed that is none, or for a method that takes none.
    """
    chosen = Side(side) if isinstance(side, str) else side
    if chosen.method not in BASELINES and chosen.method not in models:
        known = ", ".join([*BASELINES, *models])
        raise LiifError(f"no method {chosen.method!r}; choose one of {known}")
    if chosen.seed is not None:
        if chosen.method in BASELINES or seed_of(models[chosen.method]) is None:
            raise LiifError(f"{chosen.method!r} invents no details; leave the seed out")
        if type(chosen.seed) is not int or not 0 <= chosen.seed < 1 << 31:
            raise LiifError(
                f"a seed is a whole number from 0 to {2**31 - 1:,}, not {chosen.seed!r}"
            )
    return chosen


def sides_at(
    coord: tuple[float, float], view: Viewport, sides: tuple[Side, Side], split: float
) -> tuple[Side, Side]:
    """Return both sides of a split screen, first the one that shows a point.

    Args:
        coord: (y, x) in [-1, 1].
        view: where the screen stands.
        sides: left and right of the split.
        split: 0 … 1 of the screen's width.
    """
    column = view.screen_at(coord)[1]
    return sides if column < round(split * view.screen[1]) else sides[::-1]


def methods_of(models: Mapping[str, Model]) -> list[dict[str, Any]]:
    """Return every method, and which parts of it can be switched off: those that it has. Of a
    model, the least magnification that it is asked at, and if it invents details, its own seed."""
    found: list[dict[str, Any]] = [{"name": name, "switches": []} for name in BASELINES]
    for name, model in models.items():
        switches = [switch for switch in SWITCHES if getattr(model.config, switch)]
        least = LEAST_ASKED[type(model)]
        method = {"name": name, "switches": switches, "model": True, "least": least}
        own = seed_of(model)
        found.append(method if own is None else {**method, "seed": own})
    return found


def describe(side: Side, models: Mapping[str, Model], magnification: float = MOST) -> str:
    """Return in words what a side shows at a magnification."""
    if side.method not in models:
        return side.method
    least = LEAST_ASKED[type(models[side.method])]
    if magnification < least:
        return f"bicubic, for {side.method} is asked from ×{least:g} on"
    seed = seed_shown(side, models)
    chance = "" if seed is None else f", seed {seed}, details are generated"
    return f"{side.method}{without(side)}{chance}"


def without(side: Side) -> str:
    """Return in words which parts are off; nothing if all are on."""
    off = [name.replace("_", " ") for name in SWITCHES if not getattr(side, name)]
    return f" without {', '.join(off)}" if off else ""
