"""Weights as the engine in the browser reads them."""

import json
import math
import re

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load

from liif_core.errors import LiifError
from liif_core.explorer.browser_weights import browser_weights, mark_of
from liif_core.liif import LIIF, LIIFConfig
from liif_core.noise_field import LATTICES
from liif_core.render import render
from liif_core.weights import load_model
from liif_core.widgets.assets import STATIC


def small() -> LIIF:
    torch.manual_seed(0)
    return LIIF(LIIFConfig(blocks=1, channels=8, hidden=(16,), local_colour=True)).eval()


def test_float32_loses_nothing(tmp_path):
    model = small()
    data = browser_weights(model, "float32")
    state = load(data)
    assert state.keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(state[name], value)
    (tmp_path / "x.safetensors").write_bytes(data)
    with safe_open(tmp_path / "x.safetensors", "pt") as file:
        assert LIIFConfig.from_dict(json.loads(file.metadata()["config"])) == model.config


def test_float16_is_half_as_large_and_hardly_shows():
    model = load_model("liif-edsr-small", "cpu")
    data = browser_weights(model)
    assert len(data) < 0.52 * len(browser_weights(model, "float32"))
    photo = torch.rand(24, 32, 3, generator=torch.Generator().manual_seed(0)).numpy()
    exact = render(model, photo, 60, 80)
    rounded = load_model("liif-edsr-small", "cpu")
    rounded.load_state_dict({name: value.float() for name, value in load(data).items()})
    assert 0 < abs(render(rounded, photo, 60, 80) - exact).max() <= 2 / 255


@pytest.mark.parametrize("value", [1e6, float("nan")])
def test_numbers_that_float16_cannot_hold(value):
    model = small()
    with torch.no_grad():
        model.imnet.layers[0].weight[0, 0] = value
    with pytest.raises(LiifError, match="not finite in float16"):
        browser_weights(model)


def test_what_the_engine_cannot_run():
    with pytest.raises(LiifError, match="no precision"):
        browser_weights(small(), "int8")
    with pytest.raises(LiifError, match="hidden layer"):
        browser_weights(LIIF(LIIFConfig(blocks=1, channels=8, hidden=())))
    model = small()
    model.encoder = torch.nn.Conv2d(3, 8, 1)
    with pytest.raises(LiifError, match="EDSR"):
        browser_weights(model)


def test_what_reads_noise_tells_its_seed(tmp_path):
    noisy = LIIF(LIIFConfig(blocks=1, channels=8, hidden=(16,), noise=3)).eval()
    marks = set()
    for seed in (0, 5, 5):
        noisy.seed = seed
        (tmp_path / "x.safetensors").write_bytes(browser_weights(noisy))
        with safe_open(tmp_path / "x.safetensors", "pt") as file:
            told = json.loads(file.metadata()["config"])
        assert told == {**noisy.config.to_dict(), "seed": seed}
        marks.add(mark_of(noisy))
    assert len(marks) == 2


def test_the_engine_has_the_lattices_of_the_noise():
    text = (STATIC / "engine/lattices.js").read_text(encoding="utf-8")
    number = r"([\d.]+)"
    single = re.findall(rf"angle: {number}, along: {number}, across: {number} ", text)
    turned = re.findall(rf"\.turned\({number}, {number}, {number}\)", text)
    found = [tuple(map(float, one)) for one in single]
    for first, along, across in turned:
        quarters = (float(first) + turn * math.pi / 4 for turn in range(4))
        found += [(angle, float(along), float(across)) for angle in quarters]
    assert found == [tuple(lattice) for lattice in LATTICES]
