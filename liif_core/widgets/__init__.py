"""Widgets for the lessons: predict, slide through frames, explore (the extra `lab`)."""

from liif_core.widgets.frame_slider import FrameSlider
from liif_core.widgets.predict import Predict
from liif_core.widgets.upload_box import UploadBox
from liif_core.widgets.zoom_explorer import ZoomExplorer

__all__ = ["FrameSlider", "Predict", "UploadBox", "ZoomExplorer"]
