"""Training to look real: what a crisp model's loss adds to the distance from the truth.

A model that minimises its mean error answers with the median of all that fits, which is soft. Here
it draws two answers, from two seeds of its noise, and five terms judge them:

* **distance**: of the *mean* of the two answers from the truth, less a reward for their standard
  deviation, so that they need not agree (rcGAN: Bendel, Ahmad, Schniter 2023, arXiv 2210.13389,
  equations 6 … 9). With the reward that they derive, the answers would spread as widely as the
  truth does about its mean; a smaller one spreads them less, and costs less PSNR;
* **consistency**: an answer, shrunk to the resolution of the photo, must be that photo;
* **grid**: what repeats with the latent codes, more than in the truth, is punished directly, for it
  is the easiest way to look busy: each code would answer with the same pattern, a screen over all
  textures;
* **features**: of the early layers of an image classifier (Johnson et al. 2016, arXiv 1603.08155);
* **adversary**: see `liif_core.training.adversary`.

The last two see the answer's details on the truth's shrunk picture: so neither pays for a colour or
a brightness that consistency judges. (An adversary that saw them pushed at little else.)
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liif_core.companions.encoder import Encoder, load_encoder
from liif_core.models import KINDS, Model, kind_of
from liif_core.training.adversary import Adversary
from liif_core.training.pairs import Batch

#: Blocks of EfficientNet-Lite0 after which the feature loss looks: strides 4, 8 and 16.
LOOKS = (3, 5, 8)

#: The power of a wave of a quarter of an 8-bit step: fainter ones are not seen.
LEAST = 1e-6

#: Which part of a window is answered twice: a quarter of its rows says how answers differ.
PART = 4


class Weights(NamedTuple):
    """How much each term counts, beside a distance of weight 1.

    Attributes:
        spread: how widely answers are to differ, as a share of the truth's own spread: see
            `reward`.
        consistency, grid, features, adversary: as the module says.
    """

    spread: float
    consistency: float
    grid: float
    features: float
    adversary: float


def reward(spread: float) -> float:
    """Return how much |a - b| of two answers must count, so that they spread as wanted.

    Of a Gaussian truth with standard deviation 1 and answers with σ, the mean of two answers is
    wrong by √(2/π) · √(1 + σ²/2) on average, and |a - b| is 2σ/√π. Their weighted sum is least at
    σ = `spread` for the weight that is returned; at 1 it is rcGAN's.
    """
    slope = math.sqrt(2 / math.pi) * (spread / 2) / math.sqrt(1 + spread**2 / 2)
    return slope / (2 / math.sqrt(math.pi))


class CrispLoss(nn.Module):
    """The loss of a model with noise together with its adversary's: a module as `PairLoss` is.

    Args:
        model: the model to train; it reads noise.
        adversary: learns to tell its answers from photographs.
        weights: of the terms.
    """

    def __init__(self, model: Model, adversary: Adversary, weights: Weights) -> None:
        super().__init__()
        self.model, self.adversary, self.weights = model, adversary, weights
        self.features = EarlyFeatures(load_encoder(), device=next(model.parameters()).device)
        self.decoder: Any = KINDS[kind_of(model.config)].decoder

    def forward(self, batch: Batch) -> Tensor:
        """Return the sum of both losses; neither moves what the other trains."""
        weights = self.weights
        answer, other, truth = self.windows(batch)
        rows = other.shape[2]
        mean = (answer[:, :, :rows] + other) / 2
        apart = (answer[:, :, :rows] - other).abs().mean()
        distance = (mean - truth[:, :, :rows]).abs().mean() - reward(weights.spread) * apart
        loss = distance + weights.consistency * shrunk(answer - truth, batch).abs().mean()
        more = repeats(answer, batch) - repeats(truth, batch)
        loss = loss + weights.grid * torch.relu(more).mean()
        # Beyond what the photo fixes, so that none is paid for colours that consistency judges.
        fitting = details(answer, batch) + truth - details(truth, batch)
        made = self.features.of(fitting)
        with torch.no_grad():
            real = self.features.of(truth)
        loss = loss + weights.features * distance_of(made, real)
        scores = self.adversary(made, learning=False)
        loss = loss - weights.adversary * torch.stack([part.mean() for part in scores]).mean()
        return loss + self.adversary.loss(made, real)

    def windows(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return an answer, the upper part of another one, and the truth.

        Returns:
            (B, 3, n, n), (B, 3, n / PART, n) and (B, 3, n, n), about [0, 1].
        """
        side = math.isqrt(batch.coord.shape[1])
        decoder = self.decoder(self.model)
        latents = self.model.encode(batch.photo)
        hidden = decoder.hidden_map(latents.codes)
        first, cell, seed = batch.coord, batch.cell, 2 * batch.seed
        again = first[:, : max(1, side // PART) * side]
        answer = decoder.query(hidden, latents.colours, first, cell, seed)
        other = decoder.query(hidden, latents.colours, again, cell[:, : again.shape[1]], seed + 1)
        return square(answer, side), square(other, side), square(batch.colour, side)


def new_adversary() -> Adversary:
    """Return an adversary that has learnt nothing yet."""
    return Adversary(EarlyFeatures(load_encoder()).strengths())


def square(rgb: Tensor, side: int) -> Tensor:
    """Return pixels in reading order, (B, m·n, 3), as pictures n wide: (B, 3, m, n)."""
    return rgb.float().transpose(1, 2).unflatten(2, (-1, side))


def shrunk(windows: Tensor, batch: Batch) -> Tensor:
    """Return windows at the resolution of their photos, all of which stand at other scales.

    Args:
        windows: (B, 3, n, n).
        batch: says how large an output pixel is.

    Returns:
        (values,): the shrunk pixels one after the other.
    """
    return torch.cat([small.flatten() for small in _shrunk(windows, batch)])


def details(windows: Tensor, batch: Batch) -> Tensor:
    """Return what the photos cannot say: windows less what is left of them after shrinking.

    Args:
        windows: (B, 3, n, n).
        batch: says how large an output pixel is.

    Returns:
        (B, 3, n, n), about [-1, 1].
    """
    size = windows.shape[-2:]
    said = [F.interpolate(small, size, mode="bicubic") for small in _shrunk(windows, batch)]
    return windows - torch.cat(said)


def _shrunk(windows: Tensor, batch: Batch) -> list[Tensor]:
    found = []
    for mine, scale in zip(windows.split(1), scales_of(batch), strict=True):
        side = max(1, round(mine.shape[-1] / scale))
        found.append(F.interpolate(mine, (side, side), mode="bicubic", antialias=True))
    return found


def repeats(windows: Tensor, batch: Batch) -> Tensor:
    """Return how much of a window repeats with the latent codes, beside what does not.

    P / (P + Q), where P is the power at the codes' frequency or a harmonic, along, down or across,
    and Q the mean power at the eight frequencies half a step around: the mean over these. Where
    nothing knows of the codes it is a little below 1/2.

    Args:
        windows: (B, 3, n, n).
        batch: says how large an output pixel is.

    Returns:
        (B,): for each photo.
    """
    side = windows.shape[-1]
    window = torch.hann_window(side, device=windows.device)
    window = window / window.sum()
    at = torch.arange(side, device=windows.device) * (2 * math.pi)
    found = []
    for picture, scale in zip(windows, scales_of(batch), strict=True):
        last = int(scale)  # the highest half-step below Nyquist's frequency: last / (2 · scale)
        steps = torch.arange(-last - 1, last + 2, device=windows.device) / (2 * scale)
        waves = torch.polar(window.expand(len(steps), -1), steps[:, None] * at)
        picture = picture - picture.mean(dim=(1, 2), keepdim=True)
        size = (waves @ picture.to(waves.dtype) @ waves.mT).abs().square().sum(dim=0, keepdim=True)
        around = (F.avg_pool2d(size, 3, 1) * 9 - size[:, 1:-1, 1:-1]) / 8
        share = size[:, 1:-1, 1:-1] / (size[:, 1:-1, 1:-1] + around + LEAST)
        first = last % 2  # of the steps that are left, from -last on, the even ones are whole
        share = share[0, first::2, first::2].flatten()
        middle = len(share) // 2  # the mean colour repeats with everything
        found.append(torch.cat([share[:middle], share[middle + 1 :]]).mean())
    return torch.stack(found)


def scales_of(batch: Batch) -> list[float]:
    """Return how many output pixels a latent code has along a side, for each photo of a batch."""
    scales = 2 / (batch.cell[:, 0, 0] * batch.photo.shape[-1])
    return [float(scale) for scale in scales]


class EarlyFeatures:
    """What the early layers of EfficientNet-Lite0 see.

    Args:
        encoder: frozen.
        looks: after which blocks.
        device: where it computes.
    """

    def __init__(
        self, encoder: Encoder, looks: Sequence[int] = LOOKS, device: torch.device | str = "cpu"
    ) -> None:
        self.network, self.looks = encoder.network.to(device), looks

    def strengths(self) -> list[Tensor]:
        """Return how strong each channel is, as the network's normalisation has it: (C,) each."""
        norms: Any = [self.network._blocks[look - 1]._bn2 for look in self.looks]
        return [(norm.weight.square() + norm.bias.square()).sqrt().detach() for norm in norms]

    def of(self, pictures: Tensor) -> list[Tensor]:
        """Return the features at each depth, (B, C, m, n), of (B, 3, h, w), RGB, about [0, 1]."""
        net: Any = self.network
        x = net._swish(net._bn0(net._conv_stem((pictures * 255 - 127) / 128)))
        found = []
        for number, block in enumerate(net._blocks[: max(self.looks)], 1):
            x = block(x)
            if number in self.looks:
                found.append(x)
        return found


def distance_of(found: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Return the mean absolute difference of features over their mean size: a scalar."""
    pairs = zip(found, truth, strict=True)
    return torch.stack([(a - b).abs().mean() / b.abs().mean() for a, b in pairs]).sum()
