"""From what a model says to pixels of the photo's own kind: depth, grey, transparency."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from liif_core.errors import LiifError
from liif_core.files.carried import Carried, Makes, carried
from liif_core.files.destination import Format
from liif_core.files.photo_pixels import Photo
from liif_core.files.view import View
from liif_core.pixels import Box

#: Rows turned into pixels at a time: a wide strip's floats are large, and a copy of them larger.
PIECE_ROWS = 64


@dataclass(frozen=True)
class ResultPixels:
    """What a result made from a photo is like.

    Grey photos stay exactly grey: one channel, or three equal ones where an RGB colour profile has
    to go with them.

    Attributes:
        photo: what the result is made from: gives the depth, the alpha channel and the metadata.
        height, width: the result's size in pixels.
        box: (left, top, right, bottom), the part of the photo that it covers, in input pixels from
            the photo's upper left corner.
        maker: who makes it, to be said in the file; None: nobody is named.
        keep_dpi: the photo's pixels per inch stay; else they grow with it.
    """

    photo: Photo
    height: int
    width: int
    box: Box
    maker: Makes | None = None
    keep_dpi: bool = False

    @property
    def bands(self) -> str:
        """The channels of a pixel: L or RGB, with alpha LA or RGBA."""
        photo = self.photo
        # A profile says which kind of values it is for; "RGB " makes no sense of one channel.
        one_channel = photo.grey and (photo.icc_profile or b"")[16:20] != b"RGB "
        return ("L" if one_channel else "RGB") + ("A" if photo.alpha is not None else "")

    @property
    def dtype(self) -> np.dtype:
        """What a file holds of each channel, if it can: uint8 or uint16."""
        return self.photo.colour.dtype

    @property
    def mode(self) -> str:
        """What Pillow can hold of it: a mode of 8 bits, but for 16-bit greyscale I;16."""
        return "I;16" if self.bands == "L" and self.dtype == np.uint16 else self.bands

    def carried(self, format: Format) -> Carried:
        """Return what the result says beside its pixels, in a file of this format."""
        photo = self.photo
        view = View(photo.notes.turn, photo.width, photo.height, self.box, self.width, self.height)
        return carried(photo.notes, view, self.maker, format, keep_dpi=self.keep_dpi)

    def pieces(self, top: int, rgb: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """Cut a strip into pieces for `strip`: [(first output row, part of rgb), …].

        Raises:
            ValueError: the strip has another width, or reaches beyond the picture.
        """
        rows = rgb.shape[0]
        if rgb.shape != (rows, self.width, 3) or not 0 <= top <= self.height - rows:
            size = (self.width, self.height)
            raise ValueError(f"strip {rgb.shape} at row {top} does not fit {size}")
        return [(top + at, rgb[at : at + PIECE_ROWS]) for at in range(0, rows, PIECE_ROWS)]

    def strip(self, top: int, rgb: np.ndarray) -> np.ndarray:
        """Make pixels of the output rows from `top` on.

        Args:
            top: the output row where the strip begins.
            rgb: (h, width, 3) floats, about [0, 1]; clamped here, and rounded to the photo's depth.
                Grey photos keep the mean of the three channels.

        Returns:
            (h, width) or, with several `bands`, (h, width, bands) of `dtype`.

        Raises:
            LiifError: values that are no numbers, or infinite: the model's own have overflowed.
        """
        photo = self.photo
        with np.errstate(invalid="ignore", over="ignore"):
            # One pass, and no copy: a single value that is no number spoils the sum.
            sound = math.isfinite(rgb.sum(dtype=np.float32))
        if not sound:
            raise LiifError(
                f"the network gave values that are not numbers, in rows {top} … "
                f"{top + len(rgb) - 1} of the result; compute with --precision float32 or bfloat16 "
                '(precision="float32")'
            )
        values = rgb.mean(axis=2) if photo.grey else rgb
        strip = np.rint(values.clip(0, 1) * np.iinfo(self.dtype).max).astype(self.dtype)
        if self.bands == "L":
            return strip
        channels = [strip[..., None]] * 3 if photo.grey and "RGB" in self.bands else []
        channels = channels or [strip if strip.ndim == 3 else strip[..., None]]
        if photo.alpha is not None:
            alpha = np.asarray(self._alpha(photo.alpha, top, rgb.shape[0])).astype(self.dtype)
            channels.append((alpha * (np.iinfo(self.dtype).max // 255))[..., None])
        return channels[0] if len(channels) == 1 else np.concatenate(channels, axis=2)

    def _alpha(self, alpha: np.ndarray, top: int, rows: int) -> Image.Image:
        """Enlarge the part of the alpha channel that belongs to one strip, by bicubic."""
        left, upper, right, lower = self.box
        step = (lower - upper) / self.height
        first, last = upper + top * step, min(upper + (top + rows) * step, lower)
        # One axis after the other: asked for both, Pillow chooses the order by the strip's shape,
        # and the strips would not quite meet.
        down = Image.fromarray(alpha).resize(
            (alpha.shape[1], rows), Image.Resampling.BICUBIC, box=(0, first, alpha.shape[1], last)
        )
        return down.resize((self.width, rows), Image.Resampling.BICUBIC, box=(left, 0, right, rows))
