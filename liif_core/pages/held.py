"""What a page needs to hold so that its widgets live without Python, and from `file://` too.

A browser lets a page that was opened from `file://` run scripts, but load no modules, start no
worker from a file and fetch nothing. So all that is needed is put into plain scripts: the engine,
its kernels, its workers' script, weights. `widgets/static/living/` is what runs there.
"""

import base64
import html
import json
from collections.abc import Mapping
from typing import Any

from liif_core.explorer.browser_weights import browser_weights, mark_of
from liif_core.models import Model
from liif_core.widgets.assets import engine_pieces, module, style

#: The widgets whose style sheets a page needs.
STYLES = ("predict.css", "frame_slider.css", "zoom_explorer.css")


def page_script() -> str:
    """Return the script that makes a page's widgets live, whole, with nothing to import."""
    kernels, worker = engine_pieces()
    texts = {build: text_of(kernel) for build, kernel in kernels.items()}
    held = {"kernels": texts, "worker": worker, "weights": {}}
    # Deferred until all of the page is there, wherever the script stands.
    return (
        f"window.liif = {script_json(held)};\n"
        'document.addEventListener("DOMContentLoaded", () => {\n'
        f"{escaped(module('living/page.js'))}}});\n"
    )


def weights_script(model: Model) -> str:
    """Return a script that holds a model's weights, in float16, under `mark_of(model)`."""
    weights = text_of(browser_weights(model))
    return f'window.liif.weights["{mark_of(model)}"] = "{weights}";\n'


def page_style() -> str:
    """Return the style sheets of all widgets that live on a page."""
    return "\n".join(style(name) for name in STYLES)


def place(kind: str, living: Mapping[str, Any], still: str) -> str:
    """Return the HTML of a still that becomes a living widget when it comes into sight.

    Args:
        kind: "predict", "frames" or "explorer"; see `WIDGETS` in `living/living.js`.
        living: what the widget needs; see `StillWidget.living`.
        still: HTML of what is shown before, instead where something is missing, and on paper.
    """
    name = html.escape(kind)
    return (
        f'<div class="liif-place" data-liif="{name}"><div class="liif-still">{still}</div>'
        f'<script type="application/json">{script_json(living)}</script></div>'
    )


def text_of(data: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def script_json(value: object) -> str:
    """Return a value as JSON that may stand inside a script element."""
    # In JSON, "<" stands in strings alone.
    return json.dumps(value, ensure_ascii=False).replace("<", r"\u003c")


def escaped(script: str) -> str:
    r"""Return JavaScript that its element does not end within: it has "</" in strings alone."""
    return script.replace("</", r"<\/").replace("<!--", r"<\!--")
