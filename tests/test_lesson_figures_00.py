"""Lesson 00's figures: what they call 10× is 10×, and a mark leaves what it marks in sight."""

import io

import numpy as np
from PIL import Image

from liif_core import figures
from liif_core.baselines import resize
from liif_core.lesson_figures import lesson_00
from liif_core.liif import LIIFConfig

PHOTO = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32)


def drawn(figure: figures.Figure) -> np.ndarray:
    """Return a figure as it is shown, (H, W, 3) uint8."""
    image = Image.open(io.BytesIO(figures.to_png(figure))).convert("RGB")
    return np.asarray(image)


def test_close_ups_show_each_pixel_of_the_photo_exactly_ten_pixels_wide() -> None:
    squares = resize(PHOTO, 200, 300, "nearest")
    boxes = {"upper": (3, 2, 11, 6), "lower": (5, 9, 13, 18)}
    shown = drawn(lesson_00.close_ups({"photo": PHOTO, "again": PHOTO.copy()}, boxes, PHOTO))
    for left, top, right, bottom in boxes.values():
        part = squares[10 * top : 10 * bottom, 10 * left : 10 * right]
        part = (part * 255).round()
        places = np.ndindex(shown.shape[0] - part.shape[0], shown.shape[1] - part.shape[1])
        height, width = part.shape[:2]
        assert any(
            np.abs(shown[y : y + height, x : x + width] - part).max() <= 1 for y, x in places
        ), "not there pixel for pixel"


def test_to_scale_frames_the_box_and_its_zoom() -> None:
    box = (4, 5, 14, 13)
    zoomed = resize(PHOTO, 80, 100, "nearest", box=box)
    shown = drawn(lesson_00.to_scale(PHOTO, box, zoomed))[10:-10, 10:-10]
    small = shown[-20:, :30]
    assert (small[4, 3:15] == lesson_00.FRAME).all()
    inside = small[5:13, 4:14]
    np.testing.assert_array_equal(inside, (PHOTO[5:13, 4:14] * 255).round())
    np.testing.assert_array_equal(shown[2:-2, -102:-2], (zoomed * 255).round())


def texts(config: LIIFConfig) -> list[str]:
    maps = np.random.default_rng(1).random((4, 20, 30))
    large = resize(PHOTO, 200, 300, "nearest")
    figure = lesson_00.workflow(PHOTO, maps, large, (4, 5, 8, 9), config)
    return [text.get_text() for text in figure.texts]


def test_the_workflow_shows_the_colour_path_of_the_models_that_have_one() -> None:
    plain, local = (texts(LIIFConfig(local_colour=local)) for local in (False, True))
    assert any(text.startswith("colour path") for text in local)
    assert "+" in local
    assert not any(text.startswith("colour path") for text in plain)
    assert "+" not in plain


def test_the_mark_leaves_the_marked_place_in_sight() -> None:
    green = np.broadcast_to(np.float32((0, 1, 0)), (21, 21, 3))
    shown = drawn(lesson_00.asked_at({"photo": green}, (0.0, 0.0), [np.zeros(3)]))
    is_green = (shown == (0, 255, 0)).all(axis=2)
    rows, columns = np.flatnonzero(is_green.any(axis=1)), np.flatnonzero(is_green.any(axis=0))
    y, x = (rows[0] + rows[-1]) // 2, (columns[0] + columns[-1]) // 2
    assert is_green[y - 4 : y + 5, x - 4 : x + 5].all(), "the middle of the cross is open"
    assert not is_green[y, x - 25 : x + 26].all(), "there is a cross"
