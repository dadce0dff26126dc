"""Files that are written beside their target, and then named in one step."""

import os
import stat
from pathlib import Path

import pytest
from pictures import entries, one_line

from liif_core.errors import LiifError
from liif_core.files.publish import publishing

NEW = b"new"


def publish(path: Path, *, overwrite: bool = True) -> None:
    with publishing(path, overwrite=overwrite) as part:
        assert os.path.dirname(part) == os.path.realpath(path.parent)
        assert os.path.getsize(part) == 0
        Path(part).write_bytes(NEW)


def no_links(*_: object) -> None:
    raise OSError(95, "Operation not supported")


def test_the_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with publishing(path) as part:
        Path(part).write_bytes(NEW)
        assert not path.exists()
    assert path.read_bytes() == NEW
    assert entries(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("durable", [True, False])
def test_the_disk_is_waited_for_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    waited = []
    monkeypatch.setattr(os, "fsync", waited.append)
    with publishing(tmp_path / "a.bin", durable=durable) as part:
        Path(part).write_bytes(NEW)
    assert len(waited) == durable
    assert (tmp_path / "a.bin").read_bytes() == NEW


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
@pytest.mark.parametrize("overwrite", [True, False])
def test_permissions_are_those_of_a_new_file(tmp_path: Path, umask: int, overwrite: bool) -> None:
    before = os.umask(umask)
    try:
        publish(tmp_path / "a.bin", overwrite=overwrite)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("links", [True, False])
def test_an_existing_file_is_kept_or_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a.bin"
    path.write_text("mine")
    with pytest.raises(LiifError, match="exists already; .*--overwrite") as error:
        publish(path, overwrite=False)
    assert str(path) in one_line(error)
    assert path.read_text() == "mine"
    publish(path)
    assert path.read_bytes() == NEW
    assert entries(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    path = tmp_path / "a.bin"
    monkeypatch.setattr(os, "fsync", lambda _: path.write_text("mine"))
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(LiifError, match="exists already"):
        publish(path, overwrite=False)
    assert path.read_text() == "mine"
    assert entries(tmp_path) == ["a.bin"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.bin"
    link.symlink_to(tmp_path / "real" / "a.bin")
    for overwrite in (False, True):
        with publishing(link, overwrite=overwrite) as part:
            Path(part).write_bytes(NEW)
        assert link.is_symlink()
        assert entries(tmp_path / "real") == ["a.bin"]
        assert link.read_bytes() == NEW


@pytest.mark.parametrize("old", [None, "mine"])
@pytest.mark.parametrize("where", ["block", "fsync"])
@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (OSError(28, "No space left on device"), "could not be written: No space left on device"),
        (MemoryError(), "not enough memory to write it"),
    ],
)
def test_a_failure_leaves_what_was_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    words: str,
    where: str,
    old: str | None,
) -> None:
    path = tmp_path / "a.bin"
    if old is not None:
        path.write_text(old)

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", fail if where == "fsync" else os.fsync)
    with pytest.raises(LiifError) as error, publishing(path) as part:  # noqa: PT012
        Path(part).write_bytes(NEW)
        if where == "block":
            fail()
    assert one_line(error) == f"{path}: {words}"
    assert entries(tmp_path) == ([] if old is None else ["a.bin"])
    assert old is None or path.read_text() == old


@pytest.mark.parametrize("mistake", [ZeroDivisionError, KeyboardInterrupt, LiifError])
def test_what_else_goes_wrong_stays_what_it_is(
    tmp_path: Path, mistake: type[BaseException]
) -> None:
    with pytest.raises(mistake), publishing(tmp_path / "a.bin"):
        raise mistake
    assert entries(tmp_path) == []


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "a.bin"
    with pytest.raises(LiifError, match="could not be written: No such file") as error:
        publish(path)
    assert str(path) in one_line(error)


@pytest.mark.parametrize("overwrite", [True, False])
def test_the_longest_names_are_no_obstacle(tmp_path: Path, overwrite: bool) -> None:
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    for name in ("x" * 230 + ".png", "x" * (longest - 4) + ".png"):
        publish(tmp_path / name, overwrite=overwrite)
        assert (tmp_path / name).read_bytes() == NEW
    assert len(entries(tmp_path)) == 2
