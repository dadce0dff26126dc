"""Checkers of lesson 03: δ from next door, the weights, the query, and where a bug hides."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from liif_core.coords import cell_size, coord_grid
from liif_core.evaluate import make_pair
from liif_core.exercises.outputs import Output, outputs
from liif_core.liif import LIIF, Answers, Latents, LIIFConfig
from liif_core.samples import sample_photo
from liif_core.weights import load_model


def seen_from(answer: Callable[[Tensor, int], Tensor]) -> None:
    """Check `seen_from(delta, steps)`: δ of the same places, from a code further to the right."""
    delta = torch.tensor([-1.0, -0.6, 0.0, 0.25, 0.5, 0.9, 1.0])
    for steps in (1, -1, 0, 3):
        found = outputs(answer(delta.clone(), steps), Output("δ", Tensor, (7,))).float()
        place = f"a place in the middle of its cell (δ = 0), seen {steps:+d} cells further right"
        assert steps == 0 or not torch.allclose(found, delta + 2 * steps, atol=1e-5), (
            f"{place}: the wrong way round. The further right a code stands, the further *left* of"
            " it the place lies"
        )
        assert steps == 0 or not torch.allclose(found, delta - steps, atol=1e-5), (
            f"{place}: you say {float(found[2]):g}. In the units of δ one cell reaches from -1 to"
            " 1: how far apart are two centres?"
        )
        assert torch.allclose(found, delta - 2 * steps, atol=1e-5), (
            f"{place}, has δ = {-2 * steps}; you say {float(found[2]):g}"
        )


def weights(answer: Callable[[Tensor], Tensor]) -> None:
    """Check `weights(delta)`: (Q, 4, 2) -> (Q, 4), the four codes in the lesson's order."""
    down, right = torch.rand(2, 50, generator=torch.Generator().manual_seed(0)) * 2
    # Seen from the codes above, the query stands lower by `down`; from those below, higher.
    delta = torch.stack(
        [
            torch.stack([down, right], -1),
            torch.stack([down, right - 2], -1),
            torch.stack([down - 2, right], -1),
            torch.stack([down - 2, right - 2], -1),
        ],
        dim=1,
    )
    result = outputs(answer(delta.clone()), Output("one weight per code", Tensor, (50, 4)))
    assert bool((result >= 0).all()), (
        "an area is never negative: take the absolute value of δ first"
    )
    total = result.sum(dim=1)
    assert torch.allclose(total, torch.ones(50), atol=1e-4), (
        f"the four shares must add up to 1; yours add up to {float(total[0]):.2f}."
        " Divide each area by the sum of the four"
    )
    own = delta.abs().prod(dim=-1)
    assert not torch.allclose(result, own / own.sum(1, keepdim=True), atol=1e-4), (
        "each code got the rectangle between the query and itself, so the nearest code counts"
        " least. Give it the one at the diagonally opposite code"
    )
    want = own.flip(1) / own.sum(1, keepdim=True)
    assert torch.allclose(result, want, atol=1e-4), (
        "not the opposite rectangles yet. The order is above left, above right, below left, below"
        " right: the opposite of number k is number 3 - k, so .flip(1) swaps them all"
    )


def query(answer: Callable[[LIIF, Latents, Tensor, Tensor], Tensor]) -> None:
    """Check `query(model, latents, coord, cell)` against `LIIF.query` on small random models."""
    for local_colour in (True, False):
        model, latents, coord, cell = _small_model(local_colour)
        want = model.query(latents, coord, cell)
        colours = Output("the colours", Tensor, tuple(want.shape))
        result = outputs(answer(model, latents, coord, cell), colours)
        if not torch.allclose(result, want, atol=1e-5):
            raise AssertionError(_diagnose(model, latents, coord, cell, result))


def where_the_bug_hides(hides: tuple[int, int], shows: tuple[int, int]) -> None:
    """Check two places of 8 × 8 pixels of the lesson's photo, by what blending first changes."""
    photo = make_pair(sample_photo("palace", longest=400), 4)[1]
    model = load_model("liif-edsr-small", device="cpu")
    assert isinstance(model, LIIF)
    latents = model.encode(torch.from_numpy(photo / np.float32(255)).permute(2, 0, 1)[None])
    height, width = photo.shape[:2]
    for name, place in (("hides", hides), ("shows", shows)):
        row, col = outputs(place, Output(f"{name}: the row", int), Output("the column", int))
        assert 0 <= row <= height - 8 and 0 <= col <= width - 8, (  # noqa: PT018
            f"{name} = ({row}, {col}): 8 × 8 pixels from there do not lie inside the photo of"
            f" {height} rows and {width} columns"
        )
    quiet, loud = (_change_of_blending_first(model, latents, *place) for place in (hides, shows))
    assert quiet < 1, (
        f"where it should hide it changes {quiet:.1f} of 255, and less than 1 is wanted. Look for a"
        " place where the four codes around a query are alike"
    )
    assert loud > 6, (
        f"where it should show it changes {loud:.1f} of 255, and more than 6 is wanted. Look for a"
        " place where neighbouring codes differ, and δ has to tell them apart"
    )


def _change_of_blending_first(model: LIIF, latents: Latents, row: int, col: int) -> float:
    """Return the mean change on 8 × 8 pixels, asked at 4 × 4 places each, of 255."""
    height, width = latents.codes.shape[-2:]
    fine = coord_grid(4 * height, 4 * width)[4 * row : 4 * row + 32, 4 * col : 4 * col + 32]
    coord = fine.reshape(1, -1, 2)
    cell = cell_size(4 * height, 4 * width)
    answers = model.answers(latents, coord, cell.expand_as(coord))
    codes = F.unfold(latents.codes, 3, padding=1).unflatten(2, (height, width))[0]
    rows, cols = answers.index[0].unbind(-1)
    share = answers.weight[0, ..., None]
    z = (codes[:, rows, cols].movedim(0, -1) * share).sum(1)
    where = (answers.delta[0] * share).sum(1)
    told = (cell * torch.tensor([height, width])).expand_as(where)
    once = model.imnet(torch.cat([z, where, told], dim=-1))
    base = (_pick_colours(latents, answers)[0] * share).sum(1)
    return 127.5 * float((base + once - (answers.rgb[0] * share).sum(1)).abs().mean())


def _small_model(local_colour: bool) -> tuple[LIIF, Latents, Tensor, Tensor]:
    """Return an untrained model, and queries all over a photo of odd size, its corners included."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        config = LIIFConfig(blocks=1, channels=4, hidden=(16, 16), local_colour=local_colour)
        model = LIIF(config).eval().requires_grad_(False)
        latents = model.encode(torch.rand(1, 3, 5, 7))
        corners = torch.tensor([[-1.0, -1], [-1, 1], [1, -1], [1, 1], [0, 0]])
        coord = torch.cat([corners, torch.rand(200, 2) * 2 - 1])[None]
        cell = torch.tensor([2 / 20, 2 / 21]).expand_as(coord)
    return model, latents, coord, cell


def _diagnose(model: LIIF, latents: Latents, coord: Tensor, cell: Tensor, result: Tensor) -> str:
    """Say which well-known slip gives this result, or at which queries it is wrong."""
    answers = model.answers(latents, coord, cell)
    own_colour = _pick_colours(latents, answers)
    bare = replace(answers, rgb=answers.rgb - own_colour)
    nearest = F.one_hot(answers.weight.argmax(-1), 4).to(answers.weight)
    slips = {
        "your colours are in [-1, 1], where the decoder works: the last step is * 0.5 + 0.5": (
            _blend(answers) * 2 - 1
        ),
        "the areas are not swapped: each code must get the rectangle at the opposite code": _blend(
            replace(answers, weight=answers.weight.flip(-1))
        ),
        "this is what the nearest code says alone: step half a cell to each corner, and ask four": (
            _blend(replace(answers, weight=nearest))
        ),
        "this is the plain mean of the four answers: weigh them by the areas": (
            answers.rgb.mean(2) * 0.5 + 0.5
        ),
        "δ is not multiplied by the grid's height and width (nor is it anywhere else)": _blend(
            _ask_again(model, latents, answers, cell, delta_scale=False)
        ),
        "the cell must be multiplied by the grid's height and width before f sees it": _blend(
            _ask_again(model, latents, answers, cell, cell_scale=False)
        ),
    }
    if model.config.local_colour:
        slips["this model uses local colour: add the code's own pixel to its answer"] = _blend(bare)
    else:
        slips["this model has no local colour: look at model.config.local_colour first"] = _blend(
            replace(answers, rgb=answers.rgb + own_colour)
        )
    for hint, slip in slips.items():
        if torch.allclose(result, slip, atol=1e-5):
            return hint
    wrong = (result - model.query(latents, coord, cell)).abs().amax(-1)[0] > 1e-5
    if not bool(wrong[5:].any()):
        return "right inside the photo, wrong at its corners: clamp each index to 0 … n - 1"
    where = coord[0, int(wrong.nonzero()[0])].tolist()
    return (
        f"{int(wrong.sum())} of {len(wrong)} colours differ from model.query, the first at coord"
        f" ({where[0]:.2f}, {where[1]:.2f}). Compare index, δ, weight and rgb there with"
        " model.answers"
    )


def _ask_again(
    model: LIIF,
    latents: Latents,
    answers: Answers,
    cell: Tensor,
    *,
    delta_scale: bool = True,
    cell_scale: bool = True,
) -> Answers:
    """Return the answers of a model that is told δ or the cell in the frame of the whole photo."""
    size = answers.delta.new_tensor(latents.codes.shape[-2:])
    codes = F.unfold(latents.codes, 3, padding=1).unflatten(2, latents.codes.shape[-2:])
    row, col = answers.index.unbind(-1)
    delta = answers.delta if delta_scale else answers.delta / size
    seen = (cell * size if cell_scale else cell)[:, :, None].expand_as(delta)
    rgb = model.imnet(torch.cat([codes[0][:, row, col].movedim(0, -1), delta, seen], dim=-1))
    if model.config.local_colour:
        rgb = rgb + _pick_colours(latents, answers)
    return replace(answers, rgb=rgb)


def _pick_colours(latents: Latents, answers: Answers) -> Tensor:
    row, col = answers.index.unbind(-1)
    return latents.colours[0][:, row, col].movedim(0, -1)


def _blend(answers: Answers) -> Tensor:
    return (answers.rgb * answers.weight[..., None]).sum(2) * 0.5 + 0.5
