"""What codes answer in bfloat16 on a CPU: products are so soon done there that the rest counts.

Beside products, PyTorch computes in bfloat16 more slowly than in float32, and each call takes its
time. So the first layer is summed in float32 and rounded once, a hidden layer is one operation with
its bias and its ReLU, and all latent columns are asked together.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from liif_core.device import processor_computes_in


class Scratch(NamedTuple):
    """Memory for what the first layer says to a block, which is too large to be had for nothing.

    Attributes:
        sums: (most answers, hidden) float32.
        numbers: (most answers, hidden) bfloat16.
        bits: the same memory as int16.
    """

    sums: Tensor
    numbers: Tensor
    bits: Tensor


class Scratches:
    """As many of them as there are workers.

    Args:
        answers: most of a block.
        hidden: units of the first layer.
    """

    def __init__(self, answers: int, hidden: int) -> None:
        self.size = (answers, hidden)
        self._free: list[Scratch] = []

    @contextmanager
    def one(self) -> Iterator[Scratch]:
        """Lend one that is free, or a new one."""
        try:
            scratch = self._free.pop()
        except IndexError:
            with torch.inference_mode(False):  # or nobody could write to it outside that mode
                numbers = torch.empty(self.size, dtype=torch.bfloat16)
                scratch = Scratch(torch.empty(self.size), numbers, numbers.view(torch.int16))
        yield scratch
        self._free.append(scratch)


#: Those that were asked for last are kept: of fresh memory the system clears each page.
scratches = functools.lru_cache(maxsize=1)(Scratches)


def _plain(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute a hidden layer, (n, in) -> (n, out), ReLU included."""
    return F.linear(x, weight, bias).relu_()


def _fused(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute the same in one operation: the one that `torch.compile` writes for it."""
    found: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "relu", [], "")
    return found


def _has_fused() -> bool:
    """Whether this PyTorch and this processor have that operation, and it does the same."""
    if not processor_computes_in("bfloat16"):
        return False
    x = torch.linspace(-1, 1, 32 * 16).view(32, 16).bfloat16()
    try:
        apart = (_fused(x, x[:16], x[0]) - _plain(x, x[:16], x[0])).abs().max()
    except Exception:  # it is private to PyTorch: another release may raise whatever it likes
        return False
    return bool(apart <= 0.05)


hidden_layer = _fused if _has_fused() else _plain


def rectified(near: Tensor, least: Tensor, runs: list[int], scratch: Scratch) -> Tensor:
    """Return the first layer behind its ReLU: (h · w, hidden) bfloat16, in `scratch`.

    ReLU is the maximum of 0 and the bits as integers: a number below zero has the sign bit of an
    integer below zero. It takes a sixth of the time. (A NaN may become 0: who asks makes sure that
    there is none.)

    Args:
        near, least: as for `folded_block.answers`; `near` may have a row for each run, instead.
        runs: how many rows ask the same codes, in turn.
    """
    height, width = least.shape[0], near.shape[1]
    used = height * width
    sums = scratch.sums[:used].view(height, width, near.shape[2])
    if near.shape[0] == 1 or near.shape[0] == height:
        torch.sub(near, least[:, None], out=sums)
    else:
        top = 0
        for run, rows in enumerate(runs):
            end = top + rows
            torch.sub(near[run], least[top:end, None], out=sums[top:end])
            top = end
    scratch.numbers[:used].copy_(sums.flatten(0, 1))
    scratch.bits[:used].clamp_min_(0)
    return scratch.numbers[:used]
