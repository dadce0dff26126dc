"""Runs: resumed bit for bit after any kill, and the same on two processes as on one."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from liif_core.errors import LiifError
from liif_core.training.recipe import Recipe, load_recipe, recipe_names
from liif_core.training.trainer import train
from liif_core.weights import training_facts

DRIVER = Path(__file__).parent / "driver.py"


def drive(options, *, processes=1):
    start = [sys.executable]
    if processes > 1:
        start += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [
        *start,
        str(DRIVER),
        json.dumps({k: str(v) if isinstance(v, Path) else v for k, v in options.items()}),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def finished(options, **kwargs):
    done = drive(options, **kwargs)
    assert done.returncode == 0, done.stderr
    return torch.load(Path(options["out"]) / "last.pt", weights_only=True)


def log_without_times(run):
    with (run / "log.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "hours"} for row in csv.DictReader(file)]


def assert_same(found, expected):
    assert found["step"] == expected["step"]
    assert found["best"] == expected["best"]
    for part in ("model", "average"):
        for key, value in expected[part].items():
            assert torch.equal(found[part][key], value), (part, key)
    for one, other in zip(found["optimizers"], expected["optimizers"], strict=True):
        for key, state in other["state"].items():
            for name, value in state.items():
                assert torch.equal(torch.as_tensor(one["state"][key][name]), torch.as_tensor(value))


@pytest.fixture(scope="module")
def whole_run(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    return out, finished({"photos": photos, "out": out})


@pytest.mark.parametrize(
    "kill",
    [{"kill_at_step": 2}, {"kill_at_step": 8}, {"kill_at_save": 1}, {"kill_at_save": 3}],
    ids=str,
)
def test_a_killed_run_resumes_bit_for_bit(kill, whole_run, photos, tmp_path):
    whole, expected = whole_run
    options = {"photos": photos, "out": tmp_path / "run"}
    assert drive({**options, **kill}).returncode == -signal.SIGKILL
    started = (tmp_path / "run" / "last.pt").is_file()
    assert started == (kill in ({"kill_at_step": 8}, {"kill_at_save": 3}))
    if not started:  # killed before anything was saved: there is nothing to lose
        again = drive({**options, "resume": True})
        assert "without --resume" in again.stderr
        (tmp_path / "run" / "log.csv").unlink(missing_ok=True)
    found = finished({**options, "resume": started})
    assert_same(found, expected)
    assert log_without_times(tmp_path / "run") == log_without_times(whole)
    assert not list((tmp_path / "run").glob(".*"))


def test_what_a_run_leaves(whole_run):
    out, state = whole_run
    names = {path.name for path in out.iterdir()}
    assert {"recipe.json", "log.csv", "last.pt", "best.safetensors", "curves.png"} <= names
    rows = log_without_times(out)
    assert [row["step"] for row in rows] == ["5", "10", "12"]
    assert float(rows[-1]["rate"]) < float(rows[0]["rate"])
    facts = training_facts(out / "best.safetensors")
    assert facts["photographs"] == 3  # of four, one is held out for validation
    assert facts["recipe"] == json.loads((out / "recipe.json").read_text())
    assert state["step"] == 12


def test_two_processes_train_as_one_with_the_doubled_batch(photos, tmp_path):
    two = finished({"photos": photos, "out": tmp_path / "two"}, processes=2)
    one = finished({"photos": photos, "out": tmp_path / "one", "recipe": {"batch": 4}})
    untrained = finished({"photos": photos, "out": tmp_path / "zero", "recipe": {"rate": 1e-12}})
    for key, value in one["model"].items():
        torch.testing.assert_close(two["model"][key], value, atol=2e-5, rtol=0)
        moved = (value - untrained["model"][key]).abs().max()
        assert moved > 1e-3, "the tolerance proves nothing if nothing was learnt"


def test_a_run_is_neither_overwritten_nor_mixed_up(whole_run, photos):
    out, _ = whole_run
    again = drive({"photos": photos, "out": out})
    assert "holds a run already" in again.stderr
    other = drive({"photos": photos, "out": out, "resume": True, "recipe": {"rate": 1e-4}})
    assert "another recipe" in other.stderr


def test_impossible_runs(photos, tmp_path):
    recipe = Recipe("liif-edsr-small", steps=1)
    with pytest.raises(LiifError, match="smaller than 128 pixels"):
        train(recipe, photos, tmp_path / "a")
    with pytest.raises(LiifError, match="no folder"):
        train(recipe, tmp_path / "nowhere", tmp_path / "b")
    with pytest.raises(LiifError, match="no photographs"):
        train(recipe, tmp_path, tmp_path / "c")
    with pytest.raises(LiifError, match="no model called"):
        train(Recipe("vgg", steps=1, patch=4, queries=16), photos, tmp_path / "d")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps must be greater"),
        ({"queries": 0}, "queries must be greater"),
        ({"min_scale": 0.5}, "min_scale"),
        ({"warmup": 9, "decay": 2}, "more than all steps"),
        ({"degrade": "sepia"}, "degrade"),
        ({"optimizer": "sgd"}, "optimizer"),
        ({"colour": 1}, "unknown colour"),
    ],
)
def test_impossible_recipes(change, message):
    with pytest.raises(LiifError, match=message):
        Recipe.from_dict({"model": "liif-edsr", "steps": 10, "warmup": 1, **change})


def test_recipes_in_the_package():
    assert "liif-edsr-small" in recipe_names()
    for name in recipe_names():
        recipe = load_recipe(name)
        assert Recipe.from_dict(recipe.to_dict()) == recipe
        short = recipe.with_steps(10)
        assert short.steps == 10
        assert short.warmup + short.decay <= 10
    with pytest.raises(LiifError, match="liif-edsr-small"):
        load_recipe("none-such")
