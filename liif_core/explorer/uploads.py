"""Photos that arrive from the browser in parts, kept until they are whole.

Each is known by its viewer (one display of an explorer on one page) and by its upload id, so that
the parts of two of them never become one photo.

What is kept stays small, whoever stops half-way:

- A viewer has at most one unfinished upload: a new one takes the place of the one before.
- An upload that has had no part for `IDLE` seconds is dropped as soon as anything is asked.
- All unfinished uploads together hold at most `MOST_BYTES`: those that have waited longest make
  room for a part that has come, and a single photo larger than that is refused.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from liif_core.errors import LiifError

#: Bytes of one photo's file, and of all unfinished uploads together.
MOST_BYTES = 400 << 20

#: Seconds after which an upload is no longer waited for.
IDLE = 120.0


@dataclass
class Unfinished:
    """What has come of a file: an upload's id, its parts so far, and when the last one came."""

    upload: int
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    last: float = 0.0


class Uploads:
    """The unfinished uploads of all viewers.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._of_viewer: dict[str, Unfinished] = {}

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(unfinished.size for unfinished in self._of_viewer.values())

    def take(self, viewer: str, upload: int, part: int, parts: int, piece: bytes) -> bytes | None:
        """Take the next part of a file; return the whole file after the last one, else None.

        Args:
            viewer: who sends it.
            upload: which of the viewer's uploads it belongs to.
            part: which part it is, from 0; they come in order.
            parts: how many there are.
            piece: the bytes.

        Raises:
            LiifError: the part does not follow those that came before (which are dropped), or the
                file is too large.
        """
        self.drop_idle()
        if part == 0:
            self._of_viewer[viewer] = Unfinished(upload)
        kept = self._of_viewer.get(viewer)
        if kept is None or kept.upload != upload or len(kept.parts) != part or part >= parts:
            if kept is not None and kept.upload == upload:
                del self._of_viewer[viewer]
            raise LiifError("opening the photo was interrupted; choose it again")
        if kept.size + len(piece) > MOST_BYTES:
            del self._of_viewer[viewer]
            raise LiifError(f"a photo's file may have {MOST_BYTES >> 20} MB at most; shrink it")
        kept.parts.append(piece)
        kept.size += len(piece)
        kept.last = self._clock()
        if part + 1 < parts:
            self._make_room()
            return None
        del self._of_viewer[viewer]
        return b"".join(kept.parts)

    def drop_idle(self) -> None:
        """Drop the uploads that have had no part for too long."""
        now = self._clock()
        late = [name for name, kept in self._of_viewer.items() if now - kept.last > IDLE]
        for name in late:
            del self._of_viewer[name]

    def _make_room(self) -> None:
        """Drop those that have waited longest, until the rest is small enough."""
        while self.size > MOST_BYTES:
            oldest = min(self._of_viewer, key=lambda name: self._of_viewer[name].last)
            del self._of_viewer[oldest]
