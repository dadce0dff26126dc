"""ZoomExplorer, in a real JupyterLab: hands, pixels, split, X-ray, files, and what goes wrong."""

import io
import json
import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from browsers import expect
from PIL import Image

from liif_core.ablation import ablated
from liif_core.baselines import resize
from liif_core.explorer import Viewport
from liif_core.render import ContinuousPhoto
from liif_core.samples import sample_photo
from liif_core.weights import load_model
from liif_core.xray import explain_query

SCREEN = (240, 320)
LONGEST = 96
EXPLORER = f"""
import json, torch
torch.set_num_threads(1)
from liif_core import load_model
from liif_core.samples import sample_photo
from liif_core.widgets import ZoomExplorer
photo = sample_photo("portrait", {LONGEST})
explorer = ZoomExplorer(
    photo, load_model("liif-edsr-small", "cpu"), alt="A portrait.", screen={SCREEN}
)
asked = []
explorer.on_msg(lambda widget, content, buffers: asked.append(content["type"]))
explorer
"""
STATE = "print(json.dumps([explorer.view, explorer.split, explorer.point, explorer.photo]))"

PIXELS = """(canvas) => Array.from(
  canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)"""


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return sample_photo("portrait", LONGEST)


@pytest.fixture(scope="module")
def model() -> Any:
    return load_model("liif-edsr-small", "cpu")


class Hands:
    """The first explorer of a notebook, and what a reader does to it."""

    def __init__(self, shown: Any) -> None:
        self.shown, self.page = shown, shown.page
        self.root = shown.page.locator(".liif-zoom").first
        self.marks = self.root.locator(".liif-marks")
        self.settle()

    def settle(self) -> None:
        """Wait until the full frames are drawn."""
        self.page.wait_for_timeout(50)
        self.root.locator(".liif-stage[aria-busy=false]").wait_for(timeout=60_000)

    def at(self, y: float, x: float) -> tuple[float, float]:
        """Return where on the page a place of the picture lies, both from 0 to 1."""
        self.marks.scroll_into_view_if_needed()
        self.page.wait_for_timeout(150)  # Notebook 7 scrolls on for a moment
        box = self.marks.bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def wheel(self, y: float, x: float, *turns: int) -> None:
        self.page.mouse.move(*self.at(y, x))
        for turn in turns:
            self.page.mouse.wheel(0, turn)
            self.page.wait_for_timeout(20)
        self.settle()

    def pixels(self) -> np.ndarray:
        """Return the picture on screen, (H, W, 3), the marks left out."""
        canvas = self.root.locator(".liif-picture")
        height, width = canvas.evaluate("(canvas) => [canvas.height, canvas.width]")
        flat = np.array(canvas.evaluate(PIXELS), np.uint8)
        return flat.reshape(height, width, 4)[..., :3]

    def state(self, cell: int = 1) -> tuple[Viewport, float, Any, dict[str, Any]]:
        """Return what the kernel knows: view, split, point and photo."""
        self.page.wait_for_timeout(400)  # the view is told once it rests
        self.shown.run(cell)
        self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea-output").wait_for()
        view, split, point, photo = json.loads(self.shown.output(cell))
        size = (photo["height"], photo["width"])
        return (
            Viewport(size, SCREEN, tuple(view["centre"]), view["magnification"]),
            split,
            point,
            photo,
        )


@pytest.fixture
def explore(open_notebook: Any) -> Any:
    """Return a function that opens a notebook and runs an explorer in its first cell."""

    def open_explorer(*cells: str, source: str = EXPLORER, **options: Any) -> Hands:
        shown = open_notebook(source, *(cells or (STATE,)), **options)
        shown.run()
        return Hands(shown)

    return open_explorer


def rendered(model: Any, photo: np.ndarray, view: Viewport) -> np.ndarray:
    """Return what render.py makes of a view that fills the screen: floats in [0, 1]."""
    source = ContinuousPhoto(model, photo.astype(np.float32) / 255)
    return source.viewport(view.centre, view.magnification, *view.screen).clip(0, 1)


def bicubic(photo: np.ndarray, view: Viewport) -> np.ndarray:
    grid = view.grid()
    return resize(photo, grid.height, grid.width, "bicubic", box=grid.box)


def check_halves(hands: Hands, view: Viewport, split: float, left: Any, right: Any) -> None:
    """Assert that each side of the split shows its picture, within 2/255."""
    found, middle = hands.pixels() / 255, round(split * SCREEN[1])
    assert found.shape[:2] == SCREEN
    assert np.abs(found[:, :middle] - left[:, :middle]).max(initial=0) <= 2 / 255
    assert np.abs(found[:, middle:] - right[:, middle:]).max(initial=0) <= 2 / 255


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_wheel_drag_and_double_click(
    explore: Any, app: str, photo: Any, model: Any, record_property: Any
) -> None:
    hands = explore(app=app)
    whole, *_ = hands.state()
    assert whole.magnification == whole.least
    hands.wheel(0.3, 0.6, *[-120] * 6, -31, -7)
    closer, split, *_ = hands.state()
    # What the browser reckons is what viewport.py reckons from the same turns of the wheel.
    expected = whole
    for turn in [120] * 6 + [31, 7]:
        factor = math.exp(turn * 0.0016)
        expected = expected.zoomed(factor, (0.3 * SCREEN[0], 0.6 * SCREEN[1]))
    assert closer.magnification == pytest.approx(expected.magnification, rel=1e-6)
    assert closer.centre == pytest.approx(expected.centre, abs=8e-3)  # the mouse stands on a pixel
    check_halves(hands, closer, split, bicubic(photo, closer) / 255, rendered(model, photo, closer))

    hands.page.mouse.move(*hands.at(0.8, 0.8))
    hands.page.mouse.down()
    hands.page.mouse.move(*hands.at(0.7, 0.7), steps=4)
    hands.page.mouse.move(*hands.at(0.55, 0.6), steps=4)
    hands.page.mouse.up()
    hands.settle()
    moved, split, point, _ = hands.state()
    assert point is None  # a drag is no click
    assert moved.centre == pytest.approx(
        closer.panned(0.25 * SCREEN[0], 0.2 * SCREEN[1]).centre, abs=6e-3
    )
    check_halves(hands, moved, split, bicubic(photo, moved) / 255, rendered(model, photo, moved))
    stage = hands.root.locator(".liif-stage")
    for step in ("coarse", "full"):
        record_property(f"{step}_seconds", stage.get_attribute(f"data-right-{step}-seconds"))

    hands.page.mouse.dblclick(*hands.at(0.5, 0.8))
    hands.settle()
    again, _, point, _ = hands.state()
    assert again == whole
    assert point is None


def test_the_photos_pixels_are_drawn_over_it_on_demand(explore: Any) -> None:
    source = EXPLORER.replace("screen=", "grid=False, screen=").rstrip()
    hands = explore(source=source.removesuffix("explorer") + "explorer.look(12)\nexplorer")
    hands.settle()
    marks = hands.root.locator(".liif-marks")
    inked = """(canvas) => {
      const ink = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return ink.filter((value, index) => index % 4 === 3 && value > 0).length;
    }"""
    bare = marks.evaluate(inked)
    hands.root.get_by_label("pixels").check()
    assert marks.evaluate(inked) > bare + 1000


def test_two_fingers(explore: Any) -> None:
    hands = explore(STATE, "explorer.look(10, (0.1, 0.1))")
    hands.shown.run(2)
    hands.settle()
    before, *_ = hands.state()
    session = hands.page.context.new_cdp_session(hands.page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [dict(zip("xy", hands.at(*place), strict=True)) for place in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (0.4, 0.4), (0.6, 0.6))
    touch("touchMove", (0.4, 0.4), (0.7, 0.7))
    touch("touchMove", (0.4, 0.4), (0.8, 0.8))
    touch("touchEnd")
    hands.settle()
    after, _, point, _ = hands.state()
    assert point is None
    assert after.magnification == pytest.approx(20, rel=0.02)
    # What lay between the fingers still does.
    assert after.coord_at(144, 192) == pytest.approx(before.coord_at(120, 160), abs=0.02)


def test_keys(explore: Any, photo: Any, model: Any) -> None:
    hands = explore()
    hands.state()
    cells = hands.page.locator(".jp-CodeCell").count()
    hands.marks.focus()
    for key in ["+", "=", "+", "-", "_", "+", "+", "ArrowRight", "ArrowDown", "Shift+ArrowLeft"]:
        hands.page.keyboard.press(key)
    hands.settle()
    view, split, *_ = hands.state()
    expected = Viewport(photo.shape[:2], SCREEN)
    for factor in (1.25, 1.25, 1.25, 0.8, 0.8, 1.25, 1.25):
        expected = expected.zoomed(factor)
    for by in ((0, 32), (24, 0), (0, -160)):
        expected = expected.panned(*by)
    assert view.centre == pytest.approx(expected.centre)
    assert view.magnification == pytest.approx(expected.magnification)
    check_halves(hands, view, split, bicubic(photo, view) / 255, rendered(model, photo, view))

    hands.marks.focus()
    hands.page.keyboard.press("Enter")
    hands.root.locator(".liif-sum").wait_for()
    assert hands.state()[2] == pytest.approx(view.coord_at(120, 160))
    hands.marks.focus()
    hands.page.keyboard.press("Escape")
    hands.root.get_by_text("Click a point of the picture").wait_for()
    assert hands.state()[2] is None
    hands.marks.focus()
    for _ in range(40):
        hands.page.keyboard.press("+")
    hands.settle()
    assert hands.state()[0].magnification == 64
    assert "×64.00" in hands.root.locator(".liif-readout").inner_text()
    hands.marks.focus()
    hands.page.keyboard.press("0")
    hands.settle()
    assert hands.state()[0] == Viewport(photo.shape[:2], SCREEN)
    # No key went to the notebook, where some of them make cells.
    assert hands.page.locator(".jp-CodeCell").count() == cells


def test_split_and_methods(explore: Any, photo: Any, model: Any) -> None:
    hands = explore(STATE, "explorer.look(12, (-0.5, 0.1))")
    hands.shown.run(2)
    hands.settle()
    handle = hands.root.get_by_role("slider", name="where the picture is split")
    hands.at(0, 0)  # in sight
    box = handle.bounding_box()
    hands.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    hands.page.mouse.down()
    hands.page.mouse.move(hands.at(0.1, 0.25)[0], box["y"] + 30, steps=3)
    hands.page.mouse.up()
    hands.settle()
    view, split, *_ = hands.state()
    assert split == pytest.approx(0.25, abs=0.01)
    check_halves(hands, view, split, bicubic(photo, view) / 255, rendered(model, photo, view))

    hands.root.get_by_label("Left of the split: method").select_option("nearest")
    handle.focus()
    hands.page.keyboard.press("ArrowRight")
    hands.settle()
    hands.state()  # a second change waits in the browser until the kernel has the first
    handle.press("ArrowRight")
    hands.settle()
    view, moved, *_ = hands.state()
    assert moved == pytest.approx(split + 0.04)
    grid = view.grid()
    nearest = resize(photo, grid.height, grid.width, "nearest", box=grid.box) / 255
    check_halves(hands, view, moved, nearest, rendered(model, photo, view))
    assert re.match("nearest left, LIIF right", handle.get_attribute("aria-valuetext"))

    handle.press("Home")  # yet within reach
    hands.settle()
    assert hands.state()[1] == 0.03
    hands.root.get_by_label("split", exact=True).uncheck()
    hands.settle()
    view, none, *_ = hands.state()
    assert none == 0
    check_halves(hands, view, 0, nearest, rendered(model, photo, view))
    expect(handle).to_be_hidden()


@pytest.mark.parametrize("switch", ["local ensemble", "cell decoding", "feature unfolding"])
def test_switches_act_on_the_same_view(explore: Any, photo: Any, model: Any, switch: str) -> None:
    hands = explore(STATE, "explorer.look(9, (-0.4, 0.2)); explorer.compare(right='LIIF', split=0)")
    hands.shown.run(2)
    hands.settle()
    view, *_ = hands.state()
    full = hands.pixels()
    box = hands.root.get_by_role("checkbox", name=switch)  # of the side in sight
    expect(box).to_be_checked()
    box.uncheck()
    hands.settle()
    assert hands.state()[0] == view
    variant = ablated(model, **{switch.replace(" ", "_"): False})
    check_halves(hands, view, 0, full, rendered(variant, photo, view))
    assert not np.array_equal(hands.pixels(), full)


def test_click_for_the_xray(explore: Any, photo: Any, model: Any) -> None:
    hands = explore(
        STATE, "explorer.look(20, (-0.62, 0.05))", "print(explorer.explain((0.9, 0.4)))"
    )
    hands.shown.run(2)
    hands.settle()
    row, col = 150, 230
    hands.page.mouse.click(*hands.at((row + 0.5) / SCREEN[0], (col + 0.5) / SCREEN[1]))
    hands.root.locator(".liif-sum").wait_for()
    view, _, point, _ = hands.state()
    assert point == pytest.approx(view.coord_at(row, col), abs=1e-9)
    latents = model.encode(torch.from_numpy(photo / np.float32(255)).permute(2, 0, 1)[None])
    expected = explain_query(model, latents, point, view.cell())

    def three(rgb: Any) -> str:
        return " ".join(f"{value:.3f}" for value in rgb)

    said = hands.root.locator(".liif-sum").inner_text().replace("−", "-")
    assert three(expected.colour) in said
    shown = hands.pixels()[row, col]
    assert np.abs(shown / 255 - expected.colour).max() <= 0.5 / 255 + 1e-4
    assert three(shown / 255) in said
    cards = hands.root.locator(".liif-codes article")
    assert cards.count() == 4
    for number, code in enumerate(expected.codes):
        text = cards.nth(number).inner_text().replace("−", "-").replace("+", "")
        assert f"row {code.row}, col {code.col}" in text
        assert f"{code.weight:.3f}" in text
        for rgb in (code.base, code.correction, code.answer):
            assert three([round(v, 3) + 0.0 for v in rgb]) in text
    swatch = (
        cards.nth(0)
        .locator(".liif-swatch")
        .first.evaluate("(mark) => getComputedStyle(mark).backgroundColor")
    )
    base = photo[expected.codes[0].row, expected.codes[0].col]
    assert swatch == f"rgb({base[0]}, {base[1]}, {base[2]})"

    # Switched off, the ensemble asks one code only; the X-ray follows.
    hands.root.get_by_role("checkbox", name="local ensemble").uncheck()
    hands.root.get_by_text("nearest code", exact=True).wait_for()
    assert cards.count() == 1
    # From code, the panel follows too.
    hands.shown.run(3)
    hands.root.get_by_text("asked at y +0.9000, x +0.4000").wait_for()
    # Without a model on screen there is nothing to X-ray.
    hands.root.get_by_label("Right of the split: method").select_option("bilinear")
    hands.root.get_by_text("Choose a model on one of the sides").wait_for()


def noisy_png(height: int, width: int) -> bytes:
    """Return a PNG that cannot be made small."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


DROP = """(stage, [name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name));
  stage.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true }));
}"""


def test_opening_photos(explore: Any) -> None:
    import base64

    hands = explore()
    hands.wheel(0.5, 0.5, *[-120] * 6)
    before = hands.state()
    pixels = hands.pixels()
    chooser = hands.root.locator("input[type=file]")

    broken = noisy_png(100, 100)[:5000]
    chooser.set_input_files({"name": "broken.png", "mimeType": "image/png", "buffer": broken})
    hands.root.get_by_text("broken.png: broken or cut off").wait_for()
    chooser.set_input_files({"name": "no.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"})
    hands.root.get_by_text("no.jpg: not a picture").wait_for()
    hands.settle()
    assert hands.state() == before
    np.testing.assert_array_equal(hands.pixels(), pixels)

    large = noisy_png(700, 800)  # sent in two parts
    assert len(large) > 1 << 20
    chooser.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": large})
    hands.root.locator(".liif-readout", has_text="below ×1").wait_for()
    hands.settle()
    view, _, _, photo = hands.state()
    assert (photo["height"], photo["width"], photo["name"]) == (700, 800, "mine")
    assert view.magnification == view.least
    assert hands.marks.get_attribute("aria-label").startswith("A photo of yours, mine.png.")
    assert hands.root.get_by_text("no.jpg").count() == 0

    album = io.BytesIO()
    first, second = Image.new("RGB", (60, 40)), Image.new("RGB", (9, 9))
    first.save(album, "TIFF", save_all=True, append_images=[second])
    pages = {"name": "album.tif", "mimeType": "image/tiff", "buffer": album.getvalue()}
    chooser.set_input_files(pages)
    hands.root.get_by_text("album.tif: page 1 of 2 is read").wait_for()

    tiny = base64.b64encode(noisy_png(1, 1)).decode()
    hands.root.locator(".liif-stage").evaluate(DROP, ["dropped.png", tiny])
    hands.root.locator(".liif-readout", has_text="×240.00").wait_for()
    hands.settle()
    assert hands.state()[3]["name"] == "dropped"
    colour = Image.open(io.BytesIO(noisy_png(1, 1))).getpixel((0, 0))
    assert np.abs(hands.pixels()[120, 60].astype(int) - colour).max() <= 1  # bicubic


def test_saving(explore: Any, tmp_path: Path) -> None:
    hands = explore(STATE, "explorer.look(7, (-0.5, 0.1)); explorer.compare(split=0.3)")
    hands.shown.run(2)
    hands.settle()
    hands.root.get_by_role("button", name="save what is on screen").click()
    with hands.page.expect_download() as saved:
        hands.root.get_by_role("button", name="Save PNG").click()
    assert saved.value.suggested_filename == "view_x7.png"
    saved.value.save_as(tmp_path / "screen.png")
    found = np.asarray(Image.open(tmp_path / "screen.png").convert("RGB"))
    np.testing.assert_array_equal(found, hands.pixels())

    hands.root.get_by_label("width in centimetres").fill("8")
    hands.root.get_by_label("dots per inch").fill("200")
    hands.root.get_by_text("= 630 × 473 pixels").wait_for()
    with hands.page.expect_download() as saved:
        hands.root.get_by_role("button", name="Save PNG").click()
    hands.root.get_by_text("Saved: view_x7.png, 630 × 473 pixels.").wait_for()
    saved.value.save_as(tmp_path / "print.png")
    assert Image.open(tmp_path / "print.png").size == (630, 473)

    hands.root.get_by_label("dots per inch").fill("1200")
    hands.root.get_by_role("button", name="Save PNG").click()
    hands.root.locator("progress").wait_for()
    hands.root.get_by_role("button", name="Cancel").click()
    hands.root.get_by_text("Cancelled; nothing was saved.").wait_for()
    hands.root.get_by_label("width in centimetres").fill("190")
    hands.root.get_by_role("button", name="Save PNG").click()
    hands.root.get_by_text("more than a browser can put together").wait_for()
    hands.wheel(0.5, 0.5, -120)  # and the explorer goes on
    said = hands.root.get_by_role("group", name="Save what is on screen").get_by_role("status")
    expect(said).to_be_empty()  # that was of another view


def test_nothing_is_drawn_while_hidden(explore: Any) -> None:
    hands = explore("asked.clear(); explorer.look(11, (0.2, 0.2))", "print(asked)")
    hands.page.wait_for_timeout(3000)  # reading ahead ends
    hands.page.locator(".jp-CodeCell .jp-OutputCollapser").first.click()
    hands.marks.wait_for(state="hidden")
    hands.shown.run(1)
    hands.page.wait_for_timeout(1500)
    hands.shown.run(2)
    assert "[]" in hands.shown.output(2)
    hands.page.locator(".jp-CodeCell .jp-OutputPlaceholder").first.click()
    hands.root.locator(".liif-readout", has_text="×11.00").wait_for()
    hands.settle()
    hands.shown.run(2)
    assert "frame" in hands.shown.output(2)


def test_a_kernel_that_dies_with_a_frame_in_flight(explore: Any) -> None:
    die = "import os; explorer._session.explored.picture = lambda *rest: os._exit(1)"
    hands = explore(die, "'as new'")
    before = hands.pixels()
    hands.shown.run(1)
    hands.page.mouse.move(*hands.at(0.5, 0.5))
    hands.page.mouse.wheel(0, -240)
    hands.page.locator(".jp-Dialog").get_by_role("button", name="Ok").click()
    hands.root.get_by_text("No answer from the kernel").wait_for()
    hands.page.mouse.move(*hands.at(0.4, 0.5))
    hands.page.mouse.wheel(0, -240)  # what was drawn last still follows the hand
    hands.page.wait_for_timeout(200)
    assert not np.array_equal(hands.pixels(), before)
    expect(hands.root.locator(".liif-readout")).to_be_visible()
    hands.shown.errors.clear()  # Jupyter's own, about the dead kernel

    hands.shown.run(2)
    hands.shown.run(0)  # run again: as new
    Hands(hands.shown).wheel(0.5, 0.5, -120)


PREDICT = """
from liif_core.widgets import Predict
Predict("Which?", ["this", "that"], answer=1, explain="That.")
"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_picture_and_sum_are_seen_together_on_a_laptop(
    open_notebook: Any, app: str, theme: str
) -> None:
    source = EXPLORER.replace(str(SCREEN), "(480, 640)")
    shown = open_notebook(source, PREDICT, app=app, theme=theme)
    shown.page.set_viewport_size({"width": 1366, "height": 768})
    shown.run(0)
    shown.run(1)  # whose styles are loaded after the explorer's
    shown.page.locator(".liif-predict").wait_for()
    shown.page.locator(".liif-stage").scroll_into_view_if_needed()  # only what is seen is drawn
    hands = Hands(shown)
    hands.wheel(0.5, 0.5, *[-120] * 8)
    hands.page.mouse.click(*hands.at(0.5, 0.7))
    total = hands.root.locator(".liif-sum")
    total.wait_for()
    hands.root.locator(".liif-stage").evaluate("(one) => one.scrollIntoView({ block: 'start' })")
    hands.page.wait_for_timeout(300)
    room = hands.page.locator(".jp-WindowedPanel-outer").bounding_box()
    for part in (hands.root.locator(".liif-stage"), total):
        box = part.bounding_box()
        assert box["y"] >= room["y"] - 1
        assert box["y"] + box["height"] <= room["y"] + room["height"]
    stage = hands.root.locator(".liif-stage").bounding_box()
    assert total.bounding_box()["x"] > stage["x"] + stage["width"]  # beside, as the lesson says
    assert stage["width"] > 400
    cut_off = hands.root.locator(".liif-xray dd").evaluate_all(
        "(all) => all.filter((one) => one.scrollWidth > one.clientWidth).length"
    )
    assert cut_off == 0


def test_several_explorers_and_one_shown_twice(explore: Any) -> None:
    second = EXPLORER.replace("portrait", "cat").replace("explorer", "other")
    hands = explore(second, "explorer", "explorer.look(10, (0.1, 0.1))")
    for cell in (1, 2):
        hands.shown.run(cell)
    views = hands.page.locator(".liif-zoom")
    views.nth(2).scroll_into_view_if_needed()
    views.nth(2).locator(".liif-stage[aria-busy=false]").wait_for()
    hands.shown.run(3)
    for number, scale in enumerate(["×10.00", "×3.33", "×10.00"]):
        views.nth(number).scroll_into_view_if_needed()
        views.nth(number).locator(".liif-readout", has_text=scale).wait_for()
        views.nth(number).locator(".liif-stage[aria-busy=false]").wait_for()
    hands.shown.run(0)  # the cell again: a new explorer in its place
    assert hands.page.locator(".liif-zoom").count() == 3


def test_for_those_who_listen(explore: Any) -> None:
    hands = explore()
    picture = hands.root.get_by_role("application", name="A portrait. ×2.50")
    assert "+ and − zoom" in picture.get_attribute("aria-label")
    for name in ("zoom in", "zoom out", "show the whole photo"):
        assert hands.root.get_by_role("button", name=name).count() == 1
    for name in ("local ensemble", "cell decoding", "feature unfolding", "split", "pixels"):
        assert hands.root.get_by_role("checkbox", name=name, exact=True).count() == 1
    assert hands.root.locator("[role=status]").count() >= 2
    assert hands.root.get_by_label("Query X-ray").get_attribute("aria-live") == "polite"


@pytest.mark.skipif("LIIF_FIGURES" not in os.environ, reason="asked for by `make figures`")
def test_screenshots_for_the_readme(open_notebook: Any) -> None:
    folder = Path(os.environ["LIIF_FIGURES"])
    source = EXPLORER.replace(str(SCREEN), "(480, 640)").replace(str(LONGEST), "256")
    shown = open_notebook(source, "explorer.look(5, (-0.62, 0.05)); explorer.compare('nearest')")
    shown.page.set_viewport_size({"width": 1560, "height": 1300})
    shown.run(0)
    shown.run(1)
    hands = Hands(shown)
    hands.root.screenshot(path=folder / "explorer.jpg", type="jpeg", quality=88)
    for _ in range(12):
        hands.root.locator(".liif-split").press("ArrowLeft")
    hands.wheel(0.83, 0.72, *[-120] * 8)
    hands.page.mouse.click(*hands.at(0.74, 0.76))
    hands.root.locator(".liif-sum").wait_for()
    hands.page.wait_for_timeout(500)
    hands.root.screenshot(path=folder / "xray.jpg", type="jpeg", quality=88)
