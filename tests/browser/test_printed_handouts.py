"""Sheets as they come out of a printer: two pages each, nothing cut off, room to write."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import Chromium, chromium

pypdf = pytest.importorskip("pypdf", reason="the pages are counted with pypdf: pip install it")
pytest.importorskip("bs4", reason="the sheets are made with beautifulsoup4: pip install it")
pytest.importorskip("nbconvert", reason="the sheets are made with nbconvert: pip install it")

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
SIZES = {"a4": (595, 842), "letter": (612, 792)}  # points
SCREENS = [(1280, 720), (390, 844), (844, 390)]
MILLIMETRE = 96 / 25.4  # CSS pixels
#: For each page: what reaches out of it or over the next, its rooms, its pictures, its text's size.
MEASURED = """() => [...document.querySelectorAll('.page')].map((page) => {
  const box = page.getBoundingClientRect();
  const parts = [...page.children].map((part) => part.getBoundingClientRect());
  const inside = (one) => one.left >= box.left && one.right <= box.right + 0.5
    && one.top >= box.top && one.bottom <= box.bottom + 0.5;
  const size = (one) => [one.getBoundingClientRect().width, one.getBoundingClientRect().height];
  return {
    outside: [...page.querySelectorAll(':not(svg *)')]
      .filter((one) => !inside(one.getBoundingClientRect())).map((one) => one.outerHTML),
    spilt: page.scrollHeight - page.clientHeight, // onto the margin, where a printer cannot print
    overlaps: parts.filter((part, i) => i && part.top < parts[i - 1].bottom - 0.5).length,
    scrolls: [...page.querySelectorAll(':not(svg, svg *)')]
      .filter((one) => one.clientWidth && one.scrollWidth > one.clientWidth + 1)
      .filter((one) => getComputedStyle(one).display !== 'inline').map((one) => one.outerHTML),
    rooms: [...page.querySelectorAll('.room')].map((one) => size(one)[1]),
    tables: page.querySelectorAll('.uses').length,
    empty: box.bottom - parts.at(-2).bottom,
    pictures: [...page.querySelectorAll('img')].map((one) => [one.naturalWidth, ...size(one)]),
    least: Math.min(...[...page.querySelectorAll('p, li, td')].map((one) =>
      parseFloat(getComputedStyle(one).fontSize))),
  };
})"""

#: What a slide shows, for each: what reaches out of the screen, its picture, its words.
TURNED = """() => [...Array(Reveal.getTotalSlides()).keys()].map((number) => {
  Reveal.slide(number);
  const slide = Reveal.getCurrentSlide();
  const boxes = [...slide.querySelectorAll('*')].map((one) => one.getBoundingClientRect());
  const credits = document.querySelector('.credits').getBoundingClientRect();
  const text = [...slide.children].at(-1).getBoundingClientRect();
  const picture = slide.querySelector('img');
  const box = picture?.getBoundingClientRect();
  const scale = picture &&
    Math.min(box.width / picture.naturalWidth, box.height / picture.naturalHeight);
  return {
    outside: boxes.filter((one) => one.left < 0 || one.top < 0 || one.right > innerWidth + 0.5
      || one.bottom > innerHeight).length,
    scrolls: slide.scrollHeight > slide.clientHeight || slide.scrollWidth > slide.clientWidth,
    covered: credits.height > 0 && text.bottom > credits.top,
    shown: [...document.querySelectorAll('.slides > section')]
      .filter((one) => getComputedStyle(one).visibility !== 'hidden').length,
    picture: picture && [scale * picture.naturalWidth, scale * picture.naturalHeight],
    words: slide.textContent.split(/\\s+/).length,
  };
})"""


def handouts() -> Any:
    sys.path.insert(0, str(ROOT / "website"))
    try:
        import handouts
    finally:
        sys.path.remove(str(ROOT / "website"))
    return handouts


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paper") / "handouts"
    handouts().Handouts(folder).build()
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.mark.parametrize("paper", SIZES)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem[:2])
def test_a_sheet_prints_as_two_full_pages(built, browser, lesson, paper):
    browser.asked.clear()
    browser.page.emulate_media(media="print")
    browser.open((built / paper / f"{lesson.stem}.html").as_uri())
    assert {url.partition(":")[0] for url in browser.asked} == {"file"}
    assert browser.errors == []
    for page in browser.run(MEASURED):
        assert page["outside"] == page["scrolls"] == []
        assert page["overlaps"] == page["spilt"] == 0
        assert all(room >= 7.9 * MILLIMETRE for room in page["rooms"])
        assert page["rooms"]
        assert sum(page["rooms"]) > 23 * MILLIMETRE or page["tables"]  # to be filled in
        assert max(page["rooms"]) < 75 * MILLIMETRE, "an empty page"
        assert page["empty"] < 25 * MILLIMETRE
        assert page["least"] >= 9.5
        for natural, width, height in page["pictures"]:
            assert natural > 0
            assert width > 45 * MILLIMETRE
            assert height > 17 * MILLIMETRE
    pdf = pypdf.PdfReader(io.BytesIO(browser.page.pdf(prefer_css_page_size=True)))
    assert len(pdf.pages) == 2
    for page in pdf.pages:
        assert (round(page.mediabox.width), round(page.mediabox.height)) == SIZES[paper]
    assert lesson.stem[:2] in pdf.pages[0].extract_text()
    assert "page 2 of 2" in " ".join(pdf.pages[1].extract_text().split())


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem[:2])
def test_a_slide_fills_its_screen_and_no_more(built, browser, lesson):
    browser.asked.clear()
    browser.page.emulate_media(media="screen")
    browser.open((built / "slides" / f"{lesson.stem}.html").as_uri())
    browser.page.wait_for_function("Reveal.isReady()")
    for width, height in SCREENS:
        browser.page.set_viewport_size({"width": width, "height": height})
        slides = browser.run(TURNED)
        assert 8 <= len(slides) <= 10
        for slide in slides:
            assert slide["shown"] == 1
            assert not slide["outside"], slide
            assert not slide["scrolls"], slide
            assert not slide["covered"], slide
            assert slide["words"] <= 100
            if slide["picture"]:
                wide, high = slide["picture"]
                assert wide > (0.85 if height > 500 else 0.5) * width or high > 0.35 * height
    browser.key("ArrowLeft")
    assert browser.run("Reveal.getIndices().h") == len(slides) - 2
    assert browser.errors == []
    assert {url.partition(":")[0] for url in browser.asked} <= {"file", "data"}


@pytest.mark.parametrize("paper", SIZES)
def test_the_answers_print_on_few_pages(built, browser, paper):
    browser.open((built / paper / "answers.html").as_uri())
    pdf = pypdf.PdfReader(io.BytesIO(browser.page.pdf(prefer_css_page_size=True)))
    assert 6 <= len(pdf.pages) <= 16
    assert "The bets at a glance" in pdf.pages[0].extract_text()


def test_a_browser_alone_prints(built, tmp_path):
    """`make handouts` needs no Playwright, only a browser."""
    module = handouts()
    program = module.browser()
    if program is None:
        pytest.skip("this test needs Chromium: apt-get install chromium")
    pdf = module.print_pdf(program, built / "letter" / f"{LESSONS[0].stem}.html")
    found = pypdf.PdfReader(pdf)
    assert len(found.pages) == 2
    assert round(found.pages[0].mediabox.width) == SIZES["letter"][0]


def test_a_browser_that_cannot_print_is_told(built, tmp_path):
    with pytest.raises(SystemExit, match="could not print"):
        handouts().print_pdf(sys.executable, built / "a4/answers.html")
