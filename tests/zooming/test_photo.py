"""One photo: what its journal's key stands for, photos that change, memory that runs out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import liif_core
from liif_core.__main__ import main
from liif_core.errors import LiifError, is_out_of_memory
from liif_core.files.by_strips import ByStrips
from liif_core.files.notes import Notes
from liif_core.liif import LIIF, LIIFConfig
from liif_core.photos import Header, Photo, photo_from
from liif_core.render import ContinuousPhoto, OutputGrid
from liif_core.zooming.job import Task, plan
from liif_core.zooming.photo import job_key, opened, read


@pytest.fixture(scope="module")
def model() -> LIIF:
    config = LIIFConfig(blocks=1, channels=4, hidden=(8,), local_colour=True)
    return LIIF(config).eval().requires_grad_(False)


@pytest.fixture
def path(tmp_path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_the_key_stands_for_all_that_decides_the_pixels(model):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 4), np.uint8)
    whole, box, ends = photo_from(pixels), (0, 0, 7, 9), [9, 18]
    task = Task(scale=2)

    def key(
        model: LIIF = model,
        photo: Photo = whole,
        grid: OutputGrid | None = None,
        task: Task = task,
        ends: list[int] = ends,
    ) -> str:
        job = plan(photo, None, task)
        return job_key(model, photo, replace(job, grid=grid or job.grid), ends)

    torn = LIIF(model.config)
    torn.load_state_dict(model.state_dict())
    assert key(model=torn) == key()
    with_one_bit_more = {k: v.clone() for k, v in model.state_dict().items()}
    with_one_bit_more["imnet.layers.0.bias"][0] += 1e-6
    torn.load_state_dict(with_one_bit_more)
    changed = pixels.copy()
    changed[8, 6, 2] ^= 1
    clearer = pixels.copy()
    clearer[8, 6, 3] ^= 1
    keys = [
        key(),
        key(model=torn),
        key(photo=photo_from(changed)),
        key(photo=photo_from(clearer)),
        key(photo=replace(whole, icc_profile=b"profile")),
        key(photo=replace(whole, notes=Notes(xmp=b"notes"))),
        key(grid=OutputGrid(18, 15, box)),
        key(grid=OutputGrid(18, 14, (0, 0, 7, 8))),
        key(task=replace(task, self_ensemble=True)),
        key(task=replace(task, fast=True)),
        key(task=replace(task, precision="bfloat16")),
        key(task=replace(task, keep_dpi=True)),
        key(task=replace(task, strip=True)),
        key(ends=[8, 18]),
    ]
    assert len(set(keys)) == len(keys)
    assert key(task=replace(task, overwrite=True, quality=3)) == key()
    assert key(photo=photo_from(pixels)) == key()


def test_a_photo_that_changes_after_its_header_was_read(path, tmp_path):
    job = plan(path, tmp_path / "out.png", Task(scale=2))
    Image.new("RGB", (8, 7)).save(path)
    with pytest.raises(LiifError, match="photo.png: holds 8×7 pixels .* header told of 8×6"):
        read(job)


@pytest.mark.parametrize("how", ["command", "function"])
def test_a_header_that_is_wrong(path, capsys, monkeypatch, how):
    monkeypatch.setattr("liif_core.zooming.job.read_header", lambda *_: Header(6, 80))
    if how == "function":
        with pytest.raises(LiifError, match="8×6 pixels"):
            liif_core.zoom(path, crop=(0, 0, 50, 6), scale=2)
        return
    assert main(["zoom", str(path), "--scale", "2", "--crop", "0,0,50,6"]) == 2
    assert "holds 8×6 pixels where its header told of 80×6" in capsys.readouterr().err
    assert [p.name for p in path.parent.iterdir()] == ["photo.png"]


def real_errors() -> list[BaseException]:
    """What PyTorch and NumPy say when a thousand terabytes are asked for; and what others say."""
    errors: list[BaseException] = [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB, other allocations: 1 MB)"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to ..."),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("can't start new thread"),
    ]
    for ask in (lambda: torch.empty(2**50), lambda: np.empty(2**50)):
        with pytest.raises((RuntimeError, MemoryError)) as caught:
            ask()
        errors.append(caught.value)
    return errors


@pytest.mark.parametrize("error", real_errors(), ids=lambda error: str(error)[:20])
def test_too_little_memory_is_one_line(model, path, tmp_path, capsys, monkeypatch, error):
    assert is_out_of_memory(error)

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("liif_core.weights.load_model", lambda *_: model)
    monkeypatch.setattr(ContinuousPhoto, "seconds_needed", lambda *_: 0.0)
    monkeypatch.setattr(ContinuousPhoto, "window", fail)
    assert main(["zoom", str(path), "--scale", "2"]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert f"{path}: not enough memory" in printed
    assert [p.name for p in tmp_path.iterdir()] == ["photo.png"]
    with pytest.raises(LiifError, match="the photo: not enough memory"):
        liif_core.zoom(np.zeros((5, 5, 3), np.uint8), scale=2, model=model)


def test_too_little_memory_for_the_model_is_one_line(path, capsys, monkeypatch):
    def fail(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("liif_core.weights.load_model", fail)
    assert main(["zoom", str(path), "--scale", "2"]) == 2
    printed = capsys.readouterr().err
    assert (printed.count("\n"), "not enough memory" in printed) == (1, True)


@pytest.mark.parametrize("error", [RuntimeError("shapes do not match"), TypeError("allocate")])
def test_a_mistake_of_ours_is_not_taken_for_too_little_memory(model, path, monkeypatch, error):
    assert not is_out_of_memory(error)

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("liif_core.weights.load_model", lambda *_: model)
    monkeypatch.setattr(ContinuousPhoto, "seconds_needed", lambda *_: 0.0)
    monkeypatch.setattr(ContinuousPhoto, "window", fail)
    with pytest.raises(type(error), match=str(error)):
        main(["zoom", str(path), "--scale", "2"])


def test_a_strip_that_cannot_be_pasted_ends_the_zoom(model, path, tmp_path, monkeypatch):
    def gone(self, top, rgb):
        raise OSError("the disk is gone")

    monkeypatch.setattr(ByStrips, "paste", gone)
    job = plan(path, tmp_path / "out.png", Task(scale=2))
    with opened(job, read(job), model) as work, pytest.raises(OSError, match="gone"):
        work.paint()
    assert [p.name for p in tmp_path.iterdir()] == ["photo.png"]
