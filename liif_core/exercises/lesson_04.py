"""Checkers of lesson 04: units, many small questions, a counter-example, a plan, heat."""

import math
from collections.abc import Callable

import numpy as np
import torch

from liif_core.axes import axis_neighbours
from liif_core.coords import cell_size, pixel_centres
from liif_core.evaluate import make_pair
from liif_core.exercises.outputs import NOTHING, Output, described, number, outputs
from liif_core.metrics import psnr
from liif_core.models import Model, decoder_of
from liif_core.weights import load_model

#: Cells that training has seen, in photo pixels: magnifications from 4 down to 1.
SMALLEST, LARGEST = 0.25, 1.0

Ask = Callable[[float, float, float], float]


def cell_units(answer: Callable[[int, int], tuple[float, float, float]]) -> None:
    """Check `cell_units(n_in, n_out)` -> (in the frame, in photo pixels, as f hears it)."""
    for n_in, n_out in ((100, 320), (64, 64), (48, 576)):
        frame, pixels, heard = outputs(
            answer(n_in, n_out),
            Output("in the frame", float),
            Output("in photo pixels", float),
            Output("as f hears it", float),
        )
        where = f"from {n_in} to {n_out} pixels"
        assert n_in == n_out or not _same(frame, 2 / n_in), (
            f"{where}: the cell is a *new* pixel, so the frame is cut into {n_out} parts"
        )
        assert _same(frame, 2 / n_out), (
            f"{where}: the frame is 2 long, from -1 to 1, and {n_out} new pixels share it"
        )
        assert n_in == n_out or not _same(pixels, n_out / n_in), (
            f"{where}: turned round. A new pixel is smaller than a photo pixel when zooming in"
        )
        assert _same(pixels, n_in / n_out), (
            f"{where}: {n_in} photo pixels lie under {n_out} new ones; how many under one?"
        )
        assert _same(heard, frame * n_in), (
            f"{where}: f hears the cell in the frame, multiplied by the number of latent codes"
        )


def _same(found: float, wanted: float) -> bool:
    """Return whether two numbers are equal, one of them perhaps kept in single precision."""
    return math.isclose(found, wanted, rel_tol=1e-5)


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
    assert result is not None, NOTHING
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
    assert math.isclose(number(result, "the mean"), want, rel_tol=1e-6), (
        "the questions are right; now return the mean of their answers"
    )


def wrong_cell_wins(picture: np.ndarray, cell: float) -> None:
    """Check that on this picture, at ×2, this cell beats the true one of ½ by half a dB."""
    cell = number(cell, "the cell")
    assert isinstance(picture, np.ndarray), f"the picture is {described(picture)}, not an array"
    assert picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == np.uint8, (  # noqa: PT018
        f"a picture is (height, width, 3) of uint8; yours is {picture.shape} of {picture.dtype}"
    )
    assert min(picture.shape[:2]) >= 32 and max(picture.shape[:2]) <= 640, (  # noqa: PT018
        f"yours is {picture.shape[0]} × {picture.shape[1]} pixels; take 32 to 640 on each side"
    )
    assert 0 <= cell <= 2, f"a cell of {cell:g} photo pixels: take one between 0 and 2"
    assert abs(cell - 0.5) >= 0.05, f"{cell:g} is the true cell, or nearly: a wrong one is wanted"
    assert picture.std() > 1, "on one flat colour every cell is right: put something into it"
    reference, small = make_pair(picture, 2)
    model = load_model("liif-edsr-small", device="cpu")
    right, wrong = (_asked_with(model, small, reference, c) for c in (0.5, cell))
    assert wrong >= right + 0.5, (
        f"with the true cell {right:.2f} dB, with {cell:g} {wrong:.2f} dB: "
        + ("the true one wins. " if wrong <= right else "ahead, but by less than half a dB. ")
        + "Which pictures have pixels that are not means over their own area?"
    )


def _asked_with(model: Model, small: np.ndarray, reference: np.ndarray, cell: float) -> float:
    """Return the PSNR of a zoom whose questions all name a cell of that many photo pixels."""
    latents = model.encode(torch.from_numpy(small / np.float32(255)).permute(2, 0, 1)[None])
    decoder, (height, width) = decoder_of(model), small.shape[:2]
    rows, cols = (
        axis_neighbours(pixel_centres(many), few, local_ensemble=True)
        for many, few in zip(reference.shape[:2], small.shape[:2], strict=True)
    )
    term = decoder.cell_term(cell_size(height, width) * cell, (height, width))
    hidden = decoder.hidden_map(latents.codes)[0]
    zoom = decoder.grid(hidden, latents.colours[0].permute(1, 2, 0), rows, cols, term)
    return psnr(zoom.numpy().clip(0, 1), reference, border=2)


def plan(answer: Callable[[float], tuple[float, int]]) -> None:
    """Check `plan(scale)` -> (cell of each question in photo pixels, questions per side)."""
    for scale in (1.0, 2.5, 4.0, 8.0, 30.0, 0.5, 0.4, 1 / 3, 0.1):
        cell, n = outputs(answer(scale), Output("the cell", float), Output("n", int))
        new_pixel = 1 / scale
        where = f"at ×{scale:.3g} a new pixel covers {new_pixel:.3g} photo pixels"
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


Row = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float], np.ndarray]


def heat_row(answer: Row) -> None:
    """Check `heat_row(x, omega, a, b, cell)`: a sum of waves, seen by bell-shaped pixels.

    The reference is no formula: the row is sampled finely and averaged under the bell, number by
    number. The bell has the spread of a square pixel of that size, a variance of cell² / 12.
    """
    rng = np.random.default_rng(4)
    omega = np.array([0.7, 2.3, 5.0])  # radians per photo pixel
    a, b = rng.normal(size=(2, 3))
    x = np.linspace(-1.0, 1.0, 9)

    def told(cell: float) -> np.ndarray:
        return np.asarray(
            outputs(answer(x, omega, a, b, cell), Output("the row", np.ndarray, x.shape))
        )

    def row(places: np.ndarray) -> np.ndarray:
        phase = places[..., None] * omega
        return np.asarray(np.sin(phase) @ a + np.cos(phase) @ b)

    assert np.allclose(told(0.0), row(x), atol=1e-6), (
        "a pixel without size sees the waves themselves: at cell = 0 the row must be "
        "Σ a·sin(ω·x) + b·cos(ω·x)"
    )
    for cell in (0.25, 1.0, 2.0):
        found, wanted = told(cell), _under_a_bell(row, x, cell)
        where = f"for a pixel of {cell:g}"
        assert not np.allclose(found, row(x), atol=1e-4), f"{where} nothing is damped yet"
        assert not np.allclose(found, _under_a_bell(row, x, cell * 12**0.5), atol=1e-4), (
            f"{where} the bell is too wide: its variance is cell² / 12, not cell²"
        )
        assert np.allclose(found, wanted, atol=1e-4), (
            f"{where}, at x = {x[0]:g}, the mean under the bell is {wanted[0]:.4f}, yours says "
            f"{found[0]:.4f}. Each wave has its own factor, exp(−ω²·σ²/2) with σ² = cell² / 12"
        )


def _under_a_bell(
    row: Callable[[np.ndarray], np.ndarray], x: np.ndarray, cell: float
) -> np.ndarray:
    """Return the mean of a row under a Gaussian of variance cell² / 12 around each place."""
    sigma = cell / 12**0.5
    step = np.linspace(-6 * sigma, 6 * sigma, 2001)
    say = np.exp(-(step**2) / (2 * sigma**2))
    return np.asarray(row(x[:, None] + step) @ (say / say.sum()))
