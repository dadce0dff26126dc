"""Publishing a file: written beside its target, brought to the disk, then named in one step.

Whoever looks sees the old file or the new one, never half of one; and what fails leaves nothing.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from liif_core.errors import LiifError, one_line


@contextmanager
def publishing(
    path: str | os.PathLike[str], *, overwrite: bool = True, durable: bool = True
) -> Iterator[str]:
    """Yield the name of an empty file beside `path`; if the block ends well, it becomes `path`.

    It has the permissions of any new file, and is to be closed when the block ends.

    Args:
        path: the file to be. A link is followed.
        overwrite: replace an existing file.
        durable: wait until the disk has it. A cache need not: what a power cut takes from it is
            computed again.

    Raises:
        LiifError: a file that exists, a missing folder, no permission, a full disk, not enough
            memory. Nothing is left behind then, and an existing file stays as it was.
    """
    part = unnamed_part(os.path.realpath(path))
    try:
        try:
            open(part, "xb").close()  # with the permissions that the umask asks for
            yield part
            give_name(part, path, overwrite=overwrite, durable=durable)
        finally:
            with suppress(OSError):
                os.unlink(part)
    except (OSError, MemoryError) as error:
        raise not_written(path, error) from error


def unnamed_part(target: str) -> str:
    """Name a new file beside `target`: hidden, and short, however long the target's name is."""
    return os.path.join(os.path.dirname(target), f".liif-{secrets.token_hex(8)}.part")


def give_name(
    part: str, path: str | os.PathLike[str], *, overwrite: bool, durable: bool = True
) -> None:
    """Bring a finished and closed file to the disk and give it the name `path`, in one step.

    Args:
        part, path: the file, and the name that it is to have.
        overwrite, durable: as for `publishing`.

    Raises:
        LiifError: a file of that name is there and may not be replaced, a full disk, or the like.
    """
    target = os.path.realpath(path)
    try:
        if durable:
            with open(part, "r+b") as file:
                os.fsync(file.fileno())
        if overwrite:
            os.replace(part, target)
        else:
            _rename(part, target)
    except FileExistsError:
        raise exists_already(path) from None
    except (OSError, MemoryError) as error:
        raise not_written(path, error) from error


def _rename(part: str, target: str) -> None:
    """Rename a file, but never over another, as os.replace does."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        os.replace(part, target)
    else:
        os.unlink(part)


def exists_already(path: str | os.PathLike[str]) -> LiifError:
    """Return the error for a file that may not be replaced."""
    return LiifError(
        f"{path}: exists already; name another file, or allow --overwrite (overwrite=True)"
    )


def not_written(path: str | os.PathLike[str], error: OSError | MemoryError) -> LiifError:
    """Return the error for a file that could not be written."""
    if isinstance(error, MemoryError):
        return LiifError(f"{path}: not enough memory to write it")
    return LiifError(f"{path}: could not be written: {error.strerror or one_line(error)}")
