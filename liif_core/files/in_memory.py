"""A whole result in memory: what `zoom` returns, and what JPEG and WebP are written from."""

import os
from types import TracebackType
from typing import IO, Any

import numpy as np
import psutil
from PIL import Image

from liif_core.errors import LiifError
from liif_core.files.by_strips import ByStrips
from liif_core.files.carried import Makes, jfif_dpi, jpeg_segments, webp_exif
from liif_core.files.destination import JPEG, WEBP, Format, format_of
from liif_core.files.publish import publishing
from liif_core.files.result_pixels import ResultPixels
from liif_core.pixels import eight_bit

#: Rows handled at a time where a whole second copy of the output would be needed otherwise.
STRIP_ROWS = 256

# What Pillow spends on a pixel of the modes that need less than 4 bytes.
_PILLOW_BYTES = {"L": 1, "I;16": 2}


class InMemory:
    """A whole result, painted strip by strip. The one full-size copy of it in memory.

    A form of `Result`; `zoom` returns its image and makes no file of it.

    The ending of `path` names the format: .jpg .jpeg .png .webp .tif .tiff. The colour profile and
    EXIF go along. JPEG (full colour resolution, 4:4:4) has no transparency: the picture is laid on
    white. JPEG and WebP have 8 bits. Grey WebP is lossless, as the lossy kind does not keep grey
    exactly grey, and loses a grey colour profile; its encoder wants some 25 bytes of memory per
    pixel (measured), JPEG with alpha one more copy. TIFF is not compressed. Colour, or grey with
    alpha, of 16 bits is kept for PNG and TIFF; `image` has 8 bits of it, as Pillow knows no more.

    Args:
        pixels: what the picture is like.
        path: the file that it becomes, if any. A link is followed.
        overwrite: replace an existing file.
        quality: of JPEG and WebP, 1 … 100.

    Attributes:
        rows: how many are painted.
        height, width: the picture's size in pixels.

    Raises:
        LiifError: the picture does not fit into memory, or an unknown ending.
    """

    def __init__(
        self,
        pixels: ResultPixels,
        path: str | os.PathLike[str] | None = None,
        *,
        overwrite: bool = False,
        quality: int = 95,
    ) -> None:
        self.rows, self.height, self.width = 0, pixels.height, pixels.width
        self._pixels, self._path, self._overwrite, self._quality = pixels, path, overwrite, quality
        self._format = None if path is None else format_of(path)
        mode, height, width = pixels.mode, pixels.height, pixels.width
        # An array where a file is to have more bits than Pillow can hold.
        holds = self._format is not None and self._format.by_strips
        deep = holds and pixels.dtype == np.uint16 and mode != "I;16"
        need = height * width * (2 * len(mode) if deep else _PILLOW_BYTES.get(mode, 4))
        # Asked before it is allocated: Linux would grant the memory, then kill the program.
        free = psutil.virtual_memory().available
        if need > free:
            raise LiifError(
                f"{width}×{height} = {height * width / 1e6:,.0f} million pixels need "
                f"{need / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB is free; "
                "choose a smaller size or a crop, or let liif zoom write a .png or .tif"
            )
        self._canvas: Image.Image | np.ndarray = (
            np.zeros((height, width, len(mode)), np.uint16)
            if deep
            else Image.new(mode, (width, height))
        )

    @property
    def maker(self) -> Makes | None:
        """Who makes the picture, if that is to be said."""
        return self._pixels.maker

    def paste(self, top: int, rgb: np.ndarray) -> None:
        """Paint a strip; see `Result.paste`."""
        pieces = self._pixels.pieces(top, rgb)
        if top != self.rows:
            raise ValueError(f"strip at row {top}, but row {self.rows} is due")
        for row, piece in pieces:
            strip = self._pixels.strip(row, piece)
            if isinstance(self._canvas, np.ndarray):
                self._canvas[row : row + len(strip)] = strip
            else:
                self._canvas.paste(self._pillow(strip), (0, row))
        self.rows = top + len(rgb)

    def image(self) -> Image.Image:
        """Return the picture, without metadata: itself, or an 8-bit copy of deeper colours."""
        if isinstance(self._canvas, np.ndarray):
            return Image.fromarray(eight_bit(self._canvas))
        return self._canvas

    def samples(self, top: int, bottom: int) -> np.ndarray:
        """Return some rows of the picture: (h, width) or (h, width, bands), uint8 or uint16."""
        if isinstance(self._canvas, np.ndarray):
            return self._canvas[top:bottom]
        return np.asarray(self._canvas.crop((0, top, self._canvas.width, bottom)))

    def finish(self) -> None:
        """Write the picture to its path; see `Result.finish`."""
        if self._path is None or self._format is None:
            raise ValueError("this picture is to become no file: it has no path")
        if self.rows != self._pixels.height:
            raise ValueError(f"{self.rows} of {self._pixels.height} rows are there")
        if self._format.by_strips:
            with ByStrips(self._pixels, self._path, overwrite=self._overwrite) as file:
                for top in range(0, self.rows, STRIP_ROWS):
                    file.append([self.samples(top, min(top + STRIP_ROWS, self.rows))])
                file.finish()
            return
        with publishing(self._path, overwrite=self._overwrite) as part, open(part, "wb") as file:
            self._encode(file, self._format)

    def __enter__(self) -> "InMemory":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass  # nothing is open between strips

    def _pillow(self, strip: np.ndarray) -> Image.Image:
        """Make of a strip what Pillow can hold."""
        return Image.fromarray(strip if self._pixels.mode == "I;16" else eight_bit(strip))

    def _encode(self, file: IO[bytes], format: Format) -> None:
        image, photo = self.image(), self._pixels.photo
        icc_profile, said = photo.icc_profile, self._pixels.carried(format)
        options: dict[str, Any] = {}
        if format is JPEG:
            options = {"quality": self._quality, "subsampling": 0, "extra": jpeg_segments(said)}
            if image.mode not in ("L", "RGB"):
                image = self._flattened(image)
            dpi = jfif_dpi(said)
            if dpi:
                options["dpi"] = dpi
        elif format is WEBP:
            options = {"lossless": True} if photo.grey else {"quality": self._quality}
            options |= {"exif": webp_exif(said), "xmp": said.xmp}
            if image.mode == "I;16":
                image = self._flattened(image)
            if image.mode in ("L", "LA"):
                icc_profile = None  # WebP makes it RGB, where a grey profile means nothing
        if icc_profile:
            options["icc_profile"] = icc_profile
        image.save(file, format=format.name, **options)

    def _flattened(self, image: Image.Image) -> Image.Image:
        """Return a copy with 8 bits and without alpha, laid on white."""
        flat = Image.new("RGB" if image.mode == "RGBA" else "L", image.size, "white")
        for top in range(0, flat.height, STRIP_ROWS):
            strip = image.crop((0, top, image.width, min(top + STRIP_ROWS, image.height)))
            if strip.mode == "I;16":
                strip = Image.fromarray(eight_bit(np.asarray(strip)))
            flat.paste(strip, (0, top), mask=strip if strip.mode in ("LA", "RGBA") else None)
        return flat
