"""Plan, open, paint, finish: each step is taken once, and nothing is begun in vain."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import liif_core
from liif_core import photos
from liif_core.__main__ import main
from liif_core.files import destination
from liif_core.liif import LIIF, LIIFConfig
from liif_core.render import ContinuousPhoto
from liif_core.zooming import job
from liif_core.zooming.self_ensemble import SelfEnsemble

#: What is counted: each check, each look at a file, and what is expensive.
WATCHED = [
    (job, "check_crop"),
    (job, "result_size"),
    (job, "check_target"),
    (destination, "_check_size"),
    (destination, "_check_vacant"),
    (job, "read_header"),
    (photos, "decoded"),
    (ContinuousPhoto, "__init__"),
    (SelfEnsemble, "__init__"),
]
CHECKS = ["check_crop", "result_size", "check_target", "_check_size", "_check_vacant"]
ONCE = dict.fromkeys([*CHECKS, "read_header", "decoded", "load_model"], 1)


@pytest.fixture
def calls(monkeypatch) -> Counter[str]:
    """How often what is watched was called; the model is a tiny one."""
    counted: Counter[str] = Counter()
    config = LIIFConfig(blocks=1, channels=4, hidden=(8,), local_colour=True)
    model = LIIF(config).eval().requires_grad_(False)

    def watch(owner: object, name: str) -> None:
        called = getattr(owner, name)
        label = f"{owner.__name__}()" if name == "__init__" else name

        def spy(*arguments, **options):
            counted[label] += 1
            return called(*arguments, **options)

        monkeypatch.setattr(owner, name, spy)

    for owner, name in WATCHED:
        watch(owner, name)

    def load_model(*_):
        counted["load_model"] += 1
        return model

    monkeypatch.setattr("liif_core.weights.load_model", load_model)
    monkeypatch.setattr("liif_core.zooming.photo.load_model", load_model)
    return counted


@pytest.fixture
def photo(tmp_path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.mark.parametrize(
    "options", [[], ["--fast"], ["--crop", "1,2,9,8"], ["--precision", "bfloat16"]]
)
@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_a_photo(photo, calls, options, ending, monkeypatch):
    monkeypatch.setattr("liif_core.device.processor_computes_in", lambda precision: True)
    output = photo.with_name(f"out{ending}")
    assert main(["zoom", str(photo), "--scale", "4", "-o", str(output), *options]) == 0
    assert output.exists()
    assert calls == ONCE | {"ContinuousPhoto()": 1}


def test_a_self_ensemble_has_eight_views(photo, calls):
    assert main(["zoom", str(photo), "--scale", "2", "--self-ensemble"]) == 0
    assert calls == ONCE | {"SelfEnsemble()": 1, "ContinuousPhoto()": 8}


def test_to_compare_two_files_are_checked(photo, calls):
    assert main(["zoom", str(photo), "--scale", "2", "--compare"]) == 0
    twice = dict.fromkeys(["check_target", "_check_size", "_check_vacant"], 2)
    assert calls == ONCE | twice | {"ContinuousPhoto()": 1}


def test_the_function(photo, calls):
    in_memory = dict.fromkeys(["check_crop", "result_size", "load_model", "ContinuousPhoto()"], 1)
    liif_core.zoom(photo, scale=2)
    assert calls == in_memory | {"read_header": 1, "decoded": 1}
    calls.clear()
    liif_core.zoom(np.asarray(Image.open(photo)), scale=2)
    assert calls == in_memory


def test_a_folder(photo, tmp_path, calls):
    for name in ("b.jpg", "c.tif"):
        Image.open(photo).save(tmp_path / name)
    assert main(["zoom", str(tmp_path), "--scale", "2", "-o", str(tmp_path / "out")]) == 0
    each = dict.fromkeys([*CHECKS, "read_header", "decoded", "ContinuousPhoto()"], 3)
    assert calls == each | {"load_model": 1}
    calls.clear()
    assert main(["zoom", str(tmp_path), "--scale", "2", "-o", str(tmp_path / "out")]) == 0
    assert calls == {}  # nothing was to be done


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scale", "2", "-o", "there.png"], "exists already"),
        (["--scale", "2", "-o", "there.jpg"], "exists already"),
        (["--scale", "2", "-o", "more.png", "--compare"], "more_compare.png: exists already"),
        (["--scale", "2", "--crop", "0,0,13,5"], "leaves the photo"),
        (["--scale", "2", "-o", "out.gif"], "unknown file ending"),
        (["--scale", "2", "-o", "nowhere/out.png"], "no folder"),
        (["--size", "65501x1", "-o", "out.jpg"], "at most 65500 pixels"),
        (["--size", "9999x9999"], "make room"),
        (["--scale", "0"], "greater than 0"),
        (["--scale", "1e300"], "too large"),
        (["--scale", "2", "--fast", "-o", "there.png"], "exists already"),
        (["--scale", "2", "--self-ensemble", "-o", "there.png"], "exists already"),
    ],
)
def test_a_mistake_is_told_before_anything_is_begun(
    photo, tmp_path, calls, capsys, monkeypatch, options, message
):
    for name in ("there.png", "there.jpg", "more_compare.png"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    assert main(["zoom", "a.png", *options]) == 2
    printed = capsys.readouterr().err
    assert (printed.count("\n"), message in printed) == (1, True), printed
    assert max(calls.values(), default=0) <= 2  # both files of a comparison
    assert calls["read_header"] <= 1
    assert not calls.keys() - {*CHECKS, "read_header"}, calls


def test_a_folder_of_which_no_photo_can_be_zoomed_needs_no_model(photo, tmp_path, calls, capsys):
    (tmp_path / "b.png").write_bytes(b"no picture")
    options = ["--scale", "2", "--crop", "0,0,13,5", "-o", str(tmp_path / "out")]
    assert main(["zoom", str(tmp_path), *options]) == 1
    assert capsys.readouterr().err.count("liif: ") == 2
    assert not calls.keys() - {*CHECKS, "read_header"}, calls
