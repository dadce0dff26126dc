"""Where a pupil stands, in words: below a lesson, and for all lessons in a terminal."""

from collections.abc import Sequence, Sized

from liif_core.classwork import records
from liif_core.classwork.standing import Standing
from liif_core.wrapping import wrapped


def below_a_lesson(standing: Standing) -> str:
    """Return what a lesson's closing cell prints."""
    lines = [
        f"Lesson {standing.lesson.number}: {_of(standing.solved, standing.exercises)} exercises "
        f"solved, {_of(standing.predicted, standing.predictions)} predictions made"
    ]
    lines += [
        f"{'✓ solved:' if done.solved else '○ open:  '} {done.asked.title}"
        for done in standing.exercises
    ]
    if records.memory.unkept:
        lines.append("Nothing can be written here: what is solved is forgotten with this kernel.")
    elif standing.solved and records.copy_here() is None:
        lines.append("This is kept in a copy of the course alone: liif course DIR makes one.")
    return "\n".join(map(wrapped, lines))


def table(standings: Sequence[Standing]) -> str:
    """Return a table of all lessons, for a terminal: words alone, for any console has letters."""
    width = max(len(standing.lesson.title) for standing in standings)
    lines = [f"{'lesson':{width + 3}}  {'exercises':>9}  {'predictions':>11}"]
    lines += [
        f"{standing.lesson.number} {standing.lesson.title:{width}}  "
        f"{_of(standing.solved, standing.exercises):>9}  "
        f"{_of(standing.predicted, standing.predictions):>11}"
        for standing in standings
    ]
    for standing in standings:
        if 0 < standing.solved < len(standing.exercises):
            titles = [done.asked.title for done in standing.exercises if not done.solved]
            lines += ["", f"open in {standing.lesson.number}:", *(f"  {text}" for text in titles)]
    for standing in standings:
        if standing.broken:
            lines += ["", standing.broken]
    return "\n".join(lines)


def _of(number: int, things: Sized) -> str:
    return f"{number} of {len(things)}"
