"""Growing a trained model: a deeper or wider encoder that computes the same function at first."""

import torch
from torch import nn

from liif_core.edsr import EDSR
from liif_core.errors import LiifError
from liif_core.liif import LIIF, LIIFConfig


@torch.no_grad()
def grow(small: LIIF, config: LIIFConfig) -> LIIF:
    """Return a model of a larger configuration that computes what `small` computes.

    Added residual blocks end in a zero convolution, so each starts as the identity. Added
    channels are computed from random weights, yet nothing that was there reads them: the weights
    from new channels to old ones are zero, and learn from the first step on.

    Args:
        small: the trained model.
        config: same decoder and switches, at least as many blocks and channels.

    Raises:
        LiifError: `config` differs in more than blocks and channels, or is smaller.
    """
    old = small.config
    same = LIIFConfig.from_dict(
        {**old.to_dict(), "blocks": config.blocks, "channels": config.channels}
    )
    if config != same or config.blocks < old.blocks or config.channels < old.channels:
        raise LiifError(
            "a model can only grow in blocks and channels: "
            f"{old.blocks}×{old.channels}, hidden {list(old.hidden)} does not fit into "
            f"{config.blocks}×{config.channels}, hidden {list(config.hidden)}"
        )
    large = LIIF(config)
    _copy_encoder(small.encoder, large.encoder)
    _copy_imnet(small, large)
    return large


def _copy_encoder(small: EDSR, large: EDSR) -> None:
    old, new = _convolutions(small), _convolutions(large)  # head, two for each block, end
    kept = len(old) - 1
    for source, target in [*zip(old[:kept], new[:kept], strict=True), (old[-1], new[-1])]:
        out_channels, in_channels = source.weight.shape[:2]
        target.weight[:out_channels].zero_()
        target.weight[:out_channels, :in_channels] = source.weight
        assert source.bias is not None
        assert target.bias is not None
        target.bias[:out_channels] = source.bias
    for last_of_block in new[kept + 1 : -1 : 2]:
        for parameter in last_of_block.parameters():
            parameter.zero_()


def _convolutions(encoder: EDSR) -> list[nn.Conv2d]:
    return [module for module in encoder.modules() if isinstance(module, nn.Conv2d)]


def _copy_imnet(small: LIIF, large: LIIF) -> None:
    state = small.imnet.state_dict()
    first = large.imnet.layers[0]
    assert isinstance(first, nn.Linear)
    old_first = state["layers.0.weight"]
    taps = 9 if small.config.feature_unfolding else 1  # unfolding is channel-major
    old_features, new_features = small.config.channels * taps, large.config.channels * taps
    widened = torch.zeros_like(first.weight)
    widened[:, :old_features] = old_first[:, :old_features]
    widened[:, new_features:] = old_first[:, old_features:]
    large.imnet.load_state_dict({**state, "layers.0.weight": widened})
