"""From a photo to a zoomed photo: open, paint, finish, as planned in `liif_core.zooming.job`."""

import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import torch
from PIL import Image

from liif_core.errors import LiifError, is_out_of_memory
from liif_core.files.by_strips import ByStrips
from liif_core.files.carried import Maker
from liif_core.files.destination import format_of
from liif_core.files.in_memory import InMemory
from liif_core.files.opening import PAGE_HINT
from liif_core.files.result import Result
from liif_core.files.result_pixels import ResultPixels
from liif_core.grid import Pixels
from liif_core.models import seed_of, title_of
from liif_core.photos import Photo, Source, photo_from
from liif_core.pixels import PixelBox
from liif_core.render import MEMORY, ContinuousPhoto, Progress, Renderer, strips
from liif_core.weights import DEFAULT_MODEL, load_model
from liif_core.worn import hint_for
from liif_core.zooming.compare import beside_bicubic
from liif_core.zooming.fewer_codes import FewerCodes
from liif_core.zooming.job import Job, Task, plan
from liif_core.zooming.mixture import Mixed, Mixture, Model, denoising
from liif_core.zooming.old import SHARE, OldPhoto, Shrunk, ShrunkPixels, as_old, read_at
from liif_core.zooming.self_ensemble import SelfEnsemble

#: Rows of a photo read at a time for its key.
KEY_ROWS = 64


def zoom(
    image: Source,
    scale: float | None = None,
    *,
    size: tuple[int, int] | None = None,
    crop: PixelBox | None = None,
    page: int = 1,
    old: bool = False,
    model: Model | str | Path | None = None,
    progress: Progress | None = None,
) -> Image.Image:
    """Zoom a photo to any size.

    Args:
        image: a path, a PIL image, or an array (H, W), (H, W, 3) or (H, W, 4), uint8, uint16 or
            floats in [0, 1].
        scale: magnification, any number greater than 0; or give `size`.
        size: (width, height) of the result, any proportions.
        crop: (left, top, right, bottom) in input pixels: zoom this part alone.
        page: which of a file's pages, pictures or frames, from 1 on.
        old: read a scan at the resolution that is really in it; see `liif_core.zooming.old`.
        model: what `load_model` or `denoising` returned, or a name or path for it; None: the
            default weights, or those for old photos.
        progress: called with (pixels done, pixels in all).

    Returns:
        a PIL image of the photo's own kind: grey stays grey, transparent stays transparent. Of 16
        bits, grey stays so; colours have 8, as Pillow knows no more (`liif zoom` writes 16).

    Warns:
        UserWarning: the file holds more than is read, such as further pages.

    Raises:
        LiifError: a photo that cannot be read, a size that cannot be, or not enough memory.
    """
    task = Task(scale, size, crop, page, old=old, strict=True)
    photo: Photo | None = None
    if isinstance(image, (str, os.PathLike)):
        job = plan(image, None, task)
    else:
        photo = as_old(photo_from(image)) if old else photo_from(image)
        job = plan(photo, None, task)
    if model is None:
        model = denoising(SHARE) if old else DEFAULT_MODEL
    chosen = load_model(model) if isinstance(model, (str, Path)) else model
    with opened(job, photo or read(job), chosen) as work:
        for remark in job.remarks:
            words = remark.replace(PAGE_HINT, "; page=N reads another")
            warnings.warn(f"{job.name}: {words}", stacklevel=2)
        work.paint(progress)
        assert isinstance(work.result, InMemory)
        return work.result.image()


def read(job: Job) -> Photo:
    """Decode a job's photo; of an old one, estimate how fine it is.

    Raises:
        LiifError: see `photo_from`; or not the size that its header told when the job was planned.
    """
    assert job.source is not None
    photo = photo_from(job.source, job.task.page, strict=job.task.strict)
    if (photo.height, photo.width) != job.photo_size:
        height, width = job.photo_size
        raise LiifError(
            f"{job.source}: holds {photo.width}×{photo.height} pixels where its header told of "
            f"{width}×{height}; if it has just been changed, try again, else save it anew"
        )
    return as_old(photo) if job.task.old else photo


def remarks(job: Job, photo: Photo, weights: str) -> list[str]:
    """Return what is to be told about a job's photo, a line each.

    Args:
        job: from `plan`.
        photo: its photo, decoded.
        weights: what those are called that it is zoomed with.
    """
    advice = photo.story(weights) if isinstance(photo, OldPhoto) else hint_for(photo, weights)
    lines = [*job.remarks, *photo.remarks, *_unsaid(job, photo), advice]
    return [f"{job.name}: {line}" for line in lines if line]


def _unsaid(job: Job, photo: Photo) -> tuple[str, ...]:
    """Say what of a photo's notes its result cannot hold."""
    if job.output is None or job.task.strip:
        return ()
    pixels = _pixels(job, photo, Maker(""))
    return pixels.carried(format_of(job.output)).remarks


@contextmanager
def opened(job: Job, photo: Photo, model: Model) -> Iterator["Opened"]:
    """Open what paints a job's result, and the result itself; nothing is computed yet.

    Args:
        job: from `plan`.
        photo: its photo, decoded.
        model: on the device that computes.

    Raises:
        LiifError: another program at work on the same result, a full disk, or not enough memory,
            here or in what is done within the block.
    """
    with _enough_memory(job):
        renderer = renderer_for(job.task, model, photo)
        with _result(job, photo, model, renderer) as result:
            yield Opened(
                job,
                photo,
                renderer,
                result,
                _title(model),
            )


@dataclass(frozen=True, eq=False)
class Opened:
    """A zoom that is about to be painted.

    Attributes:
        job: what is to be done.
        photo: what is zoomed.
        renderer: the one that everything about this zoom is asked of.
        result: what is painted.
        title: what people call the model's kind, and whether it invents details.
    """

    job: Job
    photo: Photo
    renderer: Renderer
    result: Result
    title: str

    def seconds_needed(self) -> float:
        """Guess how long painting all of the result takes: good to a factor of two."""
        return self.renderer.seconds_needed(self.job.grid)

    def paint(self, progress: Progress | None = None) -> "Painted":
        """Render strip by strip, from the first row that is not done yet.

        While one strip is computed, another thread puts the one before in its place.

        Args:
            progress: called with (pixels done, pixels in all).
        """
        grid, first = self.job.grid, self.result.rows
        if progress:
            progress(first * grid.width, grid.height * grid.width)
        with ThreadPoolExecutor(1) as painter:
            pasting: Future[None] | None = None
            for top, strip in strips(self.renderer, grid, progress, first):
                if pasting:
                    pasting.result()
                pasting = painter.submit(self.result.paste, top, strip)
                del strip  # else two are held while the next one is made
            if pasting:
                pasting.result()
        return Painted(self.job, self.photo, self.result, self.renderer.remark(grid), self.title)


@dataclass(frozen=True, eq=False)
class Painted:
    """A zoom that lacks its file's name, or its file; its renderer's memory is free again.

    Attributes:
        remark: what the renderer has to say about the result; often nothing.
        title: as of `Opened`.
    """

    job: Job
    photo: Photo
    result: Result
    remark: str
    title: str

    def finish(self) -> list[str]:
        """Make files of the result, and of the comparison; return a line for each.

        Raises:
            LiifError: a file that has appeared meanwhile, a full disk, or not enough memory.
        """
        job = self.job
        self.result.finish()
        line = f"{job.output}: {job.grid.width}×{job.grid.height} pixels"
        lines = [f"{line}; {self.remark}" if self.remark else line]
        if job.comparison is None:
            return lines
        assert isinstance(self.result, InMemory)
        with _enough_memory(job):
            beside_bicubic(
                self.photo,
                self.result,
                job.grid.box,
                job.comparison,
                title=self.title,
                overwrite=job.task.overwrite,
                quality=job.task.quality,
            ).finish()
        return [*lines, f"{job.comparison}: bicubic (left), {self.title} (right)"]


def renderer_for(task: Task, model: Model, photo: Pixels, memory: int = MEMORY) -> Renderer:
    """Return what answers for the pixels of a result, within a budget in bytes."""
    if isinstance(photo, OldPhoto) and photo.shrunk:
        small = ShrunkPixels(photo, *photo.read_at)
        return Shrunk(renderer_for(task, model, small, memory), photo, photo.read_at)
    if isinstance(model, Mixture):
        both = (model.first, model.second)
        first, second = (renderer_for(task, part, photo, memory // 2) for part in both)
        return Mixed(first, second, float(model.share))
    if task.self_ensemble:
        if seed_of(model) is not None:
            raise LiifError(
                "a self-ensemble averages 8 answers: of invented details it leaves a blur; choose "
                "one of the two"
            )
        return SelfEnsemble(model, photo, memory=memory, precision=task.precision)
    how = FewerCodes if task.fast else ContinuousPhoto
    return how(model, photo, memory=memory, precision=task.precision)


def _title(model: Model) -> str:
    """Say what stands on the right of a comparison."""
    kind = title_of(model.first if isinstance(model, Mixture) else model)
    seed = seed_of(model)
    return kind if seed is None else f"{kind}, details invented (seed {seed})"


def _result(job: Job, photo: Photo, model: Model, renderer: Renderer) -> Result:
    """Open the form of the result that the job asks for."""
    grid, task = job.grid, job.task
    pixels = _pixels(job, photo, None if task.strip else maker_of(model, photo))
    if not job.by_strips:
        return InMemory(pixels, job.output, overwrite=task.overwrite, quality=task.quality)
    assert job.output is not None
    key = job_key(model, photo, job, renderer.strip_ends(grid))
    return ByStrips(pixels, job.output, key=key, overwrite=task.overwrite)


def _pixels(job: Job, photo: Photo, maker: Maker | None) -> ResultPixels:
    """Say what a job's result is like."""
    grid, task = job.grid, job.task
    if task.strip:
        photo = replace(photo, notes=photo.notes.stripped())
    return ResultPixels(photo, grid.height, grid.width, grid.box, maker, task.keep_dpi)


def maker_of(model: Model, photo: Photo) -> Maker:
    """Say who makes a result: what a model's weights are called, and what they are given."""
    name = model.weights_name
    seed = seed_of(model)
    shrunk = isinstance(photo, OldPhoto) and photo.shrunk
    small = read_at(photo) if shrunk else None
    return Maker(name or "without a name", seed is not None, small, seed)


def job_key(model: Model, photo: Photo, job: Job, strip_ends: list[int]) -> str:
    """Return a sum over everything that decides a result's pixels: SHA-256, hexadecimal."""
    total = hashlib.sha256()
    task = job.task
    facts = [
        version("how-does-ai-zoom"),
        torch.__version__,
        next(model.parameters()).device.type,
        model.config.to_dict(),
        asdict(job.grid),
        [task.precision, task.self_ensemble, task.fast],
        [task.keep_dpi, task.strip, model.weights_name, seed_of(model)],
        strip_ends,
        [*photo.colour.shape, str(photo.colour.dtype), photo.grey, *read_at(photo)],
    ]
    total.update(json.dumps(facts).encode())
    for name, value in sorted(model.state_dict().items()):
        total.update(name.encode())
        total.update(value.cpu().contiguous().numpy().tobytes())
    for top in range(0, photo.height, KEY_ROWS):  # a view or a slice is copied to be read
        rows = slice(top, top + KEY_ROWS)
        total.update(photo.colour[rows, :, : 1 if photo.grey else 3].tobytes())
        total.update(b"" if photo.alpha is None else photo.alpha[rows].tobytes())
    for notes in (photo.icc_profile, photo.notes):  # the same for the same file
        total.update(repr(notes).encode())
    return total.hexdigest()


@contextmanager
def _enough_memory(job: Job) -> Iterator[None]:
    """Say in one line that memory did not suffice; any other error stays what it is."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise LiifError(
            f"{job.name}: not enough memory to zoom it; end other programs, zoom a part of it "
            "(--crop), or compute on the CPU (--device cpu)"
        ) from error
