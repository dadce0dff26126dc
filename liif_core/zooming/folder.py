"""Zooming a folder of photos, shared among processes if there are several."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from liif_core.errors import LiifError
from liif_core.liif import LIIF
from liif_core.photos import Photo, photo_paths
from liif_core.processes import processes
from liif_core.render import Progress
from liif_core.zooming.job import Job, Task, plan
from liif_core.zooming.photo import Painted, opened, read, remarks


@dataclass
class Summary:
    """What became of a folder."""

    written: list[str] = field(default_factory=list)
    there_already: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def zoom_folder(
    load: Callable[[], LIIF],
    folder: Path,
    out: Path,
    task: Task,
    progress: Callable[[float, int], None] | None = None,
    tell: Callable[[Summary], None] = lambda summary: None,
) -> Summary:
    """Zoom every photo of a folder; results that are there already are left out.

    While one photo is computed, the next is read, and the last is written. A photo that fails
    holds up no other. Under torchrun, each process does its share; all learn what became of all.

    Args:
        load: returns the model, on this process's device; called once, when a photo is to be
            zoomed, and not at all if there is none.
        folder: photos, as `photo_paths` finds them.
        out: folder of the results, made if missing.
        task: what to do with each photo.
        progress: called with (photos done, photos in all), of this process.
        tell: called at the end, by one process for all.

    Raises:
        LiifError: no photos, a folder that cannot be written to or is the photos' own, or what
            `load` raises.
    """
    paths = photo_paths(folder)
    _check_out(folder, out)
    # They exchange words alone, wherever they compute.
    with processes("cpu") as place:
        pairs = _named(paths, out, task)[place.rank :: place.world]
        parts = place.gather(_share(load, pairs, task, progress))
        summary = Summary(
            written=[line for part in parts for line in part.written],
            there_already=[line for part in parts for line in part.there_already],
            failed=[line for part in parts for line in part.failed],
            remarks=[line for part in parts for line in part.remarks],
        )
        if place.leads:  # one speaks for all, and before torchrun may end any of them
            tell(summary)
    return summary


def _check_out(folder: Path, out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LiifError(f"{out}: cannot be made: {error.strerror}; name another folder") from error
    if out.samefile(folder):
        raise LiifError(f"{out}: holds the photos; name another folder for the results")


def _named(paths: Sequence[Path], out: Path, task: Task) -> list[tuple[Path, Path]]:
    """Pair each photo with its result; of two that would share one, the second keeps its ending.

    Nor do results share a name on disks that know no capitals.
    """
    pairs, taken = [], set()
    for path in paths:
        name, longer = task.name_for(path), path
        while name.casefold() in taken:
            longer = longer.with_name(f"{longer.stem}{path.suffix}.png")
            name = task.name_for(longer)
        taken.add(name.casefold())
        pairs.append((path, out / name))
    return pairs


def _share(
    load: Callable[[], LIIF],
    pairs: Sequence[tuple[Path, Path]],
    task: Task,
    progress: Callable[[float, int], None] | None,
) -> Summary:
    """Zoom some photos, one after the other: reading, computing and writing overlap."""
    summary, due = Summary(), []
    for path, output in pairs:
        if output.exists() and not task.overwrite:
            summary.there_already.append(str(output))
        else:
            due.append((path, output))
    model: LIIF | None = None
    writing: tuple[Path, Future[list[str]]] | None = None
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        for done, (path, reading) in enumerate(_read_ahead(reader, due, task)):

            def part(pixels: int, of: int, done: int = done) -> None:
                if progress:
                    progress(done + pixels / of, len(due))

            try:
                job, photo = reading.result()
            except LiifError as error:
                summary.failed.append(_blame(path, error))
                continue
            summary.remarks += remarks(job, photo)
            model = model or load()
            try:
                painted, lines = _painted(job, photo, model, part)
            except LiifError as error:
                summary.failed.append(_blame(path, error))
                continue
            summary.written += lines
            if painted:
                _settle(writing, summary)
                writing = path, writer.submit(painted.finish)
            del photo, painted  # or they would be held while the next one is computed
        _settle(writing, summary)
    return summary


def _read_ahead(
    reader: ThreadPoolExecutor, pairs: Sequence[tuple[Path, Path]], task: Task
) -> Iterator[tuple[Path, Future[tuple[Job, Photo]]]]:
    """Yield (photo's path, what to do and photo), the next photo being read meanwhile."""

    def prepared(path: Path, output: Path) -> tuple[Job, Photo]:
        job = plan(path, output, task)
        return job, read(job)

    following = None
    for pair, after in zip_longest(pairs, pairs[1:]):
        reading = following or reader.submit(prepared, *pair)
        following = reader.submit(prepared, *after) if after else None
        yield pair[0], reading


def _painted(
    job: Job, photo: Photo, model: LIIF, progress: Progress
) -> tuple[Painted | None, list[str]]:
    """Paint a result.

    Returns:
        what is still to be finished, encoding what is held in memory takes its time; or else the
        lines about what is.
    """
    with opened(job, photo, model) as work:
        painted = work.paint(progress)
        return (None, painted.finish()) if job.by_strips else (painted, [])


def _settle(writing: tuple[Path, Future[list[str]]] | None, summary: Summary) -> None:
    """Wait for a result to be written, and note what became of it."""
    if writing:
        path, lines = writing
        try:
            summary.written += lines.result()
        except LiifError as error:
            summary.failed.append(_blame(path, error))


def _blame(path: Path, error: LiifError) -> str:
    message = str(error)
    return message if path.name in message else f"{path}: {message}"
