"""What a pupil has solved and predicted, noted in their own copy of the course.

A small file for each exercise and each prediction, in `.liif-progress` at the top of the copy: it
is there whole or not at all, so that two kernels write side by side, and a damaged one costs one
exercise, which its checker notes again. Nothing is noted in the course itself, nor while the
solutions are run: only a copy is a pupil's own (`liif_core.course`). No lesson ends, or prints
anything else, because nothing could be written; what this kernel saw is remembered in it as well.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from liif_core.course import copy_around
from liif_core.errors import LiifError
from liif_core.files.publish import publishing

#: The folder in a copy.
FOLDER = ".liif-progress"
_EXERCISE = re.compile(r"\d\d\.\w+")
_CHECKERS = "liif_core.exercises.lesson_"

Note = dict[str, Any]


@dataclass
class Memory:
    """What happened in this process.

    Args:
        notes: name of an exercise, or text of a question -> what is noted of it.
        unkept: whether a note could not be written.
    """

    notes: dict[str, Note] = field(default_factory=dict)
    unkept: bool = False


memory = Memory()


def note_solved(checker: Callable[..., None]) -> None:
    """Note that a checker was satisfied; other functions than the lessons' checkers are not."""
    if checker.__module__.startswith(_CHECKERS):
        lesson = checker.__module__.removeprefix(_CHECKERS)
        _note(f"{lesson}.{checker.__name__}", {})


def note_prediction(question: str, choice: str, *, right: bool) -> None:
    """Note what a reader committed to first; later commitments are for reading on."""
    _note(question, {"choice": choice, "right": right})


def noted(copy: Path, name: str) -> Note | None:
    """Return what is noted of an exercise, such as "03.query", or of a question; None if nothing.

    Args:
        copy: the pupil's.
        name: of the exercise, or the question's text.
    """
    try:
        found = json.loads(_file(copy, name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("at"), str):
        return None
    return found if found.get("name") == _called(name) else None


def forget(copy: Path, names: Iterable[str]) -> None:
    """Take back what is noted of exercises and questions, here and in the copy.

    Raises:
        LiifError: a note cannot be taken away.
    """
    for name in names:
        memory.notes.pop(_called(name), None)
        file = _file(copy, name)
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise LiifError(f"{file} could not be taken away: {error.strerror}") from error


def copy_here() -> Path | None:
    """Return the pupil's copy that a lesson is running in; None elsewhere."""
    try:
        here = Path().absolute()
    except OSError:  # the folder that this process began in is gone
        return None
    copy = copy_around(here)
    if copy is None or not here.is_relative_to(copy / "notebooks"):
        return None
    return None if here.is_relative_to(copy / "notebooks/solutions") else copy


def remembered(name: str) -> Note | None:
    """Return what this process noted of an exercise or a question, kept or not; None if nothing."""
    return memory.notes.get(_called(name))


def _note(name: str, facts: Note) -> None:
    """Note something, once."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    name = _called(name)
    note = memory.notes.setdefault(name, {"name": name, "at": now, **facts})
    copy = copy_here()
    if copy is None or noted(copy, name):
        return
    try:
        file = _file(copy, name)
        file.parent.mkdir(exist_ok=True)
        with publishing(file, durable=False) as part:
            Path(part).write_text(_as_json(note), encoding="utf-8")
    except (OSError, LiifError):  # a lesson goes on, whatever can be written
        memory.unkept = True


def _called(name: str) -> str:
    """Return a name; of a question its text without numbers, which may have been measured anew."""
    return name if _EXERCISE.fullmatch(name) else re.sub(r"\d+(?:[.,]\d+)*", "…", name)


def _file(copy: Path, name: str) -> Path:
    """Return where something is noted: a question by its hash, for it may be long."""
    if _EXERCISE.fullmatch(name):
        return copy / FOLDER / f"{name}.json"
    digest = hashlib.sha256(_called(name).encode()).hexdigest()
    return copy / FOLDER / f"question.{digest[:16]}.json"


def _as_json(note: Note) -> str:
    return json.dumps(note, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
