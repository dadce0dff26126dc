"""ZoomExplorer with its engine in the page, in JupyterLab; saved, and opened without a kernel."""

import base64
import io
import json
import time
from typing import Any

import numpy as np
import pytest
from browsers import expect
from PIL import Image

pytest.importorskip("anywidget", reason="the widgets need anywidget: pip install '.[lab]'")

from liif_core.explorer import Viewport
from liif_core.render import ContinuousPhoto
from liif_core.samples import sample_photo
from liif_core.weights import load_model
from liif_core.widgets import ZoomExplorer
from liif_core.widgets.still_widget import LIVING
from liif_core.widgets.zoom_explorer import LIVING_VALUES

SCREEN = (120, 160)
EXPLORER = f"""
import json
from liif_core import load_model
from liif_core.samples import sample_photo
from liif_core.widgets import ZoomExplorer
explorer = ZoomExplorer(sample_photo("portrait", 96), load_model("liif-edsr-small", "cpu"),
                        alt="A portrait.", screen={SCREEN}, engine="browser")
asked = []
explorer.on_msg(lambda widget, content, buffers: asked.append(content.get("type")))
explorer.compare(split=0)
explorer.look(8, (-0.4, 0.1))
explorer
"""
STATE = "print(json.dumps([explorer.view, explorer.own_photo, asked]))"
OTHER = "explorer.show_photo(sample_photo('cat', 80))"
PIXELS = """(canvas) => [canvas.height, canvas.width, Array.from(
  canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)]"""
DROP = """
([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name));
  document.querySelector(".liif-stage").dispatchEvent(
    new DragEvent("drop", { dataTransfer: files, bubbles: true }));
}
"""


def settle(page: Any) -> None:
    page.locator(".liif-stage").first.scroll_into_view_if_needed()  # out of sight it rests
    page.wait_for_timeout(100)
    page.locator(".liif-stage[aria-busy=false]").first.wait_for(timeout=60_000)


def check(page: Any, photo: np.ndarray, view: dict[str, Any]) -> None:
    """Assert that the picture is what render.py makes, of weights in float16."""
    height, width, flat = page.locator(".liif-picture").first.evaluate(PIXELS)
    seen = np.array(flat, np.uint8).reshape(height, width, 4)[..., :3].astype(int)
    shown = Viewport(photo.shape[:2], (height, width), tuple(view["centre"]), view["magnification"])
    source = ContinuousPhoto(load_model("liif-edsr-small", "cpu"), photo.astype(np.float32) / 255)
    expected = source.viewport(shown.centre, shown.magnification, *shown.screen).clip(0, 1)
    apart = np.abs(seen - (expected * 255).round())
    assert apart.max() <= 2
    assert (apart <= 1).mean() >= 0.999


def test_python_is_asked_nothing_and_a_saved_notebook_lives(
    open_notebook: Any, new_page: Any, server: Any
) -> None:
    shown = open_notebook(EXPLORER, STATE, OTHER, "explorer.look(5)")
    page = shown.page
    state = lambda: (shown.run(1), json.loads(shown.output(1)))[1]  # noqa: E731
    shown.run(0)
    page.locator(".liif-zoom").wait_for()
    settle(page)
    portrait = sample_photo("portrait", 96)
    view, own, asked = state()
    check(page, portrait, view)
    page.get_by_role("button", name="zoom in").click()
    page.wait_for_timeout(400)  # the view is told once it rests
    settle(page)
    nearer, own, asked = state()
    assert nearer["magnification"] == pytest.approx(10)
    assert (own, asked) == (False, [])
    check(page, portrait, nearer)
    page.keyboard.press("Control+s")
    file = next(server.folder.glob("test_python_is_asked*.ipynb"))
    deadline = time.monotonic() + 30
    while LIVING not in file.read_text():
        assert time.monotonic() < deadline, "not saved"
        time.sleep(0.1)
    assert file.stat().st_size < 1_000_000

    shown.run(2)  # Python shows another photo
    page.wait_for_function("document.querySelector('.liif-readout').textContent.includes('×2.00')")
    settle(page)
    shown.run(3)
    page.wait_for_function("document.querySelector('.liif-readout').textContent.includes('×5.00')")
    settle(page)
    check(page, sample_photo("cat", 80), state()[0])
    buffer = io.BytesIO()
    Image.fromarray(portrait).save(buffer, "PNG")
    page.evaluate(DROP, ["mine.png", base64.b64encode(buffer.getvalue()).decode()])
    page.wait_for_function("document.querySelector('.liif-readout').textContent.includes('×1.25')")
    settle(page)
    page.wait_for_timeout(400)
    _, own, asked = state()
    assert own  # it stays in the page
    assert asked == []

    server.stop_kernels()
    again = new_page()
    again.goto(f"{server.url}/lab/tree/{file.name}?reset")
    again.locator(".liif-zoom").wait_for()  # alive, by what the notebook holds
    settle(again)
    expect(again.get_by_alt_text("A portrait. LIIF")).to_be_hidden()
    again.get_by_role("button", name="zoom in").click()
    settle(again)
    assert again.locator(".liif-note").all_inner_texts() == [""] * 4


# What Jupyter would share, on a page without it; bytes arrive as views of buffers.
FALLBACK = """
async ([text, state, parts]) => {
  const view = (text) => new DataView(
    Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const weights = { LIIF: view(parts.weights) };
  state.photo_file = view(parts.photo);
  const kernels = { plain: view(parts.plain), relaxed: view(parts.relaxed) };
  state.parts = { kernels, worker: parts.worker, weights };
  const asked = (window.asked = []);
  const model = { get: (name) => state[name], set() {}, save_changes() {}, on() {}, off() {},
    send: (question) => asked.push(question.type) };
  WebAssembly.compile = () => Promise.reject(new WebAssembly.CompileError("no"));
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const widget = await (await import(url)).default();
  await widget.initialize({ model });
  const el = document.createElement("div");
  document.body.append(el);
  await widget.render({ model, el });
}
"""


def test_python_answers_where_a_browser_lacks_what_the_engine_needs(new_page: Any) -> None:
    explorer = ZoomExplorer(
        sample_photo("portrait", 40), load_model("liif-edsr-small", "cpu"), engine="browser"
    )
    state = {name: getattr(explorer, name) for name in ("photo", "methods", "version", "alt")}
    state |= {name: getattr(explorer, name) for name in LIVING_VALUES}
    text = lambda data: base64.b64encode(data).decode()  # noqa: E731
    sent = explorer.parts
    parts = {
        "weights": text(sent["weights"]["LIIF"]),
        **{build: text(kernel) for build, kernel in sent["kernels"].items()},
        "worker": sent["worker"],
        "photo": text(explorer.photo_file),
    }
    page = new_page(offline=True)
    page.set_content("<!doctype html><html><body></body></html>")
    page.evaluate(FALLBACK, [explorer._esm, state, parts])
    page.get_by_text(
        "Python answers here, not this page. This browser lacks WebAssembly"
    ).wait_for()
    page.wait_for_function("asked.includes('frame')")
