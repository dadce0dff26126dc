"""Lesson 05's stopwatch and its box for the reader's own photo."""

import io
from datetime import datetime, timezone

import numpy as np
import pytest

from liif_core.errors import LiifError
from liif_core.figures import to_image
from liif_core.lesson_figures.lesson_05 import UploadBox, measure, read_upload
from liif_core.photos import Photo


def png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    to_image(picture).save(buffer, "PNG")
    return buffer.getvalue()


PICTURE = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)


def corner(photo: Photo) -> tuple[np.ndarray, str]:
    return photo.rgb(slice(0, 2), slice(0, 2)), f"the corner of {photo.width} × {photo.height}"


def test_an_upload_is_read_as_it_is() -> None:
    assert np.array_equal(read_upload("a.png", png(PICTURE)).colour, PICTURE)


@pytest.mark.parametrize(
    "data", [b"", b"no picture", png(PICTURE)[:48]], ids=["empty", "text", "cut off"]
)
def test_a_bad_upload_is_named_by_its_own_name(data: bytes) -> None:
    with pytest.raises(LiifError, match=r"^mine\.png: ") as caught:
        read_upload("../folder/mine.png", data)
    assert "\n" not in str(caught.value)


def test_the_box_shows_the_picture_then_the_mistake() -> None:
    box = UploadBox(corner)
    assert box.receive("a.png", png(PICTURE)) == "the corner of 7 × 5"
    assert 'alt="the corner of 7 × 5"' in box.result.value
    assert box.receive("<b>.png", b"hello").startswith("✗ <b>.png: not a picture")
    assert "<img" not in box.result.value
    assert "&lt;b&gt;.png" in box.result.value


def test_the_button_is_connected() -> None:
    box = UploadBox(corner)
    file = {"name": "a.png", "type": "image/png", "content": memoryview(png(PICTURE))}
    box.button.value = ({**file, "size": 1, "last_modified": datetime.now(tz=timezone.utc)},)
    assert "the corner" in box.result.value


def test_a_page_without_a_kernel_says_what_is_missing() -> None:
    assert "button" in UploadBox(corner)._repr_mimebundle_()["text/html"]


def test_measure_returns_the_result_and_passes_errors_on() -> None:
    result, seconds, megabytes = measure(lambda: 42)
    assert result == 42
    assert 0 <= seconds < 60
    assert megabytes > 1
    with pytest.raises(ZeroDivisionError):
        measure(lambda: 1 / 0)
