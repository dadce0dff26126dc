"""Where the arithmetic runs: CUDA, Apple's MPS, or the CPU."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

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


#: What a processor must have to compute in a reduced precision, by the names that PyTorch gives it.
#: Of Arm's processors, and Apple's, it is not known how much they gain: they count as without.
ABILITIES = {
    "bfloat16": ("avx512_bf16", "amx_bf16"),
    "float16": ("avx512_fp16", "amx_fp16"),
}


def processor_computes_in(precision: str) -> bool:
    """Whether this machine's processor has "bfloat16" or "float16": PyTorch imitates what is
    missing, several times slower than float32."""
    # Some PyTorch versions lack this query: then float32 it is.
    able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(able.get(name) for name in ABILITIES[precision])


def has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is computed by the hardware: emulated, it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and processor_computes_in("bfloat16")


def check_precision(device: torch.device, precision: str) -> None:
    """Refuse a precision that a CPU would only imitate.

    Raises:
        LiifError: so it would.
    """
    if device.type == "cpu" and precision in ABILITIES and not processor_computes_in(precision):
        raise LiifError(
            f"this processor does not compute in {precision}, and imitating it would take several "
            "times as long; use --precision float32"
        )


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
