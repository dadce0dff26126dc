"""PNG in strips that can be appended one by one.

Of a PNG's one compressed stream, every strip begins anew: it neither looks back at the strip before
(its first row is filtered by itself, its compressor starts empty) nor ends within a byte. So a file
that was cut off is whole again if cut back to the end of a strip.
"""

import os
import zlib
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL.PngImagePlugin import putchunk

from liif_core.files.carried import png_chunks
from liif_core.files.destination import PNG
from liif_core.files.result_pixels import ResultPixels

#: zlib's level for PNG: 6, the usual one, takes 8 times as long to save another 4 % (measured:
#: benchmarks/README.md).
LEVEL = 4


class Png:
    """Portable Network Graphics, third edition.

    Args:
        pixels: what the picture is like.

    Attributes:
        check: the checksum of the stream so far, Adler-32.
    """

    def __init__(self, pixels: ResultPixels) -> None:
        self.pixels = pixels
        self.check = zlib.adler32(b"")

    def head(self) -> bytes:
        """Return what precedes the pixels."""
        pixels, file = self.pixels, BytesIO(b"\x89PNG\r\n\x1a\n")
        file.seek(0, os.SEEK_END)
        colour = {"L": 0, "LA": 4, "RGB": 2, "RGBA": 6}[pixels.bands]
        sides = pixels.width.to_bytes(4, "big") + pixels.height.to_bytes(4, "big")
        putchunk(file, b"IHDR", sides, bytes([8 * pixels.dtype.itemsize, colour, 0, 0, 0]))
        if pixels.photo.icc_profile:
            profile = zlib.compress(pixels.photo.icc_profile)
            putchunk(file, b"iCCP", b"ICC Profile\0\0", profile)
        for kind, content in png_chunks(pixels.carried(PNG)):
            putchunk(file, kind, content)
        return file.getvalue()

    def body(self, pieces: Sequence[np.ndarray], first: bool, last: bool) -> bytes:
        """Return the pixels of one strip, top to bottom in pieces."""
        compress = zlib.compressobj(LEVEL, zlib.DEFLATED, -15, 9)
        data = [b"\x78\x5e"] if first else []  # the stream's own header
        above = None
        for piece in pieces:
            rows = piece.astype(piece.dtype.newbyteorder(">"), order="C").reshape(len(piece), -1)
            rows = rows.view(np.uint8)
            filtered = _filtered(rows, above, rows.shape[1] // self.pixels.width).tobytes()
            self.check = zlib.adler32(filtered, self.check)
            data.append(compress.compress(filtered))
            above = rows[-1]
        data.append(compress.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH))
        file = BytesIO()
        putchunk(file, b"IDAT", *data, self.check.to_bytes(4, "big") if last else b"")
        if last:
            putchunk(file, b"IEND")
        return file.getvalue()


def _filtered(rows: np.ndarray, above: np.ndarray | None, pixel: int) -> np.ndarray:
    """Filter rows for PNG by "average", which suits enlarged photos as well as the best of five.

    Args:
        rows: (h, n) uint8.
        above: (n,) the row before; without it, the first row is filtered by "sub".
        pixel: bytes of a pixel.

    Returns:
        (h, 1 + n) uint8: each row after the number of its filter.
    """
    result = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    left = np.zeros_like(rows)
    left[:, pixel:] = rows[:, :-pixel]
    up = np.empty_like(rows)
    up[1:] = rows[:-1]
    up[0] = 0 if above is None else above
    result[:, 0] = 3
    result[:, 1:] = rows - ((left & up) + ((left ^ up) >> 1))  # ⌊(left + up) / 2⌋ within a byte
    if above is None:
        result[0, 0] = 1
        result[0, 1:] = rows[0] - left[0]
    return result
