"""How a result lies in its photo: which part it shows, and where a marked face comes to stand."""

from dataclasses import dataclass

from liif_core.files.upright import SIDEWAYS
from liif_core.pixels import Box

#: What an EXIF orientation does to a point (x, y) of a picture of the sides 1.
_UPRIGHT = {
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (1 - y, x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (y, 1 - x),
}

#: (x, y, width, height), x and y its centre, relative to the picture's sides.
Area = tuple[float, float, float, float]


@dataclass(frozen=True)
class View:
    """The way from a photo's file to a result.

    Attributes:
        turn: the EXIF orientation that was applied to the pixels.
        photo_width, photo_height: of the upright photo.
        box: (left, top, right, bottom), the part of it that the result shows, in its pixels.
        width, height: of the result.
    """

    turn: int
    photo_width: int
    photo_height: int
    box: Box
    width: int
    height: int

    @property
    def stored(self) -> tuple[int, int]:
        """(width, height) of the pixels in the photo's file."""
        size = (self.photo_width, self.photo_height)
        return size[::-1] if self.turn in SIDEWAYS else size

    @property
    def factors(self) -> tuple[float, float]:
        """How many pixels of the result stand for one of the photo, across and down."""
        left, top, right, bottom = self.box
        return self.width / (right - left), self.height / (bottom - top)

    @property
    def whole(self) -> bool:
        """Whether the result shows all of the photo."""
        return tuple(self.box) == (0, 0, self.photo_width, self.photo_height)

    def point(self, x: float, y: float, *, stored: bool = True) -> tuple[float, float]:
        """Follow a point; it may leave 0 … 1 where the result is a part.

        Args:
            x, y: relative to the sides of the photo.
            stored: as its pixels lie in the file; else as it is seen, upright.
        """
        if stored:
            x, y = _UPRIGHT[self.turn](x, y)
        left, top, right, bottom = self.box
        across = (x * self.photo_width - left) / (right - left)
        return across, (y * self.photo_height - top) / (bottom - top)

    def area(self, area: Area, *, stored: bool = True) -> Area | None:
        """Follow an area, and cut it at the result's borders; None if its centre is beyond them."""
        x, y, width, height = area
        if stored and self.turn in SIDEWAYS:
            width, height = height, width
        x, y = self.point(x, y, stored=stored)
        if not (0 <= x <= 1 and 0 <= y <= 1):
            return None
        left, top, right, bottom = self.box
        width *= self.photo_width / (right - left)
        height *= self.photo_height / (bottom - top)
        x, width = _cut(x, width)
        y, height = _cut(y, height)
        return x, y, width, height


def _cut(middle: float, length: float) -> tuple[float, float]:
    first, last = middle - length / 2, middle + length / 2
    if first >= -1e-9 and last <= 1 + 1e-9:
        return middle, length
    first, last = max(first, 0), min(last, 1)
    return (first + last) / 2, last - first
