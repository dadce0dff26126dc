"""The checkers of lesson 08, sharper features."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from liif_core.companions.features import position_bias


def tiles_for(f: int) -> None:
    """Check exercise 1: f × f tiles of 224 pixels at stride 16 make a 70 × 70 map."""
    assert f != 25, "25 is how often the encoder runs; f is the number of tiles along one side"
    assert f != 70, "one tile is not one feature: how many features has a tile along one side?"
    assert 14 * f == 70, (
        f"each tile gives 224 / 16 features along a side, so {f} tiles give {14 * f}, not 70"
    )


def bilateral_weight(answer: Callable[[float, float], float]) -> None:
    """Check exercise 2: `answer(distance, difference)` weighs a neighbour, σ = 1.0 and 0.2."""
    for distance, difference in ((0.0, 0.0), (1.0, 0.0), (0.0, 0.2), (2.0, 0.1), (1.0, 0.5)):
        near = math.exp(-0.5 * distance**2)
        alike = math.exp(-0.5 * (difference / 0.2) ** 2)
        found = answer(distance, difference)
        assert found is not None, "your function returns nothing: is there a `return`?"
        found = float(found)
        if distance and difference:
            assert not math.isclose(found, near + alike, rel_tol=1e-4), (
                "a neighbour must be near *and* alike: multiply the two, do not add them"
            )
        if difference:
            assert not math.isclose(found, near, rel_tol=1e-4), (
                "the colour does not count yet: your weight is that of a plain blur"
            )
        assert not math.isclose(found, 1 / (near * alike), rel_tol=1e-4) or near * alike == 1, (
            "the weight grows with the distance: is there a minus in the exponent?"
        )
        assert math.isclose(found, near * alike, rel_tol=1e-4), (
            f"at distance {distance:g} and colour difference {difference:g} the weight should be "
            f"{near * alike:.4f}, not {found:.4f}: exp(−½ (distance / 1.0)²) · "
            "exp(−½ (difference / 0.2)²)"
        )


def my_bias(answer: Callable[[Tensor], Tensor]) -> None:
    """Check exercise 3: `answer(maps)` is the position bias, (B, C, h, w) -> (C, h, w)."""
    maps = torch.randn(6, 3, 4, 5, generator=torch.Generator().manual_seed(8)) + 2
    expected, found = position_bias(maps), answer(maps)
    assert found is not None, "your function returns nothing: is there a `return`?"
    assert tuple(found.shape) == (3, 4, 5), (
        f"the shape is {tuple(found.shape)}; one value per channel and position is (3, 4, 5): "
        "average over the pictures, dimension 0"
    )
    assert not torch.allclose(found, maps.mean(0), atol=1e-5), (
        "this still holds what the channel is everywhere, here about 2: take its mean over the "
        "positions away, or subtracting the bias would wipe it out"
    )
    assert not torch.allclose(found, -expected, atol=1e-5), "the sign is wrong"
    overall = maps.mean(0) - maps.mean()
    assert not torch.allclose(found, overall, atol=1e-5), (
        "one mean for all channels will not do: each channel has its own"
    )
    assert torch.allclose(found, expected, atol=1e-5), (
        "not yet: the mean over the pictures, less its own mean over rows and columns"
    )
