"""liif progress: what is solved in a learner's copy; handing it in; the files of a class."""

import argparse
import os
import sys
from pathlib import Path

from liif_core.cli.common import Commands
from liif_core.cli.course import MINE
from liif_core.errors import LiifError


def add_classwork(commands: Commands) -> None:
    """Add the command to the parser."""
    progress = commands.add_parser(
        "progress",
        help="which exercises of the course are solved; hand them in",
        usage="liif progress [DIR]\n       liif progress --hand-in NAME [-o FILE] [DIR]\n"
        "       liif progress --check FILE ... [--csv OUT]",
        description="Show which exercises are solved and which questions were predicted in your "
        "copy of the course. In a copy (`liif course DIR`) each is noted as it happens; elsewhere "
        "the saved lessons tell.",
    )
    progress.add_argument(
        "paths", nargs="*", type=Path, metavar="DIR", help="a copy (default: the one around here)"
    )
    progress.add_argument(
        "--hand-in", metavar="NAME", help="write a file for your teacher, with your answers"
    )
    progress.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="to hand in (default: NAME.hand-in.json)"
    )
    progress.add_argument(
        "--check",
        action="store_true",
        help="show a table of files that were handed in, or of folders of them; none of the code "
        "in them is run",
    )
    progress.add_argument("--csv", type=Path, metavar="OUT", help="also write the table here")
    progress.set_defaults(run=_progress)


def _progress(options: argparse.Namespace) -> int | None:
    if options.check and (options.hand_in is not None or options.output):
        raise LiifError("--check reads files that were handed in; leave --hand-in and -o out")
    if not options.check and options.csv:
        raise LiifError("--csv is of a class: liif progress --check FILE ... --csv OUT")
    if options.check:
        return _check(options.paths, options.csv)
    if len(options.paths) > 1:
        raise LiifError("name one folder: liif progress DIR")
    folder = _own(options.paths[0] if options.paths else None)
    if options.hand_in is not None:
        _hand_in(options.hand_in, options.output, folder)
        return None
    if options.output:
        raise LiifError("-o is the file to hand in: liif progress --hand-in NAME -o FILE")
    from liif_core.classwork.said import table
    from liif_core.classwork.standing import standings

    print(table(standings(folder)))
    return None


def _hand_in(name: str, output: Path | None, folder: Path) -> None:
    from liif_core.classwork.hand_in import file_for, hand_in, unsaved
    from liif_core.classwork.standing import standings

    found, file = standings(folder), output or file_for(name)
    hand_in(found, name, folder, file)
    solved = sum(standing.solved for standing in found)
    print(f"{file}: written, {solved} exercises solved; give it to your teacher")
    if lessons := unsaved(found):
        print(f"  as they were saved, these lessons do not show all of it: {', '.join(lessons)}")
        print("  save them (Ctrl-S), with each checker run, and hand in again")
    for standing in found:
        if standing.broken:
            print(f"  {standing.broken}")


def _check(paths: list[Path], csv: Path | None) -> int:
    from liif_core.classwork.class_table import class_csv, class_table
    from liif_core.classwork.hand_in import SUFFIX, read_hand_in
    from liif_core.files.publish import publishing

    files, failed = [], 0
    for path in paths:
        for file in sorted(path.glob(f"*{SUFFIX}")) if os.path.isdir(path) else [path]:
            try:
                files.append(read_hand_in(file))
            except LiifError as error:  # the others are shown
                print(f"liif: {error}", file=sys.stderr)
                failed += 1
    if not files and failed:
        return 2
    if not files:
        raise LiifError("no file to check: liif progress --check FILE ..., or a folder of them")

    from liif_core.exercises.recheck import checked_again  # brings PyTorch

    doubts = {
        str(file.file): [
            exercise["exercise"]
            for lesson in file.lessons
            for exercise in lesson["exercises"]
            if exercise["solved"] and checked_again(exercise) is False
        ]
        for file in files
    }
    print(class_table(files, doubts))
    if csv:
        with publishing(csv) as part:
            # With a mark by which spreadsheets know the encoding.
            Path(part).write_text(class_csv(files, doubts), encoding="utf-8-sig")
    return 1 if failed else 0


def _own(folder: Path | None) -> Path:
    """Return the folder of the lessons that are meant: a copy of the course, or the course."""
    from liif_core.course import FIRST, copy_around, is_copy

    found = folder or copy_around(Path()) or next(filter(is_copy, [Path(MINE)]), Path())
    if not is_copy(found) and not os.path.isfile(found / FIRST):
        where = f"{found} is" if folder else "here is"
        raise LiifError(f"{where} no copy of the course; name one: liif progress DIR")
    return found
