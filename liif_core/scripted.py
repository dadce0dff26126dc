"""Many small operations in one go, without Python's lock in between.

Called from Python one after the other, operations of two workers take turns at Python's lock, and
each turn has to wake a thread. TorchScript's interpreter runs a whole function from end to end
without the lock: the same operations, one after the other, with the same results. TorchScript is
deprecated; nothing else does that without a compiler on the reader's machine. Where it is gone,
Python calls the operations as ever.
"""

import functools
import warnings
from collections.abc import Callable
from typing import TypeVar

import torch

R = TypeVar("R")


@functools.cache
def scripted(function: Callable[..., R]) -> Callable[..., R]:
    """Return a function as TorchScript runs it; itself where that cannot be made.

    Args:
        function: of tensors, and lists and named tuples of them, all of them passed by position,
            in the part of Python that TorchScript reads.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            script: Callable[..., R] = torch.jit.script(function)
    except Exception:
        # A later PyTorch or Python without it, or a program packed without its source: whatever is
        # raised then, the function is there.
        return function

    @functools.wraps(function)
    def run(*asked: object) -> R:
        # What the optimizer would find takes it longer than a frame, and gains nothing.
        with torch.jit.optimized_execution(False):
            return script(*asked)

    return run
