"""Widgets for the lessons: predict, slide through frames, explore (the extra `lab`)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liif_core.widgets.frame_slider import FrameSlider
    from liif_core.widgets.predict import Predict
    from liif_core.widgets.upload_box import UploadBox
    from liif_core.widgets.zoom_explorer import ZoomExplorer

__all__ = ["FrameSlider", "Predict", "UploadBox", "ZoomExplorer"]

_ROOMS = {
    "FrameSlider": "frame_slider",
    "Predict": "predict",
    "UploadBox": "upload_box",
    "ZoomExplorer": "zoom_explorer",
}


def __getattr__(name: str) -> Any:
    """Import a widget when it is asked for: `assets`, beside them, must do without Jupyter."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
