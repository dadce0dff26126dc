"""bfloat16 where a processor has it, and a line where it has not. These tests say that it has:
PyTorch computes the same numbers everywhere, only more slowly."""

import numpy as np
import pytest
import torch
from PIL import Image
from small_models import small_heat, small_model

from liif_core import axes, device, folded_block, folded_grid, folded_quick
from liif_core.__main__ import main
from liif_core.device import check_precision, has_bfloat16
from liif_core.errors import LiifError
from liif_core.explorer import ExploredPhoto, Side, Viewport
from liif_core.explorer.messages import answer
from liif_core.photos import photo_from
from liif_core.pixels import to_uint8
from liif_core.render import ContinuousPhoto
from liif_core.samples import sample_photo
from liif_core.weights import load_model

SIDE = Side("LIIF")


@pytest.fixture
def able(monkeypatch):
    """Return a function that says what the processor has, by PyTorch's names."""

    def say(**abilities: bool) -> None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: abilities, raising=False)

    return say


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.ascontiguousarray(sample_photo("portrait")[100:140, 120:170])


@pytest.mark.parametrize(
    ("abilities", "precisions"),
    [
        ({}, set()),
        ({"avx512_f": True, "avx512_bf16": False}, set()),
        ({"avx512_bf16": True}, {"bfloat16"}),
        ({"amx_bf16": True, "amx_fp16": True}, {"bfloat16", "float16"}),
        ({"architecture": "arm64", "bf16": True}, set()),
    ],
)
def test_what_a_processor_has(able, abilities, precisions):
    able(**abilities)
    for precision in ("bfloat16", "float16"):
        assert device.processor_computes_in(precision) == (precision in precisions)
    assert has_bfloat16(torch.device("cpu")) == ("bfloat16" in precisions)
    check_precision(torch.device("cpu"), "float32")
    check_precision(torch.device("cuda"), "float16")


def test_an_older_pytorch_is_not_asked(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    with pytest.raises(LiifError, match="does not compute in bfloat16.*--precision float32"):
        check_precision(torch.device("cpu"), "bfloat16")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_processor_without_it_refuses_in_a_line(precision, able, tmp_path, photo, capsys):
    able()
    Image.fromarray(photo).save(tmp_path / "a.png")
    options = ["--scale", "2", "--device", "cpu", "--precision", precision]
    assert main(["zoom", str(tmp_path / "a.png"), *options]) == 2
    line = capsys.readouterr().err.splitlines()[-1]  # before it, what is to be said of the photo
    assert f"does not compute in {precision}" in line
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def near(rough: np.ndarray, exact: np.ndarray, least: float, most: int) -> None:
    """Hold a result to the exact one: PSNR, and values of 8 bits."""
    error = float(np.mean((rough.clip(0, 1) - exact.clip(0, 1)) ** 2))
    assert 10 * np.log10(1 / error) >= least
    apart = np.abs(to_uint8(rough).astype(int) - to_uint8(exact).astype(int))
    assert 0 < apart.max() <= most


@pytest.mark.parametrize("size", [(80, 100), (470, 590)])
def test_hidden_layers_in_bfloat16(photo, size):
    model = load_model("liif-edsr-small", "cpu")
    whole = ContinuousPhoto(model, photo.astype(np.float32) / 255)
    exact = whole.render(*size)
    near(whole.hasty(torch.bfloat16).render(*size), exact, least=70, most=1)
    np.testing.assert_array_equal(whole.render(*size), exact)
    both = ContinuousPhoto(model, photo.astype(np.float32) / 255, precision="bfloat16")
    near(both.render(*size), exact, least=65, most=2)


def test_relu_of_all_numbers_by_their_bits():
    """Also of −0, which may stay −0, and of both infinities."""
    every = torch.arange(-(2**15), 2**15).to(torch.int16).view(torch.bfloat16)
    every = every[~every.isnan()]
    scratch = folded_quick.Scratch(*torch.empty(2, len(every), 1), torch.empty(0))
    numbers = torch.empty(len(every), 1, dtype=torch.bfloat16)
    scratch = scratch._replace(numbers=numbers, bits=numbers.view(torch.int16))
    near, least = every.float()[None, :, None], torch.zeros(1, 1)
    found = folded_quick.rectified(near, least, [1], scratch)
    assert torch.equal(found[:, 0], torch.relu(every))
    assert found.isinf().sum() == 1


def test_a_hidden_layer_in_one_operation_and_in_two():
    """Wherever this PyTorch and this processor have the one."""
    draw = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(n, 64, generator=draw).bfloat16() for n in (300, 48))
    bias = torch.randn(48, generator=draw).bfloat16()
    found = folded_quick.hidden_layer(x, weight, bias)
    expected = torch.relu(x.float() @ weight.float().t() + bias.float())
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, rtol=2**-7, atol=0.1)


@pytest.mark.parametrize("local_colour", [True, False])
@pytest.mark.parametrize("chunk", [6144, 500, 7])
@pytest.mark.parametrize("size", [(120, 150), (95, 41), (40, 50), (61, 300)])
def test_columns_asked_together(photo, size, chunk, local_colour, monkeypatch):
    """Blocks of one code's rows and of several, of all outputs and of some, are near the exact
    one; and nearer to each other."""
    model = small_model(local_colour=local_colour)
    whole = ContinuousPhoto(model, photo.astype(np.float32) / 255)
    exact = whole.render(*size)
    monkeypatch.setattr(folded_grid, "QUICK_CHUNK_PIXELS", chunk)
    rough = whole.hasty(torch.bfloat16).render(*size)
    near(rough, exact, least=60, most=2)
    monkeypatch.setattr(axes, "NEGLIGIBLE", -1.0)  # every code is asked
    every = whole.hasty(torch.bfloat16).render(*size)
    np.testing.assert_allclose(every, rough, rtol=0, atol=1e-5)


def test_without_the_private_operation(photo, monkeypatch):
    whole = ContinuousPhoto(small_model(), photo.astype(np.float32) / 255)
    exact = whole.render(80, 100)
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", None, raising=False)
    assert not folded_quick._has_fused()
    monkeypatch.setattr(folded_block, "hidden_layer", folded_quick._plain)
    monkeypatch.setattr(folded_grid, "scripted", lambda function: function)
    near(whole.hasty(torch.bfloat16).render(80, 100), exact, least=60, most=2)


def test_scratches_are_lent_again():
    lending = folded_quick.Scratches(10, 4)
    with torch.inference_mode(), lending.one() as first, lending.one() as second:
        assert first.numbers.data_ptr() != second.numbers.data_ptr()
        assert first.numbers.data_ptr() == first.bits.data_ptr()
    with lending.one() as third:
        third.sums.zero_()
        assert third.sums.data_ptr() in (first.sums.data_ptr(), second.sums.data_ptr())


def asked(explored: ExploredPhoto, view: Viewport, **how: bool) -> bytes:
    where = {"centre": view.centre, "magnification": view.magnification, "screen": view.screen}
    question = {"type": "frame", "view": where, "side": vars(SIDE), "reads": 99, **how}
    return answer(explored, question)[1][0]


def test_only_what_moves_is_rounded(able, photo):
    """The frame that stands still is the exact one, to the last bit, before and after."""
    model = load_model("liif-edsr-small", "cpu")
    explored = ExploredPhoto(photo_from(photo), {"LIIF": model})
    view = Viewport(explored.size, (120, 160), (0.1, 0.2), 9)
    exact, still = explored.picture(view, SIDE), asked(explored, view, coarse=False, lossless=True)
    able()
    np.testing.assert_array_equal(explored.picture(view, SIDE, moving=True), exact)
    plain = asked(explored, view, coarse=True, lossless=True)
    assert plain == still  # known already
    able(avx512_bf16=True)
    fresh = ExploredPhoto(photo_from(photo), {"LIIF": model})  # it holds no exact picture yet
    moving = fresh.picture(view, SIDE, moving=True)
    assert 0 < np.abs(moving.astype(int) - exact.astype(int)).max() <= 1
    assert asked(fresh, view, coarse=True, lossless=True) != plain
    np.testing.assert_array_equal(fresh.picture(view, SIDE), exact)
    np.testing.assert_array_equal(explored.picture(view, SIDE), exact)
    assert asked(explored, view, coarse=False, lossless=True) == still


def test_a_heat_field_has_no_hidden_layers_to_round(able, photo):
    able(avx512_bf16=True)
    explored = ExploredPhoto(photo_from(photo), {"LIIF": small_heat()})
    view = Viewport(explored.size, (120, 160), (0.1, 0.2), 9)
    exact = explored.picture(view, SIDE)
    np.testing.assert_array_equal(explored.picture(view, SIDE, moving=True), exact)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("local_colour", [True, False])
def test_a_single_pixel_leaves_the_weights_alone(photo, precision, local_colour):
    """As where a result reaches into a tile by one pixel: what it adds up is its own."""
    model, photo = small_model(local_colour=local_colour), photo.astype(np.float32) / 255
    before = {name: value.clone() for name, value in model.state_dict().items()}
    dtype = getattr(torch, precision)
    ContinuousPhoto(model, photo).hasty(dtype).render(1, 1)
    ContinuousPhoto(model, photo, precision=precision).render(1, 1)
    whole = ContinuousPhoto(model, photo[:17, :17], largest_tile=16).hasty(dtype)
    whole.render(17, 17)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_numbers_that_are_too_large_for_bfloat16_are_told(photo):
    """They make NaNs, which a maximum of bits would take for zeros."""
    model, photo = small_model(), photo.astype(np.float32) / 255
    with torch.no_grad():
        model.imnet.layers[0].weight[:, :8] *= 1e39
    with pytest.raises(LiifError, match="too large for bfloat16"):
        ContinuousPhoto(model, photo, precision="bfloat16").render(20, 30)
