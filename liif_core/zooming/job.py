"""What is to be done, checked before anything is: a task for all photos, and a job for each.

A zoom goes one way: plan (here: a look at sizes and names, no pixel), then open, paint and finish
(see `liif_core.zooming.photo`).
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from liif_core.errors import LiifError
from liif_core.files.destination import FORMATS, check_target, format_of
from liif_core.grid import OutputGrid
from liif_core.photos import Header, read_header
from liif_core.pixels import PixelBox
from liif_core.zooming.compare import Sheet

#: Most pixels along a side that Pillow, and every format, can count.
MAX_SIDE = 2**31 - 1


class Sized(Protocol):
    """Whatever has a photo's size: a `Photo`, or the `Header` of its file."""

    @property
    def height(self) -> int:
        """Rows."""
        ...

    @property
    def width(self) -> int:
        """Columns."""
        ...

    @property
    def deep(self) -> bool:
        """Whether its samples have more than 8 bits."""
        ...


@dataclass(frozen=True)
class Task:
    """What to do with every photo: the options of `liif zoom`.

    Attributes:
        scale: magnification, any number greater than 0; or else
        size: (width, height) of the result in pixels, any proportions.
        crop: the part of the photo to zoom, in its pixels; None: all of it.
        page: which of a file's pages, pictures or frames, from 1 on.
        compare: also write bicubic interpolation beside the result.
        self_ensemble: average 8 flips; or else
        fast: leave out latent codes of little weight.
        old: read a scan at the resolution that is really in it.
        strict: refuse a JPEG that is cut off; else zoom what is left of it, and say so.
        precision: of the network: float32, float16 or bfloat16; see `check_precision`.
        overwrite: replace results that exist.
        quality: of JPEG and WebP, 1 … 100.
        keep_dpi: the photo's pixels per inch stay, and a print grows; else the print's size stays.
        strip: nothing of what the photo's file says goes along but which colours its pixels mean.

    Raises:
        LiifError: neither or both of scale and size, or a number that cannot be.
    """

    scale: float | None = None
    size: tuple[int, int] | None = None
    crop: PixelBox | None = None
    page: int = 1
    compare: bool = False
    self_ensemble: bool = False
    fast: bool = False
    old: bool = False
    strict: bool = False
    precision: str = "float32"
    overwrite: bool = False
    quality: int = 95
    keep_dpi: bool = False
    strip: bool = False

    def __post_init__(self) -> None:
        if (self.scale is None) == (self.size is None):
            raise LiifError(
                "give either a scale or a size, for example scale=12 or size=(4000, 3000)"
            )
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0):
            raise LiifError(f"scale must be a number greater than 0, got {self.scale:g}")
        if self.size is not None and not all(1 <= side <= MAX_SIDE for side in self.size):
            raise LiifError(
                f"size must be at least 1x1 and at most {MAX_SIDE:,} pixels a side, "
                "got {}x{}".format(*self.size)
            )
        if self.fast and self.self_ensemble:
            raise LiifError("a zoom is either fast or a self-ensemble; choose one")

    @property
    def mark(self) -> str:
        """What tells results from their photos: x12 or 4000x3000."""
        return f"x{self.scale:g}" if self.scale is not None else "{}x{}".format(*self.size or ())

    def name_for(self, photo: Path) -> str:
        """Name a photo's result: NAME_x12.png, NAME_4000x3000.png, NAME_page2_CROP_x12.png.

        It has the photo's own format, or PNG where that one is only read.
        """
        part = f"_page{self.page}" if self.page > 1 else ""
        part += "_" + "-".join(map(str, self.crop)) if self.crop else ""
        ending = photo.suffix if photo.suffix.lower() in FORMATS else ".png"
        return f"{photo.stem}{part}_{self.mark}{ending}"


@dataclass(frozen=True)
class Job:
    """What to do with one photo, checked; made by `plan`.

    Attributes:
        source: the photo's file; None if it is in memory.
        photo_size: (height, width) of the photo, upright.
        grid: the pixels of the result, and the part of the photo that they show.
        output: the file of the result; None if it stays in memory.
        comparison: the file of bicubic interpolation beside the result, if there is to be one.
        task: how to do it.
        remarks: lines about what of the photo's file is not read.
    """

    source: Path | None
    photo_size: tuple[int, int]
    grid: OutputGrid
    output: Path | None
    comparison: Path | None
    task: Task
    remarks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What to call the photo in an error."""
        return "the photo" if self.source is None else str(self.source)

    @property
    def by_strips(self) -> bool:
        """Whether the result is written as it grows; else it is held in memory."""
        alone = self.output is not None and self.comparison is None
        return alone and format_of(self.output or "").by_strips


def plan(source: str | os.PathLike[str] | Sized, output: Path | None, task: Task) -> Job:
    """Check, once and before anything is computed, that a photo can be zoomed as asked.

    Of a file, only the header is read.

    Args:
        source: the photo's file, or a photo in memory.
        output: the file to be written; None: the result stays in memory, and nothing is compared.
        task: what to do.

    Raises:
        LiifError: a photo that cannot be read, a crop that leaves it, a result too large, or a file
            that cannot be written; see `read_header`, `check_crop`, `result_size`, `check_target`.
    """
    path = Path(source) if isinstance(source, (str, os.PathLike)) else None
    seen: Sized = source if path is None else read_header(path, task.page)  # type: ignore[assignment]
    box = check_crop(seen, task.crop)
    height, width = result_size(box, task)
    comparison = None
    if output is not None:
        check_target(output, height, width, overwrite=task.overwrite, deep=seen.deep)
        if task.compare:
            comparison = output.with_name(f"{output.stem}_compare{output.suffix}")
            sheet = Sheet(height, width).size
            check_target(comparison, *sheet, overwrite=task.overwrite, deep=seen.deep)
    grid = OutputGrid(height, width, box)
    remarks = seen.remarks if isinstance(seen, Header) else ()
    return Job(path, (seen.height, seen.width), grid, output, comparison, task, remarks)


def check_crop(photo: Sized, crop: PixelBox | None) -> PixelBox:
    """Return the box to zoom: the whole photo, or `crop` if it lies within.

    Raises:
        LiifError: the crop is empty or leaves the photo.
    """
    if crop is None:
        return 0, 0, photo.width, photo.height
    left, top, right, bottom = crop
    if not (0 <= left < right <= photo.width and 0 <= top < bottom <= photo.height):
        raise LiifError(
            f"crop {left},{top},{right},{bottom} is empty or leaves the photo of "
            f"{photo.width}×{photo.height} pixels; give left,top,right,bottom within it"
        )
    return crop


def result_size(box: PixelBox, task: Task) -> tuple[int, int]:
    """Return (height, width) of the result of zooming `box`.

    Raises:
        LiifError: more pixels along a side than a picture can have. (Opening the result asks
            whether memory suffices.)
    """
    if task.scale is None:
        assert task.size is not None
        width, height = task.size
        return height, width
    sides = [(end - start) * task.scale for start, end in (box[1::2], box[::2])]
    if max(sides) > MAX_SIDE:
        raise LiifError(
            f"scale {task.scale:g} is too large: no side can exceed {MAX_SIDE:,} pixels"
        )
    height, width = (max(1, round(side)) for side in sides)
    return height, width
