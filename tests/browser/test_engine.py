"""The engine in the browser, on a page from a plain file server, against the engine in Python."""

import base64
import functools
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from served import file_server, one_file, site, small_heat, small_model

from liif_core.ablation import ablated
from liif_core.axes import axis_neighbours
from liif_core.explorer import Session, Side, Viewport
from liif_core.explorer.messages import VERSION, print_strip
from liif_core.explorer.methods import methods_of
from liif_core.folded import FoldedDecoder
from liif_core.liif import LIIF
from liif_core.photos import photo_from
from liif_core.weights import load_model

SIZE = (230, 250)  # of several tiles
VIEW = {"centre": [0.1, -0.2], "magnification": 3.3, "screen": [120, 160]}


def photograph(height: int, width: int) -> np.ndarray:
    """Return noise with some order in it."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (height // 5, width // 5, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    return (smooth + rng.integers(-20, 20, smooth.shape)).clip(0, 255).astype(np.uint8)


class Both:
    """One photo and one model, in the browser and in Python."""

    def __init__(self, page: Any, photo: np.ndarray, model: LIIF) -> None:
        self.page = page
        self.photo = photo
        self.model = model
        self.session = Session(photo_from(photo), {"LIIF": model}, lambda *_: None)

    def ask(self, type_: str, **fields: Any) -> tuple[Any, Any]:
        """Ask both, until nothing is left to be read; what each answers, its picture decoded."""
        common = {"type": type_, "viewer": "v", "tag": 1, "photo": 0, "version": VERSION}
        askers = (
            lambda question: self.page.evaluate("(question) => ask(question)", question),
            lambda question: self.session.answer(question),
        )
        found = []
        for ask in askers:
            reads = 0
            while True:
                answer, pictures = ask({**common, **fields, "reads": reads})
                assert "failed" not in answer, answer
                if not answer.get("reading"):
                    break
                reads += 1
            if pictures:
                answer = {**answer, "pixels": decoded(pictures[0])}
            found.append(answer)
        return found[0], found[1]

    def frame(self, side: Side, **changes: Any) -> tuple[Any, Any]:
        view = {**VIEW, **changes}
        return self.ask("frame", view=view, side=vars(side), coarse=False, lossless=True)


def decoded(picture: str | bytes) -> np.ndarray:
    data = base64.b64decode(picture) if isinstance(picture, str) else picture
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


@pytest.fixture
def opened(new_page: Any, server: Any, tmp_path: Path) -> Iterator[Callable[..., Both]]:
    """Return a function that opens a page with an engine; nothing may go wrong on it, and it may
    ask nobody but its own server."""
    errors: list[str] = []
    asked: list[str] = []
    servers = []

    def start(photo: np.ndarray, model: LIIF, precision: str = "float32", **options: Any) -> Both:
        site(tmp_path, photo, model)
        serving = file_server(tmp_path)
        servers.append(serving)
        url = serving.__enter__()
        page = new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: said.type == "error" and errors.append(said.text))
        page.on(
            "request",
            lambda request: (
                request.url.startswith((url, "blob:", "data:")) or asked.append(request.url)
            ),
        )
        page.goto(url)
        page.wait_for_function("window.loaded")
        height, width = photo.shape[:2]
        values = {"height": height, "width": width, "precision": precision, **options}
        page.evaluate("(values) => start(values)", values)
        return Both(page, photo, model)

    yield start
    for serving in servers:
        serving.__exit__(None, None, None)
    assert errors == [], "errors in the browser"
    assert asked == [], "requests to others than the page's own server"


# Codes, hidden map and answers of a window, in floats, as the kernel computes them.
COMPUTE = """
async ({ height, width, side, places, cell, kernel: name }) => {
  const names = ["kernel", "network", "encoder", "weights"];
  const [{ Kernel }, { Network }, { asInput }, { readWeights }] = await Promise.all(
    names.map((name) => import(`./static/engine/${name}.js`)));
  const module = await WebAssembly.compile(await bytes(`./static/engine/${name}`));
  const kernel = new Kernel(module);
  const network = new Network(kernel, readWeights(await bytes("LIIF.float32")));
  const decoder = network.decoder(side);
  const rgb = new Uint8Array(await bytes("photo.rgb"));
  const codes = network.encode(rgb, height, width);
  const hidden = kernel.room(height * width * network.hidden);
  network.hiddenMap(decoder, codes, { height, width }, hidden);
  const colours = kernel.room(height * width * 4);
  const numbers = kernel.floats(colours, height * width * 4);
  for (let at = 0; at < height * width * 3; at += 1) {
    numbers[Math.floor(at / 3) * 4 + (at % 3)] = asInput(rgb[at]);
  }
  const axis = ({ index, delta, weight, count, outputs }) => ({ count, outputs,
    index: Int32Array.from(index), delta: Float32Array.from(delta),
    weight: Float32Array.from(weight) });
  const [down, across] = places.map(axis);
  const answers = network.decode(decoder, { hidden, colours, width }, down, across, { cell });
  const list = (start, count) => [...kernel.floats(start, count)];
  return { codes: list(codes, (height + 2) * (width + 2) * network.channels),
    hidden: list(hidden, height * width * network.hidden),
    answers: list(answers, down.outputs * across.outputs * 4) };
}
"""


@pytest.mark.parametrize(
    ("changes", "off"),
    [
        ({}, []),
        ({}, ["local_ensemble"]),
        ({}, ["feature_unfolding", "cell_decoding"]),
        ({"feature_unfolding": False, "channels": 16}, []),
        ({"cell_decoding": False, "local_colour": False, "hidden": (24, 8, 40)}, []),
        ({"local_colour": False, "hidden": (256,) * 4}, []),  # the paper's decoder
    ],
)
def test_the_kernel_computes_what_folded_computes(
    opened: Callable[..., Both], changes: dict[str, Any], off: list[str]
) -> None:
    model = small_model(**changes)
    photo = photograph(19, 23)  # neither is a multiple of four
    both = opened(photo, model, workers=1)
    variant = ablated(model, **dict.fromkeys(off, False))
    decoder = FoldedDecoder(variant)
    given = torch.from_numpy(photo).float().div(255).permute(2, 0, 1)[None]
    latents = model.encode(given)
    hidden = decoder.hidden_map(latents.codes)
    ensemble = variant.config.local_ensemble
    shape = (37, 271)  # more than a block; some codes answer for many columns, some for few
    axes = [
        axis_neighbours(torch.linspace(-1, 1, count), size, local_ensemble=ensemble)
        for count, size in zip(shape, photo.shape[:2], strict=True)
    ]
    cell = torch.tensor([0.03, 0.05])
    term = decoder.cell_term(cell, photo.shape[:2])
    colours = latents.colours[0].permute(1, 2, 0).contiguous()
    answers = decoder.grid(hidden[0], colours, *axes, term)
    asked = {
        "height": 19,
        "width": 23,
        "side": {name: name not in off for name in vars(Side("LIIF")) if name != "method"},
        "cell": [0.03 * 19, 0.05 * 23],
        "places": [
            {
                "count": len(axis.index),
                "outputs": axis.index.shape[1],
                **{
                    name: getattr(axis, name).flatten().tolist()
                    for name in ("index", "delta", "weight")
                },
            }
            for axis in axes
        ],
    }
    expected = latents.codes[0].permute(1, 2, 0).numpy()
    channels, width = model.config.channels, model.config.hidden[0]
    for kernel in ("kernel.wasm", "kernel_relaxed.wasm"):
        found = both.page.evaluate(COMPUTE, {**asked, "kernel": kernel})
        codes = np.array(found["codes"]).reshape(21, 25, -1)
        assert not codes[0].any()
        assert not codes[:, -1].any()
        np.testing.assert_allclose(codes[1:-1, 1:-1, :channels], expected, rtol=0, atol=1e-5)
        mapped = np.array(found["hidden"]).reshape(19, 23, -1)[..., :width]
        np.testing.assert_allclose(mapped, hidden[0].numpy(), rtol=0, atol=1e-5)
        seen = np.array(found["answers"]).reshape(*shape, 4)[..., :3]
        np.testing.assert_allclose(seen, answers.numpy(), rtol=0, atol=1e-5)


def test_which_kernel_is_used(opened: Callable[..., Both]) -> None:
    """The relaxed one where the browser has it and it answers as the plain one does."""
    both = opened(photograph(20, 30), small_model(), workers=1)
    assert both.page.evaluate("engine.build") == "relaxed"
    builds = both.page.evaluate(
        """async () => {
             const { chosenKernel } = await import("./static/engine/kernels.js");
             const names = ["kernel.wasm", "kernel_relaxed.wasm"];
             const [plain, good] = await Promise.all(
               names.map((name) => bytes(`./static/engine/${name}`)));
             const add = [0xfd, 0xe4, 0x01];
             const bytecode = new Uint8Array(good);
             const adds = [...bytecode.keys()].filter(
               (at) => add.every((byte, k) => bytecode[at + k] === byte));
             const wrong = adds.map((at) => bytecode.with(at + 1, 0xe5)); // it subtracts instead
             const builds = [];
             for (const relaxed of [good, plain.slice(0, 99), ...wrong]) {
               builds.push((await chosenKernel({ plain, relaxed })).build);
             }
             const missing = Promise.reject(new Error("missing"));
             builds.push((await chosenKernel({ plain, relaxed: missing })).build);
             return builds;
           }"""
    )
    assert builds[0] == "relaxed"
    assert len(builds) > 20
    assert set(builds[1:]) == {"plain"}


@pytest.mark.parametrize("workers", [1, 3])
def test_frames_are_pythons(opened: Callable[..., Both], workers: int) -> None:
    both = opened(photograph(*SIZE), small_model(), workers=workers)
    for method in ("nearest", "bilinear", "bicubic"):
        for magnification in (0, 0.2, 1, 3.3, 64):
            found, expected = both.frame(Side(method), magnification=magnification)
            np.testing.assert_array_equal(found["pixels"], expected["pixels"])
            assert (found["rect"], found["box"]) == (expected["rect"], expected["box"])
    sides = [Side("LIIF")]
    for name in ("local_ensemble", "feature_unfolding", "cell_decoding"):
        sides.append(Side("LIIF", **{name: False}))
    pictures = []
    for side in sides:
        for magnification in (0.4, 1, 3, 3.3):
            found, expected = both.frame(side, magnification=magnification)
            close(found["pixels"], expected["pixels"])
        pictures.append(found["pixels"])
    assert all((pictures[0] != other).any() for other in pictures[1:])  # each switch does something


def inventive_model() -> LIIF:
    """Return a LIIF that invents details, of which one sees much; its own seed is 4."""
    model = small_model(noise=12)
    model.imnet.layers[0].weight[:, -12:] *= 3
    model.imnet.layers[-1].weight *= 4
    model.seed = 4
    return model


OTHERS = {
    "noise": (inventive_model, [Side("LIIF"), Side("LIIF", seed=2**31 - 1)]),
    "heat": (small_heat, [Side("LIIF"), Side("LIIF", local_ensemble=False)]),
    "heat that knows the pixel's side": (
        functools.partial(small_heat, depth=1, powers=2),
        [Side("LIIF"), Side("LIIF", local_ensemble=False)],
    ),
    "heat of one layer": (
        functools.partial(small_heat, depth=0, powers=1),
        [Side("LIIF"), Side("LIIF", local_ensemble=False)],
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_frames_of_other_models_are_pythons(opened: Callable[..., Both], kind: str) -> None:
    made, sides = OTHERS[kind]
    both = opened(photograph(*SIZE), made(), workers=2)
    methods = both.page.evaluate("engine.get('methods')")
    assert methods == methods_of(both.session.explored.models)
    sides.append(Side("LIIF", cell_decoding=False))
    pictures = []
    for side in sides:
        for magnification in (0.4, 0.7, 3.3, 24.7):
            found, expected = both.frame(side, magnification=magnification)
            close(found["pixels"], expected["pixels"])
        pictures.append(found["pixels"])
        for coord in ([0.11, -0.213], [-1, 1]):
            fields = {"coord": coord, "cell": [0.002, 0.003], "side": vars(side)}
            same_xray(*both.ask("xray", **fields))
    assert np.abs(pictures[0] - pictures[1]).mean() > 0.1
    assert (pictures[0] != pictures[2]).any()
    bicubic, _ = both.frame(Side("bicubic"), magnification=24.7)
    assert np.abs(pictures[0] - bicubic["pixels"]).mean() > 0.3


def close(found: np.ndarray, expected: np.ndarray, most: int = 1) -> None:
    """The same picture: at most `most` of 255 apart, and nearly everywhere nothing."""
    assert found.shape == expected.shape
    apart = np.abs(found - expected)
    assert apart.max() <= most
    if most == 1:
        assert (apart == 0).mean() >= 0.999


def test_a_frame_with_coarse_pixels_and_half_the_bits(
    opened: Callable[..., Both], monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a fast machine Python's would be followed by a finer one.
    monkeypatch.setattr("liif_core.explorer.messages.BUDGET", 0.0)
    both = opened(photograph(60, 80), load_model("liif-edsr-small", "cpu"), "float16", workers=2)
    found, expected = both.frame(Side("LIIF"), magnification=6)
    close(found["pixels"], expected["pixels"], most=2)
    view = {**VIEW, "screen": [480, 640]}
    found, expected = both.ask(
        "frame", view=view, side=vars(Side("LIIF")), coarse=True, lossless=False
    )
    assert found["pixels"].shape == expected["pixels"].shape


def test_everything_else_that_is_asked(opened: Callable[..., Both]) -> None:
    both = opened(photograph(*SIZE), small_model(), workers=2)
    found, expected = both.ask("overview")
    np.testing.assert_array_equal(found["pixels"], expected["pixels"])
    for coord in ([0.11, -0.213], [-1, 1], [0.999, 0.0]):
        for side in (Side("LIIF"), Side("LIIF", local_ensemble=False, cell_decoding=False)):
            fields = {"coord": coord, "cell": [0.002, 0.003], "side": vars(side)}
            same_xray(*both.ask("xray", **fields))
    found, expected = both.ask(
        "strip",
        view=VIEW,
        left=vars(Side("bicubic")),
        right=vars(Side("LIIF")),
        split=0.3,
        size=[300, 401],
        rows=[71, 190],
    )
    close(found["pixels"], expected["pixels"])
    more = [both.ask("ahead", view=VIEW, side=vars(Side("LIIF")))[0]["more"] for _ in range(12)]
    assert more == sorted(more, reverse=True)
    assert more[0]
    assert not more[-1]  # 3 × 3 tiles, and then nothing is left


def same_xray(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name in ("corner", "pixels", "local_colour"):
        assert found[name] == expected[name]
    np.testing.assert_allclose(found["colour"], expected["colour"], rtol=0, atol=1e-5)
    chance, told = found["chance"], expected["chance"]
    assert (chance is None) == (told is None)
    if chance:
        assert chance["seed"] == told["seed"]
        for name in ("without", "others", "spread"):
            np.testing.assert_allclose(chance[name], told[name], rtol=0, atol=1e-5)
        for one, other in zip(chance["read"], told["read"], strict=True):
            assert one == pytest.approx(other, abs=1e-5)
    for one, other in zip(found["codes"], expected["codes"], strict=True):
        assert (one["row"], one["col"]) == (other["row"], other["col"])
        for name in ("delta", "weight", "base", "correction", "answer"):
            np.testing.assert_allclose(one[name], other[name], rtol=0, atol=1e-5)


def test_little_memory_gives_the_same(opened: Callable[..., Both]) -> None:
    both = opened(photograph(*SIZE), small_model(), workers=2, memory=1)
    found, expected = both.frame(Side("LIIF"), magnification=0)
    close(found["pixels"], expected["pixels"])
    found, expected = both.frame(Side("LIIF"), magnification=1)
    close(found["pixels"], expected["pixels"])


def test_what_cannot_be_answered(opened: Callable[..., Both]) -> None:
    both = opened(photograph(20, 30), small_model(), workers=1)
    common = {"viewer": "v", "tag": 7, "photo": 0, "version": VERSION}
    say = both.page.evaluate
    answer, _ = say("(q) => ask(q)", {**common, "type": "poem"})
    assert answer == {
        "type": "poem",
        "viewer": "v",
        "tag": 7,
        "photo": 0,
        "failed": 'This engine does not answer the question "poem".',
    }
    assert (
        "version 0"
        in say("(q) => ask(q)", {**common, "type": "overview", "version": 0})[0]["failed"]
    )
    stale, _ = say("(q) => ask(q)", {**common, "type": "overview", "photo": 3})
    assert stale["stale"]


def test_another_photo(opened: Callable[..., Both]) -> None:
    both = opened(photograph(*SIZE), small_model(), workers=2)
    both.frame(Side("LIIF"))
    other = photograph(40, 50)
    both.page.evaluate(
        """(flat) => engine.show(
             { height: 40, width: 50, name: "other", rgb: new Uint8ClampedArray(flat) })""",
        other.flatten().tolist(),
    )
    assert both.page.evaluate("engine.get('photo')") == {
        "height": 40,
        "width": 50,
        "name": "other",
        "number": 1,
    }
    session = Session(photo_from(other), {"LIIF": both.model}, lambda *_: None)
    question = {"type": "frame", "viewer": "v", "tag": 1, "version": VERSION, "reads": 9}
    question |= {"view": VIEW, "side": vars(Side("LIIF")), "coarse": False, "lossless": True}
    _, pictures = both.page.evaluate("(q) => ask(q)", {**question, "photo": 1})
    _, expected = session.answer({**question, "photo": 0})
    close(decoded(pictures[0]), decoded(expected[0]))


def test_the_explorer_on_the_engine(opened: Callable[..., Both]) -> None:
    model = load_model("liif-edsr-small", "cpu")
    view = {"centre": [0.1, -0.2], "magnification": 12}
    values = {"screen": [240, 320], "view": view, "alt": "Noise."}
    both = opened(photograph(90, 120), model, workers=2, values=values)
    both.page.evaluate("explore()")
    root = both.page.locator(".liif-zoom")
    root.locator(".liif-stage[aria-busy=false]").wait_for()
    height, width, flat = root.locator(".liif-picture").evaluate(
        """(canvas) => [canvas.height, canvas.width, Array.from(
             canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)]"""
    )
    seen = np.array(flat, np.uint8).reshape(height, width, 4)[..., :3].astype(int)
    viewport = Viewport((90, 120), (height, width), **{**view, "centre": (0.1, -0.2)})
    sides = Side("bicubic"), Side("LIIF")
    form = {"size": (height, width), "split": 0.5}
    expected = print_strip(both.session.explored, viewport, sides, form, range(height))
    close(seen, expected.astype(int))
    root.locator(".liif-marks").click(position={"x": 201, "y": 33})
    root.locator(".liif-sum").wait_for()
    assert root.locator(".liif-note").all_inner_texts() == [""] * 4


def test_the_explorer_in_one_file(new_page: Any, server: Any, tmp_path: Path) -> None:
    file = tmp_path / "one.html"
    file.write_text(one_file(photograph(40, 50), small_model(), screen=[120, 160]), "utf-8")
    page = new_page(offline=True)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: said.type == "error" and errors.append(said.text))
    page.goto(file.as_uri())
    root = page.locator(".liif-zoom")
    root.locator(".liif-stage[aria-busy=false]").wait_for()
    root.locator(".liif-marks").click(position={"x": 101, "y": 33})
    root.locator(".liif-sum").wait_for()
    drop(page, "mine.png", png(photograph(30, 20)))
    page.wait_for_function("engine.get('photo').number === 1")
    root.locator(".liif-stage[aria-busy=false]").wait_for()
    assert root.locator(".liif-note").all_inner_texts() == [""] * 4
    assert errors == []


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


DROP = """
([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name));
  document.querySelector(".liif-stage").dispatchEvent(
    new DragEvent("drop", { dataTransfer: files, bubbles: true }));
}
"""


def drop(page: Any, name: str, data: bytes) -> None:
    page.evaluate(DROP, [name, base64.b64encode(data).decode()])


def test_the_readers_own_photo(opened: Callable[..., Both]) -> None:
    both = opened(photograph(20, 30), small_model(), workers=2, values={"screen": [120, 160]})
    both.page.evaluate("explore()")
    root = both.page.locator(".liif-zoom")
    drop(both.page, "broken.png", b"no photo")
    root.get_by_text("broken.png is not a photo that this browser can show").wait_for()
    assert both.page.evaluate("engine.get('photo')")["number"] == 0  # all stays as it was
    photo = np.random.default_rng(1).integers(0, 256, (600, 640, 3), dtype=np.uint8)
    data = png(photo)
    assert len(data) > 1 << 20  # of two parts
    drop(both.page, "my.own.png", data)
    both.page.wait_for_function("engine.get('photo').number === 1")
    described = {"height": 600, "width": 640, "name": "my.own", "number": 1}
    assert both.page.evaluate("engine.get('photo')") == described
    root.locator(".liif-stage[aria-busy=false]").wait_for()
    session = Session(photo_from(photo), {"LIIF": both.model}, lambda *_: None)
    common = {"type": "overview", "viewer": "v", "tag": 1, "version": VERSION}
    _, pictures = both.page.evaluate("(q) => ask(q)", {**common, "photo": 1})
    _, expected = session.answer({**common, "photo": 0})
    np.testing.assert_array_equal(decoded(pictures[0]), decoded(expected[0]))
    assert root.locator(".liif-note").all_inner_texts() == [""] * 4


def test_a_transparent_photo_lies_on_white(opened: Callable[..., Both]) -> None:
    both = opened(photograph(20, 30), small_model(), workers=1)
    photo = np.zeros((4, 6, 4), np.uint8)
    photo[:, 3:] = 10, 20, 30, 255
    found = both.page.evaluate(
        """async (bytes) => {
             const { photoFrom } = await import("./static/engine/uploads.js");
             const { height, width, rgb, name } = await photoFrom([new Uint8Array(bytes)], ".x");
             return [height, width, [...rgb], name];
           }""",
        list(png(photo)),
    )
    expected = np.full((4, 6, 3), 255)
    expected[:, 3:] = 10, 20, 30
    assert found == [4, 6, expected.flatten().tolist(), ".x"]


def test_uploads_keep_little(opened: Callable[..., Both]) -> None:
    both = opened(photograph(20, 30), small_model(), workers=1)
    found = both.page.evaluate(
        """async () => {
             const { Uploads } = await import("./static/engine/uploads.js");
             let now = 0;
             const uploads = new Uploads(() => now);
             const said = [];
             const take = (viewer, upload, part, size = 4) => {
               try {
                 const piece = { byteLength: size };
                 said.push(uploads.take({ viewer, upload, part, parts: 2 }, piece)?.length ?? null);
               } catch (error) {
                 said.push(error.message);
               }
             };
             take("a", 1, 0);
             take("a", 2, 0); // in the place of the first
             take("a", 1, 1);
             take("a", 2, 1);
             take("b", 3, 0);
             now = 121_000;
             take("b", 3, 1); // too late
             take("a", 4, 0, 300 << 20);
             now += 1;
             take("b", 5, 0, 200 << 20); // both are too much
             take("a", 4, 1);
             take("b", 5, 1, 300 << 20);
             return [said, uploads.size];
           }"""
    )
    interrupted = "Opening the photo was interrupted; choose it again."
    large = "A photo's file may have 400 MB at most; shrink it."
    assert found == [
        [None, None, interrupted, 2, None, interrupted, None, None, interrupted, large],
        0,
    ]


def test_photos_that_are_shown_at_the_same_time(opened: Callable[..., Both]) -> None:
    both = opened(photograph(20, 30), small_model(), workers=2)
    numbers = both.page.evaluate(
        """async (question) => {
             const rgb = new Uint8ClampedArray(3 * 50 * 40);
             const photo = (name) => ({ height: 50, width: 40, rgb, name });
             const seen = [];
             engine.on("change:photo", () => seen.push(engine.get("photo")));
             const shown = ["one", "two"].map((name) => engine.show(photo(name)));
             const early = engine.answer(question);
             await Promise.all(shown);
             const [answer] = await early;
             return [seen.map(({ name, number }) => [name, number]), answer.failed ?? ""];
           }""",
        OVERVIEW,
    )
    assert numbers == [[["one", 1], ["two", 2]], ""]


DIE = """([number, message]) => {
  const one = engine.pool.workers[number];
  one.worker.terminate();
  one.worker.dispatchEvent(new ErrorEvent("error", { message }));
}"""
OVERVIEW = {"type": "overview", "viewer": "v", "tag": 1, "version": VERSION, "photo": 0}


def test_a_worker_that_dies_is_replaced_once(opened: Callable[..., Both]) -> None:
    both = opened(photograph(*SIZE), small_model(), workers=2)
    both.frame(Side("LIIF"))
    both.page.evaluate("explore()")
    root = both.page.locator(".liif-zoom")
    root.locator(".liif-stage[aria-busy=false]").wait_for()
    both.page.evaluate(DIE, [0, "no memory"])
    found, expected = both.frame(Side("LIIF"))
    close(found["pixels"], expected["pixels"])
    both.page.evaluate(DIE, [0, "no memory"])
    answer, _ = both.page.evaluate("(q) => ask(q)", OVERVIEW)
    line = "A part of the engine stopped twice (no memory); reload the page."
    assert answer["failed"] == line
    seen = root.locator(".liif-picture").screenshot()
    root.get_by_role("button", name="zoom in").click()
    root.get_by_text(line).first.wait_for()  # the reader is told, and keeps the picture
    root.locator(".liif-stage[aria-busy=false]").wait_for()
    assert np.ptp(decoded(seen)) > 50
    opening = "engine.show(engine.opened.photo).then(() => '', ({ message }) => message)"
    assert both.page.evaluate(opening) == line
    assert both.page.evaluate("engine.number") == 0


def test_a_replacement_that_cannot_begin_is_not_asked(opened: Callable[..., Both]) -> None:
    both = opened(photograph(20, 30), small_model(), workers=1)
    both.page.evaluate(
        """() => {
             const text =
               "onmessage = ({ data: { id } }) => postMessage({ id, failed: 'no room' })";
             const script = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
             engine.pool.workers[0].make = () => new Worker(script);
           }"""
    )
    both.page.evaluate(DIE, [0, "no memory"])
    both.page.wait_for_function("engine.pool.workers[0].dead")
    answer, _ = both.page.evaluate("(q) => ask(q)", OVERVIEW)
    assert "stopped twice (no room)" in answer["failed"]


def test_a_photo_that_a_worker_cannot_take_changes_nothing(opened: Callable[..., Both]) -> None:
    values = {"screen": [120, 160], "view": {"centre": [0.1, -0.2], "magnification": 3.3}}
    both = opened(photograph(*SIZE), small_model(), workers=2, values=values)
    both.page.evaluate("explore()")
    root = both.page.locator(".liif-zoom")
    root.locator(".liif-stage[aria-busy=false]").wait_for()
    both.page.evaluate(
        """() => {
             const { worker } = engine.pool.workers[1];
             const post = worker.postMessage;
             worker.postMessage = function (message) {
               worker.postMessage = post;
               throw new DOMException(`${message.call}: no memory`, "DataCloneError");
             };
           }"""
    )
    drop(both.page, "mine.png", png(photograph(40, 50)))
    root.get_by_text("open: no memory").wait_for()
    assert both.page.evaluate("engine.get('photo')")["name"] == "noise"
    assert both.page.evaluate("engine.get('view')") == values["view"]
    root.locator(".liif-stage[aria-busy=false]").wait_for()
    found, expected = both.frame(Side("LIIF"))
    close(found["pixels"], expected["pixels"])
    assert both.page.evaluate(
        "engine.pool.workers.map(({ known }) => known.get('open').number)"
    ) == [
        0,
        0,
    ]
    both.page.evaluate(DIE, [1, "no memory"])  # the replacement opens the photo that is open
    found, expected = both.frame(Side("LIIF"))
    close(found["pixels"], expected["pixels"])


# What a worker with a model of that shape is planned to need, and what it takes: the kernel's
# memory, and all weights and codes outside of it.
NEEDS = """
async () => {
  const names = ["kernel", "network", "weights", "tiles", "budget"];
  const [{ Kernel }, { Network }, { readWeights }, tiles, { workerNeeds }] = await Promise.all(
    names.map((name) => import(`./static/engine/${name}.js`)));
  const module = await WebAssembly.compile(await bytes("./static/engine/kernel.wasm"));
  const kernel = new Kernel(module);
  const file = await bytes("LIIF.float32");
  const network = new Network(kernel, readWeights(file));
  const parts = { local_ensemble: true };
  for (const unfolding of [true, false]) {
    for (const cell of [true, false]) {
      network.decoder({ ...parts, feature_unfolding: unfolding, cell_decoding: cell });
    }
  }
  const { SIDE, MARGIN, TOGETHER, haloOf } = tiles;
  const side = TOGETHER * SIDE + 2 * haloOf(network.radius);
  kernel.within(() => network.encode(new Uint8Array(side * side * 3), side, side));
  const codes = (TOGETHER * (SIDE + 2 * MARGIN)) ** 2 * network.channels * 4;
  const taken = kernel.memory.buffer.byteLength + 1.5 * file.byteLength + codes;
  return [workerNeeds([network.config]), taken];
}
"""


def test_memory_is_kept_within_bounds(opened: Callable[..., Both]) -> None:
    """Whatever the photo, a phone's 300 MB suffice; what was planned is what is held."""
    megabyte = 1 << 20
    both = opened(photograph(*SIZE), small_model(), workers=2, memory=110 * megabyte)
    plans = both.page.evaluate(
        """async () => {
             const { budget, largestPhoto } = await import("./static/engine/budget.js");
             const [phone, wanted] = [300 << 20, 4];
             const most = largestPhoto(phone);
             return [1e4, 1e6, 12e6, 24e6, most].map((pixels) => {
               const side = Math.floor(Math.sqrt(pixels));
               return [3 * side * side, budget({ height: side, width: side }, wanted, phone)];
             });
           }"""
    )
    for photo, plan in plans:
        copies = photo + plan["workers"] * (32 * megabyte + photo * 4 / 3)
        assert copies + plan["codes"] + plan["workers"] * plan["maps"] <= 300 * megabyte
        assert plan["codes"] >= 15 * megabyte
    assert [plan["workers"] for _, plan in plans] == [4, 4, 2, 1, 1]
    assert plans[-1][0] > 90e6  # 30 megapixels
    planned, taken = both.page.evaluate(NEEDS)
    assert taken < planned < 1.2 * taken + 2 * megabyte
    for centre in ([-1, -1], [-1, 1], [1, -1], [1, 1], [0, 0]):
        found, expected = both.frame(Side("LIIF"), centre=centre)
        close(found["pixels"], expected["pixels"])
        room, held = both.page.evaluate("[engine.explored.memory, engine.explored.codes.held]")
        assert 0 < held <= room


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("WebAssembly.compile = async () => { throw new Error('no SIMD'); }", "lacks WebAssembly"),
        ("window.fetch = async () => new Response('', { status: 404 })", "kernel.wasm, is missing"),
    ],
)
def test_a_browser_without_what_the_engine_needs(
    opened: Callable[..., Both], trouble: str, words: str
) -> None:
    both = opened(photograph(20, 30), small_model(), workers=1)
    failed = both.page.evaluate(
        """async ([trouble, question]) => {
             const [{ Engine }, { piecesBeside }] = await Promise.all(
               ["engine", "beside"].map((name) => import(`./static/engine/${name}.js`)));
             const weights = { LIIF: await bytes("LIIF.float32") };
             const photo = { height: 20, width: 30, rgb: new Uint8Array(1800), name: "" };
             eval(trouble);
             const other = new Engine({ photo, weights, pieces: piecesBeside(), workers: 1 });
             const [answer] = await other.answer(question);
             other.stop();
             return answer.failed;
           }""",
        [trouble, OVERVIEW],
    )
    assert words in failed
