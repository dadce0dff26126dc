"""render.py holds to LIIF.query, and tiles, strips and viewports to the whole picture."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from liif_core.ablation import ablated
from liif_core.coords import cell_size, coord_grid
from liif_core.errors import LiifError
from liif_core.liif import LIIF, LIIFConfig
from liif_core.render import ContinuousPhoto, OutputGrid, render, strips
from liif_core.tiles import TileStore
from liif_core.zooming.self_ensemble import SelfEnsemble

#: So small a budget that every photo of these tests falls into several tiles of 32 pixels.
TIGHT = 1 << 16


def small_model(seed: int = 0, **switches: bool) -> LIIF:
    torch.manual_seed(seed)
    config = LIIFConfig(blocks=2, channels=8, hidden=(16, 16), **switches)
    return LIIF(config).eval().requires_grad_(False)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, 3), dtype=np.float32)


def asked(model: LIIF, photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """The same picture from the paper's order of computing."""
    latents = model.encode(torch.from_numpy(photo).permute(2, 0, 1)[None])
    coord = coord_grid(height, width, dtype=torch.float64).view(1, -1, 2)
    cell = cell_size(height, width).expand(coord.shape)
    return model.query(latents, coord, cell).view(height, width, 3).numpy()


@pytest.mark.parametrize("size", [(90, 61), (45, 33), (20, 100), (7, 5), (1, 1), (91, 200)])
@pytest.mark.parametrize("memory", [1 << 30, TIGHT])
def test_renders_what_the_paper_order_query_answers(size, memory):
    model, photo = small_model(), noise(45, 33)
    result = ContinuousPhoto(model, photo, memory=memory).render(*size)
    np.testing.assert_allclose(result, asked(model, photo, *size), atol=1e-5)


@pytest.mark.parametrize("local_ensemble", [True, False])
@pytest.mark.parametrize("feature_unfolding", [True, False])
@pytest.mark.parametrize("cell_decoding", [True, False])
@pytest.mark.parametrize("local_colour", [True, False])
def test_every_switch(local_ensemble, feature_unfolding, cell_decoding, local_colour):
    model = small_model(
        local_ensemble=local_ensemble,
        feature_unfolding=feature_unfolding,
        cell_decoding=cell_decoding,
        local_colour=local_colour,
    )
    photo = noise(40, 37)
    for size in [(100, 111), (20, 18)]:  # (20, 18) asks exactly between pixels along y
        result = ContinuousPhoto(model, photo, memory=TIGHT).render(*size)
        np.testing.assert_allclose(result, asked(model, photo, *size), atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 3)])
def test_tiny_photos(shape):
    model, photo = small_model(), noise(*shape)
    size = (shape[0] * 7, shape[1] * 3)
    np.testing.assert_allclose(render(model, photo, *size), asked(model, photo, *size), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    size=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    seed=st.integers(0, 99),
)
def test_tiles_leave_no_seam(shape, size, seed):
    model, photo = small_model(seed), noise(*shape, seed)
    whole = ContinuousPhoto(model, photo)
    tiled = ContinuousPhoto(model, photo, memory=TIGHT)
    assert whole.tiles.side >= (80, 80)
    assert tiled.tiles.side == (32, 32)
    np.testing.assert_allclose(tiled.render(*size), whole.render(*size), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    box=st.tuples(*[st.floats(0, 40)] * 2, *[st.floats(0.01, 20)] * 2),
    scale=st.floats(0.3, 12),
)
def test_a_box_is_the_same_function(box, scale):
    """Where output centres coincide, a crop shows what the whole shows."""
    model, photo = small_model(), noise(60, 60)
    left, top = box[:2]
    right, bottom = left + box[2], top + box[3]
    source = ContinuousPhoto(model, photo, memory=TIGHT)
    height, width = max(1, round(box[3] * scale)), max(1, round(box[2] * scale))
    result = source.render(height, width, (left, top, right, bottom))
    rows = (top + (np.arange(height) + 0.5) * (bottom - top) / height) / 30 - 1
    cols = (left + (np.arange(width) + 0.5) * (right - left) / width) / 30 - 1
    coord = torch.from_numpy(np.stack(np.meshgrid(rows, cols, indexing="ij"), -1))
    cell = torch.tensor([(bottom - top) / height / 30, (right - left) / width / 30])
    latents = model.encode(torch.from_numpy(photo).permute(2, 0, 1)[None])
    flat = coord.view(1, -1, 2)
    expected = model.query(latents, flat, cell.expand(flat.shape)).view(result.shape)
    # Hypothesis finds coordinates within rounding of a border between codes; the ensemble is
    # continuous there.
    np.testing.assert_allclose(result, expected.numpy(), atol=1e-5)


def test_viewport_is_a_box_about_a_centre():
    source = ContinuousPhoto(small_model(), noise(50, 70))
    view = source.viewport((0.0, 0.2), 8.0, 80, 120)
    np.testing.assert_array_equal(view, source.render(80, 120, (34.5, 20.0, 49.5, 30.0)))
    with pytest.raises(LiifError, match="leaves the photo"):
        source.viewport((0.99, 0.0), 8.0, 80, 120)
    with pytest.raises(LiifError, match="greater than 0"):
        source.viewport((0.0, 0.0), float("nan"), 80, 120)


def test_a_box_may_hold_numpy_numbers():
    source = ContinuousPhoto(small_model(), noise(20, 20))
    box = (3.0, 4.5, 9.0, 11.0)
    expected = source.render(30, 20, box)
    np.testing.assert_array_equal(source.render(30, 20, tuple(np.array(box))), expected)


def test_strips_are_the_whole_from_top_to_bottom():
    source = ContinuousPhoto(small_model(), noise(70, 40), memory=TIGHT)
    grid = source.output(333, 95)
    seen: list[tuple[int, int]] = []
    parts = list(strips(source, grid, lambda *told: seen.append(told)))
    assert len(parts) > 3
    assert [top for top, _ in parts] == [0, *np.cumsum([len(p) for _, p in parts])[:-1]]
    assert all(part.nbytes <= max(TIGHT // 8, 95 * 12) for _, part in parts)
    np.testing.assert_array_equal(np.concatenate([p for _, p in parts]), source.render(333, 95))
    assert seen[-1] == (333 * 95, 333 * 95)
    assert seen == sorted(seen)


def test_a_tile_is_encoded_once_for_all_strips(monkeypatch):
    model = small_model()
    source = ContinuousPhoto(model, noise(64, 64), memory=1 << 22)
    source.tiles.side = (32, 32)
    read = source.tiles.encode_window
    calls = []
    monkeypatch.setattr(
        source.tiles, "encode_window", lambda *window: calls.append(window) or read(*window)
    )
    source.render(1000, 640)
    assert len(calls) == 4


def test_self_ensemble_averages_the_eight_views():
    model, photo = small_model(), noise(40, 26)
    ensemble = SelfEnsemble(model, photo, memory=8 * TIGHT)
    grid = OutputGrid(75, 51, (0, 0, 26, 40))
    result = np.concatenate([strip for _, strip in strips(ensemble, grid)])
    views = []
    for swap in (False, True):
        for turns in range(4):
            turned = np.rot90(photo.transpose(1, 0, 2) if swap else photo, turns)
            height, width = (75, 51) if turned.shape[0] == 40 else (51, 75)
            view = np.rot90(render(model, np.ascontiguousarray(turned), height, width), -turns)
            views.append(view.transpose(1, 0, 2) if swap else view)
    np.testing.assert_allclose(result, np.mean(views, axis=0), atol=1e-5)


def test_reduced_precision_stays_near():
    """On a CPU only bfloat16's path can be run; it has 8 bits of mantissa."""
    model, photo = small_model(), noise(40, 40)
    exact = ContinuousPhoto(model, photo).render(90, 90)
    rough = ContinuousPhoto(model, photo, precision="bfloat16").render(90, 90)
    assert rough.dtype == np.float32
    assert 0 < np.abs(rough - exact).max() < 0.03


@pytest.mark.parametrize(
    "box", [(0, 0, 41, 40), (-1, 0, 5, 5), (5, 5, 5, 9), (0, float("nan"), 5, 5)]
)
def test_impossible_boxes(box):
    with pytest.raises(LiifError, match="box"):
        ContinuousPhoto(small_model(), noise(40, 40)).render(10, 10, box)


def test_impossible_sizes_and_photos():
    with pytest.raises(LiifError, match="empty"):
        render(small_model(), noise(4, 4), 0, 5)
    with pytest.raises(LiifError, match="shape"):
        render(small_model(), np.zeros((4, 4), np.float32), 5, 5)
    with pytest.raises(LiifError, match="floats"):
        render(small_model(), np.zeros((4, 4, 3), np.uint8), 5, 5)


def test_models_with_one_encoder_share_its_latent_codes(monkeypatch):
    model, photo = small_model(), noise(70, 45)
    variant = ablated(model, feature_unfolding=False, local_ensemble=False)
    read = ContinuousPhoto(model, photo, largest_tile=32, shared=True)
    expected = asked(variant, photo, 100, 60)
    np.testing.assert_allclose(read.render(100, 60), asked(model, photo, 100, 60), atol=1e-5)
    monkeypatch.setattr(TileStore, "encode_window", None)  # every code is at hand
    np.testing.assert_allclose(read.sharing(variant).render(100, 60), expected, atol=1e-5)


def test_only_one_encoder_can_be_shared():
    read = ContinuousPhoto(small_model(), noise(8, 8), shared=True)
    with pytest.raises(LiifError, match="models with one encoder"):
        read.sharing(small_model(seed=1))
    with pytest.raises(LiifError, match="shared=True"):
        ContinuousPhoto(small_model(), noise(8, 8)).sharing(small_model())


def test_tiles_can_be_read_one_by_one_before_they_are_asked_for(monkeypatch):
    model, photo = small_model(), noise(70, 45)
    read = ContinuousPhoto(model, photo, largest_tile=32)
    grid = read.output(50, 50, (0, 0, 20, 40))
    store, decoder = read.tiles, read.decoder
    assert store.tiles_of(grid) == [(0, 0), (1, 0)]
    assert not any(store.is_read(decoder, tile) for tile in store.tiles_of(grid))
    for tile in store.tiles_of(grid):
        store.tile(decoder, tile)
    assert all(store.is_read(decoder, tile) for tile in store.tiles_of(grid))
    expected = ContinuousPhoto(model, photo).render(50, 50, grid.box)
    monkeypatch.setattr(TileStore, "encode_window", None)
    result = read.window(grid, range(50), range(50))
    np.testing.assert_allclose(result, expected, atol=1e-5)
