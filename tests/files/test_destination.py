"""Where a result may go, asked before any computing."""

import os
from collections import namedtuple
from pathlib import Path

import pytest
from pictures import ENDINGS, entries, in_memory, noise, one_line, painted

from liif_core.errors import LiifError
from liif_core.files import destination
from liif_core.files.destination import check_target
from liif_core.photos import photo_from


@pytest.mark.parametrize("ending", [*ENDINGS, ".PNG", ".Jpg"])
def test_good_targets(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_target(tmp_path / f"a{ending}", 100, 200)
    monkeypatch.chdir(tmp_path)
    check_target(f"a{ending}", 100, 200)
    assert entries(tmp_path) == []


@pytest.mark.parametrize("name", ["a.bmp", "a", ".png", "a.", ""])
def test_unknown_endings(tmp_path: Path, name: str) -> None:
    with pytest.raises(LiifError) as error:
        check_target(f"{tmp_path}/{name}", 10, 10)
    for ending in ENDINGS:
        assert ending in one_line(error)
    with pytest.raises(LiifError, match="ending"):
        in_memory(photo_from(noise(2, 2)), 2, 2, path=f"{tmp_path}/{name}")


def test_bad_targets(tmp_path: Path) -> None:
    (tmp_path / "old.png").touch()
    (tmp_path / "folder.png").mkdir()
    cases = {
        "old.png": "--overwrite",
        "folder.png": "folder",
        "missing/a.png": "no folder",
        "old.png/a.png": "no folder",
        "x" * 300 + ".png": "name too long",
    }
    for name, words in cases.items():
        with pytest.raises(LiifError) as error:
            check_target(tmp_path / name, 10, 10)
        assert words in one_line(error)
        assert name in str(error.value)
        if name != "old.png":
            with pytest.raises(LiifError, match="could not be written"):
                painted(photo_from(noise(2, 2)), tmp_path / name, overwrite=True).finish()
    check_target(tmp_path / "old.png", 10, 10, overwrite=True)
    with pytest.raises(LiifError, match="folder"):
        check_target(tmp_path / "folder.png", 10, 10, overwrite=True)


def test_write_protected_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o555)
    if os.geteuid() == 0:  # root may write everywhere
        monkeypatch.setattr(os, "access", lambda *_: False)
    try:
        with pytest.raises(LiifError, match="no permission") as error:
            check_target(tmp_path / "a.png", 10, 10)
        one_line(error)
    finally:
        tmp_path.chmod(0o755)


@pytest.mark.parametrize(
    ("ending", "largest"), [(".jpg", 65_500), (".jpeg", 65_500), (".webp", 16_383)]
)
def test_format_limits(tmp_path: Path, ending: str, largest: int) -> None:
    path = tmp_path / f"a{ending}"
    check_target(path, largest, 1)
    for height, width in [(largest + 1, 1), (1, largest + 1)]:
        with pytest.raises(LiifError, match=r"\.png or \.tif") as error:
            check_target(path, height, width)
        assert str(largest) in one_line(error)
        assert str(largest + 1) in str(error.value)
    photo = photo_from(noise(largest, 1))
    painted(photo, path, strip=1000).finish()  # the limit is the format's own
    assert photo_from(path).height == largest


def test_disk_space_is_asked_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(destination.shutil, "disk_usage", lambda _: usage(0, 0, 40_000_000))
    check_target(tmp_path / "a.png", 3000, 3000)
    check_target(tmp_path / "a.jpg", 6000, 6000)
    with pytest.raises(LiifError, match="0.14 GB and the disk has only 0.04 GB free") as error:
        check_target(tmp_path / "a.png", 6000, 6000)
    assert "6000×6000" in one_line(error)
    with pytest.raises(LiifError, match="0.07 GB"):
        check_target(tmp_path / "a.png", 3000, 3000, deep=True)
    check_target(tmp_path / "a.jpg", 6000, 6000, deep=True)
