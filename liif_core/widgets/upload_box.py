"""A button that takes the reader's own photo, and shows what a lesson makes of it."""

import html
import io
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import ipywidgets
import numpy as np
from PIL import Image

from liif_core.errors import LiifError
from liif_core.photos import Photo, photo_from_bytes
from liif_core.widgets.still_widget import STILL
from liif_core.widgets.stills import on_screen, still_figure
from liif_core.worn import BY_CODE, hint_for


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
            accept="image/*",
            multiple=False,
            description="Choose a photo",
            layout={"width": "max-content"},  # the usual width cuts the words off
        )
        self.result = ipywidgets.HTML()
        self.button.observe(self._uploaded, names="value")
        super().__init__([self.button, self.result])

    def receive(self, name: str, data: bytes) -> str:
        """Show what becomes of one file; return the picture's sentence, with what of the file is
        missing or not read and whether it is worn, or what was wrong.
        """
        try:
            # A file's own name alone: a browser may tell where it lay.
            photo = photo_from_bytes(data, PurePath(name).name or "photo", strict=False)
            picture, says = self._draw(photo)
        except LiifError as error:
            says = f"✗ {error}"
            self.result.value = f"<p>{html.escape(says)}</p>"
        else:
            # What of the file is missing, or not read; and the lessons' weights are for clean ones.
            advice = hint_for(photo, "liif-edsr-small", BY_CODE)
            if told := [line for line in (*photo.remarks, advice) if line]:
                says = f"{says} ({'; '.join(told)})"
            buffer = io.BytesIO()
            Image.fromarray(on_screen(picture)).save(buffer, "JPEG", quality=88)
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
        return {**bundle, "text/plain": repr(self), "text/html": still, STILL: {}}
