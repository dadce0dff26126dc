"""A photo as a continuous function, rendered fast: whole, by strips, or through a viewport.

The photo is cut into tiles. A tile is encoded once, together with a halo as wide as the encoder's
receptive field, so that its latent codes are exactly those of the whole photo; its codes are then
asked for every output pixel whose centre falls into the tile. Memory is set by a budget, not by
the size of the photo or of the result.
"""

import copy
import itertools
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from liif_core.device import exact_convolutions
from liif_core.errors import LiifError
from liif_core.folded import Axis, FoldedDecoder, axis_neighbours
from liif_core.liif import LIIF, Latents

#: Bytes that rendering may use beyond the model, the photo and the result.
MEMORY = 1 << 30

#: Float32 copies of a tile that the encoder holds at once: measured, rounded up.
ENCODER_COPIES = 6

#: How far a code's neighbourhood reaches: a tile is one pixel wider than its core, so that every
#: neighbouring code is there, and those codes have neighbours too.
UNFOLDING = 1

#: Side of the piece, in input and in output pixels, that a first guess of the time is made with.
PROBE = 64

T = TypeVar("T")

#: Told (output pixels done, output pixels in all) as a result grows.
Progress = Callable[[int, int], None]

#: Told how many output pixels were just finished.
Tick = Callable[[float], None]


class Pixels(Protocol):
    """A photo that can be read window by window."""

    @property
    def height(self) -> int:
        """Rows."""
        ...

    @property
    def width(self) -> int:
        """Columns."""
        ...

    def rgb(self, rows: slice, cols: slice) -> np.ndarray:
        """Return a window, (h, w, 3) float32 in [0, 1]."""
        ...


@dataclass(frozen=True)
class ArrayPixels:
    """A photo held in memory: (H, W, 3), float in [0, 1]."""

    array: np.ndarray

    def __post_init__(self) -> None:
        if self.array.ndim != 3 or self.array.shape[2] != 3 or self.array.size == 0:
            raise LiifError(f"a photo must have shape (height, width, 3), got {self.array.shape}")
        if not np.issubdtype(self.array.dtype, np.floating):
            raise LiifError(f"a photo must hold floats in [0, 1], got {self.array.dtype}")

    @property
    def height(self) -> int:
        """Rows."""
        return self.array.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.array.shape[1]

    def rgb(self, rows: slice, cols: slice) -> np.ndarray:
        """Return a window, (h, w, 3) float32."""
        return np.ascontiguousarray(self.array[rows, cols], dtype=np.float32)


@dataclass(frozen=True)
class OutputGrid:
    """Which questions to ask: a grid of height × width pixels laid over a box of the photo.

    Attributes:
        height, width: pixels of the result.
        box: (left, top, right, bottom) of what it shows, in input pixels, as in Pillow.
    """

    height: int
    width: int
    box: tuple[float, float, float, float]

    def along(self, axis: int) -> tuple[int, float, float]:
        """Return (outputs, start, end) along y (0) or x (1)."""
        left, top, right, bottom = self.box
        return (self.width, left, right) if axis else (self.height, top, bottom)


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
        """Guess how long a result takes, from a small piece of it: good to a factor of two."""
        ...

    def remark(self, grid: OutputGrid) -> str:
        """Return what is to be said about a result, if it is not the exact one."""
        ...


class Tile(NamedTuple):
    """A part of the photo, encoded: pixels from (top, left) on, one pixel wider than its core."""

    top: int
    left: int
    hidden: Tensor  # (h, w, hidden)
    colours: Tensor  # (h, w, 3) in [-1, 1]


class Kept(Generic[T]):
    """The newest parts of something, by (row, column) of their tile, while a budget lasts.

    Args:
        budget: in bytes; one part is kept however large it is.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._parts: OrderedDict[tuple[int, int], tuple[T, int]] = OrderedDict()

    def __contains__(self, key: tuple[int, int]) -> bool:
        return key in self._parts

    def get(self, key: tuple[int, int], make: Callable[[], T], size: Callable[[T], int]) -> T:
        """Return the part `key`, made if it is not at hand."""
        if key not in self._parts:
            part = make()
            self._parts[key] = (part, size(part))
            held = sum(size for _, size in self._parts.values())
            while held > self.budget and len(self._parts) > 1:
                held -= self._parts.popitem(last=False)[1][1]
        self._parts.move_to_end(key)
        return self._parts[key][0]


class ContinuousPhoto:
    """A photo, read by a model, that can be asked for its colours anywhere and at any density.

    Tiles are encoded when they are first asked for, and kept while the budget lasts.

    Args:
        model: computes on the device its parameters are on.
        photo: (H, W, 3) floats in [0, 1], or anything that reads like `Pixels`.
        memory: budget in bytes beyond model, photo and result.
        precision: "float32", or "float16" / "bfloat16" on accelerators.
        largest_tile: most pixels along a tile's side; small tiles are encoded sooner, large ones
            with less work in all.
        shared: keep the latent codes, too, and not only what the decoder made of them, for
            another quarter of the budget: then other decoders can be `sharing` them.
    """

    def __init__(
        self,
        model: LIIF,
        photo: np.ndarray | Pixels,
        *,
        memory: int = MEMORY,
        precision: str = "float32",
        largest_tile: int = 512,
        shared: bool = False,
    ) -> None:
        self.model = model
        self.photo: Pixels = ArrayPixels(photo) if isinstance(photo, np.ndarray) else photo
        self.memory = memory
        self.device = next(model.parameters()).device
        self.dtype = getattr(torch, precision)
        # + the neighbouring code
        self.halo = model.encoder.receptive_radius + UNFOLDING + 1
        with torch.no_grad():
            self._decoder = FoldedDecoder(model)
        self.tile = self._tile_side(largest_tile)
        self._tiles: Kept[Tile] = Kept(memory // 4)
        self._latents: Kept[Latents] | None = Kept(memory // 4) if shared else None

    def sharing(self, model: LIIF) -> "ContinuousPhoto":
        """Return the same photo for another decoder, from the latent codes that are at hand here.

        Args:
            model: with the very encoder of this photo's model.
        """
        if self._latents is None or model.encoder is not self.model.encoder:
            raise LiifError(
                "latent codes can be shared among models with one encoder, by a photo opened "
                "with shared=True"
            )
        other = copy.copy(self)
        other.model = model
        with torch.no_grad():
            other._decoder = FoldedDecoder(model)
        other._tiles = Kept(self.memory // 4)
        return other

    def _tile_side(self, largest: int) -> tuple[int, int]:
        """Choose the height and width of a tile's core."""
        pixel = self.model.config.channels * 4
        window = int((self.memory / 4 / (ENCODER_COPIES * pixel)) ** 0.5)
        side = max(32, min(largest, window - 2 * self.halo))
        # A strip is cut from one row of tiles after the other: a whole row should fit the cache.
        row = self.memory // 4 // (self.photo.width * self._hidden_bytes())
        return max(32, min(side, row)), side

    def _hidden_bytes(self) -> int:
        """Bytes that a kept tile takes per pixel: the hidden map and the colours."""
        return (self._decoder.width + 3) * 4

    def output(
        self, height: int, width: int, box: tuple[float, float, float, float] | None = None
    ) -> OutputGrid:
        """Return the grid of a result of height × width pixels that shows `box` (default: all).

        Raises:
            LiifError: an empty result, or a box that is empty or leaves the photo.
        """
        if height < 1 or width < 1:
            raise LiifError(f"a result of {width}×{height} pixels is empty; ask for at least 1×1")
        whole = (0.0, 0.0, float(self.photo.width), float(self.photo.height))
        left, top, right, bottom = box or whole
        if not (0 <= left < right <= whole[2] and 0 <= top < bottom <= whole[3]):
            raise LiifError(
                f"box {left:g},{top:g},{right:g},{bottom:g} is empty or leaves the photo "
                f"of {self.photo.width}×{self.photo.height} pixels"
            )
        return OutputGrid(height, width, (left, top, right, bottom))

    def render(
        self,
        height: int,
        width: int,
        box: tuple[float, float, float, float] | None = None,
        progress: Progress | None = None,
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
        result = np.empty((height, width, 3), np.float32)
        for top, strip in strips(self, grid, progress):
            result[top : top + len(strip)] = strip
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
        if not magnification > 0:
            raise LiifError(f"magnification must be greater than 0, got {magnification:g}")
        middle_y = (centre[0] + 1) / 2 * self.photo.height
        middle_x = (centre[1] + 1) / 2 * self.photo.width
        half_y, half_x = height / magnification / 2, width / magnification / 2
        box = (middle_x - half_x, middle_y - half_y, middle_x + half_x, middle_y + half_y)
        return self.render(height, width, box)

    def window(
        self, grid: OutputGrid, rows: range, cols: range, tick: Tick | None = None
    ) -> np.ndarray:
        """Return some rows and columns of a result: (len(rows), len(cols), 3) float32."""
        down = self._axis(grid, 0, rows)
        across = self._axis(grid, 1, cols)
        result = np.empty((len(rows), len(cols), 3), np.float32)
        with torch.inference_mode(), self._autocast(), exact_convolutions(self.device):
            cell = self._cell(grid)
            for row, top, bottom in self._spans(grid, 0, rows):
                for col, left, right in self._spans(grid, 1, cols):
                    tile = self._encoded(row, col)
                    block = self._decoder.grid(
                        tile.hidden,
                        tile.colours,
                        down.part(top, bottom).shifted(tile.top),
                        across.part(left, right).shifted(tile.left),
                        cell,
                    )
                    result[top:bottom, left:right] = block.cpu().numpy()
                    if tick:
                        tick((bottom - top) * (right - left))
        return result

    def strip_ends(self, grid: OutputGrid) -> list[int]:
        """Return where the strips of a result end: at tile borders, sooner if memory asks."""
        rows = range(grid.height)
        longest = max(1, self.memory // 8 // (grid.width * 3 * 4))
        ends: list[int] = []
        for _, top, bottom in self._spans(grid, 0, rows):
            parts = -(-(bottom - top) // longest)
            ends += [top + (bottom - top) * part // parts for part in range(1, parts + 1)]
        return ends

    def _positions(self, grid: OutputGrid, axis: int, span: range) -> np.ndarray:
        """Where output centres lie along an axis, in input pixels: float64."""
        count, start, end = grid.along(axis)
        return start + (np.arange(span.start, span.stop) + 0.5) * ((end - start) / count)

    def _axis(self, grid: OutputGrid, axis: int, span: range) -> Axis:
        size = self.photo.width if axis else self.photo.height
        coord = torch.from_numpy(self._positions(grid, axis, span) * (2 / size) - 1)
        tables = axis_neighbours(coord, size, local_ensemble=self.model.config.local_ensemble)
        return Axis(
            tables.index.to(self.device),
            tables.delta.float().to(self.device),
            tables.weight.float().to(self.device),
        )

    def _spans(self, grid: OutputGrid, axis: int, span: range) -> Iterator[tuple[int, int, int]]:
        """Yield (tile, start, stop): which outputs of `span` fall into which tile."""
        size = self.photo.width if axis else self.photo.height
        nearest = np.floor(self._positions(grid, axis, span)).clip(0, size - 1)
        tiles = (nearest // self.tile[axis]).astype(int)
        starts = [0, *(np.flatnonzero(np.diff(tiles)) + 1).tolist(), len(tiles)]
        for start, stop in itertools.pairwise(starts):
            yield int(tiles[start]), start, stop

    def _cell(self, grid: OutputGrid) -> Tensor:
        """The first layer's share of the cell, which is the same everywhere: (hidden,)."""
        height, width = self.photo.height, self.photo.width
        cell = [2 * (end - start) / count for count, start, end in map(grid.along, (0, 1))]
        values = [cell[0] / height, cell[1] / width]
        size = torch.tensor(values, dtype=torch.float32, device=self.device)
        return self._decoder.cell_term(size, (height, width))

    def seconds_needed(self, grid: OutputGrid) -> float:
        """Guess how long a result takes, from a small piece of it: good to a factor of two."""
        side = min(PROBE, self.photo.height, self.photo.width)
        left, top = (self.photo.width - side) // 2, (self.photo.height - side) // 2
        piece = self.photo.rgb(slice(top, top + side), slice(left, left + side))
        precision = str(self.dtype).removeprefix("torch.")

        def seconds(out: int) -> float:
            start = time.perf_counter()
            ContinuousPhoto(self.model, piece, precision=precision).render(out, out)
            return time.perf_counter() - start

        seconds(1)  # the first call of all prepares much
        encoding = seconds(1)
        decoding = max(0.0, seconds(2 * PROBE) - encoding)
        pixels = (grid.box[2] - grid.box[0]) * (grid.box[3] - grid.box[1])
        made = grid.height * grid.width
        return encoding * pixels / side**2 + decoding * made / (2 * PROBE) ** 2

    def remark(self, grid: OutputGrid) -> str:
        """Return nothing: this is the exact result."""
        return ""

    def tiles_of(self, grid: OutputGrid) -> list[tuple[int, int]]:
        """Return the (row, column) of each tile that a result reads, from top left on."""
        rows = [tile for tile, *_ in self._spans(grid, 0, range(grid.height))]
        cols = [tile for tile, *_ in self._spans(grid, 1, range(grid.width))]
        return [(row, col) for row in rows for col in cols]

    def is_read(self, tile: tuple[int, int]) -> bool:
        """Whether the encoder has read a tile, and what it wrote is still at hand."""
        return tile in self._tiles or (self._latents is not None and tile in self._latents)

    def can_keep_all(self) -> bool:
        """Whether the budget suffices to keep every tile of the photo."""
        return self.photo.height * self.photo.width * self._hidden_bytes() <= self._tiles.budget

    def read(self, tile: tuple[int, int]) -> None:
        """Encode a tile, if it is not at hand, before it is asked for."""
        with torch.inference_mode(), self._autocast():
            self._encoded(*tile)

    def _encoded(self, row: int, col: int) -> Tile:
        """Return a tile, encoding it if it is not at hand."""

        def size(tile: Tile) -> int:
            return tile.hidden.nbytes + tile.colours.nbytes

        return self._tiles.get((row, col), lambda: self._encode(row, col), size)

    def _encode(self, row: int, col: int) -> Tile:
        if self._latents is None:
            latents = self._read(row, col)
        else:
            latents = self._latents.get(
                (row, col),
                lambda: Latents(*(part.clone() for part in self._read(row, col))),
                lambda latents: latents.codes.nbytes + latents.colours.nbytes,
            )
        hidden = self._decoder.hidden_map(latents.codes)[0]
        rows, cols = self._inner(row, col, UNFOLDING + 1, 1)
        colours = latents.colours[0].permute(1, 2, 0)
        (top, _), (left, _) = self._reaches(row, col, 1)
        return Tile(top, left, hidden[rows, cols].contiguous(), colours[rows, cols].contiguous())

    def encode_window(self, rows: slice, cols: slice) -> Latents:
        """Run the encoder over a window of the photo as if it were all; nothing is kept."""
        window = self.photo.rgb(rows, cols)
        photo = torch.from_numpy(window).to(self.device).permute(2, 0, 1)[None]
        with torch.inference_mode(), exact_convolutions(self.device):
            return self.model.encode(photo.contiguous(memory_format=torch.channels_last))

    def _read(self, row: int, col: int) -> Latents:
        """Run the encoder over a tile and its halo; return what the decoder needs of it."""
        (top, bottom), (left, right) = self._reaches(row, col, self.halo)
        latents = self.encode_window(slice(top, bottom), slice(left, right))
        rows, cols = self._inner(row, col, self.halo, UNFOLDING + 1)
        return Latents(*(part[:, :, rows, cols] for part in latents))

    def _reaches(self, row: int, col: int, margin: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the (top, bottom) and (left, right) of a tile widened by `margin`."""
        sizes = (self.photo.height, self.photo.width)
        down, across = (
            _reach(index, side, size, margin)
            for index, side, size in zip((row, col), self.tile, sizes, strict=True)
        )
        return down, across

    def _inner(self, row: int, col: int, outer: int, inner: int) -> tuple[slice, slice]:
        """Return where a tile with the margin `inner` lies within the one with `outer`."""
        rows, cols = (
            slice(start - origin, stop - origin)
            for (origin, _), (start, stop) in zip(
                self._reaches(row, col, outer), self._reaches(row, col, inner), strict=True
            )
        )
        return rows, cols

    def _autocast(self) -> AbstractContextManager[object]:
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self.dtype)


def strips(
    photo: Renderer, grid: OutputGrid, progress: Progress | None = None, first: int = 0
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield a result from top to bottom as (first row, (h, width, 3) float32) strips.

    Rows before `first` are done already, and left out.
    """
    done, pixels = float(first * grid.width), grid.height * grid.width

    def tick(finished: float) -> None:
        nonlocal done
        done += finished
        assert progress
        progress(round(done), pixels)

    top = first
    for end in photo.strip_ends(grid):
        if end <= first:
            continue
        rows, cols = range(top, end), range(grid.width)
        yield top, photo.window(grid, rows, cols, tick if progress else None)
        top = end


def render(model: LIIF, photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a photo, (H, W, 3) floats in [0, 1], as height × width pixels.

    See `ContinuousPhoto.render`.
    """
    return ContinuousPhoto(model, photo).render(height, width)


def _reach(tile: int, side: int, size: int, margin: int) -> tuple[int, int]:
    """Return the ends of a tile widened by `margin`, cut off at the photo's border."""
    return max(0, tile * side - margin), min(size, (tile + 1) * side + margin)
