"""The command line: liif zoom | evaluate | train | weights.

PyTorch is imported by the commands that compute, not by `--help`.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from liif_core.errors import LiifError


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and exits with status 2."""

    def error(self, message: str) -> NoReturn:
        """Print one line and exit."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0, or 2 for mistakes, 130 if interrupted."""
    options = build_parser().parse_args(arguments)
    try:
        options.run(options)
    except LiifError as error:
        print(f"liif: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("liif: interrupted; no half-written file is left", file=sys.stderr)
        return 130
    return 0


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
    zoom = commands.add_parser("zoom", help="zoom a photo to any size")
    zoom.add_argument("photo", type=Path, help="JPEG, PNG, TIFF, WebP and many more")
    target = zoom.add_mutually_exclusive_group(required=True)
    target.add_argument("--scale", type=float, help="magnification, for example 12 or 2.5")
    target.add_argument("--size", type=_size, metavar="WxH", help="size, for example 4000x3000")
    zoom.add_argument(
        "-o", "--output", type=Path, help="default: beside the photo, as NAME_x12 or NAME_4000x3000"
    )
    zoom.add_argument(
        "--crop", type=_box, metavar="L,T,R,B", help="zoom this part alone, in input pixels"
    )
    zoom.add_argument(
        "--compare", action="store_true", help="also write NAME_compare: bicubic | LIIF"
    )
    zoom.add_argument(
        "--self-ensemble", action="store_true", help="average 8 flips: a little better, 8× the time"
    )
    zoom.add_argument("--overwrite", action="store_true", help="replace an existing output")
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


def _zoom(options: argparse.Namespace) -> None:
    from liif_core.canvas import check_target
    from liif_core.photos import photo_from
    from liif_core.render import ContinuousPhoto
    from liif_core.self_ensemble import SelfEnsemble
    from liif_core.weights import DEFAULT_MODEL, load_model
    from liif_core.zooming import beside_bicubic, check_crop, paint, target_size

    photo = photo_from(options.photo)
    box = check_crop(photo, options.crop)
    height, width = target_size(box, options.scale, options.size)
    output = options.output or _beside(options.photo, options.scale, options.crop, height, width)
    compare = output.with_name(f"{output.stem}_compare{output.suffix}")
    check_target(output, height, width, overwrite=options.overwrite)
    if options.compare:
        check_target(compare, height, 2 * width, overwrite=options.overwrite)
    model = load_model(options.weights or DEFAULT_MODEL, options.device)
    if options.self_ensemble:
        source: ContinuousPhoto | SelfEnsemble = SelfEnsemble(
            model, photo, precision=options.precision
        )
    else:
        source = ContinuousPhoto(model, photo, precision=options.precision)
    with _progress_bar("pixels") as progress:
        canvas = paint(source, photo, height, width, box, progress)
    canvas.save(output, overwrite=options.overwrite, quality=options.quality)
    print(f"{output}: {width}×{height} pixels")
    if options.compare:
        both = beside_bicubic(photo, canvas.image(), box)
        both.save(compare, overwrite=options.overwrite, quality=options.quality)
        print(f"{compare}: bicubic (left), LIIF (right)")


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
def _progress_bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error for work that takes longer than two seconds."""
    from tqdm import tqdm

    with tqdm(unit=f" {unit}", unit_scale=True, delay=2, leave=False, total=1) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def _beside(
    photo: Path,
    scale: float | None,
    crop: tuple[int, int, int, int] | None,
    height: int,
    width: int,
) -> Path:
    """Name the output after the photo: NAME_x12.png, NAME_4000x3000.png, NAME_CROP_x12.png."""
    part = "_" + "-".join(map(str, crop)) if crop else ""
    mark = f"x{scale:g}" if scale is not None else f"{width}x{height}"
    return photo.with_name(f"{photo.stem}{part}_{mark}{photo.suffix}")


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
