"""Zooming files: one photo, or a folder of them, shared among processes if there are several."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path

import torch
import torch.distributed as dist

from liif_core.errors import LiifError
from liif_core.files.by_strips import ByStrips
from liif_core.files.destination import FORMATS, check_target, format_of
from liif_core.files.in_memory import InMemory
from liif_core.files.result_pixels import ResultPixels
from liif_core.liif import LIIF
from liif_core.photos import Photo, photo_from, photo_paths
from liif_core.render import ContinuousPhoto, OutputGrid, Progress, Renderer
from liif_core.zooming.fewer_codes import FewerCodes, cost
from liif_core.zooming.photo import Box, beside_bicubic, check_crop, paint, target_size
from liif_core.zooming.self_ensemble import VIEWS, SelfEnsemble

#: Side of the piece, in input and in output pixels, that a first guess of the time is made with.
PROBE = 64


@dataclass(frozen=True)
class Task:
    """What to do with every photo: the options of `liif zoom`."""

    scale: float | None = None
    size: tuple[int, int] | None = None  # (width, height)
    crop: Box | None = None
    compare: bool = False
    self_ensemble: bool = False
    fast: bool = False  # instead of self_ensemble
    precision: str = "float32"
    overwrite: bool = False
    quality: int = 95

    def name_for(self, photo: Path) -> str:
        """Name a photo's result: NAME_x12.png, NAME_4000x3000.png, NAME_CROP_x12.png.

        It has the photo's own format, or PNG where that one is only read.
        """
        part = "_" + "-".join(map(str, self.crop)) if self.crop else ""
        mark = f"x{self.scale:g}" if self.scale is not None else "{}x{}".format(*self.size or ())
        ending = photo.suffix if photo.suffix.lower() in FORMATS else ".png"
        return f"{photo.stem}{part}_{mark}{ending}"

    def renderer(self, model: LIIF, photo: Photo) -> Renderer:
        """Return what answers for the pixels of a result."""
        if self.self_ensemble:
            return SelfEnsemble(model, photo, precision=self.precision)
        kind = FewerCodes if self.fast else ContinuousPhoto
        return kind(model, photo, precision=self.precision)


@dataclass
class Summary:
    """What became of a folder."""

    written: list[str] = field(default_factory=list)
    there_already: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def zoom_photo(
    model: LIIF, photo: Photo, output: Path, task: Task, progress: Progress | None = None
) -> list[str]:
    """Zoom one photo into a file, or two with `task.compare`.

    PNG and TIFF are written as they grow; after an interruption, the same call goes on. To
    compare, and for JPEG and WebP, the result is held in memory.

    Returns:
        a line for each file written.

    Raises:
        LiifError: see `check_crop`, `target_size`, `check_target`.
    """
    return _rendered(model, photo, output, task, progress)()


def _rendered(
    model: LIIF, photo: Photo, output: Path, task: Task, progress: Progress | None
) -> Callable[[], list[str]]:
    """Compute a result; return what writes as much of it as is not in a file yet."""
    box = check_crop(photo, task.crop)
    height, width = target_size(box, task.scale, task.size)
    compare = output.with_name(f"{output.stem}_compare{output.suffix}")
    check_target(output, height, width, overwrite=task.overwrite)
    if task.compare:
        check_target(compare, height, 2 * width, overwrite=task.overwrite)
    grid, source = OutputGrid(height, width, box), task.renderer(model, photo)
    pixels = ResultPixels(photo, height, width, box)
    if format_of(output).by_strips and not task.compare:
        key = job_key(model, photo, grid, task)
        with ByStrips(pixels, output, key=key, overwrite=task.overwrite) as picture:
            paint(source, grid, picture, progress, picture.rows)
            picture.finish()
        lines = [_said(model, photo, output, grid, task)]
        return lambda: lines
    result = InMemory(pixels, output, overwrite=task.overwrite, quality=task.quality)
    paint(source, grid, result, progress)
    lines = [_said(model, photo, output, grid, task)]

    def write() -> list[str]:
        result.finish()
        if not task.compare:
            return lines
        image, overwrite = result.image(), task.overwrite
        beside_bicubic(
            photo, image, box, compare, overwrite=overwrite, quality=task.quality
        ).finish()
        return [*lines, f"{compare}: bicubic (left), LIIF (right)"]

    return write


def _said(model: LIIF, photo: Photo, output: Path, grid: OutputGrid, task: Task) -> str:
    """Return the line about a result."""
    line = f"{output}: {grid.width}×{grid.height} pixels"
    if not task.fast:
        return line
    paid = cost(model, photo, grid, task.precision)
    return f"{line}; fast: PSNR {paid:.1f} dB against the exact result"


def job_key(model: LIIF, photo: Photo, grid: OutputGrid, task: Task) -> str:
    """Return a sum over everything that decides a result's pixels: SHA-256, hexadecimal."""
    total = hashlib.sha256()
    facts = [
        version("how-does-ai-zoom"),
        torch.__version__,
        next(model.parameters()).device.type,
        model.config.to_dict(),
        asdict(grid),
        [task.precision, task.self_ensemble, task.fast],
        task.renderer(model, photo).strip_ends(grid),
        [*photo.colour.shape, str(photo.colour.dtype), photo.grey],
    ]
    total.update(json.dumps(facts).encode())
    for name, value in sorted(model.state_dict().items()):
        total.update(name.encode())
        total.update(value.cpu().contiguous().numpy().tobytes())
    for top in range(0, photo.height, PROBE):  # a view or a slice is copied to be read
        rows = slice(top, top + PROBE)
        total.update(photo.colour[rows, :, : 1 if photo.grey else 3].tobytes())
        total.update(b"" if photo.alpha is None else photo.alpha[rows].tobytes())
    for notes in (photo.icc_profile, photo.exif):
        total.update(repr(notes).encode())
    return total.hexdigest()


def seconds_needed(model: LIIF, photo: Photo, task: Task) -> float:
    """Guess how long a zoom will take, from a small piece of the photo: good to a factor of two."""
    box = check_crop(photo, task.crop)
    height, width = target_size(box, task.scale, task.size)
    side = min(PROBE, photo.height, photo.width)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    piece = photo.rgb(slice(top, top + side), slice(left, left + side))

    def seconds(out: int) -> float:
        start = time.perf_counter()
        ContinuousPhoto(model, piece, precision=task.precision).render(out, out)
        return time.perf_counter() - start

    seconds(1)  # the first call of all prepares much
    encoding = seconds(1)
    decoding = max(0.0, seconds(2 * PROBE) - encoding)
    pixels = (box[2] - box[0]) * (box[3] - box[1])
    whole = encoding * pixels / side**2 + decoding * height * width / (2 * PROBE) ** 2
    return whole * (VIEWS if task.self_ensemble else 1)


def zoom_folder(
    model: LIIF,
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
        model: on this process's device.
        folder: photos, as `photo_paths` finds them.
        out: folder of the results, made if missing.
        task: what to do with each photo.
        progress: called with (photos done, photos in all), of this process.
        tell: called at the end, by one process for all.

    Raises:
        LiifError: no photos, or a folder that cannot be written to or is the photos' own.
    """
    paths = photo_paths(folder)
    _check_out(folder, out)
    with _among_processes() as (rank, world):
        summary = _share(model, _named(paths, out, task)[rank::world], task, progress)
        if world > 1:
            parts: list[Summary] = [summary] * world
            dist.all_gather_object(parts, summary)
            summary = Summary(
                written=[line for part in parts for line in part.written],
                there_already=[line for part in parts for line in part.there_already],
                failed=[line for part in parts for line in part.failed],
            )
        if rank == 0:  # one speaks for all, and before torchrun may end any of them
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
    """Pair each photo with its result; of two that would share one, the second keeps its ending."""
    pairs: dict[Path, Path] = {}
    for path in paths:
        output = out / task.name_for(path)
        if output in pairs:
            output = out / task.name_for(path.with_name(f"{path.stem}{path.suffix}.png"))
        pairs[output] = path
    return [(path, output) for output, path in pairs.items()]


def _share(
    model: LIIF,
    pairs: Sequence[tuple[Path, Path]],
    task: Task,
    progress: Callable[[float, int], None] | None,
) -> Summary:
    """Zoom some photos, one after the other: reading, computing and writing overlap."""
    there = [] if task.overwrite else [str(output) for _, output in pairs if output.exists()]
    due = [(path, output) for path, output in pairs if str(output) not in there]
    summary = Summary(there_already=there)
    writing: tuple[Path, Future[list[str]]] | None = None
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        for done, (path, output, photo) in enumerate(_read_ahead(reader, due)):

            def part(pixels: int, of: int, done: int = done) -> None:
                if progress:
                    progress(done + pixels / of, len(due))

            try:
                write = _rendered(model, photo.result(), output, task, part)
            except (LiifError, MemoryError) as error:
                summary.failed.append(_blame(path, error))
                continue
            _settle(writing, summary)
            writing = path, writer.submit(write)
        _settle(writing, summary)
    return summary


def _read_ahead(
    reader: ThreadPoolExecutor, pairs: Sequence[tuple[Path, Path]]
) -> Iterator[tuple[Path, Path, Future[Photo]]]:
    """Yield (photo's path, result's path, photo), the next photo being read meanwhile."""
    following = None
    for (path, output), after in zip_longest(pairs, pairs[1:]):
        photo = following or reader.submit(photo_from, path)
        following = reader.submit(photo_from, after[0]) if after else None
        yield path, output, photo


def _settle(writing: tuple[Path, Future[list[str]]] | None, summary: Summary) -> None:
    """Wait for a result to be written, and note what became of it."""
    if writing:
        path, lines = writing
        try:
            summary.written += lines.result()
        except (LiifError, MemoryError) as error:
            summary.failed.append(_blame(path, error))


def _blame(path: Path, error: BaseException) -> str:
    message = str(error) or "not enough memory"
    return message if path.name in message else f"{path}: {message}"


@contextmanager
def _among_processes() -> Iterator[tuple[int, int]]:
    """Yield this process's rank and how many there are; they can speak to one another within."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield 0, 1
        return
    # torchrun ends all when one fails, so none leaves before all are done: that may take long.
    dist.init_process_group("gloo", timeout=timedelta(days=30))
    try:
        yield dist.get_rank(), world
        dist.barrier()
    finally:
        dist.destroy_process_group()
