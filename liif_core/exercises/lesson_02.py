"""Checkers of lesson 02, latent codes."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from liif_core.exercises.outputs import Output, outputs
from liif_core.liif import Latents


def convolution(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    """Check a function (x, weight, bias) -> 3×3 convolution with zero padding, of one picture."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(3, 6, 7, generator=random)
    weight = torch.randn(5, 3, 3, 3, generator=random)
    bias = torch.randn(5, generator=random)
    right = F.conv2d(x[None], weight, bias, padding=1)[0]
    found = answer(x, weight, bias)
    assert not isinstance(found, Tensor) or found.shape[-2:] == right.shape[-2:], (
        f"from x of shape (3, 6, 7) and 5 kernels, a picture of shape (5, 6, 7) should come out; "
        f"yours is {tuple(found.shape)}. Pad x with one ring of zeros, so that the border pixels "
        "have neighbours too."
    )
    found = outputs(found, Output("the picture", Tensor, tuple(right.shape)))
    inner = (slice(None), slice(1, -1), slice(1, -1))
    no_bias = right - bias[:, None, None]
    assert not torch.allclose(found[inner], no_bias[inner], atol=1e-4), (
        "almost: you forgot to add the bias, one number per kernel: bias[:, None, None]"
    )
    often = right + 8 * bias[:, None, None]
    assert not torch.allclose(found[inner], often[inner], atol=1e-4), (
        "almost: the bias came in nine times, once in each step of the loop. Add it once, at the "
        "end"
    )
    turned = F.conv2d(x[None], weight.mT, bias, padding=1)[0]
    assert not torch.allclose(found[inner], turned[inner], atol=1e-4), (
        "your kernel lies on its side: weight[:, :, dy, dx] has the row first, and so has x"
    )
    flipped = F.conv2d(x[None], weight.flip(-1, -2), bias, padding=1)[0]
    assert not torch.allclose(found[inner], flipped[inner], atol=1e-4), (
        "your kernel is upside down: weight[:, :, 0, 0] belongs to the neighbour *above left*"
    )
    assert torch.allclose(found[inner], right[inner], atol=1e-4), (
        "wrong already in the middle of the picture. For each of the 9 places (dy, dx) of the "
        "kernel: take the picture shifted by it, mix its channels by weight[:, :, dy, dx], add up."
    )
    assert torch.allclose(found, right, atol=1e-4), (
        "right in the middle, wrong along the border: a neighbour outside the picture counts as 0 "
        "(does your shift wrap around to the other side?)"
    )


def reach(answer: Callable[[list[int]], int]) -> None:
    """Check a function kernels -> how many pixels away a chain of convolutions can see."""
    for kernels in ([3, 3], [9, 5, 5], [1, 7, 1], [3] * 20, [11, 3, 3, 1, 5]):
        right = sum(side // 2 for side in kernels)
        found = outputs(answer(list(kernels)), Output("the reach", int))
        where = f"kernels of {kernels}: you say {found}. "
        assert found == right or found != len(kernels), (
            where + "That is one pixel for each layer, true of 3×3; a 9×9 kernel reaches further"
        )
        assert found == right or found != sum(kernels), (
            where + "A kernel's side counts both directions and the pixel itself; asked is one side"
        )
        assert found == right or found != 2 * right + 1, (
            where + "That is the width of the whole square; asked is how far it reaches to one side"
        )
        assert found == right or found != 2 * right, (
            where + "That counts both sides of each kernel; asked is one side"
        )
        assert found == right or found != max(kernels) // 2, (
            where + "The layers work one after the other: does the news not travel on?"
        )
        assert found == right, (
            where + f"It should be {right}: how far does each kernel carry the news by itself?"
        )


#: What was done to the notes in the four pictures of exercise 4.
TAMPERINGS = {"P": "codes zero", "Q": "codes doubled", "R": "colours zero", "S": "codes moved"}
#: What to look at, for a picture that was not recognised.
LOOK_AT = {
    "P": "it has all its colours, and no crisp edge anywhere: which path is missing?",
    "Q": "its colours are right, its edges too steep, with dark and light rims: what is too much?",
    "R": "everything flat is grey, and only outlines are left: which path is missing?",
    "S": "its colours are right and its outlines stand beside the edges they belong to",
}


def detective(found: Mapping[str, str]) -> None:
    """Check exercise 4: which tampering made which picture."""
    assert isinstance(found, Mapping), "keep the dictionary: letter of the picture -> tampering"
    choices = sorted(TAMPERINGS.values())
    for letter, right in TAMPERINGS.items():
        given = " ".join(str(found.get(letter, "")).lower().split())
        assert given in choices, (
            f"picture {letter}: write one of {', '.join(choices)}, not {given!r}"
        )
        assert given == right, f"picture {letter} is not “{given}”: {LOOK_AT[letter]}"


def transplant(answer: Callable[[Latents, Latents, slice, slice], Latents]) -> None:
    """Check a function (host, donor, rows, cols) -> host with a window of the donor's latents."""
    random = torch.Generator().manual_seed(0)

    def made_up() -> Latents:
        return Latents(
            torch.randn(1, 4, 5, 6, generator=random), torch.randn(1, 3, 5, 6, generator=random)
        )

    host, donor = made_up(), made_up()
    size = [Output(name, Tensor, tuple(grid.shape)) for name, grid in host._asdict().items()]
    before = Latents(host.codes.clone(), host.colours.clone())
    rows, cols = slice(1, 3), slice(2, 6)
    found = answer(host, donor, rows, cols)
    assert isinstance(found, Latents), (
        f"your function should return Latents(codes, colours), not {type(found).__name__}"
    )
    assert torch.equal(host.codes, before.codes) and torch.equal(host.colours, before.colours), (  # noqa: PT018
        "your function changed the host itself; work on copies: host.codes.clone()"
    )
    found = Latents(*outputs(tuple(found), *size))
    window = (..., rows, cols)
    assert torch.equal(found.codes[window], donor.codes[window]), (
        "inside the window, the codes should be the donor's: codes[..., rows, cols] = …"
    )
    assert torch.equal(found.colours[window], donor.colours[window]), (
        "the codes moved, but the colours stayed behind: Latents holds two grids, move both"
    )
    rest = torch.ones(5, 6, dtype=torch.bool)
    rest[rows, cols] = False
    assert torch.equal(found.codes[..., rest], host.codes[..., rest]), (
        "outside the window, the codes should still be the host's"
    )
    assert torch.equal(found.colours[..., rest], host.colours[..., rest]), (
        "outside the window, the colours should still be the host's"
    )
