"""Noise as a function of position: the same wherever it is asked, and the same everywhere."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_models import asked, noise

from liif_core import noise_field as noise_field_module
from liif_core.ablation import ablated
from liif_core.errors import LiifError
from liif_core.grid import ArrayPixels
from liif_core.liif import LIIF, LIIFConfig
from liif_core.models import decoder_of, seed_of, set_seed
from liif_core.noise_field import LATTICES, Lattice, noise_field
from liif_core.render import ContinuousPhoto, render
from liif_core.training.grow import grow
from liif_core.weights import load_model, save_weights
from liif_core.zooming.fewer_codes import FewerCodes
from liif_core.zooming.job import Task
from liif_core.zooming.photo import renderer_for

CHANNELS = len(LATTICES)


def places(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    spots = torch.rand(2, count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (spots[0] - 0.5) * 4000, (spots[1] - 0.5) * 4000


def test_it_is_what_it_was():
    """These values were computed once: on any machine, and for ever, a seed gives these."""
    y = torch.tensor([0.5, 100.25, 0.0], dtype=torch.float64)
    x = torch.tensor([0.5, -7.75, 123456.7], dtype=torch.float64)
    found = noise_field(y, x, 0.25, 7, 3)
    expected = [
        [-0.0105016, 0.3137190, 0.2948984],
        [-0.4768845, 0.7069345, 0.4256428],
        [-0.1763206, 1.6267250, -0.2107335],
    ]
    torch.testing.assert_close(found, torch.tensor(expected), atol=1e-5, rtol=0)


def one_value(lattice: Lattice, y: float, x: float, cell: float, seed: int, channel: int) -> float:
    """The field as it is told, at one point, in Python's own integers."""

    def mixed(bits: int) -> int:
        bits = ((bits ^ (bits >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
        bits = ((bits ^ (bits >> 15)) * 0x846CA68B) & 0xFFFFFFFF
        return bits ^ (bits >> 16)

    cos, sin = math.cos(lattice.angle), math.sin(lattice.angle)
    u, v = (x * cos + y * sin) / lattice.along, (y * cos - x * sin) / lattice.across
    col, row = math.floor(u), math.floor(v)
    right, below = (t * t * (3 - 2 * t) for t in (u - col, v - row))
    total = squares = 0.0
    for i, down in enumerate((1 - below, below)):
        for j, across in enumerate((1 - right, right)):
            key = mixed(seed & 0xFFFFFFFF) + 0x51ED2701 * channel
            along = mixed(((row + i) * 0x9E3779B1 + key) & 0xFFFFFFFF)
            bits = mixed((along + (col + j) * 0x85EBCA77) & 0xFFFFFFFF)
            total += down * across * ((bits >> 8) + 0.5 - (1 << 23)) * math.sqrt(12) / (1 << 24)
            squares += (down * across) ** 2
    return total / math.sqrt(squares * (1 + (cell / lattice.across) ** 2))


@pytest.mark.parametrize("many", [True, False])
def test_any_point_has_the_value_that_its_lattices_say(many, monkeypatch):
    """One by one, or as a grid so large that it is cut, with a seed for each row."""
    monkeypatch.setattr(noise_field_module, "POINTS", 8 if many else 4096)
    y = torch.tensor([[-1200.3], [0.5], [987654.1], [3.0]], dtype=torch.float64)
    x = torch.tensor([-7.75, 0.0, 0.5, 1.25, 31.9, 123456.7], dtype=torch.float64)
    cell = torch.tensor([0.1, 0.2, 0.3, 1.0, 2.0, 0.0], dtype=torch.float64)
    seed = torch.tensor([[0], [7], [(1 << 31) + 5], [1 << 40]])
    found = noise_field(y, x, cell, seed, CHANNELS)
    assert found.shape == (4, 6, CHANNELS)
    for i, j, channel in itertools.product(range(4), range(6), range(CHANNELS)):
        place = float(y[i]), float(x[j]), float(cell[j]), int(seed[i])
        expected = one_value(LATTICES[channel], *place, channel)
        assert float(found[i, j, channel]) == pytest.approx(expected, abs=2e-6)


def test_each_channel_has_mean_0_and_variance_1_and_is_independent():
    values = noise_field(*places(200_000), 0.0, 3, CHANNELS).double()
    assert values.mean(dim=0).abs().max() < 0.02
    assert (values.var(dim=0) - 1).abs().max() < 0.02
    apart = torch.corrcoef(values.T) - torch.eye(CHANNELS)
    assert apart.abs().max() < 0.02


@pytest.mark.parametrize("where", [(0.0, 0.0), (0.5, 0.5), (0.25, 0.9)])
def test_every_place_of_a_code_s_cell_has_the_same_chances(where):
    """So no pattern of places with more or less noise repeats with the codes."""
    rows, cols = (torch.arange(300, dtype=torch.float64) + offset for offset in where)
    values = noise_field(rows[:, None], cols, 0.0, 1, CHANNELS).flatten(0, 1)
    assert (values.var(dim=0) - 1).abs().max() < 0.05
    assert values.mean(dim=0).abs().max() < 0.05


def test_no_power_at_the_codes_frequency_above_its_neighbours():
    across = torch.arange(768, dtype=torch.float64) / 8  # 96 codes at ×8
    ratios = []
    for seed in range(6):
        values = noise_field(across[:, None], across, 1 / 8, seed, CHANNELS)
        for channel in values.double().numpy().transpose(2, 0, 1):
            power = np.abs(np.fft.fft2(channel)) ** 2
            for row, col in ((96, 0), (0, 96), (96, 96), (192, 0), (0, 192)):
                around = np.roll(power, (5 - row, 5 - col), (0, 1))[:11, :11]
                ratios.append(power[row, col] / around.mean())
    assert np.mean(ratios) == pytest.approx(1, abs=0.2)


def test_it_has_no_creases_and_goes_on_in_the_same_way_far_away():
    for start in (0.0, 1e6, -1e6):
        x = start + torch.linspace(0, 10, 20_001, dtype=torch.float64)
        values = noise_field(torch.zeros_like(x), x, 0.0, 5, CHANNELS)
        assert values.diff(dim=0).abs().max() < 0.03
        assert 0.5 < values.var() < 2


def test_seeds_differ_and_may_be_many():
    y, x = places(2000)
    one, other = (noise_field(y, x, 0.1, seed, CHANNELS).flatten().double() for seed in (0, 1))
    assert torch.corrcoef(torch.stack([one, other]))[0, 1].abs() < 0.03
    both = noise_field(y.expand(2, -1), x, 0.1, torch.tensor([[0], [1]]), CHANNELS)
    assert torch.equal(both[0].flatten().double(), one)
    assert torch.equal(both[1].flatten().double(), other)


def test_a_large_pixel_averages_what_is_finer():
    y, x = places(20_000)
    fine, coarse = (noise_field(y, x, cell, 0, CHANNELS).std(dim=0) for cell in (0.01, 2.0))
    for lattice, before, after in zip(LATTICES, fine, coarse, strict=True):
        assert before == pytest.approx(1, abs=0.03)
        assert after == pytest.approx((1 + (2 / lattice.across) ** 2) ** -0.5, rel=0.05)


def noisy_model(**switches: bool) -> LIIF:
    torch.manual_seed(0)
    config = LIIFConfig(blocks=2, channels=8, hidden=(16, 16), noise=CHANNELS, **switches)
    return LIIF(config).eval().requires_grad_(False)


SWITCHES = [{}, {"local_colour": True}, {"local_ensemble": False}, {"cell_decoding": False}]


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
@pytest.mark.parametrize("seed", [0, 12])
def test_all_ways_of_asking_agree(switches, seed):
    """The paper's order, whole or in tiles, at points or on a grid."""
    model, photo = noisy_model(**switches), noise(40, 50)
    set_seed(model, seed)
    expected = asked(model, photo, 83, 120)
    np.testing.assert_allclose(render(model, photo, 83, 120), expected, atol=1e-5)
    tiled = ContinuousPhoto(model, photo, largest_tile=16).render(83, 120)
    np.testing.assert_allclose(tiled, expected, atol=1e-5)
    set_seed(model, seed + 1)
    assert np.abs(render(model, photo, 83, 120) - expected).mean() > 1e-3


def test_a_crop_shows_what_the_whole_shows():
    model, photo = noisy_model(), noise(30, 40)
    whole = ContinuousPhoto(model, photo).render(120, 160)
    part = ContinuousPhoto(model, photo).render(40, 60, box=(10, 5, 25, 15))
    np.testing.assert_allclose(part, whole[20:60, 40:100], atol=1e-5)


def test_points_may_have_a_seed_for_each_photo():
    model = noisy_model()
    photos = torch.from_numpy(noise(9, 11)).permute(2, 0, 1).expand(2, -1, -1, -1)
    latents, decoder = model.encode(photos), decoder_of(model)
    coord, cell = torch.rand(2, 30, 2) * 2 - 1, torch.full((2, 30, 2), 0.05)
    hidden = decoder.hidden_map(latents.codes)
    found = decoder.query(hidden, latents.colours, coord, cell, torch.tensor([4, 9]))
    for number, seed in enumerate((4, 9)):
        set_seed(model, seed)
        expected = model.query(latents, coord, cell)[number]
        torch.testing.assert_close(found[number], expected, atol=1e-5, rtol=0)


def test_switching_a_part_off_leaves_the_noise():
    model = noisy_model()
    set_seed(model, 3)
    variant = ablated(model, cell_decoding=False)
    assert seed_of(variant) == 3
    silent = noisy_model()
    first = silent.imnet.layers[0].weight.data
    first[:, -CHANNELS - 2 : -CHANNELS] = 0
    silent.load_state_dict({**model.state_dict(), "imnet.layers.0.weight": first})
    set_seed(silent, 3)
    photo = noise(12, 12)
    np.testing.assert_allclose(render(variant, photo, 40, 40), render(silent, photo, 40, 40), 1e-5)


def test_a_model_without_noise_takes_no_seed():
    silent = LIIF(LIIFConfig(blocks=1, channels=4, hidden=(8,)))
    assert seed_of(silent) is None
    set_seed(silent, None)
    with pytest.raises(LiifError, match="invent details"):
        set_seed(silent, 1)


def test_growing_noise_changes_nothing_at_first():
    torch.manual_seed(1)
    config = LIIFConfig(blocks=2, channels=8, hidden=(16,), local_colour=True)
    small = LIIF(config).eval().requires_grad_(False)
    large = grow(small, replace(config, noise=CHANNELS, channels=12)).eval().requires_grad_(False)
    photo = noise(12, 14)
    np.testing.assert_allclose(
        render(large, photo, 40, 50), render(small, photo, 40, 50), atol=1e-5
    )
    mute = grow(large, replace(config, channels=12))  # without its noise, a decoder begins anew
    assert not torch.equal(mute.imnet.layers[0].bias, large.imnet.layers[0].bias)


def test_files_say_it_and_those_without_noise_stay_as_they_were(tmp_path):
    save_weights(noisy_model(), tmp_path / "noisy.safetensors", {})
    assert load_model(tmp_path / "noisy.safetensors", "cpu").config.noise == CHANNELS
    plain = LIIFConfig(blocks=1, channels=4, hidden=(8,))
    assert "noise" not in plain.to_dict()
    assert LIIFConfig.from_dict(plain.to_dict()) == plain
    for odd in (True, -1, CHANNELS + 1, "3"):
        with pytest.raises(ValueError, match="noise"):
            LIIFConfig.from_dict({**plain.to_dict(), "noise": odd})


def test_what_is_invented_is_said():
    model, photo = noisy_model(), noise(12, 12)
    set_seed(model, 5)
    grid = ContinuousPhoto(model, photo).output(40, 40)  # at ×2 none would weigh little
    assert "invented, with seed 5" in ContinuousPhoto(model, photo).remark(grid)
    assert "PSNR" in FewerCodes(model, photo).remark(grid)
    assert "invented" in FewerCodes(model, photo).remark(grid)
    with pytest.raises(LiifError, match="self-ensemble"):
        renderer_for(Task(2.0, self_ensemble=True), model, ArrayPixels(photo))
