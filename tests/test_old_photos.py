"""The old photographs are small, sound, named with maker and licence, and in every copy."""

import re

import numpy as np
import pytest
from lessons.reading import ROOT
from PIL import Image

from liif_core.course import copy_course
from liif_core.worn import diagnose

FOLDER = ROOT / "figures/old_photos"
PHOTOS = sorted(FOLDER.glob("*.jpg"))


def test_there_are_some():
    assert 4 <= len(PHOTOS) <= 8


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_a_photo_is_small_and_clean(path):
    """No marks of compression, which the lessons' default weights would sharpen."""
    assert path.stat().st_size <= 150_000
    with Image.open(path) as picture:
        assert max(picture.size) <= 640
        assert not picture.getexif()
        assert diagnose(np.asarray(picture.convert("RGB"))).hint() == ""


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_its_maker_and_licence_are_named(path):
    source = re.compile(r"CC0\W+rawpixel\.com/image/(\d+)")
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    lines = [
        next(line for line in text.splitlines() if re.search(rf"\b{path.stem}\b.*CC0", line))
        for text in (notice, page)
    ]
    found = [source.search(line) for line in lines]
    assert found[0][1] == found[1][1]


def test_every_copy_of_the_course_has_them(tmp_path):
    copy_course(tmp_path / "mine")
    given = {path.name for path in (tmp_path / "mine/figures/old_photos").iterdir()}
    assert given == {path.name for path in FOLDER.iterdir()}
