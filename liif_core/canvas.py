"""Writing pictures safely: nothing half written, nothing replaced without being asked.

A `Canvas` is what a result is painted on, strip by strip; it becomes the file. `check_target` says
before any computing whether that file can be written.
"""

import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import psutil
from PIL import Image

from liif_core.errors import LiifError
from liif_core.photos import Photo, clean_exif, eight_bit, one_line

#: Rows handled at a time where a whole second copy of the output would be needed otherwise.
STRIP_ROWS = 256

# What Pillow spends on a pixel of the modes that need less than 4 bytes.
_PILLOW_BYTES = {"L": 1, "I;16": 2}


@dataclass(frozen=True)
class _Format:
    """A format that `Canvas.save` writes.

    Attributes:
        name: Pillow's name.
        max_side: most pixels along a side.
        max_bytes: largest file.
        bytes_per_pixel: a pessimist's estimate of the file's size. PNG and TIFF: four raw bytes;
            JPEG and WebP at quality 95: what a sharp, noisy photo needs.
    """

    name: str
    max_side: int
    max_bytes: float
    bytes_per_pixel: int


_JPEG = _Format("JPEG", 65_500, float("inf"), 1)  # libjpeg's own limit; the format's is 65,535
_PNG = _Format("PNG", 2**31 - 1, float("inf"), 4)
_WEBP = _Format("WEBP", 16_383, float("inf"), 1)
_TIFF = _Format("TIFF", 2**31 - 1, 2**32 - 2**20, 4)
_FORMATS = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".png": _PNG,
    ".webp": _WEBP,
    ".tif": _TIFF,
    ".tiff": _TIFF,
}


def check_target(
    path: str | os.PathLike[str], height: int, width: int, *, overwrite: bool = False
) -> None:
    """Make sure, before any computing, that a `height` × `width` picture can be saved to `path`.

    Args:
        path: the file to be written; its ending names the format.
        height, width: the picture's size in pixels.
        overwrite: whether an existing file may be replaced.

    Raises:
        LiifError: an unknown ending, a file that exists, a missing or write-protected folder, a
            picture larger than the format allows, or too little free space on the disk.
    """
    format = _format_of(path)
    _check_size(path, format, height, width)
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise LiifError(f"{path}: there is no folder {folder}; create it first")
    _check_vacant(path, target, overwrite)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise LiifError(f"{path}: no permission to write into {folder}; choose another folder")
    need, free = height * width * format.bytes_per_pixel, shutil.disk_usage(folder).free
    if need > free:
        raise LiifError(
            f"{path}: {width}×{height} pixels may take {need / 1e9:.2f} GB and the disk has only "
            f"{free / 1e9:.2f} GB free; make room, choose another disk or a smaller size"
        )


def _format_of(path: str | os.PathLike[str]) -> _Format:
    ending = Path(path).suffix.lower()
    if ending not in _FORMATS:
        known = " ".join(_FORMATS)
        wrong = f"unknown file ending {ending}" if ending else "the file name has no ending"
        raise LiifError(f"{os.fspath(path)}: {wrong}; choose one of {known}")
    return _FORMATS[ending]


def _check_size(path: str | os.PathLike[str], format: _Format, height: int, width: int) -> None:
    if max(height, width) > format.max_side:
        raise LiifError(
            f"{path}: {format.name} holds at most {format.max_side} pixels per side, and the "
            f"result has {width}×{height}; choose .png or .tif"
        )
    if height * width * format.bytes_per_pixel > format.max_bytes:
        raise LiifError(
            f"{path}: {width}×{height} pixels do not fit {format.name}'s 4 GiB; choose .png"
        )


def _check_vacant(path: str | os.PathLike[str], target: str, overwrite: bool) -> None:
    if os.path.isdir(target):
        raise LiifError(f"{path}: is a folder; name a file in it")
    if not overwrite and os.path.lexists(target):
        raise LiifError(_exists(path))


def _exists(path: str | os.PathLike[str]) -> str:
    return f"{path}: exists already; name another file, or allow --overwrite (overwrite=True)"


class Canvas:
    """The output picture, painted strip by strip. The one full-size copy of it in memory.

    Its mode is L or RGB, with alpha LA or RGBA, for 16-bit greyscale I;16. Grey photos stay exactly
    grey: one channel, or three equal ones where an RGB colour profile has to go with them.

    Args:
        photo: what the output is made from: gives the depth, the alpha channel and the metadata.
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
        self._photo = photo
        self._box = box or (0, 0, photo.width, photo.height)
        if photo.colour.dtype == np.uint16:
            mode = "I;16"
        else:
            # A profile says which kind of values it is for; "RGB " makes no sense of one channel.
            one_channel = photo.grey and (photo.icc_profile or b"")[16:20] != b"RGB "
            mode = ("L" if one_channel else "RGB") + ("A" if photo.alpha is not None else "")
        # Asked before Pillow allocates: Linux would grant the memory, then kill the program.
        need = height * width * _PILLOW_BYTES.get(mode, 4)
        free = psutil.virtual_memory().available
        if need > free:
            raise LiifError(
                f"{width}×{height} = {height * width / 1e6:,.0f} million pixels need "
                f"{need / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB is free; "
                "choose a smaller size or a crop"
            )
        self._image = Image.new(mode, (width, height))

    def paste(self, top: int, rgb: np.ndarray) -> None:
        """Paint the rows from `top` on.

        Args:
            top: the output row where the strip begins.
            rgb: (h, width, 3) floats, about [0, 1]; clamped here, and rounded to the photo's depth.
                Grey photos keep the mean of the three channels.

        Raises:
            ValueError: the strip has another width, or reaches beyond the picture.
        """
        image, photo = self._image, self._photo
        rows = rgb.shape[0]
        if rgb.shape != (rows, image.width, 3) or not 0 <= top <= image.height - rows:
            raise ValueError(f"strip {rgb.shape} at row {top} does not fit {image.size}")
        values = rgb.mean(axis=2) if photo.grey else rgb
        dtype = photo.colour.dtype
        values = np.rint(values.clip(0, 1) * np.iinfo(dtype).max).astype(dtype)
        strip = Image.fromarray(values)
        if photo.grey and image.mode.startswith("RGB"):
            strip = strip.convert("RGB")
        if photo.alpha is not None:
            strip.putalpha(self._alpha(photo.alpha, top, rows))
        image.paste(strip, (0, top))

    def _alpha(self, alpha: np.ndarray, top: int, rows: int) -> Image.Image:
        """Enlarge the part of the alpha channel that belongs to one strip, by bicubic."""
        left, upper, right, lower = self._box
        step = (lower - upper) / self._image.height
        first, last = upper + top * step, min(upper + (top + rows) * step, lower)
        # One axis after the other: asked for both, Pillow chooses the order by the strip's shape,
        # and the strips would not quite meet.
        down = Image.fromarray(alpha).resize(
            (alpha.shape[1], rows), Image.Resampling.BICUBIC, box=(0, first, alpha.shape[1], last)
        )
        size = (self._image.width, rows)
        return down.resize(size, Image.Resampling.BICUBIC, box=(left, 0, right, rows))

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
        format = _format_of(path)
        _check_size(path, format, self._image.height, self._image.width)
        target = os.path.realpath(path)
        _check_vacant(path, target, overwrite)
        ending = Path(path).suffix
        part = os.path.join(os.path.dirname(target), f".liif-{secrets.token_hex(8)}{ending}")
        try:
            # open() creates the file with the permissions that the umask asks for.
            with open(part, "xb") as file:
                self._encode(file, format, quality)
                file.flush()
                os.fsync(file.fileno())
            _publish(part, target, overwrite)
        except FileExistsError:
            raise LiifError(_exists(path)) from None
        except OSError as error:
            reason = error.strerror or one_line(error)
            raise LiifError(f"{path}: could not be written: {reason}") from error
        except MemoryError as error:
            raise LiifError(f"{path}: not enough memory to write {format.name}") from error
        finally:
            with suppress(OSError):
                os.unlink(part)

    def _encode(self, file: IO[bytes], format: _Format, quality: int) -> None:
        image, photo = self._image, self._photo
        icc_profile, exif = photo.icc_profile, self._exif()
        options: dict[str, Any] = {}
        if format is _JPEG:
            options = {"quality": quality, "subsampling": 0}
            if image.mode not in ("L", "RGB"):
                image = _flattened(image)
            if exif and len(exif.tobytes()) > 65_533:
                exif = None  # longer than a JPEG can hold
        elif format is _WEBP:
            options = {"lossless": True} if photo.grey else {"quality": quality}
            if image.mode == "I;16":
                image = _flattened(image)
            if image.mode in ("L", "LA"):
                icc_profile = None  # WebP makes it RGB, where a grey profile means nothing
        if icc_profile:
            options["icc_profile"] = icc_profile
        if exif:
            options["exif"] = exif
        image.save(file, format=format.name, **options)

    def _exif(self) -> Image.Exif | None:
        if self._photo.exif is None:
            return None
        exif = Image.Exif()
        exif.load(self._photo.exif)
        return clean_exif(exif, self._image.size)


def _flattened(image: Image.Image) -> Image.Image:
    """Return a copy with 8 bits and without alpha, laid on white."""
    mode = "RGB" if image.mode == "RGBA" else "L"
    flat = Image.new(mode, image.size, "white")
    for top in range(0, image.height, STRIP_ROWS):
        strip = image.crop((0, top, image.width, min(top + STRIP_ROWS, image.height)))
        if strip.mode == "I;16":
            strip = Image.fromarray(eight_bit(np.asarray(strip)))
        flat.paste(strip, (0, top), mask=strip if strip.mode in ("LA", "RGBA") else None)
    return flat


def _publish(part: str, target: str, overwrite: bool) -> None:
    """Give the finished file its name, in one step."""
    if overwrite:
        os.replace(part, target)
        return
    try:
        os.link(part, target)  # unlike os.replace, never replaces a file
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        os.replace(part, target)
