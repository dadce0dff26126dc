"""What there is to zoom: the photos among files and folders, and what else lies between them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from liif_core.errors import LiifError, one_line
from liif_core.files.kinds import kind_in_folder
from liif_core.photos import is_photo

_FOLDER = "a folder; --recursive goes into it"


@dataclass
class Album:
    """The photos to be zoomed, and everything else that was found on the way.

    Attributes:
        photos: each with the folder of its result, relative to that of all results.
        skipped: what is no photo, and why.
        failed: lines about folders that cannot be read.
        folders: those that were asked for.
    """

    photos: list[tuple[Path, Path]] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)


def album_of(
    sources: Sequence[Path], *, recursive: bool = False, results: Path | None = None
) -> Album:
    """Look through files and folders; nothing that is there is left out of what is returned.

    A file that is named is taken for a photo, whatever its name. In a folder, photos are what
    `is_photo` says. The results of one folder lie as its photos do; of several sources, each
    folder's results lie in one of its name. Links to folders are not followed.

    Args:
        sources: files and folders.
        recursive: go into folders within folders.
        results: the folder of the results, which may lie within; it is not gone into.

    Raises:
        LiifError: no such file or folder, or no photos.
    """
    album = Album()
    for source in dict.fromkeys(sources):  # a file that is named twice is zoomed once
        if source.is_dir():
            place = Path() if len(sources) == 1 else Path(source.absolute().name)
            album.folders.append(source)
            _look_through(source, place, album, recursive, results)
        elif len(sources) == 1 and not source.exists():
            raise LiifError(f"no folder {source}; give a folder of photographs")
        else:
            album.photos.append((source, Path()))
    if not album.photos:
        raise LiifError(_nothing(sources, album))
    return album


def _look_through(
    folder: Path, place: Path, album: Album, recursive: bool, results: Path | None
) -> None:
    def unreadable(error: OSError) -> None:
        album.failed.append(
            f"{error.filename}: cannot be read: {error.strerror or one_line(error)}"
        )

    for where, folders, names in os.walk(folder, onerror=unreadable):
        here = Path(where)
        for name in sorted(names):
            path = here / name
            if is_photo(path) and path.is_file():
                album.photos.append((path, place / here.relative_to(folder)))
            else:
                album.skipped.append((path, kind_in_folder(path)))
        inner = [here / name for name in sorted(folders)]
        why = {path: _why_not(path, recursive, results) for path in inner}
        album.skipped += [(path, reason) for path, reason in why.items() if reason]
        folders[:] = [path.name for path, reason in why.items() if not reason]


def _why_not(folder: Path, recursive: bool, results: Path | None) -> str:
    """Say why a folder is not gone into; nothing if it is."""
    with suppress(OSError):
        if results is not None and results.samefile(folder):
            return "the folder of the results"
    if folder.name.startswith("."):
        return "a hidden folder: its name begins with a dot"
    if not recursive:
        return _FOLDER
    return "a link to a folder" if folder.is_symlink() else ""


def _nothing(sources: Sequence[Path], album: Album) -> str:
    """Say in a line that there are no photos, and what is there instead."""
    where = " ".join(map(str, sources))
    instead = "; ".join(f"{len(paths)} × {kind}" for kind, paths in by_kind(album.skipped))
    if album.failed:
        return album.failed[0]
    if not instead:
        return f"no photographs in {where}; put some there, or name another folder"
    return f"no photographs in {where}; there is {instead}"


def by_kind(skipped: Sequence[tuple[Path, str]]) -> Iterator[tuple[str, list[Path]]]:
    """Gather what was skipped by kind, the most frequent first."""
    kinds: dict[str, list[Path]] = {}
    for path, why in skipped:
        kinds.setdefault(why, []).append(path)
    yield from sorted(kinds.items(), key=lambda kind: (-len(kind[1]), kind[0]))
