"""Runs: resumed bit for bit after any kill, and the same on two processes as on one."""

import csv
import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from liif_core.device import has_bfloat16
from liif_core.errors import LiifError
from liif_core.liif import LIIF, LIIFConfig
from liif_core.models import CONFIGS
from liif_core.training import photographs, run
from liif_core.training.checkpoint import State
from liif_core.training.recipe import Recipe, load_recipe, recipe_names
from liif_core.training.soup import greedy_soup
from liif_core.training.trainer import closing_words, train
from liif_core.weights import load_model, save_weights, training_facts

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
    assert started == (kill != {"kill_at_save": 1})
    if not started:  # killed while the first checkpoint was written, before the first step
        assert "no run to resume in" in drive({**options, "resume": True}).stderr
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


def test_two_processes_train_as_one_with_a_batch_of_both(photos, tmp_path):
    """Each of the two sees 2 patches a step, the one sees 4."""
    recipe = {"batch": 4}
    two = finished({"photos": photos, "out": tmp_path / "two", "recipe": recipe}, processes=2)
    one = finished({"photos": photos, "out": tmp_path / "one", "recipe": recipe})
    untrained = finished({"photos": photos, "out": tmp_path / "zero", "recipe": {"rate": 1e-12}})
    for key, value in one["model"].items():
        torch.testing.assert_close(two["model"][key], value, atol=2e-5, rtol=0)
        moved = (value - untrained["model"][key]).abs().max()
        assert moved > 1e-3, "the tolerance proves nothing if nothing was learnt"


@pytest.mark.skipif(sys.platform != "linux", reason="looks for threads where Linux lists them")
def test_processes_that_met_leave_no_thread_to_meet_the_end_of_python(photos, tmp_path):
    """One that lets go of a tensor while Python ends brings its process down."""
    options = {"photos": photos, "out": tmp_path / "two", "note_threads": tmp_path}
    recipe = {"steps": 2, "warmup": 1, "decay": 1, "batch": 4}
    finished({**options, "recipe": recipe}, processes=2)
    for rank in "01":
        left = (tmp_path / rank).read_text().split()
        assert left
        assert not [name for name in left if "gloo" in name]


def test_processes_validate_together(photos, tmp_path):
    """Each zooms its half, nothing is zoomed twice, and the scores are those of one alone."""
    shutil.copytree(photos, tmp_path / "val")
    options = {"photos": photos, "val": tmp_path / "val", "out": tmp_path / "two"}
    recipe = {"steps": 2, "warmup": 1, "decay": 1, "batch": 4}
    finished({**options, "recipe": recipe, "note_validated": tmp_path}, processes=2)
    zoomed = [(tmp_path / rank).read_text().splitlines() for rank in "01"]
    assert [len(half) for half in zoomed] == [6, 6]
    assert len({*zoomed[0], *zoomed[1]}) == 4 * 3  # photographs, scales
    finished({**options, "recipe": recipe, "out": tmp_path / "one"})
    two, one = (log_without_times(tmp_path / name)[-1] for name in ("two", "one"))
    for key in two:
        assert float(two[key]) == pytest.approx(float(one[key]), abs=2e-3), key


def test_a_run_is_neither_overwritten_nor_mixed_up(whole_run, photos):
    out, _ = whole_run
    again = drive({"photos": photos, "out": out})
    assert "holds a run already" in again.stderr
    other = drive({"photos": photos, "out": out, "resume": True, "recipe": {"rate": 1e-4}})
    assert "another recipe, which differs in rate; resume with" in other.stderr
    finished_run = drive({"photos": photos, "out": out, "resume": True})
    assert "is finished: 12 steps" in finished_run.stderr


SOUP: dict[str, Any] = {
    "soup": [
        {"seeds": [5], "steps": 3, "warmup": 0, "decay": 3, "loss": "psnr"},
        {"seeds": [6], "steps": 3, "warmup": 0, "decay": 3, "rate": 1e-4, "loss": "psnr"},
    ]
}


def test_a_soup_is_the_mean_of_its_parts_also_after_a_kill(photos, tmp_path):
    runs = [tmp_path / name for name in ("whole", "killed")]
    options = [{"photos": photos, "out": run, "recipe": SOUP} for run in runs]
    finished(options[0])
    # Twelve steps of the run itself, three of the first fine-tuning, one of the second.
    assert drive({**options[1], "kill_at_step": 17}).returncode == -signal.SIGKILL
    assert not (runs[1] / "soup.safetensors").exists()
    before = (runs[1] / "soup-5" / "last.pt").stat().st_mtime_ns
    finished({**options[1], "resume": True})
    assert (runs[1] / "soup-5" / "last.pt").stat().st_mtime_ns == before

    names = ["best.safetensors", "soup-5/best.safetensors", "soup-6/best.safetensors"]
    for folder in runs:
        parts = [load_model(folder / name, "cpu").state_dict() for name in names]
        for key, value in load_model(folder / "soup.safetensors", "cpu").state_dict().items():
            torch.testing.assert_close(value, sum(part[key] for part in parts) / 3)
            assert not torch.equal(parts[1][key], parts[2][key])
    mixed = [load_model(folder / "soup.safetensors", "cpu").state_dict() for folder in runs]
    assert all(torch.equal(value, mixed[1][key]) for key, value in mixed[0].items())
    facts = training_facts(runs[0] / "soup.safetensors")
    assert facts["recipe"]["soup"] == SOUP["soup"]
    assert facts["mean_of"] == names
    assert training_facts(runs[0] / names[1])["recipe"]["loss"] == "psnr"
    assert training_facts(runs[0] / names[2])["recipe"]["rate"] == 1e-4


def test_a_greedy_soup_takes_in_what_helps(photos, tmp_path):
    ruined = {"seeds": [7], "steps": 3, "warmup": 0, "decay": 3, "rate": 10.0}
    recipe = {"soup": [*SOUP["soup"], ruined], "greedy": True}
    finished({"photos": photos, "out": tmp_path, "recipe": recipe})
    facts = training_facts(tmp_path / "soup.safetensors")
    assert "soup-7/best.safetensors" not in facts["mean_of"]
    alone = [training_facts(path)["validation_psnr"] for path in tmp_path.rglob("best.safetensors")]
    assert facts["validation_psnr"]["x2"] >= max(psnr["x2"] for psnr in alone) - 0.01


def test_the_order_in_which_a_greedy_soup_tastes(tmp_path):
    """Scored by how near the mean of a weight comes to 1: 0.9 begins, 1.2 joins, 0 does not."""
    config = LIIFConfig(blocks=1, channels=4, hidden=(8,))
    paths = []
    for value in (0.0, 1.2, 0.9):
        model = LIIF(config)
        model.imnet.layers[0].bias.data.fill_(value)
        paths.append(tmp_path / f"{value}.safetensors")
        save_weights(model, paths[-1], {})

    def score(model: LIIF) -> float:
        return -abs(float(model.imnet.layers[0].bias[0]) - 1)

    assert greedy_soup(paths, score) == [paths[2], paths[1]]


def test_two_processes_cook_one_soup(photos, tmp_path):
    options = {"photos": photos, "out": tmp_path / "two", "recipe": SOUP}
    finished(options, processes=2)
    assert (tmp_path / "two" / "soup.safetensors").is_file()
    assert load_model(tmp_path / "two" / "soup.safetensors", "cpu").config.channels == 8


def test_a_held_run_may_decide_late_when_to_decay(whole_run, photos, tmp_path):
    """Stopped while the rate is held and given another end, it computes what that end would."""
    _, expected = whole_run
    options = {"photos": photos, "out": tmp_path / "run"}
    longer = {**options, "recipe": {"steps": 100}, "kill_at_step": 8}
    assert drive(longer).returncode == -signal.SIGKILL
    assert_same(finished({**options, "resume": True}), expected)


def test_only_a_held_rate_lets_a_run_change_its_end():
    held = Recipe("tiny", steps=12, warmup=2, decay=4)
    longer = replace(held, steps=100, decay=50)
    assert longer.goes_on_from(held, 8)
    assert not longer.goes_on_from(held, 9)  # held had begun to decay
    assert not longer.goes_on_from(held, 1)  # it still warmed up
    assert not replace(longer, seed=1).goes_on_from(held, 8)
    assert held.goes_on_from(held, 11)


def test_a_run_may_be_told_what_it_held_out():
    """Recipes of older runs do not say it."""
    old = Recipe.from_dict({"model": "tiny", "steps": 12, "warmup": 2})
    named = replace(old, held_out=("a.jpg", "b.jpg"))
    assert named.goes_on_from(old, 5)
    assert named.goes_on_from(named, 5)
    assert not replace(named, held_out=("c.jpg",)).goes_on_from(named, 5)
    assert not old.goes_on_from(named, 5)
    for part in replace(named, soup=({"seeds": [1], "rate": 1e-4},)).fine_tunings():
        assert part.held_out == named.held_out


def test_a_checkpoint_of_before(photos, tmp_path):
    """Written when recipes had neither soups nor what is held out, it goes on all the same."""
    options = {"photos": photos, "out": tmp_path}
    assert drive({**options, "kill_at_step": 8}).returncode == -signal.SIGKILL
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    for key in ("held_out", "soup", "greedy"):
        del state["recipe"][key]
    torch.save(state, tmp_path / "last.pt")
    resumed = finished({**options, "resume": True, "recipe": {"held_out": ["0.png"]}})
    assert resumed["step"] == 12
    assert resumed["recipe"]["held_out"] == ["0.png"]


def test_a_damaged_checkpoint_is_named(photos, tmp_path):
    (tmp_path / "last.pt").write_bytes(b"no checkpoint")
    again = drive({"photos": photos, "out": tmp_path, "resume": True})
    assert "last.pt cannot be read" in again.stderr


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setitem(CONFIGS, "tiny", LIIFConfig(blocks=1, channels=4, hidden=(8,)))
    state = State(Recipe("tiny", steps=1), None, torch.device("cpu"))
    state.save(tmp_path)
    before = (tmp_path / "last.pt").read_bytes()

    def full(state, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(LiifError, match="No space left"):
        state.save(tmp_path)
    assert (tmp_path / "last.pt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_what_is_said_at_the_end(tmp_path):
    recipe = Recipe("tiny", steps=1)
    first, next_ = closing_words(recipe, tmp_path, 0.25)
    assert first.startswith(f"{tmp_path / 'best.safetensors'}: +0.250 dB")
    assert f"liif zoom PHOTO --scale 4 --weights {tmp_path / 'best.safetensors'}" in next_
    _, why, _ = closing_words(recipe, tmp_path, -3.0)
    assert "not yet as good as bicubic" in why
    cooked = replace(recipe, soup=({"seeds": [1]},))
    assert str(tmp_path / "soup.safetensors") in closing_words(cooked, tmp_path, 1.0)[-1]


def test_a_recipe_may_name_the_weights_it_starts_from(photos, tmp_path):
    """With a rate of almost nothing they come out as they went in, grown where need be."""
    rates = {"rate": 1e-12, "steps": 2, "warmup": 1, "decay": 1}
    shape = {"model": "liif-edsr", "batch": 1, "init": "liif-edsr-small"}
    state = finished({"photos": photos, "out": tmp_path / "run", "recipe": {**rates, **shape}})
    grown = LIIF(CONFIGS["liif-edsr"])
    grown.load_state_dict(state["average"])
    small = load_model("liif-edsr-small", "cpu")
    photo = torch.rand(1, 3, 9, 11, generator=torch.Generator().manual_seed(0))
    coord = torch.tensor([[[0.2, -0.3], [0.9, 0.1]]])
    cell = torch.full((1, 2, 2), 0.05)
    colours = [model.query(model.encode(photo), coord, cell) for model in (grown, small)]
    torch.testing.assert_close(*colours, atol=1e-5, rtol=0)


def test_bfloat16_trains_as_float32_does(photos, tmp_path):
    """Same batches, rougher arithmetic: close, and different only where the processor has it."""
    weights, losses = [], []
    for precision in ("bfloat16", "float32"):
        out = tmp_path / precision
        state = finished({"photos": photos, "out": out, "recipe": {"precision": precision}})
        assert all(value.dtype == torch.float32 for value in state["model"].values())
        weights.append(torch.cat([value.flatten() for value in state["model"].values()]))
        losses.append([float(row["loss"]) for row in log_without_times(out)])
    assert losses[0] == pytest.approx(losses[1], rel=0.01)
    assert torch.equal(*weights) != has_bfloat16(torch.device("cpu"))


def test_a_batch_that_cannot_be_shared_out(photos, tmp_path):
    done = drive({"photos": photos, "out": tmp_path, "recipe": {"batch": 3}}, processes=2)
    assert "a batch of 3 cannot be shared out among 2 processes" in done.stderr


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
    with pytest.raises(LiifError, match="no folder"):
        train(recipe, photos, tmp_path / "e" / "f", val=tmp_path / "nowhere")
    assert not list(tmp_path.iterdir()), "no empty folder of a run is left"
    kept = tmp_path / "kept"
    kept.mkdir()
    with pytest.raises(LiifError, match="no folder"):
        train(recipe, tmp_path / "nowhere", kept / "run")
    assert not list(kept.iterdir())


def test_nothing_is_decoded_for_a_run_that_cannot_begin(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(photographs, "read_rgb", None)
    monkeypatch.setattr(run, "split", None)
    monkeypatch.setattr(run, "PairSampler", None)
    recipe = Recipe("liif-edsr-small", steps=1, patch=8, queries=16)
    with pytest.raises(LiifError, match="nowhere"):
        train(recipe, photos, tmp_path / "a", init=str(tmp_path / "nowhere.safetensors"))
    with pytest.raises(LiifError, match="no folder"):
        train(recipe, photos, tmp_path / "a", val=tmp_path / "nowhere")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps must be greater"),
        ({"queries": 0}, "queries must be greater"),
        ({"min_scale": 0.5}, "min_scale"),
        ({"warmup": 9, "decay": 2}, "more than all steps"),
        ({"degrade": "sepia"}, "degrade"),
        ({"precision": "float16"}, "precision"),
        ({"optimizer": "sgd"}, "optimizer"),
        ({"loss": "l3"}, "loss"),
        ({"colour": 1}, "unknown colour"),
        ({"held_out": [3]}, "list of file names"),
        ({"soup": [{"seeds": []}]}, "needs seeds"),
        ({"soup": [{"seeds": [1]}, {"rate": 1}]}, "needs seeds"),
        ({"soup": [{"seeds": [1]}, {"seeds": [1]}]}, "none twice"),
        ({"soup": [{"seeds": [1], "steps": 0}]}, "steps must be greater"),
        ({"soup": [{"seeds": [1], "salt": 1}]}, "unknown salt"),
        ({"soup": [{"seeds": [1], "init": "liif-edsr"}]}, "soup 1 of 1: init cannot change"),
        ({"before": [{"soup": [{"seeds": [1]}]}]}, "before 1 of 1: soup cannot change"),
        ({"before": [{"steps": 0}]}, "before 1 of 1: steps must be greater"),
        ({"before": [{"steps": 4}, {"steps": "many"}]}, "before 2 of 2: steps must be a whole num"),
        ({"before": [3]}, "before 1 of 1 must be changes to the recipe"),
        ({"before": {"steps": 3}}, "before must be a list of runs"),
        ({"before": 3}, "before must be a list of runs"),
        ({"soup": [5]}, "soup 1 of 1 must be changes"),
        ({"soup": "thick"}, "soup must be a list of groups"),
        ({"soup": [{"seeds": 5}]}, "soup 1 of 1: a group needs seeds"),
        ({"soup": [{"seeds": [[5]]}]}, "soup 1 of 1: seed must be a whole number"),
        ({"soup": [{"seeds": [1], "model": "heat-edsr"}]}, "model cannot change"),
        ({"steps": 2.5}, "steps must be a whole number"),
        ({"batch": True}, "batch must be a whole number"),
        ({"min_scale": "one"}, "min_scale must be a number"),
        ({"drawn": None}, "drawn must be a number"),
        ({"model": 3}, "model must be a text"),
        ({"held_out": "a.jpg"}, "list of file names"),
        ({"loss": "crisp", "window": 16, "crisp": 3}, "crisp needs weights of 0 or more"),
        ({"freeze_encoder": 1}, "freeze_encoder must be true or false"),
        ({"before": [{"pepper": 1}]}, "unknown pepper"),
        ({"teacher": "liif-edsr", "loss": "crisp", "window": 16}, "the crisp loss has no teacher"),
        ({"from_all_sides": True}, "true only of a teacher"),
        ({"from_any_side": True}, "true only of a teacher"),
        (
            {"from_any_side": True, "from_all_sides": True, "teacher": "liif-edsr"},
            "or from_any_side; drop one",
        ),
        ({"teacher": 3}, "teacher must be the name of weights"),
        ({"teacher": False}, "teacher must be the name of weights"),
        ({"drawn": 0.7, "crisper": 0.4}, "1 together at most"),
        ({"drawn": -0.1}, "shares of the patches"),
        ({"drawn": float("nan")}, "shares of the patches"),
        ({"teacher_to": 3}, "for a recipe with a teacher"),
        ({"teacher": "liif-edsr", "teacher_to": 5}, "between min_scale and max_scale"),
        ({"teacher": "liif-edsr", "far": 0.5}, "needs teacher_to"),
        ({"teacher": "liif-edsr", "teacher_to": 2, "far": 1.5}, "share of the patches"),
        ({"init": ["liif-edsr"]}, "init must be the name of weights"),
        ({"enough": "50"}, "enough must be a number"),
        ({"enough": -1}, "enough must lie between 0 and 100, in dB"),
        ({"enough": 10**400}, "enough must lie between 0 and 100, in dB"),
        ({"enough": float("nan")}, "enough must lie between 0 and 100, in dB"),
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
        assert short.soup == ()
        assert len(set(recipe.held_out)) == 16
        assert Recipe.from_dict({**short.to_dict(), "soup": None}) == short  # as runs once noted it
    with pytest.raises(LiifError, match="liif-edsr-small"):
        load_recipe("none-such")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("{", "not JSON"),
        ("[1]", "JSON object"),
        ('{"model": "liif-edsr-small"}', "JSON object"),
        ('{"model": "liif-edsr-small", "steps": "many"}', "steps must be a whole number"),
        ('{"model": "liif-edsr-small", "steps": 9, "sauce": 1}', "unknown sauce"),
    ],
)
def test_a_file_that_holds_no_recipe(tmp_path, text, words):
    if text is not None:
        (tmp_path / "mine.json").write_text(text)
    with pytest.raises(LiifError, match=words):
        load_recipe(str(tmp_path / "mine.json"))


def test_a_recipe_from_a_file(tmp_path):
    recipe = load_recipe("liif-edsr-small")
    (tmp_path / "mine.json").write_text(json.dumps(recipe.to_dict()))
    assert load_recipe(str(tmp_path / "mine.json")) == recipe
