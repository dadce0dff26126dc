"""LIIF, small and complete: a photo as a continuous function that can be asked at any density.

from liif_core import load_model, zoom
zoom("photo.jpg", scale=12).save("large.png")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liif_core.weights import load_model
    from liif_core.zooming.photo import zoom

__all__ = ["load_model", "zoom"]


def __getattr__(name: str) -> Any:
    """Import PyTorch only when it is needed: `liif --help` should answer at once."""
    if name == "zoom":
        from liif_core.zooming.photo import zoom

        globals()["zoom"] = zoom
        return zoom
    if name == "load_model":
        from liif_core.weights import load_model

        globals()["load_model"] = load_model
        return load_model
    raise AttributeError(f"module 'liif_core' has no attribute '{name}'")
