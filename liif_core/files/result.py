"""A result that is being painted: what its two forms, in memory and by strips, have in common."""

from types import TracebackType
from typing import Protocol

import numpy as np


class Result(Protocol):
    """A picture that is painted strip by strip, from top to bottom, and then becomes its file.

    There are two forms. `by_strips.ByStrips` writes PNG and TIFF as they grow, holds one strip in
    memory, and goes on where a killed run left off. `in_memory.InMemory` holds the whole picture:
    for JPEG and WebP, to be compared, or to be no file at all. Both are opened from what decides
    the pixels, once `destination.check_target` has said that the file can be written; they ask
    nothing of it again, save at the last step, which replaces no file that may not be:

        pixels = ResultPixels(photo, height, width, box)
        if format_of(path).by_strips and not compared:
            result = ByStrips(pixels, path, key=key, overwrite=overwrite)
        else:
            result = InMemory(pixels, path, overwrite=overwrite, quality=quality)
        with result:
            ...  # paste the strips from row result.rows on
            result.finish()

    Attributes:
        rows: how many rows, from the top, are done; more than 0 at first where an unfinished
            file is gone on with.
    """

    rows: int

    def paste(self, top: int, rgb: np.ndarray) -> None:
        """Paint the rows from `top` on.

        Args:
            top: the output row where the strip begins; it is `rows`.
            rgb: (h, width, 3) floats, about [0, 1]; see `ResultPixels.strip`.

        Raises:
            LiifError: values that are no colours, a full disk, or the like.
            ValueError: not the strip that is due, or one that does not fit.
        """
        ...

    def finish(self) -> None:
        """Make a file of the whole picture, and give it its name.

        Raises:
            LiifError: a file of that name has appeared, a full disk, or anything else that keeps
                it from being written. An existing file stays as it was then.
            ValueError: rows are missing, or there is no path.
        """
        ...

    def __enter__(self) -> "Result": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close; an unfinished file stays only if it can be gone on with."""
        ...
