"""One store of tiles: exact at tile borders, kept within one budget, read by several threads."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from small_models import asked, noise, small_model

from liif_core import bands, workers
from liif_core.ablation import ablated
from liif_core.errors import LiifError
from liif_core.folded import FoldedDecoder
from liif_core.render import ContinuousPhoto, strips
from liif_core.tiles import Kept, Tile, TileStore

SWITCHES = ("local_ensemble", "feature_unfolding", "cell_decoding")


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (61, 43)])
@pytest.mark.parametrize("pixels", [1, 50, 4096])
@pytest.mark.parametrize("unfolding", [True, False])
def test_bands_are_the_encoder_and_the_first_layer(shape, pixels, unfolding, monkeypatch):
    monkeypatch.setattr(bands, "BAND_PIXELS", pixels)
    model = small_model(feature_unfolding=unfolding)
    photo = torch.from_numpy(noise(*shape)).permute(2, 0, 1)[None]
    with torch.inference_mode(), workers.limited_to(3):
        expected = model.encode(photo)
        found = bands.encode(model, photo.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(found.codes, expected.codes, rtol=0, atol=1e-6)
        torch.testing.assert_close(found.colours, expected.colours)
        decoder = FoldedDecoder(model)
        part = slice(shape[0] // 3, shape[0]), slice(shape[1] // 4, shape[1] - shape[1] // 5)
        hidden = bands.hidden_map(decoder, found.codes, *part)
        whole = decoder.hidden_map(expected.codes)[0]
        torch.testing.assert_close(hidden, whole[part], rtol=0, atol=1e-6)


def test_an_encoder_with_hooks_is_called_as_a_module():
    """Lessons count how often the encoder runs."""
    model, photo = small_model(), noise(60, 70)
    expected = ContinuousPhoto(model, photo).render(90, 80)
    seen: list[int] = []
    hook = model.encoder.register_forward_hook(lambda *_: seen.append(1))
    source = ContinuousPhoto(model, photo)
    for _ in range(2):
        np.testing.assert_allclose(source.render(90, 80), expected, atol=1e-5)
    assert len(seen) == 1
    hook.remove()


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


def test_all_decoders_together_keep_to_one_budget():
    """Each switch makes a decoder of its own: eight of them once held eight times the budget."""
    model, memory = small_model(), 1 << 22
    first = ContinuousPhoto(model, noise(120, 100), largest_tile=32, shared=True, memory=memory)
    sharers = [first]
    for number in range(1, 8):
        off = {name: not number >> bit & 1 for bit, name in enumerate(SWITCHES)}
        sharers.append(first.sharing(ablated(model, **off)))
    one = 120 * 100 * (16 + 3) * 4
    assert len(sharers) * one > memory // 2 > one  # one fits, eight would not
    for sharer in sharers:
        sharer.render(120, 100)
        assert sharer.tiles is first.tiles
        assert 0 < first.tiles.held <= memory // 2
    # What is counted is what is there.
    parts = [*first.tiles._tiles._parts.values(), *first.tiles._latents._parts.values()]
    tensors = [value for part in parts for value in part if isinstance(value, torch.Tensor)]
    storages = {tensor.untyped_storage().data_ptr(): tensor for tensor in tensors}
    held = sum(tensor.untyped_storage().nbytes() for tensor in storages.values())
    assert held == first.tiles.held


def test_the_oldest_parts_go_first_and_one_is_kept_however_large():
    kept: Kept[Tile] = Kept(100)

    def part(size: int) -> Tile:
        return Tile(0, 0, torch.zeros(size, dtype=torch.uint8), torch.zeros(0))

    for key, size in (("a", 40), ("b", 40)):
        kept.get(key, lambda size=size: part(size))
    kept.get("a", lambda: part(0))  # at hand, and now the newest
    kept.get("c", lambda: part(50))
    assert ("a" in kept, "b" in kept, "c" in kept) == (True, False, True)
    assert kept.held == 90
    kept.get("d", lambda: part(1000))
    assert ("a" in kept, "c" in kept, "d" in kept) == (False, False, True)


def test_several_threads_read_one_store(monkeypatch):
    """The same values, and no tile encoded twice, though all begin at once."""
    model, photo = small_model(), noise(130, 120)
    source = ContinuousPhoto(model, photo, largest_tile=32, shared=True)
    variant = source.sharing(ablated(model, cell_decoding=False))
    expected = [asked(view.model, photo, 150, 140) for view in (source, variant)]
    read, windows = source.tiles.encode_window, []
    monkeypatch.setattr(
        source.tiles, "encode_window", lambda *window: windows.append(window) or read(*window)
    )
    start = threading.Barrier(6)

    def render(number: int) -> np.ndarray:
        start.wait(60)
        return (source, variant)[number % 2].render(150, 140)

    with ThreadPoolExecutor(6) as threads:
        for number, result in enumerate(threads.map(render, range(6))):
            np.testing.assert_allclose(result, expected[number % 2], atol=1e-5)
    assert len(windows) == 5 * 4


def test_what_is_at_hand_is_read_while_a_tile_is_encoded(monkeypatch):
    source = ContinuousPhoto(small_model(), noise(40, 80), largest_tile=32)
    store, decoder = source.tiles, source.decoder
    store.tile(decoder, (0, 0))
    encoding, go_on = threading.Event(), threading.Event()
    read = store.encode_window

    def slowly(rows: slice, cols: slice) -> object:
        encoding.set()
        assert go_on.wait(60)
        return read(rows, cols)

    monkeypatch.setattr(store, "encode_window", slowly)
    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(store.tile, decoder, (0, 1))
        assert encoding.wait(60)
        store.tile(decoder, (0, 0))  # waits for nobody
        assert not other.done()
        go_on.set()
        other.result()


def test_a_photo_that_fits_can_be_kept_as_a_whole():
    model, photo = small_model(), noise(100, 100)
    fits = 100 * 100 * (16 + 3) * 4
    assert ContinuousPhoto(model, photo, memory=4 * fits, shared=True).tiles.can_keep_all()
    assert not ContinuousPhoto(model, photo, memory=4 * fits - 4).tiles.can_keep_all()


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's peak memory")
def test_peak_memory_keeps_to_the_budget_with_several_workers():
    budget = 128
    code = (
        "import re, numpy as np, torch\n"
        "from pathlib import Path\n"
        "from liif_core import workers\n"
        "from liif_core.liif import CONFIGS, LIIF\n"
        "from liif_core.render import ContinuousPhoto\n"
        "def status(name):\n"
        "    text = Path('/proc/self/status').read_text()\n"
        "    return int(re.search(name + r':\\s+(\\d+) kB', text)[1]) / 1024\n"
        "model = LIIF(CONFIGS['liif-edsr-small']).eval().requires_grad_(False)\n"
        "photo = np.random.default_rng(0).random((400, 300, 3), np.float32)\n"
        "with workers.limited_to(4):\n"
        "    ContinuousPhoto(model, photo[:30, :30]).render(80, 80)\n"
        "    Path('/proc/self/clear_refs').write_text('5')\n"
        "    before = status('VmRSS')\n"
        f"    source = ContinuousPhoto(model, photo, memory={budget} << 20)\n"
        "    result = source.render(800, 600)\n"
        "print(status('VmHWM') - before - result.nbytes / 2**20, len(source.tiles.tiles_of(\n"
        "    source.output(800, 600))))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    peak, tiles = map(float, run.stdout.split())
    assert tiles > 4
    assert 0 < peak < budget


@pytest.mark.parametrize(
    ("height", "width", "count"),
    [
        (4, 8, 1),
        (24, 32, 2),
        (48, 64, 2),
        (96, 128, 4),
        (150, 200, 8),
        (1, 9000, 1),
        (3000, 500, 375),
    ],
)
def test_few_bands_are_as_many_as_two_workers_or_four_share_evenly(
    monkeypatch: pytest.MonkeyPatch, height: int, width: int, count: int
) -> None:
    cut: list[tuple[int, int]] = []
    monkeypatch.setattr(bands.workers, "run", lambda call, tops: [call(top) for top in tops])
    bands._by_bands(lambda top, bottom: cut.append((top, bottom)), height, width)
    assert len(cut) == count
    assert [0, *(bottom for _, bottom in cut)] == [*(top for top, _ in cut), height]


def test_a_row_of_tiles_is_read_once_for_all_its_strips(monkeypatch):
    """The budget must hold a whole row of tiles, with what they are wider than their cores."""
    read, made = [], TileStore._read

    def counted(store, rows, cols):
        read.append((rows.start, cols.start))
        return made(store, rows, cols)

    monkeypatch.setattr(TileStore, "_read", counted)
    source = ContinuousPhoto(small_model(), noise(80, 600), memory=8_400_000, largest_tile=64)
    assert 32 < source.tiles.side[0] < 64  # it is the budget that says how high tiles are
    grid = source.output(400, 3000)
    assert len(source.strip_ends(grid)) > 3 * len({tile for tile, _ in source.tiles.tiles_of(grid)})
    for _ in strips(source, grid):
        pass
    assert sorted(read) == sorted(set(read))
