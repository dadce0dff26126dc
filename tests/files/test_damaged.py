"""JPEGs that were cut off."""

import re
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import one_line
from PIL import Image, ImageFile
from skimage import data

from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.photos import photo_from

PICTURE = Image.fromarray(data.astronaut())


def jpeg(**how: Any) -> bytes:
    file = BytesIO()
    PICTURE.save(file, "JPEG", **how)
    return file.getvalue()


@pytest.mark.parametrize("how", [{}, {"subsampling": 0}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_what_is_left_is_read_and_the_rest_is_told(
    tmp_path: Path, how: dict[str, Any], share: float
) -> None:
    whole, path = jpeg(**how), tmp_path / "a.jpg"
    path.write_bytes(whole[: int(len(whole) * share)])
    photo = photo_from(path, strict=False)
    expected = np.asarray(Image.open(BytesIO(whole)))
    spoiled = np.flatnonzero((photo.colour != expected).any(axis=(1, 2)))
    missing = 512 - int(spoiled[0])
    (remark,) = photo.remarks
    told = re.match(r"cut off: of 512 rows, about (\d+) are missing \((\d+) %\)", remark)
    assert told
    assert abs(int(told[1]) - missing) <= 16  # a row of blocks
    assert int(told[2]) == round(int(told[1]) / 5.12)
    with pytest.raises(LiifError, match="broken or cut off") as error:
        photo_from(path)
    one_line(error)


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("how", [{}, {"progressive": True}])
def test_an_end_that_is_missing_costs_no_pixel(
    tmp_path: Path, how: dict[str, Any], lost: int
) -> None:
    whole, path = jpeg(**how), tmp_path / "a.jpg"
    path.write_bytes(whole[:-lost])
    photo = photo_from(path, strict=False)
    np.testing.assert_array_equal(photo.colour, np.asarray(Image.open(BytesIO(whole))))
    assert [remark.startswith("its end is missing, but") for remark in photo.remarks] == [True]


def test_a_progressive_one_is_coarse(tmp_path: Path) -> None:
    whole, path = jpeg(progressive=True), tmp_path / "a.jpg"
    path.write_bytes(whole[: len(whole) // 2])
    photo = photo_from(path, strict=False)
    assert photo.remarks == ("cut off: the last of its details are missing",)
    error = photo.colour.astype(int) - np.asarray(PICTURE)
    assert abs(error).mean() < 20


def test_of_which_nothing_is_left_or_something_else_ails(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    whole = jpeg()
    for content in (whole[: whole.index(b"\xff\xda") + 14], whole[:300], b"\xff\xd8\xff"):
        path.write_bytes(content)
        with pytest.raises(LiifError) as error:
            photo_from(path, strict=False)
        one_line(error)


def test_other_threads_learn_nothing_of_it(tmp_path: Path) -> None:
    """Pillow's own switch is one for the whole process."""
    path, seen = tmp_path / "a.jpg", []
    path.write_bytes(jpeg()[:-2000])
    threads = [
        threading.Thread(target=lambda: seen.append(photo_from(path, strict=False).remarks))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    assert len(set(seen)) == 1
    assert seen[0]
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_the_command_line_warns_or_is_strict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, file = tmp_path / "a.jpg", BytesIO()
    PICTURE.resize((40, 60)).save(file, "JPEG")
    path.write_bytes(file.getvalue()[:-200])
    arguments = ["zoom", str(path), "--scale", "2", "--weights", "liif-edsr-small"]
    assert main([*arguments, "--strict"]) == 2
    assert "broken or cut off" in capsys.readouterr().err
    assert not (tmp_path / "a_x2.jpg").exists()
    assert main(arguments) == 0
    assert f"liif: {path}: cut off: of 60 rows, about " in capsys.readouterr().err
    assert photo_from(tmp_path / "a_x2.jpg").height == 120
