"""render.py holds to LIIF.query, and tiles, strips and viewports to the whole picture."""

import threading
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import asked, noise, small_heat, small_model

from liif_core import bands, folded_block, folded_grid, workers
from liif_core.errors import LiifError
from liif_core.render import ContinuousPhoto, OutputGrid, render, strips
from liif_core.scripted import scripted
from liif_core.tiles import TileStore
from liif_core.zooming.fewer_codes import FewerCodes
from liif_core.zooming.self_ensemble import SelfEnsemble

#: So small a budget that every photo of these tests falls into several tiles of 32 pixels.
TIGHT = 1 << 16


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


@pytest.mark.parametrize(("precision", "tolerance"), [("bfloat16", 0.03), ("float16", 0.004)])
def test_reduced_precision_stays_near(precision, tolerance):
    """bfloat16 has 8 bits of mantissa, float16 11."""
    model, photo = small_model(local_colour=True), noise(40, 40)
    exact = ContinuousPhoto(model, photo).render(90, 90)
    rough = ContinuousPhoto(model, photo, precision=precision).render(90, 90)
    assert rough.dtype == np.float32
    assert 0 < np.abs(rough - exact).max() < tolerance
    assert np.abs(rough - exact).mean() < tolerance / 5


@pytest.mark.parametrize("where", ["encoder", "decoder"])
def test_numbers_beyond_float16_are_an_error_and_not_black(where):
    model, photo = small_model(), noise(20, 20)
    layer = model.encoder.head[0] if where == "encoder" else model.imnet.layers[2]
    with torch.no_grad():
        layer.bias += 1e5
    assert np.isfinite(ContinuousPhoto(model, photo, precision="bfloat16").render(30, 30)).all()
    with pytest.raises(LiifError, match="too large for float16; use precision float32"):
        ContinuousPhoto(model, photo, precision="float16").render(30, 30)


@pytest.mark.parametrize("shape", [(45, 33), (131, 97), (1, 70)])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_number_of_workers_changes_no_value(shape, precision, monkeypatch):
    monkeypatch.setattr(bands, "BAND_PIXELS", 400)
    for chunk in ("CHUNK_PIXELS", "QUICK_CHUNK_PIXELS"):
        monkeypatch.setattr(folded_grid, chunk, 500)
    model, photo = small_model(), noise(*shape)
    results = []
    for number in (1, 2, 3, 5):
        with workers.limited_to(number):
            source = ContinuousPhoto(model, photo, largest_tile=64, precision=precision)
            results.append(source.render(3 * shape[0] + 1, 123))
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=0, atol=1e-7)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("size", [(120, 111), (61, 50), (20, 18)])
def test_a_block_is_the_same_with_torchscript_and_without(size, precision, monkeypatch):
    model, photo = small_model(), noise(40, 37)
    assert scripted(folded_block.decode) is not folded_block.decode
    fast = ContinuousPhoto(model, photo, precision=precision).render(*size)

    def gone(_):
        raise RuntimeError("this Python has none")

    scripted.cache_clear()
    monkeypatch.setattr(torch.jit, "script", gone)
    try:
        assert scripted(folded_block.decode) is folded_block.decode
        plain = ContinuousPhoto(model, photo, precision=precision).render(*size)
    finally:
        scripted.cache_clear()
    np.testing.assert_array_equal(fast, plain)


@pytest.mark.parametrize("make", [small_model, small_heat])
def test_the_caller_of_the_workers_leaves_them_the_cores(make, monkeypatch):
    """A thread of OpenMP that helped with one of the caller's tables would spin beside them."""
    seen: list[int] = []
    store, before = TileStore._decoded, torch.get_num_threads()

    def decoded(*args):
        seen.append(torch.get_num_threads())
        return store(*args)

    model = make()
    photo = ContinuousPhoto(model, noise(40, 37))
    grid = photo.decoder.grid
    monkeypatch.setattr(TileStore, "_decoded", decoded)
    monkeypatch.setattr(
        photo.decoder,
        "grid",
        lambda *args, **more: seen.append(torch.get_num_threads()) or grid(*args, **more),
    )
    torch.set_num_threads(2)
    try:
        photo.render(80, 74)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1, 1]


def test_progress_is_told_in_the_calling_thread_and_may_end_it_all():
    source, here = ContinuousPhoto(small_model(), noise(90, 90)), threading.get_ident()

    def progress(done: int, of: int) -> None:
        assert threading.get_ident() == here
        raise KeyboardInterrupt

    with workers.limited_to(2), pytest.raises(KeyboardInterrupt):
        source.render(500, 500, progress=progress)
    expected = ContinuousPhoto(small_model(), noise(90, 90)).render(99, 99)
    np.testing.assert_array_equal(source.render(99, 99), expected)


def test_a_guess_of_the_time_comes_from_this_very_renderer(monkeypatch):
    clock = iter(range(0, 1000, 2))
    model, photo = small_model(), noise(50, 300)
    monkeypatch.setattr(ContinuousPhoto, "render", None)
    for source, times in (
        (ContinuousPhoto(model, photo), 1),
        (FewerCodes(model, photo), 1),
        (SelfEnsemble(model, photo, memory=8 << 30), 8),
    ):
        monkeypatch.setattr(TileStore, "__init__", None)  # none is built anew
        monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
        grid = OutputGrid(500, 3000, (0, 0, 300, 50))
        # A piece of 50×64 pixels takes 2 seconds, and so does one of 128×128 outputs.
        expected = 2 * 300 * 50 / (50 * 64) + 2 * 500 * 3000 / 128**2
        assert source.seconds_needed(grid) == pytest.approx(times * expected)
        monkeypatch.undo()
        monkeypatch.setattr(ContinuousPhoto, "render", None)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (70, 900), (150, 200)])
@pytest.mark.parametrize("shape", [(1, 1), (2, 200), (70, 90), (150, 200)])
@pytest.mark.parametrize("local_ensemble", [True, False])
@pytest.mark.parametrize("make", [small_model, small_heat])
def test_any_time_can_be_guessed(size, shape, local_ensemble, make):
    source = ContinuousPhoto(make(local_ensemble=local_ensemble), noise(*shape))
    assert source.seconds_needed(source.output(*size)) > 0
    assert source.remark(source.output(*size)) == ""


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
