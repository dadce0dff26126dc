"""The plots that lessons share."""

import numpy as np
import pytest

from liif_core import figures


def test_places_without_a_picture_stay_empty():
    picture = np.zeros((4, 6, 3), np.uint8)
    figure = figures.side_by_side(dict.fromkeys("abcde", picture), columns=3)
    assert [axis.axison for axis in figure.axes] == [True] * 5 + [False]


def test_pictures_are_clamped_and_rounded():
    image = figures.to_image(np.array([[[-1.0, 0.5, 2.0]]]))
    assert image.getpixel((0, 0)) == (0, 128, 255)


def test_a_shown_picture_carries_its_alternative_text(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    figures.show(np.zeros((4, 6, 3)), alt="a black square", width=60)
    figures.show(figures.new_figure(), alt="an empty figure")
    (jpeg, told), (png, told_too) = (image._repr_mimebundle_() for image in shown)
    assert set(jpeg) == {"image/jpeg"}
    assert set(png) == {"image/png"}
    assert told["image/jpeg"]["alt"] == "a black square"
    assert told_too["image/png"]["alt"] == "an empty figure"
    with pytest.raises(ValueError, match="alternative text"):
        figures.show(np.zeros((4, 6)), alt=" ")


def test_training_curves_show_every_scale():
    bicubic = {"bicubic_x2": 29.0, "bicubic_x3": 27.0}
    rows = [
        {"step": s, "loss": 0.1 / s, "psnr_x2": 30 + s, "psnr_x3": 28 + s, **bicubic}
        for s in (1, 2)
    ]
    _, right = figures.training_curves(rows).axes
    assert [line.get_label() for line in right.lines] == ["×2", "×3"]
    np.testing.assert_array_equal(right.lines[1].get_ydata(), [2, 3])
