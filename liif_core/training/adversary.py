"""The adversary of a crisp model: a small network that learns to tell its answers from photographs.

It looks at a window of the picture beside the small photo, enlarged: so it also sees whether the
two belong together. It says, for every place of the window, how real its surroundings look (a patch
discriminator: Isola et al. 2017, arXiv 1611.07004), with spectral normalisation (Miyato et al.
2018, arXiv 1802.05957) and the hinge loss.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

#: (channels, kernel, stride) of the convolutions: each place sees 32 × 32 pixels.
LAYERS = ((32, 3, 1), (64, 4, 2), (64, 3, 1), (128, 4, 2), (128, 3, 1), (1, 3, 1))

#: Details are faint beside colours: so they are made about as strong.
CONTRAST = 16.0

#: What a leaky ReLU takes from the strength of a signal, which spectral normalisation limits, too.
GAIN = 1.4


class Adversary(nn.Module):
    """Scores windows: above 0 for photographs, below 0 for what a model made.

    Its layers are normalised by an estimate that `renew` brings up to date, once a step. In between
    nothing of it changes, so that several threads may ask it at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        channels = 6
        for width, kernel, stride in LAYERS:
            layer = nn.Conv2d(channels, width, kernel, stride, padding=1)
            self.layers.append(spectral_norm(layer))
            channels = width
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
        """Return the layers, in order."""
        return [layer for layer in self.layers if isinstance(layer, nn.Conv2d)]

    def forward(self, windows: Tensor, hint: Tensor, *, learning: bool = True) -> Tensor:
        """Return how real each place looks.

        Args:
            windows: (B, 3, n, n), RGB, about [0, 1].
            hint: (B, 3, n, n), the small photo enlarged to the same window.
            learning: whether gradients reach this network, too, and not only `windows`.

        Returns:
            (B, 1, m, m), m about n / 4.
        """
        x = torch.cat([(windows - hint) * CONTRAST, hint * 2 - 1], dim=1)
        for number, layer in enumerate(self.convolutions()):
            weight, bias = layer.weight, layer.bias
            assert bias is not None
            if not learning:
                weight, bias = weight.detach(), bias.detach()
            x = nn.functional.conv2d(x, weight, bias, LAYERS[number][2], padding=1)
            if number + 1 < len(LAYERS):
                x = nn.functional.leaky_relu(x, 0.2) * GAIN
        return x

    def loss(self, made: Tensor, real: Tensor, hint: Tensor) -> Tensor:
        """Return the hinge loss: a scalar; no gradient reaches `made`."""
        scores = self(torch.cat([made.detach(), real]), torch.cat([hint, hint]))
        false, true = scores.chunk(2)
        return torch.relu(1 + false).mean() + torch.relu(1 - true).mean()
