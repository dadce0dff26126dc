"""A photo made ready for exploring: any part of it, by any method, at any density.

The encoder reads the photo once, in tiles, where and when it is looked at; switching parts of the
decoder off asks the same latent codes again. What is resized without learning is cut from a
pyramid of halved photos where the screen shows a large photo small.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from PIL import Image

from liif_core.ablation import ablated
from liif_core.baselines import resize
from liif_core.device import has_bfloat16
from liif_core.explorer.screen_grid import Shown
from liif_core.explorer.viewport import Viewport
from liif_core.grid import OutputGrid
from liif_core.heat import HeatField
from liif_core.liif import LIIF
from liif_core.models import Model, seed_of
from liif_core.photos import Photo
from liif_core.pixels import eight_bit, to_uint8
from liif_core.render import ContinuousPhoto
from liif_core.xray import Explanation, Part, checked_query, explain_query

#: The methods without learning.
BASELINES = ("nearest", "bilinear", "bicubic")

#: The least magnification at which a model is asked. LIIF was not trained to shrink. A heat field's
#: pixel is exact at any size: down to a half it comes nearer to the mean over each pixel than
#: bicubic averaging does, by 0.8 to 1.9 dB; below, nearly all of its waves are damped away.
LEAST_ASKED: dict[type[Model], float] = {LIIF: 1.0, HeatField: 0.5}

#: Bytes for what the encoder wrote, and what the decoders made of it (see `ContinuousPhoto`).
MEMORY = 3 << 29

#: Photo pixels along the side of a tile: small, so that a first glance waits for few of them.
TILE = 128


@dataclass(frozen=True)
class Side:
    """What one side of the screen shows.

    Attributes:
        method: one of `BASELINES`, or the name of a model.
        local_ensemble, feature_unfolding, cell_decoding: see `ablated`; the baselines ignore them.
        seed: which details a model invents that invents some; None: from the model's own seed.
    """

    method: str
    local_ensemble: bool = True
    feature_unfolding: bool = True
    cell_decoding: bool = True
    seed: int | None = None

    @property
    def decoder(self) -> "Side":
        """The same from any seed: what is known of the decoder is known of all of these."""
        return replace(self, seed=None)


def seed_shown(side: Side, models: Mapping[str, Model]) -> int | None:
    """Return from which seed a side's details are invented; None if none are."""
    own = seed_of(models[side.method]) if side.method in models else None
    return own if own is None or side.seed is None else side.seed


class ExploredPhoto:
    """A photo and the methods that magnify it.

    Args:
        photo: its transparent parts are shown on white.
        models: name -> model.

    Attributes:
        pace: seconds for a pixel of a side, from any seed, when its view moved last.
    """

    def __init__(self, photo: Photo, models: Mapping[str, Model]) -> None:
        self.photo = on_white(photo)
        self.models = dict(models)
        self.size = (photo.height, photo.width)
        self._levels: list[np.ndarray] = []
        self._readers: dict[Side, ContinuousPhoto] = {}
        self._shown = Shown()
        self.pace: dict[Side, float] = {}

    def picture(
        self, view: Viewport, side: Side, step: float = 1, *, moving: bool = False
    ) -> np.ndarray:
        """Return what the screen shows: (h, w, 3) uint8, of `view.grid(step)`'s size.

        While it is `moving`, hidden layers may be computed in bfloat16, where the processor has it:
        that changes a value by 1 of 255, here and there, and one of a million by 2. What stands
        still is exact.

        Below `LEAST_ASKED` a model is not asked. There it is bicubic averaging.
        """
        side, grid = self.settled(side), view.grid(step)
        every = range(grid.height), range(grid.width)
        asked = self.asks(side, view.magnification)
        if not asked or not isinstance(self.models[side.method], LIIF):
            return self.part(grid, side, *every, asked)
        if step > 1 or (moving and self.new_pixels(view, side) == grid.height * grid.width):
            return self.part(grid, side, *every, moving=moving)
        return self._shown.moved(side, view.screen_grid(), partial(self.part, grid, side))

    def new_pixels(self, view: Viewport, side: Side) -> int:
        """Return how many pixels of a view have to be computed, if it is to be exact."""
        return self._shown.new_pixels(self.settled(side), view.screen_grid())

    def asks(self, side: Side, magnification: float) -> bool:
        """Return whether a side's model is asked; else its method has none, or bicubic answers."""
        model = self.models.get(side.method)
        return model is not None and magnification >= LEAST_ASKED[type(model)]

    def settled(self, side: Side) -> Side:
        """Return a side with the seed that it shows; with none, where nothing is invented."""
        return replace(side, seed=seed_shown(side, self.models))

    def part(
        self,
        grid: OutputGrid,
        side: Side,
        rows: range,
        cols: range,
        asked: bool = True,
        *,
        moving: bool = False,
    ) -> np.ndarray:
        """Return some rows and columns of a picture of any size: (rows, columns, 3) uint8."""
        if side.method not in self.models:
            return self._resized(grid, side.method, rows, cols)
        if not asked:
            return self._resized(grid, "bicubic", rows, cols)
        reader = self._reader(side)
        if moving and has_bfloat16(reader.tiles.device):
            reader = reader.hasty(torch.bfloat16)
        return to_uint8(reader.window(grid, rows, cols))

    def tiles(self, view: Viewport, side: Side) -> tuple[list[tuple[int, int]], int]:
        """Return which tiles the encoder has still to read for a view, and how many it needs.

        The tiles nearest the middle of the screen come first.
        """
        if not self.asks(side, view.magnification):
            return [], 0
        reader = self._reader(side)
        needed = reader.tiles.tiles_of(view.grid())
        unread = [tile for tile in needed if not reader.tiles.is_read(reader.decoder, tile)]
        return sorted(unread, key=_distance(view, reader)), len(needed)

    def read(self, side: Side, tile: tuple[int, int]) -> None:
        """Let the encoder read one tile."""
        reader = self._reader(side)
        reader.tiles.tile(reader.decoder, tile)

    def read_ahead(self, view: Viewport, side: Side) -> bool:
        """Read one more tile of the photo, the nearest to the view, while nobody waits.

        Returns:
            whether there was one: a photo is read ahead if all of it can be kept.
        """
        if side.method not in self.models:
            return False
        reader = self._reader(side)
        if not reader.tiles.can_keep_all():
            return False
        whole = OutputGrid(*self.size, (0, 0, self.size[1], self.size[0]))
        store, decoder = reader.tiles, reader.decoder
        unread = [tile for tile in store.tiles_of(whole) if not store.is_read(decoder, tile)]
        if not unread:
            return False
        store.tile(decoder, min(unread, key=_distance(view, reader)))
        return True

    def explain(
        self, side: Side, coord: tuple[float, float], cell: tuple[float, float]
    ) -> Explanation:
        """Take the query of one point apart; see `explain_query`.

        Only the surroundings that the point's codes depend on are encoded, anew.
        """
        coord, cell = checked_query(coord, cell)
        reader, seed = self._reader(side), self.settled(side).seed
        down, across = _around(coord, self.size, reader.tiles.halo + 1)
        latents = reader.tiles.encode_window(down, across)
        part = Part(down.start, across.start, *self.size)
        return explain_query(reader.model, latents, coord, cell, part=part, seed=seed)

    def pixels(self, rows: range, cols: range) -> list[list[list[int] | None]]:
        """Return photo pixels as [red, green, blue] in 0 … 255, None outside the photo."""
        height, width = self.size

        def pixel(row: int, col: int) -> list[int] | None:
            if not (0 <= row < height and 0 <= col < width):
                return None
            return eight_bit(self.photo.colour[row, col]).tolist()

        return [[pixel(row, col) for col in cols] for row in rows]

    def thumbnail(self, longest: int) -> np.ndarray:
        """Return the whole photo, small: (h, w, 3) uint8."""
        scale = min(1.0, longest / max(self.size))
        height, width = (max(1, round(side * scale)) for side in self.size)
        grid = OutputGrid(height, width, (0, 0, self.size[1], self.size[0]))
        return self._resized(grid, "bicubic", range(height), range(width))

    def _reader(self, side: Side) -> ContinuousPhoto:
        """Return the photo as the side's decoder sees it; one encoder's codes are shared."""
        return self._decoder(side.decoder).seeded(side.seed)

    def _decoder(self, side: Side) -> ContinuousPhoto:
        """Return the same from the model's own seed."""
        if side in self._readers:
            return self._readers[side]
        whole = Side(side.method)
        if whole not in self._readers:
            model = self.models[side.method]
            self._readers[whole] = ContinuousPhoto(
                model, self.photo, memory=MEMORY, largest_tile=TILE, shared=True
            )
        if side != whole:
            parts = {k: v for k, v in vars(side).items() if k not in ("method", "seed")}
            variant = ablated(self.models[side.method], **parts)
            self._readers[side] = self._readers[whole].sharing(variant)
        return self._readers[side]

    def _resized(self, grid: OutputGrid, method: str, rows: range, cols: range) -> np.ndarray:
        """Return some rows and columns of a picture by a method without learning."""
        left, top, right, bottom = grid.box
        down, across = (bottom - top) / grid.height, (right - left) / grid.width
        if method == "nearest":
            ys = top + (np.asarray(rows) + 0.5) * down
            xs = left + (np.asarray(cols) + 0.5) * across
            ys, xs = (
                np.floor(places).astype(int).clip(0, size - 1)
                for places, size in zip((ys, xs), self.size, strict=True)
            )
            return eight_bit(self.photo.colour[np.ix_(ys, xs)])
        level = max(0, math.floor(math.log2(min(down, across))))
        source = self._level(level)
        shrunk = 2**level
        windows, places = [], []
        for start, step, span, size in zip(
            (top, left), (down, across), (rows, cols), source.shape[:2], strict=True
        ):
            first, last = ((start + edge * step) / shrunk for edge in (span.start, span.stop))
            reach = math.ceil(2 * max(step / shrunk, 1)) + 1  # bicubic reaches two pixels far
            begin, end = max(0, math.floor(first) - reach), min(size, math.ceil(last) + reach)
            windows.append(slice(begin, end))
            places.append((max(0.0, first - begin), min(last - begin, float(end - begin))))
        window = eight_bit(source[windows[0], windows[1]])
        box = (places[1][0], places[0][0], places[1][1], places[0][1])
        return resize(window, len(rows), len(cols), method, box=box)

    def _level(self, level: int) -> np.ndarray:
        """Return the photo with its sides halved `level` times."""
        if not self._levels:
            self._levels.append(self.photo.colour)
        while len(self._levels) <= level:
            larger = Image.fromarray(np.ascontiguousarray(eight_bit(self._levels[-1])))
            self._levels.append(np.asarray(larger.reduce(2)))
        return self._levels[level]


def _around(coord: tuple[float, float], size: tuple[int, int], reach: int) -> tuple[slice, slice]:
    """Return the rows and columns of a photo that are within `reach` of a coordinate's pixel."""
    row, col = (math.floor((c + 1) / 2 * n) for c, n in zip(coord, size, strict=True))
    down, across = (
        slice(max(0, at - reach), min(count, at + reach + 1))
        for at, count in zip((row, col), size, strict=True)
    )
    return down, across


def on_white(photo: Photo) -> Photo:
    """Return a photo without transparency, what was transparent laid on white."""
    if photo.alpha is None:
        return photo
    share = photo.alpha[..., None] / np.float32(255)
    colour = (eight_bit(photo.colour) * share + 255 * (1 - share)).round().astype(np.uint8)
    return replace(photo, colour=colour, alpha=None)


def _distance(view: Viewport, reader: ContinuousPhoto) -> Callable[[tuple[int, int]], float]:
    """Return a key that sorts tiles by how far they are from the middle of the screen."""
    middle = [(c + 1) / 2 * n for c, n in zip(view.centre, view.photo, strict=True)]

    def distance(tile: tuple[int, int]) -> float:
        centre = [(index + 0.5) * side for index, side in zip(tile, reader.tiles.side, strict=True)]
        return math.dist(centre, middle)

    return distance
