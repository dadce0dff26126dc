"""One file that explains a photo: `liif explain`. It opens in a browser, and needs nothing else."""

import html
from dataclasses import dataclass
from pathlib import Path
from string import Template

from liif_core.errors import LiifError
from liif_core.explorer import Session, Side, Viewport
from liif_core.explorer.browser_weights import mark_of
from liif_core.explorer.messages import printed
from liif_core.explorer.methods import describe
from liif_core.models import Model, seed_of, title_of
from liif_core.pages.held import page_script, page_style, place, text_of, weights_script
from liif_core.photos import Photo
from liif_core.pixels import eight_bit
from liif_core.training.recipe import trained_scales
from liif_core.widgets.stills import contact_sheet, picture_file, still_figure

HERE = Path(__file__).parent
#: Bytes of the photo inside: exact as a PNG, if that is small; else a JPEG.
PNG, JPEG = 1_500_000, 30_000_000
#: What a browser is asked to hold; `widgets/static/engine/budget.js` has the same limit.
MOST_PIXELS = 50_000_000
SCREEN = (480, 640)


@dataclass(frozen=True)
class Subject:
    """What is explained.

    Attributes:
        photo: of at most `MOST_PIXELS` pixels; its transparent parts are shown on white.
        name: what it is called.
        model: one that the engine in the browser runs; see `browser_weights`.
        model_name: what that is called.
        alt: what is seen at first, for readers who cannot see it.
        centre: (y, x) in [-1, 1], where the explorer looks at first.
        magnification: at which it looks, screen pixels per photo pixel.
        point: (y, x) that is under X-ray at first, if any.
    """

    photo: Photo
    name: str
    model: Model
    model_name: str
    alt: str = ""
    centre: tuple[float, float] = (0.0, 0.0)
    magnification: float = 8.0
    point: tuple[float, float] | None = None


def explained(subject: Subject, *, text: bool = False) -> str:
    """Return an HTML page with the zoom explorer and the X-ray on a photo, alive without Python.

    Args:
        subject: the photo, and the model that zooms it.
        text: add a caption and, in three parts, the answer to how AI zooms.

    Raises:
        LiifError: the photo is too large for a browser, or the model is not one that it runs.
    """
    check_size(subject.photo.height, subject.photo.width)
    script = page_script() + weights_script(subject.model)
    explorer = explorer_of(subject)
    of_photo = f"{subject.name}, {subject.photo.width} × {subject.photo.height} pixels."
    ways = (
        f"Left of the line bicubic interpolation, right of it {title_of(subject.model)} with the "
        f"weights {subject.model_name}"
        f"{', which invent details' if seed_of(subject.model) is not None else ''}."
    )
    caption = f"<p><span data-first-photo>{html.escape(of_photo)}</span> {html.escape(ways)}</p>"
    page = Template((HERE / "explained.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=html.escape(f"How does AI zoom? {subject.name}"),
        style=page_style() + (HERE / "explained.css").read_text(encoding="utf-8"),
        explorer=explorer,
        caption=caption if text else "",
        answer=answer(invented=seed_of(subject.model) is not None) if text else "",
        script=script,
    )


def check_size(height: int, width: int) -> None:
    """Raise LiifError if a browser cannot be asked to hold a photo of so many pixels."""
    if height * width > MOST_PIXELS:
        raise LiifError(
            f"the photo has {height * width / 1e6:.0f} megapixels, a page holds "
            f"{MOST_PIXELS / 1e6:.0f}; shrink it, or cut out what matters"
        )


def answer(*, invented: bool = False) -> str:
    """Return the answer to how AI zooms, in three parts, as HTML.

    Args:
        invented: whether it stands below a zoom whose details are.
    """
    page = Template((HERE / "answer.html").read_text(encoding="utf-8"))
    worth = "worth_invented.html" if invented else "worth.html"
    return page.substitute(worth=(HERE / worth).read_text(encoding="utf-8").rstrip())


def explorer_of(subject: Subject) -> str:
    """Return the explorer's place on a page that has `page_script` and the model's weights."""
    name = title_of(subject.model)
    session = Session(subject.photo, {name: subject.model}, lambda *_: None)
    explored = session.explored
    colour = eight_bit(explored.photo.colour)
    picture = picture_file(colour, png=PNG, jpeg=JPEG)
    if picture is None:
        raise LiifError(f"the photo needs more than {JPEG / 1e6:.0f} MB on a page; shrink it")
    view = Viewport(explored.size, SCREEN, subject.centre, subject.magnification)
    sides = Side("bicubic"), Side(name)
    seen = f"×{view.magnification:g}"
    alt = subject.alt or f"A part of the photo {subject.name}."  # the explorer says how large
    values = {
        "view": {"centre": list(subject.centre), "magnification": view.magnification},
        "left": vars(sides[0]),
        "right": vars(sides[1]),
        "screen": list(SCREEN),
        "trained": list(trained_scales(subject.model.weights_name)),
        "alt": alt,
        "grid": False,
        "point": list(subject.point) if subject.point else None,
    }
    living = {
        "photo": text_of(picture),
        "name": subject.name,
        "models": {name: mark_of(subject.model)},
        "values": values,
    }
    still = printed(explored, view, sides, split=0.5)
    ways = f"{seen}, bicubic | {describe(sides[1], explored.models)}"
    shown = still_figure(contact_sheet([still]), f"{alt} {seen}.", ways)
    return place("explorer", living, shown)
