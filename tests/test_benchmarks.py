"""The benchmarks work, and their guard sees what it must."""

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from small_models import small_model

from liif_core import figures
from liif_core.liif import LIIF, LIIFConfig
from liif_core.samples import sample_photo
from liif_core.weights import save_weights

ROOT = Path(__file__).parent.parent


def program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where its dataclasses look for their types
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rendering() -> ModuleType:
    return program("rendering")


@pytest.fixture(scope="module")
def busy() -> ModuleType:
    return program("busy")


def test_both_orders_of_computing_are_timed_and_agree(rendering, tmp_path):
    case = rendering.Case("liif-edsr-small", 1, 12, 16, 3)
    row = rendering.measure(case, batches=2, least=0.001)
    assert min(row.encode, row.query, row.decode, row.total, row.products) > 0
    assert row.flops == 4 * 36 * 48 * 2 * (64 * 64 + 64 * 64 + 64 * 3)
    assert row.difference <= rendering.TOLERANCE
    assert "×3" in rendering.table([row])
    rendering.draw([row], [case], [case], tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_two_decoders_are_timed_in_turn() -> None:
    decoders = program("decoders")
    liif, heat = decoders.times(decoders.Case(8, 9, 3.5), turns=1)
    assert min(liif, heat) > 0


def test_the_guard_compares_ratios(rendering):
    case = rendering.Case("edsr-baseline-liif", 1, 384, 512, 4)
    good = rendering.Row(case, 1.0, 30.0, 9.0, 10.0, 8.0, 1e9, 1e-6)
    slower = replace(good, encode=2.0, query=60.0, decode=18.0, total=20.0, products=16.0)
    for row in (good, slower):  # a slower machine is no regression
        assert rendering.complaints([row], [case], quick=False) == []
    cases = {
        "differ": replace(good, difference=2e-5),
        "times faster": replace(good, query=20.0),
        "matrix products": replace(good, products=7.0),
    }
    for words, row in cases.items():
        (line,) = rendering.complaints([row], [case], quick=False)
        assert words in line
        assert len(rendering.complaints([row], [case], quick=True)) == (words == "differ")
        assert len(rendering.complaints([row], [], quick=False)) == (words == "differ")


def test_busy_measures_two_checkouts_beside_neighbours(busy):
    run = subprocess.run(
        [sys.executable, busy.__file__, "--quick", "--against", str(ROOT)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    rows = [line for line in run.stdout.splitlines() if line.startswith(("| explorer", "| liif"))]
    assert [line.split(" | ")[:2] for line in rows] == [
        [f"| {task}", load] for load in "01" for task in ("explorer frame", "liif zoom")
    ]
    for line in rows:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert all(float(number) >= 0 for number in cells[2:])


def test_busy_tells_medians_ratios_and_what_never_ended(busy):
    rows = [
        busy.Row("zoom", 0, [2.0, 9.0, 1.0], [4.0, 4.0, 4.0]),
        busy.Row("zoom", 2, [3.0, 3.0, 3.0], [100.0, 100.0, 100.0]),
        busy.Row("alone", 0, [1.0], []),
    ]
    assert busy.table(rows, 100).splitlines()[2:] == [
        "| zoom | 0 | 2.00 | 1.0 | 4.00 | 2.0 |",
        "| zoom | 2 | 3.00 | 1.5 | over 100 | 33.3 |",
        "| alone | 0 | 1.00 | 1.0 | |  |",
    ]


def test_neighbours_are_gone_afterwards(busy):
    def children() -> set[int]:
        return {child.pid for child in psutil.Process().children()}

    before = children()
    with busy.neighbours(1):
        assert len(children() - before) == busy.cores()
    assert children() <= before


def test_a_loader_is_timed_from_nothing(tmp_path):
    training = program("training")
    training.make_photos(tmp_path, 2, 240, 160)
    first, second = sorted(tmp_path.iterdir())
    before = first.read_bytes()
    assert before != second.read_bytes()
    training.make_photos(tmp_path, 1, 240, 160)
    assert first.read_bytes() == before
    assert min(training.load(ROOT, tmp_path, 2)) > 0
    with pytest.raises(SystemExit, match="no folder"):
        training.load(ROOT, tmp_path / "none", 1)


def test_a_loader_of_another_checkout_is_its_own(tmp_path, monkeypatch):
    other = tmp_path / "liif_core"
    other.mkdir()
    (other / "__init__.py").write_text("raise SystemExit('the other one')\n")
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit, match="the other one"):
        program("training").load(tmp_path, tmp_path, 1)


def test_the_engine_in_the_browser_is_timed_beside_python():
    pytest.importorskip("playwright")
    if shutil.which("chromium") is None:
        pytest.skip("this benchmark needs Chromium: apt-get install chromium")
    command = [sys.executable, ROOT / "benchmarks/site.py", "--quick"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "160×120" in told
    assert "ratio" in told


def test_old_photos_are_worn_the_same_each_time():
    old_photos = program("old_photos")
    ((number, photo),) = old_photos.photographs(None, True)
    assert number == 0
    assert [number for number, _ in old_photos.photographs(None, False, 2)] == [0, 2, 4]
    scans = [old_photos.worn(photo, 3, seed) for seed in (0, 0, 1)]
    assert (scans[0].pixels == scans[1].pixels).all()
    assert (scans[0].pixels != scans[2].pixels).any()
    assert [side * 2 for side in scans[0].pixels.shape[:2]] == list(photo.shape[:2])
    part = scans[0].middle(20)
    assert part.pixels.shape == (20, 20, 3)
    assert part.truth.shape == (40, 40, 3)
    aligned = old_photos.psnr(old_photos.resize(part.pixels, 40, 40, "bicubic"), part.truth)
    moved = np.roll(part.truth, 6, axis=(0, 1))
    assert aligned > old_photos.psnr(old_photos.resize(part.pixels, 40, 40, "bicubic"), moved)


@pytest.mark.parametrize(
    ("words", "line"),
    [(["--every", "0"], "whole number from 1"), (["nowhere"], "no folder nowhere")],
)
def test_what_cannot_be_measured_of_old_photos_is_said_in_a_line(words, line, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["old_photos.py", *words])
    with pytest.raises(SystemExit):
        program("old_photos").main()
    assert line in capsys.readouterr().err.splitlines()[-1]


def test_ways_with_old_photos_and_the_dial_are_compared():
    old_photos = program("old_photos")
    lines = old_photos.orders(None, True).splitlines()
    assert sum("liif-edsr" in line or "--old" in line for line in lines) == 9
    (estimate,) = [line for line in lines if "estimate:" in line]
    assert 1 <= float(estimate.split("|")[2].split()[0]) <= 4
    rows = [line.strip("|").split("|") for line in old_photos.dial(None, True).splitlines()[2:]]
    assert [float(row[0]) for row in rows] == [0, 0.6, 1]
    clean, by_weights = ([float(row[column]) for row in rows] for column in (1, 2))
    assert (clean[0], clean[2]) == (by_weights[0], by_weights[2])
    assert clean[1] > by_weights[1]


def test_the_means_of_each_method_are_joined_on_the_plane(tmp_path, monkeypatch):
    """As lesson 07 draws them, by the same function, with errors beside."""
    perception = program("perception")
    drawn, shared = [], figures.perception_plane

    def plane(*given, **more):
        drawn.append(shared(*given, **more))
        return drawn[0]

    monkeypatch.setattr(figures, "perception_plane", plane)
    names = ["bicubic", "LIIF", *(f"{n}, mean of {k}" for n in "AB" for k in (1, 2, 16))]
    estimate = perception.Estimate
    rows = [
        perception.Row(name, 4, estimate(0.3 - k / 50, 0.01), 24 + k / 3, estimate(1, 0), 1, 40)
        for k, name in enumerate(names)
    ]
    perception.draw(rows, tmp_path / "plane.png")
    assert Image.open(tmp_path / "plane.png").width == drawn[0].get_figwidth() * figures.DPI
    (axis,) = drawn[0].axes
    said = {text.get_text() for text in axis.texts}
    ends = {f"{name}, {which}" for name in "AB" for which in ("one seed", "mean of 16")}
    assert said == {"bicubic", "LIIF", "photographs", *ends}
    for line, part in zip(axis.lines[:2], (rows[2:5], rows[5:]), strict=True):
        assert np.allclose(line.get_xydata(), [(row.psnr, row.kid.value * 1e3) for row in part])
    bars = [bar.get_segments()[0] for bar in axis.collections]
    assert np.allclose(np.ptp([bar[:, 1] for bar in bars], axis=1), 20)  # twice the error
    assert len(bars) == len(rows)


def test_perception_tells_a_table(tmp_path):
    pytest.importorskip("efficientnet_lite_pytorch")
    for name in ("astronaut", "coffee", "cat"):
        Image.fromarray(sample_photo(name)[:200, :200]).save(tmp_path / f"{name}.png")
    torch.manual_seed(0)
    noisy = LIIF(LIIFConfig(blocks=1, channels=4, hidden=(8,), local_colour=True, noise=3))
    save_weights(noisy, tmp_path / "noisy.safetensors", {})
    command: list[str | Path] = [sys.executable, ROOT / "benchmarks/perception.py", tmp_path]
    command += ["--weights", tmp_path / "noisy.safetensors", "--scales", "8"]
    command += ["--plane", tmp_path / "plane.png"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    rows = [line.split(" | ") for line in told.splitlines() if "×8" in line]
    names = [row[0].strip("| ") for row in rows]
    means = [f"noisy, mean of {count}" for count in (1, 2, 4, 8, 16)]
    assert names == ["bicubic", "noisy", "bicubic", *means]
    assert float(rows[1][-1].strip(" |")) > 0, "seeds differ"
    found = [float(row[3]) for row in rows[3:]]
    assert found == sorted(found), "a mean of more seeds is nearer to the truth"
    assert (tmp_path / "plane.png").stat().st_size > 1000


def test_frames_that_move_are_timed_in_two_checkouts(tmp_path):
    found = tmp_path / "found.json"
    options = ["--against", str(ROOT), "--screen", "40x30", "--threads", "1", "--rounds", "1"]
    command = [sys.executable, ROOT / "benchmarks" / "explorer.py", *options, "--json", found]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    rows = json.loads(found.read_text())
    assert [(row["magnification"], row["what"]) for row in rows] == [
        (magnification, what)
        for magnification in (12.0, 11.7, 4.0)
        for what in ("other checkout", "this checkout")
    ]
    assert all(row["ms"] > 0 and row["cpu_ms"] > 0 for row in rows)


def test_a_wider_blur_is_harder_to_zoom():
    blurred = program("blurred")
    (photo,) = blurred.middles(None, 48)
    assert photo.shape == (48, 48, 3)
    model = small_model(local_colour=True)
    found = [blurred.validator([photo], width).scores(model).psnr[2] for width in blurred.WIDTHS]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1] + 0.1, "it does blur"


def test_dead_units_are_counted_block_by_block():
    units = program("units")
    (photo,) = units.middles(None, 48)
    assert photo.shape == (1, 3, 48, 48)
    assert -1 <= photo.min() < photo.max() <= 1
    model = small_model()
    with torch.no_grad():
        for block in model.encoder.body[:-1]:
            block.body[0].bias.fill_(1.0)
        model.encoder.body[0].body[0].bias[[0, 2]] = -1e3
    found = units.shares(model, [photo, photo.flip(3)])
    blocks, channels = model.config.blocks, model.config.channels
    assert found.shape == (2, blocks, channels)
    each = ["2", *["0"] * (blocks - 1)]
    share = f"{float(found.mean(dim=0)[found[0] > 0].mean()):.1%}"
    wanted = f"| a | 2 of {blocks * channels} | {' '.join(each)} | {share} |"
    assert units.line("a", found) == wanted


def test_cells_are_measured_against_two_references():
    cells = program("cells")
    (photo,) = cells.crops(None, 1, 72)
    assert photo.shape == (72, 72, 3)
    found = cells.measured(small_model(), photo)
    assert len(found) == len(cells.CELLS)
    lines = cells.table(["a"], [[found, found]]).splitlines()
    assert len(lines) == 2 + len(cells.CELLS)
    assert lines[2] == f"| ×3, ×1 | {found[0].photograph:.2f} / {found[0].itself:.2f} |"
