"""PNG and TIFF written strip by strip, in memory for one strip, and gone on with after a kill.

Both grow at their end alone (`png` and `tiff` say how), so a file that was cut off is whole again
if cut back to the end of a strip. A journal beside it notes where that is.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import TracebackType

import numpy as np
from filelock import FileLock, Timeout

from liif_core.errors import LiifError
from liif_core.files.destination import PNG, TIFF, Format, format_of, part_of
from liif_core.files.png import Png
from liif_core.files.publish import give_name, not_written, publishing, unnamed_part
from liif_core.files.result_pixels import ResultPixels
from liif_core.files.tiff import Tiff

_ENCODERS: dict[Format, type[Png] | type[Tiff]] = {PNG: Png, TIFF: Tiff}


@dataclass(frozen=True)
class Journal:
    """What is noted of an unfinished file after each strip.

    Attributes:
        key: stands for all that decides the pixels.
        rows: how many are done.
        bytes: how long the file is with them.
        check: the encoder's checksum so far.
    """

    key: str
    rows: int
    bytes: int
    check: int

    @classmethod
    def read(cls, path: str) -> "Journal | None":
        """Read what `write` wrote; None if there is nothing, or anything else."""
        try:
            with open(path, encoding="utf-8") as file:
                noted = cls(**json.load(file))
        except (OSError, ValueError, TypeError):
            return None
        numbers = (noted.rows, noted.bytes, noted.check)
        return noted if all(type(number) is int and number >= 0 for number in numbers) else None

    def write(self, path: str) -> None:
        """Replace the journal before. Raises LiifError as `publishing`."""
        with publishing(path) as part, open(part, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)


class ByStrips:
    """A PNG or TIFF that grows strip by strip beside its target, and bears its name when whole.

    A form of `Result`. Given a key, an unfinished file stays, with its journal, and the next
    picture of the same target and key goes on from there; with another key it starts over.

    Args:
        pixels: what the picture is like.
        path: the file to be written. A link is followed.
        key: stands for all that decides the pixels; None: nothing unfinished stays.
        overwrite: replace an existing file.

    Attributes:
        rows: how many are done.

    Raises:
        LiifError: another program at work on the same picture, a full disk, or a folder that
            cannot be written to.
    """

    def __init__(
        self,
        pixels: ResultPixels,
        path: str | os.PathLike[str],
        *,
        key: str | None = None,
        overwrite: bool = False,
    ) -> None:
        self.rows, self._whole = 0, False
        self._pixels, self._path, self._key, self._overwrite = pixels, path, key, overwrite
        self._encoder = _ENCODERS[format_of(path)](pixels)
        target = os.path.realpath(path)
        self._part = part_of(target) if key else unnamed_part(target)
        self._journal = f"{self._part}.json"
        self._lock = self._locked() if key else None
        try:
            noted = self._noted()
            # open() creates the file with the permissions that the umask asks for.
            self._file = open(self._part, "r+b" if noted else "wb")  # noqa: SIM115
            try:
                self._begin(noted)
            except BaseException:
                self._close()
                raise
        except BaseException as error:
            self._unlock()
            if isinstance(error, (OSError, MemoryError)):
                raise not_written(path, error) from error
            raise

    def _locked(self) -> FileLock:
        lock = FileLock(f"{self._part}.lock", timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            raise LiifError(
                f"{self._path}: another program is writing it; wait for it, or name another file"
            ) from None
        except OSError as error:
            raise not_written(self._path, error) from error
        return lock

    def _noted(self) -> Journal | None:
        """Return the journal of an unfinished file that can be gone on with."""
        noted = Journal.read(self._journal) if self._key else None
        if noted is None or noted.key != self._key or noted.rows > self._pixels.height:
            return None
        try:
            status = os.stat(self._part)
            if status.st_nlink > 1:  # killed between getting its name and losing the old one
                os.unlink(self._part)
                return None
        except OSError:
            return None
        return noted if status.st_size >= noted.bytes else None

    def _begin(self, noted: Journal | None) -> None:
        if noted:
            self.rows, self._encoder.check = noted.rows, noted.check
            self._file.truncate(noted.bytes)
            self._file.seek(noted.bytes)
        else:
            with suppress(FileNotFoundError):
                os.unlink(self._journal)
            self._file.write(self._encoder.head())
            self._file.flush()  # a full disk is told now, not after the first strip

    def paste(self, top: int, rgb: np.ndarray) -> None:
        """Write a strip of floats; see `Result.paste`."""
        pieces = self._pixels.pieces(top, rgb)
        if top != self.rows:
            raise ValueError(f"strip at row {top}, but row {self.rows} is due")
        self.append([self._pixels.strip(row, piece) for row, piece in pieces])

    def append(self, pieces: Sequence[np.ndarray]) -> None:
        """Write a strip of finished pixels, from top to bottom in pieces; see `ResultPixels.strip`.

        Raises:
            LiifError: a full disk, or anything else that keeps it from being written.
        """
        first, rows = self.rows == 0, self.rows + sum(map(len, pieces))
        try:
            self._file.write(self._encoder.body(pieces, first, rows == self._pixels.height))
            if self._key:
                self._file.flush()
                os.fsync(self._file.fileno())
        except (OSError, MemoryError) as error:
            raise not_written(self._path, error) from error
        self.rows = rows
        if self._key:
            noted = Journal(self._key, rows, self._file.tell(), self._encoder.check)
            noted.write(self._journal)

    def finish(self) -> None:
        """Give the whole picture its name; see `Result.finish`."""
        if self.rows != self._pixels.height:
            raise ValueError(f"{self.rows} of {self._pixels.height} rows are there")
        try:
            self._file.close()
        except OSError as error:
            raise not_written(self._path, error) from error
        give_name(self._part, self._path, overwrite=self._overwrite)
        self._whole = True

    def __enter__(self) -> "ByStrips":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()
        self._unlock()

    def _close(self) -> None:
        """Close the file, and remove what cannot be gone on with."""
        with suppress(OSError):  # what is left in its buffer may not fit the disk
            self._file.close()
        if self._whole or not os.path.exists(self._journal):
            for name in (self._part, self._journal):
                with suppress(OSError):
                    os.unlink(name)

    def _unlock(self) -> None:
        # The lock's file goes while the lock is held, as the very last thing. Removed after the
        # release, it might be another's by then, and a third would lock a new file of the same
        # name. One who has opened the old file by now will find that what it locks bears no name
        # any more: filelock (from 3.21.2 on) gives that up and starts over.
        if self._lock:
            with suppress(OSError):
                os.unlink(self._lock.lock_file)
            self._lock.release()
