"""The part of Fashion-MNIST: counts, order, and the way from the data set's own files."""

import gzip

import numpy as np

from liif_core.companions import fashion, make_fashion_mnist
from liif_core.companions.fashion import CLASSES, for_encoder, load_fashion


def test_counts_and_order():
    memories, queries = load_fashion()
    assert memories.pictures.shape == (2500, 28, 28)
    assert queries.pictures.shape == (2000, 28, 28)
    for part in (memories, queries):
        assert part.pictures.dtype == np.uint8
        assert part.labels[:12].tolist() == [*range(10), 0, 1]
        assert len(part.labels) == len(part.pictures)
        assert len(np.unique(part.pictures, axis=0)) >= len(part.pictures) - 2


def test_classes_look_as_their_names_say():
    pictures, labels = load_fashion()[0]
    ink = {name: pictures[labels == i].mean() for i, name in enumerate(CLASSES)}
    assert ink["sandal"] < ink["sneaker"] < ink["ankle boot"]
    trousers = pictures[labels == CLASSES.index("trousers")].mean(axis=0)
    assert trousers[-6:, 13:15].mean() < 0.5 * trousers[-6:, [10, 17]].mean(), "a gap between legs"


def test_the_sheet_is_built_from_the_files_of_the_data_set(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    sets = {}
    for part, n in (("train", 60), ("t10k", 40)):
        labels = np.arange(n, dtype=np.uint8) % 10
        pictures = random.integers(0, 256, (n, 28, 28), np.uint8)
        sets[part] = pictures
        for kind, head, data in (("images-idx3", 16, pictures), ("labels-idx1", 8, labels)):
            with gzip.open(tmp_path / f"{part}-{kind}-ubyte.gz", "wb") as file:
                file.write(bytes(head) + data.tobytes())
    for module in (fashion, make_fashion_mnist):
        monkeypatch.setattr(module, "MEMORIES", 3)
        monkeypatch.setattr(module, "QUERIES", 2)
    monkeypatch.setattr(fashion, "SHEET", tmp_path / "sheet.png")
    make_fashion_mnist.build(tmp_path).save(tmp_path / "sheet.png")
    memories, queries = load_fashion()
    assert np.array_equal(memories.pictures, sets["train"][:30])
    assert np.array_equal(queries.pictures, sets["t10k"][:20])


def test_for_encoder_keeps_grey_grey():
    pictures = load_fashion()[0].pictures[:3]
    large = for_encoder(pictures)
    assert large.shape == (3, 96, 96, 3)
    assert large.dtype == np.uint8
    assert np.array_equal(large[..., 0], large[..., 2])
    assert abs(large.mean() - pictures.mean()) < 2
