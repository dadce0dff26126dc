"""How fast is the site's LIIF, in the browser, beside Python's? `python benchmarks/site.py`.

The same frames of the same photo are asked for in turn, in Chromium and in Python, on the same
cores in the same run. In the page, a time ends when the picture stands on a canvas; in Python, when
the answer is there, which the page would still have to decode. Only the ratio means something:
another program that takes the processor away takes it from both.

- A frame: after both have read what it needs.
- A first frame: of a photo that was just opened. The page's engine starts from nothing, its workers
  too; Python has its model.

    python benchmarks/site.py              # a table
    python benchmarks/site.py --quick      # does it work? Its numbers mean nothing

Exit status 1: the two show different pictures, or a ratio is worse than it has to be.
"""

import argparse
import base64
import functools
import math
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from liif_core.explorer import Session, Side
from liif_core.explorer.browser_weights import browser_weights
from liif_core.explorer.messages import VERSION
from liif_core.liif import LIIF
from liif_core.photos import photo_from
from liif_core.samples import sample_photo
from liif_core.weights import load_model
from liif_core.widgets.assets import STATIC

#: How much of a picture may differ from Python's by more than one of 255.
OUTLIERS = 1e-3

PAGE = """<!doctype html><link rel="icon" href="data:,"><canvas></canvas><script type="module">
import { Engine } from "./static/engine/engine.js";
import { piecesBeside } from "./static/engine/beside.js";
import { decoded } from "./static/zoom_questions.js";
const bytes = async (name) => (await fetch(name)).arrayBuffer();
const canvas = document.querySelector("canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });
window.start = async (height, width, workers) => {
  window.engine?.stop();
  const photo = { height, width, rgb: new Uint8ClampedArray(await bytes("photo")), name: "photo" };
  const weights = { LIIF: await bytes("weights") };
  window.engine = new Engine({ photo, weights, pieces: piecesBeside(), workers });
};
// Ask until the encoder has read what is needed; the seconds that it took.
window.show = async (question) => {
  const began = performance.now();
  for (let reads = 0; ; reads += 1) {
    const [answer, [picture]] = await engine.answer({ ...question, reads });
    if (answer.failed) throw new Error(answer.failed);
    if (picture) await draw(picture);
    if (!answer.reading) return (performance.now() - began) / 1000;
  }
};
async function draw(picture) {
  const bitmap = await decoded(picture, "image/png");
  Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  context.getImageData(0, 0, 1, 1); // not before it is drawn
}
window.shown = () => {
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return btoa([...data].map((byte) => String.fromCharCode(byte)).join(""));
};
</script>"""


@dataclass(frozen=True)
class Case:
    """A frame that is timed.

    Attributes:
        screen: its rows and columns.
        magnification: of the view; 0 is the whole photo.
        first: the first of a photo.
        most: the ratio that it may have.
        goal: in milliseconds, on a quiet machine; machines differ, so it is not judged.
    """

    screen: tuple[int, int]
    magnification: float
    first: bool
    most: float
    goal: str

    @property
    def name(self) -> str:
        """What the table calls it."""
        rows, columns = self.screen
        view = f"×{self.magnification:g}" if self.magnification else "the whole photo"
        return f"{'first frame, ' if self.first else ''}{columns}×{rows}, {view}"

    def question(self, turn: int) -> dict[str, Any]:
        """What an engine is asked; without `reads`.

        Each turn looks a little closer, as Python does not compute again what it has just shown.
        """
        magnification = self.magnification * (1 + turn / 1000)
        view = {"centre": [0.1, -0.2], "magnification": magnification, "screen": self.screen}
        asked = {"type": "frame", "viewer": "bench", "tag": 1, "photo": 0, "version": VERSION}
        return {
            **asked,
            "coarse": False,
            "lossless": True,
            "view": view,
            "side": vars(Side("LIIF")),
        }


CASES = (
    Case((480, 640), 12, first=False, most=1.2, goal=""),
    Case((120, 160), 12, first=False, most=1.5, goal="≤ 60 ms"),
    Case((480, 640), 12, first=True, most=2.5, goal="≤ 1500 ms"),
    Case((480, 640), 0, first=True, most=2.5, goal=""),
)
QUICK = tuple(replace(case, screen=(120, 160), most=math.inf) for case in CASES[1:3])


class Quiet(SimpleHTTPRequestHandler):
    """A file server that does not tell what it serves."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """One that a page may close its ears to: a worker that is stopped while it loads."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing, either."""


@contextmanager
def served(photo: np.ndarray, model: LIIF) -> Iterator[str]:
    """Serve the page and what it needs; its address."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        (site / "index.html").write_text(PAGE, encoding="utf-8")
        (site / "static").symlink_to(STATIC)
        (site / "photo").write_bytes(photo.tobytes())
        (site / "weights").write_bytes(browser_weights(model, "float32"))
        handler = functools.partial(Quiet, directory=folder)
        with Server(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/"
            server.shutdown()


@contextmanager
def browser_page(chromium: str, url: str) -> Iterator[Any]:
    """Open a page in Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(url)
        page.wait_for_function("window.start")
        yield page
        browser.close()


class Both:
    """One photo and one model, in the browser and in Python."""

    def __init__(self, page: Any, photo: np.ndarray, model: LIIF, workers: int) -> None:
        self.page, self.photo, self.model, self.workers = page, photo, model, workers

    def open(self) -> None:
        """Open the photo anew, on both sides."""
        height, width = self.photo.shape[:2]
        self.page.evaluate("(given) => start(...given)", [height, width, self.workers])
        self.session = Session(photo_from(self.photo), {"LIIF": self.model}, lambda *_: None)

    def in_browser(self, case: Case, turn: int) -> float:
        """Show a frame in the browser; the seconds that it took."""
        return float(self.page.evaluate("(question) => show(question)", case.question(turn)))

    def in_python(self, case: Case, turn: int) -> float:
        """Show a frame in Python; the seconds that it took."""
        began = time.perf_counter()
        reads = 0
        while True:
            answer, pictures = self.session.answer({**case.question(turn), "reads": reads})
            if not answer["reading"]:
                break
            reads += 1
        seconds = time.perf_counter() - began
        self.picture = pictures[0]
        return seconds

    def outliers(self) -> float:
        """Return what share of the last picture differs by more than one of 255."""
        expected = np.asarray(Image.open(BytesIO(self.picture)).convert("RGBA")).astype(int)
        data = base64.b64decode(self.page.evaluate("shown()"))
        found = np.frombuffer(data, np.uint8).reshape(expected.shape)
        return float((np.abs(found - expected)[..., :3] > 1).mean())


def compare(both: Both, case: Case, turns: int) -> tuple[float, float, float]:
    """Return the median seconds in the browser and in Python, and the share of outliers."""
    ask: tuple[Callable[[Case, int], float], ...] = (both.in_browser, both.in_python)
    if not case.first:
        for one in ask:  # what it needs is read, and everything is warm
            one(case, 0)
    times = []
    for turn in range(1, turns + 1):
        if case.first:
            both.open()
        times.append([one(case, turn) for one in ask])
    browser, python = (median(column) for column in zip(*times, strict=True))
    return browser, python, both.outliers()


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="liif-edsr-small")
    parser.add_argument("--workers", type=int, default=2, help="of the engine in the browser")
    parser.add_argument("--turns", type=int, default=9, help="how often a frame is asked for")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("not measured: this needs Chromium; apt-get install chromium", file=sys.stderr)
        return 0
    photo = np.ascontiguousarray(sample_photo("astronaut", 512)[:384])
    if options.quick:
        photo = np.ascontiguousarray(photo[:96, :128])
    model = load_model(options.weights, "cpu")
    worst, slow = 0.0, False
    height, width = photo.shape[:2]
    print(f"{options.weights}, {width}×{height} pixels, {options.workers} workers in the browser")
    print(f"{'':38}{'browser ms':>10}{'Python ms':>11}{'ratio':>7}  limit, goal")
    with served(photo, model) as url, browser_page(chromium, url) as page:
        both = Both(page, photo, model, options.workers)
        both.open()
        for case in QUICK if options.quick else CASES:
            turns = (
                1 if options.quick else max(3, options.turns // 2 if case.first else options.turns)
            )
            browser, python, outliers = compare(both, case, turns)
            worst = max(worst, outliers)
            times = f"{1000 * browser:10.0f}{1000 * python:11.0f}{browser / python:7.2f}"
            print(f"{case.name:38}{times}  ≤ {case.most:g} {case.goal}", flush=True)
            slow |= browser > case.most * python
    if slow:
        print("a ratio is worse than it has to be", file=sys.stderr)
    if worst > OUTLIERS:
        print(f"{worst:.1%} of a picture differ by more than 1 of 255", file=sys.stderr)
    return int(slow or worst > OUTLIERS)


if __name__ == "__main__":
    sys.exit(main())
