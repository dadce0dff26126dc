"""The methods that an explorer offers: their names, and which parts of them can be switched off."""

from collections.abc import Mapping
from typing import Any

from liif_core.errors import LiifError
from liif_core.explorer.frames import BASELINES, Side
from liif_core.models import Model

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
    """Return a side, given as such or by its method's name; raise LiifError for an unknown one."""
    chosen = Side(side) if isinstance(side, str) else side
    if chosen.method not in BASELINES and chosen.method not in models:
        known = ", ".join([*BASELINES, *models])
        raise LiifError(f"no method {chosen.method!r}; choose one of {known}")
    return chosen


def methods_of(models: Mapping[str, Model]) -> list[dict[str, Any]]:
    """Return every method, and which parts of it can be switched off: those that it has."""
    found: list[dict[str, Any]] = [{"name": name, "switches": []} for name in BASELINES]
    for name, model in models.items():
        switches = [switch for switch in SWITCHES if getattr(model.config, switch)]
        found.append({"name": name, "switches": switches, "model": True})
    return found


def describe(side: Side, models: Mapping[str, Model]) -> str:
    """Return a side in words."""
    off = [name.replace("_", " ") for name in SWITCHES if not getattr(side, name)]
    if side.method not in models or not off:
        return side.method
    return f"{side.method} without {', '.join(off)}"
