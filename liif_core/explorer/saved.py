"""What a saved picture of the screen says of itself, as a result of `liif zoom` does.

The page puts its file together from strips; what the first strip's PNG says, the file says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL.PngImagePlugin import putchunk

from liif_core.explorer.frames import ExploredPhoto, Side
from liif_core.explorer.methods import without
from liif_core.explorer.viewport import Viewport
from liif_core.files.carried import Maker, carried, png_chunks
from liif_core.files.destination import PNG
from liif_core.files.view import View

#: Bytes of a PNG up to the end of its first chunk: signature and IHDR.
HEAD = 33


@dataclass(frozen=True)
class Makers:
    """Who makes a picture that is split: see `Maker`.

    Attributes:
        left, right: of the two sides; None for one that does not show.
        split: where the right one begins, 0 … 1 of the width.
    """

    left: Maker | None
    right: Maker | None
    split: float

    @property
    def generative(self) -> bool:
        """Whether any of the picture is invented."""
        return any(side.generative for side in (self.left, self.right) if side)

    def how(self, view: View) -> str:
        """Say what was done, in words."""
        if self.left and self.right:
            at = f"{100 * self.split:.0f}%"
            return f"left of {at}: {self.left.how(view)}; right of it: {self.right.how(view)}"
        return "; ".join(side.how(view) for side in (self.left, self.right) if side)


@dataclass(frozen=True)
class Method(Maker):
    """A method that is no model: `weights` is its name."""

    def how(self, view: View) -> str:
        """Say what was done, in words."""
        return super().how(view).removeprefix("weights ")


def maker_of(explored: ExploredPhoto, side: Side, magnification: float) -> Maker:
    """Say who makes a side of the screen."""
    if not explored.asks(side, magnification):
        return Method("bicubic" if side.method in explored.models else side.method)
    seed = explored.settled(side).seed
    name = explored.models[side.method].weights_name or side.method
    return Maker(name + without(side), seed is not None, None, seed)


def chunks_of(
    explored: ExploredPhoto, view: Viewport, sides: tuple[Side, Side], form: Mapping[str, Any]
) -> list[tuple[bytes, bytes]]:
    """Return what a PNG says of a picture of what a view shows: (kind, content) each.

    Args:
        sides: left and right of the split.
        form: as for `print_strip`.
    """
    (height, width), split, shown = form["size"], form["split"], view.grid()
    magnification = view.magnification * width / shown.width
    left, right = (maker_of(explored, side, magnification) for side in sides)
    middle = round(split * width)
    makers = Makers(left if middle > 0 else None, right if middle < width else None, split)
    lies = View(1, explored.size[1], explored.size[0], shown.box, width, height)
    return list(png_chunks(carried(explored.photo.notes.origin(), lies, makers, PNG)))


def with_chunks(png: bytes, chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return a PNG with chunks put before its pixels."""
    made = BytesIO()
    for kind, content in chunks:
        putchunk(made, kind, content)
    return png[:HEAD] + made.getvalue() + png[HEAD:]
