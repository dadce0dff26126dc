"""Lesson 10, the power of zoom: its scenes and its figures."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from liif_core.baselines import Box, resize
from liif_core.figures import BLUE, GREEN, INK, ORANGE, RED, draw_picture, new_figure
from liif_core.samples import sample_photo


class Thing(NamedTuple):
    """A thing on a sample photo: the part that shows it, and what ImageNet may call it."""

    photo: str
    box: Box
    names: tuple[str, ...]


THINGS = {
    "cup": Thing("coffee", (140, 40, 480, 380), ("espresso", "cup", "coffee mug")),
    "cat": Thing("cat", (0, 0, 300, 300), ("tabby", "tiger cat", "Egyptian cat")),
    "camera": Thing("cameraman", (200, 120, 430, 350), ("tripod",)),
    "uniform": Thing("portrait", (0, 0, 512, 512), ("military uniform",)),
    "palace": Thing("palace", (150, 30, 450, 330), ("palace",)),
    "rocket": Thing("rocket", (200, 100, 450, 350), ("missile", "projectile")),
}
GROUNDS = ("bricks", "grass", "gravel")

#: Of a scene, and of the thing in it: a quarter of its side.
SCENE, THING = 512, 128


class Scene(NamedTuple):
    """A thing on a texture: the picture, (512, 512, 3) uint8, and where and what the thing is."""

    picture: np.ndarray
    thing: str
    row: int
    col: int


def make_scenes(seed: int = 10) -> list[Scene]:
    """Return 27 scenes: each of 6 things on 3 textures, each of 9 places three times.

    The thing lies near the middle of its cell in a 3 × 3 grid, up to a ninth of the cell away.
    """
    random = np.random.default_rng(seed)
    names = list(THINGS)
    scenes = []
    for number in range(27):
        thing = names[number % 6]
        row, col = divmod((number * 5) % 9, 3)
        picture = resize(sample_photo(GROUNDS[number // 9]), SCENE, SCENE, "bicubic").copy()
        photo, box = sample_photo(THINGS[thing].photo), THINGS[thing].box
        cell = SCENE / 3
        shift = random.uniform(-cell / 9, cell / 9, 2)
        top, left = (
            round((place + 0.5) * cell + move - THING / 2)
            for place, move in zip((row, col), shift, strict=True)
        )
        part = resize(photo, THING, THING, "bicubic", box=box)
        picture[top : top + THING, left : left + THING] = part
        scenes.append(Scene(picture, thing, row, col))
    return scenes


def framing_plot(photo: np.ndarray, boxes: Sequence[Box], shown: Sequence[np.ndarray]) -> Figure:
    """Return a photo with windows drawn on it, and beside it what each window shows.

    Args:
        photo: (H, W, 3).
        boxes: (left, top, right, bottom) of each window, in the photo's pixels.
        shown: what each window shows.
    """
    figure = new_figure(2.2 * (len(boxes) + 1), 2.4)
    axes = figure.subplots(1, len(boxes) + 1)
    draw_picture(axes[0], photo, "photo")
    looks = ((BLUE, "-"), (ORANGE, "--"), (GREEN, ":"), (RED, "-."))
    for number, ((left, top, right, bottom), picture) in enumerate(zip(boxes, shown, strict=True)):
        colour, dash = looks[number % len(looks)]
        size = (right - left, bottom - top)
        window = Rectangle((left, top), *size, fill=False, color=colour, linestyle=dash, lw=2)
        axes[0].add_patch(window)
        badge = {"facecolor": colour, "edgecolor": "none", "pad": 1.5}
        name = {"color": "white", "va": "top", "weight": "bold", "bbox": badge}
        axes[0].text(left + 4, top + 4, str(number + 1), **name)
        draw_picture(axes[number + 1], picture, f"framing {number + 1}")
    height, width = photo.shape[:2]
    lefts, tops, rights, bottoms = zip((0, 0, width, height), *boxes, strict=True)
    edge = 0.02 * width
    axes[0].set(
        xlim=(min(lefts) - edge, max(rights) + edge), ylim=(max(bottoms) + edge, min(tops) - edge)
    )
    return figure


def heat_map(probability: np.ndarray, right: np.ndarray, sizes: Sequence[int]) -> Figure:
    """Return the right class's probability in every framing, right ones marked with a dot.

    Args:
        probability: (sizes, 9) of the right classes together.
        right: (sizes, 9) bool.
        sizes: of the framings, in pixels, growing.
    """
    figure = new_figure(8.4, 3.2)
    axis = figure.subplots()
    drawn = axis.imshow(probability.T, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for size, anchor in np.argwhere(right):
        axis.plot(size, anchor, "o", color="white", markeredgecolor="black", markersize=4)
    rows, cols = ("top", "middle", "bottom"), ("left", "centre", "right")
    axis.set_yticks(range(9), [f"{row} {col}" for row in rows for col in cols], fontsize=8)
    ticks = range(0, len(sizes), 5)
    axis.set_xticks(ticks, [str(sizes[tick]) for tick in ticks])
    axis.set_xlabel("size: pixels of the photo's shorter side (right: zoomed in)")
    figure.colorbar(drawn, ax=axis, label="probability of the right class")
    return figure


def anchor_maps(maps: Mapping[str, np.ndarray]) -> Figure:
    """Return (3, 3) probabilities by anchor, all on one scale, the numbers written in.

    Args:
        maps: title -> the mean probability at each anchor.
    """
    figure = new_figure(3.0 * len(maps), 2.7)
    top = max(values.max() for values in maps.values())
    for axis, (title, values) in zip(figure.subplots(1, len(maps)), maps.items(), strict=True):
        axis.imshow(values, cmap="cividis", vmin=0, vmax=top)
        for (row, col), value in np.ndenumerate(values):
            dark = value < top / 2
            text = {"color": "white" if dark else "black", "ha": "center", "va": "center"}
            axis.text(col, row, f"{value:.2f}", **text)
        axis.set_title(title, fontsize=10)
        axis.set_xticks([])
        axis.set_yticks([])
    return figure


def share_bars(shares: Mapping[str, float], looks: Mapping[str, int]) -> Figure:
    """Return one bar per way to decide, with the number of looks that it costs.

    Args:
        shares: way -> share of right answers in [0, 1].
        looks: way -> how often the classifier runs for each photo.
    """
    figure = new_figure(7.6, 0.36 * len(shares) + 0.9)
    axis = figure.subplots()
    places = np.arange(len(shares))[::-1]
    axis.barh(places, [100 * share for share in shares.values()], color=BLUE, edgecolor=INK)
    for place, (name, share) in zip(places, shares.items(), strict=True):
        times = "1 look" if looks[name] == 1 else f"{looks[name]} looks"
        axis.text(100 * share + 1, place, f"{100 * share:.0f} % ({times})", va="center", fontsize=9)
    axis.set_yticks(places, list(shares))
    axis.set(xlabel="right (%)", xlim=(0, 100))
    return figure
