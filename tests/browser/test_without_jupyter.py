"""The widgets on a page without Jupyter: an engine with six methods is all that they need.

Here it hands the explorer's questions to a `Session`, or a test answers them by hand, in any order.
"""

import base64
import io
from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch
from browsers import expect
from PIL import Image

from liif_core.explorer import Session, Side, Viewport
from liif_core.explorer.messages import VERSION, print_strip
from liif_core.explorer.methods import methods_of
from liif_core.liif import LIIF, LIIFConfig
from liif_core.models import Model
from liif_core.photos import Photo, photo_from
from liif_core.widgets.assets import module, style

SCREEN = (120, 160)
FRAME = "<!doctype html><html><body style='margin: 0'></body></html>"

# An engine has these six methods; asking it for anything else is a mistake. `sent` holds the
# questions that are open. Each widget gets a module of its own, as anywidget does it.
SCRIPT = """
window.sent = [];
window.asked = [];
window.makeEngine = (state, pass = null) => {
  const listeners = [];
  const emit = (event, ...values) => {
    for (const [name, call] of [...listeners]) if (name === event) call(...values);
  };
  const engine = {
    get: (name) => state[name],
    set(name, value) {
      if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
      state[name] = value;
      emit(`change:${name}`);
    },
    save_changes() {},
    on: (event, call) => listeners.push([event, call]),
    off(event, call) {
      const at = listeners.findIndex(([name, other]) => name === event && other === call);
      listeners.splice(at, 1);
    },
    send(question, _callbacks, buffers) {
      asked.push(question);
      const reply = (answer, pictures) => emit("msg:custom", answer, pictures);
      if (!pass) return sent.push({ question, buffers, reply });
      const texts = buffers.map(textOf);
      pass(question, texts).then(([answer, pictures, values]) => {
        for (const [name, value] of Object.entries(values)) engine.set(name, value);
        reply(answer, pictures.map(bytesOf));
      });
    },
  };
  window.engine = engine;
  return new Proxy(engine, {
    get(target, name) {
      if (!(name in target)) throw new Error(`an engine has no ${String(name)}`);
      return target[name];
    },
  });
};
window.bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
window.textOf = (buffer) => {
  const letters = [...new Uint8Array(buffer)].map((byte) => String.fromCharCode(byte));
  return btoa(letters.join(""));
};
window.show = async (text, model) => {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const { render } = (await import(url)).default;
  const el = document.createElement("div");
  document.body.append(el);
  render({ model, el });
  return el;
};
window.showAgain = async (text, count) => {
  const model = makeEngine(await explorerState(), ask);
  for (let view = 0; view < count; view += 1) await show(text, model);
};
window.drop = (stage, name, text) => {
  const files = new DataTransfer();
  files.items.add(new File([bytesOf(text)], name));
  stage.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true }));
};
// Answer the oldest open question that fits.
window.reply = (fits, answer = {}, pictures = []) => {
  const at = sent.findIndex(({ question }) => fits(question));
  const { question, reply } = sent.splice(at, 1)[0];
  const { type, viewer, tag, photo } = question;
  reply({ type, viewer, tag, photo, ...answer }, pictures.map(bytesOf));
};
"""


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png(array: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def small_model() -> LIIF:
    torch.manual_seed(0)
    config = LIIFConfig(blocks=2, channels=8, hidden=(16, 16), local_colour=True)
    return LIIF(config).eval().requires_grad_(False)


def inventive_model() -> LIIF:
    """Return a model that invents details, whose own seed is 4."""
    torch.manual_seed(0)
    config = LIIFConfig(blocks=2, channels=8, hidden=(16, 16), local_colour=True, noise=12)
    model = LIIF(config).eval().requires_grad_(False)
    model.imnet.layers[-1].weight *= 8
    model.seed, model.weights_name = 4, "liif-tiny-crisp"
    return model


def explorer_state(
    photo: np.ndarray, number: int = 0, models: Mapping[str, Model] | None = None
) -> dict[str, Any]:
    """Return the values that an explorer begins with."""
    models = models or {"LIIF": small_model()}
    return {
        "version": VERSION,
        "view": {"centre": [0, 0], "magnification": 0},
        "left": vars(Side("bicubic")),
        "right": vars(Side(next(iter(models)))),
        "split": 0.5,
        "point": None,
        "photo": described(photo.shape[:2], number),
        "methods": methods_of(models),
        "screen": list(SCREEN),
        "trained": [1, 4],
        "alt": "Noise.",
        "grid": True,
    }


def described(size: Any, number: int, name: str = "noise") -> dict[str, Any]:
    return {"height": size[0], "width": size[1], "name": name, "number": number}


PREDICT_STATE = {
    "question": "Which?",
    "choices": ["this", "that", "neither"],
    "choice": None,
    "right": None,
    "revealed": "",
    "measured": None,
    "commits": 0,
}
SLIDER_STATE = {"labels": ["one", "two", "three"], "alt": "Numbers.", "index": 0}


@pytest.fixture
def page(new_page: Any, server: Any) -> Any:  # asks for the server, to be skipped with it
    """Return a page that may ask nothing of the network, and on which no error may happen."""
    errors: list[str] = []
    shown = new_page(offline=True)
    shown.on("pageerror", lambda error: errors.append(str(error)))
    shown.set_content(FRAME)
    shown.evaluate(f"() => {{ {SCRIPT} }}")
    yield shown
    assert errors == []


class Answering:
    """A session behind the page's explorers, as a widget holds one."""

    def __init__(
        self,
        page: Any,
        photo: np.ndarray,
        screen: tuple[int, int] = SCREEN,
        models: Mapping[str, Model] | None = None,
    ) -> None:
        models = models or {"LIIF": small_model()}
        self.session = Session(photo_from(photo), models, self.opened)
        self.values: dict[str, Any] = {}
        state = {**explorer_state(photo, models=models), "screen": screen}
        page.expose_function("ask", self.ask)
        page.expose_function("explorerState", lambda: state)

    def opened(self, photo: Photo, name: str) -> None:
        number = self.session.show(photo)
        self.values = {
            "point": None,
            "view": {"centre": [0, 0], "magnification": 0},
            "photo": described(self.session.explored.size, number, name),
        }

    def ask(self, question: dict[str, Any], buffers: list[str]) -> list[Any]:
        found, pictures = self.session.answer(question, [base64.b64decode(b) for b in buffers])
        values, self.values = self.values, {}
        return [found, [base64.b64encode(picture).decode() for picture in pictures], values]


def settle(root: Any) -> None:
    root.locator(".liif-stage[aria-busy=false]").wait_for()


def pixels(root: Any) -> np.ndarray:
    """Return the picture on screen, (H, W, 3)."""
    height, width, flat = root.locator(".liif-picture").evaluate(
        """(canvas) => [canvas.height, canvas.width, Array.from(
             canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)]"""
    )
    return np.array(flat, np.uint8).reshape(height, width, 4)[..., :3]


def test_six_methods_are_all_that_an_explorer_needs(page: Any) -> None:
    photo = noise(30, 40)
    answering = Answering(page, photo)
    page.evaluate("(text) => showAgain(text, 1)", module("zoom_explorer.js"))
    root = page.locator(".liif-zoom")
    settle(root)
    view = Viewport((30, 40), SCREEN, (0, 0), 0)
    sides = Side("bicubic"), Side("LIIF")
    form = {"size": SCREEN, "split": 0.5}
    expected = print_strip(answering.session.explored, view, sides, form, range(SCREEN[0]))
    assert np.abs(pixels(root).astype(int) - expected).max() <= 1
    root.locator(".liif-marks").click(position={"x": 101, "y": 33})
    root.locator(".liif-sum").wait_for()
    root.get_by_role("button", name="save what is on screen").click()
    with page.expect_download() as saved:
        root.get_by_role("button", name="Save PNG").click()
    found = np.asarray(Image.open(saved.value.path()).convert("RGB"))
    assert np.abs(found.astype(int) - expected).max() <= 1
    page.evaluate(
        "([name, text]) => drop(document.querySelector('.liif-stage'), name, text)",
        ["mine.png", png(noise(12, 16, 1))],
    )
    root.locator(".liif-readout", has_text="×10.00").wait_for()
    settle(root)
    assert answering.session.explored.size == (12, 16)
    assert {question["type"] for question in page.evaluate("asked")} >= {
        "frame",
        "overview",
        "xray",
        "strip",
        "upload",
    }
    for question in page.evaluate("asked"):
        assert question["version"] == VERSION
        assert ("photo" in question) is (question["type"] != "upload")


def test_details_are_invented_from_a_seed(page: Any) -> None:
    """By number and by button, with the keyboard; what is said of it, here and in the file."""
    models = {"crisp": inventive_model(), "LIIF": small_model()}
    answering = Answering(page, noise(30, 40), models=models)
    page.evaluate("(text) => showAgain(text, 1)", module("zoom_explorer.js"))
    root = page.locator(".liif-zoom")
    readout, caption = root.locator(".liif-readout"), root.locator(".liif-caption-right")
    settle(root)

    def check(seed: int) -> None:
        caption.get_by_text(f"crisp, seed {seed}", exact=True).wait_for()
        side = Side("crisp", seed=seed)
        expected = answering.session.explored.picture(Viewport((30, 40), SCREEN), side)
        for _ in range(600):  # on a busy machine the picture comes long after its caption
            settle(root)
            if (pixels(root)[:, 80:] == expected[:, 80:]).all():
                return
            page.wait_for_timeout(100)
        np.testing.assert_array_equal(pixels(root)[:, 80:], expected[:, 80:])

    check(4)
    readout.get_by_text("generated, right of the split, from seed 4").wait_for()
    field = root.get_by_role("spinbutton", name="Right of the split: seed")
    assert field.input_value() == "4"
    assert root.get_by_role("spinbutton", name="Left of the split: seed").count() == 0  # hidden
    field.focus()
    page.keyboard.press("ArrowUp")
    check(5)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # "another"
    check(6)
    assert "from seed 6" in root.locator(".liif-aloud").inner_text()
    hint = root.get_by_role("status").filter(has_text="A seed is")
    for given, taken in (("-3", 0), ("1e12", 2**31 - 1), ("2.6", 3), ("", 0)):
        field.fill(given)
        field.press("Enter")
        assert field.input_value() == str(taken)
        check(taken)
        said = f"A seed is a whole number from 0 to 2147483647: {taken} is taken."
        assert hint.inner_text() == said  # to be seen, and read aloud
    field.fill("3")
    field.press("Enter")
    check(3)
    assert hint.count() == 0
    field.fill("-1")
    field.press("Enter")
    check(0)
    page.evaluate("engine.set('right', { ...engine.get('right'), seed: 3 })")  # not by the field
    check(3)
    assert hint.count() == 0
    root.locator(".liif-marks").click(position={"x": 101, "y": 33})
    chance = root.locator(".liif-chance")
    assert chance.get_by_role("heading").inner_text() == "Noise, seed 3"
    point = page.evaluate("engine.get('point')")
    view = Viewport((30, 40), SCREEN)
    found = answering.session.explored.explain(Side("crisp", seed=3), point, view.cell())
    told = chance.locator("li").all_inner_texts()
    said = [float(text.replace("−", "-")) for text in told]
    assert said == pytest.approx([one.value for one in found.chance.read], abs=0.0051)
    text = chance.inner_text().replace("−", "-")
    for colour in (found.colour, found.chance.without, found.chance.spread):
        assert " ".join(f"{round(value, 3) + 0.0:.3f}" for value in colour) in text
    assert chance.locator(".liif-others .liif-swatch").count() == 16
    root.get_by_role("button", name="Right of the split: another seed").click()
    chance.get_by_text("Noise, seed 4").wait_for()  # the X-ray follows
    check(4)

    root.get_by_role("button", name="save what is on screen").click()
    with page.expect_download() as saved:
        root.get_by_role("button", name="Save PNG").click()
    picture = Image.open(saved.value.path())
    np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), pixels(root))
    said = picture.info["XML:com.adobe.xmp"]
    assert "weights liif-tiny-crisp, ×4, seed 4, details are generated" in said
    assert "compositeWithTrainedAlgorithmicMedia" in said

    # Two seeds beside one another; and a model that invents nothing has none to choose.
    root.get_by_label("Left of the split: method").select_option("crisp")
    root.get_by_role("spinbutton", name="Left of the split: seed").fill("9")
    page.keyboard.press("Enter")
    readout.get_by_text("left from seed 9, right from seed 4").wait_for()
    for side in ("Left", "Right"):
        root.get_by_label(f"{side} of the split: method").select_option("LIIF")
    readout.get_by_text("nothing on screen comes from noise").wait_for()
    assert root.get_by_role("spinbutton", name="seed").count() == 0
    settle(root)


def test_the_xray_is_of_the_side_that_shows_the_point(page: Any) -> None:
    """Of two seeds; wherever the split or the picture is moved to; and beside another method."""
    models = {"crisp": inventive_model(), "LIIF": small_model()}
    answering = Answering(page, noise(30, 40), models=models)
    page.evaluate("(text) => showAgain(text, 1)", module("zoom_explorer.js"))
    root = page.locator(".liif-zoom")
    panel, marks = root.locator(".liif-xray"), root.locator(".liif-marks")
    settle(root)

    def show(**sides: Side) -> None:
        for name, side in sides.items():
            page.evaluate("([name, side]) => engine.set(name, side)", [name, vars(side)])
        settle(root)

    def check(seed: int, stand_in: str = "") -> None:
        panel.get_by_role("heading", name=f"Noise, seed {seed}").wait_for()
        if stand_in:
            panel.get_by_text(stand_in).wait_for()
        point = page.evaluate("engine.get('point')")
        view = Viewport((30, 40), SCREEN, **page.evaluate("engine.get('view')"))
        found = answering.session.explored.explain(Side("crisp", seed=seed), point, view.cell())
        colour = " ".join(f"{round(value, 3) + 0.0:.3f}" for value in found.colour)
        assert colour in panel.locator(".liif-sum").inner_text().replace("−", "-")
        assert panel.locator(".liif-hint").all_inner_texts() == ([stand_in] if stand_in else [])

    show(left=Side("crisp", seed=3), right=Side("crisp", seed=8))
    for column, seed in ((40, 3), (120, 8), (79, 3), (80, 8)):
        marks.click(position={"x": column, "y": 33})
        check(seed)
    split = root.get_by_role("slider", name="where the picture is split")
    split.focus()
    page.keyboard.press("ArrowRight")  # the point stands left of it now
    check(3)
    page.keyboard.press("ArrowLeft")
    check(8)
    show(left=Side("bicubic"))
    marks.click(position={"x": 40, "y": 33})
    instead = "Here stands bicubic, which asks no latent codes. From the"
    check(8, f"{instead} right side, crisp, seed 8 answers:")
    assert "on screen" not in panel.inner_text()
    split.focus()
    page.keyboard.press("Home")
    check(8)  # the point stands in the right side itself
    page.keyboard.press("End")
    check(8, f"{instead} right side, crisp, seed 8 answers:")
    show(left=Side("crisp", seed=3), right=Side("bicubic"))
    check(3)
    # Where no side has a model nothing of the X-ray stays; and it comes back with one.
    show(left=Side("nearest"))
    panel.get_by_text("Choose a model on one of the sides").wait_for()
    settle(root)
    assert panel.locator(".liif-sum").count() == 0
    show(left=Side("crisp", seed=5))
    check(5)


def test_two_views_that_open_photos_at_the_same_time(page: Any) -> None:
    answering = Answering(page, noise(30, 40))
    page.evaluate("(text) => showAgain(text, 2)", module("zoom_explorer.js"))
    files = [noise(620, 600, 1), noise(600, 640, 2)]  # each of two parts
    assert all(len(png(file)) > 4 / 3 * (1 << 20) for file in files)
    page.evaluate(
        """(texts) => document.querySelectorAll(".liif-stage").forEach(
             (stage, number) => drop(stage, `photo ${number}.png`, texts[number]))""",
        [png(file) for file in files],
    )
    page.wait_for_function("engine.get('photo').number === 2")
    for number in (0, 1):
        root = page.locator(".liif-zoom").nth(number)
        root.locator(".liif-stage").scroll_into_view_if_needed()
        settle(root)
        assert root.locator(".liif-note").all_inner_texts() == [""] * 4
    last = int(page.evaluate("engine.get('photo').name")[-1])
    np.testing.assert_array_equal(answering.session.explored.photo.colour, files[last])


@pytest.fixture
def by_hand(page: Any) -> Any:
    """Return the page with an explorer whose questions wait in `sent`."""
    page.evaluate(
        "([text, state]) => show(text, makeEngine(state))",
        [module("zoom_explorer.js"), explorer_state(noise(30, 40))],
    )
    page.wait_for_function("sent.some(({ question }) => question.type === 'frame')")
    return page


# Answer whatever frames are asked for, until the picture rests.
ANSWER_FRAMES = """([seconds, text]) => {
  while (sent.some(({ question }) => question.type === "frame")) {
    reply(({ type }) => type === "frame", { reading: false, left: 0, total: 0, picture: true,
      rect: [0, 0, 120, 160], box: [0, 0, 40, 30], seconds }, [text]);
  }
  return document.querySelector(".liif-stage").getAttribute("aria-busy") === "false";
}"""


def open_photo(page: Any, number: int) -> None:
    page.evaluate("(photo) => engine.set('photo', photo)", described((30, 40), number))


def test_two_quick_drops_are_two_uploads(by_hand: Any) -> None:
    by_hand.evaluate(
        """(texts) => texts.forEach(
             (text, at) => drop(document.querySelector(".liif-stage"), `${at}.png`, text))""",
        [png(noise(3, 4)), png(noise(5, 6))],
    )
    by_hand.wait_for_function("sent.some(({ question }) => question.type === 'upload')")
    uploads = [
        (question["upload"], question["name"])
        for question in by_hand.evaluate("asked")
        if question["type"] == "upload"
    ]
    assert uploads == [(2, "1.png")]  # the later one alone, and under a number of its own
    by_hand.evaluate("reply(({ type }) => type === 'upload', { failed: 'no good' })")
    by_hand.get_by_text("no good").wait_for()


def test_a_late_overview_is_that_of_its_own_photo(by_hand: Any) -> None:
    # The first to arrive is the last to be decoded.
    by_hand.evaluate(
        """() => {
             const decode = window.createImageBitmap;
             window.begun = 0;
             window.createImageBitmap = async (...rest) => {
               begun += 1;
               if (begun === 1) await new Promise((go) => (window.release = go));
               return decode(...rest);
             };
           }"""
    )
    overview = """(text) =>
      reply(({ type, photo }) => type === "overview" && photo === NUMBER, {}, [text])"""
    old, new = np.full((3, 4, 3), 10, np.uint8), np.full((6, 8, 3), 200, np.uint8)
    by_hand.evaluate(overview.replace("NUMBER", "0"), png(old))
    by_hand.wait_for_function("begun === 1")
    open_photo(by_hand, 1)
    by_hand.evaluate(overview.replace("NUMBER", "1"), png(new))
    by_hand.wait_for_function("document.querySelector('.liif-overview').width === 8")
    by_hand.evaluate("release()")
    by_hand.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    by_hand.evaluate("engine.set('split', 0.4)")  # drawn anew
    by_hand.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert by_hand.evaluate("document.querySelector('.liif-overview').width") == 8


def test_what_went_wrong_is_told_once(by_hand: Any) -> None:
    by_hand.evaluate(
        """() => {
             for (const kind of ["frame", "overview"]) {
               while (sent.some(({ question }) => question.type === kind)) {
                 reply(({ type }) => type === kind, { failed: "The engine stopped." });
               }
             }
           }"""
    )
    by_hand.get_by_text("The engine stopped.").wait_for()
    by_hand.evaluate(
        "(text) => drop(document.querySelector('.liif-stage'), 'a.png', text)", png(noise(3, 4))
    )
    by_hand.wait_for_function("sent.some(({ question }) => question.type === 'upload')")
    by_hand.evaluate(
        """async () => {
             reply(({ type }) => type === "upload", { failed: "The engine stopped." });
             await new Promise((done) => setTimeout(done, 50));
           }"""
    )
    assert by_hand.locator(".liif-note", has_text="The engine stopped.").count() == 1


def test_an_answer_about_the_photo_before_is_not_shown(by_hand: Any) -> None:
    open_photo(by_hand, 1)
    black, white = np.zeros((120, 160, 3), np.uint8), np.full((120, 160, 3), 255, np.uint8)
    by_hand.evaluate(
        """(text) => {
             for (let turn = 0; turn < 2; turn += 1) {
               reply(({ type, photo }) => type === "frame" && photo === 0, { picture: true,
                 rect: [0, 0, 120, 160], box: [0, 0, 40, 30], seconds: 1 }, [text]);
             }
           }""",
        png(white),
    )
    by_hand.wait_for_function(
        "sent.filter(({ question: { type } }) => type === 'frame').length === 2"
    )
    root = by_hand.locator(".liif-zoom")
    assert (pixels(root) == 0).all()  # nothing of it
    by_hand.wait_for_function(ANSWER_FRAMES, arg=[1, png(black + 7)])
    assert (pixels(root) == 7).all()


def test_a_picture_that_cannot_be_decoded_is_told(by_hand: Any) -> None:
    root = by_hand.locator(".liif-zoom")
    nonsense = base64.b64encode(b"not a picture").decode()
    by_hand.wait_for_function(ANSWER_FRAMES, arg=[1, nonsense])
    root.get_by_text("A picture arrived that this browser cannot show").wait_for()
    by_hand.evaluate("(text) => reply(({ type }) => type === 'overview', {}, [text])", nonsense)
    # The next view is asked for and shown as ever.
    by_hand.evaluate("engine.set('view', { centre: [0, 0], magnification: 20 })")
    by_hand.wait_for_function(
        """() => {
             while (sent.some(({ question }) => question.type === "ahead")) {
               reply(({ type }) => type === "ahead", { more: false });
             }
             return sent.some(({ question }) => question.type === "frame");
           }"""
    )


def test_another_version_of_the_questions_is_told(page: Any) -> None:
    state = {**explorer_state(noise(3, 4)), "version": VERSION + 1}
    page.evaluate(
        "([text, state]) => show(text, makeEngine(state))", [module("zoom_explorer.js"), state]
    )
    page.get_by_text("different versions of the explorer").wait_for()
    assert page.evaluate("asked") == []


WIDGETS = {"predict": PREDICT_STATE, "frame_slider": SLIDER_STATE, "zoom_explorer": None}


def show_two_of_each(page: Any) -> None:
    for name, state in WIDGETS.items():
        for _ in range(2):
            values = state or explorer_state(noise(30, 40))
            page.evaluate(
                "([text, state]) => show(text, makeEngine(state))", [module(f"{name}.js"), values]
            )


def test_two_of_every_widget_on_one_page_leave_one_another_alone(page: Any) -> None:
    show_two_of_each(page)
    names = page.evaluate(
        """[...document.querySelectorAll(".liif-widget")].map((widget) =>
             [...new Set([...widget.querySelectorAll("input[type=radio]")].map((r) => r.name))])"""
    )
    used = [name for widget in names for name in widget]
    assert [len(widget) for widget in names] == [1, 1, 0, 0, 1, 1]
    assert len(used) == len(set(used))
    # Nothing else may be found by a name that two widgets could share.
    shared = "[id], [for], [list], [aria-describedby], [aria-labelledby], [aria-controls]"
    assert page.locator(shared).count() == 0

    first, second = (page.locator(".liif-predict").nth(number) for number in (0, 1))
    first.get_by_label("this").check()
    second.get_by_label("neither").check()
    expect(first.get_by_label("this")).to_be_checked()
    second.get_by_label("neither").focus()
    page.keyboard.press("ArrowDown")  # round to its own first one
    expect(second.get_by_label("this")).to_be_checked()
    first.get_by_role("button", name="Commit").click()
    assert page.evaluate("asked.at(-1)") == {"type": "commit", "choice": 0}

    saving = page.locator(".liif-saving")
    for number in (0, 1):
        page.get_by_role("button", name="save what is on screen").nth(number).click()
        saving.nth(number).get_by_label("for printing").check()
    expect(saving.nth(0).get_by_label("for printing")).to_be_checked()


COMPUTED = """(order) => {
  document.querySelectorAll("style").forEach((style) => style.remove());
  for (const text of order) {
    const style = document.createElement("style");
    style.textContent = text;
    document.head.append(style);
  }
  const still = document.createElement("style");
  still.textContent = "* { transition: none !important }";
  document.head.append(still);
  return [...document.querySelectorAll(".liif-widget, .liif-widget *")].map((one) => {
    const style = getComputedStyle(one);
    return [one.className, ...[...style].map((name) => `${name}: ${style.getPropertyValue(name)}`)];
  });
}"""


def test_the_order_in_which_styles_load_does_not_matter(page: Any) -> None:
    show_two_of_each(page)
    page.evaluate(
        "document.querySelectorAll('.liif-widget').forEach("
        "(one) => one.classList.add('jupyter-widgets'))"
    )
    # A copy of what they show, in which nothing moves.
    page.evaluate("document.body.innerHTML = document.body.innerHTML")
    # ipywidgets' own, which may come first or last.
    theirs = ".jupyter-widgets { margin: 2px; box-sizing: border-box; color: teal }"
    sheets = [theirs, *(style(f"{name}.css") for name in WIDGETS)]
    wide = None
    for order in permutations(sheets):
        found = page.evaluate(COMPUTED, list(order))
        wide = wide or found
        different = [(a[0], set(a) ^ set(b)) for a, b in zip(wide, found, strict=True) if a != b]
        assert different == []
    widths = page.locator(".liif-widget").evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one).maxWidth)"
    )
    assert widths == ["736px", "736px", "992px", "992px", "none", "none"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("width", "beside"), [(390, False), (700, False), (980, True)])
def test_the_xray_lies_beside_the_picture_or_below_it(
    page: Any, width: int, beside: bool, dark: bool
) -> None:
    page.set_viewport_size({"width": width, "height": 768})
    page.emulate_media(color_scheme="dark" if dark else "light")
    Answering(page, noise(30, 40), (480, 640))
    sheets = [style("zoom_explorer.css"), style("predict.css")]
    page.evaluate(
        """(sheets) => sheets.forEach((text) =>
             document.head.append(
               Object.assign(document.createElement("style"), { textContent: text })))""",
        sheets,
    )
    page.evaluate("(text) => showAgain(text, 1)", module("zoom_explorer.js"))
    root = page.locator(".liif-zoom")
    settle(root)
    root.locator(".liif-marks").click(position={"x": 200, "y": 60})
    root.locator(".liif-sum").wait_for()
    stage, xray, total = (
        root.locator(name).bounding_box() for name in (".liif-stage", ".liif-xray", ".liif-sum")
    )
    if beside:
        assert xray["x"] >= stage["x"] + stage["width"]
        assert total["y"] + total["height"] - stage["y"] < 520
    else:
        assert xray["y"] >= stage["y"] + stage["height"]
    # Nothing is wider than the page, and no number is cut off.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_OFF) == []


CUT_OFF = """() => [...document.querySelectorAll(".liif-xray dd, .liif-xray p, .liif-xray dt")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent)"""
