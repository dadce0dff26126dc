"""The checkers of lesson 10, the power of zoom."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from liif_core.companions.framings import Framing, by_entropy, is_inside
from liif_core.exercises.outputs import Output, number, outputs
from liif_core.lesson_figures.lesson_10 import THINGS
from liif_core.samples import sample_photo

#: How sure a look must be in exercise 2.
SURE = 0.5


class Verdict(NamedTuple):
    """What a network says of one look: the name, how sure it is, and whether that is right."""

    says: str
    sure: float
    right: bool


def lucky(chance: float) -> None:
    """Check exercise 1: at least one of 27 random guesses among 10 classes is right."""
    chance = number(chance, "the chance")
    assert not math.isclose(chance, 2.7, abs_tol=0.01), (
        "a chance of more than 1? Chances of several tries do not add up"
    )
    assert not math.isclose(chance, 0.9**27, abs_tol=1e-3), (
        "this is the chance that *all* 27 guesses are wrong: what is the chance of the opposite?"
    )
    assert not math.isclose(chance, 0.1, abs_tol=1e-3), "this is the chance of a single guess"
    per_cent = math.isclose(chance, 100 * (1 - 0.9**27), abs_tol=0.5)
    assert per_cent or math.isclose(chance, 1 - 0.9**27, abs_tol=5e-3), (
        f"{chance:g} is not it: with what chance is one guess wrong? And all 27 of them?"
    )


def sure_and_wrong(
    name: str, framing: Framing, judge: Callable[[str, Framing], Verdict | tuple[str, float, bool]]
) -> None:
    """Check exercise 2: a look wholly inside a photo, at which the network is sure, and wrong.

    Args:
        name: of one of the six things, or of its photo.
        framing: a `Framing`, or (size, row, col).
        judge: asks the network: (thing, framing) -> what it says, how sure, whether that is right.
    """
    by_photo = {thing.photo: known for known, thing in THINGS.items()}
    thing = by_photo.get(name, name)
    assert thing in THINGS, f"no thing {name!r}; there are: {', '.join(THINGS)}"
    assert np.shape(framing) == (3,), "a framing is (size, row, col)"
    look = Framing(*(int(value) for value in framing))
    assert {look.row, look.col} <= {0, 1, 2}, f"row and col are 0, 1 or 2, not {look[1:]}"
    height, width = sample_photo(THINGS[thing].photo).shape[:2]
    assert is_inside(look, height, width), (
        f"this window of the {thing} leaves the photo, and shows grey filler: that would put any "
        "network off. `is_inside` tells which windows do not"
    )
    says, sure, right = judge(thing, look)
    told = f"the network says “{says}”, {100 * sure:.0f} % sure. "
    assert not right, told + "That is right; find a look at which it is wrong"
    assert sure >= SURE, told + f"That is wrong, but not sure: at least {100 * SURE:.0f} %"


def least_entropy(answer: Callable[[np.ndarray], int]) -> None:
    """Check exercise 3: `answer(probabilities)` is the class of the least uncertain framing."""
    sure = np.array([0.68, 0.32, 0.0, 0.0, 0.0])  # least entropy
    peaked = np.array([0.0, 0.12, 0.0, 0.7, 0.18])  # the highest peak, and more entropy
    flat = np.array([0.19, 0.22, 0.2, 0.2, 0.19])  # the most entropy
    table = np.stack([flat, peaked, sure])
    wanted = Output("the class", int)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = outputs(answer(table), wanted)
    assert by_entropy(table) == 0
    assert found != 3, (
        "the framing with the highest peak is not the one with the least entropy. Or are some of "
        "your entropies `nan`? A probability may be 0, and 0 · log 0 is `nan` for NumPy: add "
        "something tiny, such as 1e-12, or clip"
    )
    assert found != 2, (
        "2 is the number of the framing; return the class that this framing finds most probable"
    )
    assert found != 1, (
        "this is the framing with the *most* entropy: mind the minus sign, and argmin or argmax"
    )
    assert found == 0, (
        "of three framings the last has the least entropy, and its most probable class is 0, "
        f"not {found}"
    )
    random = np.random.default_rng(10).dirichlet(np.full(6, 0.5), (20, 7)) + 1e-9
    wrong = sum(outputs(answer(table), wanted) != by_entropy(table) for table in random)
    assert not wrong, f"{wrong} of 20 tables more come out wrong: least entropy, then its argmax"
