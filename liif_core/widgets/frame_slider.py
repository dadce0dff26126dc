"""A slider over frames that are drawn on request: move it, and see what changes."""

import html
import io
import operator
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from PIL import Image
from traitlets import Int, List, Unicode

from liif_core.errors import LiifError
from liif_core.widgets.assets import module, style
from liif_core.widgets.still_widget import StillWidget
from liif_core.widgets.stills import as_base64, contact_sheet, on_screen, small_frames, still_figure

T = TypeVar("T")
#: How many frames the still picture shows: a number with many divisors, so that rows are full.
STILL_FRAMES = 6
#: With more than these, a page without a kernel shows the still: a notebook must stay small.
LIVING_FRAMES = 16


class FrameSlider(StillWidget, Generic[T]):
    """A slider over values; each value's picture is drawn when the slider first comes to it.

    A frame is drawn once, kept, and sent to the browser without loss; while one is being drawn,
    those that the slider merely passes are skipped. Without a kernel, up to six frames
    are shown side by side.

    Args:
        values: at least one value to slide over.
        draw: value -> its picture, (H, W, 3), uint8 or float in [0, 1]. Floats slightly outside
            are clamped on screen.
        label: value -> the text under its picture.
        alt: what the pictures show, in a sentence, for readers who cannot see them.

    Raises:
        LiifError: there are no values, or `alt` is empty.
    """

    _esm = module("frame_slider.js")
    _css = style("frame_slider.css")
    kind = "frames"

    labels = List(Unicode()).tag(sync=True)
    alt = Unicode().tag(sync=True)
    #: Where the slider stands.
    index = Int(0).tag(sync=True)

    def __init__(
        self,
        values: Sequence[T],
        draw: Callable[[T], np.ndarray],
        *,
        label: Callable[[T], str],
        alt: str,
    ) -> None:
        if len(values) == 0:
            raise LiifError("a frame slider needs at least one value")
        if not alt.strip():
            raise LiifError("a frame slider needs an alternative text: say what its pictures show")
        self._values = list(values)
        self._draw = draw
        self._frames: dict[int, np.ndarray] = {}
        self._pngs: dict[int, bytes] = {}
        super().__init__(labels=[str(label(value)) for value in self._values], alt=alt)
        self.on_msg(self._receive)

    def show_frame(self, index: int) -> np.ndarray:
        """Move the slider to a frame, as the reader's hand does, and return the frame.

        Args:
            index: of one of the values, from 0.

        Returns:
            What `draw` returned for it, (H, W, 3), read-only.

        Raises:
            LiifError: `index` is not the index of a value, or `draw` did not return a picture.
            Exception: whatever `draw` raised.
        """
        try:
            number = operator.index(index)
        except TypeError:
            number = -1
        if not 0 <= number < len(self._values):
            last = len(self._values) - 1
            raise LiifError(f"a frame's index goes from 0 to {last}, got {index!r}")
        self.index = number
        return self._frame(number)

    def _frame(self, index: int) -> np.ndarray:
        if index not in self._frames:
            frame = np.array(self._draw(self._values[index]))
            check_picture(frame, self.labels[index])
            frame.setflags(write=False)
            self._frames[index] = frame
        return self._frames[index]

    def _png(self, index: int) -> bytes:
        if index not in self._pngs:
            buffer = io.BytesIO()
            # Level 1: a frame is on its way to the same machine, so time matters more than size.
            Image.fromarray(on_screen(self._frame(index))).save(buffer, "PNG", compress_level=1)
            self._pngs[index] = buffer.getvalue()
        return self._pngs[index]

    def _receive(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        if content.get("type") != "frame":
            return
        index = content["index"]
        try:
            png = self._png(index)
        except Exception as error:  # whatever it is, the reader must see it
            message = f"This frame could not be drawn. {type(error).__name__}: {error}"
            self.send({"type": "error", "index": index, "message": message})
        else:
            self.send({"type": "frame", "index": index}, [png])

    def living(self) -> dict[str, Any] | None:
        """Return all frames, as small as need be; None if there are many, or one fails."""
        if len(self._values) > LIVING_FRAMES:
            return None
        try:
            frames = [on_screen(self._frame(index)) for index in range(len(self._values))]
        except Exception:  # the slider itself shows the message
            return None
        pictures = [as_base64(picture) for picture in small_frames(frames)]
        return {"labels": self.labels, "alt": self.alt, "index": self.index, "frames": pictures}

    def __repr__(self) -> str:
        return f"FrameSlider({len(self.labels)} frames: {self.labels[0]} … {self.labels[-1]})"

    def still(self) -> str:
        """Return a few frames as a page without a kernel shows them."""
        count = len(self._values)
        chosen = np.unique(np.linspace(0, count - 1, min(STILL_FRAMES, count)).round().astype(int))
        frames = {}
        for index in chosen.tolist():
            try:
                frames[index] = on_screen(self._frame(index))
            except Exception:  # the slider itself shows the message
                continue
        if not frames:
            return f"<p>{html.escape(self.alt)}</p>"
        labels = " | ".join(self.labels[index] for index in frames)
        caption = f"Frames in reading order ({len(frames)} of {count}): {labels}"
        alt = f"{self.alt.rstrip('.')}. {caption}"
        return still_figure(contact_sheet(list(frames.values())), alt, caption)


def check_picture(frame: np.ndarray, label: str) -> None:
    """Raise LiifError unless `frame` is (H, W, 3), uint8 or finite floats in about [0, 1]."""
    where = f"draw returned, for “{label}”,"
    if frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
        raise LiifError(f"{where} an array of shape {frame.shape}; a picture is (H, W, 3)")
    if frame.dtype == np.uint8:
        return
    if not np.issubdtype(frame.dtype, np.floating):
        raise LiifError(f"{where} {frame.dtype} values; use uint8, or floats from 0 to 1")
    low, high = float(frame.min()), float(frame.max())
    if not (low >= -1 and high <= 2):  # also where one is NaN
        raise LiifError(f"{where} floats from {low:g} to {high:g}; they must lie between 0 and 1")
