"""Feature upsampling: geometry of tiles, the bilateral filter, the bias, the decoder, measures."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from liif_core.companions import features
from liif_core.companions.features import (
    FeatureDecoder,
    cosine,
    cut,
    joint_bilateral,
    nmse,
    nmse_each,
    position_bias,
    seams,
    shift_and_interleave,
    stitch,
    train_feature_decoder,
    upsample,
)
from liif_core.errors import LiifError


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("f", [2, 3])
def test_stitching_undoes_cutting(f):
    pictures = np.random.default_rng(0).integers(0, 256, (2, 12, 18, 3), np.uint8)
    tiles = cut(pictures, f)
    assert tiles.shape == (2 * f * f, 12 // f, 18 // f, 3)
    assert np.array_equal(tiles[1], pictures[0, : 12 // f, 18 // f : 2 * (18 // f)])
    maps = torch.from_numpy(tiles).permute(0, 3, 1, 2)
    assert np.array_equal(stitch(maps, f).permute(0, 2, 3, 1).numpy(), pictures)


def test_odd_pictures_cannot_be_cut():
    with pytest.raises(LiifError, match="9 × 8 pixels cannot be cut into 2 × 2"):
        cut(np.zeros((1, 8, 9, 3), np.uint8))


def test_each_tile_is_encoded_on_its_own():
    class Mean:
        """An encoder that writes down the mean of each tile, less what it sees elsewhere."""

        def features(self, pictures):
            means = pictures.astype(np.float32).mean((1, 2))
            return torch.from_numpy(means)[:, :, None, None].expand(-1, -1, 2, 2)

    picture = np.zeros((1, 8, 8, 3), np.uint8)
    picture[0, :4, 4:] = 90
    found = features.tiled_features(Mean(), picture)
    assert found.shape == (1, 3, 4, 4)
    assert (found[0, :, :2, 2:] == 90).all()
    assert found.sum() == 3 * 4 * 90


@pytest.mark.parametrize("f", [2, 4])
def test_interleaved_looks_are_features_of_the_places_between(f):
    class Middle:
        """An encoder that writes down the colour right below and right of a cell's middle."""

        def features(self, pictures):
            found = pictures[:, 8::16, 8::16].astype(np.float32)
            return torch.from_numpy(found).permute(0, 3, 1, 2)

    ramp = np.arange(64, dtype=np.uint8)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], 3), axis=-1)[None]
    found = shift_and_interleave(Middle(), picture, f)
    assert found.shape == (1, 3, 4 * f, 4 * f)
    step = 16 // f
    places = step / 2 + step * torch.arange(4 * f)  # the middle of each finer cell
    assert torch.equal(found[0, 1, 0], places)
    assert torch.equal(found[0, 0, :, 0], places)
    assert (found[0, 2] == 3).all()


def test_joint_bilateral_on_one_colour_is_a_gaussian_blur():
    maps = noise(1, 2, 6, 6)
    found = joint_bilateral(maps, torch.full((1, 3, 12, 12), 0.5), spatial=1.3)
    steps = torch.exp(-0.5 * (torch.arange(-3.0, 4.0) / 1.3) ** 2)
    kernel = (steps[:, None] * steps / steps.sum() ** 2).expand(2, 1, 7, 7)
    padded = F.pad(upsample(maps), (3, 3, 3, 3), mode="replicate")
    assert torch.allclose(found, F.conv2d(padded, kernel, groups=2), atol=1e-5)


def test_joint_bilateral_keeps_to_the_edges_of_the_photo():
    """A step in the features, blurred by interpolation, stands again where the colours change."""
    maps = torch.zeros(1, 1, 4, 4)
    maps[..., 2:] = 1
    guide = torch.zeros(1, 3, 8, 8)
    guide[..., 4:] = 1
    found = joint_bilateral(maps, guide, spatial=2.0, tonal=0.05)[0, 0]
    blurred = upsample(maps)[0, 0]
    assert (found[:, 3] < 0.6 * blurred[:, 3]).all()
    assert (1 - found[:, 4] < 0.6 * (1 - blurred[:, 4])).all()


def test_the_bias_is_what_is_the_same_on_all_pictures():
    true = noise(3, 4, 4)
    true -= true.mean((1, 2), keepdim=True)
    pictures = 0.1 * noise(4000, 3, 4, 4) + 7.0  # a mean of its own is no bias
    assert torch.allclose(position_bias(pictures + true), true, atol=0.02)
    assert position_bias(noise(5, 3, 4, 4)).mean((1, 2)).abs().max() < 1e-6


def test_an_untrained_decoder_interpolates():
    maps = noise(2, 5, 4, 6)
    found = FeatureDecoder(5, (8,)).render(maps, 8, 12)
    assert found.shape == (2, 5, 8, 12)
    assert torch.allclose(found, upsample(maps), atol=1e-4)


def test_a_decoder_learns_what_interpolation_does_not_know():
    """Fine maps of a rule that holds at each place: the decoder finds it, reproducibly."""
    fine = noise(40, 2, 8, 8)
    coarse = F.avg_pool2d(fine, 2)
    wanted = upsample(coarse).clamp(min=0) * 2 - 1
    decoder, losses = train_feature_decoder(coarse[:32], wanted[:32], steps=150)
    again, _ = train_feature_decoder(coarse[:32], wanted[:32], steps=150)
    found = decoder.render(coarse[32:], 8, 8)
    assert torch.equal(found, again.render(coarse[32:], 8, 8))
    assert nmse(found, wanted[32:]) < 0.5 * nmse(upsample(coarse[32:]), wanted[32:])
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])
    assert not any(weight.requires_grad for weight in decoder.parameters())


def test_training_leaves_the_readers_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    train_feature_decoder(noise(8, 2, 2, 2), noise(8, 2, 4, 4), steps=2, seed=9)
    assert torch.equal(torch.rand(1), expected)


def test_measures():
    reference = noise(2, 3, 6, 6)
    assert cosine(reference * 5, reference) == pytest.approx(1, abs=1e-5)
    assert cosine(-reference, reference) == pytest.approx(-1, abs=1e-5)
    assert nmse(reference, reference) == 0
    half_wrong = reference.clone()
    half_wrong[1] += 1
    first, second = nmse_each(half_wrong, reference)
    assert first == 0
    assert nmse(half_wrong, reference) == pytest.approx(second / 2)
    mean = reference.mean((0, 2, 3), keepdim=True).expand_as(reference)
    assert nmse(mean, reference) == pytest.approx(1, abs=1e-5)


def test_errors_at_seams_are_told_apart():
    where = seams(6, 6)
    assert where.sum() == 36 - 16
    assert where[2].all()
    assert where[:, 3].all()
    assert not where[0, 0]
    reference = noise(1, 3, 6, 6)
    wrong = reference.clone()
    wrong[..., 2, :] += 1
    assert nmse(wrong, reference, where) > nmse(wrong, reference) > 0
    assert nmse(wrong, reference, ~where) == 0
    assert seams(9, 9, 3).sum() == 81 - 25
