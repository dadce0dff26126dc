"""TIFF in strips that can be appended one by one: not compressed, its header says where all are."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COMPRESSION,
    EXTRASAMPLES,
    ICCPROFILE,
    IMAGELENGTH,
    IMAGEWIDTH,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    ROWSPERSTRIP,
    SAMPLESPERPIXEL,
    STRIPBYTECOUNTS,
    STRIPOFFSETS,
)

from liif_core.files.carried import tiff_exif
from liif_core.files.destination import TIFF
from liif_core.files.exif import UNDEFINED, Value, laid_out
from liif_core.files.result_pixels import ResultPixels

#: Bytes of a TIFF strip, as its specification (section "StripOffsets") advises; at least a row.
TIFF_STRIP = 1 << 16


class Tiff:
    """Tagged Image File Format 6.0, or BigTIFF where four GiB do not suffice.

    Its order of bytes is that of the photo's EXIF, which goes along byte by byte.

    Args:
        pixels: what the picture is like.

    Attributes:
        check: not used.
    """

    def __init__(self, pixels: ResultPixels) -> None:
        self.pixels = pixels
        self.check = 0

    def head(self) -> bytes:
        """Return what precedes the pixels."""
        pixels = self.pixels
        bits = (8 * pixels.dtype.itemsize,) * len(pixels.bands)
        row = pixels.width * sum(bits) // 8
        step = max(1, TIFF_STRIP // row)
        starts = range(0, pixels.height, step)
        big = row * pixels.height > 2**32 - 2**24  # room for the header and the notes
        said = tiff_exif(pixels.carried(TIFF))
        counts = [row * min(step, pixels.height - top) for top in starts]
        tags = {
            IMAGEWIDTH: said.long(pixels.width),
            IMAGELENGTH: said.long(pixels.height),
            BITSPERSAMPLE: said.short(*bits),
            SAMPLESPERPIXEL: said.short(len(bits)),
            COMPRESSION: said.short(1),  # none
            PHOTOMETRIC_INTERPRETATION: said.short(2 if pixels.bands.startswith("RGB") else 1),
            PLANAR_CONFIGURATION: said.short(1),  # the channels of a pixel together
            ROWSPERSTRIP: said.long(step),
            STRIPBYTECOUNTS: said.offsets(counts, big),
            STRIPOFFSETS: said.offsets([0] * len(counts), big),
        }
        if pixels.bands.endswith("A"):
            tags[EXTRASAMPLES] = said.short(2)  # alpha, not multiplied in
        if pixels.photo.icc_profile:
            tags[ICCPROFILE] = Value(UNDEFINED, pixels.photo.icc_profile)
        for _ in "length", "offsets":  # where the pixels begin is known when the rest is laid out
            head = laid_out(replace(said, main={**said.main, **tags}), big=big)
            head += bytes(len(head) % 2)
            tags[STRIPOFFSETS] = said.offsets([len(head) + row * top for top in starts], big)
        return head

    def body(self, pieces: Sequence[np.ndarray], first: bool, last: bool) -> bytes:
        """Return the pixels of one strip, top to bottom in pieces."""
        least_first = self.pixels.photo.notes.exif.order == "<"
        dtype = self.pixels.dtype.newbyteorder("<" if least_first else ">")
        return b"".join(piece.astype(dtype).tobytes() for piece in pieces)
