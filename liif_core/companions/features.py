"""Sharper feature maps: the ingredients of FeatSharp (arXiv 2502.16025), and a LIIF for features.

A vision encoder reads a photo into a coarse grid of features, as LIIF's encoder reads one into
latent codes. Here are ways to a grid f times as dense: interpolation guided by the photo, the
photo cut into tiles, and a decoder that is asked at coordinates. Ingredients, not a reproduction:
FeatSharp fuses the first two with a trained attention block. And ways to measure them: against
features that the encoder itself writes between its features, and away from the tiles' seams.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from liif_core.baselines import resize
from liif_core.companions.encoder import Encoder
from liif_core.coords import cell_size, coord_grid
from liif_core.errors import LiifError
from liif_core.liif import LIIF, MLP, Latents, LIIFConfig


def upsample(maps: Tensor, f: int = 2) -> Tensor:
    """Return bilinearly interpolated maps: (B, C, H, W) -> (B, C, f · H, f · W)."""
    return F.interpolate(maps, scale_factor=f, mode="bilinear", align_corners=False)


def joint_bilateral(
    maps: Tensor,
    guide: Tensor,
    *,
    spatial: float = 1.0,
    tonal: float = 0.2,
    radius: int = 3,
) -> Tensor:
    """Return maps at the resolution of a photo, averaged where the photo's colours are alike.

    As in FeatUp (arXiv 2403.10516) and FeatSharp, interpolated features are averaged over 7 × 7
    neighbours, weighted by a Gaussian of the distance times one of the difference in colour. There
    the colours go through a small trained network first; here they are compared as they are.

    Args:
        maps: (B, C, h, w).
        guide: (B, 3, H, W), RGB in [0, 1]; H and W are the same multiple of h and w.
        spatial: standard deviation of the first Gaussian, in pixels of the guide.
        tonal: that of the second, in units of colour.
        radius: of the neighbourhood: 3 for 7 × 7.

    Returns:
        (B, C, H, W).
    """
    height, width = guide.shape[2:]
    fine = upsample(maps, height // maps.shape[2])
    padded, colours = (F.pad(x, (radius,) * 4, mode="replicate") for x in (fine, guide))
    total, weights = torch.zeros_like(fine), torch.zeros_like(guide[:, :1])
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            window = (
                ...,
                slice(radius + dy, radius + dy + height),
                slice(radius + dx, radius + dx + width),
            )
            apart = (colours[window] - guide).square().sum(1, keepdim=True) / tonal**2
            weight = torch.exp(-0.5 * (apart + (dy**2 + dx**2) / spatial**2))
            total += weight * padded[window]
            weights += weight
    return total / weights


def guide_for(pictures: np.ndarray, side: int) -> Tensor:
    """Return pictures, (B, H, W, 3) uint8, shrunk to a guide: (B, 3, side, side) in [0, 1]."""
    small = np.stack([resize(picture, side, side, "bicubic") for picture in pictures])
    return torch.from_numpy(small.astype(np.float32) / 255).permute(0, 3, 1, 2)


def cut(pictures: np.ndarray, f: int = 2) -> np.ndarray:
    """Return the f × f tiles of each picture: (B, f · h, f · w, 3) -> (B · f · f, h, w, 3).

    Raises:
        LiifError: the sides are not multiples of f.
    """
    batch, height, width, _ = pictures.shape
    if height % f or width % f:
        raise LiifError(f"{width} × {height} pixels cannot be cut into {f} × {f} equal tiles")
    grid = pictures.reshape(batch, f, height // f, f, width // f, 3)
    return grid.transpose(0, 1, 3, 2, 4, 5).reshape(-1, height // f, width // f, 3)


def stitch(maps: Tensor, f: int = 2) -> Tensor:
    """Put the maps of f × f tiles together; for maps, the inverse of `cut`."""
    return (
        maps.unflatten(0, (-1, f, f)).permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
    )  # (B · f · f, C, h, w) -> (B, C, f · h, f · w)


def position_bias(maps: Tensor) -> Tensor:
    """Return what maps of many pictures have in common at each position: (B, C, h, w) -> (C, h, w).

    That is their mean over the pictures, less its mean over the positions. What remains when
    everything that is on the pictures has averaged out can only come from the position: from the
    padding at the border, or, in a transformer, from its position codes. FeatSharp learns such a
    bias together with the rest.
    """
    mean = maps.mean(dim=0)
    return mean - mean.mean(dim=(1, 2), keepdim=True)


class FeatureDecoder(LIIF):
    """LIIF with features in place of colours: a feature map becomes a continuous function.

    It is the class of lesson 03, its encoder taken out and its answer widened from 3 colours to the
    C features; the decoder adds a correction to each code's own features ("local colour").

    Args:
        channels: C, of the feature maps.
        hidden: widths of the decoder's hidden layers.
    """

    def __init__(self, channels: int, hidden: tuple[int, ...] = (256,)) -> None:
        config = LIIFConfig(
            blocks=1, channels=channels, hidden=hidden, feature_unfolding=False, local_colour=True
        )
        super().__init__(config)
        del self.encoder
        self.imnet = MLP(channels + 4, hidden, channels)
        last = self.imnet.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)  # so that it starts as the interpolation that it shall improve
        nn.init.zeros_(last.bias)

    def at(self, maps: Tensor, coord: Tensor, cell: Tensor) -> Tensor:
        """Return the features at coordinates: (B, C, h, w) -> (B, Q, C).

        Args:
            maps: the coarse features.
            coord, cell: (B, Q, 2), as for `LIIF.query`.
        """
        answers = self.answers(Latents(maps, maps), coord, cell)
        return (answers.rgb * answers.weight[..., None]).sum(dim=2)

    @torch.no_grad()
    def render(self, maps: Tensor, height: int, width: int) -> Tensor:
        """Return maps of any density: (B, C, h, w) -> (B, C, height, width)."""
        coord = coord_grid(height, width, dtype=torch.float64).reshape(1, -1, 2)
        coord = coord.expand(len(maps), -1, -1)
        cell = cell_size(height, width, dtype=torch.float64).expand_as(coord)
        return self.at(maps, coord, cell).transpose(1, 2).unflatten(2, (height, width))


def train_feature_decoder(
    coarse: Tensor, fine: Tensor, *, steps: int = 200, seed: int = 0
) -> tuple[FeatureDecoder, list[float]]:
    """Train a decoder to answer, from coarse maps, what the encoder says at a finer density.

    Args:
        coarse: (B, C, h, w), maps of photos for training.
        fine: (B, C, H, W), maps of the same photos at a higher resolution.
        steps: of AdamW, each with 8 photos and 64 coordinates of each.
        seed: of PyTorch's random numbers.

    Returns:
        the decoder, and the mean squared error of each step.
    """
    height, width = fine.shape[2:]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        decoder = FeatureDecoder(coarse.shape[1])
        optimizer = torch.optim.AdamW(decoder.parameters(), lr=1e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=steps)
        grid = coord_grid(height, width, dtype=torch.float64).reshape(-1, 2)
        losses = []
        for _ in range(steps):
            photos, spots = torch.randperm(len(coarse))[:8], torch.randperm(len(grid))[:64]
            coord = grid[spots].expand(len(photos), -1, -1)
            cell = cell_size(height, width, dtype=torch.float64).expand_as(coord)
            wanted = fine[photos].flatten(2)[:, :, spots].transpose(1, 2)
            loss = F.mse_loss(decoder.at(coarse[photos], coord, cell), wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
    return decoder.eval().requires_grad_(False), losses


def tiled_features(encoder: Encoder, pictures: np.ndarray, f: int = 2) -> Tensor:
    """Return the stitched features of f × f tiles, each encoded on its own: at stride 16.

    Args:
        encoder: the frozen encoder.
        pictures: (B, f · h, f · w, 3) uint8, h and w multiples of 32.

    Returns:
        (B, C, f · h / 16, f · w / 16).
    """
    return stitch(encoder.features(cut(pictures, f)), f)


def shift_and_interleave(encoder: Encoder, pictures: np.ndarray, f: int = 2) -> Tensor:
    """Return f times as dense features of pictures at their own size: at stride 16 / f.

    Each picture is read f × f times, shifted by 16 / f pixels more each time; the maps are
    interleaved ("shift-and-stitch", arXiv 1411.4038, section 3.2). An encoder that moves its
    features along with the picture writes between its features what it would write there. What a
    shift brings into sight at the border is mirrored.

    Args:
        encoder: the frozen encoder.
        pictures: (B, H, W, 3) uint8, H and W multiples of 32.
        f: 2, 4, 8 or 16.

    Returns:
        (B, C, f · H / 16, f · W / 16).
    """
    height, width = pictures.shape[1:3]
    step = 16 // f
    before = (
        16 - step
    ) // 2  # the first look shows as much more on the left as the last on the right
    edges = (before, 16 - step - before)
    padded = np.pad(pictures, ((0, 0), edges, edges, (0, 0)), mode="reflect")
    rows = []
    for top in range(0, 16, step):
        looks = [padded[:, top : top + height, x : x + width] for x in range(0, 16, step)]
        rows.append(torch.stack([encoder.features(look) for look in looks], dim=-1))
    return torch.stack(rows, dim=-2).permute(0, 1, 2, 4, 3, 5).flatten(4, 5).flatten(2, 3)


def cosine(found: Tensor, reference: Tensor) -> float:
    """Return the mean cosine similarity of features, (B, C, H, W): 1 where they point alike."""
    return F.cosine_similarity(found, reference, dim=1).mean().item()


def nmse(found: Tensor, reference: Tensor, where: Tensor | None = None) -> float:
    """Return the mean squared error over the variance of the reference's channels.

    0 is perfect; 1 is no better than the channel's mean everywhere.

    Args:
        found, reference: (B, C, H, W).
        where: (H, W) bool, the positions whose error counts; all by default. The variance is that
            of all positions.
    """
    return float(nmse_each(found, reference, where).mean())


def nmse_each(found: Tensor, reference: Tensor, where: Tensor | None = None) -> np.ndarray:
    """Return the error of `nmse` for each picture, (B,) float64: their mean is `nmse`."""
    variance = (reference - reference.mean(dim=(0, 2, 3), keepdim=True)).square().mean()
    error = (found - reference).square()
    chosen = error.flatten(2) if where is None else error[..., where]
    return (chosen.mean(dim=(1, 2)) / variance).double().numpy()


def seams(height: int, width: int, f: int = 2) -> Tensor:
    """Return where a map of f × f tiles has a seam: (H, W) bool, one row and column either side."""
    rows, cols = (torch.zeros(n, dtype=torch.bool) for n in (height, width))
    for part in range(1, f):
        for line, n in ((rows, height), (cols, width)):
            line[n // f * part - 1 : n // f * part + 1] = True
    return rows[:, None] | cols[None, :]
