"""The adversary of a crisp model: small networks that learn to tell its answers from photographs.

They do not look at colours but at the early features of a classifier that knows photographs, a
network for each depth: so they learn sooner than from colours (projected adversaries: Sauer et al.
2021, arXiv 2111.01007). Each says for every place how
real its surroundings look (a patch discriminator: Isola et al. 2017, arXiv 1611.07004), with
spectral normalisation (Miyato et al. 2018, arXiv 1802.05957) and the hinge loss.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

#: Channels within, and the kernels of the convolutions of each network.
WIDTH, KERNELS = 64, (3, 1, 1)

#: What spectral normalisation and leaky ReLUs take from a signal's strength is given back here.
GAIN = 4.0


class Adversary(nn.Module):
    """Scores features: above 0 for photographs, below 0 for what a model made.

    Its layers are normalised by an estimate that `renew` brings up to date, once a step. In between
    nothing of it changes, so that several threads may ask it at once.

    Args:
        strengths: for each depth, (C,): how strong the features of each channel are.
    """

    def __init__(self, strengths: Sequence[Tensor]) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for number, strength in enumerate(strengths):
            self.register_buffer(f"strength{number}", strength[:, None, None], persistent=False)
            channels = (len(strength), WIDTH, WIDTH, 1)
            for kernel, before, after in zip(KERNELS, channels, channels[1:], strict=False):
                layer = nn.Conv2d(before, after, kernel, padding=kernel // 2)
                self.layers.append(spectral_norm(layer))
        self.eval()

    def train(self, mode: bool = True) -> "Adversary":
        """Stay as it is: see `renew`."""
        return super().train(False)

    @torch.no_grad()
    def renew(self) -> None:
        """Take one step of the power iteration that estimates each layer's largest gain."""
        for layer in self.layers:
            nn.Module.train(layer, True)
            _ = layer.weight  # computed anew where it is read: the iteration's step
            nn.Module.train(layer, False)

    def convolutions(self) -> list[nn.Conv2d]:
        """Return the layers, in order: those of the first depth, then those of the next."""
        return [layer for layer in self.layers if isinstance(layer, nn.Conv2d)]

    def forward(self, features: Sequence[Tensor], *, learning: bool = True) -> list[Tensor]:
        """Return how real each place looks at each depth.

        Args:
            features: (B, C, m, n) for each depth.
            learning: whether gradients reach this network, too, and not only `features`.

        Returns:
            (B, 1, m, n) for each depth.
        """
        layers, depth = self.convolutions(), len(KERNELS)
        found = []
        for number, x in enumerate(features):
            x = x / getattr(self, f"strength{number}") * GAIN
            for layer in layers[number * depth : (number + 1) * depth]:
                weight, bias = layer.weight, layer.bias
                assert bias is not None
                if not learning:
                    weight, bias = weight.detach(), bias.detach()
                if layer is not layers[number * depth]:
                    x = nn.functional.leaky_relu(x, 0.2)
                x = nn.functional.conv2d(x, weight, bias, padding=layer.padding)
            found.append(x)
        return found

    def loss(self, made: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
        """Return the hinge loss, the mean over the depths: a scalar; none reaches the features."""
        false = self([features.detach() for features in made])
        true = self([features.detach() for features in real])
        terms = [
            torch.relu(1 + a).mean() + torch.relu(1 - b).mean()
            for a, b in zip(false, true, strict=True)
        ]
        return torch.stack(terms).mean()
