"""What only a CUDA device can show: recorded steps, and rendering as exact as on the CPU."""

import numpy as np
import pytest
import torch
from small_models import small_heat

from liif_core.models import CONFIGS, build
from liif_core.render import render
from liif_core.samples import sample_photo
from liif_core.training import run
from liif_core.training.recipe import Recipe
from liif_core.training.trainer import train
from liif_core.weights import load_model

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

RECIPE = Recipe.from_dict(
    {
        "model": "liif-edsr-small",
        "steps": 12,
        "batch": 2,
        "patch": 12,
        "queries": 64,
        "warmup": 2,
        "decay": 4,
        "validate_every": 6,
        "save_every": 6,
        "precision": "float32",
    }
)


@pytest.mark.parametrize(
    ("model", "optimizer"),
    [("liif-edsr-small", "muon"), ("liif-edsr-small", "adamw"), ("heat-edsr-small", "muon")],
)
def test_recorded_steps_train_as_single_ones_do(model, optimizer, photos, tmp_path, monkeypatch):
    recipe = Recipe.from_dict({**RECIPE.to_dict(), "model": model, "optimizer": optimizer})
    train(recipe, photos, tmp_path / "recorded", device="cuda", quiet=True)
    monkeypatch.setattr(run, "can_record", lambda device, world: False)
    train(recipe, photos, tmp_path / "eager", device="cuda", quiet=True)
    recorded, eager = (
        torch.load(tmp_path / name / "last.pt", map_location="cpu", weights_only=True)
        for name in ("recorded", "eager")
    )
    assert recorded["loss_sum"] == pytest.approx(eager["loss_sum"], rel=1e-3)
    for part in ("model", "average"):
        torch.manual_seed(recipe.seed)
        begun = build(CONFIGS[recipe.model]).state_dict()
        found, expected, first = (
            torch.cat([state[key].flatten() for key in begun])
            for state in (recorded[part], eager[part], begun)
        )
        # The order of CUDA's sums is not fixed, and Muon makes much of the smallest gradients.
        assert (found - expected).norm() < 0.3 * (expected - first).norm()


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_a_recorded_run_goes_on_where_it_stopped(device, photos, tmp_path):
    held = Recipe.from_dict({**RECIPE.to_dict(), "decay": 0})
    train(held, photos, tmp_path / "run", device="cuda", quiet=True)
    longer = Recipe.from_dict({**RECIPE.to_dict(), "steps": 30, "decay": 18})
    train(longer, photos, tmp_path / "run", device=device, resume=True, quiet=True)
    state = torch.load(tmp_path / "run" / "last.pt", map_location="cpu", weights_only=True)
    assert state["step"] == 30


@pytest.mark.parametrize("scale", [2.0, 3.7])
@pytest.mark.parametrize("kind", ["liif", "heat"])
def test_rendering_is_as_exact_as_on_the_cpu(scale, kind):
    photo = sample_photo("astronaut")[100:180, 150:250].astype(np.float32) / 255
    size = [round(side * scale) for side in photo.shape[:2]]
    model = load_model("liif-edsr-small", "cpu") if kind == "liif" else small_heat()
    on_cpu, on_cuda = (render(model.to(device), photo, *size) for device in ("cpu", "cuda"))
    assert np.abs(on_cuda - on_cpu).max() <= 1e-5
