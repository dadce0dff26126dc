"""The parts of training: samples, degradations, optimiser, growing, validation."""

import copy
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from liif_core.errors import LiifError
from liif_core.liif import LIIF, LIIFConfig
from liif_core.models import CONFIGS, build
from liif_core.photos import photo_paths, read_rgb
from liif_core.samples import sample_photo
from liif_core.training.checkpoint import State
from liif_core.training.degrade import (
    fade,
    film_grain,
    jpeg,
    noise_and_jpeg,
    sensor_noise,
    wear,
)
from liif_core.training.grow import grow
from liif_core.training.loss import PairLoss
from liif_core.training.optim import Muon, make_optimizers, orthogonalise, rate_factor
from liif_core.training.pairs import Batch, PairSampler, batches
from liif_core.training.recipe import Recipe
from liif_core.training.scans import DEGRADATIONS
from liif_core.training.update import Update
from liif_core.training.validation import Validator
from liif_core.weights import load_model, save_weights

RECIPE = Recipe("tiny", steps=10, batch=3, patch=8, queries=20, warmup=1)


def test_samples_lie_where_their_coordinates_say(photos):
    """Looked up in the photograph, a query's coordinate has the query's colour."""
    sampler = PairSampler(photo_paths(photos)[:1], RECIPE)
    picture = sampler.photos[0]
    for number in range(20):
        sample = sampler.sample(number)
        side = round(2 / float(sample.cell[0, 0]))
        assert 8 <= side <= 32
        assert sample.photo.shape == (3, 8, 8)
        place = ((sample.coord + 1) / 2 * side - 0.5).round().long()
        crop = np.full((side, side, 3), -1.0)
        crop[place[:, 0], place[:, 1]] = sample.colour.numpy()
        known = crop[..., 0] >= 0
        assert known.sum() == 20, "queries are drawn without repetition"
        assert found_somewhere(crop, known, picture / 255)


def found_somewhere(crop, known, picture):
    """Whether the known pixels occur in the photograph at some place, in some symmetry."""
    side = crop.shape[0]
    for turned in symmetries(picture):
        for top in range(turned.shape[0] - side + 1):
            for left in range(turned.shape[1] - side + 1):
                window = turned[top : top + side, left : left + side]
                if np.abs(window - crop)[known].max() < 1e-6:
                    return True
    return False


def symmetries(picture):
    for flipped in (picture, picture[::-1]):
        for turns in range(4):
            yield np.rot90(flipped, turns)


def test_any_number_of_queries(photos):
    """More queries than the patch has pixels, as at ×1, ask for some of them again."""
    recipe = replace(RECIPE, queries=100, min_scale=1.0, max_scale=1.0)
    sample = PairSampler(photo_paths(photos), recipe).sample(0)
    assert sample.coord.shape == (100, 2)
    assert len(torch.unique(sample.coord, dim=0)) < 64 < len(sample.colour)


def test_samples_depend_on_seed_and_number_alone(photos):
    paths = photo_paths(photos)
    one, two = PairSampler(paths, RECIPE), PairSampler(paths, RECIPE)
    assert all(torch.equal(a, b) for a, b in zip(one.sample(7), two.sample(7), strict=True))
    assert not torch.equal(one.sample(7).photo, one.sample(8).photo)
    other = PairSampler(paths, replace(RECIPE, seed=1))
    assert not torch.equal(one.sample(7).photo, other.sample(7).photo)


def test_processes_share_out_the_samples_of_one(photos):
    sampler = PairSampler(photo_paths(photos), replace(RECIPE, batch=6))
    parts = [next(batches(sampler, 4, rank=rank, world=2)) for rank in range(2)]
    expected = next(batches(sampler, 4))
    assert [len(part.photo) for part in parts] == [3, 3]
    assert torch.equal(torch.cat([part.photo for part in parts]), expected.photo)


def test_worker_processes_cut_what_threads_cut(photos):
    sampler = PairSampler(photo_paths(photos), RECIPE)
    found, expected = batches(sampler, 3, workers=2), batches(sampler, 3)
    for _ in range(5):
        for part, same in zip(next(found), next(expected), strict=True):
            assert torch.equal(part, same)
    found.close()
    expected.close()


def test_a_photograph_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(LiifError, match=r"broken\.png"):
        PairSampler(photo_paths(tmp_path), RECIPE)


def test_degraded_targets_stay_sharp_and_agree_in_colour(photos):
    """Fading is done to both, wear to the input alone."""
    recipe = replace(RECIPE, patch=16, queries=100, min_scale=1.0, max_scale=1.0)
    clean = PairSampler(photo_paths(photos), recipe)
    worn = PairSampler(photo_paths(photos), recipe, DEGRADATIONS["photo"])
    samples = [(clean.sample(n), worn.sample(n)) for n in range(40)]
    changed = sum(not torch.equal(a.photo, b.photo) for a, b in samples)
    assert 30 <= changed < 40, "some inputs stay clean"
    offsets = [float(b.photo.mean() - b.colour.mean()) for _, b in samples]
    assert abs(np.mean(offsets)) < 0.03


def test_degradations_do_what_they_say():
    rng = np.random.default_rng(0)
    grey = np.full((64, 64, 3), 128, np.uint8)
    noisy = sensor_noise(grey, 8.0, rng).astype(float) - 128
    assert noisy.std() == pytest.approx(8, rel=0.05)
    grain = film_grain(grey, 8.0, 0.8, rng).astype(float) - 128
    assert grain.std() == pytest.approx(8, rel=0.1)
    assert (grain[..., 0] == grain[..., 2]).all()
    neighbours = np.corrcoef(grain[:, :-1, 0].ravel(), grain[:, 1:, 0].ravel())[0, 1]
    assert neighbours > 0.3, "grain clumps"
    assert film_grain(np.zeros_like(grey), 8.0, 0.8, rng).max() == 0
    edge = np.zeros((16, 16, 3), np.uint8)
    edge[:, 9:] = 255
    assert jpeg(edge, 40, np.array([3, 5])).shape == edge.shape
    assert (jpeg(edge, 40, np.zeros(2, int)) != edge).any()
    faded = [fade(edge, np.random.default_rng(n)) for n in range(40)]
    contrasts = [int(picture.max()) - int(picture.min()) for picture in faded]
    assert 10 < sum(contrast < 255 for contrast in contrasts) < 20
    assert wear(edge, rng).dtype == noise_and_jpeg(edge, rng).dtype == np.uint8


def test_orthogonalise_flattens_the_singular_values():
    torch.manual_seed(0)
    matrices = torch.randn(3, 12, 40) * torch.tensor([1e-4, 1.0, 1e4])[:, None, None]
    for found in (orthogonalise(matrices), orthogonalise(matrices.mT).mT):
        values = torch.linalg.svdvals(found)
        assert values.min() > 0.6
        assert values.max() < 1.3


def test_muon_moves_by_its_rate_and_finds_a_minimum():
    torch.manual_seed(0)
    target = torch.randn(4, 3, 3, 3)
    weight = torch.nn.Parameter(torch.zeros(4, 3, 3, 3))
    optimizer = Muon([weight], lr=0.1)
    for step in range(300):
        optimizer.zero_grad()
        (weight - target).square().sum().backward()
        before = weight.detach().clone()
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 300)
        optimizer.step()
        if step == 0:
            rms = (weight - before).square().mean().sqrt() / 0.1
            assert 0.1 < rms < 0.3
    assert (weight - target).abs().max() < 0.05


@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_every_parameter_has_one_optimiser(name):
    model = LIIF(LIIFConfig(blocks=1, channels=4, hidden=(8,)))
    optimizers = make_optimizers(model, name, 1e-3)
    held = [id(p) for o in optimizers for g in o.param_groups for p in g["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    with pytest.raises(ValueError, match="sgd"):
        make_optimizers(model, "sgd", 1e-3)


def test_the_losses_are_what_they_say():
    torch.manual_seed(0)
    model = LIIF(LIIFConfig(blocks=1, channels=4, hidden=(8,), local_colour=True)).eval()
    coord, cell = torch.rand(2, 50, 2) * 2 - 1, torch.full((2, 50, 2), 0.1)
    photo, colour = torch.rand(2, 3, 6, 6), torch.rand(2, 50, 3)
    answers = model.query(model.encode(photo), coord, cell).detach()
    batch = Batch(photo, coord, cell, colour)
    error = (answers - colour).abs().mean()
    torch.testing.assert_close(PairLoss(model)(batch), error)
    decibels = [10 * np.log10(float(e)) for e in (answers - colour).square().mean(dim=(1, 2))]
    found = float(PairLoss(model, "psnr")(batch).detach()) * 100 / np.log(10)
    assert found == pytest.approx(np.mean(decibels), abs=1e-2)


@pytest.mark.parametrize("name", ["liif-edsr-small", "heat-edsr-small"])
def test_the_loss_compiles_in_one_piece_to_the_same_gradients(photos, name):
    recipe = Recipe.from_dict(
        {"model": name, "steps": 9, "batch": 2, "patch": 12, "warmup": 0, "decay": 0}
    )
    batch = PairSampler(photo_paths(photos), recipe).batch(range(2))
    model = build(CONFIGS[recipe.model]).train().requires_grad_(True)
    found = []
    for loss in (
        PairLoss(model),
        torch.compile(PairLoss(model), backend="aot_eager", fullgraph=True),
    ):
        model.zero_grad()
        value = loss(batch)
        value.backward()
        found.append([value.detach(), *(p.grad.clone() for p in model.parameters())])
    for ours, compiled in zip(*found, strict=True):
        torch.testing.assert_close(compiled, ours, rtol=1e-4, atol=1e-7)


def test_the_rate_warms_up_holds_and_decays_to_zero():
    rates = [rate_factor(step, steps=100, warmup=10, decay=40) for step in range(101)]
    assert rates[0] == 0.1
    assert rates[9:61] == [1.0] * 52
    assert all(a > b for a, b in itertools.pairwise(rates[60:]))
    assert rates[80] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0)


@pytest.mark.parametrize("unfolding", [True, False])
@pytest.mark.parametrize(("blocks", "channels"), [(5, 6), (2, 9), (7, 12), (2, 6)])
def test_a_grown_model_computes_the_same_and_can_learn(blocks, channels, unfolding):
    torch.manual_seed(0)
    config = LIIFConfig(blocks=2, channels=6, hidden=(8,), feature_unfolding=unfolding)
    small = LIIF(config)
    large = grow(small, replace(config, blocks=blocks, channels=channels))
    photo = torch.rand(1, 3, 9, 11)
    coord, cell = torch.rand(1, 40, 2) * 2 - 1, torch.full((1, 40, 2), 0.1)
    found = large.query(large.encode(photo), coord, cell)
    torch.testing.assert_close(found, small.query(small.encode(photo), coord, cell))
    found.square().mean().backward()
    if channels > 6:
        first = large.imnet.layers[0].weight.grad
        taps = 9 if unfolding else 1
        assert first[:, 6 * taps : channels * taps].abs().max() > 0, "new channels get a gradient"
    if blocks > 2:
        assert large.encoder.body[2].body[2].weight.grad.abs().max() > 0


def test_only_the_encoder_grows():
    small = LIIF(LIIFConfig(blocks=2, channels=6, hidden=(8,)))
    for config in (
        LIIFConfig(blocks=1, channels=6, hidden=(8,)),
        LIIFConfig(blocks=2, channels=4, hidden=(8,)),
        LIIFConfig(blocks=2, channels=4, hidden=(16,)),
    ):
        with pytest.raises(LiifError, match="only grow"):
            grow(small, config)


def test_another_decoder_begins_anew_and_reads_the_same_codes():
    small = LIIF(LIIFConfig(blocks=2, channels=6, hidden=(8,)))
    photo = torch.rand(1, 3, 9, 11)
    for changes in ({"hidden": (7,)}, {"local_colour": True}, {"cell_decoding": False}):
        large = grow(small, replace(small.config, **changes))
        torch.testing.assert_close(large.encode(photo).codes, small.encode(photo).codes)
        first = large.imnet.layers[0].weight
        same = first.shape == small.imnet.layers[0].weight.shape
        assert not (same and torch.equal(first, small.imnet.layers[0].weight))


@pytest.mark.parametrize("unfolding", [True, False])
@pytest.mark.parametrize("channels", [6, 9])
@pytest.mark.parametrize("hidden", [(8, 9), (12, 12), (9, 9, 9), (16, 20, 12, 18)])
def test_a_grown_decoder_computes_the_same_and_can_learn(hidden, channels, unfolding):
    torch.manual_seed(0)
    small = LIIF(LIIFConfig(blocks=2, channels=6, hidden=(8, 9), feature_unfolding=unfolding))
    large = grow(small, replace(small.config, hidden=hidden, channels=channels))
    assert large.config.hidden == hidden
    photo = torch.rand(1, 3, 9, 11)
    coord, cell = torch.rand(1, 40, 2) * 2 - 1, torch.full((1, 40, 2), 0.1)
    found = large.query(large.encode(photo), coord, cell)
    torch.testing.assert_close(found, small.query(small.encode(photo), coord, cell))
    found.square().mean().backward()
    if max(hidden) > 9:
        assert large.imnet.layers[-1].weight.grad[:, 9:].abs().max() > 0, "added units learn"


@pytest.mark.parametrize("unfolding", [True, False])
def test_colours_travel_in_the_codes_where_local_colour_is_given_up(unfolding):
    """A model that answers with its codes' own pixels alone does so still, to the last digits."""
    torch.manual_seed(0)
    config = LIIFConfig(blocks=2, channels=30, hidden=(8,), feature_unfolding=unfolding)
    small = LIIF(replace(config, local_colour=True))
    large_config = replace(config, hidden=(16, 14))
    photo = torch.rand(1, 3, 9, 11)
    coord, cell = torch.rand(1, 40, 2) * 2 - 1, torch.full((1, 40, 2), 0.1)
    with torch.no_grad():
        small.imnet.layers[-1].weight.zero_()
        large = grow(small, large_config)
        assert not large.config.local_colour
        found = large.query(large.encode(photo), coord, cell)
        wanted = small.query(small.encode(photo), coord, cell)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)
    assert wanted.std() > 0.1


def test_what_the_codes_lose_for_their_colours_is_little():
    torch.manual_seed(0)
    default = load_model("liif-edsr", "cpu")
    photo = torch.tensor(sample_photo("portrait", 64)).permute(2, 0, 1)[None] / 255
    coord, cell = torch.rand(1, 400, 2) * 2 - 1, torch.full((1, 400, 2), 2 / 144)
    with torch.no_grad():
        plain = grow(default, CONFIGS["edsr-baseline-liif"])
        found, wanted = (m.query(m.encode(photo), coord, cell) for m in (plain, default))
    assert (found - wanted).square().mean().sqrt() < 1 / 255


def test_a_frozen_encoder_stays_and_the_decoder_learns(photos, monkeypatch):
    monkeypatch.setitem(CONFIGS, "tiny", LIIFConfig(blocks=1, channels=4, hidden=(8,)))
    values = {**RECIPE.to_dict(), "freeze_encoder": True}
    for optimizer in ("muon", "adamw"):
        recipe = Recipe.from_dict({**values, "optimizer": optimizer})
        state = State(recipe, None, torch.device("cpu"))
        begun = copy.deepcopy(state.model.state_dict())
        update = Update(PairLoss(state.model), state.model, state.average, state.optimizers, recipe)
        update(PairSampler(photo_paths(photos), recipe).batch(range(3)), 5)
        for model in (state.model, state.average):
            for name, value in model.state_dict().items():
                assert torch.equal(value, begun[name]) == name.startswith("encoder."), name


def test_weights_can_be_stored_in_half_the_bytes(tmp_path):
    model = LIIF(LIIFConfig(blocks=2, channels=6, hidden=(8,)))
    full, half = tmp_path / "full.safetensors", tmp_path / "half.safetensors"
    save_weights(model, full, {})
    save_weights(model, half, {}, torch.float16)
    assert half.stat().st_size < 0.7 * full.stat().st_size
    read = load_model(half, "cpu").state_dict()
    for name, value in model.state_dict().items():
        assert read[name].dtype == torch.float32
        assert torch.equal(read[name], value.half().float()), name
    for key, value in (("stored", "float64"), ("freeze_encoder", 1)):
        with pytest.raises(LiifError, match=key):
            Recipe.from_dict({**RECIPE.to_dict(), key: value})


def validator(photos, number=None):
    return Validator([read_rgb(path) for path in photo_paths(photos)[:number]])


def test_validation_beats_itself_only_when_the_model_changes(photos):
    """An untrained local-colour model with a silent decoder is bilinear: a known score."""
    model = LIIF(LIIFConfig(blocks=1, channels=4, hidden=(8,), local_colour=True))
    for parameter in model.imnet.layers[-1].parameters():
        torch.nn.init.zeros_(parameter)
    every = validator(photos)
    assert every.scores(model) == every.scores(model)
    picture = Image.open(photo_paths(photos)[0])
    small = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BICUBIC)
    bilinear = np.asarray(small.resize(picture.size, Image.Resampling.BILINEAR), float)
    error = (bilinear - np.asarray(picture, float))[2:-2, 2:-2]
    single = validator(photos, 1).scores(model)
    assert single.psnr[2] == pytest.approx(20 * np.log10(255 / np.sqrt((error**2).mean())), abs=0.1)
    assert single.gain[2] == pytest.approx(single.psnr[2] - validator(photos, 1).bicubic[2])
