"""A heat field goes every way that a LIIF goes: loading, rendering, zooming, measuring, X-ray."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load, load_file, save_file
from small_models import asked, noise, small_heat, small_model

from liif_core import bands, heat_bands, heat_cells, heat_grid, workers
from liif_core.__main__ import main
from liif_core.ablation import ablated
from liif_core.coords import cell_size, coord_grid
from liif_core.errors import LiifError
from liif_core.explorer import ExploredPhoto, Side, Viewport
from liif_core.explorer.browser_weights import browser_weights, mark_of
from liif_core.explorer.methods import methods_of
from liif_core.heat_grid import HeatGrid
from liif_core.liif import LIIFConfig
from liif_core.models import CONFIGS, KINDS, build, decoder_of, kind_of
from liif_core.photos import photo_from
from liif_core.pixels import to_uint8
from liif_core.render import ContinuousPhoto, render, strips
from liif_core.training.grow import grow
from liif_core.training.optim import Muon, make_optimizers
from liif_core.weights import load_model, save_weights
from liif_core.widgets import ZoomExplorer
from liif_core.xray import explain_query
from liif_core.zooming.fewer_codes import FewerCodes
from liif_core.zooming.job import Task, plan
from liif_core.zooming.photo import opened, read
from liif_core.zooming.self_ensemble import SelfEnsemble

#: So small a budget that photos fall into several tiles of 32 pixels.
TIGHT = 1 << 16


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "heat.safetensors"
    save_weights(small_heat(), path, {"step": 7})
    return path


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray((noise(70, 50) * 255).astype(np.uint8)).save(path)
    return path


def test_both_kinds_come_back_from_their_files(weights, tmp_path):
    found = load_model(weights, "cpu")
    assert kind_of(found.config) == "heat"
    assert found.weights_name == "heat.safetensors"
    assert found.config == small_heat().config
    picture = noise(9, 8)
    np.testing.assert_array_equal(
        render(found, picture, 20, 30), render(small_heat(), picture, 20, 30)
    )
    save_weights(small_model(), tmp_path / "liif.safetensors", {})
    assert kind_of(load_model(tmp_path / "liif.safetensors", "cpu").config) == "liif"


def test_every_configuration_can_be_built_and_has_a_decoder():
    for name, config in CONFIGS.items():
        model = build(config)
        assert name.startswith("heat") == (kind_of(config) == "heat")
        assert type(model) is KINDS[kind_of(config)].model
        width = config.hidden[0] if isinstance(config, LIIFConfig) else config.width
        assert decoder_of(model).width == width


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("splats", "not known here, 'splats'; known: liif, heat"),
        ("two\nlines", r"'two\\nlines'"),
        ("liif", "LIIF configuration: unknown or missing"),
    ],
)
def test_weights_of_another_kind_are_refused_in_one_line(weights, photo, capsys, kind, said):
    other = photo.with_name("other.safetensors")
    config = json.dumps(small_heat().config.to_dict())
    save_file(load_file(weights), other, {"config": config, "kind": kind})
    with pytest.raises(LiifError, match=said):
        load_model(other, "cpu")
    assert main(["zoom", str(photo), "--scale", "2", "--weights", str(other)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("size", [(90, 61), (45, 33), (20, 100), (7, 5), (1, 1), (91, 200)])
@pytest.mark.parametrize("memory", [1 << 30, TIGHT])
def test_renders_what_the_query_answers(size, memory):
    model, picture = small_heat(), noise(45, 33)
    result = ContinuousPhoto(model, picture, memory=memory).render(*size)
    np.testing.assert_allclose(result, asked(model, picture, *size), atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 3)])
def test_tiny_photos(shape):
    model, picture, size = small_heat(), noise(*shape), (shape[0] * 7, shape[1] * 3)
    np.testing.assert_allclose(
        render(model, picture, *size), asked(model, picture, *size), atol=1e-5
    )


@pytest.mark.parametrize("local_ensemble", [True, False])
@pytest.mark.parametrize("cell_decoding", [True, False])
def test_every_switch(local_ensemble, cell_decoding):
    whole, picture = small_heat(), noise(40, 37)
    parts = {"local_ensemble": local_ensemble, "cell_decoding": cell_decoding}
    variant, trained = ablated(whole, **parts), small_heat(**parts)
    assert variant.encoder is whole.encoder
    for size in [(100, 111), (20, 18)]:
        result = ContinuousPhoto(variant, picture, memory=TIGHT).render(*size)
        np.testing.assert_allclose(result, asked(trained, picture, *size), atol=1e-5)
        exact = all(parts.values())
        assert exact == np.allclose(result, render(whole, picture, *size), atol=1e-5)
    assert ablated(whole, feature_unfolding=False) is whole  # it has no such part


def test_a_box_and_strips_are_the_same_function():
    model, picture = small_heat(), noise(60, 60)
    source = ContinuousPhoto(model, picture, memory=8 * TIGHT, largest_tile=32)
    whole = source.render(300, 300)
    grid = source.output(300, 300)
    parts = [part for _, part in strips(source, grid)]
    assert len(parts) > 3
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    for rows, cols in ((range(100, 107), range(0, 300)), (range(0, 300), range(171, 172))):
        part = whole[rows.start : rows.stop, cols.start : cols.stop]
        np.testing.assert_allclose(source.window(grid, rows, cols), part, atol=1e-5)
    box = source.render(50, 100, (20, 10, 40, 20))
    np.testing.assert_allclose(box, whole[50:100, 100:200], atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_number_of_workers_changes_no_value(precision, monkeypatch):
    monkeypatch.setattr(bands, "BAND_PIXELS", 400)
    monkeypatch.setattr(heat_grid, "CHUNK", 2000)
    monkeypatch.setattr(heat_grid, "LEAST", 1)
    model, picture, results = small_heat(), noise(81, 97), []
    for number in (1, 2, 5):
        with workers.limited_to(number):
            source = ContinuousPhoto(model, picture, largest_tile=64, precision=precision)
            results.append(source.render(244, 123))
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize(("precision", "tolerance"), [("bfloat16", 0.03), ("float16", 0.004)])
def test_reduced_precision_stays_near(precision, tolerance):
    model, picture = small_heat(), noise(40, 40)
    exact = ContinuousPhoto(model, picture).render(90, 90)
    rough = ContinuousPhoto(model, picture, precision=precision).render(90, 90)
    assert 0 < np.abs(rough - exact).max() < tolerance


def test_at_codes_and_where_little_matters_fewer_answers_are_computed(monkeypatch):
    """At ×1 only the code itself matters; --fast leaves out more where there is more."""
    seen = []
    made = heat_bands.Reach.of

    def reach(axis):
        seen.append(made(axis).most)
        return made(axis)

    monkeypatch.setattr(heat_bands.Reach, "of", reach)
    monkeypatch.setattr(heat_cells, "FEWEST", 1 << 30)
    model, picture = small_heat(), noise(12, 12)
    for renderer, scale in ((ContinuousPhoto, 1), (ContinuousPhoto, 8), (FewerCodes, 8)):
        renderer(model, picture).render(12 * scale, 12 * scale)
    assert seen == [1, 1, 16, 16, 12, 12]
    fast = FewerCodes(model, picture)
    assert 15 < fast.cost(fast.output(96, 96)) < 60


@pytest.mark.parametrize("scales", [(1, 1), (2, 3), (12, 12), (7, 2), (3.3, 4)])
@pytest.mark.parametrize("renderer", [ContinuousPhoto, FewerCodes])
def test_whole_cells_are_asked_at_once_and_answer_the_same(scales, renderer, monkeypatch):
    asked_at_once = []
    cells = HeatGrid._cells
    monkeypatch.setattr(HeatGrid, "_cells", lambda *asked: asked_at_once.append(1) or cells(*asked))
    model, picture = small_heat(), noise(20, 24)
    found = []
    for fewest, chunk in (
        (1, 1 << 18),
        (1, 400),
        (1 << 30, 1 << 18),
    ):  # whole rows, parts, no cells
        monkeypatch.setattr(heat_cells, "FEWEST", fewest)
        monkeypatch.setattr(heat_grid, "CHUNK", chunk)
        asked_at_once.clear()
        source = renderer(model, picture)
        # From within a cell on, and the whole with its border.
        sides = [4.6 + round(10 * scales[0]) / scales[0], 3.3 + round(17 * scales[1]) / scales[1]]
        sizes = round(10 * scales[0]), round(17 * scales[1])
        found.append(source.render(*sizes, (3.3, 4.6, sides[1], sides[0])))
        found.append(source.render(*(round(n * s) for n, s in zip((20, 24), scales, strict=True))))
        assert bool(asked_at_once) == (fewest == 1 and 3.3 not in scales)
    for one, other in zip(found[:4], 2 * found[4:], strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)


def test_a_self_ensemble_of_it_is_the_same_from_every_side():
    picture = noise(20, 17)
    ensemble = SelfEnsemble(small_heat(), picture)
    turned = SelfEnsemble(small_heat(), picture[::-1].copy())
    grid = ContinuousPhoto(small_heat(), picture).output(50, 60)
    (result,) = [strip for _, strip in strips(ensemble, grid)]
    (other,) = [strip for _, strip in strips(turned, grid)]
    np.testing.assert_allclose(result, other[::-1], atol=1e-5)


def test_the_xray_adds_up():
    model, picture = small_heat(), noise(8, 9)
    latents = model.encode(torch.from_numpy(picture).permute(2, 0, 1)[None])
    found = explain_query(model, latents, (0.1, -0.3), (0.05, 0.02))
    coord, cell = torch.tensor([[[0.1, -0.3]]]), torch.tensor([[[0.05, 0.02]]])
    expected = model.query(latents, coord.double(), cell.double())[0, 0]
    np.testing.assert_allclose(found.colour, expected, atol=1e-5)
    assert len(found.codes) == 4
    for code in found.codes:
        np.testing.assert_allclose(code.base, picture[code.row, code.col], atol=1e-6)
        assert np.abs(code.correction).max() > 0


def test_neighbouring_fields_blend_without_a_step():
    """At the border between two codes nothing jumps, though one field ends and another begins."""
    model, picture = small_heat(), noise(6, 6)
    latents = model.encode(torch.from_numpy(picture).permute(2, 0, 1)[None])
    border = torch.arange(1, 6, dtype=torch.float64) / 6 * 2 - 1
    coord = torch.cartesian_prod(torch.tensor([0.05], dtype=torch.float64), border)[None]
    cell = cell_size(72, 72).expand_as(coord)
    nudge = torch.tensor([0, 1e-5], dtype=torch.float64)
    blended = [model.query(latents, coord + sign * nudge, cell) for sign in (-1, 1)]
    assert (blended[0] - blended[1]).abs().max() < 2e-3
    nearest = ablated(model, local_ensemble=False)
    apart = [nearest.query(latents, coord + sign * nudge, cell) for sign in (-1, 1)]
    assert (apart[0] - apart[1]).abs().max() > 0.02


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif"])
def test_a_photo_is_zoomed_as_the_query_says(weights, photo, ending, capsys):
    output = photo.with_name(f"out{ending}")
    asked_for = ["--scale", "3.3", "--weights", str(weights), "--compare"]
    assert main(["zoom", str(photo), *asked_for, "-o", str(output), "--quality", "100"]) == 0
    assert "bicubic (left), heat field (right)" in capsys.readouterr().out
    pixels = np.asarray(Image.open(photo)).astype(np.float32) / 255
    expected = asked(small_heat(), pixels, 231, 165).clip(0, 1) * 255
    found = np.asarray(Image.open(output)).astype(float)
    assert np.abs(found - expected).max() < (0.51 if ending != ".jpg" else 60)


def test_fast_says_what_it_costs(weights, photo, capsys):
    command = ["zoom", str(photo), "--scale", "4", "--weights", str(weights)]
    assert main([*command, "--fast"]) == 0
    assert "fast: PSNR" in capsys.readouterr().out
    assert main([*command, "--self-ensemble", "--overwrite"]) == 0


def test_an_interrupted_zoom_goes_on(weights, photo, monkeypatch):
    model, output = load_model(weights, "cpu"), photo.with_name("out.png")
    window, budget = ContinuousPhoto.window, ContinuousPhoto.__init__
    monkeypatch.setattr(
        ContinuousPhoto,
        "__init__",
        lambda self, *args, **rest: budget(self, *args, **{**rest, "memory": TIGHT}),
    )
    asked_rows: list[int] = []

    def interrupted(self, grid, rows, cols, tick=None):
        if rows.start > 100 and len(asked_rows) < 99:
            raise KeyboardInterrupt
        return window(self, grid, rows, cols, tick)

    def counted(self, grid, rows, cols, tick=None):
        asked_rows.append(rows.start)
        return window(self, grid, rows, cols, tick)

    for way, expected in ((interrupted, KeyboardInterrupt), (counted, None)):
        monkeypatch.setattr(ContinuousPhoto, "window", way)
        job = plan(photo, output, Task(scale=4))
        with opened(job, read(job), model) as work:
            if expected:
                with pytest.raises(expected):
                    work.paint()
            else:
                work.paint().finish()
    assert min(asked_rows) > 50
    pixels = np.asarray(Image.open(photo)).astype(np.float32) / 255
    expected_pixels = asked(small_heat(), pixels, 280, 200).clip(0, 1) * 255
    assert np.abs(np.asarray(Image.open(output)) - expected_pixels).max() < 0.51


def test_a_folder_is_zoomed_and_evaluated(weights, tmp_path, capsys):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(2):
        pixels = (noise(40, 36 + number, number) * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    out = tmp_path / "out"
    command = ["zoom", str(folder), "--scale", "2", "-o", str(out), "--weights", str(weights)]
    assert main(command) == 0
    assert sorted(path.name for path in out.iterdir()) == ["0_x2.png", "1_x2.png"]
    capsys.readouterr()
    assert main(["evaluate", str(folder), "--scales", "2", "3", "--weights", str(weights)]) == 0
    assert "2 photographs" in capsys.readouterr().out


def test_the_explorer_shows_both_side_by_side():
    models = {"LIIF": small_model(), "heat field": small_heat()}
    picture = (noise(60, 80) * 255).astype(np.uint8)
    explored = ExploredPhoto(photo_from(picture), models)
    view = Viewport((60, 80), (48, 64), (0.1, 0.2), 5.0)
    left, top, right, bottom = view.grid().box
    for parts in ({}, {"local_ensemble": False}, {"cell_decoding": False}):
        side = Side("heat field", **parts)
        source = ContinuousPhoto(ablated(small_heat(), **parts), photo_from(picture))
        grid = view.grid()
        expected = source.render(grid.height, grid.width, (left, top, right, bottom))
        apart = explored.picture(view, side) - to_uint8(expected).astype(int)
        assert np.abs(apart).max() <= 1
    assert not explored.tiles(view, Side("heat field"))[0]  # one encoder has read for all three
    switches = {method["name"]: method["switches"] for method in methods_of(models)}
    assert switches["heat field"] == ["local_ensemble", "cell_decoding"]
    coord, cell = (0.1, 0.2), view.cell()
    found = explored.explain(Side("heat field"), coord, cell)
    latents = small_heat().encode(torch.tensor(picture / np.float32(255)).permute(2, 0, 1)[None])
    whole = explain_query(small_heat(), latents, coord, cell)
    np.testing.assert_allclose(found.colour, whole.colour, atol=1e-5)
    assert [(c.row, c.col) for c in found.codes] == [(c.row, c.col) for c in whole.codes]


def test_a_widget_of_a_heat_field_lives_without_python_too():
    widget = ZoomExplorer((noise(30, 40) * 255).astype(np.uint8), small_heat(), screen=(48, 64))
    assert widget.right["method"] == "heat field"
    assert "bicubic | heat field" in widget.still()
    assert widget.living()["models"] == {"heat field": mark_of(small_heat())}
    assert "sum of weight × answer" in str(widget.explain((0.0, 0.0)))


def test_the_engine_in_the_browser_reads_its_frequencies_exactly(weights, photo):
    state = load(browser_weights(small_heat()))
    assert state["omega"].dtype == state["log_kappa"].dtype == torch.float32
    assert state["writer.0.weight"].dtype == torch.float16
    assert main(["explain", str(photo), "--text", "--weights", str(weights)]) == 0
    page = photo.with_suffix(".html").read_text(encoding="utf-8")
    assert "right of it heat field with the weights" in page
    assert "bicubic | heat field" in page


def test_a_heat_field_begins_with_the_encoder_of_a_liif():
    liif, config = small_model(), small_heat().config
    model = grow(liif, config)
    picture = torch.from_numpy(noise(9, 8)).permute(2, 0, 1)[None]
    torch.testing.assert_close(model.encode(picture).codes, liif.encode(picture).codes)
    coord = coord_grid(20, 20).view(1, -1, 2)
    zoomed = model.query(model.encode(picture), coord, cell_size(20, 20).expand_as(coord))
    expected = torch.nn.functional.interpolate(picture, (20, 20), mode="bilinear")
    torch.testing.assert_close(zoomed[0].T.reshape(1, 3, 20, 20), expected)


def test_frequencies_are_no_matrix_to_orthogonalise():
    muon, adam = make_optimizers(small_heat().requires_grad_(True), "muon", 1e-3)
    assert isinstance(muon, Muon)
    shapes = [tuple(p.shape) for group in adam.param_groups for p in group["params"]]
    assert (5, 2) in shapes  # ω
    assert () in shapes  # log κ
    assert all(p.ndim == 4 for group in muon.param_groups for p in group["params"])
