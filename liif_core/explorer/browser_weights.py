"""Weights for the engine in the browser: as small as they may be without showing on screen.

`widgets/static/engine/weights.js` reads what is written here.
"""

import hashlib
import json

import torch
from safetensors.torch import save
from torch import nn

from liif_core.edsr import EDSR
from liif_core.errors import LiifError
from liif_core.liif import LIIF

PRECISIONS = {"float16": torch.float16, "float32": torch.float32}


def browser_weights(model: LIIF, precision: str = "float16") -> bytes:
    """Return a model as the engine in the browser reads it: the bytes of a safetensors file.

    Args:
        model: a LIIF with an EDSR encoder and at least one hidden layer in its decoder.
        precision: "float16" halves the file, and changes a colour by at most 2 of 255; "float32"
            loses nothing.

    Raises:
        LiifError: another precision, a model that the engine cannot run, or numbers too large for
            float16.
    """
    if precision not in PRECISIONS:
        raise LiifError(f"no precision {precision!r}; choose one of {', '.join(PRECISIONS)}")
    if type(model.encoder) is not EDSR or not model.config.hidden:
        raise LiifError(
            "the engine in the browser runs an EDSR encoder and a decoder with a hidden layer; "
            "this model has another one"
        )
    tensors = {
        name: value.detach().cpu().to(PRECISIONS[precision]).contiguous()
        for name, value in model.state_dict().items()
    }
    if not all(bool(torch.isfinite(value).all()) for value in tensors.values()):
        raise LiifError(f"this model's numbers are not finite in {precision}; use float32")
    # What is counted in the decoder's names is its linear layers' places.
    assert all(isinstance(layer, (nn.Linear, nn.ReLU)) for layer in model.imnet.layers)
    return save(tensors, {"config": json.dumps(model.config.to_dict())})


def mark_of(model: LIIF) -> str:
    """Return by what a page knows the weights of a model: 16 letters, other ones for others."""
    return hashlib.sha256(browser_weights(model)).hexdigest()[:16]
