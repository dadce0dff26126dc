"""A learner's own copy of the course: made, brought up to date, and a lesson of it given afresh.

The course itself stays as it is: whoever learns works in a copy, where saving may change anything.
A copy has the course's own layout, so that links between its files hold, and Jupyter's settings for
it: `jupyter lab`, started in the copy, opens lesson 00.

Nothing that a learner changed is ever replaced. A list of what was given, `.liif-course.json`,
tells the files that are as they were: a newer course replaces those, and those alone.
"""

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from liif_core.errors import LiifError, one_line
from liif_core.files.publish import give_name, not_written, publishing

#: What a copy has of the course: the lessons, and what they show or link to.
COPIED = (
    "notebooks/*.ipynb",
    "notebooks/*.md",
    "notebooks/solutions/*.ipynb",
    "figures/hero.jpg",
    "figures/old_photos/*",
    "project/*.py",
)
FIRST = "notebooks/00_how_does_ai_zoom.ipynb"
#: Where the learner's own `my_liif.py` will lie.
OWN = "notebooks/my_liif"
#: The list of what was given.
GIVEN = ".liif-course.json"
#: What JupyterLab is told when it is started in a copy: open lesson 00, ask nobody for news, and
#: note here which lessons are open. The user's own settings are not touched, and come first.
SETTINGS: dict[str, dict[str, Any]] = {
    "jupyter_lab_config.json": {
        "LabApp": {
            "app_settings_dir": ".jupyter/settings",
            "default_url": f"/lab/tree/{FIRST}",
            "workspaces_dir": ".jupyter/workspaces",
        },
        "ServerApp": {"root_dir": "."},
    },
    ".jupyter/settings/overrides.json": {
        "@jupyterlab/apputils-extension:notification": {
            "checkForUpdates": False,
            "fetchNews": "false",
        },
    },
}


@dataclass(frozen=True)
class Copied:
    """What `copy_course` did: names of files, relative to the copy.

    Args:
        new: files that were not there.
        renewed: files that nobody had changed, and the course had.
        kept: files that the learner changed, and the course, too; the learner's stay.
    """

    new: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def course_folder() -> Path:
    """Return the folder of the course: inside the wheel, or the source tree.

    Raises:
        LiifError: this installation has no lessons.
    """
    packaged = Path(__file__).parent / "_course"
    folder = packaged if packaged.is_dir() else Path(__file__).parent.parent
    if not (folder / FIRST).is_file():
        raise LiifError("the lessons are not in this installation; take the project's folder")
    return folder


def copy_course(folder: Path) -> Copied:
    """Make a copy of the course, or bring one up to date.

    Args:
        folder: of the copy. It may be missing, empty, or a copy already.

    Raises:
        LiifError: the folder holds other things, is the course itself, or cannot be written.
    """
    source = course_folder()
    _refuse_the_course(folder, source)
    if not is_copy(folder) and _has_anything(folder):
        raise LiifError(f"{folder} holds other things; name a new folder for your copy")
    given, done = _given(folder), Copied()
    try:
        (folder / OWN).mkdir(parents=True, exist_ok=True)
        for name in _names(source):
            _bring(name, source, folder, given, done)
    except (OSError, ValueError) as error:
        raise _failed(folder, error) from error
    finally:
        if folder.is_dir():
            _note(folder, given)
    return done


def reset_lesson(folder: Path, lesson: str) -> tuple[Path, Path | None]:
    """Give a lesson afresh; the learner's stays beside it under a numbered name.

    Args:
        folder: of the copy.
        lesson: its number, such as "03" or "3", or a notebook's name, such as "liif_on_one_page".

    Returns:
        the fresh lesson, and where the learner's now is; None if it had not been changed.

    Raises:
        LiifError: no copy there, no such lesson, or it cannot be written.
    """
    source = course_folder()
    _refuse_the_course(folder, source)
    if not is_copy(folder):
        raise LiifError(f"{folder} is no copy of the course; liif course {folder} makes one")
    name = _lesson(source, lesson)
    given, target = _given(folder), folder / name
    try:
        content = _content(source, name)
        # Whatever else bears its name, such as a folder, is not the lesson either.
        changed = os.path.exists(target) and not (
            target.is_file() and target.read_bytes() == content
        )
        old = _put_aside(target) if changed else None
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, content)
        given[name] = [_hash((source / name).read_bytes()), _hash(content)]
        _note(folder, given)
    except (OSError, ValueError) as error:
        raise _failed(target, error) from error
    return target, old


def is_copy(folder: Path) -> bool:
    """Whether a folder is a learner's copy of the course."""
    return os.path.isfile(folder / GIVEN)  # of a name that cannot be: no


def copy_around(folder: Path) -> Path | None:
    """Return the copy that a folder lies in; None if in none."""
    places = [folder.absolute(), *folder.absolute().parents]
    return next((place for place in places if is_copy(place)), None)


# What is given


def _names(source: Path) -> Iterator[str]:
    """Yield what a copy gets. On a class server a teacher may have hidden the solutions."""
    for pattern in COPIED:
        found = (path for path in source.glob(pattern) if os.access(path, os.R_OK))
        yield from sorted(path.relative_to(source).as_posix() for path in found)
    yield from SETTINGS


def _content(source: Path, name: str) -> bytes:
    """Return a file of the course as a copy has it."""
    if name in SETTINGS:
        return _as_json(SETTINGS[name]).encode()
    content = (source / name).read_bytes()
    return _for_this_python(content) if name.endswith(".ipynb") else content


def _for_this_python(content: bytes) -> bytes:
    """Write into a notebook what JupyterLab would, once its kernel runs.

    Without that, a notebook counts as changed as soon as it is opened.
    """
    notebook = json.loads(content)
    notebook["metadata"] |= {"kernelspec": _kernel(), "language_info": _language()}
    return _as_json(notebook).encode()


def _kernel() -> dict[str, str]:
    """Return the kernel's name as Jupyter shows it."""
    file = Path(sys.prefix) / "share/jupyter/kernels/python3/kernel.json"
    try:
        shown = str(json.loads(file.read_text(encoding="utf-8"))["display_name"])
    except (OSError, ValueError, KeyError):  # a kernel of elsewhere: ipykernel's usual name
        shown = "Python 3 (ipykernel)"
    return {"display_name": shown, "language": "python", "name": "python3"}


def _language() -> dict[str, Any]:
    """Return what ipykernel tells of the language."""
    return {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": platform.python_version(),
    }


def _lesson(source: Path, lesson: str) -> str:
    """Return the name of a lesson's file."""
    wanted = f"{int(lesson):02}_*" if re.fullmatch(r"\d{1,2}", lesson, re.ASCII) else ""
    for path in sorted((source / "notebooks").glob("*.ipynb")):
        if (wanted and path.match(f"{wanted}.ipynb")) or path.stem == lesson.removesuffix(".ipynb"):
            return f"notebooks/{path.name}"
    raise LiifError(f"there is no lesson {lesson}; name one by its number, such as 03")


# Giving it


def _bring(
    name: str, source: Path, folder: Path, given: dict[str, list[str]], done: Copied
) -> None:
    """Bring one file up to date, unless it is the learner's by now."""
    target, content = folder / name, _content(source, name)
    origin = _hash(content if name in SETTINGS else (source / name).read_bytes())
    if target.exists():
        was, left = given.get(name, ["", ""])
        if was == origin:
            return
        now = _hash(target.read_bytes())
        if now == _hash(content):  # as the course has it, though the list was lost
            given[name] = [origin, now]
            return
        if now != left:
            done.kept.append(name)
            return
        done.renewed.append(name)
    else:
        done.new.append(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(target, content)
    given[name] = [origin, _hash(content)]


def _put_aside(target: Path) -> Path:
    """Give a file the next free name beside it, never over another."""
    number = 1
    while (aside := target.with_name(f"{target.stem}_old_{number}{target.suffix}")).exists():
        number += 1
    give_name(str(target), aside, overwrite=False)
    return aside


def _write(target: Path, content: bytes) -> None:
    with publishing(target) as part:
        Path(part).write_bytes(content)


def _given(folder: Path) -> dict[str, list[str]]:
    """Return the list of what was given: name -> SHA-256 of the course's file, and of the copy's.

    Where the list is lost, every file counts as the learner's.
    """
    try:
        found = json.loads((folder / GIVEN).read_text(encoding="utf-8"))
        return {name: [str(one), str(other)] for name, (one, other) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _note(folder: Path, given: dict[str, list[str]]) -> None:
    _write(folder / GIVEN, _as_json(given).encode())


# Small things


def _refuse_the_course(folder: Path, source: Path) -> None:
    """Raise LiifError if a folder is the course itself, which must stay as it is."""
    if os.path.realpath(folder) == os.path.realpath(source):
        raise LiifError(f"{folder} is the course itself; name another folder for your copy")


def _has_anything(folder: Path) -> bool:
    try:
        return any(folder.iterdir())
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _failed(folder, error) from error


def _failed(folder: Path, error: Exception) -> LiifError:
    if isinstance(error, LiifError):
        return error
    if isinstance(error, OSError):
        return not_written(folder, error)
    return LiifError(f"a lesson of the course is broken: {one_line(error)}; install it again")


def _as_json(content: object) -> str:
    """Return JSON as nbformat writes notebooks."""
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
