"""GNU's malloc, asked to give back to the system what is done with; others are left as they are.

glibc maps each large block by itself, and unmaps it when it is freed. But the first large block
that is freed raises what it takes for large, up to 32 MiB: from then on, feature maps and tiles lie
in its heaps, among small blocks that live on. Of a heap only the free end goes back, so that as
much can lie free between its blocks as is in use.
"""

import ctypes
import functools
from typing import Any

#: Settings of `mallopt`, by their numbers in glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3

#: Bytes from which on a free block goes back to the system. Smaller ones are worth keeping: each
#: page that comes back from the system is filled with zeros first.
LARGE_BLOCK = 4 << 20


def map_large_blocks() -> None:
    """Map each large block by itself, and keep no large free end of a heap, from here on.

    That is of the whole process: for a program of our own, or where its user sees it.
    """
    libc = _glibc()
    if libc is not None:
        for setting in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            libc.mallopt(setting, LARGE_BLOCK)


def trim() -> None:
    """Give back the pages of the heaps that nothing is in: half a millisecond for each MB."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@functools.cache
def _glibc() -> Any:
    """Return GNU's C library, or None: macOS and Windows have another, and so has Alpine."""
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt, libc.malloc_trim  # noqa: B018
    except (AttributeError, OSError, TypeError):
        return None
    return libc
