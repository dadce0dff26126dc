"""Evaluation: one photograph after the other, and the same on any number of workers."""

import json
import threading
import weakref

import numpy as np
import pytest
from PIL import Image

from liif_core import evaluate as evaluation
from liif_core import workers
from liif_core.errors import LiifError
from liif_core.evaluate import PhotoFolder, evaluate, make_pair, read_folder, write_json, zoom_back
from liif_core.liif import LIIF, LIIFConfig
from liif_core.metrics import psnr
from liif_core.training.degrade import noise_and_jpeg
from liif_core.training.validation import SCALES, Validator


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(3)
    for number in range(7):
        small = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
        size = (40 + number, 36)
        Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def model():
    return LIIF(LIIFConfig(blocks=1, channels=8, hidden=(16,), local_colour=True)).eval()


def test_the_scores_are_those_of_the_protocol_on_any_number_of_workers(folder, model):
    found = []
    for number in (1, 2, 3):
        with workers.limited_to(number):
            found.append(evaluate(model, read_folder(folder), [2, 3], degrade=noise_and_jpeg))
    assert found[0] == found[1] == found[2]
    photos = list(read_folder(folder))
    assert found[0] == evaluate(model, photos, [2, 3], degrade=noise_and_jpeg)
    order = [(score.photo, score.scale) for score in found[0][::3]]
    assert order == [(f"{number}.png", scale) for number in range(7) for scale in (2, 3)]
    reference, small = make_pair(photos[4][1], 3)
    small = noise_and_jpeg(small, np.random.default_rng([4, 3]))
    result = zoom_back(model, small, *reference.shape[:2])
    (score,) = (s for s in found[0] if (s.photo, s.scale, s.method) == ("4.png", 3, "liif"))
    assert score.psnr == pytest.approx(psnr(result, reference, border=3), abs=1e-3)


def test_validation_is_evaluation(folder, model):
    photos = [pixels for _, pixels in read_folder(folder)]
    with workers.limited_to(3):
        validator = Validator(photos, noise_and_jpeg)
        scores = validator.scores(model)
    table = evaluation.means(evaluate(model, read_folder(folder), SCALES, degrade=noise_and_jpeg))
    assert scores.psnr == {scale: row["liif"][0] for scale, row in table.items()}
    assert validator.bicubic == {scale: row["bicubic"][0] for scale, row in table.items()}


class Pixels(np.ndarray):
    """Can be watched as it goes."""


def test_a_few_photographs_are_in_memory_at_once(folder, model, monkeypatch):
    alive, most, read = weakref.WeakSet(), [], evaluation.read_rgb
    lock = threading.Lock()

    class Token:
        pass

    def watched(path):
        pixels = read(path).view(Pixels)
        pixels.token = Token()
        with lock:
            alive.add(pixels.token)
            most.append(len(alive))
        return pixels

    monkeypatch.setattr(evaluation, "read_rgb", watched)
    told = []
    with workers.limited_to(1):
        many = PhotoFolder(2 * read_folder(folder).paths)
        evaluate(model, many, [2], progress=lambda *at: told.append(at))
    assert len(most) == 14
    assert max(most) <= 6, "two that were scored, two that are next, two read ahead"
    assert told == [(done, 14) for done in range(1, 15)]


def test_a_broken_photograph_ends_it_in_one_line(folder, model, tmp_path):
    (tmp_path / "a.png").write_bytes((folder / "0.png").read_bytes())
    whole = (folder / "1.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LiifError, match=r"b\.png: broken or cut off"):
        evaluate(model, read_folder(tmp_path), [2])
    (tmp_path / "c.png").write_bytes(b"not a picture")
    with pytest.raises(LiifError, match=r"c\.png: not a picture"):
        read_folder(tmp_path)  # before anything is computed
    for name in ("._a.png", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"none")
    for name in ("b.png", "c.png"):
        (tmp_path / name).unlink()
    assert len(evaluate(model, read_folder(tmp_path), [2])) == 3


def test_a_photograph_too_small_is_told_of_before_any_is_decoded(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "read_rgb", None)
    (tmp_path / "a.png").write_bytes((folder / "0.png").read_bytes())
    Image.new("RGB", (40, 11)).save(tmp_path / "b.png")
    assert len(read_folder(tmp_path, [2, 3])) == 2
    with pytest.raises(LiifError, match=r"b\.png: a photo of 40×11 pixels is too small for ×4"):
        read_folder(tmp_path, [2, 4])
    with pytest.raises(LiifError, match="from 2 on"):
        read_folder(tmp_path, [1])


def test_a_file_of_scores_is_written_whole_or_not_at_all(folder, model, tmp_path, monkeypatch):
    scores = evaluate(model, read_folder(folder), [2])
    path = tmp_path / "scores.json"
    write_json(scores, "mine", path)
    before = path.read_bytes()
    assert len(json.loads(before)["scores"]) == 21
    monkeypatch.setattr("os.fsync", lambda file: (_ for _ in ()).throw(OSError(28, "No space")))
    with pytest.raises(LiifError, match="could not be written"):
        write_json(scores[:3], "other", path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["scores.json"]
