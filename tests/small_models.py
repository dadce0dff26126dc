"""Small random models and photos for tests of rendering, and what the paper's order answers."""

import numpy as np
import torch

from liif_core.coords import cell_size, coord_grid
from liif_core.heat import HeatConfig, HeatField
from liif_core.liif import LIIF, LIIFConfig
from liif_core.models import Model


def small_model(seed: int = 0, **switches: bool) -> LIIF:
    torch.manual_seed(seed)
    config = LIIFConfig(blocks=2, channels=8, hidden=(16, 16), **switches)
    return LIIF(config).eval().requires_grad_(False)


def small_heat(seed: int = 0, **switches: bool | int) -> HeatField:
    torch.manual_seed(seed)
    sizes = {"blocks": 2, "channels": 8, "width": 12, "waves": 5, "depth": 2, "powers": 2}
    model = HeatField(HeatConfig(**{**sizes, **switches}))
    torch.nn.init.normal_(model.writer[-1].weight, std=0.3)  # or it would be bilinear
    return model.eval().requires_grad_(False)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, 3), dtype=np.float32)


def asked(model: Model, photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """The same picture from the paper's order of computing."""
    latents = model.encode(torch.from_numpy(photo).permute(2, 0, 1)[None])
    coord = coord_grid(height, width, dtype=torch.float64).view(1, -1, 2)
    cell = cell_size(height, width).expand(coord.shape)
    return model.query(latents, coord, cell).view(height, width, 3).numpy()
