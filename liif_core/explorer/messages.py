"""What the browser asks about a photo, and what it is answered: plain dictionaries and bytes.

`QUESTIONS.md` beside this file lists every field. Each question is answered at once and in one step
of limited length: where the encoder has much to read, it reads one tile, says how many are left,
and is asked again. So the kernel stays free for other questions in between, and whatever is no
longer wanted is simply not asked again.
"""

import io
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from liif_core.errors import LiifError
from liif_core.explorer.frames import ExploredPhoto, Side
from liif_core.explorer.saved import chunks_of, with_chunks
from liif_core.explorer.viewport import Viewport
from liif_core.grid import OutputGrid
from liif_core.xray import Chance

#: Of the questions and answers, as `QUESTIONS.md` lists them: both sides must mean the same one.
#: `static/zoom_questions.js` holds the browser's.
VERSION = 2

#: What an answer consists of: JSON values, and at most one picture.
Answer = tuple[dict[str, Any], list[bytes]]

#: Screen pixels of a coarse picture, at most, until one has told what can be answered in `BUDGET`.
COARSE_PIXELS = 80_000

#: Seconds that a picture of a moving view may take: the quicker the method and the machine, the
#: finer it is.
BUDGET = 0.1

#: A finer picture of a moving view is worth its time if it has so many times as many pixels.
FINER = 2

#: Seconds that two looks at a clock are apart at least, even if it does not tell them apart.
CLOCK_TICK = 1e-7

#: Tells seconds.
clock = time.perf_counter

#: Screen pixels that every coarse picture may have: of fewer, one sees nothing.
LEAST_PIXELS = 20_000

#: Pixels along the longer side of the overview.
OVERVIEW = 320


def answer(explored: ExploredPhoto, question: Mapping[str, Any]) -> Answer:
    """Answer one question about a photo.

    Args:
        explored: the photo and its methods.
        question: `type` is "frame", "ahead", "overview", "xray" or "strip"; see the functions
            below.

    Raises:
        LiifError: no such type.
    """
    kinds = {
        "frame": frame,
        "ahead": ahead,
        "overview": overview,
        "xray": xray,
        "strip": strip,
    }
    if question["type"] not in kinds:
        raise LiifError(f"no question {question['type']!r}; ask one of {', '.join(kinds)}")
    return kinds[question["type"]](explored, question)


def frame(explored: ExploredPhoto, question: Mapping[str, Any]) -> Answer:
    """Show a view, or as long as the encoder has not read what it needs, read on.

    Question: `view`, `side`, `lossless` (PNG, else JPEG), `coarse` (of larger pixels), and `reads`,
    how often the encoder has read on for this view.

    Answer: `picture` (whether there is one), `rect` (top, left, height, width on the screen), `box`
    (left, top, right, bottom in photo pixels), `seconds`, and while reading `left` and `total`
    tiles; the picture that comes with the first of these is bicubic.
    """
    began = time.perf_counter()
    view, side = view_of(explored, question["view"]), side_of(question["side"])
    unread, total = explored.tiles(view, side)
    # A view that needs more tiles than can be kept would go on reading for ever.
    reading = bool(unread) and question["reads"] < total
    if reading:
        explored.read(side, unread[0])
    found: dict[str, Any] = {"left": len(unread) - 1 if reading else 0, "total": total}
    found["reading"] = reading
    found["picture"] = not reading or question["reads"] == 0
    pictures = []
    if found["picture"]:
        shown = Side("bicubic") if reading else side
        lossless = question["lossless"] and not reading
        moving = question["coarse"] and shown.method in explored.models
        picture = moved(explored, view, shown) if moving else explored.picture(view, shown)
        pictures.append(encoded(picture, lossless))
    down, across = view.spans()
    found["rect"] = [down.first, across.first, down.count, across.count]
    found["box"] = [across.start, down.start, across.end, down.end]
    found["seconds"] = time.perf_counter() - began
    return found, pictures


def moved(explored: ExploredPhoto, view: Viewport, side: Side) -> np.ndarray:
    """Return a picture of a moving view, as fine as the time allows; note how fast it came.

    How fast a picture comes is known from the last one. If this one came so soon that a much finer
    one can be had in the time that is left, as the first of a side may, that one is shown.
    """
    began, new, most = clock(), explored.new_pixels(view, side), COARSE_PIXELS
    if side.decoder in explored.pace:
        most = max(LEAST_PIXELS, int(BUDGET / explored.pace[side.decoder]))
    while True:
        # A pan's few new pixels are no more work at full resolution: then all are exact.
        fine = new <= most
        step = 1.0 if fine else max(1.0, (view.screen[0] * view.screen[1] / most) ** 0.5)
        before = clock()
        picture = explored.picture(view, side, step, moving=True)
        computed = new if fine else picture.shape[0] * picture.shape[1]
        if computed < LEAST_PIXELS:  # then it is the small things that take the time
            return picture
        now = clock()
        pace = explored.pace[side.decoder] = max(now - before, CLOCK_TICK) / computed
        most = int((began + BUDGET - now) / pace)
        if fine or step == 1.0 or most < FINER * computed:
            return picture


def ahead(explored: ExploredPhoto, question: Mapping[str, Any]) -> Answer:
    """Read one more tile while nobody waits. Answer: `more`, whether to ask again."""
    view, side = view_of(explored, question["view"]), side_of(question["side"])
    return {"more": explored.read_ahead(view, side)}, []


def overview(explored: ExploredPhoto, question: Mapping[str, Any]) -> Answer:
    """Return the whole photo, small."""
    return {}, [encoded(explored.thumbnail(OVERVIEW), lossless=True)]


def xray(explored: ExploredPhoto, question: Mapping[str, Any]) -> Answer:
    """Take the query of one point apart.

    Question: `side`, `coord`, `cell`. Answer: the fields of `Explanation`; `pixels`, the 4 × 4
    photo pixels around the codes, from row and column `corner` on.
    """
    y, x = question["coord"]
    height, width = question["cell"]
    found = explored.explain(side_of(question["side"]), (y, x), (height, width))
    row, col = (min(getattr(c, name) for c in found.codes) - 1 for name in ("row", "col"))
    around = explored.pixels(range(row, row + 4), range(col, col + 4))
    return {
        "codes": [vars(code) for code in found.codes],
        "colour": found.colour,
        "local_colour": found.local_colour,
        "chance": found.chance and told(found.chance),
        "corner": [row, col],
        "pixels": around,
    }, []


def told(chance: Chance) -> dict[str, Any]:
    """Return what noise has to do with a colour, as JSON values."""
    read = [{**one.lattice._asdict(), "value": one.value} for one in chance.read]
    return {**vars(chance), "read": read}


def strip(explored: ExploredPhoto, question: Mapping[str, Any]) -> Answer:
    """Return some rows of what the screen shows, at any size, without loss.

    Question: `view`, `left` and `right` (sides), `split` (0 … 1, of the picture's width), `size`
    (height, width of the whole picture) and `rows` (first, after the last). The strip's PNG says
    who makes the picture, as a result of `liif zoom` does.
    """
    view = view_of(explored, question["view"])
    rows = range(*question["rows"])
    sides = side_of(question["left"]), side_of(question["right"])
    picture = encoded(print_strip(explored, view, sides, question, rows), lossless=True)
    return {}, [with_chunks(picture, chunks_of(explored, view, sides, question))]


def print_strip(
    explored: ExploredPhoto,
    view: Viewport,
    sides: tuple[Side, Side],
    form: Mapping[str, Any],
    rows: range,
) -> np.ndarray:
    """Return some rows of a picture of what a view shows, of any size: (rows, width, 3) uint8.

    Args:
        sides: left and right of the split.
        form: `size` (height, width) of the picture, and `split`, 0 … 1 of its width.
    """
    height, width = form["size"]
    shown = view.grid()
    as_shown = (height, width) == (shown.height, shown.width)
    grid = shown if as_shown else OutputGrid(height, width, shown.box)
    magnification = view.magnification * width / shown.width
    middle = round(form["split"] * width)
    parts = [
        explored.part(grid, side, rows, cols, explored.asks(side, magnification))
        for side, cols in zip(sides, (range(middle), range(middle, width)), strict=True)
        if len(cols)
    ]
    return np.concatenate(parts, axis=1)


def view_of(explored: ExploredPhoto, view: Mapping[str, Any]) -> Viewport:
    """Return a viewport from JSON values: `centre`, `magnification`, `screen`."""
    height, width = view["screen"]
    y, x = view["centre"]
    return Viewport(explored.size, (height, width), (y, x), view["magnification"])


def side_of(side: Mapping[str, Any]) -> Side:
    """Return a side from JSON values."""
    return Side(**side)


def encoded(picture: np.ndarray, lossless: bool) -> bytes:
    """Return a picture as PNG or JPEG, quickly: it is on its way to the same machine."""
    buffer = io.BytesIO()
    image = Image.fromarray(picture)
    if lossless:
        image.save(buffer, "PNG", compress_level=1)
    else:
        image.save(buffer, "JPEG", quality=85, subsampling=0)
    return buffer.getvalue()


def printed(
    explored: ExploredPhoto,
    view: Viewport,
    sides: tuple[Side, Side],
    split: float,
    width: int | None = None,
) -> np.ndarray:
    """Return what a screen shows, both sides, without marks.

    Args:
        explored: the photo and its methods.
        view: where the screen stands.
        sides: what stands left and right of the split.
        split: 0 … 1 of the screen's width; 0 shows the right side alone.
        width: of the result in pixels; the screen's if None.

    Returns:
        (H, W, 3) uint8; beside a photo that does not fill the screen nothing is added.

    Raises:
        LiifError: a width below 1.
    """
    grid = view.grid()
    across = grid.width if width is None else width
    if across < 1:
        raise LiifError(f"a picture is at least 1 pixel wide, not {across}")
    down = max(1, round(grid.height * across / grid.width))
    span = view.spans()[1]
    within = (round(split * view.screen[1]) - span.first) / span.count
    form = {"size": (down, across), "split": min(max(within, 0.0), 1.0)}
    return print_strip(explored, view, sides, form, range(down))
