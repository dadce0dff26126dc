"""A heat field in training: begun with the encoder of a LIIF, resumed bit for bit."""

import copy
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_models import small_heat, small_model

from liif_core.errors import LiifError
from liif_core.heat import HeatConfig
from liif_core.liif import LIIFConfig
from liif_core.models import CONFIGS, build, kind_of
from liif_core.photos import photo_paths
from liif_core.render import ContinuousPhoto
from liif_core.training.checkpoint import State
from liif_core.training.grow import grow
from liif_core.training.loss import PairLoss
from liif_core.training.optim import make_optimizers
from liif_core.training.pairs import PairSampler
from liif_core.training.recipe import Recipe, load_recipe
from liif_core.training.run import Run, loss_of
from liif_core.training.trainer import train
from liif_core.training.update import Update
from liif_core.weights import load_model, save_weights, training_facts
from liif_core.zooming.self_ensemble import SelfEnsemble

RECIPE = Recipe(
    "tiny-heat",
    steps=14,
    batch=4,
    patch=12,
    queries=64,
    warmup=2,
    decay=6,
    validate_every=7,
    save_every=4,
    precision="float32",
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(CONFIGS, "tiny-heat", HeatConfig(blocks=2, channels=8, width=8, waves=6))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "liif.safetensors"
    save_weights(small_model(local_colour=True), path, {})
    return str(path)


def test_an_interrupted_run_goes_on_bit_for_bit(photos, encoder, tmp_path, monkeypatch):
    train(RECIPE, photos, tmp_path / "whole", init=encoder, device="cpu", quiet=True)
    advance, steps = Run.advance, itertools.count(1)

    def interrupted(run, batch):
        if next(steps) == 11:
            raise KeyboardInterrupt
        advance(run, batch)

    monkeypatch.setattr(Run, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, photos, tmp_path / "run", init=encoder, device="cpu", quiet=True)
    monkeypatch.setattr(Run, "advance", advance)
    train(RECIPE, photos, tmp_path / "run", resume=True, device="cpu", quiet=True)
    whole, run = (
        torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "run")
    )
    assert run["step"] == whole["step"] == 14
    for part in ("model", "average"):
        assert run[part].keys() == whole[part].keys()
        for name, value in whole[part].items():
            assert torch.equal(run[part][name], value), name
    found = load_model(tmp_path / "run" / "best.safetensors", "cpu")
    assert kind_of(found.config) == "heat"
    assert training_facts(tmp_path / "run" / "best.safetensors")["recipe"]["model"] == "tiny-heat"


def test_it_learns(photos):
    batch = PairSampler(photo_paths(photos), RECIPE).batch(range(4))
    torch.manual_seed(0)
    model = build(CONFIGS["tiny-heat"]).train()
    begun = {name: value.clone() for name, value in model.state_dict().items()}
    recipe = Recipe.from_dict({**RECIPE.to_dict(), "steps": 80, "rate": 5e-3})
    optimizers = make_optimizers(model, recipe.optimizer, recipe.rate)
    update = Update(PairLoss(model), model, copy.deepcopy(model), optimizers, recipe)
    losses = [float(update(batch, step)) for step in range(recipe.steps)]
    assert losses[-1] < 0.8 * losses[0]
    for name, value in model.state_dict().items():
        assert not torch.equal(value, begun[name]), name


@pytest.mark.parametrize("frozen", [True, False])
def test_it_learns_what_the_teacher_answers(photos, encoder, frozen):
    """The target is its answer, not the photo's pixels; a frozen encoder reads for both."""
    changes = {"freeze_encoder": frozen, "teacher": encoder}
    recipe = Recipe.from_dict({**RECIPE.to_dict(), **changes})
    state = State(recipe, encoder, torch.device("cpu"))
    batch = PairSampler(photo_paths(photos), recipe).batch(range(4))
    teacher = load_model(encoder, "cpu")
    loss = loss_of(state)
    assert loss.same_codes == frozen
    if not frozen:  # later in the run, both read other codes
        with torch.no_grad():
            next(state.model.encoder.parameters()).mul_(1.5)
    with torch.no_grad():
        wanted = teacher.query(teacher.encode(batch.photo), batch.coord, batch.cell)
        found = state.model.query(state.model.encode(batch.photo), batch.coord, batch.cell)
    torch.testing.assert_close(loss(batch), (found - wanted).abs().mean(), rtol=0, atol=1e-6)
    black = batch._replace(colour=torch.zeros_like(batch.colour))
    assert loss(black) == loss(batch)
    loss(batch).backward()
    assert all(weight.grad is None for weight in state.teacher.parameters())
    learning = {name for name, weight in state.model.named_parameters() if weight.grad is not None}
    names = {name for name, _ in state.model.named_parameters()}
    assert learning == {name for name in names if not (frozen and name.startswith("encoder."))}


def test_beyond_a_scale_the_photo_counts_as_much_as_the_teacher(photos, encoder):
    changes = {"teacher": encoder, "teacher_to": 2.0, "far": 0.5}
    recipe = Recipe.from_dict({**RECIPE.to_dict(), **changes})
    state = State(recipe, encoder, torch.device("cpu"))
    batch = PairSampler(photo_paths(photos), recipe).batch(range(12))
    scales = (2 / (batch.cell[:, 0, 0] * recipe.patch)).round(decimals=4)
    assert 2 < int((scales > 2).sum()) < 10
    loss = loss_of(state)
    other = load_model(encoder, "cpu")
    for number, scale in enumerate(scales.tolist()):
        one = type(batch)(*(part[number : number + 1] for part in batch))
        with torch.no_grad():
            said = other.query(other.encode(one.photo), one.coord, one.cell)
            found = state.model.query(state.model.encode(one.photo), one.coord, one.cell)
        wanted = (one.colour + said) / 2 if scale > 2 else said
        torch.testing.assert_close(loss(one), (found - wanted).abs().mean(), rtol=0, atol=1e-6)
    to_the_end = batch._replace(cell=torch.full_like(batch.cell, 2 / (recipe.patch * 2)))
    black = to_the_end._replace(colour=torch.zeros_like(batch.colour))
    assert loss(black) == loss(to_the_end)  # at the last scale it still answers


@pytest.mark.parametrize(("enough", "error"), [({}, 1e-5), ({"enough": 30}, 1e-3)])
def test_what_a_difference_from_the_teacher_costs_depends_on_the_teachers_own_error(
    enough, error, photos, encoder
):
    """By "psnr": the logarithm of the two squared errors' sum, for each patch."""
    recipe = Recipe.from_dict({**RECIPE.to_dict(), "teacher": encoder, "loss": "psnr", **enough})
    state = State(recipe, encoder, torch.device("cpu"))
    batch = PairSampler(photo_paths(photos), recipe).batch(range(4))
    with torch.no_grad():
        wanted = state.teacher.query(state.teacher.encode(batch.photo), batch.coord, batch.cell)
        found = state.model.query(state.model.encode(batch.photo), batch.coord, batch.cell)
    own, apart = (
        (one - other).square().mean(dim=(1, 2))
        for one, other in ((wanted, batch.colour), (found, wanted))
    )
    expected = 0.1 * (own + apart + error).log().mean()
    torch.testing.assert_close(loss_of(state)(batch), expected, rtol=0, atol=1e-6)


def test_a_teacher_asked_from_all_sides_answers_as_a_self_ensemble(photos, encoder):
    recipe = Recipe.from_dict(
        {**RECIPE.to_dict(), "teacher": encoder, "from_all_sides": True, "min_scale": 2.0}
        | {"max_scale": 2.0, "patch": 8, "queries": 16 * 16}
    )
    state = State(recipe, encoder, torch.device("cpu"))
    batch = PairSampler(photo_paths(photos), recipe).batch(range(2))
    with torch.no_grad():
        found = state.model.query(state.model.encode(batch.photo), batch.coord, batch.cell)
    wanted = []
    for photo, coord in zip(batch.photo, batch.coord, strict=True):
        ensemble = SelfEnsemble(state.teacher, photo.permute(1, 2, 0).numpy())
        grid = ContinuousPhoto(state.teacher, photo.permute(1, 2, 0).numpy()).output(16, 16)
        answers = torch.from_numpy(ensemble.window(grid, range(16), range(16)))
        row, col = ((coord + 1) * 8).long().unbind(dim=-1)  # of the 16, whose centres are asked for
        wanted.append(answers[row, col])
    loss = loss_of(state)(batch)
    expected = (found - torch.stack(wanted)).abs().mean()
    torch.testing.assert_close(loss, expected, rtol=0, atol=1e-6)


def test_a_teacher_asked_from_any_side_answers_the_same_over_eight_numbers(photos, encoder):
    changes = {"teacher": encoder, "patch": 8, "queries": 64}
    recipe = Recipe.from_dict({**RECIPE.to_dict(), **changes})
    state = State(recipe, encoder, torch.device("cpu"))
    one = PairSampler(photo_paths(photos), recipe).batch(range(1))
    many = type(one)(*(part.expand(8, *part.shape[1:]) for part in one))
    numbered = many._replace(seed=torch.arange(16, 24))
    any_side, all_sides = (
        PairLoss(state.model, teacher=state.teacher, **{key: True})
        for key in ("from_any_side", "from_all_sides")
    )
    with torch.no_grad():
        found = any_side._of_teacher(state.model.encode(many.photo), numbered)
        wanted = all_sides._of_teacher(state.model.encode(one.photo), one)
    assert found.std(dim=0).max() > 1e-3, "the orientations should differ"
    torch.testing.assert_close(found.mean(dim=0), wanted[0])


def test_another_encoder_may_have_the_teacher(photos, encoder, monkeypatch):
    """A frozen encoder that is not the teacher's: each reads with its own."""
    monkeypatch.setitem(CONFIGS, "tiny-heat", HeatConfig(blocks=3, channels=8, width=8, waves=6))
    changes = {"freeze_encoder": True, "teacher": encoder}
    state = State(Recipe.from_dict({**RECIPE.to_dict(), **changes}), encoder, torch.device("cpu"))
    assert not loss_of(state).same_codes


def cut_off(recipe, photos, out, monkeypatch, **options):
    """Train, interrupted before step 9."""
    advance = Run.advance

    def interrupted(run, batch):
        if run.state.step == 8:
            raise KeyboardInterrupt
        advance(run, batch)

    with monkeypatch.context() as patched:
        patched.setattr(Run, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, photos, out, device="cpu", quiet=True, **options)


def test_a_run_is_resumed_with_its_teacher_alone(photos, encoder, tmp_path, monkeypatch):
    """Whatever --init it was begun from, the recipe names its teacher, who goes on teaching."""
    recipe = Recipe.from_dict({**RECIPE.to_dict(), "teacher": encoder, "freeze_encoder": True})
    other = Recipe.from_dict({**recipe.to_dict(), "teacher": "liif-edsr-small"})
    train(recipe, photos, tmp_path / "whole", init=encoder, device="cpu", quiet=True)
    cut_off(recipe, photos, tmp_path / "run", monkeypatch, init=encoder)
    with pytest.raises(LiifError, match="has another recipe"):
        train(other, photos, tmp_path / "run", resume=True, device="cpu", quiet=True)
    train(recipe, photos, tmp_path / "run", resume=True, device="cpu", quiet=True)
    whole, run = (
        torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "run")
    )
    for part in ("model", "average"):
        for name, value in whole[part].items():
            assert torch.equal(run[part][name], value), name
    noted = training_facts(tmp_path / "run" / "best.safetensors")["recipe"]["teacher"]
    assert noted == Path(encoder).name


@pytest.mark.parametrize("distilled", [True, False])
def test_a_run_from_before_recipes_named_a_teacher_goes_on(
    photos, encoder, tmp_path, monkeypatch, distilled
):
    """Then "distil" said that the lender of the encoder, `init`, taught the decoder."""
    changes = {"init": encoder, "freeze_encoder": True, "teacher": encoder if distilled else None}
    recipe = Recipe.from_dict({**RECIPE.to_dict(), **changes})
    cut_off(recipe, photos, tmp_path / "run", monkeypatch)
    state = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    del state["recipe"]["teacher"], state["recipe"]["from_all_sides"]
    state["recipe"]["distil"] = distilled
    torch.save(state, tmp_path / "run" / "last.pt")
    train(recipe, photos, tmp_path / "run", resume=True, device="cpu", quiet=True)
    assert torch.load(tmp_path / "run" / "last.pt", weights_only=True)["step"] == recipe.steps


def test_no_run_begins_if_the_teacher_of_a_later_one_is_missing(photos, encoder, tmp_path):
    before = {"steps": 4, "warmup": 1, "decay": 1, "teacher": encoder}
    changes = {"init": encoder, "before": [before], "teacher": "nowhere.safetensors"}
    recipe = Recipe.from_dict({**RECIPE.to_dict(), **changes})
    with pytest.raises(LiifError, match="nowhere.safetensors"):
        train(recipe, photos, tmp_path / "run", device="cpu", quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["heat-edsr-small", "heat-edsr"])
def test_the_recipes_begin_with_what_is_shipped(name):
    """Their encoders fit, and the validation photographs are those that chose the lender."""
    recipe = load_recipe(name)
    lender = load_model(recipe.init, "cpu")
    assert (lender.config.blocks, lender.config.channels) == (
        CONFIGS[name].blocks,
        CONFIGS[name].channels,
    )
    assert recipe.held_out == load_recipe("liif-edsr-small").held_out


def test_what_grows_and_what_does_not():
    small = small_heat(depth=1, powers=0)
    large = grow(small, HeatConfig(blocks=3, channels=10, width=12, waves=5))
    photo = torch.rand(1, 3, 9, 11)
    coord, cell = torch.rand(1, 40, 2) * 2 - 1, torch.full((1, 40, 2), 0.1)
    found = large.query(large.encode(photo), coord, cell)
    torch.testing.assert_close(found, small.query(small.encode(photo), coord, cell))
    for config in (
        HeatConfig(blocks=1, channels=8, width=12, waves=5),
        LIIFConfig(blocks=2, channels=7, hidden=(8,)),
    ):
        with pytest.raises(LiifError, match="only grow in blocks and channels: heat field 2×8, w"):
            grow(small, config)


def test_a_heat_field_grows_in_layers_and_powers():
    small = small_heat(depth=1, powers=1)
    photo = torch.rand(1, 3, 9, 11)
    coord, cell = torch.rand(1, 40, 2) * 2 - 1, torch.full((1, 40, 2), 0.1)
    expected = small.query(small.encode(photo), coord, cell)
    bilinear = HeatConfig(blocks=2, channels=8, width=12, waves=5)
    sizes = {"blocks": 3, "channels": 10, "width": 12, "waves": 5}
    large = grow(small, HeatConfig(**sizes, depth=3, powers=2))
    found = large.query(large.encode(photo), coord, cell)
    torch.testing.assert_close(found, expected)
    for config in (  # what has less, or another shape, begins anew
        replace(bilinear, depth=0, powers=1),
        replace(bilinear, powers=0),
        replace(bilinear, powers=1, width=14),
        replace(bilinear, powers=1, falloff=3.0),
    ):
        assert not grow(small, config).writer[-1].weight.any()
