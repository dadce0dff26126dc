"""The plots that lessons share."""

import base64
import io

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from liif_core import figures
from liif_core.samples import sample_photo


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
    assert (pictures[:, 80:84] == 255).all()
    assert (pictures[:, 84:] == 128).all()
    assert names[:, :80].min() < 100 > names[:, 84:].min(), "there are two names"


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


def test_a_picture_is_kept_as_png_or_jpeg_whichever_is_smaller(monkeypatch):
    squares = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8).repeat(50, 0)
    squares = squares.repeat(50, 1)
    photo = sample_photo("cat", longest=200)
    for picture, kind, loss in ((squares, "png", 0), (photo, "jpeg", 12)):
        head, data = shown(monkeypatch, picture, alt="x")["src"].split(",")
        assert head == f"data:image/{kind};base64"
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))), int)
        assert np.abs(image - picture).mean() <= loss
    line = figures.line_plot({"a": ([0, 1], [0, 1])}, x_label="x", y_label="y")
    assert figures.smallest(line)[1] == "png"


def test_training_curves_show_every_scale():
    bicubic = {"bicubic_x2": 29.0, "bicubic_x3": 27.0}
    rows = [
        {"step": s, "loss": 0.1 / s, "psnr_x2": 30 + s, "psnr_x3": 28 + s, **bicubic}
        for s in (1, 2)
    ]
    left, right = figures.training_curves(rows).axes
    assert left.get_yscale() == "log"
    below_zero = [{**row, "loss": -row["loss"]} for row in rows]
    assert figures.training_curves(below_zero).axes[0].get_yscale() == "linear"
    assert [line.get_label() for line in right.lines] == ["×2", "×3"]
    np.testing.assert_array_equal(right.lines[1].get_ydata(), [2, 3])
