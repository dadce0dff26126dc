"""An explorer whose engine runs in the page: what it is given, what a saved notebook keeps of it.

`static/zoom_in_page.js` is the other side of it, and `static/living/packed.js` of what is kept.
"""

import base64
import io
import math
import warnings
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image
from traitlets import Bool, Bytes, Dict

from liif_core.errors import LiifError
from liif_core.explorer.browser_weights import browser_weights, mark_of
from liif_core.explorer.frames import on_white
from liif_core.models import Model
from liif_core.photos import Photo
from liif_core.pixels import eight_bit
from liif_core.widgets.assets import engine_pieces, module
from liif_core.widgets.explorer_values import ExplorerValues
from liif_core.widgets.stills import picture_file

#: What a browser on a computer is asked to hold; `static/engine/budget.js` has the same limit.
MOST_PIXELS = 50_000_000
ENGINES = ("python", "browser")
#: Bytes of a photo that a notebook keeps for pages which have the weights.
LIVING_PHOTO = 200_000
#: No photo's file in this suite is larger.
MOST_BYTES = 400 << 20
#: Bytes that a saved notebook keeps of an explorer, so that it lives there without a kernel.
KEPT = 1_000_000
#: Of these, for what else the notebook has of it: the still, which has at most 60 kB, and values.
BESIDE = 64_000


class EngineInPage(ExplorerValues):
    """An explorer whose engine may run in the page. Where Python answers, all here is empty.

    Python sends models and photo once, and shares what the hand does; it answers nothing.
    """

    #: Kernel, worker's script and weights.
    parts = Dict().tag(sync=True)
    #: The photo, as a PNG.
    photo_file = Bytes().tag(sync=True)
    #: Whether the page shows a photo that the reader has opened there: Python has not got it.
    own_photo = Bool(False).tag(sync=True)

    #: Models' weights, as a saved notebook keeps them, and how many bytes it may keep in all.
    _packed: Mapping[str, str] = MappingProxyType({})
    _kept = 0

    def _check_photo(self) -> None:
        """Raise LiifError if Python has not got the photo that the page shows."""
        if self.own_photo:
            raise LiifError(
                "the page shows a photo that was opened there, and Python has not got it; show one "
                "with show_photo, or let Python answer: engine='python'"
            )

    def _begin_in_page(
        self, photo: Photo, models: Mapping[str, Model], kept: int
    ) -> dict[str, Any]:
        """Return what the page is to be sent, and make ready what a saved notebook keeps."""
        sent = {"parts": parts_of(models), "photo_file": picture_of(photo)}
        self._esm = module("zoom_in_page.js")
        self._kept = kept
        if kept:
            self._packed = packed_weights(models)
            self._tell_what_is_kept(photo, stacklevel=4)
        return sent

    def _file_for_page(self, photo: Photo) -> bytes:
        """Return another photo as the page is sent it; empty where Python answers."""
        if not self.parts:
            return b""
        file = picture_of(photo)
        self._tell_what_is_kept(photo, stacklevel=4)
        return file

    def _tell_what_is_kept(self, photo: Photo, stacklevel: int) -> None:
        """Warn where photo and weights are too large for a saved notebook."""
        room = self._room()
        colour = on_screen(photo)
        if not self._kept or picture_file(colour, png=room, jpeg=room):
            return
        smallest = len(picture_file(colour, png=0, jpeg=MOST_BYTES) or b"")
        needed = (self._kept - room * 4 / 3 + smallest * 4 / 3) / 1e6
        warnings.warn(
            f"this explorer is a still picture where a saved notebook is opened without a kernel: "
            f"photo and weights need {needed:.2f} MB there, {self._kept / 1e6:.2f} MB are kept; "
            f"ZoomExplorer(..., kept={math.ceil(needed + 0.1)}_000_000) keeps them",
            stacklevel=stacklevel,
        )

    def _room(self) -> int:
        """Return how many bytes the photo's file may have in a saved notebook."""
        taken = sum(map(len, self._packed.values())) + BESIDE
        return (self._kept - taken) * 3 // 4  # it is kept as base64

    def _held(self, living: Callable[[int], dict[str, Any] | None]) -> dict[str, Any] | None:
        """Return what a page without a kernel needs, with the weights where all fits.

        Args:
            living: the same without weights, with a photo's file of at most so many bytes.
        """
        if self._packed and not self.own_photo:
            found = living(self._room())
            if found is not None:
                return {**found, "weights": dict(self._packed)}
        return living(LIVING_PHOTO)


def checked_engine(engine: str) -> str:
    """Return which engine it is; raise LiifError if there is none of that name."""
    if engine not in ENGINES:
        raise LiifError(f"no engine {engine!r}; choose one of {', '.join(ENGINES)}")
    return engine


def parts_of(models: Mapping[str, Model]) -> dict[str, Any]:
    """Return what an engine in the page needs beside the photo: kernels, worker's script, weights.

    Raises:
        LiifError: a model that the engine cannot run.
    """
    kernels, worker = engine_pieces()
    weights = {name: browser_weights(model) for name, model in models.items()}
    return {"kernels": kernels, "worker": worker, "weights": weights}


def picture_of(photo: Photo) -> bytes:
    """Return a photo as the page is sent it: a PNG.

    Raises:
        LiifError: it has more pixels than a page holds.
    """
    count = photo.height * photo.width
    if count > MOST_PIXELS:
        raise LiifError(
            f"the photo has {count / 1e6:.0f} megapixels, a page holds {MOST_PIXELS / 1e6:.0f}; "
            "shrink it, or let Python answer: engine='python'"
        )
    buffer = io.BytesIO()
    Image.fromarray(on_screen(photo)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def on_screen(photo: Photo) -> np.ndarray:
    """Return a photo as a page shows it: (H, W, 3) uint8, transparent parts on white."""
    return eight_bit(on_white(photo).colour)


def packed_weights(models: Mapping[str, Model]) -> dict[str, str]:
    """Return models' weights as a notebook keeps them: mark -> text, as short as may be.

    Of each number the half with sign and exponent is much alike its neighbours' and shrinks well,
    the other one hardly: so all first halves stand before all second ones.
    """
    packed = {}
    for model in models.values():
        data = np.frombuffer(browser_weights(model), np.uint8)
        parted = np.concatenate([data[::2], data[1::2]]).tobytes()
        packed[mark_of(model)] = base64.b85encode(zlib.compress(parted, 9)).decode("ascii")
    return packed
