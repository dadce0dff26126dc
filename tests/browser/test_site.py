"""The built site and the page of `liif explain`, driven in Chromium and in Firefox."""

import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from browsers import Browser, chromium, expect, firefox, png_bytes, wait
from PIL import Image
from served import file_server

from liif_core.__main__ import main
from liif_core.ablation import ablated
from liif_core.explorer import Viewport
from liif_core.explorer.messages import VERSION
from liif_core.render import ContinuousPhoto
from liif_core.samples import sample_photo
from liif_core.weights import load_model
from liif_core.xray import explain_query

ROOT = Path(__file__).parents[2]
bs4 = pytest.importorskip("bs4", reason="the site is built with beautifulsoup4: pip install it")
pytest.importorskip("nbconvert", reason="the site is built with nbconvert: pip install it")
MOST_PAGE = 2_000_000
MOST_FIRST = 1_500_000
LIIF = "document.querySelector('.liif-alive').engine"
NOTES = "[...document.querySelectorAll('.liif-note')].map((one) => one.textContent).join('')"
STAGE = "document.querySelector('.liif-stage')"


def builder() -> Any:
    """Return the class that builds the site."""
    sys.path.insert(0, str(ROOT / "website"))
    try:
        from build import Builder
    finally:
        sys.path.remove(str(ROOT / "website"))
    return Builder


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site."""
    folder = tmp_path_factory.mktemp("site") / "site"
    builder()(folder).build()
    return folder


@pytest.fixture(scope="session")
def pages(built: Path) -> dict[str, Any]:
    """Return every page, read."""
    found = sorted(built.rglob("*.html"))
    return {
        path.relative_to(built).as_posix(): bs4.BeautifulSoup(path.read_text(), "html.parser")
        for path in found
    }


@pytest.fixture(scope="session")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    Image.fromarray(sample_photo("portrait", 128)).save(folder / "portrait.png")
    assert main(["explain", str(folder / "portrait.png"), "--text"]) == 0
    return folder / "portrait.html"


@pytest.fixture(params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Browser]:
    """Return a browser, in which no error may happen."""
    with chromium() if request.param == "chromium" else firefox(tmp_path) as started:
        yield started
        assert started.errors == [], "errors in the browser"


@pytest.fixture(scope="session")
def served(built: Path) -> Iterator[str]:
    with file_server(built) as url:
        yield url


def test_a_folder_with_other_things_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("dear")
    with pytest.raises(SystemExit, match="other things than a site"):
        builder()(tmp_path).build()
    assert (tmp_path / "diary.txt").read_text() == "dear"


class Reader:
    """A reader's hand on the first explorer of a page."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.photo = sample_photo("portrait", 128)
        self.model = load_model("liif-edsr-small", "cpu")
        browser.open(url)
        wait(browser, "document.querySelector('[data-liif=explorer][data-alive=true]') !== null")
        browser.run(f"{STAGE}.scrollIntoView({{ block: 'center' }})")
        self.settle()

    def settle(self) -> None:
        """Wait until the full frames are drawn."""
        self.browser.run("new Promise((done) => setTimeout(done, 60))")
        wait(self.browser, f"{STAGE}.getAttribute('aria-busy') === 'false'")

    def at(self, y: float, x: float) -> tuple[float, float]:
        """Return where in the window a place of the picture lies, both from 0 to 1."""
        box = self.browser.run(f"{STAGE}.getBoundingClientRect().toJSON()")
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def focus(self) -> None:
        self.browser.run("document.querySelector('.liif-marks').focus({ preventScroll: true })")

    def view(self) -> Viewport:
        """Return where the screen stands."""
        self.browser.run("new Promise((done) => setTimeout(done, 300))")  # it is told once it rests
        view = self.browser.run(f"{LIIF}.get('view')")
        canvas = "document.querySelector('.liif-picture')"
        screen = self.browser.run(f"[{canvas}.height, {canvas}.width]")
        return Viewport(
            self.photo.shape[:2], tuple(screen), tuple(view["centre"]), view["magnification"]
        )

    def pixels(self) -> np.ndarray:
        """Return the picture on screen, (H, W, 3), the marks left out."""
        canvas = "document.querySelector('.liif-picture')"
        shot = f"new Promise((done) => {canvas}.toBlob(done, 'image/png'))"
        return picture(png_bytes(self.browser, shot))

    def check(self, **switches: bool) -> None:
        """Assert that the picture is what render.py makes, of weights in float16."""
        view = self.view()
        source = ContinuousPhoto(
            ablated(self.model, **switches) if switches else self.model,
            self.photo.astype(np.float32) / 255,
        )
        expected = source.viewport(view.centre, view.magnification, *view.screen).clip(0, 1)
        apart = np.abs(self.pixels().astype(int) - (expected * 255).round())
        assert apart.max() <= 2
        assert (apart <= 1).mean() >= 0.999

    def check_xray(self) -> None:
        """Assert that the point under X-ray is taken apart as Python does it."""
        wait(self.browser, "document.querySelector('.liif-sum') !== null")
        view = self.view()
        point = self.browser.run(f"{LIIF}.get('point')")
        question = {"side": f"{LIIF}.get('right')", "coord": point, "cell": list(view.cell())}
        fields = ", ".join(f"{name}: {value}" for name, value in question.items())
        found = self.browser.run(
            f"{LIIF}.answer({{ type: 'xray', version: {VERSION}, viewer: 'test', tag: 1, "
            f"photo: 0, {fields} }}).then(([answer]) => answer)"
        )
        photo = torch.from_numpy(self.photo / np.float32(255)).permute(2, 0, 1)[None]
        latents = self.model.encode(photo)
        expected = explain_query(self.model, latents, point, view.cell())
        assert found["colour"] == pytest.approx(expected.colour, abs=1e-3)
        for one, other in zip(found["codes"], expected.codes, strict=True):
            assert (one["row"], one["col"]) == (other.row, other.col)
            for name in ("answer", "base", "correction", "delta"):
                assert one[name] == pytest.approx(getattr(other, name), abs=1e-3)


def picture(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


@pytest.mark.parametrize("place", ["served", "explained"])
def test_what_a_reader_does(
    browser: Browser, place: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Wheel, pinch, keys, click, switches, split, save and the reader's own photo."""
    where = request.getfixturevalue(place)
    url = where if place == "served" else where.as_uri()
    reader = Reader(browser, url)
    begun = reader.view().magnification
    reader.browser.wheel(reader.at(0.5, 0.7), -120)
    reader.settle()
    nearer = reader.view().magnification
    assert nearer == pytest.approx(begun * np.exp(120 * 0.0016), rel=0.3)  # or lines, of 16 pixels
    assert nearer > begun
    fingers = reader.at(0.4, 0.4), reader.at(0.6, 0.6)
    browser.pinch(fingers, (reader.at(0.3, 0.3), reader.at(0.7, 0.7)))
    reader.settle()
    assert reader.view().magnification > 1.5 * nearer
    reader.focus()
    for key in ("0", *"++++++++", "ArrowDown", "ArrowRight"):
        browser.key(key)
    reader.settle()
    view = reader.view()
    assert view.magnification == pytest.approx(view.least * 1.25**8)
    browser.run(f"{LIIF}.set('split', 0)")
    reader.settle()
    reader.check()
    browser.key("Enter")
    reader.check_xray()
    browser.click(reader.at(0.25, 0.3))
    wait(browser, f"{LIIF}.get('point')[0] < {view.centre[0]}")
    reader.check_xray()
    toggle(browser, "cell decoding")
    reader.settle()
    reader.check(cell_decoding=False)
    toggle(browser, "cell decoding")

    browser.run(f"{LIIF}.set('split', 0.5)")
    reader.settle()
    browser.drag(reader.at(0.55, 0.5), reader.at(0.55, 0.8))
    wait(browser, f"Math.abs({LIIF}.get('split') - 0.8) < 0.02")
    reader.settle()
    check_saving(browser, reader)
    check_opening(browser, reader, tmp_path)
    outside = [one for one in browser.asked if not one.startswith((url, "blob:", "data:"))]
    if place == "served":
        assert outside == []
    else:
        assert [one for one in outside if not one.startswith("file:")] == []
        assert {one for one in outside if one.startswith("file:")} <= {url}


def toggle(browser: Browser, label: str) -> None:
    """Click the last switch of that name: the right side's."""
    browser.run(
        "[...document.querySelectorAll('.liif-side label')]"
        f".filter((one) => one.textContent.trim() === '{label}').at(-1).click()"
    )


def press(browser: Browser, text: str) -> None:
    browser.run(
        "[...document.querySelectorAll('.liif-zoom button')]"
        f".find((one) => one.textContent === '{text}').click()"
    )


def check_saving(browser: Browser, reader: Reader) -> None:
    """Assert that what is saved is what is on screen."""
    browser.run(
        "void (HTMLAnchorElement.prototype.click = function () { "
        "window.saved = { name: this.download, href: this.href } })"
    )
    press(browser, "Save …")
    press(browser, "Save PNG")
    saved = wait(browser, "window.saved")
    assert re.fullmatch(r"portrait_x[\d.]+\.png", saved["name"])
    found = picture(png_bytes(browser, "fetch(window.saved.href).then((answer) => answer.blob())"))
    shown = reader.pixels()
    assert found.shape == shown.shape
    file = png_bytes(browser, "fetch(window.saved.href).then((answer) => answer.blob())")
    told = Image.open(io.BytesIO(file)).info["XML:com.adobe.xmp"]
    assert re.search(r"in a browser; left of 80%: bicubic, ×[\d.]+; right of it: LIIF, ×", told)
    assert "digitalsourcetype/algorithmicallyEnhanced" in told
    apart = np.abs(found.astype(int) - shown)
    assert np.median(apart) == 0
    assert (apart <= 2).mean() > 0.99  # the line's own column stands aside


def check_opening(browser: Browser, reader: Reader, folder: Path) -> None:
    """Assert that a photo is opened, and that a broken one changes nothing."""
    (folder / "broken.png").write_bytes(b"no photo")
    Image.fromarray(sample_photo("cat", 90)).save(folder / "cat.png")
    before = browser.run(f"{LIIF}.get('view')")
    of_first = "[...document.querySelectorAll('[data-first-photo]')].map((one) => one.hidden)"
    assert browser.run(of_first) == [False]
    browser.choose(".liif-zoom input[type=file]", folder / "broken.png")
    wait(browser, f"{NOTES}.includes('broken.png is not a photo')")
    assert browser.run(f"{LIIF}.get('view')") == before
    assert browser.run(of_first) == [False]
    browser.choose(".liif-zoom input[type=file]", folder / "cat.png")
    wait(browser, f"{LIIF}.get('photo').name === 'cat'")
    assert browser.run(of_first) == [True]  # whose the first photo was
    reader.photo = sample_photo("cat", 90)
    browser.run(f"{LIIF}.set('split', 0)")
    reader.focus()
    for key in "++++++++":
        browser.key(key)
    reader.settle()
    reader.check()


def test_a_lesson_lives(browser: Browser, served: str) -> None:
    """Its questions, sliders and explorers come to life when they are scrolled to."""
    browser.open(f"{served}lessons/04_cell_decoding.html")
    kinds = browser.run(
        "[...document.querySelectorAll('[data-liif]')].map((one) => one.dataset.liif)"
    )
    assert {"predict", "frames", "explorer"} <= set(kinds)
    for number in range(len(kinds)):
        here = f"document.querySelectorAll('[data-liif]')[{number}]"
        browser.run(f"{here}.scrollIntoView()")
        wait(browser, f"{here}.dataset.alive")
        assert browser.run(f"{here}.dataset.alive") == "true"
        assert browser.run(f"{here}.querySelector('.liif-still').hidden")
    question = "document.querySelector('.liif-predict')"
    assert not browser.run(f"{question}.textContent.includes('measured')")
    browser.run(f"{question}.querySelector('input').click()")
    browser.run(f"{question}.querySelector('button').click()")
    wait(browser, f"{question}.querySelector('.liif-verdict').textContent")
    assert browser.run(f"{question}.textContent.includes('✓ measured')")
    slider = "document.querySelector('.liif-frame-slider')"
    browser.run(
        f"(() => {{ const bar = {slider}.querySelector('input'); bar.value = 3; "
        "bar.dispatchEvent(new Event('input')); })()"
    )
    wait(browser, f"{slider}.querySelector('img').naturalWidth > 0")
    wait(
        browser,
        f"{slider}.querySelector('img').alt.endsWith({slider}.querySelector('figcaption').textContent)",
    )
    assert [one for one in browser.asked if not one.startswith((served, "blob:", "data:"))] == []


@pytest.mark.parametrize(
    ("lesson", "methods"),
    [
        ("11_after_liif", ["LIIF", "heat field"]),
        ("12_an_old_photo_really", ["liif-edsr", "liif-edsr-photo"]),
    ],
)
def test_explorers_of_other_weights_live(served: str, lesson: str, methods: list[str]) -> None:
    with chromium() as started:
        started.open(f"{served}lessons/{lesson}.html")
        place = "document.querySelector('[data-liif=explorer]')"
        started.run(f"{place}.scrollIntoView()")
        wait(started, f"{place}.dataset.alive")
        assert started.run(f"{place}.dataset.alive") == "true"
        engine = f"{place}.querySelector('.liif-alive').engine"
        offered = started.run(f"{engine}.get('methods').map(({{ name }}) => name)")
        assert offered == ["nearest", "bilinear", "bicubic", *methods]
        stage = f"{place}.querySelector('.liif-stage')"
        wait(started, f"{stage}.getAttribute('aria-busy') === 'false'")
        assert started.run(f"{stage}.dataset.rightFullSeconds") is not None
        assert started.errors == []


def test_it_opens_from_a_disk(browser: Browser, built: Path) -> None:
    """A browser lets such a page load no module and fetch nothing; scripts it may."""
    browser.open(f"{(built / 'search.html').as_uri()}#latent")
    wait(browser, "document.querySelectorAll('#results a').length > 0")
    reader = Reader(browser, (built / "index.html").as_uri())
    browser.run(f"{LIIF}.set('split', 0)")
    reader.settle()
    reader.check()
    assert [one for one in browser.asked if not one.startswith(("file:", "blob:", "data:"))] == []


def test_search_and_theme(browser: Browser, served: str) -> None:
    browser.open(f"{served}search.html#ensemble")
    wait(browser, "document.querySelectorAll('#results a').length > 0")
    assert "lessons/" in browser.run("document.querySelector('#results a').href")
    browser.run(
        "(() => { const field = document.getElementById('words'); field.value = 'photo'; "
        "field.dispatchEvent(new Event('input')); })()"
    )
    told = browser.run("document.getElementById('found').textContent")
    listed = browser.run("document.querySelectorAll('#results li').length")
    assert listed == 30 < int(told.split()[0])  # and it says so
    assert "here are the best 30" in told
    browser.run(
        "(() => { const field = document.getElementById('words'); field.value = 'zzzyx'; "
        "field.dispatchEvent(new Event('input')); })()"
    )
    assert "Nothing found" in browser.run("document.getElementById('found').textContent")
    browser.open(f"{served}lessons/glossary.html")
    browser.open(f"{served}search.html#%")  # no encoded text: asked for as it is
    wait(browser, "document.getElementById('found').textContent.includes('Nothing found')")
    assert browser.run("document.getElementById('words').value") == "%"
    colour = "getComputedStyle(document.body).backgroundColor"
    before = browser.run(colour)
    browser.run("document.getElementById('theme').click()")
    assert browser.run(colour) != before
    browser.open(f"{served}lessons/glossary.html")  # it is remembered
    assert browser.run(colour) != before


MISSING = {
    "simd": (
        "WebAssembly.compile = () => Promise.reject(new WebAssembly.CompileError('no'));",
        "lacks WebAssembly with SIMD",
    ),
    "workers": ("delete window.Worker;", "still picture here. This browser lacks what LIIF needs"),
    "canvas": (
        "const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;"
        "OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...box) {"
        " const found = read.apply(this, box); found.data[0] ^= 1; return found; };",
        "disturbs the colours",
    ),
}


@pytest.mark.parametrize("what", MISSING)
def test_what_is_missing_is_said_beside_the_still(served: str, what: str) -> None:
    script, line = MISSING[what]
    with chromium() as started:
        started.page.add_init_script(script)
        started.open(served)
        wait(started, "document.querySelector('[data-alive=false]') !== null")
        assert line in started.run("document.querySelector('.liif-waking').textContent")
        assert not started.run("document.querySelector('.liif-still').hidden")
        assert started.errors == []


def test_a_photo_of_100_megapixels_is_refused(served: str, tmp_path: Path) -> None:
    """By what its file announces, before it is decoded: that alone would take 400 MB."""
    Image.new("1", (10_000, 10_000)).save(tmp_path / "huge.png")
    with chromium() as started:
        reader = Reader(started, served)
        before = reader.view()
        decoded = "window.createImageBitmap = () => { throw new Error('decoded'); }"
        started.run(f"void ({decoded})")
        started.choose(".liif-zoom input[type=file]", tmp_path / "huge.png")
        wait(started, f"{NOTES}.includes('huge.png has 100 megapixels, this page holds 50')")
        assert started.run(f"{LIIF}.get('photo').name") == "portrait"
        assert reader.view() == before


@pytest.mark.parametrize("place", ["served", "explained"])
def test_without_javascript_there_are_stills(place: str, request: pytest.FixtureRequest) -> None:
    where = request.getfixturevalue(place)
    with chromium() as started:
        context = started.page.context.browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(where if place == "served" else where.as_uri())
        expect(page.locator(".liif-still img").first).to_be_visible()
        assert re.search("[Ww]ithout (JavaScript|it) you see", page.locator("body").inner_text())


# ---- the pages themselves


def test_every_page_is_small_and_whole(built: Path, pages: dict[str, Any]) -> None:
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {Path(name).stem for name in pages if name.startswith("lessons/")} >= notebooks
    for name in pages:
        beside = pages[name].select("script[src], [rel=stylesheet]")
        addresses = [tag.get("src") or tag["href"] for tag in beside]
        loaded = [built / name, *((built / name).parent / address for address in addresses)]
        size = sum(path.stat().st_size for path in loaded)
        marks = {
            mark
            for place in pages[name].select("[data-liif=explorer] > script")
            for mark in json.loads(place.string)["models"].values()
        }
        size += sum((built / f"weights/{mark}.js").stat().st_size for mark in marks)
        assert (built / name).stat().st_size < MOST_PAGE, name
        if name == "index.html":
            assert size < MOST_FIRST


def test_links_lead_somewhere(built: Path, pages: dict[str, Any]) -> None:
    ids = {name: {tag["id"] for tag in soup.select("[id]")} for name, soup in pages.items()}
    broken = []
    for name, soup in pages.items():
        for tag in soup.select("a[href], script[src], link[href], img[src]"):
            address = tag.get("href") or tag.get("src")
            if re.match(r"data:|https?:", address):
                continue
            path, _, anchor = address.partition("#")
            target = (built / name).parent / unquote(path) if path else built / name
            if not target.is_file():
                broken.append((name, address))
            elif anchor and target.suffix == ".html":
                key = target.resolve().relative_to(built.resolve()).as_posix()
                if not {anchor, unquote(anchor)} & ids[key]:  # as browsers look for it
                    broken.append((name, address))
    assert broken == []


def test_the_first_page_lists_the_lessons_once_numbered(pages: dict[str, Any]) -> None:
    items = pages["index.html"].select("ul.lessons > li")
    assert [item.a.get_text()[:2] for item in items[:3]] == ["00", "01", "02"]
    assert all(item.span is None or item.span.get_text(strip=True) for item in items)
    assert any(item.span is None for item in items)  # the sheets of one page have no idea of one
    assert not pages["index.html"].select("ol.lessons")


def test_nothing_is_taken_from_elsewhere(built: Path, pages: dict[str, Any]) -> None:
    for name, soup in pages.items():
        for tag in soup.select("[src], link[href]"):
            address = tag.get("src") or tag.get("href")
            assert not re.match(r"(https?:)?//", address), name
    for sheet in built.rglob("*.css"):
        assert not re.search(r"@import|url\((?!['\"]?data:)", sheet.read_text())


def test_pages_can_be_read_by_everybody(pages: dict[str, Any]) -> None:
    for name, soup in pages.items():
        assert soup.html["lang"] == "en"
        assert soup.title.get_text().strip()
        assert soup.select_one("meta[name=viewport]")
        assert len(soup.select("h1")) == 1, name
        assert len(soup.select("main")) == 1
        for image in soup.select("img"):
            assert len(image.get("alt", "")) > 10, (name, str(image)[:80])
            assert "No description" not in image["alt"]


def test_no_answer_lies_open(pages: dict[str, Any]) -> None:
    """What a lesson prints of a measured answer is folded away until the reader has chosen."""
    found = 0
    for name, soup in pages.items():
        for printed in soup.select(".output pre"):
            if re.match(r"Answer: ", printed.get_text()):
                found += 1
                assert printed.find_parent("details"), (name, printed.get_text()[:60])
    assert found > 10


def test_what_stays_a_still_says_so(pages: dict[str, Any]) -> None:
    text = pages["lessons/05_ten_times_and_beyond.html"].get_text()
    assert "stands a button that takes your own photo" in text
    everything = " ".join(soup.get_text() for soup in pages.values())
    assert "running kernel" not in everything
