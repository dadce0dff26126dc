"""Hide the solutions from pupils, or show them: `python classroom/solutions.py hide`, as root.

    python classroom/solutions.py hide          # all of them; say so again after an update
    python classroom/solutions.py show 03 05    # those of two lessons
    python classroom/solutions.py show          # all of them

A pupil's copy has those that are shown, from the pupil's next login on. Nothing is taken out of a
copy again.
"""

import argparse
import stat
import sys
from pathlib import Path

SOLUTIONS = Path(__file__).resolve().parent.parent / "notebooks" / "solutions"
FOR_ALL = stat.S_IRGRP | stat.S_IROTH


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line says, and tell what pupils see now."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["hide", "show"])
    parser.add_argument("lessons", nargs="*", help="their numbers, such as 03; else all")
    options = parser.parse_args(arguments)
    for lesson in options.lessons or [""]:
        found = sorted(SOLUTIONS.glob(f"{lesson}_*.ipynb" if lesson else "*.ipynb"))
        if not found:
            sys.exit(f"solutions.py: there are no solutions of lesson {lesson}")
        for path in found:
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | FOR_ALL if options.what == "show" else mode & ~FOR_ALL)
    shown = [path.name[:2] for path in sorted(SOLUTIONS.glob("*.ipynb")) if seen(path)]
    print("pupils see the solutions of:", ", ".join(shown) or "no lesson")


def seen(path: Path) -> bool:
    """Whether everybody may read a file."""
    return bool(path.stat().st_mode & stat.S_IROTH)


if __name__ == "__main__":
    main()
