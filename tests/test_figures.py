"""The plots that lessons share."""

import base64
import gc
import io
import re
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from liif_core import figures
from liif_core.errors import LiifError
from liif_core.samples import SAMPLES, sample_photo
from liif_core.widgets import assets

WHITE, DARK = "#ffffff", "#111111"


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG defines it, from 1 to 21."""
    light = []
    for colour in (one, other):
        part = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        light.append(linear @ (0.2126, 0.7152, 0.0722) + 0.05)
    return max(light) / min(light)


def test_lines_and_words_show_on_a_white_page_and_on_a_dark_one():
    lines = ("BLUE", "ORANGE", "GREEN", "RED", "PURPLE", "SKY")
    for colour in (getattr(figures, name) for name in lines):
        assert contrast(colour, WHITE) >= 3 <= contrast(colour, DARK)
    assert contrast(figures.INK, WHITE) >= 4.5
    assert contrast(figures.INK, DARK) >= 4.1
    assert contrast(figures.STRIP, WHITE) >= 4.5, "names in a row are white"


def test_a_figure_stands_on_the_page_s_own_ground():
    figure = figures.line_plot(
        {"a": ([0, 1], [0, 1]), "b": ([0, 1], [1, 0])}, x_label="x", y_label="y", title="two"
    )
    (axis,) = figure.axes
    words = [axis.title, axis.xaxis.label, *axis.get_xticklabels(), *axis.get_legend().texts]
    assert {text.get_color() for text in words} == {figures.INK}
    data, kind = figures.smallest(figure)
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    assert kind == "webp"
    assert (picture[..., 3] == 0).mean() > 0.5, "most of it lets the page through"
    seen = picture[picture[..., 3] == 255]
    assert len(seen)
    assert not (seen[:, :3] < 20).all(axis=1).any(), "nothing is black"


def test_a_figure_of_lines_is_small_and_looks_the_same():
    figure = figures.line_plot({"a": (range(60), np.sin(range(60)))}, x_label="x", y_label="y")
    data, _ = figures.smallest(figure)
    whole = figures.to_png(figure)
    drawn, drawn_whole = (Image.open(io.BytesIO(png)).convert("RGBA") for png in (data, whole))
    assert 5 * len(data) < 2 * len(whole)
    for ground in ("white", "#111111"):
        page = Image.new("RGBA", drawn.size, ground)
        seen, right = (
            np.asarray(Image.alpha_composite(page, picture), dtype=float)
            for picture in (drawn, drawn_whole)
        )
        assert np.abs(seen - right).mean() < 0.5, "of 255"
        assert np.abs(seen - right).max() < 40


def test_a_figure_of_many_greys_keeps_them_all():
    ramp = np.linspace(0, 1, 160 * 160).reshape(160, 160, 1).repeat(3, axis=2)
    figure = figures.grid({"": {"a": ramp, "b": np.rot90(ramp)}})
    data, kind = figures.smallest(figure)
    assert kind == "webp"
    whole = figures.to_png(figure)
    assert len(data) < len(whole)
    drawn, right = (
        np.asarray(Image.open(io.BytesIO(file)).convert("RGBA")) for file in (data, whole)
    )
    seen = right[..., 3] > 0
    assert np.array_equal(drawn[..., 3], right[..., 3])
    assert np.array_equal(drawn[seen], right[seen])


def test_a_figure_of_photographs_is_small_and_transparent():
    figure = figures.side_by_side({"a": sample_photo("palace", 300), "b": sample_photo("cat", 300)})
    data, kind = figures.smallest(figure)
    picture = Image.open(io.BytesIO(data))
    assert (kind, picture.format, picture.mode) == ("webp", "WEBP", "RGBA")
    assert np.asarray(picture)[0, 0, 3] == 0


def test_the_four_codes_have_the_colours_of_the_x_ray():
    source = (Path(assets.__file__).parent / "static" / "zoom_picture.js").read_text("utf-8")
    listed = re.search(r"CODE_COLOURS = \[(.*?)\]", source)
    assert listed is not None
    assert tuple(re.findall(r"#\w{6}", listed[1].upper())) == figures.CODE_COLOURS


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_there_and_named_in_the_notice(name):
    photo = sample_photo(name, longest=64)
    assert photo.dtype == np.uint8
    assert max(photo.shape) == 64
    assert photo.std() > 10
    notice = (Path(__file__).parents[1] / "NOTICE").read_text("utf-8")
    assert re.search(rf"^  {name} ", notice, re.MULTILINE)


def test_a_sample_is_read_without_the_package_that_carries_it():
    """Of a pupil's kernel, scikit-learn would take 50 MB, with all that it imports."""
    code = (
        "import sys\n"
        "from liif_core.samples import SAMPLES, sample_photo\n"
        "for name in SAMPLES: sample_photo(name, longest=8)\n"
        "print({sample.package for sample in SAMPLES.values()} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


def test_a_sample_of_a_package_that_is_not_here_says_what_to_install(monkeypatch):
    odd = SAMPLES["cat"]._replace(package="a_package_that_nobody_has")
    monkeypatch.setitem(SAMPLES, "odd", odd)
    with pytest.raises(LiifError, match="needs a_package_that_nobody_has: pip install"):
        sample_photo("odd")


def test_places_without_a_picture_stay_empty():
    picture = np.zeros((4, 6, 3), np.uint8)
    figure = figures.side_by_side(dict.fromkeys("abcde", picture), columns=3)
    assert [axis.axison for axis in figure.axes] == [True] * 5 + [False]


def test_pictures_are_clamped_and_rounded():
    image = figures.to_image(np.array([[[-1.0, 0.5, 2.0]]]))
    assert image.getpixel((0, 0)) == (0, 128, 255)


def test_pictures_in_a_row_stand_under_their_names_pixel_for_pixel():
    squares = np.random.default_rng(0).integers(0, 256, (30, 80, 3), np.uint8)
    row = figures.in_a_row({"left": squares, "right": np.full((30, 60, 3), 0.5)})
    assert row.shape == (figures.NAME_HEIGHT + 30, 80 + 4 + 60, 3)
    names, pictures = row[: figures.NAME_HEIGHT], row[figures.NAME_HEIGHT :]
    np.testing.assert_array_equal(pictures[:, :80], squares)
    assert (pictures[:, 80:84] == int(figures.STRIP[1:3], 16)).all()
    assert (pictures[:, 84:] == 128).all()
    assert names[:, :80].max() > 200 < names[:, 84:].max(), "there are two names"


def shown(monkeypatch, *arguments, **options):
    """Return the `<img>` that `figures.show` displays."""
    displayed = []
    monkeypatch.setattr("IPython.display.display", displayed.append)
    figures.show(*arguments, **options)
    (output,) = displayed
    return BeautifulSoup(output._repr_html_(), "html.parser").img


def test_a_shown_picture_carries_its_alternative_text(monkeypatch):
    alt = 'a "black" square, 4 < 6'
    image = shown(monkeypatch, np.zeros((4, 6, 3)), alt=alt, width=60)
    assert (image["alt"], image["width"]) == (alt, "60")
    figure = shown(monkeypatch, figures.new_figure(2, 1), alt="an empty figure")
    assert figure["alt"] == "an empty figure"
    assert "width" not in figure.attrs
    with pytest.raises(ValueError, match="alternative text"):
        figures.show(np.zeros((4, 6)), alt=" ")


def test_a_shown_figure_lets_its_pictures_go(monkeypatch):
    gc.disable()  # which would find them at some time or other
    try:
        figure = figures.grid({"row": {"column": np.zeros((20, 30, 3))}})
        picture = weakref.ref(figure.axes[0].images[0])
        assert shown(monkeypatch, figure, alt="black")["src"]
        assert picture() is None
    finally:
        gc.enable()


def test_a_picture_is_kept_exactly_or_as_jpeg_whichever_is_smaller(monkeypatch):
    squares = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8).repeat(50, 0)
    squares = squares.repeat(50, 1)
    photo = sample_photo("cat", longest=200)
    for picture, kind, loss in ((squares, "webp", 0), (photo, "jpeg", 12)):
        head, data = shown(monkeypatch, picture, alt="x")["src"].split(",")
        assert head == f"data:image/{kind};base64"
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))), int)
        assert np.abs(image - picture).mean() <= loss
    line = figures.line_plot({"a": ([0, 1], [0, 1])}, x_label="x", y_label="y")
    assert figures.smallest(line)[1] == "webp"


def test_training_curves_show_every_scale():
    bicubic = {"bicubic_x2": 29.0, "bicubic_x3": 27.0}
    rows = [
        {"step": s, "loss": 0.1 / s, "psnr_x2": 30 + s, "psnr_x3": 28 + s, **bicubic}
        for s in (1, 2)
    ]
    figure = figures.training_curves(rows)
    left, right = figure.axes
    assert left.get_yscale() == "log"
    figure.canvas.draw()
    legend = right.get_legend().get_window_extent()
    assert legend.x0 > right.get_window_extent().x1, "the legend hides a line"
    below_zero = [{**row, "loss": -row["loss"]} for row in rows]
    assert figures.training_curves(below_zero).axes[0].get_yscale() == "linear"
    assert [line.get_label() for line in right.lines] == ["×2", "×3"]
    np.testing.assert_array_equal(right.lines[1].get_ydata(), [2, 3])
