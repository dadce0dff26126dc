"""Every page of a file: into one TIFF, or a file each."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image

import liif_core
from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.files import tiff_pages
from liif_core.files.exif import words
from liif_core.files.opening import pages
from liif_core.liif import LIIF, LIIFConfig
from liif_core.photos import photo_from
from liif_core.zooming import pages as zoom_files
from liif_core.zooming.job import Task
from liif_core.zooming.pages import zoom_pages


@pytest.fixture(scope="module")
def model() -> LIIF:
    torch.manual_seed(0)
    return LIIF(LIIFConfig(blocks=1, channels=4, hidden=(8,))).eval().requires_grad_(False)


def album(path: Path, dtype: type = np.uint8) -> Path:
    """Pages of several sizes, one of them grey, each with a caption."""
    random = np.random.default_rng(0)
    shapes = [(6, 8, 3), (5, 7), (9, 4, 3)]
    with tifffile.TiffWriter(path) as file:
        for number, shape in enumerate(shapes, 1):
            samples = random.integers(0, np.iinfo(dtype).max, shape, dtype)
            file.write(
                samples,
                photometric="rgb" if len(shape) == 3 else "minisblack",
                description=f"page {number}",
                metadata=None,
            )
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_one_tiff_of_all_pages(tmp_path: Path, model: LIIF, dtype: type) -> None:
    source = album(tmp_path / "album.tif", dtype)
    out = tmp_path / "out.tif"
    lines = zoom_pages(lambda: model, source, out, Task(scale=2))
    assert lines == [f"{out}: 3 pages, up to 16×18 pixels"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["album.tif", "out.tif"]
    with tifffile.TiffFile(out) as file:
        assert [page.shape for page in file.pages] == [(12, 16, 3), (10, 14), (18, 8, 3)]
        assert {page.dtype for page in file.pages} == {np.dtype(dtype)}
        assert [page.tags[270].value for page in file.pages] == ["page 1", "page 2", "page 3"]
        for number, page in enumerate(file.pages, 1):
            from liif_core.zooming.job import plan
            from liif_core.zooming.photo import opened, read

            alone = tmp_path / f"alone{number}.tif"
            job = plan(source, alone, Task(scale=2, page=number))
            with opened(job, read(job), model) as work:
                work.paint().finish()
            np.testing.assert_array_equal(page.asarray(), tifffile.imread(alone))
    with Image.open(out) as image:
        assert pages(image) == 3


def test_a_file_for_each_page_goes_on_when_asked_again(tmp_path: Path, model: LIIF) -> None:
    source, out = album(tmp_path / "album.tif"), tmp_path / "out.png"
    (tmp_path / "out_page2.png").write_bytes(b"mine")
    lines = zoom_pages(lambda: model, source, out, Task(scale=2))
    assert f"{tmp_path / 'out_page2.png'}: there already" in lines
    assert len(lines) == 3
    assert (tmp_path / "out_page2.png").read_bytes() == b"mine"
    assert photo_from(tmp_path / "out_page3.png").height == 18
    zoom_pages(lambda: model, source, out, Task(scale=2, overwrite=True))
    assert photo_from(tmp_path / "out_page2.png").height == 10


def test_interrupted_it_goes_on_with_the_pages_it_has(
    tmp_path: Path, model: LIIF, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = album(tmp_path / "album.tif"), tmp_path / "out.tif"
    done: list[int] = []
    opened = zoom_files.opened

    def opened_or_not(job, photo, model):
        if job.task.page == 3 and 3 not in done:
            done.append(3)
            raise KeyboardInterrupt
        done.append(job.task.page)
        return opened(job, photo, model)

    monkeypatch.setattr(zoom_files, "opened", opened_or_not)
    with pytest.raises(KeyboardInterrupt):
        zoom_pages(lambda: model, source, out, Task(scale=2))
    assert not out.exists()
    zoom_pages(lambda: model, source, out, Task(scale=2))
    assert done == [1, 2, 3, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["album.tif", "out.tif"]


def test_notes_of_every_page_survive_joining(tmp_path: Path) -> None:
    """Directories within directories, with values in them and beside them."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "Oma 1951, at the lake"
    exif[ExifTags.IFD.Exif] = {
        ExifTags.Base.LensModel: "a lens with a long name",
        ExifTags.Base.ISOSpeedRatings: 200,
    }
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (50.0, 30.0, 15.0)}
    for number in range(3):
        Image.new("RGB", (300, 200 + number), (number, 0, 0)).save(
            tmp_path / f"{number}.jpg", exif=exif
        )
        task = ["zoom", str(tmp_path / f"{number}.jpg"), "--scale", "1"]
        assert main([*task, "-o", str(tmp_path / f"{number}.tif"), "--fast"]) == 0
    parts = [str(tmp_path / f"{number}.tif") for number in range(3)]
    tiff_pages.join_pages(parts, tmp_path / "all.tif", overwrite=False)
    for number in range(3):
        photo = photo_from(tmp_path / "all.tif", number + 1)
        assert photo.height == 200 + number
        exif = photo.notes.exif
        assert words(exif.main[ExifTags.Base.ImageDescription]) == "Oma 1951, at the lake"
        assert words(exif.photo[ExifTags.Base.LensModel]) == "a lens with a long name"
        assert exif.numbers(exif.photo[ExifTags.Base.ISOSpeedRatings]) == (200,)
        assert exif.numbers(exif.gps[2]) == (50, 30, 15)


def test_what_cannot_be_is_said_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = album(tmp_path / "album.tif")

    def never() -> LIIF:
        raise AssertionError("nothing is to be computed")

    def refused(task: Task, output: str, words: str) -> None:
        with pytest.raises(LiifError, match=words):
            zoom_pages(never, source, tmp_path / output, task)

    refused(Task(scale=2, compare=True), "a.tif", "choose it with --page")
    refused(Task(scale=2, crop=(0, 0, 5, 5)), "a.tif", "leaves the photo")  # the third, 4 wide
    refused(Task(scale=2), "album.tif", "exists already")
    monkeypatch.setattr(zoom_files, "MOST_BYTES", 500)
    refused(Task(scale=2), "a.tif", "choose .png, for a file each")
    assert main(["zoom", str(tmp_path), "--scale", "2", "--pages", "all"]) == 2
    assert "--pages all is for one file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["album.tif"]


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = album(tmp_path / "album.tif")
    assert main(["zoom", str(source), "--scale", "1.5", "--pages", "all"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'album_x1.5.tif'}: 3 pages, up to 12×14 pixels\n"
    assert "liif:" not in printed.err  # nothing is left out
    assert liif_core.zoom(source, 1).size == (8, 6)
