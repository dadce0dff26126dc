"""A whole result in memory: what `zoom` returns, and what JPEG and WebP are written from."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import psutil
from PIL import Image

from liif_core.errors import LiifError, one_line
from liif_core.files.by_strips import StreamedPicture
from liif_core.files.destination import (
    JPEG,
    WEBP,
    Format,
    check_size,
    check_vacant,
    exists_already,
    format_of,
    publish,
)
from liif_core.files.result_pixels import ResultPixels
from liif_core.photos import Photo
from liif_core.pixels import eight_bit

#: Rows handled at a time where a whole second copy of the output would be needed otherwise.
STRIP_ROWS = 256

# What Pillow spends on a pixel of the modes that need less than 4 bytes.
_PILLOW_BYTES = {"L": 1, "I;16": 2}


class Canvas:
    """The output picture, painted strip by strip. The one full-size copy of it in memory.

    Args:
        photo: what the output is made from: see `ResultPixels`.
        height, width: the output's size in pixels.
        box: (left, top, right, bottom), the part of the photo that the output covers, in input
            pixels from the photo's upper left corner; the whole photo by default.

    Raises:
        LiifError: the output does not fit into memory.
    """

    def __init__(
        self,
        photo: Photo,
        height: int,
        width: int,
        box: tuple[float, float, float, float] | None = None,
    ) -> None:
        self._kind = ResultPixels(photo, height, width, box or (0, 0, photo.width, photo.height))
        mode = self._kind.mode
        # Asked before Pillow allocates: Linux would grant the memory, then kill the program.
        need = height * width * _PILLOW_BYTES.get(mode, 4)
        free = psutil.virtual_memory().available
        if need > free:
            raise LiifError(
                f"{width}×{height} = {height * width / 1e6:,.0f} million pixels need "
                f"{need / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB is free; "
                "choose a smaller size or a crop, or let liif zoom write a .png or .tif"
            )
        self._image = Image.new(mode, (width, height))

    def paste(self, top: int, rgb: np.ndarray) -> None:
        """Paint the rows from `top` on.

        Args:
            top: the output row where the strip begins.
            rgb: (h, width, 3) floats, about [0, 1]; see `ResultPixels.strip`.

        Raises:
            ValueError: the strip has another width, or reaches beyond the picture.
        """
        for row, piece in self._kind.pieces(top, rgb):
            self._image.paste(self._kind.strip(row, piece), (0, row))

    def image(self) -> Image.Image:
        """Return the picture itself, not a copy; without metadata."""
        return self._image

    def save(
        self, path: str | os.PathLike[str], *, overwrite: bool = False, quality: int = 95
    ) -> None:
        """Write the picture to `path`, whole or not at all.

        The ending names the format: .jpg .jpeg .png .webp .tif .tiff. The colour profile and EXIF
        go along. JPEG (full colour resolution, 4:4:4) has no transparency: the picture is laid on
        white. JPEG and WebP have 8 bits. Grey WebP is lossless, as the lossy kind does not keep
        grey exactly grey, and loses a grey colour profile; its encoder wants some 25 bytes of
        memory per pixel (measured), JPEG with alpha one more copy. TIFF is not compressed.

        Args:
            path: the file to write. A link is followed.
            overwrite: replace an existing file.
            quality: of JPEG and WebP, 1 … 100.

        Raises:
            LiifError: an unknown ending, a picture too large for the format, a file that exists,
                a full disk, or anything else that keeps the file from being written. Nothing is
                left behind then, and an existing file stays as it was.
        """
        format = format_of(path)
        if format.by_strips:
            with StreamedPicture(path, self._kind, overwrite=overwrite) as file:
                for top in range(0, self._image.height, STRIP_ROWS):
                    file.append([self._rows(top)])
                file.finish()
            return
        check_size(path, self._image.height, self._image.width)
        check_vacant(path, overwrite)
        target = os.path.realpath(path)
        ending = Path(path).suffix
        part = os.path.join(os.path.dirname(target), f".liif-{secrets.token_hex(8)}{ending}")
        try:
            # open() creates the file with the permissions that the umask asks for.
            with open(part, "xb") as file:
                self._encode(file, format, quality)
                file.flush()
                os.fsync(file.fileno())
            publish(part, target, overwrite)
        except FileExistsError:
            raise exists_already(path) from None
        except OSError as error:
            reason = error.strerror or one_line(error)
            raise LiifError(f"{path}: could not be written: {reason}") from error
        except MemoryError as error:
            raise LiifError(f"{path}: not enough memory to write {format.name}") from error
        finally:
            with suppress(OSError):
                os.unlink(part)

    def _rows(self, top: int) -> Image.Image:
        image = self._image
        return image.crop((0, top, image.width, min(top + STRIP_ROWS, image.height)))

    def _encode(self, file: IO[bytes], format: Format, quality: int) -> None:
        image, photo = self._image, self._kind.photo
        icc_profile, exif = photo.icc_profile, self._kind.exif()
        options: dict[str, Any] = {}
        if format is JPEG:
            options = {"quality": quality, "subsampling": 0}
            if image.mode not in ("L", "RGB"):
                image = self._flattened()
            if exif and len(exif.tobytes()) > 65_533:
                exif = None  # longer than a JPEG can hold
        elif format is WEBP:
            options = {"lossless": True} if photo.grey else {"quality": quality}
            if image.mode == "I;16":
                image = self._flattened()
            if image.mode in ("L", "LA"):
                icc_profile = None  # WebP makes it RGB, where a grey profile means nothing
        if icc_profile:
            options["icc_profile"] = icc_profile
        if exif:
            options["exif"] = exif
        image.save(file, format=format.name, **options)

    def _flattened(self) -> Image.Image:
        """Return a copy with 8 bits and without alpha, laid on white."""
        flat = Image.new("RGB" if self._image.mode == "RGBA" else "L", self._image.size, "white")
        for top in range(0, flat.height, STRIP_ROWS):
            strip = self._rows(top)
            if strip.mode == "I;16":
                strip = Image.fromarray(eight_bit(np.asarray(strip)))
            flat.paste(strip, (0, top), mask=strip if strip.mode in ("LA", "RGBA") else None)
        return flat
