"""Look at the built site in Chromium: `python website/shots.py [FOLDER]` writes its pictures.

Without a folder, those that the README shows are written to `figures/`; with one, every kind of
page in every kind of window, light and dark, to be looked at after a change.
"""

import io
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
WINDOWS = {"phone": (390, 844), "laptop": (1366, 768), "projector": (1920, 1080)}
PAGES = {
    "first": "index.html",
    "lesson": "lessons/05_ten_times_and_beyond.html",
    "solutions": "lessons/solutions/03_coordinate_queries.html",
    "glossary": "lessons/glossary.html",
    "teachers": "lessons/teachers.html",
    "search": "search.html#latent%20code",
}
#: Name in figures/, page, window, theme, what is scrolled to.
SHOWN = [
    ("site", "first", "laptop", "light", ""),
    ("site_phone", "first", "phone", "dark", ""),
    ("site_lesson", "lesson", "phone", "light", "[data-liif=predict]"),
]


def looks() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield every kind of page in every window and theme."""
    for page in PAGES:
        for window in WINDOWS:
            for theme in ("light", "dark"):
                yield f"{page}_{window}_{theme}", page, window, theme, ""


def shot(browser: Any, page: str, window: str, theme: str, place: str) -> Image.Image:
    """Return what a window shows once its widgets live."""
    width, height = WINDOWS[window]
    shown = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
    shown.goto(f"{(ROOT / 'site').as_uri()}/{PAGES[page]}")
    if place:
        # Where a widget before it comes to life, it moves.
        for _ in range(3):
            shown.locator(place).first.evaluate("(one) => one.scrollIntoView()")
            shown.wait_for_timeout(500)
    waiting = "[...document.querySelectorAll('.liif-waking')].every((one) => !one.textContent)"
    shown.wait_for_function(waiting)
    settled = (
        "[...document.querySelectorAll('.liif-stage')].every((one) => one.ariaBusy !== 'true')"
    )
    shown.wait_for_timeout(300)
    shown.wait_for_function(settled)
    shown.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(shown.screenshot())).convert("RGB")
    shown.close()
    return picture


def main() -> None:
    """Write the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "figures"
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        sys.exit("the pictures of the site need Chromium: apt-get install chromium")
    if not (ROOT / "site/index.html").is_file():
        sys.exit("there is no site yet: make site")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, *what in looks() if len(sys.argv) > 1 else SHOWN:
            folder.mkdir(parents=True, exist_ok=True)
            shot(browser, *what).save(folder / f"{name}.jpg", quality=88, optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
