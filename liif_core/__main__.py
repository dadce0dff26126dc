"""The command line: liif zoom | explain | evaluate | train | weights | course | progress."""

import argparse
import platform
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import NoReturn

from liif_core.cli.classwork import add_classwork
from liif_core.cli.common import threads
from liif_core.cli.course import add_course
from liif_core.cli.evaluate import add_evaluate
from liif_core.cli.explain import add_explain
from liif_core.cli.train import add_train
from liif_core.cli.weights import add_weights
from liif_core.cli.zoom import add_zoom
from liif_core.errors import LiifError, is_out_of_memory


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and exits with status 2."""

    def error(self, message: str) -> NoReturn:
        """Print one line and exit."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


class Version(argparse.Action):
    """Prints which liif this is, and what it computes with: what a report of a fault should say."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print a line and exit."""
        ours, torch = version("how-does-ai-zoom"), version("torch")
        print(f"liif {ours} (Python {platform.python_version()}, PyTorch {torch})")
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status.

    0; 1 if some of many photos failed; 2 for mistakes; 130 if interrupted.
    """
    _tell_in_our_own_words()
    options = build_parser().parse_args(arguments)
    try:
        with threads(getattr(options, "threads", None)):
            return options.run(options) or 0
    except LiifError as error:
        print(f"liif: {error}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        print("liif: not enough memory; end other programs, or ask for less", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "liif: interrupted; nothing half-written bears a result's name, and a zoom to PNG or "
            "TIFF goes on when asked again",
            file=sys.stderr,
        )
        return 130


def _tell_in_our_own_words() -> None:
    """Let no name of a file end the work, and no library talk beside us."""
    for stream in (sys.stdout, sys.stderr):
        # A name may hold bytes that are no text, or letters that the console lacks.
        with suppress(AttributeError, OSError, ValueError):  # what a program put in their place
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    warnings.filterwarnings("ignore", module=r"PIL\.")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(prog="liif", description="Zoom photos with LIIF: any size, from coordinates.")
    parser.add_argument("--version", action=Version, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_zoom(commands)
    add_explain(commands)
    add_evaluate(commands)
    add_train(commands)
    add_weights(commands)
    add_course(commands)
    add_classwork(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
