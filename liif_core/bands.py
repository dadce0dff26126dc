"""The encoder and the decoder's first layer, arranged for workers: each layer by bands of rows.

A photo cut into pieces for several workers would need a halo around each piece, as wide as the
encoder reaches, and nearly double the work. Instead each layer is computed by bands from the whole
layer before it, and no pixel twice. How bands are cut does not depend on how many workers there
are, so neither do the results.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liif_core import workers
from liif_core.edsr import EDSR, ResBlock
from liif_core.liif import Latents
from liif_core.models import Decoder, Model

#: Pixels that one worker computes at a time: some milliseconds of one layer.
BAND_PIXELS = 4096

#: A small photo is cut for two workers, too, or for four, down to bands of so many pixels.
LEAST_PIXELS = 256

#: Of fewer bands, each counts: so many that two workers, or four, end together.
FEW_BANDS = 16


def encode(model: Model, photo: Tensor, dtype: torch.dtype = torch.float32) -> Latents:
    """Read a photo into its latent codes: `model.encode`, without gradients.

    Args:
        model: whose encoder, if it is an EDSR on a CPU, is computed by bands; whole, in one
            worker, if it is another or has hooks.
        photo: (1, 3, H, W), RGB in [0, 1].
        dtype: of the codes; not float32 if autocast says so.

    Returns:
        codes (1, C, H, W) and colours (1, 3, H, W) in [-1, 1].
    """
    encoder = model.encoder
    if photo.device.type != "cpu":
        return model.encode(photo)
    if type(encoder) is not EDSR or _is_watched(encoder):
        return workers.run(model.encode, [photo])[0]
    colours = (photo - 0.5) / 0.5
    codes = _like(colours, model.config.channels, dtype)
    _layer(encoder.head[0], colours, codes, lambda y, out: out.copy_(y))
    # Three feature maps are enough: the layers write over what nobody reads any more.
    body, inner = codes.clone(), torch.empty_like(codes)
    for block in encoder.body:
        if isinstance(block, ResBlock):
            _layer(block.body[0], body, inner, lambda y, out: torch.clamp_min(y, 0, out=out))
            _layer(block.body[2], inner, body, lambda y, out: out.add_(y))
        else:
            _layer(block, body, codes, lambda y, out: out.add_(y))
    return Latents(codes, colours)


def hidden_map(decoder: Decoder, codes: Tensor, rows: slice, cols: slice) -> Tensor:
    """Compute a part of `decoder.hidden_map`: (1, C, H, W) -> (rows, cols, hidden)."""
    if codes.device.type != "cpu":
        return decoder.hidden_map(codes)[0][rows, cols].contiguous()
    first = rows.start
    height, width = rows.stop - first, cols.stop - cols.start
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else codes.dtype
    hidden = codes.new_empty(height, width, decoder.width, dtype=dtype)

    def band(top: int, bottom: int) -> None:
        y = _convolved(codes, decoder.kernel, decoder.bias, first + top, first + bottom)
        hidden[top:bottom] = decoder.after_kernel(y)[0][:, cols]

    _by_bands(band, height, width)
    return hidden


def _is_watched(encoder: EDSR) -> bool:
    """Whether somebody wants to see modules at work: by bands, none is called."""
    return any(part._forward_hooks or part._forward_pre_hooks for part in encoder.modules())


def _like(photo: Tensor, channels: int, dtype: torch.dtype) -> Tensor:
    """Return room for a feature map of a photo's size, the channels of a pixel side by side."""
    return torch.empty(
        (1, channels, *photo.shape[-2:]),
        dtype=dtype,
        device=photo.device,
        memory_format=torch.channels_last,
    )


def _layer(
    layer: nn.Module, source: Tensor, out: Tensor, finish: Callable[[Tensor, Tensor], Tensor]
) -> None:
    """Run a convolution by bands; `finish` puts what it says about a band into `out`."""
    assert isinstance(layer, nn.Conv2d)

    def band(top: int, bottom: int) -> None:
        finish(_convolved(source, layer.weight, layer.bias, top, bottom), out[:, :, top:bottom])

    _by_bands(band, *out.shape[-2:])


def _convolved(
    source: Tensor, weight: Tensor, bias: Tensor | None, top: int, bottom: int
) -> Tensor:
    """Return rows top … bottom - 1 of a convolution that keeps the size (zeros outside)."""
    reach = weight.shape[-1] // 2
    first, last = max(0, top - reach), min(source.shape[2], bottom + reach)
    part = source[:, :, first:last]
    above, below = reach - (top - first), reach - (last - bottom)
    if above or below:
        part = F.pad(part, (0, 0, above, below))
    return F.conv2d(part, weight, bias, padding=(0, reach))


def _by_bands(band: Callable[[int, int], None], height: int, width: int) -> None:
    """Call `band(top, bottom)` for all rows, by the workers."""
    step = _rows_of_a_band(height, width)
    tops = range(0, height, step)
    workers.run(lambda top: band(top, min(top + step, height)), tops)


def _rows_of_a_band(height: int, width: int) -> int:
    """Return how many rows one worker computes at a time."""
    bands = -(-height * width // BAND_PIXELS)
    if bands >= FEW_BANDS:
        return max(1, BAND_PIXELS // width)
    bands = 2 if bands <= 2 else -(-bands // 4) * 4
    return max(-(-height // bands), -(-LEAST_PIXELS // width))
