"""Files that hold several pictures: one is read, and the others are told of."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from pictures import noise, one_line
from PIL import Image

import liif_core
from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.files import opening
from liif_core.photos import Header, photo_from, read_header

SHAPES = [(8, 12, 3), (9, 5), (6, 7, 3)]
PAGES = [noise(*shape, seed=seed) for seed, shape in enumerate(SHAPES)]


@pytest.fixture(params=[np.uint8, np.uint16], ids=["8 bits", "16 bits"])
def album(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with tifffile.TiffWriter(tmp_path / "album.tif") as file:
        for page in PAGES:
            scale = np.iinfo(request.param).max // 255
            kind = "rgb" if page.ndim == 3 else "minisblack"
            file.write(page.astype(request.param) * request.param(scale), photometric=kind)
    return tmp_path / "album.tif"


@pytest.mark.parametrize("page", [1, 2, 3])
def test_each_page_is_read_by_its_number(album: Path, page: int) -> None:
    photo, header = photo_from(album, page), read_header(album, page)
    expected = PAGES[page - 1]
    assert photo.grey == (expected.ndim == 2)
    found = photo.colour[..., 0] if photo.grey else photo.colour
    np.testing.assert_array_equal(found // (257 if photo.deep else 1), expected)
    line = f"page {page} of 3 is read; --page N reads another, --pages all each"
    assert header == Header(photo.height, photo.width, photo.deep, (line,), 3)


@pytest.mark.parametrize("page", [-1, 0, 4])
def test_a_page_that_is_not_there(album: Path, page: int) -> None:
    for read in (photo_from, read_header):
        with pytest.raises(LiifError, match=f"no page {page}; it has the pages 1 … 3") as error:
            read(album, page)
        one_line(error)


def test_a_photo_has_one_page(tmp_path: Path) -> None:
    Image.fromarray(PAGES[0]).save(tmp_path / "a.jpg")
    assert read_header(tmp_path / "a.jpg").remarks == ()
    with pytest.raises(LiifError, match="no page 2; it has one page"):
        photo_from(tmp_path / "a.jpg", 2)


def test_a_bomb_on_the_second_page_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Image.fromarray(PAGES[2])
    first.save(tmp_path / "a.tif", save_all=True, append_images=[Image.fromarray(PAGES[0])])
    monkeypatch.setattr(opening, "MAX_PIXELS", 60)
    read_header(tmp_path / "a.tif")
    with pytest.raises(LiifError, match="shrink or crop"):
        read_header(tmp_path / "a.tif", 2)


@pytest.mark.parametrize(
    ("format", "line"),
    [
        ("GIF", "frame 1 of 2 is read"),
        ("WEBP", "frame 1 of 2 is read"),
        ("PNG", "frame 1 of 2 is read"),
        ("MPO", "picture 1 of 2 is read; the rest, such as a gain map"),
    ],
)
def test_what_else_a_file_holds_is_told(tmp_path: Path, format: str, line: str) -> None:
    first, second = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    first.save(tmp_path / "a", format, save_all=True, append_images=[second])
    (remark,) = read_header(tmp_path / "a").remarks
    assert remark.startswith(line)
    for page, channel in ((1, 0), (2, 2)):
        colour = photo_from(tmp_path / "a", page).colour[8, 8]
        assert colour[channel] > 200
        assert colour.sum() < 300


def test_pages_on_the_command_line(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["zoom", str(album), "--scale", "2", "--weights", "liif-edsr-small"]
    assert main([*arguments, "--page", "2"]) == 0
    printed = capsys.readouterr()
    assert (
        f"liif: {album}: page 2 of 3 is read; --page N reads another, --pages all each\n"
        in printed.err
    )
    result = photo_from(album.with_name("album_page2_x2.tif"))
    assert (result.height, result.width, result.grey) == (18, 10, True)
    assert main([*arguments, "--page", "4"]) == 2
    assert "no page 4" in capsys.readouterr().err


def test_pages_in_a_folder(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(PAGES[0]).save(album.with_name("one.png"))
    out = album.parent / "out"
    arguments = ["zoom", str(album.parent), "--scale", "2", "--weights", "liif-edsr-small"]
    assert main([*arguments, "-o", str(out)]) == 0
    printed = capsys.readouterr()
    assert "2 written\n" in printed.out
    assert printed.err.count("liif: ") == 1
    assert f"liif: {album}: page 1 of 3 is read" in printed.err


def test_pages_in_python(album: Path) -> None:
    with pytest.warns(UserWarning, match="page 3 of 3 is read; page=N reads another"):
        result = liif_core.zoom(album, 2, page=3, model="liif-edsr-small")
    assert result.size == (14, 12)
