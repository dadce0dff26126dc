"""Drawn pictures: straight edges and thin lines of strong contrast.

Photographs are mostly soft, and a decoder that learns from them alone is good at what is soft. A
teacher knows an answer to any picture, so the rare ones can simply be drawn.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

#: Drawn so many times as large, and shrunk: edges are as sharp as a shrunk photograph's.
OVERSIZE = 4

#: Standard deviations of what tells a colour from grey.
TINTS = (0.0, 20.0, 60.0)

Colour = tuple[int, int, int]
Draw = Callable[[Image.Image, np.random.Generator], None]


def drawn(side: int, rng: np.random.Generator) -> np.ndarray:
    """Return a drawn picture: (side, side, 3) uint8.

    Args:
        side: in pixels.
        rng: decides everything.
    """
    picture = Image.new("RGB", (side * OVERSIZE,) * 2, _colour(rng))
    KINDS[rng.integers(len(KINDS))](picture, rng)
    soft = Image.Resampling.BICUBIC if rng.random() < 0.7 else Image.Resampling.BOX
    colours = np.asarray(picture.resize((side, side), soft)).astype(np.float32)
    if rng.random() < 0.5:  # lit from one side
        along = np.linspace(-0.5, 0.5, side)
        down, across = rng.uniform(-0.4, 0.4, 2)
        colours *= (1 + down * along[:, None] + across * along)[..., None]
    if rng.random() < 0.3:
        colours += rng.normal(0, rng.uniform(0, 3), colours.shape)
    return colours.clip(0, 255).astype(np.uint8)


def facets(picture: Image.Image, rng: np.random.Generator) -> None:
    """Draw polygons that cover one another, some with lines between."""
    draw, side = ImageDraw.Draw(picture), picture.width
    for _ in range(rng.integers(3, 12)):
        centre, radius = rng.uniform(-0.2, 1.2, 2) * side, rng.uniform(0.1, 0.6) * side
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 6)))
        corners = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        points = [(float(x), float(y)) for x, y in corners]
        draw.polygon(points, fill=_colour(rng))
        if rng.random() < 0.6:
            draw.line([*points, points[0]], fill=_colour(rng), width=_width(rng))


def lines(picture: Image.Image, rng: np.random.Generator) -> None:
    """Draw straight lines."""
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.integers(2, 25)):
        ends = rng.uniform(-0.1, 1.1, 4) * picture.width
        draw.line([float(end) for end in ends], fill=_colour(rng), width=_width(rng))


def arcs(picture: Image.Image, rng: np.random.Generator) -> None:
    """Draw arcs around a centre."""
    draw, side = ImageDraw.Draw(picture), picture.width
    x, y = (float(place) for place in rng.uniform(-1, 2, 2) * side)
    for _ in range(rng.integers(3, 30)):
        beside = rng.uniform(0, 1, 2) * side
        radius = float(np.hypot(beside[0] - x, beside[1] - y))
        start, length = rng.uniform(0, 360), rng.uniform(20, 300)
        box = (x - radius, y - radius, x + radius, y + radius)
        draw.arc(box, start, start + length, fill=_colour(rng), width=_width(rng))


def stripes(picture: Image.Image, rng: np.random.Generator) -> None:
    """Draw a grating of sharp stripes, and discs."""
    side = picture.width
    angle, period = rng.uniform(0, np.pi), rng.uniform(2.5, 16) * OVERSIZE
    along = np.arange(side)
    phase = (along * np.cos(angle) + along[:, None] * np.sin(angle)) / period
    mask = Image.fromarray((phase % 1 < rng.uniform(0.15, 0.85)).astype(np.uint8) * 255)
    picture.paste(Image.new("RGB", picture.size, _colour(rng)), mask=mask)
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.integers(0, 6)):
        x, y = (float(place) for place in rng.uniform(0, 1, 2) * side)
        radius = float(rng.uniform(0.01, 0.3) * side)
        box = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(box, fill=_colour(rng), outline=_colour(rng), width=_width(rng))


KINDS: tuple[Draw, ...] = (facets, lines, arcs, stripes)


def _colour(rng: np.random.Generator) -> Colour:
    tint = rng.normal(0, rng.choice(TINTS), 3)
    red, green, blue = np.clip(rng.uniform(0, 255) + tint, 0, 255).astype(int).tolist()
    return red, green, blue


def _width(rng: np.random.Generator) -> int:
    """Return how wide a line is, half a pixel to four, in pixels of the larger picture."""
    return max(1, int(OVERSIZE * rng.uniform(0.5, 4)))
