"""liif zoom: one photo, several, or a folder of them."""

import argparse
import glob
import os
import sys
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from liif_core import malloc
from liif_core.cli.common import (
    Commands,
    a_box,
    a_count,
    a_quality,
    a_scale,
    a_seed,
    a_share,
    a_size,
    add_model_options,
    model_from,
    weights_name,
)
from liif_core.cli.progress import progress_bar
from liif_core.errors import LiifError

if TYPE_CHECKING:
    from liif_core.zooming.folder import Summary
    from liif_core.zooming.job import Task
    from liif_core.zooming.mixture import Model
    from liif_core.zooming.there_already import Asked


def add_zoom(commands: Commands) -> None:
    """Add the command to the parser."""
    zoom = commands.add_parser(
        "zoom",
        help="zoom photos, or a folder of them, to any size",
        description="Zoom photos, or a folder of them, to any size. PNG and TIFF may be larger "
        "than memory, and an interrupted zoom goes on when asked again. Several processes share a "
        "folder: torchrun --nproc-per-node N -m liif_core zoom DIR -o OUT ...",
    )
    zoom.add_argument(
        "photos",
        nargs="+",
        metavar="photo",
        help="JPEG, PNG, TIFF, HEIC, JPEG XL and many more; or a folder of them",
    )
    how_large = zoom.add_mutually_exclusive_group(required=True)
    how_large.add_argument("--scale", type=a_scale, help="magnification, for example 12 or 2.5")
    how_large.add_argument("--size", type=a_size, metavar="WxH", help="size, for example 4000x3000")
    zoom.add_argument(
        "-o",
        "--output",
        help="a file, or a folder for the results (default: beside the photo or folder, as "
        "NAME_x12 or NAME_4000x3000)",
    )
    zoom.add_argument(
        "--recursive", action="store_true", help="of a folder: go into the folders within, too"
    )
    zoom.add_argument(
        "--crop", type=a_box, metavar="L,T,R,B", help="zoom this part alone, in input pixels"
    )
    _add_pages(zoom)
    zoom.add_argument(
        "--compare",
        action="store_true",
        help="also write NAME_compare: bicubic | LIIF, each under its name; holds both in memory",
    )
    work = zoom.add_mutually_exclusive_group()
    work.add_argument(
        "--self-ensemble", action="store_true", help="average 8 flips: a little better, 8× the time"
    )
    work.add_argument(
        "--fast",
        action="store_true",
        help="approximate: latent codes of little weight are not asked; prints the cost in dB",
    )
    zoom.add_argument(
        "--strict",
        action="store_true",
        help="refuse a JPEG that is cut off; else what is left is zoomed, with a warning",
    )
    zoom.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    zoom.add_argument("--quality", type=a_quality, default=95, help="of JPEG and WebP, 1–100")
    said = zoom.add_mutually_exclusive_group()
    said.add_argument(
        "--keep-dpi",
        action="store_true",
        help="keep the photo's dots per inch; else they grow with it, and a print keeps its size",
    )
    said.add_argument(
        "--strip",
        action="store_true",
        help="leave out names, places, dates and all else that the photo's file says, and who made "
        "the result; the colour profile stays, for the pixels mean nothing certain without it",
    )
    _add_weights(zoom)
    zoom.set_defaults(run=_zoom)


def _add_weights(zoom: argparse.ArgumentParser) -> None:
    """Add what says which weights compute, and how the photo is given to them."""
    add_model_options(zoom)
    zoom.add_argument(
        "--denoise",
        type=a_share,
        metavar="0…1",
        help="how much noise, grain and JPEG blocks are taken back, and fine texture with them: "
        "from 0, the weights liif-edsr, to 1, liif-edsr-photo; in between, their answers are "
        "mixed, in twice the time",
    )
    zoom.add_argument(
        "--seed",
        type=a_seed,
        metavar="N",
        help="for weights that invent details: another number, other details (default: 0)",
    )
    zoom.add_argument(
        "--old",
        action="store_true",
        help="for scans of old photos: estimate how fine the photo really is, shrink it towards "
        "that, zoom with weights for worn photos (or those that are named), and say so",
    )
    zoom.add_argument(
        "--precision",
        choices=["float32", "float16", "bfloat16"],
        default="float32",
        help="of the network, on an accelerator, or on a processor that computes in it (default: "
        "%(default)s)",
    )


def _add_pages(zoom: argparse.ArgumentParser) -> None:
    """Add what says which of a file's pages are meant."""
    pages = zoom.add_mutually_exclusive_group()
    pages.add_argument(
        "--page",
        type=a_count,
        default=1,
        metavar="N",
        help="of a TIFF's pages or an animation's frames, the one to zoom (default: %(default)s)",
    )
    pages.add_argument(
        "--pages",
        choices=["all"],
        help="all of them: into one TIFF of as many pages, or with another ending a file for each",
    )


def _zoom(options: argparse.Namespace) -> int:
    from liif_core.zooming.job import Task, plan

    malloc.map_large_blocks()  # else a large result takes 1.4 times the memory
    _check_denoise(options)
    names = [field.name for field in fields(Task)]
    task = Task(**{name: getattr(options, name) for name in names})
    photos = _named(options.photos)
    if len(photos) > 1 or photos[0].is_dir():
        return _zoom_album(options, photos, task)
    if os.environ.get("RANK", "0") != "0":  # torchrun; one photo is not shared out
        return 0
    (photo_path,) = photos
    output = _output(options.output, photo_path, task)
    if options.pages:
        return _zoom_pages(options, photo_path, output, task)
    job = plan(photo_path, output, task)

    from liif_core.processes import own_device
    from liif_core.zooming.photo import opened, read, remarks

    photo = read(job)
    model = _model(options, str(own_device(options.device)))
    with opened(job, photo, model) as work:
        _remark(remarks(job, photo, model.weights_name))  # nothing refuses any more
        with progress_bar("pixels", work.seconds_needed()) as progress:
            lines = work.paint(progress).finish()
    print(*lines, sep="\n")
    return 0


def _model(options: argparse.Namespace, device: str) -> "Model":
    """Load what was chosen: weights, or a place on the dial between two."""
    from liif_core.device import check_precision, pick_device
    from liif_core.models import set_seed
    from liif_core.zooming.mixture import denoising

    check_precision(pick_device(device), options.precision)
    share = _share(options)
    model = model_from(options, device) if share is None else denoising(share, device)
    set_seed(model, options.seed)
    return model


def _asked(options: argparse.Namespace) -> "Asked":
    """Say with what is to be zoomed; nothing is loaded."""
    from liif_core.zooming.mixture import name_of
    from liif_core.zooming.there_already import Asked

    share = _share(options)
    name = Path(weights_name(options)).name if share is None else name_of(share)
    return Asked(name, options.seed or 0)


def _share(options: argparse.Namespace) -> float | None:
    """Return the place on the dial that was chosen, or that old photos are zoomed with."""
    from liif_core.zooming.old import SHARE

    if options.old and options.denoise is None and not options.weights:
        return SHARE
    share: float | None = options.denoise
    return share


def _check_denoise(options: argparse.Namespace) -> None:
    """Make sure that weights that are named are at an end of the dial, and not at the other."""
    if options.denoise is None:
        return
    from liif_core.zooming.mixture import ENDS, name_of

    if options.weights not in (None, *ENDS):
        raise LiifError(
            f"--denoise mixes {' and '.join(ENDS)}; '{options.weights}' is neither: leave out "
            "--weights or --denoise"
        )
    meant = name_of(options.denoise)
    if meant in ENDS and options.weights not in (None, meant):
        raise LiifError(
            f"--denoise {options.denoise:g} means the weights {meant}, not '{options.weights}': "
            "leave out --weights or --denoise"
        )


def _named(names: list[str]) -> list[Path]:
    """Return the files and folders that are meant; Windows' shell leaves `*.jpg` as it is."""
    found = []
    for name in names:
        matching = [] if os.path.lexists(name) else sorted(glob.glob(name))
        found += matching or [name]
    return [Path(name) for name in found]


def _output(given: str | None, photo: Path, task: "Task") -> Path:
    """Return the file of a single photo's result."""
    if given is None:
        return photo.with_name(task.name_for(photo))
    folder = Path(given)
    if folder.is_dir():
        return folder / task.name_for(photo)
    return folder


def _zoom_pages(options: argparse.Namespace, photo: Path, output: Path, task: "Task") -> int:
    """Zoom every page of a file."""
    from liif_core.processes import own_device
    from liif_core.zooming.pages import zoom_pages

    def load() -> "Model":
        return _model(options, str(own_device(options.device)))

    with progress_bar("pixels") as progress:
        asked = _asked(options)
        lines = zoom_pages(load, photo, output, task, progress, _remark, asked)
    print(*lines, sep="\n")
    return 0


def _zoom_album(options: argparse.Namespace, photos: list[Path], task: "Task") -> int:
    """Zoom several photos, or folders of them; exit status 1 if a photo failed."""
    from liif_core.processes import own_device
    from liif_core.zooming.album import album_of
    from liif_core.zooming.folder import zoom_album

    if options.pages:
        raise LiifError("--pages all is for one file; of many, --page N zooms one page each")
    out = _folder_of_results(options.output, photos, task)
    album = album_of(photos, recursive=options.recursive, results=out)
    load = partial(_model, options, str(own_device(options.device)))
    with progress_bar("photos") as progress:
        summary = zoom_album(load, album, out, task, progress, _tell, _asked(options))
    return 1 if summary.failed else 0


def _folder_of_results(given: str | None, photos: list[Path], task: "Task") -> Path | None:
    """Return where many results lie; None: each beside its photo."""
    from liif_core.files.destination import FORMATS

    if given is not None:
        out = Path(given)
        if out.suffix.lower() in FORMATS and not out.is_dir():
            raise LiifError(f"{out}: is one file for many results; name a folder: -o OUT")
        return out
    if len(photos) == 1:
        beside = photos[0].absolute()
        return beside.with_name(f"{beside.name}_{task.mark}")
    folders = [str(photo) for photo in photos if photo.is_dir()]
    if folders:
        raise LiifError(f"{folders[0]} is a folder; name another for all results: -o OUT")
    return None


def _remark(lines: list[str]) -> None:
    for line in lines:
        print(f"liif: {line}", file=sys.stderr)


def _tell(summary: "Summary") -> None:
    for lines in summary.written:
        print(*lines, sep="\n")
    print(*summary.table(), sep="\n", flush=True)
    _remark(summary.remarks + summary.failed)
