"""The file that a pupil hands in: what is solved, and the answers as they stand in the lessons.

It is text alone (JSON): whoever reads it runs none of it. A checksum finds a file that was damaged
on its way, or changed by chance. It is no proof against cheating, and no signature: whoever can
write such a file can write its checksum as well.
"""

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from liif_core.classwork.standing import Done, Standing
from liif_core.course import OWN
from liif_core.errors import LiifError, one_line
from liif_core.files.publish import publishing

KIND, FORMAT = "hand-in of the course How does AI zoom?", 1
SUFFIX = ".hand-in.json"
#: Many times what twelve lessons full of answers take.
MOST_BYTES = 5_000_000
_NAME = 80


@dataclass(frozen=True)
class HandedIn:
    """One pupil's file, read.

    Args:
        file: where it was.
        name: whose it is, as they wrote it.
        at: when it was written, UTC, ISO 8601.
        course: the version of the course that wrote it.
        lessons: what it holds of each lesson, as `_lesson` writes it.
        my_liif: the pupil's own my_liif.py; "" if there was none.
        whole: whether the checksum is that of the content.
    """

    file: Path
    name: str
    at: str
    course: str
    lessons: tuple[dict[str, Any], ...]
    my_liif: str
    whole: bool


def hand_in(standings: Sequence[Standing], name: str, copy: Path, output: Path) -> None:
    """Write a pupil's file.

    Args:
        standings: of all lessons.
        name: by which the teacher knows the pupil.
        copy: where the pupil's `my_liif.py` lies, in notebooks/my_liif.
        output: the file; one that is there is replaced.

    Raises:
        LiifError: no name, or the file cannot be written.
    """
    content = {
        "kind": KIND,
        "format": FORMAT,
        "name": checked_name(name),
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "course": version("how-does-ai-zoom"),
        "lessons": [_lesson(standing) for standing in standings],
        "my_liif": _my_liif(copy),
    }
    # Half of a letter, which a broken notebook may hold, can be in no file.
    content = json.loads(json.dumps(content, ensure_ascii=False).encode(errors="replace"))
    text = json.dumps({**content, "checksum": _checksum(content)}, ensure_ascii=False, indent=1)
    with publishing(output) as part:
        Path(part).write_text(text + "\n", encoding="utf-8")


def read_hand_in(file: Path) -> HandedIn:
    """Read a pupil's file; nothing in it is run.

    Raises:
        LiifError: it cannot be read, or is no such file.
    """
    not_one = LiifError(f"{file} is no file that `liif progress --hand-in` wrote")
    try:
        if os.path.getsize(file) > MOST_BYTES:
            raise not_one
        content = json.loads(Path(file).read_bytes())
        if content["kind"] != KIND or content["format"] != FORMAT:
            raise not_one
        checksum = content.pop("checksum")
        name, at, course, my_liif = (
            _text(content[key]) for key in ("name", "at", "course", "my_liif")
        )
        lessons = tuple(map(_as_lesson, content["lessons"]))
        whole = checksum == _checksum(content)
        return HandedIn(Path(file), checked_name(name), at, course, lessons, my_liif, whole)
    except OSError as error:
        raise LiifError(f"{file} cannot be read: {error.strerror or one_line(error)}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise not_one from None


def unsaved(standings: Sequence[Standing]) -> list[str]:
    """Return the lessons in which something is solved that their saved notebook does not show."""
    return [
        standing.lesson.number
        for standing in standings
        if any(done.solved and not done.shown for done in standing.exercises)
    ]


def checked_name(name: str) -> str:
    """Return a name on one line.

    Raises:
        LiifError: there is none, or it is very long.
    """
    found = " ".join("".join(c for c in name if c.isprintable() or c.isspace()).split())
    if not found or len(found) > _NAME:
        raise LiifError(f"a name is wanted, of 1 to {_NAME} letters: liif progress --hand-in NAME")
    return found


def file_for(name: str) -> Path:
    """Return a file's name for a pupil's, of letters that any disk and any mail takes."""
    plain = unicodedata.normalize("NFKD", checked_name(name)).encode("ascii", "ignore").decode()
    return Path((re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_") or "pupil") + SUFFIX)


def _lesson(standing: Standing) -> dict[str, Any]:
    """Return what is handed in of a lesson."""
    return {
        "lesson": standing.lesson.number,
        "title": standing.lesson.title,
        "exercises": [
            {
                "exercise": done.asked.name,
                "title": done.asked.title,
                "solved": done.solved,
                "at": done.at,
                "said": done.own.said if done.own else "",
                "answer": _answer(done),
                "checked": done.asked.checked,
            }
            for done in standing.exercises
        ],
        "predictions": [
            {
                "question": question,
                "choice": note.get("choice", "") if note else "",
                "right": bool(note and note.get("right")),
            }
            for question, note in standing.predictions.items()
        ],
    }


def _answer(done: Done) -> str:
    """Return what stands in an exercise's cell; "" if that is the stub still."""
    return done.own.answer if done.own and done.own.answer != done.asked.answer else ""


def _as_lesson(found: Any) -> dict[str, Any]:
    """Return a lesson of a file, of what is expected alone; raise ValueError for another."""
    exercises = [
        {
            **{key: _text(each[key]) for key in ("exercise", "title", "at", "said", "answer")},
            "checked": _text(each["checked"]),
            "solved": each["solved"] is True,
        }
        for each in found["exercises"]
    ]
    predictions = [
        {
            **{key: _text(each[key]) for key in ("question", "choice")},
            "right": each["right"] is True,
        }
        for each in found["predictions"]
    ]
    texts = {key: _text(found[key]) for key in ("lesson", "title")}
    return {**texts, "exercises": exercises, "predictions": predictions}


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise ValueError(f"a text is wanted, not {found!r:.40}")
    return found


def _my_liif(copy: Path) -> str:
    """Return the pupil's my_liif.py, from where `exercises.workbench` may have put it."""
    named = os.environ.get("MY_LIIF")
    folders = [Path(named).expanduser()] if named else [copy / OWN, Path.home() / "my_liif"]
    for folder in folders:
        with suppress(OSError, UnicodeError):
            return (folder / "my_liif.py").read_text(encoding="utf-8")
    return ""


def _checksum(content: dict[str, Any]) -> str:
    """Return the SHA-256 of everything but itself, whatever the order and the spaces."""
    plain = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(plain.encode()).hexdigest()}"
