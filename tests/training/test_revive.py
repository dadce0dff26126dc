"""Dead units of an encoder: counted, and begun anew without a change of what it computes."""

import copy
from dataclasses import replace

import pytest
import torch
from small_models import small_model

from liif_core.edsr import EDSR
from liif_core.errors import LiifError
from liif_core.models import CONFIGS
from liif_core.training.recipe import Recipe
from liif_core.training.revive import LOUDNESS, open_shares, revive
from liif_core.training.run import Run
from liif_core.training.trainer import train
from liif_core.weights import load_model, save_weights


def close(encoder, block, units):
    """Shift what the ReLUs of these units are given so far down that nothing opens them."""
    with torch.no_grad():
        encoder.body[block].body[0].bias[units] = -1e3


@pytest.fixture
def encoder():
    """Three blocks of eight; units 2 and 5 of the second, and all of the third, are dead."""
    torch.manual_seed(3)
    encoder = EDSR(blocks=3, channels=8)
    close(encoder, 1, [2, 5])
    close(encoder, 2, list(range(8)))
    return encoder


@pytest.fixture
def patches():
    return torch.rand((6, 3, 12, 12), generator=torch.Generator().manual_seed(4)) * 2 - 1


def test_a_dead_unit_is_open_nowhere(encoder, patches):
    found = open_shares(encoder, patches)
    assert found.shape == (3, 8)
    assert (found[0] > 0).all()
    assert (found[1] == 0).nonzero().flatten().tolist() == [2, 5]
    assert (found[2] == 0).all()


def test_the_share_is_that_of_the_pixels(patches):
    encoder = EDSR(blocks=1, channels=1)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.zero_()
        encoder.head[0].weight[0, 0, 1, 1] = 1.0  # the red of each pixel …
        encoder.body[0].body[0].weight[0, 0, 1, 1] = 1.0
        encoder.body[0].body[0].bias[0] = -0.5  # … less a half
    share = (patches[:, 0] > 0.5).float().mean()
    assert open_shares(encoder, patches).item() == pytest.approx(share.item())


def test_revived_units_open_and_the_encoder_computes_the_same(encoder, patches):
    before = encoder(patches)
    live = copy.deepcopy(encoder.body[1].body[0])
    assert revive(encoder, patches, torch.Generator().manual_seed(0)) == 2 + 8
    torch.testing.assert_close(encoder(patches), before)
    found = open_shares(encoder, patches)
    assert ((found[2] > 0.25) & (found[2] < 0.75)).all()
    assert (found[1, [2, 5]] > 0.25).all()
    kept = [0, 1, 3, 4, 6, 7]
    assert torch.equal(encoder.body[1].body[0].weight[kept], live.weight[kept])
    assert revive(encoder, patches, torch.Generator()) == 0


def test_a_revived_unit_is_as_loud_as_trained_ones(encoder, patches):
    revive(encoder, patches, torch.Generator().manual_seed(0))
    seen = encoder.body[:2](encoder.head(patches))
    given = encoder.body[2].body[0](seen)
    loud = given.std(dim=(0, 2, 3)) / seen.std(dim=(0, 2, 3)).mean()
    torch.testing.assert_close(loud, torch.full((8,), LOUDNESS))
    torch.testing.assert_close(given.mean(dim=(0, 2, 3)), torch.zeros(8), atol=1e-5, rtol=0)


def test_a_revived_unit_learns_and_a_dead_one_does_not(encoder, patches):
    def gradient():
        encoder.zero_grad()
        encoder(patches).square().sum().backward()
        return encoder.body[2].body[2].weight.grad.abs().amax(dim=(0, 2, 3))

    assert (gradient() == 0).all()
    revive(encoder, patches, torch.Generator().manual_seed(0))
    assert (gradient() > 0).all()


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A run from weights of which three units are dead."""
    model = small_model()
    close(model.encoder, 0, [0, 1, 3])
    save_weights(model, tmp_path / "start.safetensors", {})
    monkeypatch.setitem(CONFIGS, "tiny-liif", model.config)
    return Recipe(
        "tiny-liif",
        steps=4,
        batch=2,
        patch=8,
        queries=16,
        warmup=1,
        validate_every=4,
        save_every=2,
        precision="float32",
        init=str(tmp_path / "start.safetensors"),
        revive=True,
    )


def test_a_run_revives_before_its_first_step_and_says_how_many(
    recipe, photos, tmp_path, capsys, monkeypatch
):
    def stop(run, batch):
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "advance", stop)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, photos, tmp_path / "run", device="cpu", quiet=True)
    units = small_model().config.blocks * small_model().config.channels
    assert f"3 of the encoder's {units} units were dead, and begin anew" in capsys.readouterr().err
    saved = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    assert all(torch.equal(saved["average"][key], value) for key, value in saved["model"].items())
    start = load_model(recipe.init, "cpu").state_dict()
    bias = "encoder.body.0.body.0.bias"
    changed = (saved["model"][bias] != start[bias]).nonzero().flatten().tolist()
    assert changed == [0, 1, 3]


def test_a_resumed_run_does_not_revive_again(recipe, photos, tmp_path, capsys, monkeypatch):
    train(recipe, photos, tmp_path / "whole", device="cpu", quiet=True)
    advance = Run.advance

    def stop(run, batch):
        if run.state.step == 3:
            raise KeyboardInterrupt
        advance(run, batch)

    monkeypatch.setattr(Run, "advance", stop)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, photos, tmp_path / "cut", device="cpu", quiet=True)
    monkeypatch.undo()
    monkeypatch.setitem(CONFIGS, "tiny-liif", small_model().config)
    capsys.readouterr()
    train(recipe, photos, tmp_path / "cut", resume=True, device="cpu", quiet=True)
    assert "dead" not in capsys.readouterr().err
    ends = [load_model(tmp_path / name / "best.safetensors", "cpu") for name in ("whole", "cut")]
    for one, other in zip(*(end.parameters() for end in ends), strict=True):
        assert torch.equal(one, other)


def test_a_run_that_ends_with_many_dead_units_says_so(recipe, photos, tmp_path, capsys):
    train(replace(recipe, revive=False), photos, tmp_path / "run", device="cpu", quiet=True)
    model = load_model(tmp_path / "run" / "best.safetensors", "cpu")
    units = model.config.blocks * model.config.channels
    told = capsys.readouterr().err
    assert f"3 of the encoder's {units} units are dead" in told
    assert 'with "revive": true in its recipe' in told
    train(recipe, photos, tmp_path / "revived", device="cpu", quiet=True)
    assert "are dead" not in capsys.readouterr().err


def test_the_fine_tunings_of_a_soup_do_not_revive():
    values = {"model": "liif-edsr", "steps": 1, "revive": True, "warmup": 0}
    recipe = Recipe.from_dict({**values, "soup": [{"seeds": [1, 2]}]})
    assert [part.revive for part in recipe.fine_tunings()] == [False, False]
    with pytest.raises(LiifError, match="soup 1 of 1: revive cannot change there"):
        Recipe.from_dict({**values, "soup": [{"seeds": [1], "revive": True}]})


def test_an_encoder_that_stays_cannot_be_revived():
    with pytest.raises(LiifError, match="revive changes the encoder"):
        Recipe.from_dict({"model": "liif-edsr", "steps": 1, "revive": True, "freeze_encoder": True})
