"""A plain file server for pages without Jupyter, and an engine in the browser on such a page."""

import base64
import functools
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from liif_core.explorer.browser_weights import browser_weights
from liif_core.heat import HeatConfig, HeatField
from liif_core.liif import LIIF, LIIFConfig
from liif_core.models import Model
from liif_core.widgets.assets import STATIC, engine_pieces, joined, style

# `engine` of the page, once it is ready; every answer, its pictures as PNG.
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Engine</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css"></head><body style="margin: 0">
<script type="module">
import { Engine } from "./static/engine/engine.js";
import { piecesBeside } from "./static/engine/beside.js";
import { explore } from "./static/zoom_explorer.js";
window.bytes = async (name) => (await fetch(name)).arrayBuffer();
window.start = async ({ height, width, precision, ...options }) => {
  const rgb = new Uint8ClampedArray(await bytes("photo.rgb"));
  const weights = { LIIF: await bytes(`LIIF.${precision}`) };
  const photo = { height, width, rgb, name: "noise" };
  window.engine = new Engine({ photo, weights, pieces: piecesBeside(), ...options });
  await engine.ready;
};
window.explore = () => {
  const el = document.createElement("div");
  document.body.append(el);
  explore({ model: engine, el });
};
window.ask = async (question) => {
  const [answer, pictures] = await engine.answer(question);
  return [answer, await Promise.all(pictures.map(png))];
};
async function png(picture) {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").putImageData(picture, 0, 0);
  const file = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
  return btoa([...file].map((byte) => String.fromCharCode(byte)).join(""));
}
window.loaded = true;
</script></body></html>
"""


# The same where nothing but the page itself can be read; `given` is put before it.
ENTRY = """
import { explore } from "./zoom_explorer.js";
import { Engine } from "./engine/engine.js";
import { photoFrom } from "./engine/uploads.js";
import { piecesWithin } from "./engine/pieces.js";
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
const photo = await photoFrom([bytes(given.photo)], "noise.png");
const weights = { LIIF: bytes(given.weights) };
const builds = { plain: bytes(given.plain), relaxed: bytes(given.relaxed) };
const pieces = piecesWithin(builds, given.worker);
window.engine = new Engine({ photo, weights, pieces, workers: 2, values: given.values });
await engine.ready;
const el = document.createElement("div");
document.body.append(el);
explore({ model: engine, el });
"""


def one_file(photo: np.ndarray, model: LIIF, **values: Any) -> str:
    """Return a page with an explorer and all that it needs."""
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "PNG")
    kernels, worker = engine_pieces()
    data = {"photo": buffer.getvalue(), "weights": browser_weights(model), **kernels}
    given = {name: base64.b64encode(value).decode() for name, value in data.items()}
    text = json.dumps({**given, "worker": worker, "values": values}).replace("</", "<\\/")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>One</title><style>'
        f"{style('zoom_explorer.css')}</style></head><body>"
        f'<script type="module">const given = {text};\n{joined(ENTRY)}</script></body></html>'
    )


def small_model(**changes: Any) -> LIIF:
    """Return a LIIF of odd widths, with random weights."""
    torch.manual_seed(0)
    values: dict[str, Any] = {"blocks": 2, "channels": 12, "hidden": (20, 16), "local_colour": True}
    return LIIF(LIIFConfig(**{**values, **changes})).eval().requires_grad_(False)


def small_heat(depth: int = 2, powers: int = 0) -> HeatField:
    """Return a heat field of odd widths, with random weights."""
    torch.manual_seed(0)
    sizes = {"blocks": 2, "channels": 12, "width": 20, "waves": 7}
    model = HeatField(HeatConfig(**sizes, falloff=2.5, depth=depth, powers=powers))
    torch.nn.init.normal_(model.writer[-1].weight, std=0.3)  # or it would be bilinear
    return model.eval().requires_grad_(False)


def site(folder: Path, photo: np.ndarray, model: Model) -> None:
    """Write a page with an engine into a folder, and what it needs."""
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    (folder / "style.css").write_text(style("zoom_explorer.css"), encoding="utf-8")
    (folder / "static").symlink_to(STATIC)
    (folder / "photo.rgb").write_bytes(photo.tobytes())
    for precision in ("float16", "float32"):
        (folder / f"LIIF.{precision}").write_bytes(browser_weights(model, precision))


class Quiet(SimpleHTTPRequestHandler):
    """A file server that does not tell what it serves."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; its address."""
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
