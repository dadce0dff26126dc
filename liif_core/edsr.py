"""The encoder: EDSR-baseline without its upsampling tail (Lim et al. 2017, arXiv 1707.02921).

One latent code per pixel comes out. Module names follow the official LIIF code, so that its
checkpoints load key by key: `head.0`, `body.{i}.body.{0,2}`, `body.{blocks}`.
"""

from torch import Tensor, nn


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    """Return a 3×3 convolution that keeps height and width (zero padding)."""
    return nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)


class ResBlock(nn.Module):
    """Two convolutions with a ReLU between, added to their own input. No batch norm, scale 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv3x3(channels, channels), nn.ReLU(), conv3x3(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return x plus its correction: (B, C, H, W) -> (B, C, H, W)."""
        return x + self.body(x)


class EDSR(nn.Module):
    """A photo in, one latent code per pixel out.

    Args:
        blocks: number of residual blocks (16 in EDSR-baseline).
        channels: length of a latent code (64 in EDSR-baseline).
    """

    def __init__(self, blocks: int = 16, channels: int = 64) -> None:
        super().__init__()
        self.head = nn.Sequential(conv3x3(3, channels))
        self.body = nn.Sequential(
            *(ResBlock(channels) for _ in range(blocks)), conv3x3(channels, channels)
        )

    def forward(self, photo: Tensor) -> Tensor:
        """Encode a photo.

        Args:
            photo: (B, 3, H, W), values in [-1, 1].

        Returns:
            latent codes, (B, channels, H, W).
        """
        x = self.head(photo)
        return x + self.body(x)

    @property
    def receptive_radius(self) -> int:
        """How many pixels away a pixel can still change a latent code: one per 3×3 convolution."""
        return sum(isinstance(module, nn.Conv2d) for module in self.modules())
