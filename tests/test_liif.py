"""The two implementations of LIIF, the readable and the fast one, against `reference.py`."""

import copy
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import reference
import torch
from torch import Tensor

from liif_core import axes, folded_grid
from liif_core.axes import Axis, axis_neighbours
from liif_core.coords import pixel_centres
from liif_core.edsr import EDSR
from liif_core.folded import FoldedDecoder
from liif_core.liif import CONFIGS, LIIF, LIIFConfig

SWITCHES = ("local_ensemble", "feature_unfolding", "cell_decoding", "local_colour")
TINY = LIIFConfig(blocks=2, channels=4, hidden=(8, 8))
ABLATIONS = [
    LIIFConfig.from_dict({**TINY.to_dict(), **dict(zip(SWITCHES, on, strict=True))})
    for on in product([True, False], repeat=len(SWITCHES))
]
FAMILIES = [
    replace(config, channels=4, hidden=(8,) * len(config.hidden))
    for config in CONFIGS.values()
    if not config.noise  # the paper knows none: see tests/test_noise_field.py
]


def describe(config: LIIFConfig) -> str:
    on = [switch for switch in SWITCHES if getattr(config, switch)]
    return f"{config.blocks}x{config.channels}-{len(config.hidden)}-{'+'.join(on) or 'bare'}"


def make_model(config: LIIFConfig = TINY, seed: int = 0) -> LIIF:
    """A model with random weights, loud enough for any mistake to be far above the tolerance."""
    generator = torch.Generator().manual_seed(seed)
    model = LIIF(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            fan_in = parameter[0].numel() if parameter.ndim > 1 else 25
            gain = 1.4 if name.startswith("imnet") else 0.7
            parameter.normal_(0, gain * fan_in**-0.5, generator=generator)
    return model


def make_photo(height: int, width: int, seed: int = 1) -> Tensor:  # (1, 3, H, W) in [0, 1]
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def telling_places(n: int) -> list[float]:
    """Coordinates along an axis of `n` codes where an implementation may go wrong."""
    just_inside = float(np.nextafter(np.float32(1), np.float32(0)))
    ends = [-1.0, 1.0, -just_inside, just_inside, -1 + 1e-6, 1 - 1e-6]
    centres = [(2 * i + 1) / n - 1 for i in sorted({0, n // 2, n - 1})]
    borders = [2 * i / n - 1 for i in sorted({1, n // 2, n - 1}) if 0 < i < n]
    return [*ends, *centres, *borders, 0.123, -0.777]


def crossings(ys: list[float], xs: list[float]) -> Tensor:  # (1, Q, 2)
    return torch.tensor(list(product(ys, xs)), dtype=torch.float32)[None]


def query_model(model: LIIF, photo: Tensor, coord: Tensor, cell: Tensor) -> Tensor:
    return model.query(model.encode(photo), coord, cell)


def query_folded(model: LIIF, photo: Tensor, coord: Tensor, cell: Tensor) -> Tensor:
    decoder, latents = FoldedDecoder(model), model.encode(photo)
    return decoder.query(decoder.hidden_map(latents.codes), latents.colours, coord, cell)


def query_reference(model: LIIF, photo: Tensor, coord: Tensor, cell: Tensor) -> Tensor:
    """One photo's queries, (1, Q, 3)."""
    switches = {switch: getattr(model.config, switch) for switch in SWITCHES}
    arrays = (photo[0].numpy(), coord[0].numpy(), cell[0].numpy())
    return torch.from_numpy(reference.query(model.state_dict(), *arrays, **switches))[None]


def assert_same(result: Tensor, expected: Tensor) -> None:
    assert result.dtype == torch.float32
    torch.testing.assert_close(result.double(), expected.double(), rtol=0, atol=1e-5)


@torch.no_grad()
def assert_equals_reference(model: LIIF, photo: Tensor, coord: Tensor, cell: Tensor) -> Tensor:
    expected = query_reference(model, photo, coord, cell)
    assert_same(query_model(model, photo, coord, cell), expected)
    assert_same(query_folded(model, photo, coord, cell), expected)
    return expected


@torch.no_grad()
def render_grid(model: LIIF, photo: Tensor, height: int, width: int) -> Tensor:  # (h, w, 3)
    """A whole picture by `FoldedDecoder.grid`."""
    decoder, latents = FoldedDecoder(model), model.encode(photo)

    def axis(outputs: int, codes: int) -> Axis:
        centres = pixel_centres(outputs, dtype=torch.float64)
        exact = axis_neighbours(centres, codes, local_ensemble=model.config.local_ensemble)
        return Axis(exact.index, exact.delta.float(), exact.weight.float())

    size = (photo.shape[2], photo.shape[3])
    return decoder.grid(
        decoder.hidden_map(latents.codes)[0],
        latents.colours[0].permute(1, 2, 0),
        axis(height, size[0]),
        axis(width, size[1]),
        torch.as_tensor(decoder.cell_term(torch.tensor([2 / height, 2 / width]), size)),
    )


def every_pixel(height: int, width: int) -> tuple[Tensor, Tensor]:
    """The coordinates and cells of a whole picture, (1, height · width, 2) each."""
    ys = [(2 * i + 1) / height - 1 for i in range(height)]
    xs = [(2 * i + 1) / width - 1 for i in range(width)]
    coord = crossings(ys, xs)
    return coord, torch.tensor([2 / height, 2 / width]).expand_as(coord)


# ── Both implementations compute the paper's function ────────────────────────────────────────────


@pytest.mark.parametrize("config", ABLATIONS + FAMILIES, ids=describe)
def test_queries_at_telling_places(config: LIIFConfig) -> None:
    coord = crossings(telling_places(5), telling_places(8))
    cell = torch.tensor([0.11, 0.03]).expand_as(coord)
    result = assert_equals_reference(make_model(config), make_photo(5, 8), coord, cell)
    assert result.std() > 0.05  # loud enough for the comparison to mean something


@pytest.mark.parametrize("config", ABLATIONS + FAMILIES, ids=describe)
@pytest.mark.parametrize("chunk", [4096, 7])
def test_whole_pictures_by_grid(
    config: LIIFConfig, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folded_grid, "CHUNK_PIXELS", chunk)  # 7: blocks smaller than one row
    model, photo = make_model(config, seed=2), make_photo(5, 4)
    expected = query_reference(model, photo, *every_pixel(7, 11))
    assert_same(render_grid(model, photo, 7, 11), expected.view(7, 11, 3))


@pytest.mark.parametrize("least", [axes.NEGLIGIBLE, -1.0])  # -1: every code is asked
@pytest.mark.parametrize("size", [(15, 12), (25, 20), (15, 20), (5, 4), (10, 8)])
def test_codes_of_no_weight_may_be_left_out(
    size: tuple[int, int], least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(axes, "NEGLIGIBLE", least)
    model, photo = make_model(ABLATIONS[0], seed=3), make_photo(5, 4)
    expected = query_reference(model, photo, *every_pixel(*size))
    assert_same(render_grid(model, photo, *size), expected.view(*size, 3))


@pytest.mark.parametrize("ensemble", [True, False])
@pytest.mark.parametrize("photo_size", [(1, 1), (1, 6), (6, 1), (2, 3), (7, 5)])
@pytest.mark.parametrize("size", [(1, 1), (2, 13), (9, 4), (7, 5)])  # above, below and at scale 1
def test_sizes_and_scales(
    photo_size: tuple[int, int], size: tuple[int, int], ensemble: bool
) -> None:
    config = replace(TINY, blocks=1, local_ensemble=ensemble, local_colour=ensemble)
    model, photo = make_model(config, seed=3), make_photo(*photo_size)
    expected = assert_equals_reference(model, photo, *every_pixel(*size))
    assert_same(render_grid(model, photo, *size), expected.view(*size, 3))


@pytest.mark.parametrize("photo_size", [(1, 1), (1, 6), (6, 1), (3, 2)])
def test_telling_places_of_slender_photos(photo_size: tuple[int, int]) -> None:
    coord = crossings(telling_places(photo_size[0]), telling_places(photo_size[1]))
    cell = torch.tensor([0.4, 2.0]).expand_as(coord)
    assert_equals_reference(make_model(seed=4), make_photo(*photo_size), coord, cell)


def test_each_query_has_its_own_cell() -> None:
    generator = torch.Generator().manual_seed(5)
    coord = torch.rand(1, 60, 2, generator=generator) * 2 - 1
    cell = torch.rand(1, 60, 2, generator=generator)
    assert_equals_reference(make_model(seed=5), make_photo(6, 9), coord, cell)


@torch.no_grad()
def test_photos_of_a_batch_do_not_mix() -> None:
    model = make_model(replace(TINY, local_colour=True), seed=6)
    generator = torch.Generator().manual_seed(6)
    photos = torch.rand(3, 3, 5, 4, generator=generator)
    coord = torch.rand(3, 20, 2, generator=generator) * 2 - 1
    cell = torch.rand(3, 20, 2, generator=generator)
    together = model.query(model.encode(photos), coord, cell)
    expected = torch.cat(
        [query_reference(model, photos[[i]], coord[[i]], cell[[i]]) for i in range(3)]
    )
    assert_same(together, expected)
    assert_same(query_folded(model, photos, coord, cell), expected)


def test_a_decoder_without_hidden_layers() -> None:
    config = LIIFConfig.from_dict({**TINY.to_dict(), "hidden": [], "local_colour": True})
    model, photo = make_model(config), make_photo(4, 5)
    expected = assert_equals_reference(model, photo, *every_pixel(6, 7))
    assert_same(render_grid(model, photo, 6, 7), expected.view(6, 7, 3))


@torch.no_grad()
def test_published_widths_and_unused_official_keys() -> None:
    model, photo = make_model(CONFIGS["edsr-baseline-liif"], seed=7), make_photo(3, 4)
    coord, cell = every_pixel(2, 5)
    state = {**model.state_dict(), "encoder.sub_mean.weight": torch.eye(3)[..., None, None]}
    arrays = (photo[0].numpy(), coord[0].numpy(), cell[0].numpy())
    expected = torch.from_numpy(reference.query(state, *arrays))[None]
    assert_same(model.query(model.encode(photo), coord, cell), expected)


# ── What the paper says about the parts ──────────────────────────────────────────────────────────


@torch.no_grad()
def test_local_colour_alone_is_bilinear_interpolation() -> None:
    """With f_θ silent, the ensemble of input pixels is `align_corners=False` bilinear."""
    model = make_model(replace(TINY, local_colour=True))
    for parameter in model.imnet.parameters():
        parameter.zero_()
    photo = make_photo(5, 7)
    expected = torch.nn.functional.interpolate(photo, size=(13, 17), mode="bilinear")
    coord, cell = every_pixel(13, 17)
    result = model.query(model.encode(photo), coord, cell)
    assert_same(result.view(13, 17, 3), expected[0].permute(1, 2, 0))


@torch.no_grad()
def test_the_ensemble_removes_jumps_at_code_borders() -> None:
    photo, cell = make_photo(6, 6), torch.full((1, 2, 2), 0.1)
    border = 1 / 3
    sides = torch.tensor([[[0.2, border - 1e-4], [0.2, border + 1e-4]]])
    jump = {}
    for ensemble in (True, False):
        model = make_model(replace(TINY, local_ensemble=ensemble), seed=8)
        left, right = model.query(model.encode(photo), sides, cell)[0]
        jump[ensemble] = (left - right).abs().max()
    assert jump[True] < 0.01 < jump[False]


@torch.no_grad()
def test_answers_explain_the_query() -> None:
    model, photo = make_model(seed=9), make_photo(4, 4)
    # A quarter of the way from the centre of code (1, 1) to its right and lower neighbours.
    coord = torch.tensor([[[-0.25 + 0.125, -0.25 + 0.125]]])
    cell = torch.full_like(coord, 0.2)
    answers = model.answers(model.encode(photo), coord, cell)
    assert answers.index[0, 0].tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]
    expected_weights = torch.tensor([9, 3, 3, 1]) / 16
    torch.testing.assert_close(answers.weight[0, 0], expected_weights)
    expected_delta = torch.tensor([[0.5, 0.5], [0.5, -1.5], [-1.5, 0.5], [-1.5, -1.5]])
    torch.testing.assert_close(answers.delta[0, 0], expected_delta)
    blended = (answers.rgb * answers.weight[..., None]).sum(2) * 0.5 + 0.5
    torch.testing.assert_close(blended, model.query(model.encode(photo), coord, cell))


@torch.no_grad()
def test_the_cell_matters_only_with_cell_decoding() -> None:
    photo, coord = make_photo(5, 5), torch.tensor([[[0.3, -0.4]]])
    for decoding in (True, False):
        model = make_model(replace(TINY, cell_decoding=decoding), seed=10)
        for ask in (query_model, query_folded):
            small = ask(model, photo, coord, torch.full_like(coord, 0.1))
            large = ask(model, photo, coord, torch.full_like(coord, 0.8))
            assert torch.equal(small, large) is not decoding


# ── Gradients, state, size ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("config", ABLATIONS, ids=describe)
def test_gradients_of_the_folded_query_are_those_of_the_model(config: LIIFConfig) -> None:
    model = make_model(config, seed=11)
    generator = torch.Generator().manual_seed(11)
    coord = torch.rand(2, 40, 2, generator=generator) * 2 - 1
    cell = torch.rand(2, 40, 2, generator=generator)
    direction = torch.randn(2, 40, 3, generator=generator)
    pixels = torch.rand(2, 3, 5, 6, generator=generator)

    def gradients(ask: Callable[..., Tensor]) -> dict[str, Tensor]:
        model.zero_grad()
        photo = pixels.clone().requires_grad_()
        (ask(model, photo, coord, cell) * direction).sum().backward()
        found = {"photo": photo.grad, **{n: p.grad for n, p in model.named_parameters()}}
        return {name: grad.clone() for name, grad in found.items() if grad is not None}

    expected, result = gradients(query_model), gradients(query_folded)
    assert set(expected) == {"photo", *dict(model.named_parameters())}
    assert all(grad.abs().max() > 0 for grad in expected.values())
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_no_state_is_kept_on_the_model() -> None:
    model, photo = make_model(), make_photo(4, 5)
    before = copy.deepcopy({name: module.__dict__ for name, module in model.named_modules()})
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    coord, cell = every_pixel(3, 3)
    first = model.encode(photo)
    answer = model.query(first, coord, cell)
    query_folded(model, photo, coord, cell)
    model.query(model.encode(make_photo(7, 2, seed=9)), coord, cell)

    assert model.state_dict().keys() == weights.keys()
    assert all(torch.equal(weights[name], tensor) for name, tensor in model.state_dict().items())
    for name, module in model.named_modules():
        assert module.__dict__.keys() == before[name].keys()
        for container in ("_buffers", "_parameters", "_modules"):
            assert module.__dict__[container].keys() == before[name][container].keys()
    assert torch.equal(model.query(first, coord, cell), answer)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("edsr-baseline-liif", 1_567_299),
        ("liif-edsr-small", 391_155),
        ("liif-edsr", 1_266_115),
        ("liif-edsr-crisp", 1_266_883),
    ],
)
def test_parameter_counts(name: str, count: int) -> None:
    with torch.device("meta"):
        model = LIIF(CONFIGS[name])
    assert sum(parameter.numel() for parameter in model.parameters()) == count


def test_every_configuration_is_counted() -> None:
    assert set(CONFIGS) == {"edsr-baseline-liif", "liif-edsr-small", "liif-edsr", "liif-edsr-crisp"}


@pytest.mark.parametrize("blocks", [1, 2, 4])
@torch.no_grad()
def test_receptive_radius_is_how_far_a_pixel_is_felt(blocks: int) -> None:
    encoder: EDSR = make_model(replace(TINY, blocks=blocks)).encoder.double()
    radius = encoder.receptive_radius
    side = 2 * radius + 7
    middle = side // 2
    photo = make_photo(side, side).double()
    changed = photo.clone()
    changed[..., middle, middle] += 1
    felt = (encoder(photo) != encoder(changed)).any(dim=1)[0]
    for axis in (0, 1):
        reached = felt.any(dim=axis).nonzero().flatten()
        assert [reached.min().item(), reached.max().item()] == [middle - radius, middle + radius]


# ── Configurations ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("config", [*CONFIGS.values(), *ABLATIONS], ids=describe)
def test_configurations_survive_json_values(config: LIIFConfig) -> None:
    values = config.to_dict()
    assert all(type(value) in (int, bool, list) for value in values.values())
    assert LIIFConfig.from_dict(values) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 3}, "unknown or missing depth"),
        ({"blocks": 0}, "blocks must be an integer in 1 … 1024"),
        ({"blocks": True}, "blocks must be an integer"),
        ({"channels": 1025}, "channels must be an integer in 1 … 1024"),
        ({"channels": 48.0}, "channels must be an integer"),
        ({"hidden": 64}, "hidden must be a list of at most 16 integers in 1 … 4096"),
        ({"hidden": [8] * 17}, "hidden must be a list of at most 16"),
        ({"hidden": "64"}, "hidden must be a list"),
        ({"hidden": [64, 0]}, "hidden must be a list"),
        ({"hidden": [64, 5000]}, "hidden must be a list"),
        ({"local_ensemble": 1}, "local_ensemble must be true or false"),
        ({"local_colour": None}, "local_colour must be true or false"),
    ],
)
def test_wrong_configurations_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LIIFConfig.from_dict({**LIIFConfig().to_dict(), **change})


def test_an_incomplete_configuration_is_refused() -> None:
    values = LIIFConfig().to_dict()
    del values["hidden"], values["blocks"]
    with pytest.raises(ValueError, match="unknown or missing blocks, hidden"):
        LIIFConfig.from_dict(values)
