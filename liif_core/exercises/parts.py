"""What each part of the learner's my_liif.py must do: the lessons' checkers, and liif_core's own.

The numbers are the lessons'. Where an exercise asks for the function, its checker is used.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from liif_core.coords import cell_size, coord_grid, pixel_centres
from liif_core.exercises import lesson_01, lesson_02, lesson_03, lesson_04, lesson_06
from liif_core.exercises.outputs import NOTHING, Output, number, outputs
from liif_core.liif import LIIF, Latents, LIIFConfig
from liif_core.training.pairs import Batch

CLOSE = 1e-5

NO_NUMBER = (
    "right at a code's centre on the rim of the photo all four areas are 0, and 0 / 0 is no number:"
    " let `weights` add 1e-9 to |δ| before it multiplies"
)


def small_model(seed: int = 0, *, local_colour: bool = True) -> LIIF:
    """Return an untrained LIIF of few numbers."""
    torch.manual_seed(seed)
    return LIIF(LIIFConfig(blocks=2, channels=6, hidden=(16, 16), local_colour=local_colour))


def my_centres(answer: Callable[[int], list[float]]) -> None:
    """Check n -> the centres of n pixels on [-1, 1]."""
    for n in (1, 4, 7, 48):
        found = torch.as_tensor(answer(n), dtype=torch.float32)
        assert torch.allclose(found, pixel_centres(n), atol=CLOSE), (
            f"of {n} pixels the centres lie at (2 i + 1) / {n} - 1, for i = 0 … {n - 1}"
        )


def conv(answer: Callable[[Tensor, nn.Module], Tensor]) -> None:
    """Check (x, layer) -> x, (1, C, H, W), put through one layer."""
    layer, x = small_model().encoder.head[0], torch.rand(1, 3, 7, 9)
    with torch.no_grad():
        right = layer(x)
        found = outputs(answer(x, layer), Output("the result", Tensor, tuple(right.shape)))
    assert torch.allclose(found, right, atol=CLOSE), (
        "it should give what `layer(x)` gives: its weight and its bias, `layer.weight` and "
        "`layer.bias`, and zeros around the picture"
    )


def residual(answer: Callable[[Tensor, nn.Module], Tensor]) -> None:
    """Check (x, block) -> x, (1, C, H, W), put through one residual block."""
    block: Any = small_model().encoder.body[0]
    x = torch.randn(1, 6, 7, 9)
    first, _, second = block.body
    with torch.no_grad():
        correction = second(first(x).relu())
        right, straight = x + correction, x + second(first(x))
        late = (x + correction).relu()
        found = outputs(answer(x, block), Output("the result", Tensor, tuple(x.shape)))
    assert not torch.allclose(found, correction, atol=CLOSE), (
        "that is the correction alone; a residual block adds it to its own input, x"
    )
    assert not torch.allclose(found, straight, atol=CLOSE), (
        "between the two convolutions, ReLU turns negative numbers into 0"
    )
    assert not torch.allclose(found, late, atol=CLOSE), (
        "ReLU stands between the two convolutions; the sum stays as it is"
    )
    assert torch.allclose(found, right, atol=CLOSE), (
        "it should give what `block(x)` gives: convolution by `block.body[0]`, ReLU, convolution "
        "by `block.body[2]`, and the sum with x"
    )


def encode(answer: Callable[[LIIF, Tensor], Latents]) -> None:
    """Check (model, photo) -> the latent codes and colours, as `LIIF.encode` gives them."""
    model = small_model()
    photo = torch.rand(1, 3, 7, 9)
    found, want = answer(model, photo), model.encode(photo)
    assert found is not None, NOTHING
    for name in ("codes", "colours"):
        part, right = getattr(found, name, None), getattr(want, name)
        assert isinstance(part, Tensor), f"it should return Latents, with its {name}"
        assert part.shape == right.shape, (
            f"the {name} have the shape {tuple(part.shape)}, and should have {tuple(right.shape)}"
        )
        apart = float((part - right).detach().abs().max())
        assert apart <= CLOSE, f"the {name} are up to {apart:.2g} away from those of liif_core"


def weights(answer: Callable[[Tensor], Tensor]) -> None:
    """Check as lesson 03 does, and where all four areas are 0."""
    lesson_03.weights(answer)
    assert not answer(torch.zeros(1, 4, 2)).isnan().any(), NO_NUMBER


def query(answer: Callable[[LIIF, Latents, Tensor, Tensor], Tensor]) -> None:
    """Check as lesson 03 does, and at every place that a zoom may ask for."""
    lesson_03.query(answer)
    model = small_model()
    for height, width in ((11, 13), (8, 16)):  # the latter without rounding: areas of exactly 0
        latents = model.encode(torch.rand(1, 3, height, width))
        for scale in (1, 2, 3):  # at odd scales some places are the centres of codes
            coord = coord_grid(height * scale, width * scale).view(1, -1, 2)
            cell = cell_size(height * scale, width * scale).expand_as(coord)
            found = answer(model, latents, coord, cell)
            apart = (found - model.query(latents, coord, cell)).abs().amax(-1)[0]
            assert not apart.isnan().any(), NO_NUMBER
            assert apart.max() <= CLOSE, (
                f"right at most places; wrong at {int((apart > CLOSE).sum())} of {len(apart)} of a"
                f" zoom ×{scale}, the centres of pixels. The aside on the 1e-6 says why: half a"
                " step from there lands on a border"
            )


def step_once(answer: Callable[[LIIF, torch.optim.Optimizer, Batch, float], float]) -> None:
    """Check three training steps: the losses, and where the weights are after them."""
    mine, theirs = small_model(1), small_model(1)
    coord = torch.rand(2, 20, 2) * 2 - 1
    size = torch.tensor([2 / 20, 2 / 22]).expand_as(coord)
    batch = Batch(torch.rand(2, 3, 8, 9), coord, size, torch.rand(2, 20, 3))
    sgd = [torch.optim.SGD(model.parameters(), lr=0) for model in (mine, theirs)]
    for step, rate in enumerate((0.1, 0.05, 0.02)):
        found = number(answer(mine, sgd[0], batch, rate), "the loss")
        rgb = theirs.query(theirs.encode(batch.photo), batch.coord, batch.cell)
        loss = (rgb - batch.colour).abs().mean()
        sgd[1].param_groups[0]["lr"] = rate
        sgd[1].zero_grad()
        loss.backward()
        sgd[1].step()
        assert abs(found - loss.item()) <= CLOSE, (
            f"at step {step} the loss is {loss.item():.5f}, yours {found:.5f}"
        )
    pairs = zip(mine.parameters(), theirs.parameters(), strict=True)
    apart = max((a - b).abs().max().item() for a, b in pairs)
    assert apart <= CLOSE, f"after three steps the weights are up to {apart:.2g} away from ours"


#: Part -> functions that another of the part calls, if the learner wrote them; what checks each.
#: They come first, so that what is wrong is told where it is wrong.
HELPERS: dict[int, dict[str, Callable[[Any], None]]] = {
    2: {"convolution": lesson_02.convolution, "conv": conv, "residual": residual},
    3: {"weights": weights},
}

#: Part -> the functions that it must have, and what checks each.
CHECKS: dict[int, dict[str, Callable[[Any], None]]] = {
    1: {
        "my_centres": my_centres,
        "nearest_index": lesson_01.nearest_index,
        "bilinear_at": lesson_01.bilinear_at,
    },
    2: {"convolution": lesson_02.convolution, "encode": encode},
    3: {"query": query},
    4: {"cell_units": lesson_04.cell_units},
    6: {
        "questions": lesson_06.questions,
        "rate_at": lesson_06.rate_at,
        "step_once": step_once,
    },
}
