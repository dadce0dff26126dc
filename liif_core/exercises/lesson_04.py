"""Checkers of lesson 04: the cell in three units, many small questions, a plan for any zoom."""

import math
from collections.abc import Callable

#: Cells that training has seen, in photo pixels: magnifications from 4 down to 1.
SMALLEST, LARGEST = 0.25, 1.0

Ask = Callable[[float, float, float], float]


def cell_units(answer: Callable[[int, int], tuple[float, float, float]]) -> None:
    """Check `cell_units(n_in, n_out)` -> (in the frame, in photo pixels, as f hears it)."""
    for n_in, n_out in ((100, 320), (64, 64), (48, 576)):
        frame, pixels, heard = answer(n_in, n_out)
        where = f"from {n_in} to {n_out} pixels"
        assert n_in == n_out or not math.isclose(frame, 2 / n_in), (
            f"{where}: the cell is a *new* pixel, so the frame is cut into {n_out} parts"
        )
        assert math.isclose(frame, 2 / n_out), (
            f"{where}: the frame is 2 long, from -1 to 1, and {n_out} new pixels share it"
        )
        assert n_in == n_out or not math.isclose(pixels, n_out / n_in), (
            f"{where}: turned round. A new pixel is smaller than a photo pixel when zooming in"
        )
        assert math.isclose(pixels, n_in / n_out), (
            f"{where}: {n_in} photo pixels lie under {n_out} new ones; how many under one?"
        )
        assert math.isclose(heard, frame * n_in), (
            f"{where}: f hears the cell in the frame, multiplied by the number of latent codes"
        )


def many_small(answer: Callable[[Ask, float, float, float, int], float]) -> None:
    """Check `many_small(ask, y, x, cell, n)`: the mean of n × n answers that tile the cell."""
    asked: list[tuple[float, float, float]] = []

    def ask(y: float, x: float, cell: float) -> float:
        """Return the exact mean of (y + 1)² · (x + 2)² over a square pixel."""
        asked.append((float(y), float(x), float(cell)))
        return ((y + 1) ** 2 + cell**2 / 12) * ((x + 2) ** 2 + cell**2 / 12)

    y, x, cell, n = 3.0, 5.5, 2.4, 3
    want = ask(y, x, cell)
    asked.clear()
    result = answer(ask, y, x, cell, n)
    assert len(asked) == n * n, (
        f"n = {n} means {n} rows of {n} questions, {n * n} in all; you asked {len(asked)}"
    )
    assert all(math.isclose(size, cell / n) for _, _, size in asked), (
        f"each small pixel must be {cell} / {n} = {cell / n:.1f} wide; yours:"
        f" {sorted({round(size, 3) for _, _, size in asked})}"
    )
    for axis, middle in ((0, y), (1, x)):
        places = sorted({round(question[axis], 6) for question in asked})
        right = [round(middle + (i + 0.5) / n * cell - cell / 2, 6) for i in range(n)]
        assert places == right, (
            f"the small pixels must lie side by side inside the big one, their centres at {right}"
            f" along {'yx'[axis]}; yours: {places}"
        )
    assert math.isclose(result, want, rel_tol=1e-6), (
        "the questions are right; now return the mean of their answers"
    )


def plan(answer: Callable[[float], tuple[float, int]]) -> None:
    """Check `plan(scale)` -> (cell of each question in photo pixels, questions per side)."""
    for scale in (1.0, 2.5, 4.0, 8.0, 30.0, 0.5, 0.4, 1 / 3, 0.1):
        cell, n = answer(scale)
        new_pixel = 1 / scale
        where = f"at ×{scale:.3g} a new pixel covers {new_pixel:.3g} photo pixels"
        assert isinstance(n, int), f"{where}: n must be a whole number, not {n!r}"
        assert n >= 1, f"{where}: at least one question must be asked, not {n}"
        assert cell <= LARGEST * (1 + 1e-6), (
            f"{where}: your cell of {cell:.3g} is larger than any in training. Ask more and"
            " smaller ones"
        )
        assert cell >= SMALLEST * (1 - 1e-6), (
            f"{where}: your cell of {cell:.3g} is smaller than any in training; keep it at"
            f" {SMALLEST}"
        )
        if scale <= 4:
            assert math.isclose(n * cell, new_pixel, rel_tol=1e-6), (
                f"{where}, but {n} × {cell:.3g} photo pixels are {n * cell:.3g}: the small pixels"
                " must fill the new one exactly"
            )
        fewest = max(1, math.ceil(new_pixel - 1e-9))
        assert n == fewest, f"{where}: {fewest} per side would do; you ask {n}"
