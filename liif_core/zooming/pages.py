"""Zooming every page of a file: into one TIFF of as many pages, or into a file for each."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from liif_core.errors import LiifError
from liif_core.files.destination import TIFF, check_target, format_of
from liif_core.files.opening import PAGE_HINT
from liif_core.files.tiff_pages import MOST_BYTES, join_pages, too_large
from liif_core.models import seed_of
from liif_core.photos import Photo, read_header
from liif_core.render import Progress
from liif_core.zooming.job import Job, Task, plan
from liif_core.zooming.mixture import Model
from liif_core.zooming.photo import job_key, opened, read, remarks, renderer_for
from liif_core.zooming.there_already import Asked


def zoom_pages(
    load: Callable[[], Model],
    source: Path,
    output: Path,
    task: Task,
    progress: Progress | None = None,
    remark: Callable[[list[str]], None] = lambda lines: None,
    asked: Asked | None = None,
) -> list[str]:
    """Zoom every page, picture or frame of a file. An interrupted run goes on when asked again.

    Args:
        load: returns the model; called once, when all is planned.
        source: the file.
        output: a TIFF, which has a page for each then; or else the name that the files of the pages
            are called after: NAME_page1.png, NAME_page2.png. Of these, those that are there already
            are left as they are, unless they may be overwritten.
        task: what to do; its page does not count.
        progress: called with (pixels done, pixels in all) of all pages.
        remark: called with lines about a page.
        asked: what `load` will return; then it is told of results there that are of something else.

    Returns:
        a line for each file.

    Raises:
        LiifError: what `plan` raises of any page, before anything is computed; a comparison; pages
            too large for one TIFF; or a page that cannot be read.
    """
    if task.compare:
        raise LiifError("--compare shows one page beside bicubic; choose it with --page N")
    number = read_header(source).pages
    tasks = [replace(task, page=page) for page in range(1, number + 1)]
    if format_of(output) is TIFF:
        return _into_one(load, source, output, tasks, progress, remark)
    jobs, lines = [], []
    for one in tasks:
        path = output.with_name(f"{output.stem}_page{one.page}{output.suffix}")
        if path.exists() and not task.overwrite:
            how = asked.unlike(path) if asked else ""
            lines.append(f"{path}: there already{how and f', {how}; --overwrite replaces it'}")
        else:
            jobs.append(plan(source, path, one))
    model = load() if jobs else None
    for job, tell in zip(jobs, _shared(jobs, progress), strict=True):
        assert model is not None
        lines += _painted(job, model, tell, remark)
    return lines


def _into_one(
    load: Callable[[], Model],
    source: Path,
    output: Path,
    tasks: list[Task],
    progress: Progress | None,
    remark: Callable[[list[str]], None],
) -> list[str]:
    """Zoom the pages into files of a folder beside the output, and join them."""
    overwrite = tasks[0].overwrite
    jobs = [plan(source, None, task) for task in tasks]
    sizes = [(job.grid.height, job.grid.width) for job in jobs]
    wide, high = max(width for _, width in sizes), sum(height for height, _ in sizes)
    deep = any(read_header(source, task.page).deep for task in tasks)
    check_target(output, high, wide, overwrite=overwrite, deep=deep)
    if sum(height * width for height, width in sizes) * 3 * (2 if deep else 1) > MOST_BYTES:
        raise LiifError(f"{output}: {too_large()}")
    folder = Path(f"{os.path.realpath(output)}.liif-pages")
    model, pages, order, said = load(), list[str](), "", ""
    folder.mkdir(exist_ok=True)
    try:
        for job, tell in zip(jobs, _shared(jobs, progress), strict=True):
            photo = read(job)
            told = _of_page(job, photo, model)
            order = order or photo.notes.exif.order
            if not photo.notes.exif:  # which would have its own order of bytes; a file has one
                exif = replace(photo.notes.exif, order=order)
                photo = replace(photo, notes=replace(photo.notes, exif=exif))
            renderer = renderer_for(job.task, model, photo)
            remark(told)
            ends = renderer.strip_ends(job.grid)
            if seed_of(model) is not None:
                said = f"; {renderer.remark(job.grid)}"
            # Its name says what decides its pixels: another photo, option or weight starts over.
            key = job_key(model, photo, job, ends)[:16]
            path = folder / f"{job.task.page}-{key}.tif"
            pages.append(str(path))
            if not path.exists():
                with opened(replace(job, output=path), photo, model) as work:
                    work.paint(tell).finish()
        join_pages(pages, output, overwrite=overwrite)
        for path in folder.iterdir():
            path.unlink()
    finally:
        with suppress(OSError):  # what an interrupted run goes on with
            folder.rmdir()
    tallest = max(height for height, _ in sizes)
    return [f"{output}: {len(pages)} pages, up to {wide}×{tallest} pixels{said}"]


def _painted(
    job: Job, model: Model, progress: Progress | None, remark: Callable[[list[str]], None]
) -> list[str]:
    photo = read(job)
    with opened(job, photo, model) as work:
        remark(_of_page(job, photo, model))
        return work.paint(progress).finish()


def _of_page(job: Job, photo: Photo, model: Model) -> list[str]:
    """Return what is to be told about a page, by its number; not that it alone is read."""
    page = f"{job.name}, page {job.task.page}"
    lines = remarks(job, photo, model.weights_name)
    return [page + line.removeprefix(job.name) for line in lines if PAGE_HINT not in line]


def _shared(jobs: list[Job], progress: Progress | None) -> list[Progress | None]:
    """Return what tells of each job's part in the whole."""
    total = sum(job.grid.height * job.grid.width for job in jobs)
    tellers: list[Progress | None] = []
    before = 0
    for job in jobs:

        def tell(done: int, of: int, before: int = before) -> None:
            if progress:
                progress(before + done, total)

        tellers.append(tell)
        before += job.grid.height * job.grid.width
    return tellers
