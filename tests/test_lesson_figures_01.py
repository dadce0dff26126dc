"""The spectra that lesson 01 draws: the light dot lies where the stripes come back."""

import numpy as np
import pytest

from liif_core.figures import NAME_HEIGHT
from liif_core.lesson_figures import lesson_01 as plots
from liif_core.spectrum import Band, folded


def stripes(down: float, across: float, size: int = 120) -> np.ndarray:
    y, x = np.mgrid[0:size, 0:size]
    return 0.5 + 0.5 * np.cos(2 * np.pi * (down * y + across * x))


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6])
def test_the_light_dot_lies_where_the_stripes_fold_to(step: int) -> None:
    wave = (0.1, 0.35)
    frame = plots.folding(stripes(*wave)[::step, ::step], step, wave)
    assert frame.shape == (NAME_HEIGHT + 240, 484, 3)
    plane = frame[NAME_HEIGHT::2, 244::2].astype(float)
    marked = np.ptp(plane, axis=2) > 0  # the squares are yellow, all else is grey
    assert marked.any()
    row, col = np.unravel_index(np.where(marked, 0, plane[..., 0]).argmax(), (120, 120))
    for place, part in ((row, wave[0]), (col, wave[1])):
        assert abs(place - 60) / 120 == pytest.approx(folded(part, step), abs=1.01 / 120)


def test_the_squares_lie_on_the_stripes_own_wave() -> None:
    frame = plots.folding(stripes(0, 0.25)[::2, ::2], 2, (0, 0.25))
    plane = frame[NAME_HEIGHT:, 244:].astype(float)
    rows, cols = np.nonzero(np.ptp(plane, axis=2) > 0)
    assert rows.mean() == pytest.approx(120.5, abs=1)
    right = cols[cols > 120]
    assert (right.min() + right.max()) / 2 == pytest.approx(120 + 0.25 * 240, abs=1.5)


def test_a_spectrum_is_white_where_it_is_strongest() -> None:
    drawn = plots.spectrum_picture(np.array([[1.0, 1e-3], [1e-6, 0.0]]))
    assert drawn[..., 0].tolist() == [[255, 128], [0, 0]]
    assert plots.spectrum_picture(np.array([[1.0]]), strongest=1e3)[0, 0, 0] == 128


def test_bands_are_drawn_at_their_middle() -> None:
    bands = [Band(0, 0.5, 1, 1, 0), Band(0.5, 1, 0.25, 0.1, 0.01)]
    energy, agreement = plots.agreement_by_band({"a": bands}).axes
    assert energy.lines[0].get_xdata().tolist() == [0.25, 0.75]
    assert energy.lines[0].get_ydata().tolist() == [1, 0.25]
    assert agreement.lines[0].get_ydata().tolist() == [1, 0.1]
