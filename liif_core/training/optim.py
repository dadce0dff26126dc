"""The optimiser and the learning rate over time."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from liif_core import workers
from liif_core.models import Model

#: How many times as fast as its model an adversary learns (Heusel et al. 2017, arXiv 1706.08500).
PACE = 5.0

#: Matrices that one worker orthogonalises together on a CPU.
STACK = 4


class Muon(torch.optim.Optimizer):
    """Momentum whose update matrix is orthogonalised (Keller Jordan 2024, "Muon").

    Convolution kernels count as matrices of shape (out, in·height·width). PyTorch's own
    `torch.optim.Muon` takes 2-D parameters only and orthogonalises one after another in bfloat16,
    which CPUs without bfloat16 emulate: measured on 33 matrices of 64×576, 0.44 s a step against
    0.04 s for the batched float32 form below, of a training step of about 1.2 s.

    Args:
        params: parameters of two or more dimensions.
        lr: learning rate; an update's root mean square is about 0.2·lr, as Adam's.
        momentum: decay of the momentum, which is looked ahead as by Nesterov.
    """

    def __init__(
        self, params: Iterable[nn.Parameter], lr: float = 1e-3, momentum: float = 0.95
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        assert closure is None, "Muon evaluates no closure"
        for group in self.param_groups:
            alike: dict[Any, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.device.type, parameter.flatten(1).shape].append(parameter)
            for (device, _), same in alike.items():
                if device == "cpu":
                    few = [same[i : i + STACK] for i in range(0, len(same), STACK)]
                    workers.run(partial(self._update, group), few)
                else:
                    self._update(group, same)

    @torch.no_grad()
    def _update(self, group: dict[str, Any], same: list[Tensor]) -> None:
        """Update parameters that make matrices of one shape."""
        matrices = [ahead.flatten(1) for ahead in self._look_ahead(same, group["momentum"])]
        size = group["lr"] * 0.2 * math.sqrt(max(matrices[0].shape))
        updates = (orthogonalise(torch.stack(matrices)) * size).unbind()
        steps = [u.view_as(p) for u, p in zip(updates, same, strict=True)]
        torch._foreach_sub_(same, steps)

    def _look_ahead(self, parameters: list[Tensor], momentum: float) -> list[Tensor]:
        """Move the momenta; return what the gradients look like one step ahead."""
        gradients, momenta = [], []
        for parameter in parameters:
            state = self.state[parameter]
            if "momentum" not in state:
                empty = torch.zeros_like(parameter, memory_format=torch.contiguous_format)
                state["momentum"] = empty
            assert parameter.grad is not None
            gradients.append(parameter.grad.contiguous())
            momenta.append(state["momentum"])
        torch._foreach_lerp_(momenta, gradients, 1 - momentum)
        return list(torch._foreach_lerp(gradients, momenta, momentum))


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """Push all singular values towards 1 by Newton–Schulz iterations.

    Args:
        matrices: (N, rows, columns).

    Returns:
        the same shape; singular values between about 0.7 and 1.2.
    """
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.mT if tall else x


def make_optimizers(
    model: Model, name: str, rate: float, *, capturable: bool = False
) -> list[torch.optim.Optimizer]:
    """Return the optimisers of a recipe: Muon for the matrices and Adam for the biases, or AdamW.

    Args:
        model: the model to train.
        name: "muon" or "adamw".
        rate: peak learning rate.
        capturable: steps are to be recorded as a CUDA graph.
    """
    adam: dict[str, Any] = {"lr": rate, "capturable": capturable}
    # A heat field's frequencies are a list of vectors: no layer multiplies by them.
    learning = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    layers = {name for name, p in learning if p.ndim >= 2 and name != "omega"}
    matrices = [p for name, p in learning if name in layers]
    vectors = [p for name, p in learning if name not in layers]
    if name == "adamw":
        return [torch.optim.AdamW([*matrices, *vectors], weight_decay=1e-4, **adam)]
    if name == "muon":
        return [Muon(matrices, lr=rate), torch.optim.Adam(vectors, **adam)]
    raise ValueError(f"optimizer must be 'muon' or 'adamw', got {name!r}")


def adversary_optimizer(adversary: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Return Adam with the short memory that adversaries, whose aim moves, are trained with.

    It learns `PACE` times as fast as the model, or the model would run away from it.
    """
    groups = [{"params": list(adversary.parameters()), "pace": PACE}]
    return torch.optim.Adam(groups, lr=rate * PACE, betas=(0.5, 0.99))


def rate_factor(step: int, *, steps: int, warmup: int, decay: int) -> float:
    """Return the learning rate at `step` as a share of the peak: warm up, hold, decay.

    It rises linearly over the first `warmup` steps and falls as half a cosine to zero over the
    last `decay` of `steps`; with decay = steps - warmup it is the plain cosine schedule.
    """
    if step < warmup:
        return (step + 1) / warmup
    left = steps - step
    if left >= decay:
        return 1.0
    return 0.5 * (1 - math.cos(math.pi * max(left, 0) / decay))
