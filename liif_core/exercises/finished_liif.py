"""My LIIF, written in the lessons of "How does AI zoom?": a photo as a function of coordinates."""

import json
import math
import re
from collections import OrderedDict, namedtuple
from functools import partial
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import nn

Config = namedtuple("Config", "blocks channels hidden local_colour")
Latents = namedtuple("Latents", "codes colours")  # (B, C, H, W) and (B, 3, H, W)


class MyLIIF(nn.Module):
    """The numbers that are learnt. What is done with them stands in the parts below."""

    def __init__(self, config):
        super().__init__()
        self.config, channels = config, config.channels
        conv = partial(nn.Conv2d, out_channels=channels, kernel_size=3, padding=1)

        def block():
            return nn.ModuleDict({"body": nn.Sequential(conv(channels), nn.ReLU(), conv(channels))})

        body = nn.Sequential(*(block() for _ in range(config.blocks)), conv(channels))
        self.encoder = nn.ModuleDict({"head": nn.Sequential(conv(3)), "body": body})
        widths = [9 * channels + 4, *config.hidden]  # 9 codes, δ and the cell go in
        layers = [f for n, m in pairwise(widths) for f in (nn.Linear(n, m), nn.ReLU())]
        layers = nn.Sequential(*layers, nn.Linear(widths[-1], 3))
        self.imnet = nn.Sequential(OrderedDict(layers=layers))

    def encode(self, photo):
        """Read photos, (B, 3, H, W) in [0, 1], into latent codes."""
        notes = [encode(self, one[None]) for one in photo]
        return Latents(*(torch.cat(parts) for parts in zip(*notes, strict=True)))

    def query(self, latents, coord, cell):
        """Ask each photo of a batch: (B, Q, 2), (B, Q, 2) -> (B, Q, 3)."""
        notes = [
            Latents(codes[None], colours[None]) for codes, colours in zip(*latents, strict=True)
        ]
        asked = zip(notes, coord, cell, strict=True)
        return torch.cat([query(self, one, x[None], size[None]) for one, x, size in asked])


# --- part 1: pixels, and what lies between them (lesson 01) ---


def my_centres(n):
    """Return where the centres of n pixels lie on the stretch from -1 to 1."""
    return [(2 * i + 1) / n - 1 for i in range(n)]


def nearest_index(x, n):
    """Return the index, 0 … n-1, of the pixel whose cell holds each coordinate x."""
    return ((x + 1e-6 + 1) * n / 2).floor().long().clamp(0, n - 1)


def bilinear_at(photo, y, x):
    """Return the colours, (Q, 3), of photo (H, W, 3) at the coordinates y and x, (Q,)."""
    height, width = photo.shape[:2]
    down, across = (y + 1) / 2 * height - 0.5, (x + 1) / 2 * width - 0.5  # in pixels
    colour = 0
    for row in (down.floor(), down.floor() + 1):
        for col in (across.floor(), across.floor() + 1):
            share = (1 - (down - row).abs()) * (1 - (across - col).abs())
            pixel = photo[row.long().clamp(0, height - 1), col.long().clamp(0, width - 1)]
            colour = colour + share[:, None] * pixel
    return colour


# --- part 2: the encoder (lesson 02) ---


def convolution(x, weight, bias):
    """3×3 convolution: x (C, H, W), weight (K, C, 3, 3), bias (K,) -> (K, H, W)."""
    height, width = x.shape[-2:]
    padded = F.pad(x, (1, 1, 1, 1))  # one ring of zeros
    total = bias[:, None, None]
    for dy in range(3):
        for dx in range(3):
            shifted = padded[:, dy : dy + height, dx : dx + width]
            total = total + torch.einsum("kc,cyx->kyx", weight[:, :, dy, dx], shifted)
    return total


def conv(x, layer):
    """Put x, (1, C, H, W), through one layer."""
    return convolution(x[0], layer.weight, layer.bias)[None]


def residual(x, block):
    """Return x plus its correction."""
    return x + conv(F.relu(conv(x, block.body[0])), block.body[2])


def encode(model, photo):
    """Read a photo, (1, 3, H, W) in [0, 1], into its latent codes and colours."""
    colours = (photo - 0.5) / 0.5
    head = y = conv(colours, model.encoder.head[0])
    *blocks, last = model.encoder.body
    for block in blocks:
        y = residual(y, block)
    return Latents(head + conv(y, last), colours)


# --- part 3: the query (lesson 03) ---


def weights(delta):
    """Return each code's share: (Q, 4, 2) -> (Q, 4)."""
    area = (delta.abs() + 1e-9).prod(dim=-1).flip(-1)  # never 0 / 0
    return area / area.sum(dim=-1, keepdim=True)


def query(model, latents, coord, cell):
    """Return the colours at `coord`: (1, Q, 2), (1, Q, 2) -> (1, Q, 3), about [0, 1]."""
    height, width = latents.codes.shape[-2:]
    size = torch.tensor([height, width])
    codes = F.unfold(latents.codes, 3, padding=1).unflatten(2, (height, width))[0]
    answers, deltas = [], []
    for step_y, step_x in [(-1, -1), (-1, 1), (1, -1), (1, 1)]:
        row = nearest_index(coord[0, :, 0] + step_y / height, height)
        col = nearest_index(coord[0, :, 1] + step_x / width, width)
        centre = torch.stack([(2 * row + 1) / height - 1, (2 * col + 1) / width - 1], dim=-1)
        delta = (coord[0] - centre) * size
        asked = torch.cat([codes[:, row, col].T, delta, cell[0] * size], dim=-1)
        answers.append(model.imnet(asked))
        deltas.append(delta)
    share = weights(torch.stack(deltas, dim=1))[..., None]
    blended = (torch.stack(answers, dim=1) * share).sum(dim=1)
    if model.config.local_colour:  # the same areas weigh the pixels: bilinear interpolation
        blended = blended + bilinear_at(latents.colours[0].permute(1, 2, 0), *coord[0].T)
    return blended[None] * 0.5 + 0.5


# --- part 4: the cell (lesson 04) ---


def cell_units(n_in, n_out):
    """Return the cell (in the frame, in photo pixels, as f hears it), three floats."""
    return 2 / n_out, n_in / n_out, 2 * n_in / n_out


# --- part 6: training (lesson 06) ---


def questions(target, chosen):
    """Return coord (Q, 2), cell (Q, 2) and colour (Q, 3) for the pixels with numbers `chosen`."""
    side = len(target)
    row, col = chosen // side, chosen % side
    coord = (torch.stack([row, col], dim=-1) + 0.5) / side * 2 - 1
    cell = torch.full_like(coord, 2 / side)
    colour = torch.from_numpy(target[row, col]) / 255
    return coord, cell, colour


def rate_at(step, steps, warmup, decay):
    """Return the learning rate at `step` (0 … steps - 1) as a share of the peak."""
    if step < warmup:
        return (step + 1) / warmup
    left = steps - step
    if left >= decay:
        return 1.0
    return 0.5 * (1 - math.cos(math.pi * left / decay))


def step_once(model, adam, batch, rate):
    """Ask, compare, nudge: one training step. Returns the loss."""
    adam.param_groups[0]["lr"] = rate
    rgb = model.query(model.encode(batch.photo), batch.coord, batch.cell)
    loss = (rgb - batch.colour).abs().mean()
    adam.zero_grad()
    loss.backward()
    adam.step()
    return loss.item()


# --- the whole: weights from a file, and a photo zoomed ---


def read(path):
    """Return the model in a weight file of this course (.safetensors), or of the paper (.pth)."""
    if str(path).endswith(".pth"):  # weights_only: nothing in the file is executed
        numbers = torch.load(path, map_location="cpu", weights_only=True)["model"]["sd"]
        local_colour = False
    else:
        with safe_open(path, framework="pt") as file:
            numbers = {name: file.get_tensor(name) for name in sorted(file.keys())}
            local_colour = json.loads(file.metadata()["config"])["local_colour"]
    numbers = {name: numbers[name] for name in numbers if "_mean." not in name}  # never used
    lengths = [len(numbers[name]) for name in numbers if re.match(r"imnet.*bias", name)]
    blocks = sum(".body.0.bias" in name for name in numbers)
    channels = len(numbers["encoder.head.0.bias"])
    model = MyLIIF(Config(blocks, channels, lengths[:-1], local_colour))
    model.load_state_dict(numbers)
    return model.eval()


@torch.inference_mode()
def zoom(model, photo, height, width):
    """Return a photo, (H, W, 3) uint8, as height × width pixels."""
    latents = model.encode(torch.from_numpy(photo / np.float32(255)).permute(2, 0, 1)[None])
    ys, xs = (torch.tensor(my_centres(n)) for n in (height, width))
    coord = torch.cartesian_prod(ys, xs)[None]
    sizes = zip(photo.shape, (height, width), strict=False)
    cell = torch.tensor([cell_units(n_in, n_out)[0] for n_in, n_out in sizes])
    parts = [model.query(latents, x, cell.expand_as(x)) for x in coord.split(10_000, dim=1)]
    rgb = torch.cat(parts, dim=1).view(height, width, 3)
    return (rgb.clamp(0, 1) * 255).round().byte().numpy()
