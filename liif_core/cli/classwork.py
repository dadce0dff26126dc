"""liif progress: what is solved in a learner's copy of the course."""

import argparse
import os
from pathlib import Path

from liif_core.cli.common import Commands
from liif_core.cli.course import MINE
from liif_core.errors import LiifError


def add_classwork(commands: Commands) -> None:
    """Add the command to the parser."""
    progress = commands.add_parser(
        "progress",
        help="which exercises of the course are solved",
        description="Show which exercises are solved and which questions were predicted in your "
        "copy of the course. In a copy (`liif course DIR`) each is noted as it happens; elsewhere "
        "the saved lessons tell.",
    )
    progress.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR", help="a copy (default: the one around here)"
    )
    progress.set_defaults(run=_progress)


def _progress(options: argparse.Namespace) -> None:
    from liif_core.classwork.said import table
    from liif_core.classwork.standing import standings

    print(table(standings(_own(options.folder))))


def _own(folder: Path | None) -> Path:
    """Return the folder of the lessons that are meant: a copy of the course, or the course."""
    from liif_core.course import FIRST, copy_around, is_copy

    found = folder or copy_around(Path()) or next(filter(is_copy, [Path(MINE)]), Path())
    if not is_copy(found) and not os.path.isfile(found / FIRST):
        where = f"{found} is" if folder else "here is"
        raise LiifError(f"{where} no copy of the course; name one: liif progress DIR")
    return found
