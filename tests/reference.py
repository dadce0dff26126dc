"""LIIF a second time, from the paper's equations, to hold the package to.

It shares no code with `liif_core`: one query at a time, one neighbour at a time, in float64, by
plain loops, from a state dict in the official key layout (`encoder.head.0.*`,
`encoder.body.{i}.body.{0,2}.*`, `encoder.body.{blocks}.*`, `imnet.layers.{0,2,…}.*`; other keys
are ignored, as official checkpoints hold two unused layers).
"""

from collections.abc import Mapping
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

State = Mapping[str, Tensor]


def encode(state: State, photo: np.ndarray) -> np.ndarray:
    """EDSR-baseline (Lim et al. 2017): photo (3, H, W) in [-1, 1] -> latent codes (C, H, W)."""

    def conv(x: Tensor, name: str) -> Tensor:
        weight, bias = state[f"encoder.{name}.weight"], state[f"encoder.{name}.bias"]
        return F.conv2d(x, weight.double(), bias.double(), padding=1)

    head = conv(torch.from_numpy(photo).double()[None], "head.0")
    x, block = head, 0
    while f"encoder.body.{block}.body.0.weight" in state:
        x = x + conv(F.relu(conv(x, f"body.{block}.body.0")), f"body.{block}.body.2")
        block += 1
    return (head + conv(x, f"body.{block}"))[0].numpy()


def decode(state: State, x: np.ndarray) -> np.ndarray:
    """f_θ: a multi-layer perceptron with a ReLU after each layer but the last. (n,) -> (3,)."""
    numbers = sorted(int(key.split(".")[2]) for key in state if _is_imnet_weight(key))
    for number in numbers:
        weight = state[f"imnet.layers.{number}.weight"].double().numpy()
        x = weight @ x + state[f"imnet.layers.{number}.bias"].double().numpy()
        if number != numbers[-1]:
            x = np.maximum(x, 0)
    return x


def _is_imnet_weight(key: str) -> bool:
    return key.startswith("imnet.layers.") and key.endswith(".weight")


def centre(i: int, n: int) -> float:
    """Where pixel `i` of `n` sits in [-1, 1]."""
    return -1 + 1 / n + 2 * i / n


def nearest(coord: float, n: int) -> int:
    """The pixel whose centre is nearest, found by trying all; outside the photo, the outermost."""
    inside = min(max(coord, -1 + 1e-6), 1 - 1e-6)
    return min(range(n), key=lambda i: abs(centre(i, n) - inside))


def unfolded(codes: np.ndarray, row: int, col: int) -> np.ndarray:
    """Equation 3: a code beside its 8 neighbours, entry channel·9 + ky·3 + kx; zeros outside."""
    channels, height, width = codes.shape
    joined = np.zeros(channels * 9)
    for channel, ky, kx in product(range(channels), range(3), range(3)):
        y, x = row + ky - 1, col + kx - 1
        if 0 <= y < height and 0 <= x < width:
            joined[channel * 9 + ky * 3 + kx] = codes[channel, y, x]
    return joined


def query(
    state: State,
    photo: np.ndarray,
    coord: np.ndarray,
    cell: np.ndarray,
    *,
    local_ensemble: bool = True,
    feature_unfolding: bool = True,
    cell_decoding: bool = True,
    local_colour: bool = False,
) -> np.ndarray:
    """Equations 3 to 5 of the paper: the colour at each coordinate.

    Args:
        state: weights in the official key layout.
        photo: (3, H, W) in [0, 1].
        coord: (Q, 2), (y, x) in [-1, 1].
        cell: (Q, 2), height and width of the asked-for pixel in the same frame.

    Returns:
        (Q, 3) RGB, about [0, 1], float64.
    """
    pixels = (photo.astype(np.float64) - 0.5) / 0.5
    codes = encode(state, pixels)
    height, width = pixels.shape[1:]
    steps = [(-1, -1), (-1, 1), (1, -1), (1, 1)] if local_ensemble else [(0, 0)]
    results = []
    for (y, x), (cell_y, cell_x) in zip(coord.astype(float), cell.astype(float), strict=True):
        answers: dict[tuple[int, int], np.ndarray] = {}
        areas: dict[tuple[int, int], float] = {}
        for step_y, step_x in steps:
            row = nearest(y + step_y / height + 1e-6, height)
            col = nearest(x + step_x / width + 1e-6, width)
            dy, dx = y - centre(row, height), x - centre(col, width)
            code = unfolded(codes, row, col) if feature_unfolding else codes[:, row, col]
            inputs = [*code, dy * height, dx * width]
            if cell_decoding:
                inputs += [cell_y * height, cell_x * width]
            answer = decode(state, np.array(inputs))
            if local_colour:
                answer = answer + pixels[:, row, col]
            answers[step_y, step_x] = answer
            # Where both neighbours of an axis are the same code, they share alike, even if the
            # query sits on the code and the rectangles have no area: hence the least side.
            areas[step_y, step_x] = max(abs(dy), 1e-12) * max(abs(dx), 1e-12)
        # Equation 4: the weight of a code is the area of the rectangle to its diagonal opposite.
        total = sum(areas.values())
        blended = sum(areas[-sy, -sx] / total * answers[sy, sx] for sy, sx in steps)
        results.append(blended * 0.5 + 0.5)
    return np.array(results)
