"""What a reader's function returned, against what it should: kind, shape, number and order."""

import itertools
import numbers
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

NOTHING = "your function returns nothing: is there a `return`?"


class Output(NamedTuple):
    """One thing that an exercise asks for.

    Args:
        name: what the exercise calls it.
        kind: float, int (a whole number), Tensor or np.ndarray.
        shape: of a tensor or an array.
    """

    name: str
    kind: type
    shape: tuple[int, ...] = ()


def outputs(found: Any, *wanted: Output) -> Any:
    """Return what a function returned, ready to compare; as a tuple where several are wanted.

    Numbers come back as `float` or `int`, tensors of floats as float32, arrays as they are.

    Args:
        found: what the reader's function returned.
        wanted: what it should return, in order.

    Raises:
        AssertionError: nothing, another number of things, another order, kind or shape; in words
            that say what came and what was expected.
    """
    assert found is not None, NOTHING
    if len(wanted) == 1:
        return _read(found, wanted[0])
    names = ", ".join(output.name for output in wanted)
    parts = _parts(found)
    assert parts is not None, (
        f"{len(wanted)} things are wanted, ({names}); your function returns one: {described(found)}"
    )
    assert len(parts) == len(wanted), (
        f"{len(wanted)} things are wanted, ({names}); your function returns {len(parts)}"
    )
    # Of two numbers nobody can tell which was meant to be which.
    telling = any(output.kind in (Tensor, np.ndarray) for output in wanted)
    if telling and any(_fault(part, output) for part, output in zip(parts, wanted, strict=True)):
        for order in itertools.permutations(parts):
            assert any(_fault(part, output) for part, output in zip(order, wanted, strict=True)), (
                f"the right things in another order: it should be ({names})"
            )
    return tuple(_read(part, output) for part, output in zip(parts, wanted, strict=True))


def number(found: Any, name: str = "the answer") -> float:
    """Return a number as `float`, whatever it is kept in, or say what came instead."""
    return float(_read(found, Output(name, float)))


def described(found: Any) -> str:
    """Say in a few words what something is: "a NumPy array of the shape (3, 2)"."""
    if found is None:
        return "None"
    if isinstance(found, Tensor):
        return f"a tensor of the shape {tuple(found.shape)}"
    if isinstance(found, np.ndarray):
        return f"a NumPy array of the shape {found.shape}"
    if isinstance(found, str):
        return f"the text {found!r}"
    if isinstance(found, (tuple, list)):
        return f"a {type(found).__name__} of {len(found)}"
    if callable(found):
        return "a function"
    return f"{found!r} ({type(found).__name__})"


def _parts(found: Any) -> Sequence[Any] | None:
    if isinstance(found, (tuple, list)):
        return found
    if isinstance(found, (Tensor, np.ndarray)) and found.ndim == 1:
        return list(found)  # three numbers in a tensor are three numbers
    return None


def _read(found: Any, wanted: Output) -> Any:
    fault = _fault(found, wanted)
    assert not fault, fault
    if wanted.kind in (float, int):
        return wanted.kind(found.item() if isinstance(found, (Tensor, np.ndarray)) else found)
    if wanted.kind is Tensor and found.is_floating_point():
        return found.detach().to(torch.float32)
    return np.asarray(found) if wanted.kind is np.ndarray else found


def _fault(found: Any, wanted: Output) -> str:
    """Say what is wrong with one output; "" if it is of the right kind and shape."""
    if found is None:
        return f"{wanted.name} is None: nothing was put into it, or a function without `return`"
    if wanted.kind in (float, int):
        return _no_number(found, wanted)
    came = f"{wanted.name} is {described(found)}"
    if wanted.kind is Tensor and not isinstance(found, Tensor):
        turn = ": torch.from_numpy turns it into one" if isinstance(found, np.ndarray) else ""
        return f"{came}; a tensor of the shape {wanted.shape} is wanted{turn}"
    if wanted.kind is np.ndarray:
        if isinstance(found, Tensor):
            return f"{came}; a NumPy array is wanted: .numpy() turns it into one"
        try:
            found = np.asarray(found, float)
        except (TypeError, ValueError):
            return f"{came}; a NumPy array of the shape {wanted.shape} is wanted"
    if tuple(found.shape) != wanted.shape:
        return f"{wanted.name} should have the shape {wanted.shape}, yours has {tuple(found.shape)}"
    return ""


def _no_number(found: Any, wanted: Output) -> str:
    kind = "a whole number" if wanted.kind is int else "a number"
    if isinstance(found, str):
        return f"{wanted.name} is {described(found)}; {kind} is wanted: leave the quotes out"
    if isinstance(found, (Tensor, np.ndarray)) and np.prod(found.shape) == 1:
        found = found.item()
    if isinstance(found, bool) or not isinstance(found, numbers.Real):
        return f"{wanted.name} is {described(found)}; {kind} is wanted"
    if not np.isfinite(float(found)):
        return f"{wanted.name} is {float(found):g}: is something divided by zero?"
    if wanted.kind is int and not float(found).is_integer():
        return f"{wanted.name} is {float(found):.12g}; {kind} is wanted"
    return ""
