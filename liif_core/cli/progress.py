"""The progress bar, and how much longer it will take."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

#: Seconds of work that tell how fast it goes: other programs come and go.
WINDOW = 10.0

#: A guess counts as much as so many seconds of work that were seen; less and less, and after a
#: window nothing.
WEIGHT = 2.0

_FORMAT = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}, {rate_fmt}{postfix}]"


class Pace:
    """Tells how much longer work takes, from how fast the last of it went.

    A mean since the beginning would lag behind for minutes when another program takes the cores,
    or gives them back; and what comes before the first part is done is no measure of the rest: the
    photo is read then. Where there is a guess, it holds until a second part is done.

    Args:
        guess: seconds for all of the work; 0 if nobody knows.
        clock: tells the time, in seconds.
    """

    def __init__(self, guess: float, clock: Callable[[], float] = monotonic) -> None:
        self._guess, self._clock = guess, clock
        self._marks: deque[tuple[float, float]] = deque()  # when how much was done
        self._began: float | None = None
        self._reading = bool(guess)

    def left(self, share: float) -> float | None:
        """Return the seconds left, or None if they cannot be told yet.

        Args:
            share: how much of the work is done, 0 … 1; never less than before.
        """
        now = self._clock()
        if self._began is None:
            self._began = now
        elif self._reading and share > self._marks[0][1]:
            self._reading, self._began = False, now
            self._marks.clear()
        self._marks.append((now, share))
        while len(self._marks) > 2 and self._marks[1][0] <= now - WINDOW:
            self._marks.popleft()
        since, before = self._marks[0]
        took, did = now - since, share - before
        if self._guess:
            weight = WEIGHT * max(0.0, 1 - (now - self._began) / WINDOW)
            took, did = took + weight, did + weight / self._guess
        return (1 - share) * took / did if did else None


@contextmanager
def progress_bar(unit: str, seconds: float = 0) -> Iterator[Callable[[float, int], None]]:
    """Show a bar on standard error for work that takes longer than two seconds.

    Args:
        unit: what is counted.
        seconds: a guess, which counts until the work itself has told how fast it goes; 0 if there
            is none.
    """
    from tqdm import tqdm

    known = seconds > 2
    pace = Pace(seconds if known else 0)
    with tqdm(
        unit=f" {unit}",
        unit_scale=True,
        delay=0 if known else 2,
        leave=False,
        disable=os.environ.get("RANK", "0") != "0",  # of several processes, the first shows one
    ) as bar:

        def progress(done: float, total: int) -> None:
            if bar.total is None:
                bar.total, bar.initial, bar.n, bar.bar_format = total, done, done, _FORMAT
            elif done <= bar.n:
                return
            left = pace.left(done / total)
            words = "" if left is None else f"about {bar.format_interval(left)} left"
            bar.set_postfix_str(words, refresh=known and bar.n == bar.initial)
            bar.update(done - bar.n)

        yield progress
