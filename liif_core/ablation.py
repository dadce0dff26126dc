"""Switching parts of a trained model off, to see on the same photo what each of them does.

The paper's table 3 trains a new model for each ablation. Here the trained weights stay and a part
is only left out when they are asked: quick, and enough to look at, but a model trained without the
part would have learned to make up for it. The encoder, and so every latent code, is shared.
"""

from dataclasses import replace

import torch
from torch import Tensor

from liif_core.models import Config, Model, build, seed_of, set_seed

#: The weight of LIIF's first layer, whose inputs the parts are.
FIRST = "imnet.layers.0.weight"


def ablated(
    model: Model,
    *,
    local_ensemble: bool = True,
    feature_unfolding: bool = True,
    cell_decoding: bool = True,
) -> Model:
    """Return the model with the parts switched off that are given as False.

    Args:
        model: left as it is. What it was trained without stays off.
        local_ensemble: False asks the nearest latent code alone.
        feature_unfolding: False gives the decoder each code with zeros for its eight neighbours.
        cell_decoding: False tells the decoder of a pixel without any size (a cell of 0).

    Returns:
        a model that shares the encoder and all tensors that do not change with `model`; `model`
        itself if nothing is switched off.
    """
    kept = {
        "local_ensemble": local_ensemble,
        "feature_unfolding": feature_unfolding,
        "cell_decoding": cell_decoding,
    }
    off = {part: False for part in kept if getattr(model.config, part) and not kept[part]}
    if not off:
        return model
    config: Config = replace(model.config, **off)  # type: ignore[arg-type]
    with torch.device("meta"):  # every tensor is replaced
        variant = build(config)
    variant.encoder = model.encoder
    set_seed(variant, seed_of(model))
    state = {
        name: value for name, value in model.state_dict().items() if not name.startswith("encoder.")
    }
    if FIRST in state:  # a heat field's decoder has the same tensors without its parts
        state[FIRST] = _kept_inputs(state[FIRST], model.config, config)
    variant.load_state_dict(state, strict=False, assign=True)
    return variant.train(model.training).requires_grad_(False)


def _kept_inputs(weight: Tensor, whole: Config, config: Config) -> Tensor:
    """Return the first layer's weight for the inputs that are left: (hidden, inputs)."""
    side = 3 if whole.feature_unfolding else 1
    features = whole.channels * side * side
    noise = weight.shape[1] - getattr(whole, "noise", 0)
    codes, delta = weight[:, :features], weight[:, features : features + 2]
    if side == 3 and not config.feature_unfolding:
        codes = codes[:, 4::9]  # F.unfold puts a channel's nine neighbours side by side
    parts = [codes, delta]
    if config.cell_decoding:
        parts.append(weight[:, features + 2 : noise])
    parts.append(weight[:, noise:])
    return torch.cat(parts, dim=1).contiguous()
