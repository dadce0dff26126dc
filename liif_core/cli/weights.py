"""liif weights: what is shipped, and what others have trained."""

import argparse
from pathlib import Path

from liif_core.cli.common import Commands
from liif_core.errors import LiifError


def add_weights(commands: Commands) -> None:
    """Add the command to the parser."""
    weights = commands.add_parser("weights", help="list or convert weights")
    actions = weights.add_subparsers(dest="action", required=True, metavar="{list,convert}")
    actions.add_parser("list", help="what is shipped").set_defaults(run=_list_weights)
    convert = actions.add_parser("convert", help="make safetensors of an official .pth checkpoint")
    convert.add_argument("source", type=Path)
    convert.add_argument("target", type=Path)
    convert.add_argument("--overwrite", action="store_true")
    convert.set_defaults(run=_convert_weights)


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
