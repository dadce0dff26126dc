"""Lesson 11's checkers: stubs fail, different solutions pass, typical slips get their own hint."""

import numpy as np
import pytest

from liif_core.exercises import is_solved, lesson_11


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("right", [1.2983, 1.3, np.float64((24 * np.log(2)) ** 0.5 / np.pi)])
def test_where_half_of_a_wave_is_gone(right: float) -> None:
    assert is_solved(lesson_11.half_gone, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (1.0, "leaves 66% of this wave, and half is wanted: try a larger one"),
        (2, "try a smaller one"),
        (24 * np.log(2) / np.pi**2, "the side's square"),
        (np.log(2) ** 0.5 / np.pi, "κ got lost"),
        ((24 * np.log(2)) ** 0.5 / 0.5, "radians per pixel"),
        (-1.3, "a side above 0"),
        (None, "None"),
    ],
)
def test_where_it_is_not(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_11.half_gone, wrong)
    assert hint in said(capsys)


def splat_row(x, place, spread, amount, cell):  # type: ignore[no-untyped-def]
    wider = np.hypot(spread, cell / 12**0.5)
    return np.exp(-0.5 * ((x[:, None] - place) / wider) ** 2) @ (amount * spread / wider)


def splat_by_splat(x, place, spread, amount, cell):  # type: ignore[no-untyped-def]
    row = np.zeros(len(x))
    for p, s, a in zip(place, spread, amount, strict=True):
        variance = s * s + cell * cell / 12
        row += a * s / variance**0.5 * np.exp(-((x - p) ** 2) / 2 / variance)
    return row


@pytest.mark.parametrize("right", [splat_row, splat_by_splat])
def test_what_pixels_see_of_splats(right) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_11.splat_row, right)


def kept_height(x, place, spread, amount, cell):  # type: ignore[no-untyped-def]
    wider = np.hypot(spread, cell / 12**0.5)
    return np.exp(-0.5 * ((x[:, None] - place) / wider) ** 2) @ amount


def spreads_added(x, place, spread, amount, cell):  # type: ignore[no-untyped-def]
    wider = spread + cell / 12**0.5
    return np.exp(-0.5 * ((x[:, None] - place) / wider) ** 2) @ (amount * spread / wider)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda *_: None, "returns nothing"),
        (lambda x, p, s, a, c: splat_row(x, p, s, a, 0), "the same as one without any size"),
        (kept_height, "What a blur spreads out it also lowers"),
        (lambda x, p, s, a, c: splat_row(x, p, s, a, c * 12**0.5), "c² / 12"),
        (lambda x, p, s, a, c: splat_row(x, p, 2 * s, a, c), "without any size (cell = 0)"),
        (spreads_added, "Do the *variances* add up"),
        (lambda x, p, s, a, c: splat_row(x, p, s, a, c)[:, None], "the shape"),
        (
            lambda x, p, s, a, c: splat_row(x, p, s, a, c) + (len(x) == 1),
            "wrong for a single one",
        ),
    ],
)
def test_what_they_do_not_see(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_11.splat_row, wrong)
    assert hint in said(capsys)


def folding(wave):  # type: ignore[no-untyped-def]
    """Stand in for two decoders: what is finer than ¼ comes back folded, and paler."""
    back = tuple(part - 0.5 * np.sign(part) * (abs(part) > 0.25) for part in wave)
    strength = 0.28 if back == tuple(wave) else 0.3 - 0.7 * (max(map(abs, wave)) - 0.25) / 0.1 * 0.3
    return {"LIIF": (*back, strength), "heat field": (-back[0], -back[1], strength)}


@pytest.mark.parametrize("right", [(0.1, 0.3), [0, 0.31], np.array([-0.3, 0.02])])
def test_a_wave_that_fools_both(right) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_11.fooled, right, folding)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ((0.1, 0.05), "that is your wave, and right"),
        ((0.0, 0.45), "so pale that nobody is fooled"),
        ((0.0, 0.7), "more than ½ cycle per pixel"),
        ((0, 0.01), "hardly a wave"),
        (0.3, "two numbers"),
        (("a", 0.3), "the text 'a'"),
    ],
)
def test_a_wave_that_fools_nobody(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_11.fooled, wrong, folding)
    assert hint in said(capsys)


def test_both_must_be_fooled(capsys: pytest.CaptureFixture[str]) -> None:
    def one_knows(wave):  # type: ignore[no-untyped-def]
        return folding(wave) | {"heat field": (*wave, 0.3)}

    assert not is_solved(lesson_11.fooled, (0.1, 0.3), one_knows)
    assert "heat field draws (0.10, 0.30)" in said(capsys)


GOOD = (
    "Same encoder? Same training data, steps and recipe? How much does it vary with the seed? "
    "On which photos and at which magnifications? What does a pixel cost?"
)
OTHER = (
    "Does your LIIF share the backbone, and was it trained for as many epochs as yours? Did you "
    "repeat the run, and is 0.3 dB significant? Which test set? How fast is it?"
)


@pytest.mark.parametrize("right", [GOOD, OTHER, GOOD.upper(), GOOD.replace("? ", "?\n")])
def test_good_questions(right: str) -> None:
    assert is_solved(lesson_11.questions, right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("", "no question yet"),
        (3, "in quotes"),
        (GOOD.replace("Same encoder?", ""), "the same encoder"),
        (GOOD.replace("Same training data, steps and recipe?", ""), "trained alike"),
        (GOOD.replace("How much does it vary with the seed?", ""), "by chance"),
        (GOOD.replace("On which photos and at which magnifications?", ""), "at which magnif"),
        (GOOD.replace("What does a pixel cost?", ""), "what it costs"),
        (GOOD.replace("?", "."), "0 question marks"),
        (GOOD + " Really?" * 120, "the author has time for 120"),
    ],
)
def test_questions_that_are_missing(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_11.questions, wrong)
    assert hint in said(capsys)


def test_stubs_fail() -> None:
    def stub(*_: object) -> float:
        raise NotImplementedError

    assert not is_solved(lesson_11.splat_row, stub)
