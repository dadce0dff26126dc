"""Put the lessons on paper, and on slides: `make handouts`.

For each lesson two pages to print and some slides, from `sheets/`, where its file names the
pictures and bets; and the answers to all of them, for whoever teaches. Pictures, bets, questions
and answers are read from the notebooks. PDF is made where a Chromium is found. Nothing asks for
anything outside.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape
from material import LETTERS, Material

from liif_core.samples import SAMPLES

HERE = Path(__file__).parent
ROOT = HERE.parent
PAPERS = ("a4", "letter")
#: Who made what is no sample of the package.
OTHERS = {"clothes": "Fashion-MNIST, Zalando, MIT licence"}
#: By which a folder is known to hold handouts, and nothing of anybody's.
STAMP = "sheet.css"
#: What Chromium, and browsers made of it, are called where they can be found by name.
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "chrome",
    "msedge",
)
#: And where they lie where they cannot.
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)


class Handouts:
    """Writes the sheets.

    Args:
        folder: of the handouts; older ones in it are taken away first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader([HERE / "templates/printed", HERE / "sheets"]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals["letters"] = LETTERS
        self.lessons = [Material(path) for path in lesson_files()]

    def build(self) -> list[Path]:
        """Write all of it as HTML; return what is to be printed."""
        if self.folder.exists():
            if any(self.folder.iterdir()) and not (self.folder / STAMP).is_file():
                raise SystemExit(f"{self.folder} holds other things; name another folder")
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        for name in (STAMP, "slides.css"):
            shutil.copyfile(HERE / "static" / name, self.folder / name)
        (self.folder / "reveal").mkdir()
        for name in ("reveal.js", "reveal.css"):
            shutil.copyfile(HERE / "static" / name, self.folder / "reveal" / name)
        written = [self.write_sheet(lesson, paper) for lesson in self.lessons for paper in PAPERS]
        written += [self.write_answers(paper) for paper in PAPERS]
        for lesson in self.lessons:
            self.write_slides(lesson)
        (self.folder / "pictures").mkdir()
        for lesson in self.lessons:
            for picture in lesson.pictures.values():
                (self.folder / "pictures" / picture.name).write_bytes(picture.content)
        self.write_contents(printed=False)
        return written

    def write_contents(self, printed: bool) -> None:
        """Write the page that leads to all others, and to the PDF files if they were printed."""
        kinds = ("html", "pdf") if printed else ("html",)
        self.write(
            "index.html", "contents.html.j2", lessons=self.lessons, papers=PAPERS, kinds=kinds
        )

    def write_sheet(self, lesson: Material, paper: str) -> Path:
        """Write a lesson's two pages for one kind of paper."""
        sheet = self.sheet(lesson)
        return self.write(
            f"{paper}/{lesson.stem}.html",
            "sheet.html.j2",
            lesson=lesson,
            sheet=sheet,
            paper=paper,
            credits=credits(sheet.samples),
        )

    def write_answers(self, paper: str) -> Path:
        """Write the answers to all lessons, for the teacher."""
        return self.write(
            f"{paper}/answers.html",
            "answers.html.j2",
            lessons=[(lesson, self.sheet(lesson)) for lesson in self.lessons],
            paper=paper,
        )

    def write_slides(self, lesson: Material) -> None:
        """Write a lesson's slides."""
        sheet = self.sheet(lesson)
        self.write(
            f"slides/{lesson.stem}.html",
            "slides.html.j2",
            lesson=lesson,
            sheet=sheet,
            credits=credits(sheet.samples),
        )

    def sheet(self, lesson: Material) -> Any:
        """Return what is declared for a lesson: samples, front, back, pencil answers, slides."""
        template = self.environment.get_template(f"{lesson.number}.html.j2")
        return template.make_module({"lesson": lesson})

    def write(self, name: str, template: str, **values: Any) -> Path:
        """Write a page."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.environment.get_template(template).render(**values), encoding="utf-8")
        return path


def lesson_files() -> list[Path]:
    """Return the lessons' notebooks, in order."""
    return sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def credits(samples: list[str]) -> Markup:
    """Return whose photographs a sheet shows."""
    makers = (
        escape(OTHERS.get(name) or SAMPLES[name].credit.replace("; ", ", ")) for name in samples
    )
    return Markup("Photos: ") + Markup("; ").join(makers) if samples else Markup("")


def browser() -> str | None:
    """Return a browser that prints to PDF; None if none is found."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or next((place for place in PLACES if Path(place).is_file()), None)


def print_pdf(program: str, page: Path) -> Path:
    """Print a page to a PDF file beside it.

    Args:
        program: the browser.

    Raises:
        SystemExit: it made none.
    """
    pdf = page.with_suffix(".pdf")
    # A profile of its own: a browser that is open already would take the page, and print nothing.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, "--headless", "--disable-gpu", "--no-pdf-header-footer"]
        command += ["--no-first-run", "--disable-background-networking"]
        command += [f"--user-data-dir={profile}", f"--print-to-pdf={pdf}", page.as_uri()]
        if sys.platform == "linux" and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # as root there is none
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode or not pdf.is_file():
        raise SystemExit(f"{program} could not print {page.name}: {done.stderr[-300:]}")
    return pdf


def main() -> int:
    """Build the handouts in the folder that is named, or in `handouts/`."""
    folder = (Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "handouts").resolve()
    handouts = Handouts(folder)
    pages = handouts.build()
    program = browser()
    if program:
        print(f"Printing {len(pages)} files: about a minute ...", flush=True)
        for page in pages:
            print_pdf(program, page)
        handouts.write_contents(printed=True)
    made = f"{len(pages)} PDF files" if program else "HTML only: no Chromium, Chrome or Edge here"
    print(f"{folder}: {len(handouts.lessons)} lessons; {made}; open {folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
