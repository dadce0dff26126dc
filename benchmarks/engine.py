"""How fast is the engine in the browser, beside Python's? `python benchmarks/engine.py`.

The same frames of the same photo are asked for in turn, in Chromium and in Python, on the same
cores in the same run, after both have read what the frames need. Only the ratio means something:
another program that takes the processor away takes it from both.

    python benchmarks/engine.py            # a table
    python benchmarks/engine.py --quick    # does it work? Its numbers mean nothing

Exit status 1: the two show different pictures.
"""

import argparse
import base64
import functools
import io
import shutil
import sys
import tempfile
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from liif_core.explorer import Session, Side
from liif_core.explorer.browser_weights import browser_weights
from liif_core.explorer.messages import VERSION
from liif_core.photos import photo_from
from liif_core.samples import sample_photo
from liif_core.weights import load_model
from liif_core.widgets.assets import STATIC

#: Screens whose frames are timed, (rows, columns), and how many times as long as Python the browser
#: may take for the first of them.
SCREENS, GOAL = ((480, 640), (120, 160)), 1.2

PAGE = """<!doctype html><link rel="icon" href="data:,"><script type="module">
import { Engine } from "./static/engine/engine.js";
import { piecesBeside } from "./static/engine/beside.js";
const bytes = async (name) => (await fetch(name)).arrayBuffer();
window.start = async (height, width, workers) => {
  const photo = { height, width, rgb: new Uint8ClampedArray(await bytes("photo")), name: "photo" };
  const weights = { LIIF: await bytes("weights") };
  window.engine = new Engine({ photo, weights, pieces: piecesBeside(), workers });
  await engine.ready;
};
window.ask = async (question) => {
  const began = performance.now();
  const [answer, [picture]] = await engine.answer(question);
  const seconds = (performance.now() - began) / 1000;
  const letters = picture ? [...picture].map((byte) => String.fromCharCode(byte)) : [];
  return [answer, btoa(letters.join("")), seconds];
};
</script>"""


class Quiet(SimpleHTTPRequestHandler):
    """A file server that does not tell what it serves."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def question(screen: tuple[int, int], reads: int) -> dict[str, Any]:
    """Return the question for a frame at ×12."""
    view = {"centre": [0.1, -0.2], "magnification": 12, "screen": list(screen)}
    asked = {"type": "frame", "viewer": "bench", "tag": 1, "photo": 0, "version": VERSION}
    form = {"coarse": False, "lossless": True, "reads": reads}
    return {**asked, **form, "view": view, "side": vars(Side("LIIF"))}


def compare(page: Any, session: Session, screen: tuple[int, int], turns: int) -> tuple[float, ...]:
    """Return the seconds of a frame in the browser and in Python, and how far they are apart."""
    reads = 0
    while page.evaluate("(q) => ask(q)", question(screen, reads))[0]["reading"]:
        reads += 1
    while session.answer(question(screen, reads))[0]["reading"]:
        reads += 1
    browser, python = [], []
    for _ in range(turns):
        _, text, seconds = page.evaluate("(q) => ask(q)", question(screen, reads))
        browser.append(seconds)
        began = time.perf_counter()
        _, pictures = session.answer(question(screen, reads))
        python.append(time.perf_counter() - began)
    found, expected = (
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
        for data in (base64.b64decode(text), pictures[0])
    )
    return median(browser), median(python), float(np.abs(found - expected).max())


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="liif-edsr-small")
    parser.add_argument("--workers", type=int, default=2, help="of the engine in the browser")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("not measured: this needs Chromium; apt-get install chromium", file=sys.stderr)
        return 0
    from playwright.sync_api import sync_playwright

    photo = sample_photo("portrait", 128 if options.quick else 512)
    model = load_model(options.weights, "cpu")
    session = Session(photo_from(photo), {"LIIF": model}, lambda *_: None)
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Path(folder)
        (site / "index.html").write_text(PAGE, encoding="utf-8")
        (site / "static").symlink_to(STATIC)
        (site / "photo").write_bytes(photo.tobytes())
        (site / "weights").write_bytes(browser_weights(model, "float32"))
        server = ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        ).new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.evaluate("(given) => start(...given)", [*photo.shape[:2], options.workers])
        print(f"{options.weights}, ×12, {options.workers} workers in the browser")
        print(f"{'screen':10}{'browser ms':>12}{'Python ms':>11}{'ratio':>7}  goal")
        for rows, columns in SCREENS[-1:] if options.quick else SCREENS:
            turns = 2 if options.quick else 10
            browser, python, apart = compare(page, session, (rows, columns), turns)
            worst = max(worst, apart)
            goal = f"≤ {GOAL}" if (rows, columns) == SCREENS[0] else ""
            times = f"{1000 * browser:12.0f}{1000 * python:11.0f}{browser / python:7.2f}"
            print(f"{columns}×{rows}".ljust(10) + f"{times}  {goal}")
        server.shutdown()
    if worst > 1:
        print(f"the pictures differ by {worst:.0f} of 255", file=sys.stderr)
    return int(worst > 1)


if __name__ == "__main__":
    sys.exit(main())
