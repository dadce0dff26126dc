"""Build the course as static pages whose widgets live without Python: `make site`.

From lessons, solutions, glossary and guide, as they are committed, it makes `site/`: any file
server can hand it out, and it opens from a disk. Nothing in it asks for anything outside. A page
lies where its source lies, with `lessons/` for `notebooks/`, so that links between them hold.
"""

import posixpath
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup, Tag
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES

from liif_core.explorer.browser_weights import mark_of
from liif_core.models import Model
from liif_core.pages.explained import Subject, answer, explorer_of
from liif_core.pages.held import page_script, page_style, place, script_json, weights_script
from liif_core.photos import photo_from
from liif_core.samples import sample_photo
from liif_core.weights import load_model

HERE = Path(__file__).parent
ROOT = HERE.parent
SITE = "How does AI zoom?"
#: The weights of the first page's explorer; the default's are three times as large.
MODEL = "liif-edsr-small"
#: The weights that lessons' explorers may run; a page loads those it needs, once one is in sight.
WEIGHTS = (MODEL, "heat-edsr-small", "liif-edsr", "liif-edsr-photo", "liif-edsr-crisp")
#: Of the portrait shrunk to 128 pixels: the badge of the cap, as in the README's first picture.
BADGE = (-0.75, 0.02)
#: A point on the eagle above it, which is under X-ray at first.
EAGLE = (-0.79, 0.05)
LONG = 14  # lines of a cell from which on its code is folded
MENU = [
    ("Lessons", "index.html#lessons"),
    ("Glossary", "lessons/glossary.html"),
    ("For teachers", "lessons/teachers.html"),
    ("Search", "search.html"),
]
#: Pages of Markdown files: source -> page.
TEXTS = {
    "notebooks/README.md": "lessons/teachers.html",
    "notebooks/GLOSSARY.md": "lessons/glossary.html",
    "notebooks/project.md": "lessons/project.html",
    "weights/README.md": "weights/model_card.html",
    "figures/old_photos/README.md": "figures/old_photos/index.html",
}
#: By which a folder is known to hold a site, and nothing of anybody's.
STAMP = "static/liif.js"
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
#: What nbconvert puts behind headings. To be asked for none takes the headings' ids away, too.
ANCHOR = re.compile(r'<a class="anchor-link" href="[^"]*">(?:¶|&#182;)</a>')
ROW = re.compile(r"^\| \[.*?\]\((\d\d_\w+)\.ipynb\) \| (.*?) \|", re.MULTILINE)


@dataclass(frozen=True)
class Lesson:
    """A notebook and its page."""

    source: str
    page: str
    title: str
    idea: str

    @property
    def file(self) -> str:
        """The page's own name."""
        return posixpath.basename(self.page)


class Builder:
    """Writes the pages.

    Args:
        folder: of the site; an older site in it is taken away first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.models = {mark_of(model): model for model in map(_loaded, WEIGHTS)}
        self.used: set[str] = set()  # marks of the weights that pages need
        self.exporter = HTMLExporter(
            template_name="course",
            extra_template_basedirs=[str(HERE / "templates")],
        )
        environment = self.exporter.environment
        environment.globals["place"] = place
        environment.filters["runs"] = self.runs
        environment.filters["without_anchors"] = lambda text: ANCHOR.sub("", text)
        self.sections: list[dict[str, str]] = []
        self.copied: set[str] = set()  # files that pages show or link to, from the repository
        self.lessons = list(lessons())

    def build(self) -> None:
        """Write the whole site."""
        if self.folder.exists():
            if any(self.folder.iterdir()) and not (self.folder / STAMP).is_file():
                raise SystemExit(
                    f"{self.folder} holds other things than a site; name another folder"
                )
            shutil.rmtree(self.folder)
        self.write_static()
        for number, lesson in enumerate(self.lessons):
            around = (
                self.lessons[number - 1] if number else None,
                next(iter(self.lessons[number + 1 :]), None),
            )
            self.write_notebook(lesson.source, lesson.page, around)
            solution = lesson.source.replace("notebooks/", "notebooks/solutions/")
            if (ROOT / solution).is_file():
                self.write_notebook(solution, page_of(solution), (None, None))
        for source, page in TEXTS.items():
            self.write_text(source, page, (ROOT / source).read_text(encoding="utf-8"))
        notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
        self.write_text("NOTICE", "notice.html", f"# Notice\n\n```\n{notice}\n```\n")
        self.write_front()
        self.write_weights()
        self.write_search()
        for source in sorted(self.copied):
            target = self.folder / page_of(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / source, target)

    def runs(self, data: dict[str, Any]) -> bool:
        """Whether the site has all that a living widget needs; then it will have its weights."""
        needed = set(data.get("models", {}).values())
        if not needed <= self.models.keys():
            return False
        self.used |= needed
        return True

    # ---- pages

    def write_static(self) -> None:
        """Write scripts and style sheets."""
        style = (HERE / "static/site.css").read_text(encoding="utf-8")
        self.write("static/site.css", f"{style}\n{highlighting()}\n{page_style()}")
        self.write(STAMP, page_script())
        for name in ("theme.js", "search.js", "minisearch.js"):
            self.write(f"static/{name}", (HERE / "static" / name).read_text(encoding="utf-8"))

    def write_weights(self) -> None:
        """Write the weights that pages need."""
        for mark in sorted(self.used):
            self.write(f"weights/{mark}.js", weights_script(self.models[mark]))

    def write_notebook(
        self, source: str, page: str, around: tuple[Lesson | None, Lesson | None]
    ) -> None:
        """Write the page of a notebook."""
        notebook = nbformat.read(ROOT / source, as_version=4)
        prepare(notebook)
        self.write_cells(source, page, notebook, around)

    def write_text(self, source: str, page: str, text: str) -> None:
        """Write the page of a Markdown text."""
        self.write_cells(source, page, new_notebook(cells=[new_markdown_cell(text)]), (None, None))

    def write_cells(
        self,
        source: str,
        page: str,
        notebook: NotebookNode,
        around: tuple[Lesson | None, Lesson | None],
    ) -> None:
        """Write the page of some cells, and remember its sections for the search."""
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = self.linked(cell.source, source)
        content, _ = self.exporter.from_notebook_node(notebook)
        found = list(sections(content))
        title = found[0]["section"]
        if "/solutions/" in page:
            title = f"Solutions: {title.removeprefix('Solutions').lstrip(': ')}"
        if page.startswith("lessons/") and page != TEXTS["notebooks/README.md"]:
            self.sections += [{**one, "page": page + one["page"], "title": title} for one in found]
        contents = [(one["section"], one["page"][1:]) for one in found if one["page"]]
        self.write_page(
            page,
            title=title,
            content=content,
            contents=contents if len(contents) > 2 else [],
            before=around[0],
            after=around[1],
            scripts=["liif.js"] if "data-liif" in content else [],
        )

    def write_front(self) -> None:
        """Write the first page: the question, and a portrait to zoom."""
        subject = Subject(
            photo_from(sample_photo("portrait", longest=128)),
            "portrait",
            next(iter(self.models.values())),
            MODEL,
            alt="The badge on the cap of a woman in uniform, from a tiny portrait.",
            centre=BADGE,
            magnification=12.0,
            point=EAGLE,
        )
        content = self.render(
            "front.html.j2",
            explorer=explorer_of(subject),
            answer=answer(),
            lessons=self.lessons,
        )
        summary = "Zoom a photo with LIIF, in your browser, and learn how it works."
        self.write_page(
            "index.html",
            title=SITE,
            kind="front",
            content=content,
            summary=summary,
            scripts=["liif.js"],
        )
        self.used.add(next(iter(self.models)))

    def write_search(self) -> None:
        """Write the search, and what it searches."""
        self.write("static/sections.js", f"window.sections = {script_json(self.sections)};\n")
        scripts = ["minisearch.js", "sections.js", "search.js"]
        content = self.render("search.html.j2")
        self.write_page("search.html", title="Search", content=content, scripts=scripts)

    def write_page(self, page: str, **values: Any) -> None:
        """Write a page around its content."""
        root = "../" * page.count("/")
        text = self.render("page.html.j2", site=SITE, menu=MENU, here=page, root=root, **values)
        self.write(page, text)

    def render(self, template: str, **values: Any) -> str:
        """Return what becomes of a template."""
        return str(self.exporter.environment.get_template(template).render(**values))

    def write(self, name: str, text: str) -> None:
        """Write a file of the site."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    # ---- links

    def linked(self, text: str, source: str) -> str:
        """Return Markdown whose relative links lead to the site's pages."""
        base = posixpath.dirname(source)
        here = posixpath.dirname(TEXTS.get(source) or page_of(source))

        def lead(link: re.Match[str]) -> str:
            before, address, after = link.groups()
            if address.startswith("#") or "://" in address:
                return link.group(0)
            path, _, anchor = address.partition("#")
            target = posixpath.normpath(posixpath.join(base, path))
            if not (ROOT / target).is_file():
                raise SystemExit(f"{source} links to {address}, which is not there")
            page = TEXTS.get(target) or page_of(target)
            if page == target or not target.endswith((".md", ".ipynb")):
                self.copied.add(target)
            to = posixpath.relpath(page, here or ".")
            return f"{before}{to}{'#' if anchor else ''}{anchor}{after}"

        return LINK.sub(lead, text)


def _loaded(name: str) -> Model:
    return load_model(name, "cpu")


def page_of(source: str) -> str:
    """Return where a file of the repository lies on the site."""
    moved = re.sub(r"^notebooks/", "lessons/", source)
    return re.sub(r"\.ipynb$", ".html", moved)


def lessons() -> Iterator[Lesson]:
    """Yield the lessons in order; the guide's table says the one idea of each."""
    ideas = dict(ROW.findall((ROOT / "notebooks/README.md").read_text(encoding="utf-8")))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        source = f"notebooks/{path.name}"
        first = nbformat.read(path, as_version=4).cells[0].source
        number = path.stem[:2] if path.stem[:2].isdecimal() else ""
        title = f"{number} {first.splitlines()[0].removeprefix('# ')}".strip()
        yield Lesson(source, page_of(source), title, ideas.get(path.stem, ""))


def prepare(notebook: NotebookNode) -> None:
    """Fold what is long, and what would give an answer away."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata["answers"] = ".reveal()" in cell.source
        lines = len(cell.source.splitlines())
        if cell.metadata.pop("transient", None):
            cell.metadata["folded"] = "The code of this question, which holds its answer"
        elif lines > LONG:
            cell.metadata["folded"] = f"Code, {lines} lines"


def sections(content: str) -> Iterator[dict[str, str]]:
    """Yield a page's sections: {page: "#anchor" or "", section: its heading, text}."""
    soup = BeautifulSoup(content, "html.parser")
    for unread in soup.select("script, svg, style, .source, .output pre"):
        unread.decompose()
    headings = [tag for tag in soup(["h1", "h2"]) if isinstance(tag, Tag)]
    for heading in headings:
        parts = []
        for following in heading.next_elements:
            if following is not heading and following in headings:
                break
            if isinstance(following, str) and heading not in following.parents:
                parts.append(following)
        anchor = f"#{heading['id']}" if heading.name == "h2" else ""
        text = " ".join(" ".join(parts).split())
        yield {"page": anchor, "section": heading.get_text(), "text": text}


def highlighting() -> str:
    """Return the style sheet of code, for light and dark."""
    light, dark = get_style_by_name("default"), get_style_by_name("github-dark")
    rules = []
    for token, name in STANDARD_TYPES.items():
        one, other = light.style_for_token(token), dark.style_for_token(token)
        if name and (one["color"] or other["color"]):
            ink = [f"#{side['color']}" if side["color"] else "inherit" for side in (one, other)]
            if "inherit" not in ink:
                rules.append(f".highlight .{name} {{ color: light-dark({ink[0]}, {ink[1]}) }}")
    return "\n".join(rules)


def main() -> int:
    """Build the site in the folder that is named, or in `site/`."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "site"
    Builder(folder).build()
    pages = list(folder.rglob("*.html"))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {len(pages)} pages, {size / 1e6:.1f} MB; open {folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
