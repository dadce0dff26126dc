"""A recipe with runs before its own: one command, resumed bit for bit wherever it was left."""

import csv
import itertools
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from small_models import small_model

from liif_core.errors import LiifError
from liif_core.liif import LIIFConfig
from liif_core.models import CONFIGS
from liif_core.training.recipe import Recipe, load_recipe, trained_scales
from liif_core.training.run import Run
from liif_core.training.trainer import train
from liif_core.weights import load_model, save_weights, training_facts

BEFORE = (
    {"steps": 6, "warmup": 1, "decay": 0, "freeze_encoder": True},
    {"steps": 5, "warmup": 1, "decay": 2, "rate": 1e-3},
)


@pytest.fixture(scope="module")
def lender(tmp_path_factory):
    """A model with the same encoder, and another decoder."""
    path = tmp_path_factory.mktemp("lender") / "lender.safetensors"
    save_weights(small_model(local_colour=True), path, {})
    return str(path)


@pytest.fixture(scope="module")
def recipe(lender):
    """Its own seven steps, after six of a first run and five of a second."""
    return Recipe(
        "tiny-liif",
        steps=7,
        batch=2,
        patch=8,
        queries=16,
        warmup=1,
        decay=3,
        validate_every=4,
        save_every=2,
        precision="float32",
        init=lender,
        before=tuple({**run, "teacher": lender} for run in BEFORE),
        stored="float16",
    )


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    config = replace(small_model().config, hidden=(12,), local_colour=False)
    assert isinstance(config, LIIFConfig)
    monkeypatch.setitem(CONFIGS, "tiny-liif", config)


def states(out):
    return {
        path.parent.relative_to(out).as_posix(): torch.load(path, weights_only=True)
        for path in sorted(out.rglob("last.pt"))
    }


def assert_same(found, expected):
    assert found["step"] == expected["step"]
    for part in ("model", "average"):
        assert found[part].keys() == expected[part].keys()
        for name, value in expected[part].items():
            assert torch.equal(found[part][name], value), (part, name)


def stop_at(monkeypatch, *numbers):
    """Interrupt what trains before these of its steps, counted through all runs and resumings."""
    advance, steps = Run.advance, itertools.count(1)

    def interrupted(run, batch):
        if next(steps) in numbers:
            raise KeyboardInterrupt
        advance(run, batch)

    monkeypatch.setattr(Run, "advance", interrupted)


def logged(folder):
    with (folder / "log.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "hours"} for row in csv.DictReader(file)]


def test_it_goes_on_bit_for_bit_wherever_it_was_left(recipe, photos, tmp_path, monkeypatch):
    whole, run = tmp_path / "whole", tmp_path / "run"
    train(recipe, photos, whole, device="cpu", quiet=True)
    # Stopped at the fifth step, gone on with from the fourth, and so on: in each run once.
    stop_at(monkeypatch, 5, 11, 19)
    left = []
    for resume in (False, True, True):
        with pytest.raises(KeyboardInterrupt):
            train(recipe, photos, run, device="cpu", quiet=True, resume=resume)
        left.append({name: state["step"] for name, state in states(run).items()})
    assert left == [
        {"before-1": 4},
        {"before-1": 6, "before-2": 2},
        {"before-1": 6, "before-2": 5, ".": 4},
    ]
    with pytest.raises(LiifError, match="run holds a run already"):
        train(recipe, photos, run, device="cpu", quiet=True)
    train(recipe, photos, run, device="cpu", quiet=True, resume=True)
    found, expected = states(run), states(whole)
    assert found.keys() == expected.keys()
    for name, state in expected.items():
        assert_same(found[name], state)
        assert logged(run / name) == logged(whole / name)
    with pytest.raises(LiifError, match="is finished: 7 steps"):
        train(recipe, photos, run, device="cpu", quiet=True, resume=True)


@pytest.mark.parametrize("resume_at", [1, 7, 12], ids=["before-1", "before-2", "own"])
@pytest.mark.parametrize("validated", [False, True])
def test_a_run_can_be_resumed_from_its_first_step_on(
    resume_at, validated, recipe, lender, photos, tmp_path, monkeypatch
):
    """Stopped at its first step or after its first validation, it knows what it began with."""
    recipe = replace(recipe, init=None, validate_every=1, save_every=100)
    whole, run = tmp_path / "whole", tmp_path / "run"
    train(recipe, photos, whole, init=lender, device="cpu", quiet=True)
    stop_at(monkeypatch, resume_at + validated)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, photos, run, init=lender, device="cpu", quiet=True)
    folder = run / {1: "before-1", 7: "before-2", 12: "."}[resume_at]
    assert torch.load(folder / "last.pt", weights_only=True)["step"] == 0
    assert bool((folder / "log.csv").read_text()) == validated
    train(recipe, photos, run, device="cpu", quiet=True, resume=True)
    for name, state in states(whole).items():
        assert_same(states(run)[name], state)
        assert logged(run / name) == logged(whole / name)


def test_a_recipe_can_be_mended_while_none_of_its_steps_is_saved(
    recipe, photos, tmp_path, monkeypatch
):
    """Stopped at its first step, as by a batch that is too large for the memory."""

    def interrupted(run, batch):
        raise MemoryError

    advance = Run.advance
    monkeypatch.setattr(Run, "advance", interrupted)
    with pytest.raises(MemoryError):
        train(replace(recipe, before=()), photos, tmp_path, device="cpu", quiet=True)
    monkeypatch.setattr(Run, "advance", advance)
    mended = replace(recipe, before=(), batch=1)
    with pytest.raises(LiifError, match="take last.pt and log.csv there away, and it begins anew"):
        train(mended, photos, tmp_path, device="cpu", quiet=True, resume=True)
    train(mended, photos, tmp_path, device="cpu", quiet=True)
    assert states(tmp_path)["."]["step"] == recipe.steps


@pytest.mark.parametrize(
    ("damage", "message"),
    [(b"", "before-2/last.pt cannot be read: damaged"), (None, "has lost its checkpoint")],
)
def test_a_run_before_that_cannot_go_on_begins_anew_alone(
    damage, message, recipe, photos, tmp_path, monkeypatch
):
    stop_at(monkeypatch, 11)
    options = {"device": "cpu", "quiet": True}
    with pytest.raises(KeyboardInterrupt):
        train(recipe, photos, tmp_path, **options)
    kept = (tmp_path / "before-1" / "last.pt").read_bytes()
    last = tmp_path / "before-2" / "last.pt"
    last.unlink() if damage is None else last.write_bytes(damage)
    with pytest.raises(LiifError, match=f"{message}.*take .*before-2 away, and this run alone"):
        train(recipe, photos, tmp_path, resume=True, **options)
    shutil.rmtree(tmp_path / "before-2")
    train(recipe, photos, tmp_path, resume=True, **options)
    assert states(tmp_path)["."]["step"] == recipe.steps
    assert (tmp_path / "before-1" / "last.pt").read_bytes() == kept


def test_a_soups_folder_of_another_run_is_told_before_the_first(
    recipe, photos, tmp_path, monkeypatch
):
    monkeypatch.setattr(Run, "__init__", None)
    recipe = replace(recipe, soup=({"seeds": [5], "steps": 1, "warmup": 0, "decay": 0},))
    (tmp_path / "soup-5").mkdir()
    (tmp_path / "soup-5" / "log.csv").write_text("step\n1\n")
    with pytest.raises(LiifError, match="the run in .*soup-5 has lost its checkpoint"):
        train(recipe, photos, tmp_path, device="cpu", quiet=True)


def test_what_is_past_is_not_missed(recipe, photos, tmp_path, monkeypatch):
    """A run that goes on holds all that those before it left it: their folders may go."""
    whole, run = tmp_path / "whole", tmp_path / "run"
    train(recipe, photos, whole, device="cpu", quiet=True)
    stop_at(monkeypatch, 9)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, photos, run, device="cpu", quiet=True)
    shutil.rmtree(run / "before-1")
    train(recipe, photos, run, device="cpu", quiet=True, resume=True)
    assert not (run / "before-1").exists()
    for name in ("before-2", "."):
        assert_same(states(run)[name], states(whole)[name])


@pytest.mark.parametrize("before", [(), BEFORE[1:]], ids=["alone", "one before"])
def test_a_run_that_lost_its_checkpoint_is_not_begun_anew(before, recipe, photos, tmp_path):
    recipe = replace(recipe, before=before, validate_every=1, save_every=1)
    train(recipe, photos, tmp_path, device="cpu", quiet=True)
    (tmp_path / "last.pt").unlink()
    kept = {name: (tmp_path / name).read_bytes() for name in ("best.safetensors", "log.csv")}
    for resume in (True, False):
        with pytest.raises(LiifError, match="lost its checkpoint, last.pt; name another folder"):
            train(recipe, photos, tmp_path, device="cpu", quiet=True, resume=resume)
    assert kept == {name: (tmp_path / name).read_bytes() for name in kept}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "nosuch"}, "recipe: before 2 of 2: no model called 'nosuch'"),
        ({"model": "liif-edsr"}, "^an encoder can only grow"),
        ({"teacher": "nosuch"}, "no weights called 'nosuch'"),
        ({"teacher": "liif-edsr-crisp"}, "liif-edsr-crisp cannot be a teacher: it reads noise"),
        ({"patch": 60}, "before 2 of 2: all photographs in .* smaller than 240 pixels"),
    ],
)
def test_what_a_later_run_lacks_is_told_before_the_first(
    change, message, recipe, photos, tmp_path, monkeypatch
):
    monkeypatch.setattr(Run, "__init__", None)
    recipe = replace(recipe, before=(recipe.before[0], {**recipe.before[1], **change}))
    with pytest.raises(LiifError, match=message):
        train(recipe, photos, tmp_path / "run", device="cpu", quiet=True)
    assert not (tmp_path / "run").exists()


def test_a_folder_of_another_run_is_told_before_the_first(recipe, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "__init__", None)
    (tmp_path / "before-2").mkdir()
    (tmp_path / "before-2" / "log.csv").write_text("step\n1\n")
    with pytest.raises(LiifError, match="the run in .*before-2 has lost its checkpoint"):
        train(recipe, photos, tmp_path, device="cpu", quiet=True)


def test_what_each_begins_with(recipe, lender, photos, tmp_path):
    staged, alone = tmp_path / "staged", tmp_path / "alone"
    train(recipe, photos, staged, device="cpu", quiet=True)
    first = load_model(staged / "before-1" / "best.safetensors", "cpu").encoder.state_dict()
    for key, value in load_model(lender, "cpu").encoder.state_dict().items():
        assert torch.equal(first[key], value), key  # it was frozen

    # Its own run alone, from the weights of the one before, computes the same.
    start = str(staged / "before-2" / "best.safetensors")
    train(replace(recipe, before=()), photos, alone, init=start, device="cpu", quiet=True)
    assert_same(states(alone)["."], states(staged)["."])

    facts = training_facts(staged / "before-2" / "best.safetensors")["recipe"]
    assert facts["rate"] == BEFORE[1]["rate"]
    assert not facts["freeze_encoder"]
    noted = training_facts(staged / "best.safetensors")["recipe"]
    assert noted["before"] == [{**run, "teacher": "lender.safetensors"} for run in BEFORE]
    assert noted["init"] == "lender.safetensors", "of its folder nothing"
    for folder, stored in (("before-2", torch.float32), (".", torch.float16)):
        with safe_open(staged / folder / "best.safetensors", "pt") as file:
            assert file.get_tensor("imnet.layers.0.weight").dtype == stored


def test_there_is_nothing_to_resume_before_the_first(recipe, photos, tmp_path):
    with pytest.raises(LiifError, match=r"no run to resume in .*before-1; start it without"):
        train(recipe, photos, tmp_path / "run", device="cpu", resume=True)
    assert not (tmp_path / "run").exists()


def test_the_weights_of_the_command_begin_the_first(recipe, photos, tmp_path):
    """The recipe's are not even looked for."""
    other = str(tmp_path / "other.safetensors")
    save_weights(small_model(local_colour=True, seed=9), tmp_path / "other.safetensors", {})
    elsewhere = replace(recipe, init="nowhere.safetensors")
    train(elsewhere, photos, tmp_path / "run", init=other, device="cpu", quiet=True)
    first = load_model(tmp_path / "run" / "before-1" / "best.safetensors", "cpu").encoder
    lent = load_model(other, "cpu").encoder.state_dict()
    assert all(torch.equal(first.state_dict()[key], value) for key, value in lent.items())


def test_fewer_steps_are_fewer_in_all(recipe):
    short = recipe.with_steps(3)
    lengths = [(run.steps, run.warmup, run.decay) for run in [*short.runs_before(), short]]
    assert lengths == [(3, 0, 0), (2, 0, 0), (3, 0, 1)]
    assert all(run.teacher == recipe.init for run in short.runs_before())
    assert short.teacher is None
    assert [run.init for run in short.runs_before()] == [recipe.init, None]


def test_a_new_decoder_learns_from_the_lender_and_a_grown_one_goes_on():
    new, grown = load_recipe("heat-edsr"), load_recipe("edsr-baseline-liif")
    assert new.init == new.teacher == grown.init == "liif-edsr"
    assert new.freeze_encoder
    assert grown.teacher is None
    assert trained_scales("heat-edsr") == (1, new.max_scale)


def test_what_came_before_a_run_is_past(recipe, photos, tmp_path, monkeypatch):
    """A run that is held longer, or shorter, notes what really came before it."""
    advance = Run.advance

    def interrupted(run, batch):
        if run.recipe.before and run.state.step == 3:
            raise KeyboardInterrupt
        advance(run, batch)

    monkeypatch.setattr(Run, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, photos, tmp_path, device="cpu", quiet=True)
    monkeypatch.setattr(Run, "advance", advance)
    longer = replace(recipe.with_steps(10), warmup=1)
    assert longer.before != recipe.before
    train(longer, photos, tmp_path, device="cpu", quiet=True, resume=True)
    assert states(tmp_path)["before-1"]["step"] == 6
    noted = training_facts(tmp_path / "best.safetensors")["recipe"]
    assert (noted["steps"], noted["before"]) == (
        10,
        [{**run, "teacher": "lender.safetensors"} for run in BEFORE],
    )
