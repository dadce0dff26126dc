"""One optimiser step: rate, gradients, clipping, weights, and their moving average.

On one CUDA device a step is recorded once as a graph and then replayed: launching its thousand
small kernels one by one takes Python longer than the device needs to run them. Before that,
`torch.compile` joins the model's kernels; PyTorch's own TORCH_COMPILE_DISABLE=1 turns it off.

On a CPU the batch is cut into parts of a fixed size, which the workers take one by one, each on
one thread. Split over threads instead, each of the thousand small operations would wait for its
slowest thread, on a busy machine many times as long as it computes. The parts' gradients are added
in order, so that the sum does not depend on how many workers there are.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from liif_core import workers
from liif_core.device import has_bfloat16
from liif_core.training.adversary import Adversary
from liif_core.training.optim import rate_factor
from liif_core.training.pairs import Batch
from liif_core.training.recipe import Recipe

#: Steps before a graph is recorded: the optimisers make their state, cuDNN picks its kernels.
EAGER_STEPS = 4

#: Patches in a part of a batch on the CPU.
PART = 2


class Update:
    """Takes the optimiser steps of a run.

    Args:
        loss: computes the loss of a batch, the mean over its patches; holds the trained model.
        model: the trained model.
        average: its moving average, updated in place.
        adversary: what is trained along with the model, and against it, by the same loss.
        optimizers: of the model's parameters.
        recipe: rates, clipping, averaging, precision.
        world: how many processes take each step together, each with its share of the batch.
        record: replay the steps as a CUDA graph; see `can_record`.
    """

    def __init__(
        self,
        loss: nn.Module,
        model: nn.Module,
        average: nn.Module,
        optimizers: list[torch.optim.Optimizer],
        recipe: Recipe,
        *,
        adversary: Adversary | None = None,
        world: int = 1,
        record: bool = False,
    ) -> None:
        self.world, self.adversary = world, adversary
        self.loss: Any = torch.compile(loss, dynamic=False) if record and can_compile() else loss
        self.optimizers, self.recipe, self.record = optimizers, recipe, record
        both = zip(model.parameters(), average.parameters(), strict=True)
        learning = [(mine, mean) for mine, mean in both if mine.requires_grad]
        self.weights: list[Tensor] = [mine for mine, _ in learning]
        self.averages: list[Tensor] = [mean for _, mean in learning]
        theirs: list[Tensor] = list(adversary.parameters()) if adversary else []
        self.trained = self.weights + theirs
        self.limited = [group for group in (self.weights, theirs) if group]  # each has its own norm
        self.device = self.weights[0].device
        # A recorded step reads what changes from step to step from these, on the device.
        self._rate = torch.zeros((), device=self.device)
        self._follow = torch.zeros((), device=self.device)
        self._taken = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._input: Batch | None = None
        self._found: Tensor | None = None

    def __call__(self, batch: Batch, step: int) -> Tensor:
        """Take step number `step`; return the loss before it, a scalar on the device."""
        recipe = self.recipe
        factor = rate_factor(step, steps=recipe.steps, warmup=recipe.warmup, decay=recipe.decay)
        # Early on the average follows quickly, so that it forgets the random start.
        follow = 1 - min(recipe.ema, (step + 1) / (step + 10))
        if not self.record:
            return self._step(batch, recipe.rate * factor, follow)
        self._rate.fill_(recipe.rate * factor)
        self._follow.fill_(follow)
        return self._replay(batch)

    def _step(self, batch: Batch, rate: float | Tensor, follow: float | Tensor) -> Tensor:
        if self.adversary:
            self._on_one_thread(self.adversary.renew)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * group["pace"] if "pace" in group else rate
        loss = self._by_parts(batch) if self.device.type == "cpu" else self._whole(batch)
        if self.world > 1:
            self._share_gradients()
        self._on_one_thread(self._clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self._on_one_thread(lambda: self._move_average(follow))
        return loss

    def _whole(self, batch: Batch) -> Tensor:
        """Leave each weight's gradient with it; return the loss."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        with autocast(self.device, self.recipe.precision):
            loss = self.loss(batch)
        loss.backward()
        return loss.detach()

    def _by_parts(self, batch: Batch) -> Tensor:
        """Do the same part by part, on the workers."""
        size = len(batch.photo)
        cut = [tensor.split(PART) for tensor in batch]
        parts = [Batch(*part) for part in zip(*cut, strict=True)]
        loss = torch.zeros(())
        total = [torch.zeros_like(weight) for weight in self.trained]
        for part, (value, gradients) in zip(parts, workers.run(self._part, parts), strict=True):
            share = len(part.photo) / size
            loss += share * value
            torch._foreach_add_(total, gradients, alpha=share)
        for weight, gradient in zip(self.trained, total, strict=True):
            weight.grad = gradient
        return loss

    def _part(self, part: Batch) -> tuple[Tensor, list[Tensor]]:
        with autocast(self.device, self.recipe.precision):
            loss = self.loss(part)
        return loss.detach(), list(torch.autograd.grad(loss, self.trained))

    def _share_gradients(self) -> None:
        """Replace each gradient by its mean over the processes."""
        flat = torch.cat([_gradient(weight).flatten() for weight in self.trained])
        dist.all_reduce(flat)
        flat /= self.world
        sizes = [weight.numel() for weight in self.trained]
        for weight, gradient in zip(self.trained, flat.split(sizes), strict=True):
            weight.grad = gradient.view_as(weight).contiguous()

    def _clip(self) -> None:
        for group in self.limited:
            nn.utils.clip_grad_norm_(group, self.recipe.clip)

    @torch.no_grad()
    def _move_average(self, follow: float | Tensor) -> None:
        ahead = list(torch._foreach_sub(self.weights, self.averages))
        torch._foreach_mul_(ahead, follow)
        torch._foreach_add_(self.averages, ahead)

    def _on_one_thread(self, work: Callable[[], None]) -> None:
        """Do small operations, on a CPU without splitting each of them over threads."""
        if self.device.type == "cpu":
            workers.run(lambda _: work(), [None])
        else:
            work()

    def _replay(self, batch: Batch) -> Tensor:
        if self._input is None:
            self._input = Batch(*(torch.empty_like(part, device=self.device) for part in batch))
        for mine, part in zip(self._input, batch, strict=True):
            mine.copy_(part, non_blocking=True)
        self._taken += 1
        if self._taken <= EAGER_STEPS:
            return self._aside(self._input)
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            # Other threads may use CUDA meanwhile: the next batch is copied to pinned memory.
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"), _fastest():
                self._found = self._step(self._input, self._rate, self._follow)
        self._graph.replay()
        assert self._found is not None
        return self._found.clone()

    def _aside(self, batch: Batch) -> Tensor:
        """Take a step on a stream of its own, as recording asks of the steps before it."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream), _fastest():
            loss = self._step(batch, self._rate, self._follow)
        torch.cuda.current_stream().wait_stream(stream)
        return loss


def _gradient(weight: Tensor) -> Tensor:
    assert weight.grad is not None
    return weight.grad


def _fastest() -> AbstractContextManager[Any]:
    """Let cuDNN time its kernels and keep the fastest: every step has the same shapes."""
    return torch.backends.cudnn.flags(enabled=True, benchmark=True)


def can_record(device: torch.device, world: int) -> bool:
    """Whether steps can be replayed as a graph: on CUDA, by a single process."""
    return device.type == "cuda" and world == 1


def can_compile() -> bool:
    """Whether PyTorch can fuse a step's small kernels: with Triton and a compiler for C."""
    compilers = (os.environ.get("CC"), "cc", "gcc", "clang")
    return bool(find_spec("triton")) and any(name and shutil.which(name) for name in compilers)


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """bfloat16 where it is asked for and the hardware has it; plain float32 elsewhere."""
    if precision == "bfloat16" and has_bfloat16(device):
        # Its cache of converted weights is one for all threads, and each weight is used once.
        return torch.autocast(device.type, torch.bfloat16, cache_enabled=device.type != "cpu")
    return nullcontext()
