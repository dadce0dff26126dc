import numpy as np
import pytest
from numpy.typing import DTypeLike
from PIL import Image

from liif_core.baselines import METHODS, downscale, resize
from liif_core.errors import LiifError


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(7, 5, 3), (7, 5), (1, 1, 3), (1, 9)])
@pytest.mark.parametrize("size", [(20, 31), (3, 2), (1, 1), (7, 40)])
def test_bytes_are_resized_as_pillow_does(
    method: str, shape: tuple[int, ...], size: tuple[int, int]
) -> None:
    image = noise(*shape)
    height, width = size
    filters = Image.Resampling
    expected = Image.fromarray(image).resize((width, height), getattr(filters, method.upper()))
    result = resize(image, height, width, method)
    assert result.dtype == np.uint8
    assert result.shape == (height, width, *shape[2:])
    np.testing.assert_array_equal(result, np.asarray(expected))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(16, 13, 3), (16, 13)])
@pytest.mark.parametrize("size", [(40, 29), (5, 4)])
def test_floats_agree_with_bytes_but_are_not_rounded(
    method: str, shape: tuple[int, ...], size: tuple[int, int]
) -> None:
    # Pillow rounds and clips 8 bits twice, after the rows and after the columns: leave room for
    # overshoot, so that only the rounding differs.
    image = noise(*shape, seed=1) // 2 + 64
    in_bytes = resize(image, *size, method)
    in_floats = resize((image / 255).astype(np.float32), *size, method)
    assert in_floats.dtype == np.float32
    assert in_floats.shape == in_bytes.shape
    np.testing.assert_allclose(in_floats * 255, in_bytes, atol=1.6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_flat_picture_stays_flat(method: str, dtype: DTypeLike) -> None:
    image = np.full((6, 9, 3), 200 if dtype is np.uint8 else 0.7, dtype=dtype)
    for height, width in [(13, 22), (2, 4)]:
        result = resize(image, height, width, method)
        np.testing.assert_allclose(result, image[0, 0, 0], rtol=1e-6)


def test_known_values() -> None:
    edge = np.array([[0, 1]], dtype=np.float32)
    np.testing.assert_array_equal(resize(edge, 1, 4, "nearest"), [[0, 0, 1, 1]])
    np.testing.assert_allclose(resize(edge, 1, 4, "bilinear"), [[0, 0.25, 0.75, 1]])
    wide = np.repeat(edge, 8, axis=1)
    for method in ("bicubic", "lanczos"):  # they overshoot, and floats are not clipped
        assert resize(wide, 1, 64, method).max() > 1.01
        assert resize(wide, 1, 64, method).min() < -0.01


def test_shrinking_averages_instead_of_aliasing() -> None:
    stripes = np.tile(np.array([0, 1], dtype=np.float32), (64, 32))
    assert set(np.unique(resize(stripes, 8, 8, "nearest"))) <= {0, 1}
    inner = resize(stripes, 8, 8, "bicubic")[:, 1:-1]
    np.testing.assert_allclose(inner, 0.5, atol=0.03)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_box_gives_the_same_part_of_the_whole_resized(method: str, dtype: DTypeLike) -> None:
    image = noise(12, 15, 3, seed=2).astype(dtype)
    whole = resize(image, 48, 60, method)
    boxed = resize(image, 28, 26, method, box=(4, 2, 10.5, 9))
    np.testing.assert_allclose(boxed, whole[8:36, 16:42], atol=1e-3)


def test_input_is_untouched_and_need_not_be_contiguous() -> None:
    image = noise(9, 8, 3)
    copy = image.copy()
    flipped = image[::-1, ::-1]
    np.testing.assert_array_equal(
        resize(flipped, 18, 16, "nearest"), resize(image, 18, 16, "nearest")[::-1, ::-1]
    )
    np.testing.assert_array_equal(image, copy)


def test_downscale_rounds_each_side() -> None:
    image = noise(50, 37, 3)
    assert downscale(image, 2.5).shape == (20, 15, 3)
    assert downscale(image, 1000).shape == (1, 1, 3)
    np.testing.assert_array_equal(downscale(image, 1), image)
    np.testing.assert_array_equal(downscale(image, 4), resize(image, 12, 9, "bicubic"))


@pytest.mark.parametrize("scale", [0, -2, 0.99, float("nan"), float("inf")])
def test_downscale_refuses_impossible_scales(scale: float) -> None:
    with pytest.raises(LiifError, match="finite scale of at least 1, not"):
        downscale(noise(5, 5), scale)


@pytest.mark.parametrize(
    ("height", "width", "method", "message"),
    [
        (4, 4, "sinc", "unknown method 'sinc': choose one of nearest, bilinear, bicubic, lanczos"),
        (0, 4, "bicubic", "at least 1 × 1 pixels, not 4 × 0"),
        (4, -1, "bicubic", "at least 1 × 1 pixels, not -1 × 4"),
    ],
)
def test_resize_refuses_what_it_cannot_do(
    height: int, width: int, method: str, message: str
) -> None:
    with pytest.raises(LiifError, match=message):
        resize(noise(5, 5, 3), height, width, method)


@pytest.mark.parametrize(
    "box", [(0, 0, 6, 5), (-1, 0, 3, 3), (2, 2, 2, 4), (3, 3, 1, 4), (float("nan"), 0, 2, 2)]
)
def test_resize_refuses_a_box_outside_the_picture(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(LiifError, match="inside the 5 × 5 picture"):
        resize(noise(5, 5, 3), 4, 4, "bicubic", box=box)


@pytest.mark.parametrize("shape", [(5,), (5, 5, 4), (5, 5, 1), (0, 5, 3), (2, 5, 5, 3)])
def test_what_is_not_a_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(LiifError, match="expected a picture of shape"):
        resize(np.zeros(shape, dtype=np.uint8), 4, 4, "bicubic")
    with pytest.raises(LiifError, match="expected a picture of shape"):
        downscale(np.zeros(shape, dtype=np.uint8), 2)


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, bool])
def test_other_number_types_are_refused(dtype: DTypeLike) -> None:
    with pytest.raises(LiifError, match="expected uint8 or floats in"):
        resize(np.zeros((5, 5), dtype=dtype), 4, 4, "bicubic")


def test_bicubic_shrinking_puts_a_dip_and_a_bump_beside_an_edge() -> None:
    """What lesson 04 says of the chart that it shrinks: the model does not invent them."""
    chart = np.full((128, 128, 3), 25, np.uint8)
    chart[:, 66:] = 230
    row = resize(chart, 32, 32, "bicubic")[16, :, 0]
    assert row.min() < 25
    assert row.max() > 230
