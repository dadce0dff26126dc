"""Still pictures that stand in for a widget where no kernel is running."""

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from liif_core.pixels import to_uint8

#: The largest sheet, in pixels, and the space between its frames.
SHEET_WIDTH, SHEET_HEIGHT, GAP = 960, 480, 4
#: A sheet's limit in bytes; its text form in the page is a third longer, and stays below 60 kB.
SHEET_BYTES = 44_000


def on_screen(picture: np.ndarray) -> np.ndarray:
    """Return a picture, uint8 or floats, as uint8; floats are clamped to [0, 1] and rounded."""
    return picture if picture.dtype == np.uint8 else to_uint8(picture)


def contact_sheet(frames: Sequence[np.ndarray]) -> bytes:
    """Return a few frames side by side as one small JPEG, in reading order.

    Args:
        frames: at least one (H, W, 3) uint8 array; they may differ in size.

    Returns:
        A JPEG of at most `SHEET_BYTES` bytes, at most 960 × 480 pixels large.
    """
    height = max(frame.shape[0] for frame in frames)
    width = max(frame.shape[1] for frame in frames)
    columns, scale = best_layout(len(frames), height, width)
    while True:
        sheet = paste(frames, columns, scale, (height, width))
        for quality in (85, 70, 50):
            buffer = io.BytesIO()
            sheet.save(buffer, "JPEG", quality=quality)
            if buffer.tell() <= SHEET_BYTES:
                return buffer.getvalue()
        scale *= 0.8


def small_frames(frames: Sequence[np.ndarray], most: int = 60_000) -> list[bytes]:
    """Return frames as WebP files that have at most `most` bytes together.

    All are of the same quality and scale: a reader compares them.
    """
    scale = 1.0
    while True:
        for quality in (90, 75, 60):
            files = [small_frame(frame, scale, quality) for frame in frames]
            if sum(map(len, files)) <= most:
                return files
        scale *= 0.8


def small_frame(frame: np.ndarray, scale: float, quality: int) -> bytes:
    """Return a frame, shrunk by `scale`, as a WebP file."""
    image = Image.fromarray(frame)
    if scale < 1:
        size = [max(1, round(side * scale)) for side in image.size]
        image = image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=6)
    return buffer.getvalue()


def picture_file(picture: np.ndarray, png: int, jpeg: int) -> bytes | None:
    """Return a picture (H, W, 3) uint8 as a file: a PNG of at most so many bytes, or a JPEG.

    None where neither is small enough.
    """
    forms = (("PNG", png, {"optimize": True}), ("JPEG", jpeg, {"quality": 92, "subsampling": 0}))
    for form, most, options in forms:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, form, **options)
        if buffer.tell() <= most:
            return buffer.getvalue()
    return None


def as_base64(data: bytes) -> str:
    """Return bytes as the text that a page holds."""
    return base64.b64encode(data).decode("ascii")


def best_layout(count: int, height: int, width: int) -> tuple[int, float]:
    """Return how many columns let `count` frames be largest in full rows, and their scale (≤ 1)."""

    def scale(columns: int) -> float:
        rows = count // columns
        across = (SHEET_WIDTH - GAP * (columns - 1)) / (columns * width)
        down = (SHEET_HEIGHT - GAP * (rows - 1)) / (rows * height)
        return min(across, down, 1.0)

    full = [columns for columns in range(count, 0, -1) if count % columns == 0]
    columns = max(full, key=scale)
    return columns, scale(columns)


def paste(
    frames: Sequence[np.ndarray], columns: int, scale: float, cell: tuple[int, int]
) -> Image.Image:
    """Return the frames, shrunk by `scale`, in the middle of cells of (height, width) `cell`."""
    height, width = (max(1, int(side * scale)) for side in cell)
    rows = len(frames) // columns
    size = (columns * (width + GAP) - GAP, rows * (height + GAP) - GAP)
    sheet = Image.new("RGB", size, "grey")  # suits a light page and a dark one
    for number, frame in enumerate(frames):
        small = (max(1, int(frame.shape[1] * scale)), max(1, int(frame.shape[0] * scale)))
        row, column = divmod(number, columns)
        left = column * (width + GAP) + (width - small[0]) // 2
        top = row * (height + GAP) + (height - small[1]) // 2
        sheet.paste(Image.fromarray(frame).resize(small, Image.Resampling.LANCZOS), (left, top))
    return sheet


def still_figure(jpeg: bytes, alt: str, caption: str) -> str:
    """Return an HTML figure with the picture inside it; the texts are plain text."""
    return (
        f'<figure><img alt="{html.escape(alt)}" src="data:image/jpeg;base64,{as_base64(jpeg)}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )
