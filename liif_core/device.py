"""Where the arithmetic runs: CUDA, Apple's MPS, or the CPU."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from liif_core.errors import LiifError


def pick_device(name: str = "auto") -> torch.device:
    """Return the device called `name`.

    Args:
        name: "auto" (CUDA if there is one, then MPS, then CPU), or any name PyTorch knows.

    Raises:
        LiifError: PyTorch does not know the name, or this machine lacks the device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise LiifError(
            f"device '{name}' is not available here; use auto, cpu, cuda or mps"
        ) from error
    return device


def exact_convolutions(device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which float32 convolutions are computed in float32.

    On CUDA, PyTorch rounds their inputs to TF32's 10 bits of mantissa unless told otherwise.
    """
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


@contextmanager
def computing(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Compute without gradients, in float32 exactly or else with autocast, within this context."""
    reduced = dtype != torch.float32
    with (
        torch.inference_mode(),
        torch.autocast(device.type, dtype) if reduced else nullcontext(),
        exact_convolutions(device),
    ):
        yield
