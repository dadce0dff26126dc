"""liif zoom: one photo, or a folder of them."""

import argparse
import sys
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from liif_core.cli.common import (
    Commands,
    a_box,
    a_count,
    a_quality,
    a_size,
    add_model_options,
    model_from,
    progress_bar,
    weights_name,
)
from liif_core.errors import LiifError

if TYPE_CHECKING:
    from liif_core.zooming.folder import Summary
    from liif_core.zooming.job import Task


def add_zoom(commands: Commands) -> None:
    """Add the command to the parser."""
    zoom = commands.add_parser(
        "zoom",
        help="zoom a photo, or a folder of them, to any size",
        description="Zoom a photo, or a folder of them, to any size. PNG and TIFF may be larger "
        "than memory, and an interrupted zoom goes on when asked again. Several processes share a "
        "folder: torchrun --nproc-per-node N -m liif_core zoom DIR -o OUT ...",
    )
    zoom.add_argument(
        "photo", type=Path, help="JPEG, PNG, TIFF, WebP and many more; or a folder of them"
    )
    how_large = zoom.add_mutually_exclusive_group(required=True)
    how_large.add_argument("--scale", type=float, help="magnification, for example 12 or 2.5")
    how_large.add_argument("--size", type=a_size, metavar="WxH", help="size, for example 4000x3000")
    zoom.add_argument(
        "-o",
        "--output",
        type=Path,
        help="default: beside the photo, as NAME_x12 or NAME_4000x3000; a folder for a folder",
    )
    zoom.add_argument(
        "--crop", type=a_box, metavar="L,T,R,B", help="zoom this part alone, in input pixels"
    )
    zoom.add_argument(
        "--page",
        type=a_count,
        default=1,
        metavar="N",
        help="of a TIFF's pages or an animation's frames, the one to zoom (default: %(default)s)",
    )
    zoom.add_argument(
        "--compare",
        action="store_true",
        help="also write NAME_compare: bicubic | LIIF; holds both in memory",
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
    add_model_options(zoom)
    zoom.add_argument(
        "--precision",
        choices=["float32", "float16", "bfloat16"],
        default="float32",
        help="of the network on an accelerator",
    )
    zoom.set_defaults(run=_zoom)


def _zoom(options: argparse.Namespace) -> int:
    from liif_core.zooming.job import Task, plan

    names = [field.name for field in fields(Task)]
    task = Task(**{name: getattr(options, name) for name in names})
    if options.photo.is_dir():
        return _zoom_folder(options, task)
    output = options.output or options.photo.with_name(task.name_for(options.photo))
    job = plan(options.photo, output, task)

    from liif_core.processes import own_device
    from liif_core.worn import CLEAN_WEIGHTS, hint_for
    from liif_core.zooming.photo import opened, read, remarks

    photo = read(job)
    _remark(remarks(job, photo))
    if weights_name(options) in CLEAN_WEIGHTS and (hint := hint_for(photo)):
        _remark([f"{job.name}: {hint}"])
    model = model_from(options, str(own_device(options.device)))
    with (
        opened(job, photo, model) as work,
        progress_bar("pixels", work.seconds_needed()) as progress,
    ):
        lines = work.paint(progress).finish()
    print(*lines, sep="\n")
    return 0


def _zoom_folder(options: argparse.Namespace, task: "Task") -> int:
    """Zoom a folder; exit status 1 if a photo failed."""
    from liif_core.processes import own_device
    from liif_core.zooming.folder import zoom_folder

    if options.output is None:
        raise LiifError(f"{options.photo} is a folder; name another for the results: -o OUT")
    load = partial(model_from, options, str(own_device(options.device)))
    with progress_bar("photos") as progress:
        summary = zoom_folder(load, options.photo, options.output, task, progress, _tell)
    return 1 if summary.failed else 0


def _remark(lines: list[str]) -> None:
    for line in lines:
        print(f"liif: {line}", file=sys.stderr)


def _tell(summary: "Summary") -> None:
    for line in summary.written:
        print(line)
    print(f"{len(summary.written)} written, {len(summary.there_already)} there already", flush=True)
    _remark(summary.remarks + summary.failed)
