"""Units of an encoder that no photo opens: found, and begun anew.

A ReLU that is closed everywhere passes no gradient: its unit hardly ever learns again (a dead ReLU:
Lu et al. 2019, arXiv 1903.06733). What such a unit adds is nothing, so that it may as well begin
anew.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from liif_core.edsr import EDSR, ResBlock

#: How loud a new unit is: the standard deviation of what its ReLU is given, as a share of that of
#: the block's input. Trained units open rarely and say little. A new one that is given a variance
#: of 1 is some ten times as loud, and so is whatever noise training leaves in the weights that read
#: it: `liif-edsr` lost 0.19 dB at ×2 to that in 200 steps, and in a longer run units closed again.
LOUDNESS = 0.3


@torch.no_grad()
def open_shares(encoder: EDSR, photos: Tensor) -> Tensor:
    """Return at which share of the pixels each unit's ReLU is open.

    Args:
        encoder: any.
        photos: (B, 3, H, W), values in [-1, 1].

    Returns:
        (blocks, channels), values in [0, 1]. 0: dead, as far as these photos can tell.
    """
    before = [first(seen) for seen, first, _ in _blocks(encoder, photos)]
    return torch.stack([(signal > 0).float().mean(dim=(0, 2, 3)) for signal in before])


@torch.no_grad()
def revive(encoder: EDSR, photos: Tensor, generator: torch.Generator) -> int:
    """Let all units that no photo opens begin anew; return how many there were.

    Such a unit gets random weights, scaled and shifted so that over these photos what its ReLU is
    given has a mean of 0 and `LOUDNESS` times the standard deviation of the block's input (measured
    and scaled as by Mishkin and Matas 2016, arXiv 1511.06422; there it is 1). The weights that read
    it start at zero: the encoder computes the same as before.

    Args:
        encoder: is changed.
        photos: (B, 3, H, W), values in [-1, 1]; so many that what they leave closed is dead.
        generator: on the CPU; draws the weights.
    """
    revived = 0
    for seen, first, last in _blocks(encoder, photos):
        dead = (first(seen) <= 0).flatten(2).all(dim=2).all(dim=0)
        if not (count := int(dead.sum())):
            continue
        assert first.bias is not None
        drawn = torch.randn((count, *first.weight.shape[1:]), generator=generator)
        first.weight[dead], first.bias[dead] = drawn.to(first.weight), 0.0
        given = first(seen)[:, dead]
        size = given.std(dim=(0, 2, 3)).clamp(min=1e-6)
        size /= LOUDNESS * seen.std(dim=(0, 2, 3)).mean()
        first.weight[dead] /= size[:, None, None, None]
        first.bias[dead] = -given.mean(dim=(0, 2, 3)) / size
        last.weight[:, dead] = 0.0
        revived += count
    return revived


def _blocks(encoder: EDSR, photos: Tensor) -> Iterator[tuple[Tensor, nn.Conv2d, nn.Conv2d]]:
    """Yield each block's input, and its convolutions before and after the ReLU."""
    seen = encoder.head(photos)
    for block in encoder.body:
        if isinstance(block, ResBlock):
            first, last = (part for part in block.body if isinstance(part, nn.Conv2d))
            yield seen, first, last
            seen = block(seen)
