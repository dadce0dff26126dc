"""liif explain: one page that needs nothing beside it. tests/browser/test_site.py opens it."""

import base64
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pictures import entries, noise
from PIL import Image

from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.explorer.browser_weights import mark_of
from liif_core.liif import LIIF, LIIFConfig
from liif_core.pages import explained as pages
from liif_core.pages.explained import Subject, explained
from liif_core.pages.held import escaped, script_json
from liif_core.photos import photo_from
from liif_core.weights import load_model, save_weights


class Elements(HTMLParser):
    """What stands in a page: its elements' attributes, and its scripts' texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.attributes: list[dict[str, str | None]] = []
        self.scripts: list[str] = []
        self.within = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.within = tag
        self.attributes.append(dict(attrs))
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within == "script":
            self.scripts[-1] += data


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.fromarray(noise(30, 36, 3)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture(scope="module")
def small() -> LIIF:
    torch.manual_seed(0)
    return LIIF(LIIFConfig(blocks=2, channels=8, hidden=(16, 16))).eval().requires_grad_(False)


def living(page: str) -> dict[str, Any]:
    (data,) = (text for text in Elements(page).scripts if text.startswith("{"))
    return json.loads(data)


#: What XMP calls things, in the pictures that a page saves: names, and no addresses to ask.
NAMES = (
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://ns.adobe.com/xap/1.0/",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "http://cv.iptc.org/newscodes/digitalsourcetype/",
)


def test_the_page_holds_all_that_it_needs(photo: Path, capsys: Any) -> None:
    assert main(["explain", str(photo)]) == 0
    output = photo.with_suffix(".html")
    assert capsys.readouterr().out.startswith(f"{output}: written, 1.")
    assert output.stat().st_size < 1_500_000
    page = output.read_text(encoding="utf-8")
    for attributes in Elements(page).attributes:
        for name in ("src", "href", "data", "action"):
            assert (attributes.get(name) or "data:").startswith("data:")
    for name in NAMES:
        page = page.replace(name, "")
    assert not re.search(r"@import|url\(|\bimport\b *[({*'\"]|https?://", page)
    data = living(page)
    inside = Image.open(io.BytesIO(base64.b64decode(data["photo"])))
    assert np.array_equal(np.asarray(inside), noise(30, 36, 3))
    mark = mark_of(load_model("liif-edsr-small", "cpu"))
    assert data["models"] == {"LIIF": mark}
    assert f'window.liif.weights["{mark}"]' in page
    assert "three parts" not in page
    assert "36 × 30" not in page


def test_text_adds_a_caption_and_the_answer(photo: Path) -> None:
    output = photo.with_name("told.html")
    assert main(["explain", str(photo), "--text", "-o", str(output)]) == 0
    page = output.read_text(encoding="utf-8")
    assert "<span data-first-photo>photo, 36 × 30 pixels.</span> Left of the line" in page
    # How large it shows is the explorer's to say, and once in the still.
    assert living(page)["values"]["alt"] == "A part of the photo photo."
    assert 'alt="A part of the photo photo. ×16."' in page
    for part in ("The task", "The way", "What it is worth"):
        assert part in page


def test_another_model_from_a_file(photo: Path, small: LIIF) -> None:
    weights = photo.with_name("mine.safetensors")
    save_weights(small, weights, {})
    assert main(["explain", str(photo), "--text", "--weights", str(weights)]) == 0
    page = photo.with_suffix(".html").read_text(encoding="utf-8")
    assert "the weights mine" in page
    assert living(page)["models"] == {"LIIF": mark_of(small)}


def test_invented_details_are_said(photo: Path, capsys: Any) -> None:
    torch.manual_seed(0)
    model = LIIF(LIIFConfig(blocks=1, channels=8, hidden=(16,), local_colour=True, noise=4)).eval()
    weights = photo.with_name("noisy.safetensors")
    save_weights(model, weights, {})
    given = ["explain", str(photo), "--weights", str(weights), "--seed", "3", "--text"]
    assert main(given) == 0
    page = photo.with_suffix(".html").read_text(encoding="utf-8")
    assert "LIIF with the weights noisy, which invent details." in page
    assert "These weights <em>invent</em>" in page
    assert "it answers the same every time" not in page
    assert "bicubic | LIIF, seed 3, details are generated" in page
    model.seed = 3
    assert living(page)["models"] == {"LIIF": mark_of(model)}
    assert main(["explain", str(photo), "--overwrite", "--seed", "3"]) == 2
    assert "a seed is for weights that invent details" in capsys.readouterr().err


def test_the_training_of_shipped_weights_is_told(photo: Path) -> None:
    for weights, scales in (("liif-edsr-crisp", [2.7, 10]), ("heat-edsr", [1, 10])):
        assert main(["explain", str(photo), "--overwrite", "--weights", weights]) == 0
        page = photo.with_suffix(".html").read_text(encoding="utf-8")
        assert living(page)["values"]["trained"] == scales


@pytest.mark.parametrize("name", ["a&b <i>", "</script><!--", '"quoted"', "日本 $style"])
def test_no_name_breaks_the_page(small: LIIF, name: str) -> None:
    page = explained(Subject(photo_from(noise(20, 20, 3)), name, small, "mine"), text=True)
    assert living(page)["name"] == name
    assert page.count("<body>") == page.count("</body>") == 1
    assert page.rstrip().endswith("</html>")
    assert len(Elements(page).scripts) == 2


def test_scripts_do_not_end_early() -> None:
    value = {"text": "</script> <!-- <script> \u2028"}
    text = script_json(value)
    assert "</" not in text
    assert "<!--" not in text
    assert json.loads(text) == value
    assert escaped("'</script>'") == r"'<\/script>'"


def test_transparency_and_16_bits_are_shown_as_the_explorer_shows_them(small: LIIF) -> None:
    clear = np.zeros((20, 20, 4), np.uint8)
    page = explained(Subject(photo_from(clear), "clear", small, "mine"))
    inside = Image.open(io.BytesIO(base64.b64decode(living(page)["photo"])))
    assert np.asarray(inside).min() == 255
    deep = np.full((20, 20, 3), 65535, np.uint16)
    page = explained(Subject(photo_from(deep), "deep", small, "mine"))
    inside = Image.open(io.BytesIO(base64.b64decode(living(page)["photo"])))
    assert np.asarray(inside).min() == 255


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "out.png"], "must end in .html"),
        (["-o", "nowhere/out.html"], "nowhere"),
        (["--weights", "none-such"], "no weights called"),
        (["--page", "2"], "page"),
    ],
)
def test_mistakes_get_one_line(
    photo: Path, capsys: Any, arguments: list[str], message: str
) -> None:
    assert main(["explain", str(photo), *arguments]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert message in line
    assert entries(photo.parent) == ["photo.png"]


@pytest.mark.parametrize("content", [None, b"", b"hello"])
def test_what_is_no_photo(tmp_path: Path, capsys: Any, content: bytes | None) -> None:
    path = tmp_path / "photo.png"
    if content is not None:
        path.write_bytes(content)
    before = entries(tmp_path)
    assert main(["explain", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert entries(tmp_path) == before


def test_an_existing_page_is_kept(photo: Path, capsys: Any) -> None:
    output = photo.with_suffix(".html")
    output.write_text("precious")
    assert main(["explain", str(photo)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert output.read_text() == "precious"
    assert main(["explain", str(photo), "--overwrite"]) == 0
    assert output.stat().st_size > 1_000_000


def test_what_a_browser_cannot_hold_is_refused(
    small: LIIF, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = Subject(photo_from(noise(30, 40, 3)), "large", small, "mine")
    monkeypatch.setattr(pages, "MOST_PIXELS", 1000)
    with pytest.raises(LiifError, match="megapixels"):
        explained(subject)
    monkeypatch.setattr(pages, "MOST_PIXELS", 2000)
    monkeypatch.setattr(pages, "PNG", 10)
    page = explained(subject)  # as a JPEG
    assert base64.b64decode(living(page)["photo"]).startswith(b"\xff\xd8")
    monkeypatch.setattr(pages, "JPEG", 10)
    with pytest.raises(LiifError, match="shrink it"):
        explained(subject)


def test_jupyter_is_not_needed(photo: Path) -> None:
    hidden = "import sys\nfor name in ('anywidget', 'ipywidgets', 'IPython'):\n"
    hidden += "    sys.modules[name] = None\n"
    program = (
        f"{hidden}from liif_core.__main__ import main\nsys.exit(main({['explain', str(photo)]}))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert photo.with_suffix(".html").exists()
