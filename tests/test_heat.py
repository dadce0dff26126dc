"""The heat field: its query, its exact cell, and its grid arranged as one matrix product."""

import json
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from liif_core import heat_cells, heat_grid
from liif_core.axes import Axis, axis_neighbours
from liif_core.coords import cell_size, coord_grid
from liif_core.heat import HIGHEST, HeatConfig, HeatField, first_frequencies
from liif_core.heat_grid import HeatGrid
from liif_core.liif import Latents

SMALL = HeatConfig(blocks=1, channels=6, width=8, waves=10)


@pytest.fixture(scope="module", params=[{}, {"depth": 0}, {"depth": 3, "powers": 2}], ids=str)
def model(request):
    torch.manual_seed(0)
    model = HeatField(replace(SMALL, **request.param)).eval().requires_grad_(False)
    torch.nn.init.normal_(model.writer[-1].weight, std=0.3)
    return model


def asked(height, width):
    coord = coord_grid(height, width, dtype=torch.float64).reshape(1, -1, 2)
    return coord, cell_size(height, width).double().expand_as(coord)


def axis(outputs, codes, start=0.0, stop=None):
    stop = codes if stop is None else stop
    places = start + (torch.arange(outputs, dtype=torch.float64) + 0.5) * (stop - start) / outputs
    tables = axis_neighbours(places * 2 / codes - 1, codes, local_ensemble=True)
    return Axis(tables.index, tables.delta.float(), tables.weight.float())


def on_a_grid(model, latents, rows, cols, cell):
    decoder = HeatGrid(model)
    hidden = decoder.hidden_map(latents.codes)[0]
    term = decoder.cell_term(cell.float(), tuple(latents.codes.shape[-2:]))
    return decoder.grid(hidden, latents.colours[0].permute(1, 2, 0), rows, cols, term)


def test_a_new_field_is_bilinear_interpolation():
    torch.manual_seed(1)
    fresh, photo = HeatField(SMALL), torch.rand(2, 3, 5, 7)
    coord, cell = asked(15, 21)
    with torch.no_grad():
        zoomed = fresh.query(fresh.encode(photo), coord.expand(2, -1, -1), cell.expand(2, -1, -1))
    expected = torch.nn.functional.interpolate(photo, (15, 21), mode="bilinear")
    assert torch.allclose(zoomed.view(2, 15, 21, 3).permute(0, 3, 1, 2), expected, atol=1e-6)


def test_the_cell_is_the_exact_mean_under_a_gaussian(model):
    """A pixel's answer is its code's own function, averaged; here by brute force."""
    latents = Latents(torch.randn(1, SMALL.channels, 1, 1), torch.zeros(1, 3, 1, 1))
    # A single code: nothing is blended. And a field for pixels of one size: it does not change.
    fields = model.fields(latents).double()[..., : 1 + 2 * SMALL.waves]
    double = HeatField(model.config).double().requires_grad_(False)
    double.load_state_dict(model.state_dict())
    sides = torch.tensor([0.7, 0.2], dtype=torch.float64)  # not square
    sigma = (2 * double.log_kappa.exp()).sqrt() * sides
    steps = torch.linspace(-6, 6, 601, dtype=torch.float64)
    share = torch.exp(-(steps**2) / 2)
    share = share / share.sum()
    centre = torch.tensor([0.1, -0.3], dtype=torch.float64)
    spread = torch.cartesian_prod(steps * sigma[0], steps * sigma[1]) * 2 + centre
    # Away from the photo's middle a coordinate would leave it: ask a thousandth of the way, of
    # waves a thousand times as short.
    double.omega.mul_(1000)
    double.log_kappa.sub_(2 * math.log(1000))
    inside = double.read(fields, spread[None] * 1e-3, torch.zeros(1, len(spread), 2))
    mean = (inside[0] * torch.outer(share, share).reshape(-1, 1)).sum(dim=0)
    once = double.read(fields, centre[None, None] * 1e-3, 2 * sides[None, None])
    assert torch.allclose(once[0, 0], mean, atol=1e-6)


def test_a_steeper_falloff_keeps_more_of_slow_waves_and_less_of_fast_ones():
    gaussian = HeatField(SMALL)
    steep = HeatField(replace(SMALL, falloff=3.0))
    sides = torch.rand(50, 2, generator=torch.Generator().manual_seed(0)) * 2
    with torch.no_grad():
        for model in (gaussian, steep):
            model.log_kappa.zero_()
            model.omega.copy_(torch.linspace(-2, 2, 2 * SMALL.waves).view(-1, 2))
        expected = torch.exp(-((sides[:, None] * steep.omega).abs() ** 3).sum(dim=-1))
        torch.testing.assert_close(steep.damping(sides), expected)
        slow = (sides[:, None] * steep.omega).abs().amax(dim=-1) < 0.9
        fast = (sides[:, None] * steep.omega).abs().amin(dim=-1) > 1.1
        assert (steep.damping(sides) > gaussian.damping(sides))[slow].all()
        assert (steep.damping(sides) < gaussian.damping(sides))[fast].all()
        assert slow.any()
        assert fast.any()


def test_a_file_from_before_there_was_a_choice_is_as_the_paper_has_it():
    values = SMALL.to_dict()
    for key in ("falloff", "depth", "powers"):
        del values[key]
    assert HeatConfig.from_dict(values) == SMALL
    assert (SMALL.falloff, SMALL.depth, SMALL.powers) == (2, 1, 0)


def test_fields_are_polynomials_in_the_pixels_side():
    torch.manual_seed(4)
    config = replace(SMALL, powers=2)
    model = HeatField(config).eval().requires_grad_(False)
    torch.nn.init.normal_(model.writer[-1].weight, std=0.3)
    plain = HeatField(replace(config, powers=0)).eval().requires_grad_(False)
    latents = model.encode(torch.rand(1, 3, 6, 5))
    coord = torch.rand(1, 30, 2) * 2 - 1
    others = {k: v for k, v in model.state_dict().items() if not k.startswith("writer.4")}
    last = model.writer[-1]
    parts = [part.unflatten(0, (3, 3, -1)) for part in (last.weight, last.bias)]
    for sides, side in (((0.5, 0.5), 0.5), ((0.9, 0.4), 0.6), ((2.0, 3.0), 1.0), ((0.0, 0.5), 0.0)):
        # The same as a field that does not know the size, written by a layer for this one.
        mixed = [sum(side**p * part[:, p] for p in range(3)).flatten(0, 1) for part in parts]
        own = dict(zip(("writer.4.weight", "writer.4.bias"), mixed, strict=True))
        plain.load_state_dict(others | own)
        cell = (torch.tensor(sides) * 2 / torch.tensor([6, 5])).expand_as(coord)
        found = model.query(latents, coord, cell)
        torch.testing.assert_close(found, plain.query(latents, coord, cell), atol=1e-5, rtol=0)
        torch.testing.assert_close(model.query(latents, coord, cell[:, :1]), found)
    blind = HeatField(replace(config, cell_decoding=False)).requires_grad_(False)
    assert blind.powers(torch.tensor([0.5, 0.5])).tolist() == [1, 0, 0]


@pytest.mark.parametrize("powers", [0, 2])
def test_training_asks_what_the_query_answers(powers):
    """Also of photos that are each asked for pixels of one size, told once or for each query."""
    torch.manual_seed(5)
    model = HeatField(replace(SMALL, powers=powers)).eval().requires_grad_(False)
    torch.nn.init.normal_(model.writer[-1].weight, std=0.3)
    latents = model.encode(torch.rand(3, 3, 6, 5))
    coord = torch.rand(3, 20, 2) * 2 - 1
    one = torch.rand(3, 1, 2) * 0.5
    decoder = HeatGrid(model)
    hidden = decoder.hidden_map(latents.codes)
    for cell in (one, one.expand_as(coord), torch.rand(3, 20, 2)):
        found = decoder.query(hidden, latents.colours, coord, cell)
        expected = model.query(latents, coord, cell.expand_as(coord))
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("photo", "result"),
    [
        ((7, 9), (7, 9)),
        ((7, 9), (21, 27)),
        ((5, 11), (23, 50)),
        ((8, 8), (5, 3)),
        ((1, 1), (5, 5)),
        ((12, 14), (6, 7)),  # cells of one output, between them codes that nobody asks
        ((9, 8), (3, 8)),
        ((20, 20), (5, 40)),
    ],
)
@pytest.mark.parametrize("chunk", [60, 1 << 18])
def test_the_grid_is_the_query(model, photo, result, chunk, monkeypatch):
    monkeypatch.setattr(heat_grid, "CHUNK", chunk)
    monkeypatch.setattr(heat_grid, "LEAST", 1)
    monkeypatch.setattr(heat_cells, "FEWEST", 1)
    latents = Latents(torch.randn(1, SMALL.channels, *photo), torch.rand(1, 3, *photo) * 2 - 1)
    coord, cell = asked(*result)
    expected = model.query(latents, coord, cell).view(*result, 3)
    rows, cols = (axis(n, codes) for n, codes in zip(result, photo, strict=True))
    found = on_a_grid(model, latents, rows, cols, cell[0, 0])
    assert (found - expected).abs().max() <= 1e-5


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.floats(0, 0.6), st.floats(0.7, 1)),
)
def test_any_part_of_a_photo_at_any_density(photo, result, part):
    torch.manual_seed(2)
    model = HeatField(replace(SMALL, waves=3)).eval().requires_grad_(False)
    torch.nn.init.normal_(model.writer[-1].weight, std=0.3)
    latents = Latents(torch.randn(1, SMALL.channels, *photo), torch.rand(1, 3, *photo) * 2 - 1)
    ends = [(part[0] * n, part[1] * n) for n in photo]
    places = [
        (a + (torch.arange(n, dtype=torch.float64) + 0.5) * (b - a) / n) * 2 / codes - 1
        for n, codes, (a, b) in zip(result, photo, ends, strict=True)
    ]
    coord = torch.cartesian_prod(*places)[None]
    pixel = torch.tensor([(b - a) / n for n, (a, b) in zip(result, ends, strict=True)])
    cell = (2 * pixel / torch.tensor(photo)).expand_as(coord)
    expected = model.query(latents, coord, cell).view(*result, 3)
    rows, cols = (axis(n, codes, *e) for n, codes, e in zip(result, photo, ends, strict=True))
    found = on_a_grid(model, latents, rows, cols, cell[0, 0])
    assert (found - expected).abs().max() <= 1e-5


@pytest.mark.parametrize(
    ("part", "cells"),
    [
        ((1.25, 6.5), (3, 4, 6)),  # in input pixels; cells begin at 0.5, 1.5, …
        ((1.5, 6.75), (0, 4, 6)),
        ((2.0, 2.75), None),  # no cell is whole: decoded without
        ((2.75, 3.25), (0, 2, 1)),  # of one alone
        ((0.0, 9.0), (0, 4, 8)),
    ],
)
def test_a_result_may_begin_and_end_within_a_cell(model, part, cells, monkeypatch):
    """At ×4, all but the photo's border is one matrix product: no output is decoded by itself."""
    monkeypatch.setattr(heat_cells, "FEWEST", 1)
    latents = Latents(torch.randn(1, SMALL.channels, 9, 9), torch.rand(1, 3, 9, 9) * 2 - 1)
    outputs = round(4 * (part[1] - part[0]))
    one = axis(outputs, 9, *part)
    found = heat_cells.Cells.of(one)
    assert (found and (found.skipped, found.size, found.count)) == cells
    if found:
        assert found.stop - found.start == outputs - 4 * (part == (0.0, 9.0))
    places = part[0] + (torch.arange(outputs, dtype=torch.float64) + 0.5) / 4
    coord = torch.cartesian_prod(places, places)[None] * 2 / 9 - 1
    cell = torch.full_like(coord, 2 / 4 / 9)
    expected = model.query(latents, coord, cell).view(outputs, outputs, 3)
    answers = on_a_grid(model, latents, one, one, cell[0, 0])
    assert answers.shape == expected.shape
    assert (answers - expected).abs().max() <= 1e-5


def test_frequencies_are_spread_over_half_a_disc():
    omega = first_frequencies(200)
    assert omega.norm(dim=1).max() < HIGHEST
    both = torch.cat([omega, -omega])
    quarter = ((both[:, 0] > 0) & (both[:, 1] > 0)).float().mean()
    assert 0.2 < quarter < 0.3
    assert (omega.norm(dim=1) < HIGHEST / 2).float().mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("more", [{}, {"depth": 2, "powers": 2}], ids=str)
def test_gradients_reach_everything(more):
    torch.manual_seed(3)
    fresh = HeatField(replace(SMALL, **more))
    torch.nn.init.normal_(fresh.writer[-1].weight, std=0.3)
    coord, cell = asked(6, 6)
    fresh.query(fresh.encode(torch.rand(1, 3, 4, 4)), coord, cell).square().sum().backward()
    for name, parameter in fresh.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_a_configuration_survives_json():
    assert HeatConfig.from_dict(json.loads(json.dumps(SMALL.to_dict()))) == SMALL
    wrong_ones = ({"blocks": 0}, {"waves": 2.5}, {"width": True}, {"more": 1}, {"cell_decoding": 1})
    wrong_ones += ({"falloff": 0.5}, {"falloff": True}, {"falloff": "2"})
    wrong_ones += ({"depth": -1}, {"powers": 9}, {"powers": True}, {"powers": 1.0})
    for wrong in wrong_ones:
        with pytest.raises(ValueError, match="heat field configuration"):
            HeatConfig.from_dict({**SMALL.to_dict(), **wrong})
