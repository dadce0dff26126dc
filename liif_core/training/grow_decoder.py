"""Growing a LIIF's decoder: more and wider layers, and colours that travel in the codes.

Both are closed forms, without training: the grown model computes what the first one did, but for
the little that the codes lose to make room for colours.
"""

import torch
from torch import Tensor, nn

from liif_core.edsr import EDSR
from liif_core.liif import LIIF, LIIFConfig

#: Numbers that the head's 3×3 kernels read: with as many channels they may all be recovered.
PATCH = 27

#: Units beside a decoder's own that pass the colour on: each value with either sign, for the ReLUs.
SIGNS = 6


@torch.no_grad()
def grow_decoder(small: LIIF, large: LIIF) -> None:
    """Let a larger decoder compute what a small one does; one that cannot, begins anew.

    Added layers pass on what they get, and nothing reads added units at first. Where `small` adds
    each code's own pixel and `large` does not, the colours travel in the codes: see `make_room`.

    Args:
        small: the trained model.
        large: has its encoder already, grown where it has more channels.
    """
    if not _fits(small.config, large.config):
        return
    old, new = _linears(small), _linears(large)
    taps = 9 if small.config.feature_unfolding else 1
    features = small.config.channels * taps
    more = large.config.channels * taps - features  # nothing reads added channels
    first = torch.nn.functional.pad(old[0].weight[:, :features], (0, more))
    added, last = len(new) - len(old), old[-1].in_features
    kept = [layer.out_features for layer in old[:-1]] + [last] * added
    weights: list[Tensor] = [torch.cat([first, old[0].weight[:, features:]], dim=1)]
    weights += [layer.weight for layer in old[1:-1]] + [torch.eye(last)] * added
    biases: list[Tensor] = [layer.bias for layer in old[:-1]] + [torch.zeros(last)] * added
    ends = ([*weights, old[-1].weight], [*biases, old[-1].bias])
    for layer, weight, bias in zip(new, *ends, strict=True):
        rows, columns = weight.shape
        layer.weight[:rows].zero_()
        layer.weight[:rows, :columns] = weight
        layer.bias[:rows] = bias
    if small.config.local_colour and not large.config.local_colour:
        reads = new[0].weight[: kept[0], : large.config.channels * taps]
        readout, offset = make_room(large.encoder, reads.unflatten(1, (-1, taps)))
        _pass_on(new, kept, readout, offset, taps)


@torch.no_grad()
def make_room(encoder: EDSR, reads: Tensor) -> tuple[Tensor, Tensor]:
    """Let the latent codes say the colours of their own pixels, exactly.

    A code is the head's answer h = K p to the 3×3 pixels p around, plus the body's correction.
    K has full rank, so that some matrix R reads the pixel's own colour off h. The correction is
    projected to where R sees nothing of it, along the directions that the decoder minds least.

    Args:
        encoder: its last convolution is changed.
        reads: (N, channels, taps) the weights with which the decoder's first layer reads codes.

    Returns:
        R (3, channels) and an offset (3): the pixel in [-1, 1] is R · code + offset.
    """
    head, last = encoder.head[0], encoder.body[-1]
    assert isinstance(head, nn.Conv2d)
    assert isinstance(last, nn.Conv2d)
    assert head.bias is not None
    assert last.bias is not None
    own = torch.zeros(3, 3, 9, dtype=torch.float64)
    own[range(3), range(3), 4] = 1  # of the patch: the middle
    readout = own.flatten(1) @ torch.linalg.pinv(head.weight.flatten(1).double())
    minded = torch.einsum("nct,ndt->cd", reads.double(), reads.double())
    minded += 1e-4 * minded.diagonal().mean() * torch.eye(len(minded))
    along = torch.linalg.solve(minded, readout.t())
    seen = along @ torch.linalg.inv(readout @ along) @ readout  # a projection, R · seen = R
    kernel = last.weight.flatten(1).double()
    last.weight.copy_((kernel - seen @ kernel).view_as(last.weight))
    last.bias.copy_(last.bias - seen @ last.bias.double())
    return readout.float(), -(readout @ head.bias.double()).float()


def _pass_on(
    layers: list[nn.Linear], kept: list[int], readout: Tensor, offset: Tensor, taps: int
) -> None:
    """Let units beside a decoder's own read the colour off the code, and add it to the answer."""
    channels = readout.shape[1]
    for layer in layers[:-1]:
        width = kept[layers.index(layer)]
        layer.weight[width : width + SIGNS].zero_()
        layer.bias[width : width + SIGNS].zero_()
    for at, sign in ((kept[0], 1), (kept[0] + 3, -1)):
        reads = layers[0].weight[at : at + 3, : channels * taps].unflatten(1, (channels, taps))
        reads[:, :, taps // 2] = sign * readout
        layers[0].bias[at : at + 3] = sign * offset
    for layer, before, width in zip(layers[1:-1], kept, kept[1:], strict=False):
        layer.weight[width : width + SIGNS, before : before + SIGNS] = torch.eye(SIGNS)
    end = layers[-1].weight[:, kept[-1] : kept[-1] + SIGNS]
    end.copy_(torch.cat([torch.eye(3), -torch.eye(3)], dim=1))


def _linears(model: LIIF) -> list[nn.Linear]:
    return [layer for layer in model.imnet.layers if isinstance(layer, nn.Linear)]


def _fits(old: LIIFConfig, new: LIIFConfig) -> bool:
    same = ("feature_unfolding", "cell_decoding", "noise")
    more = 0 if old.local_colour == new.local_colour else SIGNS
    return (
        all(getattr(old, key) == getattr(new, key) for key in same)
        and old.local_colour >= new.local_colour
        and (not more or new.channels >= PATCH)
        and 0 < len(old.hidden) <= len(new.hidden)
        and max(old.hidden) + more <= min(new.hidden)
    )
