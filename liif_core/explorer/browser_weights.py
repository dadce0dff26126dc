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
from liif_core.heat import HeatField
from liif_core.liif import LIIF
from liif_core.models import Model, seed_of, title_of

PRECISIONS = {"float16": torch.float16, "float32": torch.float32}


#: Of a heat field: its frequencies, which float16 would shift by a visible part of a wave; decay.
EXACT = ("omega", "log_kappa")


def runs_in_browser(model: Model) -> bool:
    """Whether the engine in the browser can run a model."""
    if type(model.encoder) is not EDSR:
        return False
    return isinstance(model, HeatField) or bool(model.config.hidden)


def browser_weights(model: Model, precision: str = "float16") -> bytes:
    """Return a model as the engine in the browser reads it: the bytes of a safetensors file.

    Args:
        model: see `runs_in_browser`.
        precision: "float16" halves the file, and changes a colour by at most 2 of 255; "float32"
            loses nothing.

    Raises:
        LiifError: another precision, a model that the engine cannot run, or numbers too large for
            float16.
    """
    if precision not in PRECISIONS:
        raise LiifError(f"no precision {precision!r}; choose one of {', '.join(PRECISIONS)}")
    if not runs_in_browser(model):
        raise LiifError(
            "the engine in the browser runs models with an EDSR encoder, and of LIIFs those "
            f"whose decoder has a hidden layer; this {title_of(model)} has others"
        )
    tensors = {
        name: value.detach().cpu().to(torch.float32 if name in EXACT else PRECISIONS[precision])
        for name, value in model.state_dict().items()
    }
    if not all(bool(torch.isfinite(value).all()) for value in tensors.values()):
        raise LiifError(f"this model's numbers are not finite in {precision}; use float32")
    if isinstance(model, LIIF):  # what is counted in its decoder's names is linear layers' places
        assert all(isinstance(layer, (nn.Linear, nn.ReLU)) for layer in model.imnet.layers)
    seed = seed_of(model)
    told = model.config.to_dict() if seed is None else {**model.config.to_dict(), "seed": seed}
    contiguous = {name: value.contiguous() for name, value in tensors.items()}
    return save(contiguous, {"config": json.dumps(told)})  # one text: of several, none is first


def mark_of(model: Model) -> str:
    """Return by what a page knows the weights of a model: 16 letters, other ones for others."""
    return hashlib.sha256(browser_weights(model)).hexdigest()[:16]
