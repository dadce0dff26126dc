"""The zoom explorer: a photo under the reader's hand, and the X-ray of any point of it."""

import html
import operator
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from liif_core.errors import LiifError
from liif_core.explorer import Session, Side, Viewport
from liif_core.explorer.browser_weights import mark_of
from liif_core.explorer.messages import printed
from liif_core.explorer.methods import check_models, checked_side, describe, methods_of, sides_at
from liif_core.models import Model, title_of
from liif_core.photos import Photo, Source, photo_from
from liif_core.pixels import eight_bit
from liif_core.widgets.assets import module, style
from liif_core.widgets.in_page import KEPT, EngineInPage, checked_engine
from liif_core.widgets.stills import as_base64, contact_sheet, picture_file, still_figure
from liif_core.xray import Explanation

#: What a page without a kernel is told of an explorer's values.
LIVING_VALUES = ("view", "left", "right", "split", "point", "screen", "trained", "alt", "grid")


class ZoomExplorer(EngineInPage):
    """A photo that is zoomed by wheel, fingers or keys, from the whole up to ×64.

    On each side of a movable split stands one method: nearest, bilinear, bicubic, or a LIIF with
    any of its parts switched off. A click X-rays a point. Whatever the hand does, code does too:
    `look`, `compare`, `explain`; `picture` returns what is on screen.

    Args:
        photo: a path, PIL image or array; see `photo_from`. Transparent parts are shown on white.
        model: a model of any kind, or several by name. The first is shown.
        alt: what the photo shows, for readers who cannot see it.
        screen: (height, width) of the picture in pixels; narrower where the page is.
        trained: the magnifications that the models were trained for.
        grid: whether the photo's pixels and their latent codes are drawn over the picture at first,
            from ×6 on; the reader can switch them on and off.
        engine: "python", or "browser", where one server has many readers or is far away: then the
            page computes all, with weights in float16. What a reader opens stays in the page.
        kept: with engine="browser", bytes that a saved notebook may keep so that the explorer lives
            there without a kernel; a warning says when they are too few.

    Raises:
        LiifError: a photo that cannot be read or is too large for a page, no model, one that a page
            cannot run, or a name that a baseline has.
    """

    _esm = module("zoom_explorer.js")
    _css = style("zoom_explorer.css")
    kind = "explorer"

    def __init__(
        self,
        photo: Source,
        model: Model | Mapping[str, Model],
        *,
        alt: str = "A photo.",
        screen: tuple[int, int] = (480, 640),
        trained: tuple[float, float] = (1, 4),
        grid: bool = True,
        engine: str = "python",
        kept: int = KEPT,
    ) -> None:
        models = {title_of(model): model} if isinstance(model, Model) else dict(model)
        check_models(models)
        rows, cols = checked_screen(screen)
        opened = photo_from(photo)
        here = checked_engine(engine) == "python"
        in_page = {} if here else self._begin_in_page(opened, models, kept)
        self._models = models
        self._session = Session(opened, models, self.show_photo)
        super().__init__(
            view={"centre": [0.0, 0.0], "magnification": 0.0},
            left=vars(Side("bicubic")),
            right=vars(Side(next(iter(models)))),
            photo=self._described(name_of(photo)),
            methods=methods_of(models),
            screen=[rows, cols],
            trained=list(trained),
            alt=alt,
            grid=grid,
            **in_page,
        )
        self.on_msg(self._receive)

    def look(
        self, magnification: float | None = None, centre: tuple[float, float] | None = None
    ) -> Viewport:
        """Move the view, as the reader's hand does; what is not given stays.

        Args:
            magnification: screen pixels per photo pixel; kept between the whole photo and ×64.
            centre: (y, x) in [-1, 1] of the screen's middle; kept where the screen stays within
                the photo.

        Returns:
            the `Viewport` that came of it.
        """
        view = self.viewport
        if magnification is not None:
            view = replace(view, magnification=magnification)
        if centre is not None:  # which the magnification before may not have allowed
            view = replace(view, centre=centre)
        shown = 0.0 if view.magnification == view.least else view.magnification
        self.view = {"centre": list(view.centre), "magnification": shown}
        return view

    @property
    def viewport(self) -> Viewport:
        """Where the screen stands, on a screen of the size asked for."""
        (height, width), (y, x) = self.screen, self.view["centre"]
        size = self._session.explored.size
        return Viewport(size, (height, width), (y, x), self.view["magnification"])

    def compare(
        self,
        left: str | Side | None = None,
        right: str | Side | None = None,
        split: float | None = None,
    ) -> None:
        """Choose what stands on the two sides, and where the split is; what is not given stays.

        Args:
            left, right: a method's name, or a `Side` with parts switched off, or from a seed.
            split: 0 … 1 of the screen's width; 0 shows the right side alone.

        Raises:
            LiifError: no such method, a seed that it does not take, or a split outside 0 … 1.
        """
        for name, side in (("left", left), ("right", right)):
            if side is not None:
                setattr(self, name, vars(checked_side(side, self._models)))
        if split is not None:
            if not 0 <= split <= 1:
                raise LiifError(f"the split stands between 0 and 1 of the width, not at {split:g}")
            self.split = float(split)

    def explain(self, coord: tuple[float, float], side: str | Side | None = None) -> Explanation:
        """X-ray a point, as a click does, for a pixel of the size that the screen has now.

        Args:
            coord: (y, x) in [-1, 1].
            side: which model; if None, that of the side which shows the point, or the other's.

        Raises:
            LiifError: a point outside the photo, no model to ask, or a photo opened in the page.
        """
        self._check_photo()
        y, x = (float(value) for value in coord)
        shown = Side(**self.left), Side(**self.right)
        given = Side(side) if isinstance(side, str) else side
        asked = (given,) if given else sides_at((y, x), self.viewport, shown, self.split)
        chosen = next((one for one in asked if one.method in self._models), None)
        if chosen is None:
            raise LiifError(f"only a LIIF can be X-rayed: {', '.join(self._models)}")
        found = self._session.explored.explain(chosen, (y, x), self.viewport.cell())
        self.point = [y, x]
        return found

    def picture(self, width: int | None = None) -> np.ndarray:
        """Return what is on screen, both sides, without marks.

        Args:
            width: of the result in pixels: the screen's, or larger for a print.

        Returns:
            (H, W, 3) uint8; beside a photo that does not fill the screen nothing is added.

        Raises:
            LiifError: the page shows a photo that was opened there.
        """
        self._check_photo()
        across = None if width is None else operator.index(width)
        sides = Side(**self.left), Side(**self.right)
        return printed(self._session.explored, self.viewport, sides, self.split, across)

    def show_photo(self, photo: Source | Photo, name: str | None = None) -> None:
        """Show another photo, whole.

        Args:
            photo: as for the class, or what `photo_from` returned.
            name: what saved views are called after; the file's own name if None.

        Raises:
            LiifError: it cannot be read; then all stays as it was.
        """
        opened = photo if isinstance(photo, Photo) else photo_from(photo)
        file = self._file_for_page(opened)
        self._session.show(opened)
        with self.hold_sync():
            self.own_photo = False
            self.point = None  # type: ignore[assignment]
            self.view = {"centre": [0.0, 0.0], "magnification": 0.0}
            self.photo = self._described(name_of(photo) if name is None else name)
            self.photo_file = file

    def _described(self, name: str) -> dict[str, Any]:
        """Return what the browser learns of the photo."""
        height, width = self._session.explored.size
        return {"height": height, "width": width, "name": name, "number": self._session.number}

    def _receive(self, _widget: object, content: dict[str, Any], buffers: list[Any]) -> None:
        self.send(*self._session.answer(content, buffers))

    def __repr__(self) -> str:
        height, width = self._session.explored.size
        return f"ZoomExplorer(photo of {width}×{height} pixels, {', '.join(self._models)})"

    def living(self) -> dict[str, Any] | None:
        """Return the photo, what is on screen and by which mark a page finds the weights."""
        values = {name: getattr(self, name) for name in LIVING_VALUES}
        return self._held(lambda most: living_explorer(self._session, self.photo, values, most))

    def still(self) -> str:
        """Return what is on screen as a page without a kernel shows it, and what it is."""
        try:
            picture = self.picture()
        except Exception:  # the explorer itself shows the message
            return f"<p>{html.escape(self.alt)}</p>"
        sides = [self.left, self.right] if self.split > 0 else [self.right]
        caption = caption_of([Side(**side) for side in sides], self._models, self.viewport)
        return still_figure(contact_sheet([picture]), f"{self.alt.rstrip('.')}. {caption}", caption)


def living_explorer(
    session: Session, photo: Mapping[str, Any], values: Mapping[str, Any], most: int
) -> dict[str, Any] | None:
    """Return what an explorer needs, beside weights, to live on a page without a kernel.

    The file of the photo, which is described as the browser learns it, has at most `most` bytes.

    None where the photo is too large for a notebook, or no browser's engine runs the model.
    """
    explored = session.explored
    pixels = eight_bit(explored.photo.colour)
    file = picture_file(pixels, png=most, jpeg=most)
    if file is None:
        return None
    try:
        models = {name: mark_of(model) for name, model in explored.models.items()}
    except LiifError:
        return None
    return {
        "photo": as_base64(file),
        "name": photo["name"],
        "models": models,
        "values": dict(values),
    }


def name_of(photo: Source | Photo) -> str:
    """Return what to call a photo: its file's name without ending, if it comes from one."""
    return Path(photo).stem if isinstance(photo, (str, os.PathLike)) else "view"


def caption_of(sides: Sequence[Side], models: Mapping[str, Model], view: Viewport) -> str:
    """Return in words what a screen shows, and where it stands."""
    ways = " | ".join(describe(side, models, view.magnification) for side in sides)
    return f"{ways}, {place_of(view)}"


def place_of(view: Viewport) -> str:
    """Return in words where a screen stands."""
    centre = ", ".join(f"{value + 0.0:.3f}" for value in view.centre)
    return f"×{view.magnification:.2f}, centre y, x = {centre}"


def checked_screen(screen: tuple[int, int]) -> tuple[int, int]:
    """Return the screen's (height, width); raise LiifError unless they are usable."""
    height, width = (operator.index(side) for side in screen)
    if not (40 <= height <= 4000 and 40 <= width <= 4000):
        raise LiifError(f"the screen must have 40 to 4000 pixels a side, not {width} × {height}")
    return height, width
