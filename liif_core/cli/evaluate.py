"""liif evaluate: how good is a model?"""

import argparse
from pathlib import Path

from liif_core.cli.common import (
    Commands,
    a_whole_scale,
    add_model_options,
    model_from,
    weights_name,
)
from liif_core.cli.progress import progress_bar
from liif_core.errors import LiifError


def add_evaluate(commands: Commands) -> None:
    """Add the command to the parser."""
    evaluate = commands.add_parser("evaluate", help="PSNR and SSIM beside bicubic and Lanczos")
    evaluate.add_argument("photos", type=Path, metavar="DIR", help="folder of original photos")
    evaluate.add_argument("--scales", type=a_whole_scale, nargs="+", default=[2, 3, 4, 6, 12])
    evaluate.add_argument(
        "--degraded",
        action="store_true",
        help="inputs with noise (σ = 8/255) and JPEG blocks (quality 60), as in a poor scan",
    )
    evaluate.add_argument(
        "--without",
        nargs="+",
        metavar="PHOTO",
        help="file names in DIR: also give the means over the other photos",
    )
    evaluate.add_argument("--json", type=Path, metavar="OUT", help="also write every score here")
    add_model_options(evaluate)
    evaluate.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    from liif_core.evaluate import evaluate, format_table, read_folder, write_json
    from liif_core.training.degrade import noise_and_jpeg

    if options.json:  # known before the scores are
        if not options.json.absolute().parent.is_dir():
            raise LiifError(f"{options.json}: there is no such folder; create it first")
        if options.json.is_dir():
            raise LiifError(f"{options.json}: is a folder; name a file in it")
    name, photos = weights_name(options), read_folder(options.photos, options.scales)
    without = set(options.without or ())
    _check_without(without, {path.name for path in photos.paths}, options.photos)
    model = model_from(options, options.device)
    with progress_bar("photo × scale") as progress:
        degrade = noise_and_jpeg if options.degraded else None
        scores = evaluate(model, photos, options.scales, degrade=degrade, progress=progress)
    print(format_table(scores, name))
    if without:
        print(f"\nwithout {', '.join(sorted(without))}:")
        print(format_table([score for score in scores if score.photo not in without], name))
    if options.json:
        write_json(scores, name, options.json)


def _check_without(without: set[str], photos: set[str], folder: Path) -> None:
    unknown = sorted(without - photos)
    if unknown:
        raise LiifError(f"--without: there is no {unknown[0]} in {folder}; name files in it")
    if without == photos:
        raise LiifError("--without names all photos; leave one at least")
