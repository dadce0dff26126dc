"""Small grey plates with letters: what a model of letters learns from, and how a plate is read.

Endless and free: each plate is drawn with a font that comes with matplotlib.
"""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

#: Rows and columns of a small plate, and how much larger its zoom is.
ROWS, COLS, ZOOM = 8, 24, 8

#: The camera: its lens blurs by a Gaussian of this standard deviation, in pixels of the small
#: plate; its sensor's noise is that of a phone indoors, in grey values of 0 … 1.
BLUR, NOISE = 0.7, 6 / 255

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

#: Fonts of matplotlib; in the monospaced ones every letter has the same room, so one letter of a
#: plate can be exchanged for another.
MONOSPACED = ("DejaVuSansMono", "DejaVuSansMono-Bold")
FONTS = (*MONOSPACED, "DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold")

#: A capital's height in an em of DejaVu, in which all the fonts above are drawn.
CAPITAL = 0.729


@dataclass(frozen=True)
class Plate:
    """What stands on a plate, and how.

    Attributes:
        text: of `LETTERS`.
        font: one of `FONTS`.
        height: of a capital, in pixels of the *small* plate.
        left, top: where the text begins, in pixels of the zoomed one.
        ink, paper: grey values in [0, 1].
    """

    text: str
    font: str
    height: float
    left: int
    top: int
    ink: float = 0.1
    paper: float = 0.9

    def drawn(self) -> np.ndarray:
        """Return the zoomed plate as it truly is: (64, 192) float32 in [0, 1]."""
        coverage = Image.new("L", (COLS * ZOOM, ROWS * ZOOM), 0)
        font = _font(self.font, round(self.height * ZOOM / CAPITAL))
        # "ls": the baseline's left end, so that every letter of a font stands alike.
        base = self.top + round(self.height * ZOOM)
        ImageDraw.Draw(coverage).text((self.left, base), self.text, 255, font, anchor="ls")
        share = np.asarray(coverage, np.float32) / 255
        return self.paper + (self.ink - self.paper) * share

    def width(self) -> float:
        """Return the length of its text in pixels of the zoomed plate."""
        return _font(self.font, round(self.height * ZOOM / CAPITAL)).getlength(self.text)

    def with_letter(self, place: int, letter: str) -> "Plate":
        """Return the plate with another letter at `place`."""
        text = self.text[:place] + letter + self.text[place + 1 :]
        return Plate(text, self.font, self.height, self.left, self.top, self.ink, self.paper)


@cache
def sensor(count: int) -> np.ndarray:
    """Return what each of `count` sensor pixels in a row sees of the plate: (count, 8 · count).

    A pixel takes the mean over its own width of a picture that the lens has blurred. Rows add up
    to 1: beyond the edge, what lies at the edge goes on.
    """
    fine = np.arange(-4 * ZOOM, (count + 4) * ZOOM) + 0.5
    edges = np.arange(count + 1) * float(ZOOM)
    share = _normal((edges[1:, None] - fine) / (BLUR * ZOOM))
    share = (share - _normal((edges[:-1, None] - fine) / (BLUR * ZOOM))) / ZOOM
    inside = share[:, 4 * ZOOM : -4 * ZOOM].copy()
    inside[:, 0] += share[:, : 4 * ZOOM].sum(axis=1)
    inside[:, -1] += share[:, -4 * ZOOM :].sum(axis=1)
    return (inside / inside.sum(axis=1, keepdims=True)).astype(np.float32)


def _normal(x: np.ndarray) -> np.ndarray:
    return np.vectorize(math.erf)(x / math.sqrt(2)) / 2


def small(plate: np.ndarray) -> np.ndarray:
    """Photograph a zoomed plate from afar, without noise: (..., 64, 192) -> (..., 8, 24)."""
    height, width = (side // ZOOM for side in plate.shape[-2:])
    return sensor(height) @ plate @ sensor(width).T


def photographed(plate: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Photograph it with the sensor's noise, to 8 bits: (..., 8, 24) float32 in [0, 1]."""
    seen = small(plate)
    seen = seen + rng.normal(0, NOISE, seen.shape)
    return ((seen * 255).round().clip(0, 255) / 255).astype(np.float32)


def random_plate(
    rng: np.random.Generator,
    *,
    height: float | None = None,
    fonts: tuple[str, ...] = FONTS,
    plain: bool = False,
) -> Plate:
    """Return a plate of random letters that fits.

    Args:
        rng: where chance comes from.
        height: of a capital in pixels of the small plate; 3 … 7 by default.
        fonts: one of them is taken.
        plain: black on white as a `Plate` is by default; else grey values are drawn as well.
    """
    tall = float(rng.uniform(3, 7)) if height is None else height
    font = fonts[rng.integers(len(fonts))]
    letters = "".join(rng.choice(list(LETTERS), size=9))
    room = COLS * ZOOM - 8
    while Plate(letters, font, tall, 0, 0).width() > room:
        letters = letters[:-1]
    spare = int(COLS * ZOOM - Plate(letters, font, tall, 0, 0).width())
    left = int(rng.integers(4, spare - 3))
    top = int(rng.integers(3, int(ROWS * ZOOM - tall * ZOOM) - 2))
    if plain:
        return Plate(letters, font, tall, left, top)
    ink, paper = rng.uniform(0, 0.35), rng.uniform(0.6, 1)
    if rng.random() < 0.3:
        ink, paper = paper, ink
    return Plate(letters, font, tall, left, top, float(ink), float(paper))


def read_plate(picture: np.ndarray, plate: Plate, letters: str = LETTERS) -> str:
    """Read a zoomed plate, letter by letter, knowing its font and where the letters stand.

    At each place the letter is found whose drawing is most like what is there (the correlation of
    the pixels). That is a generous reader: it never takes a stroke for the next letter's.

    Args:
        picture: (64, 192) in [0, 1], what a model made of the small plate.
        plate: the true one, of a font in `MONOSPACED`; its text is not looked at.
        letters: those that the reader knows.

    Returns:
        as many letters as the plate has.
    """
    room = plate.width() / len(plate.text)
    found = ""
    for place in range(len(plate.text)):
        start = round(plate.left + place * room)
        part = picture[:, start : start + round(room)]
        drawings = _drawings(plate, letters, place)[:, :, start : start + round(room)]
        found += letters[int(np.argmax([_alike(part, one) for one in drawings]))]
    return found


def _drawings(plate: Plate, letters: str, place: int) -> np.ndarray:
    """Return the plate with each letter at one place, (N, 64, 192): nothing else stands on it."""
    empty = Plate(" " * len(plate.text), plate.font, plate.height, plate.left, plate.top)
    return np.stack([empty.with_letter(place, letter).drawn() for letter in letters])


def _alike(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    return abs(float((a * b).sum())) / (float(np.sqrt((a * a).sum() * (b * b).sum())) + 1e-9)


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
