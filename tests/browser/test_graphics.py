"""The browser engine on a graphics processor that Chromium plays (SwiftShader), against Python.

It computes what a real one would, slowly; so there is little to see here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from browsers import expect
from served import small_model
from test_engine import Both, close, decoded, opened, photograph  # noqa: F401

from liif_core.explorer import Side
from liif_core.explorer.messages import VERSION

SIZE = (60, 70)  # four tiles
VIEW = {"centre": [0.5, 0.4], "magnification": 5.5, "screen": [45, 60]}
USED = "The graphics processor answers."
LOST = "The graphics processor was lost; this machine's cores answer again."


@pytest.fixture
def accelerated(opened: Callable[..., Both]) -> Callable[..., Both]:  # noqa: F811
    """Return a function that opens a page, with the graphics processor on; skip without one."""

    def start(model: Any, size: tuple[int, int] = SIZE, **options: Any) -> Both:
        both = opened(photograph(*size), model, workers=1, emulated=True, **options)
        if not both.page.evaluate("navigator.gpu?.requestAdapter().then(Boolean) ?? false"):
            pytest.skip("this Chromium plays no graphics processor")
        both.page.wait_for_function("engine.get('graphics') === false")
        both.page.evaluate("engine.set('graphics', true)")
        both.page.wait_for_function("!engine.get('graphics_note').startsWith('Trying')")
        assert both.page.evaluate("engine.get('graphics_note')") == USED
        return both

    return start


# From now on, `asked` holds what workers are asked that the graphics processor could answer.
WATCH = """() => {
  window.asked = [];
  const ask = engine.pool.ask.bind(engine.pool);
  engine.pool.ask = (worker, call, fields) => {
    if (call !== "resize") asked.push(call);
    return ask(worker, call, fields);
  };
}"""


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cell_decoding": False, "local_colour": False, "hidden": (24, 8, 40)},
        {"feature_unfolding": False, "channels": 16},
    ],
)
def test_frames_are_pythons(accelerated: Callable[..., Both], changes: dict[str, Any]) -> None:
    both = accelerated(small_model(**changes))
    both.page.evaluate(WATCH)
    sides = [Side("LIIF")]
    for name in ("local_ensemble", "feature_unfolding", "cell_decoding"):
        sides.append(Side("LIIF", **{name: False}))
    pictures = []
    for side in sides:
        found, expected = both.frame(side, **VIEW)
        close(found["pixels"], expected["pixels"])
        pictures.append(found["pixels"])
    assert (pictures[0] != pictures[1]).any()
    assert both.page.evaluate("asked") == []  # no worker read or decoded anything


def test_it_is_lost(accelerated: Callable[..., Both]) -> None:
    """The workers go on alone, where everything was; the reader is told."""
    both = accelerated(small_model(), values={"screen": [45, 60]})
    both.page.evaluate("explore()")
    root = both.page.locator(".liif-zoom")
    box = root.get_by_label("graphics processor")
    root.locator(".liif-stage[aria-busy=false]").wait_for()
    expect(box).to_be_checked()
    view = both.page.evaluate("engine.get('view')")
    both.page.evaluate("engine.graphics.accelerator.graphics.device.destroy()")
    root.get_by_text(LOST).wait_for()
    expect(box).not_to_be_checked()
    found, expected = both.frame(Side("LIIF"), **VIEW)
    close(found["pixels"], expected["pixels"])
    assert both.page.evaluate("engine.get('view')") == view
    box.check()  # and back
    root.get_by_text(USED).wait_for()
    box.uncheck()
    assert both.page.evaluate("[engine.explored.graphics, engine.get('graphics_note')]") == [
        None,
        "",
    ]


def test_one_that_answers_otherwise_is_not_used(opened: Callable[..., Both]) -> None:  # noqa: F811
    both = opened(photograph(*SIZE), small_model(), workers=1, emulated=True)
    if not both.page.evaluate("navigator.gpu?.requestAdapter().then(Boolean) ?? false"):
        pytest.skip("this Chromium plays no graphics processor")
    both.page.wait_for_function("engine.get('graphics') === false")
    both.page.evaluate(
        """() => {
             const create = GPUDevice.prototype.createShaderModule;
             GPUDevice.prototype.createShaderModule = function ({ code }) {
               return create.call(this, { code: code.replace("tap % 3", "tap / 3") });
             };
             engine.set("graphics", true);
           }"""
    )
    both.page.wait_for_function("engine.get('graphics_note').includes('answers otherwise')")
    assert both.page.evaluate("engine.get('graphics')") is False
    found, expected = both.frame(Side("LIIF"), **VIEW)
    close(found["pixels"], expected["pixels"])


def test_one_that_a_program_plays_is_not_offered(opened: Callable[..., Both]) -> None:  # noqa: F811
    both = opened(photograph(20, 30), small_model(), workers=1, values={"screen": [45, 60]})
    both.page.evaluate("engine.graphics.offer()")
    assert both.page.evaluate("engine.get('graphics') ?? 'none'") == "none"
    both.page.evaluate("explore()")
    box = both.page.get_by_text("graphics processor")
    box.wait_for(state="attached")
    expect(box).to_be_hidden()


def test_another_photo(accelerated: Callable[..., Both]) -> None:
    both = accelerated(small_model())
    both.frame(Side("LIIF"), **VIEW)
    other = photograph(*SIZE)[::-1].copy()
    both.page.evaluate(
        """([height, width, flat]) => engine.show(
             { height, width, name: "other", rgb: new Uint8ClampedArray(flat) })""",
        [*SIZE, other.flatten().tolist()],
    )
    both.page.evaluate(WATCH)
    asked = {"type": "frame", "viewer": "v", "tag": 1, "version": VERSION, "reads": 9, "photo": 1}
    asked |= {"view": VIEW, "side": vars(Side("LIIF")), "coarse": False, "lossless": True}
    answer, pictures = both.page.evaluate("(q) => ask(q)", asked)
    assert "failed" not in answer
    same = Both(both.page, other, both.model)
    _, expected = same.session.answer({**asked, "photo": 0})
    close(decoded(pictures[0]), decoded(expected[0]))
    assert np.ptp(decoded(pictures[0])) > 20
    assert both.page.evaluate("asked") == []
