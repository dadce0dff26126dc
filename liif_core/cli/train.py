"""liif train: a model of one's own."""

import argparse
import sys
from pathlib import Path

from liif_core.cli.common import Commands, add_threads


def add_train(commands: Commands) -> None:
    """Add the command to the parser."""
    train = commands.add_parser("train", help="train a model on a folder of photos")
    train.add_argument(
        "--photos",
        type=Path,
        required=True,
        metavar="DIR",
        help="2 or more, their shorter side 192 pixels or more (liif-edsr-photo: 256, heat "
        "fields: 320)",
    )
    train.add_argument("--out", type=Path, required=True, metavar="RUN", help="run folder")
    train.add_argument(
        "--config",
        default="liif-edsr-small",
        help="name of a recipe, or a file of one, .json (default: %(default)s)",
    )
    train.add_argument(
        "--steps",
        type=int,
        help="instead of the recipe's number; its runs before are shortened in proportion, and "
        "come in addition; a resumed run may change it while its rate is held",
    )
    train.add_argument("--val", type=Path, metavar="DIR", help="validation photos")
    train.add_argument(
        "--init",
        metavar="WEIGHTS",
        help="begin with these weights; a larger model grows from theirs, and a decoder of "
        "another kind begins anew",
    )
    train.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in RUN, from its last checkpoint; give what it "
        "was started with again, but for --init",
    )
    train.add_argument("--device", default="auto")
    add_threads(train)
    train.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    from liif_core.training.recipe import load_recipe
    from liif_core.training.trainer import closing_words, train

    recipe = load_recipe(options.config)
    if options.steps is not None:
        recipe = recipe.with_steps(options.steps)
    try:
        gain = train(
            recipe,
            options.photos,
            options.out,
            val=options.val,
            init=options.init,
            resume=options.resume,
            device=options.device,
        )
    except KeyboardInterrupt:
        print(
            "liif: interrupted; go on with --resume, or without it if no step was begun; what came "
            "after the last checkpoint is done again",
            file=sys.stderr,
        )
        return 130
    if gain is not None:
        print(*closing_words(recipe, options.out, gain), sep="\n")
    return 0
