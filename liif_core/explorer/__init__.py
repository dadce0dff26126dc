"""What the zoom explorer shows, without Jupyter: where a screen stands, and what it shows."""

from liif_core.explorer.frames import BASELINES, ExploredPhoto, Side
from liif_core.explorer.session import Session
from liif_core.explorer.viewport import MOST, Span, Viewport

__all__ = ["BASELINES", "MOST", "ExploredPhoto", "Session", "Side", "Span", "Viewport"]
