"""Opening pictures with Pillow: what is refused, and in which words."""

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from io import BytesIO
from types import TracebackType
from typing import IO

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from liif_core.errors import LiifError, one_line
from liif_core.files.deep import TiffHeader
from liif_core.files.jxl import register_jxl
from liif_core.files.kinds import kind_of, raw_kind

#: Files with more pixels are refused before they are decoded: twice the largest cameras of today.
MAX_PIXELS = 400_000_000

#: Most bytes that a PNG's colour profile or text may be inflated to. Pillow's own limit, a
#: megabyte, refuses pictures with printers' profiles.
MAX_TEXT = 1 << 26


@contextmanager
def opened(path: str, page: int = 1) -> Iterator[Image.Image]:
    """Open a file; only its header is read. Decode within the block, and within `decoding`.

    Args:
        path: the file.
        page: which of its pages, pictures or frames, from 1 on.

    Raises:
        LiifError: no such file, no permission, not a picture, empty, no such page, or more than
            `MAX_PIXELS` pixels. What is raised within the block stays what it is.
    """
    # Given the path instead, Pillow maps raw TIFFs into memory and gets rotated ones wrong.
    with _file(path) as file, _identified(file, path) as image:
        if page != 1:
            _turn_to(image, page, path)
        yield image


@contextmanager
def opened_bytes(data: bytes, name: str) -> Iterator[Image.Image]:
    """Do the same with the bytes of a file; `name` is what to call it in an error."""
    if not data:
        raise LiifError(f"{name}: the file is empty; choose another")
    with _identified(BytesIO(data), name) as image:
        yield image


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Turn what Pillow raises into one line that begins with `name`.

    For calls of Pillow alone: on broken bytes its readers raise almost anything, so that a mistake
    of ours within would be called a broken file.
    """
    try:
        yield
    except LiifError:
        raise
    except UnidentifiedImageError:
        raise LiifError(f"{name}: not a picture, or of a kind that Pillow cannot read") from None
    except Image.DecompressionBombError as error:
        raise LiifError(
            f"{name}: {one_line(error).rstrip('.')}; shrink or crop it first"
        ) from error
    except MemoryError as error:
        raise _no_memory(name) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # said by the system
            raise LiifError(f"{name}: cannot be read: {error.strerror}") from error
        raise LiifError(
            f"{name}: broken or cut off ({one_line(error)}); copy or download it again"
        ) from error


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put `name` before what is said within of a photo that cannot be used."""
    try:
        yield
    except LiifError as error:
        raise LiifError(f"{name}: {error}") from error
    except MemoryError as error:
        raise _no_memory(name) from error


def _no_memory(name: str) -> LiifError:
    return LiifError(f"{name}: not enough memory to read it; shrink or crop it first")


def _file(path: str) -> IO[bytes]:
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise LiifError(f"{path}: is a folder, not a picture; name one file in it")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise LiifError(f"{path}: is not an ordinary file; save the picture to a file first")
        if status.st_size == 0:
            raise LiifError(f"{path}: the file is empty; copy or download it again")
        return open(path, "rb")
    except FileNotFoundError:
        raise LiifError(f"{path}: no such file; check the name and the folder") from None
    except PermissionError:
        raise LiifError(f"{path}: no permission to read this file") from None
    except OSError as error:
        raise LiifError(f"{path}: cannot be read: {error.strerror or one_line(error)}") from error


@contextmanager
def _identified(file: IO[bytes], name: str) -> Iterator[Image.Image]:
    with _PILLOWS_LIMIT:
        teach_pillow()
        with decoding(name):
            image = _open(file, name)
        with image:
            yield image


@cache
def teach_pillow() -> None:
    """Let Pillow read HEIC and JPEG XL; late, since whoever asks for no file needs no libheif."""
    from pi_heif import register_heif_opener

    # libheif turns pictures as irot and imir say; EXIF's orientation, which says the same again or
    # was forgotten by an editor, is set to "upright" by the plug-in, as the standard asks.
    register_heif_opener(thumbnails=False, decode_threads=1)
    register_jxl()


def _turn_to(image: Image.Image, page: int, name: str) -> None:
    last = pages(image)
    if not 1 <= page <= last:
        there = f"the pages 1 … {last}" if last > 1 else "one page"
        raise LiifError(f"{name}: there is no page {page}; it has {there}")
    with decoding(name):
        chief = image.tell()  # of a HEIF, the picture to be shown may stand anywhere: it is page 1
        image.seek(page - 2 if page - 1 <= chief else page - 1)
        width, height = image.size
        if width * height > MAX_PIXELS:  # Pillow asks for the first alone
            raise Image.DecompressionBombError(f"page {page} has {width * height} pixels")


def pages(image: Image.Image) -> int:
    """Return how many pages, pictures or frames an opened file has; 1 if it cannot be told."""
    try:
        return getattr(image, "n_frames", 1)
    except Exception:  # what follows the first is broken
        return 1


#: What the command line says of the pages that are not read.
PAGE_HINT = "; --page N reads another, --pages all each"


def left_out(image: Image.Image, page: int) -> str:
    """Say in a line what else an opened file holds beside the page that is read; or nothing."""
    if image.format == "PCD":
        return (
            "a Photo CD's picture is read at 768×512 pixels; for all of them, convert it to TIFF "
            "first, with pcdtojpeg or the like"
        )
    others = pages(image) - 1
    if image.format == "JXL" and image.info.get("other_colours"):
        return "its colours are not sRGB's; their profile is left out: they may look different"
    if image.format == "HEIF" and (image.info.get("aux") or image.info.get("depth_images")):
        return "a gain map or depth map beside the picture is left out"
    if not others:
        return ""
    if image.format == "MPO":
        return (
            f"picture {page} of {others + 1} is read; the rest, such as a gain map or the other "
            f"eye's view, is left out{PAGE_HINT}"
        )
    kind = {"TIFF": "page", "HEIF": "picture"}.get(image.format or "", "frame")
    return f"{kind} {page} of {others + 1} is read{PAGE_HINT}"


def _open(file: IO[bytes], name: str) -> Image.Image:
    try:
        image = Image.open(file)
    except UnidentifiedImageError:
        file.seek(0)
        try:
            header = TiffHeader(file)
        except SyntaxError:
            header = None
        if header is None:
            file.seek(0)
            kind = kind_of(file.read(32)) or raw_kind(file)
            if kind is None:
                raise
            raise LiifError(f"{name}: {kind}") from None
        width, height = header.size
        if width * height > MAX_PIXELS:
            raise Image.DecompressionBombError(
                f"Image size ({width * height} pixels) exceeds limit of {MAX_PIXELS} pixels"
            ) from None
        image = header
    if image.format == "TIFF":
        kind = raw_kind(file)
        if kind is not None:
            raise LiifError(f"{name}: {kind}")
    return image


class _Refusal(int):
    """A limit that is its own double: Pillow warns beyond its limit and refuses beyond twice it.

    So it refuses at once, and the filters of warnings, which threads share, are left alone.
    """

    def __rmul__(self, other: int) -> "_Refusal":
        return self


class _PillowsLimit(AbstractContextManager[None]):
    """Lets Pillow refuse more than `MAX_PIXELS` and `MAX_TEXT`, in any number of threads at once.

    Its limits belong to the whole process, and are asked when a file is opened and again when some
    kinds are decoded. The first reader to come changes them, the last to leave changes them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._before: tuple[int | None, int, int] = (None, 0, 0)

    def __enter__(self) -> None:
        with self._lock:
            if self._readers == 0:
                self._before = (
                    Image.MAX_IMAGE_PIXELS,
                    PngImagePlugin.MAX_TEXT_CHUNK,
                    PngImagePlugin.MAX_TEXT_MEMORY,
                )
                Image.MAX_IMAGE_PIXELS = _Refusal(MAX_PIXELS)
                PngImagePlugin.MAX_TEXT_CHUNK = MAX_TEXT
                PngImagePlugin.MAX_TEXT_MEMORY = 4 * MAX_TEXT
            self._readers += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._readers -= 1
            if self._readers == 0:
                Image.MAX_IMAGE_PIXELS = self._before[0]
                PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY = self._before[1:]


_PILLOWS_LIMIT = _PillowsLimit()
