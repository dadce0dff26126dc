"""Pictures that grow strip by strip: what they hold, and what an interruption leaves."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import imagecodecs
import numpy as np
import pytest
import tifffile
from pictures import entries
from PIL import Image

from liif_core.errors import LiifError
from liif_core.files import by_strips
from liif_core.files.by_strips import ByStrips
from liif_core.files.destination import check_target
from liif_core.files.result_pixels import ResultPixels
from liif_core.files.tiff import Tiff
from liif_core.photos import photo_from

STRIPS = [0, 1, 20, 90, 100]


def pixels_of(
    *shape: int, dtype: type = np.uint8, height: int = 100, width: int = 37
) -> ResultPixels:
    high = np.iinfo(dtype).max + 1
    pixels = np.random.default_rng(0).integers(0, high, shape, dtype=dtype)
    return ResultPixels(photo_from(pixels), height, width, (0, 0, shape[1], shape[0]))


def rendered(pixels: ResultPixels) -> np.ndarray:
    """What a model might say: smooth, with noise, beyond [0, 1] here and there."""
    y, x = np.mgrid[0 : pixels.height, 0 : pixels.width] / 30
    rgb = np.stack([np.sin(y), np.cos(x), np.sin(x + y)], axis=2) * 0.6 + 0.5
    return (rgb + np.random.default_rng(1).normal(0, 0.02, rgb.shape)).astype(np.float32)


def grow(path: Path, pixels: ResultPixels, *, stop: int = 100, key: str = "k") -> list[int]:
    """Paste strips until row `stop`; return where each began."""
    rgb, tops = rendered(pixels), []
    with ByStrips(pixels, path, key=key) as picture:
        for top, end in itertools.pairwise(STRIPS):
            if picture.rows <= top < stop:
                picture.paste(top, rgb[top:end])
                tops.append(top)
        if stop == 100:
            picture.finish()
    return tops


PIXELS = {
    "L": pixels_of(9, 5),
    "LA": pixels_of(9, 5, 2),
    "RGB": pixels_of(9, 5, 3),
    "RGBA": pixels_of(9, 5, 4),
    "I;16": pixels_of(9, 5, dtype=np.uint16),
    "LA 16": pixels_of(9, 5, 2, dtype=np.uint16),
    "RGB 16": pixels_of(9, 5, 3, dtype=np.uint16),
    "RGBA 16": pixels_of(9, 5, 4, dtype=np.uint16),
}


@pytest.mark.parametrize("mode", PIXELS)
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_the_strips_make_one_picture(tmp_path, mode, ending):
    pixels = PIXELS[mode]
    assert grow(tmp_path / f"a{ending}", pixels) == STRIPS[:-1]
    expected = pixels.strip(0, rendered(pixels))
    if mode.endswith(" 16"):  # Pillow would cut it
        read = tifffile.imread if ending == ".tif" else imagecodecs.imread
        found = read(tmp_path / f"a{ending}")
        assert found.dtype == np.uint16
    else:
        with Image.open(tmp_path / f"a{ending}") as result:
            assert result.mode == mode == pixels.mode
            result.load()  # a PNG's checksums, too
            found = np.asarray(result)
    assert found.shape == expected.shape
    difference = abs(found.astype(int) - expected.astype(int))
    assert difference[..., : -1 if "A" in mode else None].max() == 0
    # Bicubic alpha of strips, rounded to 8 bits.
    assert difference.max() <= (257 if mode.endswith(" 16") else 1)
    assert [path.name for path in tmp_path.iterdir()] == [f"a{ending}"]


@pytest.mark.parametrize("mode", PIXELS)
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_an_interrupted_picture_goes_on_to_the_same_bytes(tmp_path, mode, ending):
    path, whole = tmp_path / f"a{ending}", tmp_path / f"whole{ending}"
    assert grow(path, PIXELS[mode], stop=20) == [0, 1]
    part = tmp_path / f"a{ending}.liif-part"
    with part.open("ab") as file:
        file.write(b"half a strip that was cut off")
    assert not path.exists()
    assert grow(path, PIXELS[mode], stop=90) == [20]
    assert grow(path, PIXELS[mode]) == [90]
    grow(whole, PIXELS[mode])
    assert path.read_bytes() == whole.read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted([path, whole])


def test_a_picture_that_only_lacks_its_name_gets_it(tmp_path):
    path = tmp_path / "a.png"
    pixels, rgb = PIXELS["RGB"], rendered(PIXELS["RGB"])
    with ByStrips(pixels, path, key="k") as picture:
        picture.paste(0, rgb)
    assert grow(path, pixels) == []
    assert photo_from(path).height == 100


@pytest.mark.parametrize("damage", ["key", "journal", "short", "linked"])
def test_what_does_not_fit_starts_over(tmp_path, damage):
    path, pixels = tmp_path / "a.png", PIXELS["RGB"]
    grow(path, pixels, stop=90)
    part, journal = tmp_path / "a.png.liif-part", tmp_path / "a.png.liif-part.json"
    if damage == "journal":
        journal.write_text(journal.read_text()[:-5])
    elif damage == "short":
        os.truncate(part, json.loads(journal.read_text())["bytes"] - 1)
    elif damage == "linked":  # killed after the file got its name: what bears it is not touched
        os.link(part, tmp_path / "named.png")
    before = part.read_bytes()
    assert grow(path, pixels, key="other" if damage == "key" else "k") == STRIPS[:-1]
    if damage == "linked":
        assert (tmp_path / "named.png").read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        {"rows": None},
        {"rows": "90"},
        {"rows": 101},
        {"rows": -1},
        {"rows": True},
        {"bytes": 90.5},
        {"bytes": None},
        {"bytes": -1},
        {"check": "0"},
        {"check": None},
        {"key": None},
        {"key": 7},
        {"more": 1},
    ],
)
def test_a_journal_that_lacks_something_is_none(tmp_path, change):
    path, pixels = tmp_path / "a.png", PIXELS["RGB"]
    grow(path, pixels, stop=90)
    journal = tmp_path / "a.png.liif-part.json"
    for without in (False, True):
        noted = {**json.loads(journal.read_text()), **change}
        if without and None not in change.values():
            continue
        if without:
            (name,) = change
            del noted[name]
        journal.write_text(json.dumps(noted))
        assert grow(path, pixels, stop=90) == STRIPS[:-2]
    grow(path, pixels)
    assert photo_from(path).height == 100
    assert entries(tmp_path) == ["a.png"]


@pytest.mark.parametrize("journal", ["[]", "null", "7", "", "\udcff"])
def test_a_journal_that_is_something_else_is_none(tmp_path, journal):
    path, pixels = tmp_path / "a.png", PIXELS["RGB"]
    grow(path, pixels, stop=90)
    (tmp_path / "a.png.liif-part.json").write_bytes(journal.encode(errors="surrogateescape"))
    assert grow(path, pixels) == STRIPS[:-1]


@pytest.mark.parametrize("key", ["k", None])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), MemoryError()])
def test_a_header_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch, key, failure):
    path, pixels = tmp_path / "a.png", PIXELS["RGB"]
    opened = []

    class Full:
        """A file on a full disk."""

        def __init__(self, file):
            self.file = file

        def write(self, _):
            raise failure

        def __getattr__(self, name):
            return getattr(self.file, name)

    def on_a_full_disk(name, mode="r", **options):
        file = open(name, mode, **options)  # noqa: SIM115
        if mode != "wb":
            return file
        opened.append(file)
        return Full(file)

    monkeypatch.setattr(by_strips, "open", on_a_full_disk, raising=False)
    with pytest.raises(LiifError, match="a.png: (could not be written: No space|not enough mem)"):
        ByStrips(pixels, path, key=key)
    assert [file.closed for file in opened] == [True]
    assert entries(tmp_path) == []
    monkeypatch.undo()
    assert grow(path, pixels) == STRIPS[:-1]  # and nothing is locked


def test_a_strip_that_cannot_be_written_is_told_and_the_rest_stays(tmp_path, monkeypatch):
    path, pixels = tmp_path / "a.png", PIXELS["RGB"]
    grow(path, pixels, stop=20)
    left = entries(tmp_path)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LiifError, match="No space left"):
        grow(path, pixels)
    assert entries(tmp_path) == left
    monkeypatch.undo()
    assert grow(path, pixels) == [20, 90]


@pytest.mark.parametrize("name", ["x" * 230, "ä" * 115, "x" * 251])
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_a_long_name_is_found_again(tmp_path, name, ending):
    path, pixels = tmp_path / f"{name}{ending}", PIXELS["RGB"]
    other = tmp_path / f"{name[:-1]}y{ending}"
    assert grow(path, pixels, stop=20) == [0, 1]
    assert max(len(os.fsencode(entry)) for entry in entries(tmp_path)) < 143
    assert grow(other, pixels, stop=90) == [0, 1, 20]  # of its own
    assert grow(path, pixels) == [20, 90]
    assert grow(other, pixels) == [90]
    assert entries(tmp_path) == sorted([path.name, other.name])


def test_nobody_gets_in_by_a_lock_that_was_given_back(tmp_path, monkeypatch):
    """Between another's opening of the lock's file and its locking it, the first is done."""
    fcntl = pytest.importorskip("fcntl")
    path, pixels = tmp_path / "a.png", PIXELS["RGB"]
    first = ByStrips(pixels, path, key="k")
    first.paste(0, rendered(pixels)[:50])
    flock, waiting = fcntl.flock, [first]

    def late(file, operation):
        if operation & fcntl.LOCK_EX and waiting:
            waiting.pop().__exit__(None, None, None)
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    entered, refused = [], 0
    for _ in range(3):
        try:
            entered.append(ByStrips(pixels, path, key="k"))
        except LiifError:
            refused += 1
    assert len(entered) == 1
    assert entered[0].rows == 50
    assert refused == 2
    entered[0].__exit__(None, None, None)
    assert not any(entry.endswith(".lock") for entry in entries(tmp_path))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("mode", PIXELS)
def test_values_that_are_not_numbers_are_an_error(tmp_path, mode, bad):
    """Not black without a word; what was done before is still there."""
    path, pixels = tmp_path / "a.png", PIXELS[mode]
    grow(path, pixels, stop=90)
    rgb = rendered(pixels)
    rgb[95, 3, 1] = bad
    with ByStrips(pixels, path, key="k") as picture:
        with pytest.raises(LiifError, match="not numbers.*--precision float32 or bfloat16"):
            picture.paste(90, rgb[90:])
        assert picture.rows == 90
    assert grow(path, pixels) == [90]


def test_nothing_is_kept_before_the_first_strip_or_without_a_key(tmp_path):
    path, pixels = tmp_path / "a.png", PIXELS["RGB"]
    with ByStrips(pixels, path, key="k"):
        pass
    with ByStrips(pixels, path) as picture:
        picture.paste(0, rendered(pixels)[:50])
    assert list(tmp_path.iterdir()) == []


def test_strips_come_in_order_and_all_of_them(tmp_path):
    pixels, rgb = PIXELS["RGB"], rendered(PIXELS["RGB"])
    with ByStrips(pixels, tmp_path / "a.png") as picture:
        picture.paste(0, rgb[:50])
        with pytest.raises(ValueError, match="row 50 is due"):
            picture.paste(60, rgb[60:])
        with pytest.raises(ValueError, match="50 of 100"):
            picture.finish()


def test_two_programs_do_not_write_one_picture(tmp_path):
    path, pixels = tmp_path / "a.png", PIXELS["RGB"]
    with ByStrips(pixels, path, key="k") as picture:
        picture.paste(0, rendered(pixels)[:50])
        with pytest.raises(LiifError, match="another program is writing it"):
            ByStrips(pixels, path, key="k")
    assert grow(path, pixels, stop=50) == []  # all of it is still there
    grow(path, pixels, key="new")
    with ByStrips(pixels, path, key="k") as picture:
        picture.paste(0, rendered(pixels))
        with pytest.raises(LiifError, match="exists already"):
            picture.finish()


def test_the_part_counts_as_free_space(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    part = tmp_path / "a.tif.liif-part"
    part.write_bytes(bytes(5000))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    check_target(path, 50, 25)
    with pytest.raises(LiifError, match="make room"):
        check_target(path, 50, 26)


def test_big_tiff(tmp_path):
    """A header for 40,000 × 40,000 pixels before a sparse file; the last row is where it says."""
    tifffile = pytest.importorskip("tifffile")
    pixels = ResultPixels(PIXELS["RGB"].photo, 40_000, 40_000, (0, 0, 5, 9))
    head = Tiff(pixels).head()
    row = np.random.default_rng(0).integers(0, 256, (40_000, 3), dtype=np.uint8)
    path = tmp_path / "big.tif"
    with path.open("wb") as file:
        file.write(head)
        file.seek(len(head) + 39_999 * row.nbytes)
        file.write(row.tobytes())
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[0]
        assert tiff.is_bigtiff
        assert page.shape == (40_000, 40_000, 3)
        assert page.dataoffsets[0] == len(head)
    mapped = tifffile.memmap(path, mode="r")
    np.testing.assert_array_equal(mapped[-1], row)
    assert not mapped[0].any()
    assert len(Tiff(ResultPixels(pixels.photo, 100, 100, pixels.box)).head()) < 300  # a plain TIFF


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_memory_is_that_of_a_strip(tmp_path, ending):
    """36 megapixels, 108 MB as pixels and 432 MB as floats, in strips of 50 rows."""
    program = f"""
import re
import numpy as np
from liif_core.files.result_pixels import ResultPixels
from liif_core.photos import photo_from
from liif_core.files import by_strips
from liif_core.files.by_strips import ByStrips
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
photo = photo_from(np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
pixels = ResultPixels(photo, 6000, 6000, (0, 0, 2, 2))
strip = np.full((50, 6000, 3), 0.5, np.float32)
before = peak()
with ByStrips(pixels, {str(tmp_path / f"a{ending}")!r}, key="k") as picture:
    for top in range(0, 6000, 50):
        picture.paste(top, strip)
    picture.finish()
print(peak() - before)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert float(run.stdout) < 30
