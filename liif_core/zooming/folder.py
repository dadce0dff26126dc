"""Zooming an album of photos, shared among processes if there are several."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from liif_core.errors import LiifError
from liif_core.photos import Photo
from liif_core.processes import processes
from liif_core.render import Progress
from liif_core.zooming.album import Album, by_kind
from liif_core.zooming.job import Job, Task, plan
from liif_core.zooming.mixture import Model
from liif_core.zooming.photo import Painted, opened, read, remarks
from liif_core.zooming.there_already import Asked

#: How many files of a kind that is skipped are named.
MOST_NAMED = 3


@dataclass
class Summary:
    """What became of an album. Everything found is counted once: the first four lists add up to it.

    Attributes:
        written: of each photo that was zoomed, the lines about its files.
        there_already: results that were left as they are.
        otherwise: those of them that other weights made, or another seed, and which.
        skipped: what is no photo, and why.
        failed: lines about photos and folders that could not be read, zoomed or written.
        remarks: further lines about photos that were zoomed.
    """

    written: list[list[str]] = field(default_factory=list)
    there_already: list[str] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    otherwise: list[tuple[Path, str]] = field(default_factory=list)

    def table(self) -> list[str]:
        """Return the closing table: a line for each number, and why what was skipped was."""
        counts = {
            "written": len(self.written),
            "there already": len(self.there_already),
            "skipped": len(self.skipped),
            "failed": len(self.failed),
        }
        total = sum(counts.values())
        wide = len(str(total))
        lines = [f"{number:{wide}} {what}" for what, number in counts.items()]
        otherwise, reasons = (
            [
                f"{'':{wide}} {len(paths):{wide}} × {why}: {_some(paths)}"
                for why, paths in by_kind(some)
            ]
            for some in (self.otherwise, self.skipped)
        )
        last = f"{total:{wide}} in all"
        return [*lines[:2], *otherwise, lines[2], *reasons, lines[3], last]


def zoom_album(
    load: Callable[[], Model],
    album: Album,
    out: Path | None,
    task: Task,
    progress: Callable[[float, int], None] | None = None,
    tell: Callable[[Summary], None] = lambda summary: None,
    asked: Asked | None = None,
) -> Summary:
    """Zoom every photo of an album; results that are there already are left out.

    While one photo is computed, the next is read, and the last is written. A photo that fails
    holds up no other. Under torchrun, each process does its share; all learn what became of all.

    Args:
        load: returns the model, on this process's device; called once, when a photo is to be
            zoomed, and not at all if there is none.
        album: what `album_of` found.
        out: folder of the results, made if missing; None: beside the photos.
        task: what to do with each photo.
        progress: called with (photos done, photos in all), of this process.
        tell: called at the end, by one process for all.
        asked: what `load` will return; then it is told of results there that are of something else.

    Raises:
        LiifError: a folder that cannot be written to or is the photos' own, or what `load` raises.
    """
    if out is not None:
        _check_out(album, out)
    pairs = _named(album, out, task)
    # `*.jpg` finds the results of the last run, too.
    results = {result for _, result in pairs}
    found = [(path, "the result of another photo") for path, _ in pairs if path in results]
    pairs = [pair for pair in pairs if pair[0] not in results]
    # They exchange words alone, wherever they compute.
    with processes("cpu") as place:
        parts = place.gather(_share(load, pairs[place.rank :: place.world], task, progress, asked))
        summary = Summary(
            written=[lines for part in parts for lines in part.written],
            there_already=[line for part in parts for line in part.there_already],
            skipped=album.skipped + found,
            failed=album.failed + [line for part in parts for line in part.failed],
            remarks=[line for part in parts for line in part.remarks],
            otherwise=[pair for part in parts for pair in part.otherwise],
        )
        if summary.otherwise:
            summary.remarks.append(_left(len(summary.otherwise)))
        if place.leads:  # one speaks for all, and before torchrun may end any of them
            tell(summary)
    return summary


def _some(paths: Sequence[Path]) -> str:
    """Name a few files, and count the others."""
    named = ", ".join(map(str, paths[:MOST_NAMED]))
    others = len(paths) - MOST_NAMED
    return f"{named} and {others} more" if others > 0 else named


def _left(number: int) -> str:
    """Say of results there that are not what is asked for that they were left, and what to do."""
    return (
        f"{number} of the results there already were made with other weights or another seed, and "
        "are left as they are; name another folder (-o) for the new ones, or replace all with "
        "--overwrite"
    )


def _check_out(album: Album, out: Path) -> None:
    _made(out)
    if any(out.samefile(folder) for folder in album.folders):
        raise LiifError(f"{out}: holds the photos; name another folder for the results")


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LiifError(
            f"{folder}: cannot be made: {error.strerror}; name another folder"
        ) from error


def _named(album: Album, out: Path | None, task: Task) -> list[tuple[Path, Path]]:
    """Pair each photo with its result; of two that would share one, the second keeps its ending.

    Nor do results share a name on disks that know no capitals.
    """
    pairs, taken = [], set()
    for path, place in album.photos:
        folder, longer = path.parent if out is None else out / place, path
        result = folder / task.name_for(path)
        while str(result).casefold() in taken:
            longer = longer.with_name(f"{longer.stem}{path.suffix}.png")
            result = folder / task.name_for(longer)
        taken.add(str(result).casefold())
        pairs.append((path, result))
    return pairs


def _share(
    load: Callable[[], Model],
    pairs: Sequence[tuple[Path, Path]],
    task: Task,
    progress: Callable[[float, int], None] | None,
    asked: Asked | None,
) -> Summary:
    """Zoom some photos, one after the other: reading, computing and writing overlap."""
    summary, due = Summary(), []
    for path, output in pairs:
        if output.exists() and not task.overwrite:
            summary.there_already.append(str(output))
            if asked and (how := asked.unlike(output)):
                summary.otherwise.append((output, how))
        else:
            due.append((path, output))
    model: Model | None = None
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
            model = model or load()
            try:
                painted, lines = _painted(job, photo, model, part)
            except LiifError as error:
                summary.failed.append(_blame(path, error))
                continue
            summary.remarks += remarks(job, photo, model.weights_name)
            if lines:
                summary.written.append(lines)
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
        _made(output.parent)
        job = plan(path, output, task)
        return job, read(job)

    following = None
    for pair, after in zip_longest(pairs, pairs[1:]):
        reading = following or reader.submit(prepared, *pair)
        following = reader.submit(prepared, *after) if after else None
        yield pair[0], reading


def _painted(
    job: Job, photo: Photo, model: Model, progress: Progress
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
            summary.written.append(lines.result())
        except LiifError as error:
            summary.failed.append(_blame(path, error))


def _blame(path: Path, error: LiifError) -> str:
    message = str(error)
    return message if path.name in message else f"{path}: {message}"
