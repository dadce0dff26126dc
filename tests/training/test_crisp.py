"""Training to look real: its terms, its adversary, and runs that go on bit for bit."""

import copy
import itertools
from dataclasses import replace
from math import pi, sqrt

import numpy as np
import pytest
import torch
from test_trainer import finished

from liif_core import workers
from liif_core.errors import LiifError
from liif_core.liif import LIIFConfig
from liif_core.models import CONFIGS, build
from liif_core.photos import photo_paths
from liif_core.samples import sample_photo
from liif_core.training.checkpoint import State
from liif_core.training.grow import stir
from liif_core.training.pairs import Batch, PairSampler
from liif_core.training.realness import Realness
from liif_core.training.recipe import Recipe, load_recipe
from liif_core.training.run import Run, loss_of
from liif_core.training.trainer import train
from liif_core.training.update import Update
from liif_core.weights import load_model

pytest.importorskip("efficientnet_lite_pytorch")

from liif_core.training.crisp import PART, details, new_adversary, repeats, reward, shrunk, square

CRISP = {"spread": 0.5, "consistency": 1.0, "grid": 2.0, "features": 0.03, "adversary": 0.03}
RECIPE = Recipe(
    "tiny-crisp",
    steps=8,
    batch=4,
    patch=10,
    window=16,
    min_scale=2.0,
    max_scale=4.0,
    optimizer="adamw",
    warmup=2,
    decay=3,
    loss="crisp",
    crisp=CRISP,
    validate_every=4,
    save_every=3,
    precision="float32",
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    config = LIIFConfig(blocks=2, channels=8, hidden=(8,), local_colour=True, noise=4)
    monkeypatch.setitem(CONFIGS, "tiny-crisp", config)


def batch_at(scale: int, patch: int = 12, window: int = 32) -> Batch:
    """A batch of one whose window's output pixels are `scale` to a code."""
    patch = max(patch, -(-window // scale))
    sampler = object.__new__(PairSampler)
    rng = np.random.default_rng(0)
    sampler.recipe = replace(RECIPE, patch=patch, window=window, min_scale=scale, max_scale=scale)
    sampler.degrade = None
    sampler.photos = [rng.integers(0, 256, (patch * scale, patch * scale, 3), np.uint8)]  # type: ignore[assignment]
    return sampler.batch(range(1))


def test_a_window_lies_where_its_coordinates_say(photos):
    sampler = PairSampler(photo_paths(photos)[:1], RECIPE)
    corners = set()
    for number in range(20):
        sample = sampler.sample(number)
        side = round(2 / float(sample.cell[0, 0]))
        place = ((sample.coord + 1) / 2 * side - 0.5).round().long().view(16, 16, 2)
        assert torch.equal(
            place - place[:1, :1], torch.cartesian_prod(*[torch.arange(16)] * 2).view(16, 16, 2)
        )
        assert place.min() >= 0
        assert place.max() < side
        corners.add(tuple(place[0, 0].tolist()))
        assert sample.seed == number
    assert len(corners) > 10


def test_the_reward_is_least_where_answers_spread_as_wanted():
    """Of a Gaussian truth, by its expectations; at 1 it is the paper's."""
    assert reward(1) == pytest.approx(sqrt(2 / (pi * 2 * 3)) * sqrt(pi / 4))
    spreads = np.linspace(0, 2, 2001)
    for wanted in (0.3, 0.5, 1.0):
        wrong = sqrt(2 / pi) * np.sqrt(1 + spreads**2 / 2)
        apart = 2 * spreads / sqrt(pi)
        best = spreads[np.argmin(wrong - reward(wanted) * apart)]
        assert best == pytest.approx(wanted, abs=0.002)


@pytest.mark.parametrize("scale", [4, 5, 8])
def test_what_repeats_with_the_codes_is_seen(scale):
    """Of noise beside a tile, repeated code by code or at another step."""
    batch = batch_at(scale)
    rng = torch.Generator().manual_seed(1)
    noise = 0.5 + 0.02 * torch.randn(1, 3, 32, 32, generator=rng)

    def tiled(side: int) -> torch.Tensor:
        tile = 0.02 * torch.randn(1, 3, side, side, generator=rng)
        return tile.repeat(1, 1, 32 // side + 1, 32 // side + 1)[..., :32, :32]

    natural = float(repeats(noise, batch))
    assert 0.3 < natural < 0.5
    with_codes, otherwise = (float(repeats(noise + tiled(n), batch)) for n in (scale, scale + 2))
    assert with_codes > natural + 0.2
    assert with_codes > otherwise + 0.15
    y = torch.arange(32.0)
    faint = 0.5 + 0.02 / 255 * torch.cos(2 * pi * y / scale)
    assert float(repeats(faint.expand(1, 3, 32, 32), batch)) < 0.02  # nobody sees it


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_details_are_what_the_photo_cannot_say(scale):
    """A wave of three codes is gone, one of less than two output pixels' width stays."""
    batch = batch_at(scale)
    y = torch.arange(32.0)[:, None].expand(1, 3, 32, 32)
    slow, fast = torch.sin(2 * pi * y / (8 * scale)), torch.cos(pi * y)
    kept = details(slow + fast, batch)[..., scale:-scale, scale:-scale]
    assert (kept - fast[..., scale:-scale, scale:-scale]).abs().mean() < 0.12
    assert details(torch.full((1, 3, 32, 32), 0.3), batch).abs().max() < 1e-6


def test_no_adversary_pays_for_brightness(photos):
    """Its gradient at the answer holds details alone: a change of brightness changes no score."""
    state, loss, _, sampler = begun(photos)
    batch = sampler.batch(range(2))
    answer, _, _ = loss.windows(batch)
    one, other = (loss.features.of(details(part, batch) + 0.5) for part in (answer, answer + 0.1))
    for a, b in zip(state.adversary(one), state.adversary(other), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_shrunk_windows_see_colour_and_no_detail():
    batch = batch_at(4)
    assert torch.allclose(shrunk(torch.full((1, 3, 32, 32), 0.3), batch), torch.tensor(0.3))
    checks = (torch.arange(32)[:, None] + torch.arange(32)) % 2 - 0.5
    assert shrunk(checks.expand(1, 3, 32, 32), batch).abs().max() < 0.02
    assert shrunk(checks.expand(1, 3, 32, 32), batch).numel() == 3 * 8 * 8


def features(*, seed: int) -> list[torch.Tensor]:
    """Two windows' features, as deep and as large as the loss has them."""
    rng = torch.Generator().manual_seed(seed)
    return [torch.randn(2, c, n, n, generator=rng) for c, n in ((24, 4), (40, 2), (80, 1))]


def test_the_adversary_learns_and_does_not_move_while_it_judges():
    torch.manual_seed(0)
    adversary = new_adversary().train()
    made, real = features(seed=0), features(seed=1)
    before = copy.deepcopy(adversary.state_dict())
    for part in made:
        part.requires_grad_(True)
    sum(part.mean() for part in adversary(made, learning=False)).backward()
    for part in made:
        assert part.grad is not None
        assert part.grad.abs().max() > 0
        part.grad = None
    assert all(parameter.grad is None for parameter in adversary.parameters())
    adversary.loss(made, real).backward()
    assert all(part.grad is None for part in made)
    assert all(parameter.grad is not None for parameter in adversary.parameters())
    assert all(torch.equal(value, before[key]) for key, value in adversary.state_dict().items())


def test_the_adversary_learns_to_tell_noise_from_photographs(photos):
    """In a hundred steps, from one photo's windows; it judges windows that it has not seen."""
    torch.manual_seed(0)
    state, loss, _, sampler = begun(photos)
    optimizer = torch.optim.Adam(state.adversary.parameters(), lr=1e-3, betas=(0.5, 0.99))
    rng = torch.Generator().manual_seed(0)

    def pair(numbers):
        real = square(sampler.batch(numbers).colour, 16)
        spoiled = real + 0.1 * torch.randn(real.shape, generator=rng)
        with torch.no_grad():
            return loss.features.of(spoiled), loss.features.of(real)

    for step in range(100):
        state.adversary.renew()
        optimizer.zero_grad()
        state.adversary.loss(*pair(range(8 * step, 8 * step + 8))).backward()
        optimizer.step()
    with torch.no_grad():
        made, real = (state.adversary(part) for part in pair(range(10_000, 10_016)))
    assert all(a.mean() + 0.3 < b.mean() for a, b in zip(made, real, strict=True))


def test_the_adversary_s_layers_gain_no_more_than_one():
    torch.manual_seed(0)
    adversary = new_adversary()
    with torch.no_grad():
        for parameter in adversary.parameters():
            parameter *= 5
    for _ in range(60):
        adversary.renew()
    for layer in adversary.layers:
        gain = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert float(gain) == pytest.approx(1, abs=0.05)
        assert not layer.training


def begun(photos, recipe=RECIPE):
    state = State(recipe, None, torch.device("cpu"))
    loss = loss_of(state)
    update = Update(
        loss, state.model, state.average, state.optimizers, recipe, adversary=state.adversary
    )
    return state, loss, update, PairSampler(photo_paths(photos), recipe)


def test_neither_loss_moves_what_the_other_trains(photos):
    """The sum's gradients are those of each loss alone."""
    state, loss, _, sampler = begun(photos)
    batch = sampler.batch(range(2))
    theirs = list(state.adversary.parameters())
    found = torch.autograd.grad(loss(batch), theirs)
    answer, other, truth = loss.windows(batch)
    fitting = details(answer, batch) + truth - details(truth, batch)
    made, real = loss.features.of(fitting), loss.features.of(truth)
    expected = torch.autograd.grad(state.adversary.loss(made, real), theirs)
    for one, same in zip(found, expected, strict=True):
        torch.testing.assert_close(one, same)
    assert other.shape == (2, 3, 16 // PART, 16)
    torch.testing.assert_close(truth, square(batch.colour, 16))
    assert not torch.equal(other, answer[:, :, : 16 // PART])


def test_the_number_of_workers_changes_no_bit(photos):
    found = []
    for number in (1, 3):
        state, _, update, sampler = begun(photos, replace(RECIPE, batch=5))
        with workers.limited_to(number):
            losses = [
                float(update(sampler.batch(range(5 * step, 5 * step + 5)), step))
                for step in range(2)
            ]
        found.append((losses, [*state.model.parameters(), *state.adversary.parameters()]))
    assert found[0][0] == found[1][0]
    assert all(torch.equal(a, b) for a, b in zip(found[0][1], found[1][1], strict=True))


def test_the_log_tells_how_real_zooms_look():
    """A soft zoom is further from photographs than a sharper one, and nothing from small photos."""
    photos = [sample_photo(name)[:200, :230] for name in ("astronaut", "coffee", "cat")]
    realness = Realness(photos)
    trained = realness.of(load_model("liif-edsr-small", "cpu"))
    blind = load_model("liif-edsr-small", "cpu")
    for parameter in blind.imnet.layers[-1].parameters():
        parameter.zero_()  # bilinear interpolation is left
    assert 0 < trained["kid_x4"] < realness.of(blind)["kid_x4"]
    assert Realness([photo[:100] for photo in photos]).of(blind) == {}


def test_noise_is_stirred_once():
    torch.manual_seed(0)
    model = build(CONFIGS["tiny-crisp"])
    columns = model.imnet.layers[0].weight.data[:, -4:]
    columns.zero_()
    stir(model)
    assert columns.std() > 0.05
    before = columns.clone()
    stir(model)
    assert torch.equal(columns, before)


def test_an_interrupted_run_goes_on_bit_for_bit(photos, tmp_path, monkeypatch):
    train(RECIPE, photos, tmp_path / "whole", device="cpu", quiet=True)
    advance, steps = Run.advance, itertools.count(1)

    def interrupted(run, batch):
        if next(steps) == 6:
            raise KeyboardInterrupt
        advance(run, batch)

    monkeypatch.setattr(Run, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, photos, tmp_path / "run", device="cpu", quiet=True)
    monkeypatch.setattr(Run, "advance", advance)
    train(RECIPE, photos, tmp_path / "run", resume=True, device="cpu", quiet=True)
    whole, run = (
        torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "run")
    )
    assert run["step"] == whole["step"] == 8
    for part in ("model", "average", "adversary"):
        assert run[part].keys() == whole[part].keys()
        for name, value in whole[part].items():
            assert torch.equal(run[part][name], value), name
    for one, other in zip(run["optimizers"], whole["optimizers"], strict=True):
        for key, state in other["state"].items():
            for name, value in state.items():
                assert torch.equal(one["state"][key][name], value)
    # What is kept is the last average, whatever its PSNR.
    kept = load_model(tmp_path / "run" / "best.safetensors", "cpu").state_dict()
    assert all(torch.equal(kept[name], value) for name, value in whole["average"].items())


def test_two_processes_train_as_one_with_a_batch_of_both(photos, tmp_path):
    recipe = replace(RECIPE, steps=5, batch=4, decay=1)
    two = finished(
        {"photos": photos, "out": tmp_path / "two", "recipe": recipe.to_dict()}, processes=2
    )
    train(recipe, photos, tmp_path / "one", device="cpu", quiet=True)
    one = torch.load(tmp_path / "one" / "last.pt", weights_only=True)
    begun = State(recipe, None, torch.device("cpu")).model.state_dict()
    for part in ("model", "adversary"):
        for key, value in one[part].items():
            torch.testing.assert_close(two[part][key], value, atol=1e-4, rtol=0)
    moved = [(value - begun[key]).abs().max() for key, value in one["model"].items()]
    assert max(moved) > 1e-3, "the tolerance proves nothing if nothing was learnt"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crisp": {}}, "crisp needs weights"),
        ({"crisp": {**CRISP, "grid": -1}}, "crisp needs weights"),
        ({"crisp": {**CRISP, "salt": 1}}, "crisp needs weights"),
        ({"window": 0}, "needs a window"),
        ({"window": 21}, "must fit"),
        ({"loss": "l1", "window": 21}, "must fit"),
    ],
    ids=str,
)
def test_impossible_recipes(change, message):
    with pytest.raises(LiifError, match=message):
        Recipe.from_dict({**RECIPE.to_dict(), **change})


def test_a_model_without_noise_cannot_be_trained_to_invent(photos, tmp_path, monkeypatch):
    plain = LIIFConfig(blocks=1, channels=4, hidden=(8,))
    monkeypatch.setitem(CONFIGS, "tiny-crisp", plain)
    with pytest.raises(LiifError, match="reads noise"):
        train(RECIPE, photos, tmp_path / "run", device="cpu", quiet=True)


def test_the_recipe_in_the_package():
    recipe = load_recipe("liif-edsr-crisp")
    assert recipe.loss == "crisp"
    assert CONFIGS[recipe.model].to_dict()["noise"] > 0
