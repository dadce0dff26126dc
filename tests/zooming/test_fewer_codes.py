"""Approximate rendering does what it says, costs what it says, and is never the default."""

import re

import numpy as np
import pytest
import torch
from PIL import Image
from small_models import small_heat

from liif_core.__main__ import main
from liif_core.axes import axis_neighbours
from liif_core.coords import cell_size, coord_grid
from liif_core.liif import LIIF, LIIFConfig
from liif_core.metrics import psnr
from liif_core.render import ArrayPixels, ContinuousPhoto
from liif_core.zooming.fewer_codes import MOST_READ, THRESHOLD, FewerCodes, cost_told


@pytest.fixture(scope="module")
def model() -> LIIF:
    torch.manual_seed(0)
    config = LIIFConfig(blocks=1, channels=8, hidden=(16, 16), local_colour=True)
    return LIIF(config).eval().requires_grad_(False)


def photo(height: int = 11, width: int = 14) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, 3), np.float32)


@pytest.mark.parametrize("size", [(22, 28), (33, 42), (44, 56), (37, 113), (7, 9)])
def test_the_codes_that_count_share_the_weight_of_the_others(model, size):
    """Against the paper's equations: each code's answer, some of them left out."""
    view = FewerCodes(model, photo())
    fast = view.render(*size)
    latents = model.encode(torch.from_numpy(photo()).permute(2, 0, 1)[None])
    coord = coord_grid(*size, dtype=torch.float64).reshape(1, -1, 2)
    answers = model.answers(latents, coord, cell_size(*size).expand(coord.shape))
    # Above left, above right, below left, below right.
    share = answers.weight.reshape(1, -1, 2, 2)
    down, across = share.sum(dim=3), share.sum(dim=2)
    asked = (down >= THRESHOLD)[..., :, None] & (across >= THRESHOLD)[..., None, :]
    share = (share * asked).flatten(2)
    share = share / share.sum(dim=2, keepdim=True)
    expected = (answers.rgb * share[..., None]).sum(dim=2) * 0.5 + 0.5
    np.testing.assert_allclose(fast.reshape(-1, 3), expected[0].numpy(), atol=1e-5)
    view.threshold = 0
    exact = ContinuousPhoto(model, photo()).render(*size)
    np.testing.assert_array_equal(view.render(*size), exact)
    # At ×2 and ×3 no share lies between 0 and the threshold.
    assert (size in [(22, 28), (33, 42)]) == np.allclose(fast, exact, atol=1e-6)


def test_without_local_ensemble_there_is_nothing_to_leave_out():
    torch.manual_seed(0)
    config = LIIFConfig(blocks=1, channels=4, hidden=(8,), local_ensemble=False)
    model = LIIF(config).eval().requires_grad_(False)
    exact = ContinuousPhoto(model, photo()).render(44, 56)
    fast = FewerCodes(model, photo())
    np.testing.assert_array_equal(fast.render(44, 56), exact)
    assert fast.cost(fast.output(44, 56)) == np.inf
    said = "fast: changes nothing, for these weights ask one latent code a pixel anyway"
    assert fast.remark(fast.output(44, 56)) == said


@pytest.mark.parametrize("kind", ["liif", "heat", "noise"])
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_a_result_that_differs_nowhere_has_no_figure(model, kind, scale):
    """No code weighs little at these scales, so none is left out."""
    torch.manual_seed(0)
    noisy = LIIF(LIIFConfig(blocks=1, channels=8, hidden=(16,), local_colour=True, noise=5))
    models = {"liif": model, "heat": small_heat(), "noise": noisy.eval().requires_grad_(False)}
    fast = FewerCodes(models[kind], photo())
    same = fast.output(11 * scale, 14 * scale)
    assert fast.remark(same).startswith("fast: no different from the exact result")
    assert fast.remark(fast.output(44, 56)).startswith("fast: PSNR ")
    assert cost_told(47.13) == "fast: PSNR 47.1 dB against the exact result"


def test_fewer_codes_are_asked(model):
    coord = coord_grid(64, 1, dtype=torch.float64)[:, 0, 0]
    view = FewerCodes(model, photo(8, 8))
    axis = view.axis(view.output(64, 64), 0, range(64))
    asked = sum(len(neighbour.code) for neighbour in axis.neighbours())
    assert asked < 1.7 * 64
    axis = axis_neighbours(coord, 8, local_ensemble=True)
    assert sum(len(neighbour.code) for neighbour in axis.neighbours()) == 2 * 64
    # Of 3 outputs on a code, the middle one lies on its centre: the other code is not asked.
    axis = axis_neighbours(coord_grid(24, 1, dtype=torch.float64)[:, 0, 0], 8, local_ensemble=True)
    assert sum(len(neighbour.code) for neighbour in axis.neighbours()) < 16 * 2 + 10


def test_the_cost_is_that_of_a_sample(model):
    pixels = ArrayPixels(photo())
    exact = ContinuousPhoto(model, pixels)
    whole = exact.output(44, 56)  # smaller than a window: the sample is all of it
    fast = FewerCodes(model, pixels).render(44, 56).clip(0, 1)
    view = FewerCodes(model, pixels)
    assert view.cost(whole) == pytest.approx(psnr(fast, exact.render(44, 56).clip(0, 1)))
    large = view.cost(exact.output(500, 900))
    fast = FewerCodes(model, pixels).render(500, 900).clip(0, 1)
    assert large == pytest.approx(psnr(fast, exact.render(500, 900).clip(0, 1)), abs=3)
    assert view.cost(exact.output(22, 28)) > 100
    assert view.remark(whole) == f"fast: PSNR {view.cost(whole):.1f} dB against the exact result"


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (40, 30)])
def test_the_cost_of_any_result_is_measured_without_another_renderer(model, size, monkeypatch):
    view = FewerCodes(model, photo(700, 600))
    monkeypatch.setattr(ContinuousPhoto, "__init__", None)
    read = view.tiles.encode_window
    sides: list[int] = []

    def window(rows: slice, cols: slice):
        sides.extend([rows.stop - rows.start, cols.stop - cols.start])
        return read(rows, cols)

    monkeypatch.setattr(view.tiles, "encode_window", window)
    assert view.cost(view.output(*size)) > 20
    assert max(sides) <= MOST_READ + 1 + 2 * view.tiles.halo
    assert not view.tiles.held


def test_only_on_request_and_with_its_price(tmp_path, capsys):
    path = tmp_path / "a.png"
    Image.fromarray((photo() * 255).astype(np.uint8)).save(path)
    assert main(["zoom", str(path), "--scale", "4"]) == 0
    assert "fast" not in capsys.readouterr().out
    results = [np.asarray(Image.open(tmp_path / "a_x4.png")).astype(float)]
    assert main(["zoom", str(path), "--scale", "4", "--fast", "--overwrite"]) == 0
    said = re.search(r"PSNR ([\d.]+) dB", capsys.readouterr().out)
    assert said
    results.append(np.asarray(Image.open(tmp_path / "a_x4.png")).astype(float))
    error = np.mean((results[0] - results[1]) ** 2)
    assert error > 0
    assert float(said[1]) == pytest.approx(10 * np.log10(255**2 / error), abs=0.5)
    with pytest.raises(SystemExit):
        main(["zoom", str(path), "--scale", "4", "--fast", "--self-ensemble"])
