"""Where a pupil stands: which exercises are solved and which questions were predicted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from liif_core.classwork import records
from liif_core.classwork.asked import SOLVED, Exercise, Lesson, lesson_files, read_lesson
from liif_core.course import course_folder, is_copy
from liif_core.errors import LiifError


@dataclass(frozen=True)
class Done:
    """An exercise, and what the pupil has of it.

    Args:
        asked: as the course asks it.
        own: as it stands in the pupil's saved lesson; None if it is not there.
        at: when its checker was satisfied first, UTC, ISO 8601; "" if that was not noted.
    """

    asked: Exercise
    own: Exercise | None
    at: str

    @property
    def solved(self) -> bool:
        """Noted by the checker, or printed by it in the saved lesson."""
        return bool(self.at) or self.shown

    @property
    def shown(self) -> bool:
        """Whether the saved lesson says that it is solved."""
        return self.own is not None and self.own.said == SOLVED


@dataclass(frozen=True)
class Standing:
    """Where a pupil stands in one lesson.

    Args:
        lesson: as the course asks it.
        exercises: what the pupil has of each.
        predictions: question -> what was noted of it; None if it is still to be answered.
        broken: why the pupil's own lesson cannot be read; "" if it can.
    """

    lesson: Lesson
    exercises: tuple[Done, ...]
    predictions: dict[str, records.Note | None]
    broken: str = ""

    @property
    def solved(self) -> int:
        """How many exercises are solved."""
        return sum(done.solved for done in self.exercises)

    @property
    def predicted(self) -> int:
        """How many questions were answered before the answer was seen."""
        return sum(note is not None for note in self.predictions.values())


def standings(folder: Path) -> list[Standing]:
    """Return where a pupil stands in each lesson.

    Args:
        folder: a copy of the course, or the course itself: there nothing is noted, and only saved
            lessons tell.
    """
    noted = partial(records.noted, folder) if is_copy(folder) else lambda name: None
    return [_standing(file, noted, folder) for file in lesson_files(course_folder())]


def standing_here(number: str) -> Standing:
    """Return where whoever runs a lesson stands in it, in a copy of the course or elsewhere.

    Raises:
        LiifError: there is no such lesson.
    """
    for file in lesson_files(course_folder()):
        if file.name[:2] == number:
            copy = records.copy_here()
            return _standing(file, partial(_noted_or_remembered, copy), copy)
    raise LiifError(f"there is no lesson {number}; name one by its number, such as 03")


def questions_and_exercises(number: str) -> list[str]:
    """Return by which names a lesson's exercises and questions are noted; none if it is none."""
    lessons = (read_lesson(file) for file in lesson_files(course_folder()))
    return [
        name
        for lesson in lessons
        if lesson.number == number
        for name in (*(exercise.name for exercise in lesson.exercises), *lesson.questions)
    ]


def _noted_or_remembered(copy: Path | None, name: str) -> records.Note | None:
    """Return what is noted in a copy; where it could not be written, what this process knows."""
    kept = records.noted(copy, name) if copy else None
    remembers = copy is None or records.memory.unkept
    return kept or (records.remembered(name) if remembers else None)


def _standing(
    file: Path, noted: Callable[[str], records.Note | None], folder: Path | None
) -> Standing:
    """Return where a pupil stands in a lesson.

    Args:
        file: the course's own.
        noted: returns what is noted of an exercise or a question.
        folder: where the pupil's own lessons lie; None: nowhere.
    """
    lesson, own, broken = read_lesson(file), {}, ""
    if folder:
        try:
            own = _by_name(read_lesson(folder / "notebooks" / file.name).exercises)
        except LiifError as error:
            broken = str(error)
    exercises = (
        Done(asked, own.get(asked.name), (noted(asked.name) or {}).get("at", ""))
        for asked in lesson.exercises
    )
    predictions = {question: noted(question) for question in lesson.questions}
    return Standing(lesson, tuple(exercises), predictions, broken)


def _by_name(exercises: Sequence[Exercise]) -> dict[str, Exercise]:
    """Return a pupil's exercises by name: of several tries, one that is solved, or the last."""
    found: dict[str, Exercise] = {}
    for exercise in exercises:
        if exercise.name not in found or found[exercise.name].said != SOLVED:
            found[exercise.name] = exercise
    return found
