"""Widgets for the lessons: predict before you see, and slide through frames (the extra `lab`)."""

from liif_core.widgets.frame_slider import FrameSlider
from liif_core.widgets.predict import Predict

__all__ = ["FrameSlider", "Predict"]
