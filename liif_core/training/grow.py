"""Growing a trained model: deeper or wider, it computes the same function at first.

Or lending its encoder to a model with another decoder.
"""

import torch
from torch import Tensor, nn

from liif_core.edsr import EDSR
from liif_core.errors import LiifError
from liif_core.heat import HeatField
from liif_core.liif import LIIF
from liif_core.models import Config, Model, build, kind_of, seed_of, title_of
from liif_core.training.grow_decoder import grow_decoder

#: The first layers of decoders, which read latent codes: the only ones that grow.
FIRST = {"liif": "imnet.layers.0.weight", "heat": "writer.0.weight"}


#: Standard deviation of the first layer's weights for noise, before they have learnt.
STIRRED = 0.2


@torch.no_grad()
def grow(small: Model, config: Config) -> Model:
    """Return a model of a larger configuration that computes what `small` computes.

    Added residual blocks end in a zero convolution, so each starts as the identity. Added
    channels are computed from random weights, yet nothing that was there reads them: the weights
    from new channels to old ones are zero, and learn from the first step on. So are those of noise
    that the decoder is to read, and did not.

    A LIIF's decoder grows in layers and units, and can do without local colour: then the codes
    tell colours, and to make room for them lose a little else; see `grow_decoder`. A heat field's
    grows in layers and in powers of the pixel's side. A model whose decoder is another takes over
    the encoder alone: its decoder begins anew.

    Args:
        small: the trained model.
        config: at least as many blocks and channels; a decoder that is the same but for more
            noise, or larger, is grown, too.

    Raises:
        LiifError: `config` has a smaller encoder.
    """
    large, old = build(config), small.config
    sizes = {"blocks": config.blocks, "channels": config.channels}
    wanted, noise = config.to_dict(), [c.to_dict().get("noise", 0) for c in (old, config)]
    same_decoder = {**wanted, "noise": 0} == {**old.to_dict(), **sizes, "noise": 0}
    same_decoder &= noise[0] <= noise[1]
    if config.blocks < old.blocks or config.channels < old.channels:
        raise LiifError(
            "an encoder can only grow in blocks and channels: "
            f"{_described(small)} does not fit into {_described(large)}"
        )
    _copy_encoder(small.encoder, large.encoder)
    if same_decoder:
        _copy_decoder(small, large, FIRST[kind_of(config)])
    elif isinstance(small, LIIF) and isinstance(large, LIIF):
        grow_decoder(small, large)
    elif isinstance(small, HeatField) and isinstance(large, HeatField):
        _grow_writer(small, large)
    return large


@torch.no_grad()
def stir(model: Model) -> None:
    """Let a model that has never read its noise begin to, a little, at random.

    A reward for answers that differ has no slope where they do not.

    Raises:
        LiifError: it reads none.
    """
    if seed_of(model) is None:
        raise LiifError("only a model that reads noise can be trained to invent details")
    assert isinstance(model, LIIF)
    first = model.imnet.layers[0]
    assert isinstance(first, nn.Linear)
    columns = first.weight[:, first.in_features - model.config.noise :]
    if not columns.any():
        columns.normal_(std=STIRRED)


def _described(model: Model) -> str:
    """Return a model's size in words."""
    sizes = model.config.to_dict()
    encoder = f"{sizes.pop('blocks')}×{sizes.pop('channels')}"
    rest = ", ".join(f"{name} {value}" for name, value in sizes.items() if value is not True)
    return f"{title_of(model)} {encoder}, {rest}"


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


def _copy_decoder(small: Model, large: Model, first: str) -> None:
    state = {k: v for k, v in small.state_dict().items() if not k.startswith("encoder.")}
    old, widened = state[first], torch.zeros_like(large.state_dict()[first])
    taps = 9 if small.config.feature_unfolding else 1  # unfolding is channel-major
    old_features, new_features = small.config.channels * taps, large.config.channels * taps
    widened[:, :old_features] = old[:, :old_features]
    beside = old.shape[1] - old_features  # δ, cell and noise: what is new comes last
    widened[:, new_features : new_features + beside] = old[:, old_features:]
    large.load_state_dict({**state, first: widened}, strict=False)


def _grow_writer(small: HeatField, large: HeatField) -> None:
    """Let a heat field with more layers or powers say what a small one does; others begin anew."""
    old, new = small.config, large.config
    more = {name: getattr(new, name) for name in ("blocks", "channels", "depth", "powers")}
    if {**old.to_dict(), **more} != new.to_dict():
        return
    if new.depth < old.depth or new.powers < old.powers:
        return
    mine, theirs = _layers(large), _layers(small)
    kept = len(theirs) - 1
    mine[0].weight.zero_()
    mine[0].weight[:, : old.channels] = theirs[0].weight  # nothing reads added channels
    for layer, source in zip(mine[1:kept], theirs[1:kept], strict=True):
        layer.weight.copy_(source.weight)
    for layer in mine[kept:-1]:  # added: what comes from a ReLU goes through another
        layer.weight.copy_(torch.eye(new.width)[:, :, None, None])
        _bias(layer).zero_()
    for layer, source in zip(mine[:kept], theirs[:kept], strict=True):
        _bias(layer).copy_(_bias(source))
    for name in ("weight", "bias"):  # of three colours each: what does not count with a power first
        said, source = getattr(mine[-1], name), getattr(theirs[-1], name)
        said.zero_()
        said.unflatten(0, (3, -1))[:, : len(source) // 3] = source.unflatten(0, (3, -1))
    large.omega.copy_(small.omega)
    large.log_kappa.copy_(small.log_kappa)


def _layers(model: HeatField) -> list[nn.Conv2d]:
    return [layer for layer in model.writer if isinstance(layer, nn.Conv2d)]


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
