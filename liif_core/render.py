"""A photo as a continuous function, rendered fast: whole, by strips, or through a viewport.

The photo is cut into tiles. A tile is encoded once; its codes are then asked for every output
pixel whose centre falls into the tile. Memory is set by a budget, not by the size of the photo or
of the result.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from liif_core import workers
from liif_core.axes import Axis, axis_neighbours
from liif_core.device import computing
from liif_core.errors import LiifError
from liif_core.grid import ArrayPixels, OutputGrid, Pixels, pixels_of
from liif_core.models import Model, decoder_of, seed_of
from liif_core.pixels import Box
from liif_core.tiles import Tile, TileStore

__all__ = ["ArrayPixels", "ContinuousPhoto", "OutputGrid", "Pixels", "Renderer", "render", "strips"]

#: Bytes that rendering may use beyond the model, the photo and the result.
MEMORY = 1 << 30

#: Side of the piece, in input and in output pixels, that a guess of the time is made with.
PROBE = 64

#: Told (output pixels done, output pixels in all) as a result grows.
Progress = Callable[[int, int], None]

#: Told how many output pixels were just finished.
Tick = Callable[[float], None]


class Renderer(Protocol):
    """Whatever answers for parts of an output grid: a `ContinuousPhoto`, or an average of some."""

    def window(
        self, grid: OutputGrid, rows: range, cols: range, tick: Tick | None = None
    ) -> np.ndarray:
        """Return some rows and columns of a result: (len(rows), len(cols), 3) float32."""
        ...

    def strip_ends(self, grid: OutputGrid) -> list[int]:
        """Return where the strips of a result had better end."""
        ...

    def seconds_needed(self, grid: OutputGrid) -> float:
        """Guess how long a result will take, from a small piece of it: good to a factor of two."""
        ...

    def remark(self, grid: OutputGrid) -> str:
        """Return what is to be said about a result, or nothing if it is exact."""
        ...


class ContinuousPhoto:
    """A photo, read by a model, that can be asked for its colours anywhere and at any density.

    Tiles are encoded when they are first asked for, and kept while the budget lasts. Several
    threads may ask at once.

    Args:
        model: computes on the device its parameters are on.
        photo: (H, W, 3) floats in [0, 1], or anything that reads like `Pixels`.
        memory: budget in bytes beyond model, photo and result.
        precision: "float32", "float16" or "bfloat16" (of encoder and hidden layers; local colour is
            float32 always, and the last layer but for its corrections in bfloat16 on a CPU).
        largest_tile: most pixels along a tile's side; small ones come sooner, large ones cost less.
        shared: keep the latent codes, too, and not only what the decoder made of them, for
            another quarter of the budget: then other decoders can be `sharing` them.

    Attributes:
        tiles: the photo, encoded.
    """

    def __init__(
        self,
        model: Model,
        photo: np.ndarray | Pixels,
        *,
        memory: int = MEMORY,
        precision: str = "float32",
        largest_tile: int = 512,
        shared: bool = False,
    ) -> None:
        self.model = model
        self.photo = pixels_of(photo)
        self.memory = memory
        self.tiles = TileStore(
            model,
            self.photo,
            memory,
            dtype=getattr(torch, precision),
            largest=largest_tile,
            shared=shared,
        )
        with torch.no_grad():
            self.decoder = decoder_of(model)
        self._hidden_layers: torch.dtype | None = None
        self._seed = seed_of(model)

    def hasty(self, dtype: torch.dtype) -> "ContinuousPhoto":
        """Return the same photo, hidden layers in another dtype (a heat field has none)."""
        other = copy.copy(self)
        other._hidden_layers = dtype
        return other

    def seeded(self, seed: int | None) -> "ContinuousPhoto":
        """Return the same photo with details from another seed, if it has any; None: as here."""
        other = copy.copy(self)
        other._seed = self._seed if None in (seed, self._seed) else seed
        return other

    def sharing(self, model: Model) -> "ContinuousPhoto":
        """Return the same photo for another decoder, from the latent codes that are at hand here.

        Args:
            model: with the very encoder of this photo's model.
        """
        if not self.tiles.shared or model.encoder is not self.model.encoder:
            raise LiifError(
                "latent codes can be shared among models with one encoder, by a photo opened "
                "with shared=True"
            )
        other = copy.copy(self)
        other.model = model
        with torch.no_grad():
            other.decoder = decoder_of(model)
        return other

    def output(self, height: int, width: int, box: Box | None = None) -> OutputGrid:
        """Return the grid of a result of height × width pixels that shows `box` (default: all).

        Raises:
            LiifError: an empty result, or a box that is empty or leaves the photo.
        """
        return OutputGrid.checked(self.photo, height, width, box)

    def render(
        self, height: int, width: int, box: Box | None = None, progress: Progress | None = None
    ) -> np.ndarray:
        """Return the whole photo, or a box of it, as height × width pixels.

        Args:
            height, width: any size of at least 1×1, its proportions free.
            box: (left, top, right, bottom) in input pixels.
            progress: called with (pixels done, pixels in all).

        Returns:
            (height, width, 3) float32, about [0, 1], not clamped.
        """
        grid = self.output(height, width, box)
        tick = progress and _ticking(progress, grid)
        result = np.empty((height, width, 3), np.float32)
        for rows in _rows_of_strips(self, grid):
            self.window(grid, rows, range(width), tick, out=result[rows.start : rows.stop])
        return result

    def viewport(
        self, centre: tuple[float, float], magnification: float, height: int, width: int
    ) -> np.ndarray:
        """Return what a screen of height × width pixels shows of the photo.

        Args:
            centre: (y, x) of the screen's middle, in [-1, 1].
            magnification: screen pixels per input pixel.
            height, width: the screen.

        Returns:
            (height, width, 3) float32, not clamped.

        Raises:
            LiifError: the screen would show what lies outside the photo.
        """
        return self.render(height, width, _seen(self.photo, centre, magnification, height, width))

    @workers.unsplit()
    def window(
        self,
        grid: OutputGrid,
        rows: range,
        cols: range,
        tick: Tick | None = None,
        *,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return some rows and columns of a result: (len(rows), len(cols), 3) float32.

        They are written into `out`, (h, w, 3) float32 without negative strides, if it is given.

        Raises:
            LiifError: numbers too large for a reduced precision.
        """
        down, across = self.axis(grid, 0, rows), self.axis(grid, 1, cols)
        result = np.empty((len(rows), len(cols), 3), np.float32) if out is None else out
        with _joined(self.tiles):
            for row, top, bottom in self.tiles.spans(grid, 0, rows):
                for col, left, right in self.tiles.spans(grid, 1, cols):
                    tile = self.tiles.tile(self.decoder, (row, col))
                    asked = down.part(top, bottom), across.part(left, right)
                    self.decoded(tile, grid, *asked, tick, result[top:bottom, left:right])
        return result

    def strip_ends(self, grid: OutputGrid) -> list[int]:
        """Return where the strips of a result end: at tile borders, sooner if memory asks."""
        return _strip_ends(self, grid)

    def axis(self, grid: OutputGrid, axis: int, span: range) -> Axis:
        """Return where some outputs along y (0) or x (1) stand among the latent codes."""
        size = self.photo.width if axis else self.photo.height
        position = torch.from_numpy(grid.positions(axis, span))
        coord = position * (2 / size) - 1
        tables = axis_neighbours(coord, size, local_ensemble=self.model.config.local_ensemble)
        device = self.tiles.device
        delta, weight = (table.float().to(device) for table in (tables.delta, tables.weight))
        return Axis(tables.index.to(device), delta, weight, position, grid.step(axis))

    def decoded(
        self,
        tile: Tile,
        grid: OutputGrid,
        down: Axis,
        across: Axis,
        tick: Tick | None = None,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the outputs of `grid` at `down` × `across`, from one tile; `out`: see `window`."""
        if out is None:
            out = np.empty((down.index.shape[1], across.index.shape[1], 3), np.float32)
        on_cpu = self.tiles.device.type == "cpu"
        with computing(self.tiles.device, self.tiles.dtype):
            rgb = self.decoder.grid(
                tile.hidden,
                tile.colours,
                down.shifted(tile.top),
                across.shifted(tile.left),
                _cell(self, grid),
                tick,
                hidden_layers=self._hidden_layers,
                seed=self._seed,
                out=torch.from_numpy(out) if on_cpu else None,
            )
        _check_finite(rgb, self.tiles.dtype)
        if not on_cpu:
            out[...] = rgb.cpu().numpy()
        return out

    def seconds_needed(self, grid: OutputGrid) -> float:
        """Guess how long a result will take with no tile at hand: good to a factor of two."""
        return _seconds_needed(self, grid)

    def remark(self, grid: OutputGrid) -> str:
        """Say if details are invented; else nothing: the result is exact."""
        seed = self._seed
        return "" if seed is None else f"details are invented, with seed {seed}: none is evidence"


@contextmanager
def _joined(tiles: TileStore) -> Iterator[None]:
    """Let tiles be decoded together, where no tile's numbers have to be looked at by themselves."""
    if tiles.dtype != torch.float32:
        yield
        return
    with computing(tiles.device, tiles.dtype), workers.joined():
        yield


def _seen(
    photo: Pixels, centre: tuple[float, float], magnification: float, height: int, width: int
) -> Box:
    """Return what of a photo a screen shows: see `ContinuousPhoto.viewport`."""
    if not magnification > 0:
        raise LiifError(f"magnification must be greater than 0, got {magnification:g}")
    size = (photo.height, photo.width)
    y, x = ((place + 1) / 2 * side for place, side in zip(centre, size, strict=True))
    down, right = height / magnification / 2, width / magnification / 2
    return (x - right, y - down, x + right, y + down)


def _cell(photo: ContinuousPhoto, grid: OutputGrid) -> Tensor:
    """The cell, which is the same everywhere, as the decoder wants it: see `cell_term`."""
    size = (photo.photo.height, photo.photo.width)
    values = [2 * grid.step(axis) / size[axis] for axis in (0, 1)]
    cell = torch.tensor(values, dtype=torch.float32, device=photo.tiles.device)
    return photo.decoder.cell_term(cell, size)


def _strip_ends(photo: ContinuousPhoto, grid: OutputGrid) -> list[int]:
    longest = max(1, photo.memory // 32 // (grid.width * 3 * 4))
    ends: list[int] = []
    for _, top, bottom in photo.tiles.spans(grid, 0, range(grid.height)):
        parts = -(-(bottom - top) // longest)
        ends += [top + (bottom - top) * part // parts for part in range(1, parts + 1)]
    return ends


def _check_finite(rgb: Tensor, dtype: torch.dtype) -> None:
    # float16 ends at 65,504. What went beyond would be black, or white, without a word.
    if dtype != torch.float32 and not bool(torch.isfinite(rgb).all()):
        name = str(dtype).removeprefix("torch.")
        raise LiifError(f"this model's numbers grow too large for {name}; use precision float32")


def _seconds_needed(photo: ContinuousPhoto, grid: OutputGrid) -> float:
    """Time a piece of the photo, encoded as if it were all, and a piece of the result."""
    places: list[slice] = []
    spans: list[Axis] = []
    for axis, size in enumerate((photo.photo.height, photo.photo.width)):
        side = min(PROBE, size)
        start = (size - side) // 2
        places.append(slice(start, start + side))
        # No more than the piece answers; as if they stood among its codes, one after the other.
        number = min(2 * PROBE, grid.along(axis)[0], max(1, int(side / grid.step(axis))))
        asked = photo.axis(grid, axis, range(number))
        index = (asked.index - asked.index.min()).clamp(max=side - 1)
        spans.append(replace(asked, index=index + start))

    def once() -> tuple[float, float]:
        start = time.perf_counter()
        tile = photo.tiles.alone(photo.decoder, *places)
        read = time.perf_counter()
        photo.decoded(tile, grid, spans[0], spans[1])
        return read - start, time.perf_counter() - read

    once()  # the first call of all prepares much
    encoding, decoding = once()
    pixels = sum(map(photo.tiles.pixels_read, photo.tiles.tiles_of(grid)))
    read = math.prod(place.stop - place.start for place in places)
    outputs = math.prod(span.index.shape[1] for span in spans)
    return encoding * pixels / read + decoding * grid.height * grid.width / outputs


def strips(
    photo: Renderer, grid: OutputGrid, progress: Progress | None = None, first: int = 0
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield a result from top to bottom as (first row, (h, width, 3) float32) strips.

    Rows before `first` are done already, and left out.
    """
    tick = progress and _ticking(progress, grid, first)
    for rows in _rows_of_strips(photo, grid, first):
        yield rows.start, photo.window(grid, rows, range(grid.width), tick)


def _rows_of_strips(photo: Renderer, grid: OutputGrid, first: int = 0) -> Iterator[range]:
    top = first
    for end in photo.strip_ends(grid):
        if end > first:
            yield range(top, end)
            top = end


def _ticking(progress: Progress, grid: OutputGrid, first: int = 0) -> Tick:
    """Return what tells `progress` of a grid whose first rows are done."""
    done, pixels = float(first * grid.width), grid.height * grid.width

    def tick(finished: float) -> None:
        nonlocal done
        done += finished
        progress(round(done), pixels)

    return tick


def render(model: Model, photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a photo, (H, W, 3) floats in [0, 1], as height × width pixels.

    See `ContinuousPhoto.render`.
    """
    return ContinuousPhoto(model, photo).render(height, width)
