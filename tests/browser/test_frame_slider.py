"""FrameSlider, in a real JupyterLab: the pixels, the keyboard, skipped frames, a failing draw."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsers import expect

SLIDER = """
import numpy as np, time
from liif_core.widgets import FrameSlider
drawn = []
def draw(value):
    drawn.append(value)
    if value == 6:
        raise RuntimeError("six is not drawn")
    noise = np.random.default_rng(value).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    time.sleep(0.4 if value in (1, 2, 3, 4, 5) else 0)
    return noise
slider = FrameSlider(range(30), draw, label=lambda v: f"frame number {v}", alt="coloured noise")
"""
SHOW = "drawn.clear(); slider"

LESSON_01 = Path(__file__).parents[2] / "notebooks/01_pixel_grids_and_continuous_functions.ipynb"

PIXELS = """async (image) => {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data, height, width } = context.getImageData(0, 0, canvas.width, canvas.height);
  return [Array.from(data), height, width];
}"""


def noise(value: int) -> np.ndarray:
    """Return the frame that `draw` makes of `value`."""
    return np.random.default_rng(value).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def pixels(shown: Any) -> np.ndarray:
    """Return the picture in the browser, (H, W, 3)."""
    flat, height, width = shown.page.locator(".liif-frame-slider img").evaluate(PIXELS)
    return np.array(flat, np.uint8).reshape(height, width, 4)[..., :3]


def wait_for_label(shown: Any, text: str) -> None:
    """Wait until the picture under the slider is the one with this label."""
    exact = re.compile(f"^{text}$")
    shown.page.locator(".liif-frame-slider figcaption", has_text=exact).wait_for()
    shown.page.locator(".liif-frame-slider figure[aria-busy=false]").wait_for(state="attached")


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_pixels_arrive_exactly(open_notebook: Any, app: str) -> None:
    shown = open_notebook(SLIDER + SHOW, "slider.index", app=app)
    shown.run()
    wait_for_label(shown, "frame number 0")
    np.testing.assert_array_equal(pixels(shown), noise(0))
    shown.page.get_by_role("slider").focus()
    shown.page.keyboard.press("ArrowRight")
    wait_for_label(shown, "frame number 1")
    np.testing.assert_array_equal(pixels(shown), noise(1))
    shown.page.keyboard.press("End")
    wait_for_label(shown, "frame number 29")
    np.testing.assert_array_equal(pixels(shown), noise(29))
    shown.run(1)
    assert "29" in shown.output(1)


def test_frames_passed_by_are_skipped(open_notebook: Any) -> None:
    shown = open_notebook(SLIDER + SHOW, "print(drawn)")
    shown.run()
    wait_for_label(shown, "frame number 0")
    shown.page.get_by_role("slider").evaluate(
        """(slider) => { for (const i of [1, 2, 3, 4, 5]) {
             slider.value = i; slider.dispatchEvent(new Event("input", { bubbles: true })); } }"""
    )
    wait_for_label(shown, "frame number 5")
    np.testing.assert_array_equal(pixels(shown), noise(5))
    shown.run(1)
    # The still picture's frames, the one already under way, and the one where the slider stopped.
    assert "[0, 6, 12, 17, 23, 29, 1, 5]" in shown.output(1)


def test_from_code(open_notebook: Any) -> None:
    shown = open_notebook(SLIDER + SHOW, "frame = slider.show_frame(8)\nframe.shape, frame.sum()")
    shown.run()
    wait_for_label(shown, "frame number 0")
    shown.run(1)
    wait_for_label(shown, "frame number 8")
    assert str(noise(8).sum()) in shown.output(1)
    assert shown.page.get_by_role("slider").input_value() == "8"
    np.testing.assert_array_equal(pixels(shown), noise(8))


def test_a_draw_that_fails_is_told(open_notebook: Any) -> None:
    shown = open_notebook(SLIDER + SHOW)
    shown.run()
    wait_for_label(shown, "frame number 0")
    shown.page.get_by_role("slider").fill("6")
    note = shown.page.locator(".liif-frame-slider .liif-note")
    note.get_by_text("RuntimeError: six is not drawn").wait_for()
    expect(shown.page.locator(".liif-frame-slider img")).to_be_hidden()
    shown.page.get_by_role("slider").fill("8")
    wait_for_label(shown, "frame number 8")
    assert note.inner_text() == ""
    np.testing.assert_array_equal(pixels(shown), noise(8))


def test_for_those_who_listen(open_notebook: Any) -> None:
    shown = open_notebook(SLIDER + SHOW)
    shown.run()
    wait_for_label(shown, "frame number 0")
    slider = shown.page.get_by_role("slider", name="coloured noise")
    assert slider.get_attribute("aria-valuetext") == "frame number 0"
    expect(shown.page.get_by_alt_text("coloured noise: frame number 0")).to_be_visible()


def test_one_slider_shown_twice(open_notebook: Any) -> None:
    shown = open_notebook(SLIDER + SHOW, "slider")
    shown.run()
    wait_for_label(shown, "frame number 0")
    shown.run(1)
    shown.page.get_by_role("slider").nth(1).wait_for()
    shown.page.get_by_role("slider").nth(0).fill("7")
    for view in range(2):
        figure = shown.page.locator(".liif-frame-slider").nth(view)
        figure.get_by_text("frame number 7").wait_for()


def test_two_sliders_leave_one_another_alone(open_notebook: Any) -> None:
    second = SLIDER.replace("slider = ", "other = ").replace("coloured noise", "more noise")
    shown = open_notebook(SLIDER + SHOW, second + "other", "slider.index, other.index")
    for cell in (0, 1):
        shown.run(cell)
    shown.page.get_by_role("slider", name="coloured noise").fill("7")
    shown.page.get_by_role("slider", name="more noise").fill("9")
    for number, text in enumerate(["frame number 7", "frame number 9"]):
        root = shown.page.locator(".liif-frame-slider").nth(number)
        root.locator("figcaption", has_text=text).wait_for()
        root.locator("figure[aria-busy=false]").wait_for(state="attached")
    shown.run(2)
    assert "(7, 9)" in shown.output(2)


def folding_cells() -> list[str]:
    """Return what lesson 01's slider of folding stripes needs, and the cell that shows it."""
    cells = json.loads(LESSON_01.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    (stripes,) = (text for text in sources if text.startswith("def stripes"))
    (slider,) = (text for text in sources if text.endswith("\nfolding"))
    imports = "import numpy as np\nfrom liif_core.widgets import FrameSlider\n"
    imports += "from liif_core.lesson_figures import lesson_01 as plots\n"
    return [imports, stripes.split("\n\n\n")[0], slider]


def test_the_stripes_of_lesson_01_fold_as_one_drags(open_notebook: Any) -> None:
    """By key and by mouse: the stripes and the spectrum beside them are those of the step."""
    *needed, slider = folding_cells()
    here: dict[str, Any] = {}
    exec("\n".join([*needed, slider.partition("\n\n\nfolding")[0]]), here)
    shown = open_notebook("\n".join([*needed, slider]))
    shown.run()

    def check(step: int) -> None:
        wait_for_label(shown, f"step {step}")
        np.testing.assert_array_equal(pixels(shown), here["sampled"](step))

    check(1)
    handle = shown.page.get_by_role("slider")
    handle.focus()
    shown.page.keyboard.press("ArrowRight")
    check(2)
    box = handle.bounding_box()
    middle = box["y"] + box["height"] / 2
    shown.page.mouse.move(box["x"] + box["width"] / 4, middle)
    shown.page.mouse.down()
    shown.page.mouse.move(box["x"] + box["width"] - 1, middle, steps=5)
    shown.page.mouse.up()
    check(6)
    frames = [here["sampled"](step) for step in (1, 2, 6)]
    half = frames[0].shape[1] // 2
    for part in (slice(None, half), slice(half, None)):  # the stripes; their spectrum
        assert len({frame[:, part].tobytes() for frame in frames}) == 3
