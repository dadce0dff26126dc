"""The command line: liif zoom | evaluate | train | weights.

PyTorch is imported by the commands that compute, not by `--help`.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from liif_core.errors import LiifError

if TYPE_CHECKING:
    from liif_core.liif import LIIF
    from liif_core.zooming.folder import Summary, Task


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and exits with status 2."""

    def error(self, message: str) -> NoReturn:
        """Print one line and exit."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status.

    0; 1 if some of many photos failed; 2 for mistakes; 130 if interrupted.
    """
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except LiifError as error:
        print(f"liif: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "liif: interrupted; nothing half-written bears a result's name, and a zoom to PNG or "
            "TIFF goes on when asked again",
            file=sys.stderr,
        )
        return 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(prog="liif", description="Zoom photos with LIIF: any size, from coordinates.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_zoom(commands)
    _add_evaluate(commands)
    _add_train(commands)
    _add_weights(commands)
    return parser


def _add_zoom(commands: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
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
    target = zoom.add_mutually_exclusive_group(required=True)
    target.add_argument("--scale", type=float, help="magnification, for example 12 or 2.5")
    target.add_argument("--size", type=_size, metavar="WxH", help="size, for example 4000x3000")
    zoom.add_argument(
        "-o",
        "--output",
        type=Path,
        help="default: beside the photo, as NAME_x12 or NAME_4000x3000; a folder for a folder",
    )
    zoom.add_argument(
        "--crop", type=_box, metavar="L,T,R,B", help="zoom this part alone, in input pixels"
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
    zoom.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    zoom.add_argument("--quality", type=_quality, default=95, help="of JPEG and WebP, 1–100")
    _add_model_options(zoom)
    zoom.add_argument(
        "--precision",
        choices=["float32", "float16", "bfloat16"],
        default="float32",
        help="of the network on an accelerator",
    )
    zoom.set_defaults(run=_zoom)


def _add_evaluate(commands: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    evaluate = commands.add_parser("evaluate", help="PSNR and SSIM beside bicubic and Lanczos")
    evaluate.add_argument("photos", type=Path, metavar="DIR", help="folder of original photos")
    evaluate.add_argument("--scales", type=int, nargs="+", default=[2, 3, 4, 6, 12])
    evaluate.add_argument(
        "--degraded",
        action="store_true",
        help="inputs with noise (σ = 8/255) and JPEG blocks (quality 60), as in a poor scan",
    )
    evaluate.add_argument("--json", type=Path, metavar="OUT", help="also write every score here")
    _add_model_options(evaluate)
    evaluate.set_defaults(run=_evaluate)


def _add_train(commands: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    train = commands.add_parser("train", help="train a model on a folder of photos")
    train.add_argument(
        "--photos",
        type=Path,
        required=True,
        metavar="DIR",
        help="2 or more, each 128 pixels or wider",
    )
    train.add_argument("--out", type=Path, required=True, metavar="RUN", help="run folder")
    train.add_argument(
        "--config", default="liif-edsr-small", help="name of a recipe (default: %(default)s)"
    )
    train.add_argument(
        "--steps",
        type=int,
        help="instead of the recipe's number; a resumed run may change it while its rate is held",
    )
    train.add_argument("--val", type=Path, metavar="DIR", help="validation photos")
    train.add_argument(
        "--init",
        metavar="WEIGHTS",
        help="begin with these weights; a larger encoder grows from theirs",
    )
    train.add_argument("--resume", action="store_true", help="go on with the run in RUN")
    train.add_argument("--device", default="auto")
    train.set_defaults(run=_train)


def _add_weights(commands: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    weights = commands.add_parser("weights", help="list or convert weights")
    actions = weights.add_subparsers(dest="action", required=True, metavar="{list,convert}")
    actions.add_parser("list", help="what is shipped").set_defaults(run=_list_weights)
    convert = actions.add_parser("convert", help="make safetensors of an official .pth checkpoint")
    convert.add_argument("source", type=Path)
    convert.add_argument("target", type=Path)
    convert.add_argument("--overwrite", action="store_true")
    convert.set_defaults(run=_convert_weights)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", default=None, help="a shipped name or a file; see weights list"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")


def _zoom(options: argparse.Namespace) -> int:
    from liif_core.photos import photo_from
    from liif_core.weights import DEFAULT_MODEL, load_model
    from liif_core.zooming.folder import Task, seconds_needed, zoom_photo

    model = load_model(options.weights or DEFAULT_MODEL, _own_device(options.device))
    names = ("scale", "size", "crop", "compare", "self_ensemble", "fast", "precision", "overwrite")
    task = Task(**{name: getattr(options, name) for name in names}, quality=options.quality)
    if options.photo.is_dir():
        return _zoom_folder(options, model, task)
    photo = photo_from(options.photo)
    output = options.output or options.photo.with_name(task.name_for(options.photo))
    with _progress_bar("pixels", seconds_needed(model, photo, task)) as progress:
        lines = zoom_photo(model, photo, output, task, progress)
    print(*lines, sep="\n")
    return 0


def _zoom_folder(options: argparse.Namespace, model: "LIIF", task: "Task") -> int:
    """Zoom a folder; exit status 1 if a photo failed."""
    from liif_core.zooming.folder import zoom_folder

    if options.output is None:
        raise LiifError(f"{options.photo} is a folder; name another for the results: -o OUT")
    with _progress_bar("photos") as progress:
        summary = zoom_folder(model, options.photo, options.output, task, progress, _tell)
    return 1 if summary.failed else 0


def _tell(summary: "Summary") -> None:
    for line in summary.written:
        print(line)
    print(f"{len(summary.written)} written, {len(summary.there_already)} there already", flush=True)
    for line in summary.failed:
        print(f"liif: {line}", file=sys.stderr)


def _own_device(name: str) -> str:
    """Return the accelerator of this process, if torchrun has started several."""
    from liif_core.device import pick_device

    own = os.environ.get("LOCAL_RANK")
    return f"cuda:{own}" if own and pick_device(name).type == "cuda" else name


def _evaluate(options: argparse.Namespace) -> None:
    from liif_core.evaluate import evaluate, format_table, read_folder, write_json
    from liif_core.training.degrade import noise_and_jpeg
    from liif_core.weights import DEFAULT_MODEL, load_model

    name = options.weights or DEFAULT_MODEL
    model = load_model(name, options.device)
    photos = read_folder(options.photos)
    with _progress_bar("photo × scale") as progress:
        degrade = noise_and_jpeg if options.degraded else None
        scores = evaluate(model, photos, options.scales, degrade=degrade, progress=progress)
    print(format_table(scores, str(name)))
    if options.json:
        write_json(scores, str(name), options.json)


def _train(options: argparse.Namespace) -> None:
    from liif_core.training.recipe import load_recipe
    from liif_core.training.trainer import train

    recipe = load_recipe(options.config)
    if options.steps is not None:
        recipe = recipe.with_steps(options.steps)
    gain = train(
        recipe,
        options.photos,
        options.out,
        val=options.val,
        init=options.init,
        resume=options.resume,
        device=options.device,
    )
    if gain is not None:
        print(f"{options.out}: best validation gain over bicubic {gain:+.3f} dB")


def _list_weights(options: argparse.Namespace) -> None:
    from liif_core.weights import DEFAULT_MODEL, manifest

    for name, entry in manifest().items():
        mark = " (default)" if name == DEFAULT_MODEL else ""
        print(f"{name}{mark}: {entry['parameters']:,} parameters; {entry['summary']}")


def _convert_weights(options: argparse.Namespace) -> None:
    from liif_core.weights import load_model, save_weights

    if options.target.suffix != ".safetensors":
        raise LiifError(f"{options.target} must end in .safetensors")
    if options.target.exists() and not options.overwrite:
        raise LiifError(f"{options.target} is there already; --overwrite replaces it")
    save_weights(load_model(options.source, "cpu"), options.target, {"converted": True})
    print(f"{options.target}: written")


@contextmanager
def _progress_bar(unit: str, seconds: float = 0) -> Iterator[Callable[[float, int], None]]:
    """Show a bar on standard error for work that takes longer than two seconds.

    Args:
        unit: what is counted.
        seconds: a guess, shown until the first of them are done; 0 if there is none.
    """
    from tqdm import tqdm

    known = seconds > 2
    with tqdm(
        unit=f" {unit}",
        unit_scale=True,
        delay=0 if known else 2,
        leave=False,
        smoothing=0,
        disable=os.environ.get("RANK", "0") != "0",  # of several processes, the first shows one
    ) as bar:

        def progress(done: float, total: int) -> None:
            if bar.total is None:
                bar.total, bar.initial, bar.n = total, done, done
                left = seconds * (1 - done / total)
                bar.set_postfix_str(f"about {bar.format_interval(left)} left" if known else "")
            elif done > bar.n:
                bar.set_postfix_str("", refresh=False)
                bar.update(done - bar.n)

        yield progress


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not WIDTHxHEIGHT, as in 4000x3000") from None
    return width, height


def _box(text: str) -> tuple[int, int, int, int]:
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not LEFT,TOP,RIGHT,BOTTOM in pixels, as in 100,100,300,250"
        ) from None
    return left, top, right, bottom


def _quality(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 to 100")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
