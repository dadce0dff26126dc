"""Lesson 05, ten times and beyond: its figures, its stopwatch, its box for the reader's photo."""

import html
import io
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import ipywidgets
import numpy as np
import psutil
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullFormatter, NullLocator

from liif_core.errors import LiifError
from liif_core.figures import BLUE, GREEN, INK, ORANGE, RED, SKY, line_plot, new_figure, to_image
from liif_core.photos import Photo, photo_from
from liif_core.widgets.stills import still_figure

T = TypeVar("T")

#: The magnifications that the shipped weights met in training.
TRAINED = (1.0, 4.0)

#: The magnifications that are written under a plot, as far as it reaches.
TICKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 30)

#: A4, the usual sheet of a printer at home: (width, height) in centimetres.
A4 = (21.0, 29.7)


def scale_plot(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    y_label: str,
    title: str = "",
    zero_line: bool = False,
) -> Figure:
    """Return lines against the magnification, the trained magnifications shaded.

    Args:
        lines: name -> (magnifications, values).
        y_label: what the values are, with their unit.
        title: above the plot.
        zero_line: draw a line at 0, where the sign of the values says who is ahead.
    """
    figure = line_plot(lines, x_label="magnification", y_label=y_label, title=title, log_x=True)
    axis = figure.axes[0]
    axis.axvspan(*TRAINED, color=SKY, alpha=0.2, linewidth=0, label="seen in training")
    axis.legend(fontsize=9)  # the span has its name there, where no line crosses it
    if zero_line:
        axis.axhline(0, color=INK, linewidth=1)
    every = [scale for scales, _ in lines.values() for scale in scales]
    ticks = [tick for tick in TICKS if tick <= max(every)]
    axis.set_xlim(min(1.5, *every), max(every) * 1.1)
    axis.set_xticks(ticks, [f"×{tick}" for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    return figure


def print_sizes(prints: Mapping[str, tuple[float, float]]) -> Figure:
    """Return prints, drawn to scale on a sheet of A4.

    Args:
        prints: name -> (width, height) in centimetres, the largest last.
    """
    figure = new_figure(5.8, 6.4)
    axis = figure.subplots()
    axis.add_patch(Rectangle((0, 0), *A4, facecolor="white", edgecolor="black", label="A4 sheet"))
    looks = zip(prints.items(), (RED, GREEN, BLUE, ORANGE), ("-", "--", "-.", ":"), strict=False)
    for (name, (width, height)), colour, dash in looks:
        style: dict[str, Any] = {"edgecolor": colour, "linestyle": dash, "linewidth": 2}
        axis.add_patch(Rectangle((0.6, 0.6), width, height, facecolor="none", **style))
        axis.text(0.9, 0.6 + height + 0.25, name, color=colour, fontsize=9)
    widest = max(A4[0], *(width for width, _ in prints.values()))
    tallest = max(A4[1], *(height for _, height in prints.values()))
    axis.set(xlim=(-0.5, widest + 1.5), ylim=(-0.5, tallest + 1.8), aspect="equal")
    axis.set(xlabel="cm", ylabel="cm", title="Prints on a sheet of A4", facecolor="#f0f0f0")
    return figure


def measure(task: Callable[[], T]) -> tuple[T, float, float]:
    """Run a task; return its result, its seconds, and the most memory in use meanwhile, in MB.

    The memory is that of the whole process, Python and PyTorch included, looked at every few
    milliseconds: a rough figure. The memory of an accelerator is not in it.
    """
    process = psutil.Process()
    peak = process.memory_info().rss
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    start = time.perf_counter()
    try:
        result = task()
    finally:
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
    peak = max(peak, process.memory_info().rss)
    return result, seconds, peak / 1e6


def read_upload(name: str, data: bytes) -> Photo:
    """Read the bytes of an uploaded file as a photo, with the same care as a file on disk.

    Args:
        name: the file's name, for messages only.
        data: its content.

    Raises:
        LiifError: not a picture, empty, cut off, or too large.
    """
    short = Path(name).name or "upload"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "upload")
        path.write_bytes(data)
        try:
            return photo_from(path)
        except LiifError as error:
            # The reader knows the file by its own name, not by that of the copy.
            raise LiifError(str(error).replace(os.fspath(path), short)) from error


class UploadBox(ipywidgets.VBox):
    """A button that takes a photo from the reader, and shows what a function makes of it.

    From code: `receive(name, data)` does what an upload does and returns what the reader is told.
    Nothing leaves the machine that the kernel runs on.

    Args:
        draw: photo -> (picture (H, W, 3), uint8 or floats in [0, 1]; a sentence that says what
            it shows). A LiifError that it raises is shown to the reader.
    """

    def __init__(self, draw: Callable[[Photo], tuple[np.ndarray, str]]) -> None:
        self._draw = draw
        self.button = ipywidgets.FileUpload(
            accept="image/*", multiple=False, description="Choose a photo"
        )
        self.result = ipywidgets.HTML()
        self.button.observe(self._uploaded, names="value")
        super().__init__([self.button, self.result])

    def receive(self, name: str, data: bytes) -> str:
        """Show what becomes of one file; return the picture's sentence, or what was wrong."""
        try:
            picture, says = self._draw(read_upload(name, data))
        except LiifError as error:
            says = f"✗ {error}"
            self.result.value = f"<p>{html.escape(says)}</p>"
        else:
            buffer = io.BytesIO()
            to_image(picture).save(buffer, "JPEG", quality=88)
            self.result.value = still_figure(buffer.getvalue(), says, says)
        return says

    def _uploaded(self, change: Mapping[str, Any]) -> None:
        for file in change["new"]:
            self.receive(file["name"], bytes(file["content"]))

    def __repr__(self) -> str:
        return "UploadBox()"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = dict(super()._repr_mimebundle_(**kwargs))
        still = (
            "<p>(Here stands a button that takes your own photo. It needs a running kernel.)</p>"
        )
        return {**bundle, "text/plain": repr(self), "text/html": still}
