"""The time that is left: told from the beginning, and true while other programs come and go."""

import pytest
import tqdm

from liif_core.cli import progress
from liif_core.cli.progress import WINDOW, Pace, progress_bar


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def work(pace: Pace, clock: Clock, share: float, until: float, seconds: float) -> float | None:
    """Work at an even pace in steps of half a second; return the last estimate."""
    left = None
    steps = round(2 * seconds)
    for step in range(1, steps + 1):
        clock.now += 0.5
        left = pace.left(share + (until - share) * step / steps)
    return left


def test_a_guess_is_told_first_and_then_corrected():
    clock = Clock()
    pace = Pace(20, clock)
    assert pace.left(0) == pytest.approx(20)
    left = work(pace, clock, 0, 0.1, 8)  # the machine is busy: 80 seconds for all
    assert left == pytest.approx(72, rel=0.2)
    assert work(pace, clock, 0.1, 0.2, 8) == pytest.approx(64, rel=0.01)


def test_reading_the_photo_is_no_measure_of_decoding():
    """It said 26 minutes of a zoom that took 15 seconds."""
    clock = Clock()
    pace = Pace(18, clock)
    assert pace.left(0) == pytest.approx(18)
    clock.now += 10  # the encoder, on a busy machine
    assert pace.left(0.007) == pytest.approx(18, rel=0.01)
    assert work(pace, clock, 0.007, 0.5, 2) < 10


@pytest.mark.parametrize("slower", [5, 0.2])
def test_it_holds_when_the_machine_becomes_busy_or_quiet(slower):
    clock = Clock()
    pace = Pace(100, clock)
    pace.left(0)
    assert work(pace, clock, 0, 0.5, 50) == pytest.approx(50)
    seconds = WINDOW + 1
    share = 0.5 + seconds / (100 * slower)
    left = work(pace, clock, 0.5, share, seconds)
    assert left == pytest.approx((1 - share) * 100 * slower, rel=0.01)


def test_what_was_done_before_is_no_measure():
    """An interrupted zoom goes on at 80 %."""
    clock = Clock()
    pace = Pace(0, clock)
    assert pace.left(0.8) is None
    assert work(pace, clock, 0.8, 0.9, 30) == pytest.approx(30)


def test_at_the_end_nothing_is_left():
    clock = Clock()
    pace = Pace(3, clock)
    pace.left(0)
    clock.now += 1
    assert pace.left(1) == 0


def test_the_bar_tells_it_all_along(monkeypatch):
    told = []

    class Bar(tqdm.tqdm):
        def set_postfix_str(self, s="", refresh=True):
            told.append(s)
            super().set_postfix_str(s, refresh)

    clock = Clock()
    monkeypatch.setattr(tqdm, "tqdm", Bar)
    monkeypatch.setattr(progress, "Pace", lambda guess: Pace(guess, clock))
    with progress_bar("pixels", 100) as tell:
        tell(0, 1000)
        clock.now += 2 * WINDOW
        tell(100, 1000)
        tell(100, 1000)
        clock.now += 2 * WINDOW
        tell(500, 1000)
        tell(1000, 1000)
    assert told == ["about 01:40 left", "about 01:30 left", "about 00:25 left", "about 00:00 left"]


def test_short_work_shows_no_bar(capsys):
    with progress_bar("pixels", 0.5) as tell:
        for done in (0, 5, 10):
            tell(done, 10)
    assert capsys.readouterr().err == ""
