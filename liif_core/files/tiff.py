"""TIFF in strips that can be appended one by one: not compressed, its header says where all are."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import TiffTags
from PIL.ExifTags import IFD
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
    ImageFileDirectory_v2,
)

from liif_core.files.result_pixels import ResultPixels

#: Bytes of a TIFF strip, as its specification (section "StripOffsets") advises; at least a row.
TIFF_STRIP = 1 << 16


class Tiff:
    """Tagged Image File Format 6.0, or BigTIFF where four GiB do not suffice.

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
        start = b"II\x2b\0\x08\0\0\0" + bytes(8) if big else b"II\x2a\0\x08\0\0\0"
        tags = ImageFileDirectory_v2(start)
        exif: Any = pixels.exif() or {}
        for tag in exif:
            tags[tag] = exif.get_ifd(tag) if tag in (IFD.Exif, IFD.GPSInfo) else exif[tag]
        tags[IMAGEWIDTH], tags[IMAGELENGTH] = pixels.width, pixels.height
        tags[BITSPERSAMPLE], tags[SAMPLESPERPIXEL] = bits, len(bits)
        tags[COMPRESSION] = 1  # none
        tags[PHOTOMETRIC_INTERPRETATION] = 2 if pixels.bands.startswith("RGB") else 1
        tags[PLANAR_CONFIGURATION] = 1  # the channels of a pixel together
        tags[ROWSPERSTRIP] = step
        for tag in (STRIPOFFSETS, STRIPBYTECOUNTS):
            tags.tagtype[tag] = TiffTags.LONG8 if big else TiffTags.LONG
        tags[STRIPOFFSETS] = tuple(row * top for top in starts)  # Pillow adds the header
        tags[STRIPBYTECOUNTS] = tuple(row * min(step, pixels.height - top) for top in starts)
        if pixels.bands.endswith("A"):
            tags[EXTRASAMPLES] = (2,)  # alpha, not multiplied in
        if pixels.photo.icc_profile:
            tags[ICCPROFILE] = pixels.photo.icc_profile
        file = BytesIO()
        tags.save(file)
        return file.getvalue()

    def body(self, pieces: Sequence[np.ndarray], first: bool, last: bool) -> bytes:
        """Return the pixels of one strip, top to bottom in pieces."""
        return b"".join(piece.astype(piece.dtype.newbyteorder("<")).tobytes() for piece in pieces)
