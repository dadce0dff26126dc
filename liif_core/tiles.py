"""The tiles of a photo: encoded when they are first asked for, and kept while a budget lasts.

A tile is encoded together with a halo as wide as the encoder's receptive field, so that its latent
codes are exactly those of the whole photo. A store may serve several decoders at once (switching
parts of a decoder off asks the same latent codes again), and several threads.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

from liif_core import bands, workers
from liif_core.device import computing
from liif_core.grid import OutputGrid, Pixels
from liif_core.liif import Latents
from liif_core.models import Decoder, Model, decoder_of

#: Float32 copies of a tile that the encoder holds at once: measured, rounded up. By bands it is
#: fewer than as a module, on an accelerator.
ENCODER_COPIES, ACCELERATOR_ENCODER_COPIES = 4, 6

#: How far a code's neighbourhood reaches: a tile is one pixel wider than its core, so that every
#: neighbouring code is there, and those codes have neighbours too.
UNFOLDING = 1

#: The shortest side of a tile's core.
LEAST_SIDE = 32


class Tile(NamedTuple):
    """A part of the photo, encoded: pixels from (top, left) on, one pixel wider than its core."""

    top: int
    left: int
    hidden: Tensor  # (h, w, hidden)
    colours: Tensor  # (h, w, 3) in [-1, 1]


T = TypeVar("T", Tile, Latents)


class Kept(Generic[T]):
    """The newest parts of something, by their keys, while a budget lasts; for several threads.

    Args:
        budget: in bytes; one part is kept however large it is.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.held = 0
        self._parts: OrderedDict[Hashable, T] = OrderedDict()
        self._access = threading.Lock()
        self._making = threading.Lock()  # what one thread makes, the next one finds

    def __contains__(self, key: Hashable) -> bool:
        with self._access:
            return key in self._parts

    def find(self, key: Hashable) -> T | None:
        """Return a part, now the newest, or None."""
        with self._access:
            if key in self._parts:
                self._parts.move_to_end(key)
            return self._parts.get(key)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the part `key`, made if it is not at hand."""
        if (part := self.find(key)) is not None:
            return part
        with self._making:
            if (part := self.find(key)) is not None:
                return part
            part = make()
            with self._access:
                self._parts[key] = part
                self.held += _bytes(part)
                while self.held > self.budget and len(self._parts) > 1:
                    self.held -= _bytes(self._parts.popitem(last=False)[1])
        return part


def _bytes(part: Tile | Latents) -> int:
    return sum(value.nbytes for value in part if isinstance(value, Tensor))


class TileStore:
    """The tiles of one photo, as one encoder reads them and any number of decoders need them.

    A quarter of the memory goes to the encoder at work, a quarter to what decoders made of tiles,
    and with `shared` a quarter to the latent codes. That is all, however many decoders there are.

    Args:
        model: the encoder's.
        photo: read window by window.
        memory: budget in bytes.
        dtype: what tiles are computed in.
        largest: most pixels along a tile's side.
        shared: keep the latent codes, too, for other decoders.

    Attributes:
        side: height and width of a tile's core.
        halo: how many pixels around a tile the encoder reads.
    """

    def __init__(
        self,
        model: Model,
        photo: Pixels,
        memory: int,
        *,
        dtype: torch.dtype = torch.float32,
        largest: int = 512,
        shared: bool = False,
    ) -> None:
        self.model = model
        self.photo = photo
        self.dtype = dtype
        self.device = next(model.parameters()).device
        # + the neighbouring code
        self.halo = model.encoder.receptive_radius + UNFOLDING + 1
        self._tiles: Kept[Tile] = Kept(memory // 4)
        self._latents: Kept[Latents] | None = Kept(memory // 4) if shared else None
        copies = ENCODER_COPIES if self.device.type == "cpu" else ACCELERATOR_ENCODER_COPIES
        window = int((memory / 4 / (copies * model.config.channels * 4)) ** 0.5)
        across = max(LEAST_SIDE, min(largest, window - 2 * self.halo))
        # A strip is cut from one row of tiles after the other: a whole row should fit.
        with torch.no_grad():
            self._tile_pixel = (decoder_of(model).width + 3) * 4  # the hidden map and the colour
        # (Each tile is a pixel wider than its core, all around: if the last did not fit, each strip
        # would read the row anew.)
        wide = photo.width + 2 * -(-photo.width // across)
        row = self._tiles.budget // (wide * self._tile_pixel) - 2
        self.side = (max(LEAST_SIDE, min(across, row)), across)

    @property
    def held(self) -> int:
        """Bytes that are kept, for all decoders together."""
        return self._tiles.held + (self._latents.held if self._latents else 0)

    @property
    def shared(self) -> bool:
        """Whether the latent codes are kept for other decoders."""
        return self._latents is not None

    def spans(self, grid: OutputGrid, axis: int, span: range) -> list[tuple[int, int, int]]:
        """Return (tile, start, stop): which outputs of `span` fall into which tile."""
        size = self.photo.width if axis else self.photo.height
        return list(grid.spans(axis, span, size, self.side[axis]))

    def tiles_of(self, grid: OutputGrid) -> list[tuple[int, int]]:
        """Return the (row, column) of each tile that a result reads, from top left on."""
        rows = [tile for tile, *_ in self.spans(grid, 0, range(grid.height))]
        cols = [tile for tile, *_ in self.spans(grid, 1, range(grid.width))]
        return [(row, col) for row in rows for col in cols]

    def pixels_read(self, tile: tuple[int, int]) -> int:
        """Return how many pixels the encoder reads for a tile, its halo included."""
        rows, cols = self._core(tile)
        (top, bottom), (left, right) = self._reaches(rows, cols, self.halo)
        return (bottom - top) * (right - left)

    def is_read(self, decoder: Decoder, tile: tuple[int, int]) -> bool:
        """Whether the encoder has read a tile, and what it wrote is still at hand."""
        at_hand = self._latents is not None and tile in self._latents
        return at_hand or (decoder, tile) in self._tiles

    def can_keep_all(self) -> bool:
        """Whether the budget suffices to keep every tile of the photo, for one decoder."""
        pixels = self.photo.height * self.photo.width
        codes = pixels * (self.model.config.channels + 3) * 4
        return pixels * self._tile_pixel <= self._tiles.budget and (
            self._latents is None or codes <= self._latents.budget
        )

    def tile(self, decoder: Decoder, tile: tuple[int, int]) -> Tile:
        """Return a tile as a decoder needs it, encoded if it is not at hand."""

        def latents() -> Latents:
            return self._read(*self._core(tile))

        def make() -> Tile:
            if self._latents is None:
                found = latents()
            else:
                # Copies: a part of the encoder's result would keep all of it alive.
                found = self._latents.get(
                    tile, lambda: Latents(*(part.clone() for part in latents()))
                )
            return self._decoded(decoder, found, *self._core(tile))

        return self._tiles.get((decoder, tile), make)

    def piece(self, decoder: Decoder, rows: range, cols: range) -> Tile:
        """Encode any part of the photo as if it were a tile; nothing is kept."""
        return self._decoded(decoder, self._read(rows, cols), rows, cols)

    def alone(self, decoder: Decoder, rows: slice, cols: slice) -> Tile:
        """Encode a window without any halo, as if it were all of the photo; nothing is kept."""
        latents = self.encode_window(rows, cols)
        whole = slice(0, latents.codes.shape[2]), slice(0, latents.codes.shape[3])
        with computing(self.device, self.dtype):
            hidden = bands.hidden_map(decoder, latents.codes, *whole)
        return Tile(rows.start, cols.start, hidden, latents.colours[0].permute(1, 2, 0))

    @workers.unsplit()
    def encode_window(self, rows: slice, cols: slice) -> Latents:
        """Run the encoder over a window of the photo as if it were all; nothing is kept."""
        window = self.photo.rgb(rows, cols)
        photo = torch.from_numpy(window).to(self.device).permute(2, 0, 1)[None]
        with computing(self.device, self.dtype):
            photo = photo.contiguous(memory_format=torch.channels_last)
            return bands.encode(self.model, photo, self.dtype)

    def _read(self, rows: range, cols: range) -> Latents:
        """Encode a part of the photo and its halo; return what its decoder needs of it."""
        window = self._reaches(rows, cols, self.halo)
        latents = self.encode_window(*(slice(*reach) for reach in window))
        down, across = _within(window, self._reaches(rows, cols, UNFOLDING + 1))
        return Latents(*(part[:, :, down, across] for part in latents))

    @workers.unsplit()
    def _decoded(self, decoder: Decoder, latents: Latents, rows: range, cols: range) -> Tile:
        """Return what a decoder makes of the latent codes that `_read` returned."""
        wanted = self._reaches(rows, cols, 1)
        down, across = _within(self._reaches(rows, cols, UNFOLDING + 1), wanted)
        colours = latents.colours[0].permute(1, 2, 0)[down, across].contiguous()
        with computing(self.device, self.dtype):
            hidden = bands.hidden_map(decoder, latents.codes, down, across)
        (top, _), (left, _) = wanted
        return Tile(top, left, hidden, colours)

    def _core(self, tile: tuple[int, int]) -> tuple[range, range]:
        """Return the rows and columns of a tile, which may end outside the photo."""
        down, across = (
            range(index * side, (index + 1) * side)
            for index, side in zip(tile, self.side, strict=True)
        )
        return down, across

    def _reaches(
        self, rows: range, cols: range, margin: int
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the ends of rows and columns widened by `margin`, cut off at the border."""
        height, width = self.photo.height, self.photo.width
        return (
            (max(0, rows.start - margin), min(height, rows.stop + margin)),
            (max(0, cols.start - margin), min(width, cols.stop + margin)),
        )


def _within(
    outer: tuple[tuple[int, int], tuple[int, int]], inner: tuple[tuple[int, int], tuple[int, int]]
) -> tuple[slice, slice]:
    """Return where the `inner` rows and columns lie within the `outer` ones."""
    down, across = (
        slice(start - origin, stop - origin)
        for (origin, _), (start, stop) in zip(outer, inner, strict=True)
    )
    return down, across
