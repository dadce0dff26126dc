"""Switching parts of a trained LIIF off, to see on the same photo what each of them does.

The paper's table 3 trains a new model for each ablation. Here the trained weights stay and a part
is only left out when they are asked: quick, and enough to look at, but a model trained without the
part would have learned to make up for it. The encoder, and so every latent code, is shared.
"""

from dataclasses import replace

import torch
from torch import nn

from liif_core.errors import LiifError
from liif_core.liif import LIIF


def ablated(
    model: LIIF,
    *,
    local_ensemble: bool = True,
    feature_unfolding: bool = True,
    cell_decoding: bool = True,
) -> LIIF:
    """Return the model with the parts switched off that are given as False.

    Args:
        model: left as it is. What it was trained without stays off.
        local_ensemble: False asks the nearest latent code alone.
        feature_unfolding: False gives the decoder each code with zeros for its eight neighbours.
        cell_decoding: False tells the decoder of a pixel without any size (a cell of 0).

    Returns:
        a LIIF that shares the encoder and all but the first layer's tensors with `model`; `model`
        itself if nothing is switched off.
    """
    config = replace(
        model.config,
        local_ensemble=model.config.local_ensemble and local_ensemble,
        feature_unfolding=model.config.feature_unfolding and feature_unfolding,
        cell_decoding=model.config.cell_decoding and cell_decoding,
    )
    if config == model.config:
        return model
    with torch.device("meta"):  # every tensor is replaced
        variant = LIIF(config)
    variant.encoder = model.encoder
    state = dict(model.imnet.state_dict())
    state["layers.0.weight"] = _kept_inputs(model, config.feature_unfolding, config.cell_decoding)
    variant.imnet.load_state_dict(state, assign=True)
    return variant.train(model.training).requires_grad_(False)


def _kept_inputs(model: LIIF, unfolding: bool, cell: bool) -> torch.Tensor:
    """Return the first layer's weight for the inputs that are left: (hidden, inputs)."""
    first = model.imnet.layers[0]
    if not isinstance(first, nn.Linear):
        raise LiifError("the decoder does not begin with a linear layer")
    weight = first.weight.detach()
    side = 3 if model.config.feature_unfolding else 1
    features = model.config.channels * side * side
    codes, delta = weight[:, :features], weight[:, features : features + 2]
    if side == 3 and not unfolding:  # F.unfold puts a channel's nine neighbours side by side
        codes = codes[:, 4::9]
    parts = [codes, delta, weight[:, features + 2 :]] if cell else [codes, delta]
    return torch.cat(parts, dim=1).contiguous()
