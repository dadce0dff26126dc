"""Folders within folders: what is found, and a table that leaves nothing out."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import liif_core
from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.files.kinds import kind_in_folder
from liif_core.liif import LIIF, LIIFConfig
from liif_core.weights import save_weights
from liif_core.zooming.album import album_of


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A model that is quick."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "quick.safetensors"
    save_weights(LIIF(LIIFConfig(blocks=1, channels=4, hidden=(8,))), path, {})
    return path


#: What an album holds beside its photos: the name, the first bytes, and how it is called.
BESIDE = [
    ("DSC_1.NEF", b"II*\0", "raw file"),
    ("IMG_2.CR3", b"\0\0\0\x18ftypcrx ", "raw file"),
    ("trip.MOV", b"\0\0\0\x14ftypqt  ", "a film"),
    ("clip.avi", b"RIFF\0\0\0\0AVI ", "a film"),
    ("scan.pdf", b"%PDF-1.7", "pdfimages"),
    ("a.xmp", b"<x:xmpmeta", "another program notes"),
    ("IMG_2.AAE", b"<?xml", "another program notes"),
    ("a.json", b"{}", "another program notes"),
    ("song.mp3", b"ID3", "a sound"),
    ("notes.txt", b"Oma 1951", "a text"),
    ("Thumbs.db", b"\xd0\xcf\x11\xe0", "a program's own file"),
    ("._a.jpg", b"\0\x05\x16\x07" + bytes(80), "macOS's notes"),
    (".DS_Store", b"\0\0\0\1Bud1", "hidden"),
    ("IMG_0001", b"\xff\xd8\xff\xe0", "end in .jpg"),
    ("empty.xyz", b"", "an empty file"),
    ("book.zip", b"PK\x03\x04", "an archive"),
    ("what.xyz", b"what?", "unknown kind (.xyz)"),
    ("what", b"what?", "unknown kind (no ending)"),
]


def photo(path: Path, number: int) -> None:
    pixels = np.random.default_rng(number).integers(0, 256, (5, 6, 3), np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def album(tmp_path) -> Path:
    """300 files in 4 folders: photos of four kinds, 3 of them broken, and all that lies beside."""
    top = tmp_path / "album"
    folders = [top, top / "1951", top / "1951" / "Oma & Opa", top / "2024"]
    for folder in folders:
        folder.mkdir()
    for number, (name, start, _) in enumerate(BESIDE):
        (folders[number % 4] / name).write_bytes(start)
    for number in range(3):
        (folders[number] / f"broken{number}.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    for number in range(300 - 3 - len(BESIDE)):
        ending = ("jpg", "png", "tif", "webp")[number % 4]
        photo(folders[number % 3] / f"p{number:03}.{ending}", number)
    return top


def zoom_command(album: Path, weights: Path, *more: str) -> list[str]:
    return ["zoom", str(album), "--scale", "2", "--weights", str(weights), *more]


def table(printed: str) -> dict[str, int]:
    counts = [line.strip().split(maxsplit=1) for line in printed.splitlines()]
    words = ("written", "there already", "skipped", "failed", "in all")
    found = {line[1]: int(line[0]) for line in counts if line[1:] and line[1] in words}
    assert sum(found[word] for word in words[:4]) == found["in all"]
    return found


def test_an_album_of_300_files_is_zoomed_and_all_of_it_told(album, weights, capsys):
    assert main(zoom_command(album, weights, "--recursive")) == 1
    printed = capsys.readouterr()
    assert table(printed.out) == {
        "written": 279,
        "there already": 0,
        "skipped": 18,
        "failed": 3,
        "in all": 300,
    }
    for number in range(3):
        assert f"broken{number}.jpg" in printed.err
    reasons = [line.strip() for line in printed.out.splitlines() if " × " in line]
    assert sum(int(line.split()[0]) for line in reasons) == 18
    for name, _, kind in BESIDE:
        assert any(name in line and kind in line for line in reasons), name

    out = album.with_name("album_x2")
    made = [path for path in out.rglob("*") if path.is_file()]
    assert len(made) == 279
    assert not list(out.rglob("*.liif-part*"))
    for path in made:  # the tree of results is that of the photos
        original = album / path.relative_to(out).with_name(path.name.replace("_x2", ""))
        assert original.is_file()
    with Image.open(out / "1951" / "Oma & Opa" / "p002_x2.tif") as result:
        assert result.size == (12, 10)

    assert main(zoom_command(album, weights, "--recursive")) == 1
    again = table(capsys.readouterr().out)
    assert (again["written"], again["there already"], again["in all"]) == (0, 279, 300)


#: The command line, which stops at the 100th photo and waits.
UP_TO_A_PHOTO = """
import signal, sys, time
# A shell lets what it runs in the background ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
from liif_core.__main__ import main as command
from liif_core.render import ContinuousPhoto
window, painted = ContinuousPhoto.window, []
def window_or_wait(self, *arguments, **options):
    painted.append(self)
    if len(painted) == 100:
        print("now", flush=True)
        while True:  # a wait without an end would miss a signal that comes just before it
            time.sleep(0.05)
    return window(self, *arguments, **options)
ContinuousPhoto.window = window_or_wait
sys.exit(command(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGINT for one process")
def test_interrupted_and_run_again_it_finishes(album, weights, capsys):
    environment = {**os.environ, "PYTHONPATH": str(Path(liif_core.__file__).parent.parent)}
    command = [sys.executable, "-c", UP_TO_A_PHOTO, *zoom_command(album, weights, "--recursive")]
    run = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "now\n"
    out = album.with_name("album_x2")
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=300)
    done = [path for path in out.rglob("p*") if path.is_file() and "part" not in path.name]
    assert run.returncode == 130, told
    assert 90 < len(done) <= 99
    assert "interrupted" in told
    for path in done:
        with Image.open(path) as result:
            result.load()
    before = {path: path.stat().st_mtime_ns for path in done}

    assert main(zoom_command(album, weights, "--recursive")) == 1
    found = table(capsys.readouterr().out)
    assert (found["there already"], found["written"]) == (len(done), 279 - len(done))
    assert {path: path.stat().st_mtime_ns for path in done} == before
    assert len([path for path in out.rglob("*") if path.is_file()]) == 279


def test_folders_within_are_named_when_they_are_not_gone_into(album, weights, capsys):
    assert main(zoom_command(album, weights)) == 1
    printed = capsys.readouterr().out
    found = table(printed)
    directly = [path for path in album.iterdir() if path.name.startswith(("p", "broken"))]
    assert found["written"] + found["failed"] == len(directly)
    assert found["in all"] == len(list(album.iterdir()))
    assert f"2 × a folder; --recursive goes into it: {album / '1951'}, {album / '2024'}" in printed


def test_results_within_the_album_are_not_zoomed_again(tmp_path, weights, capsys):
    album = tmp_path / "album"
    (album / "more").mkdir(parents=True)
    photo(album / "a.png", 0)
    photo(album / "more" / "b.png", 1)
    command = zoom_command(album, weights, "--recursive", "-o", str(album / "large"))
    assert main(command) == 0
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "1 × the folder of the results" in printed
    assert sorted(path.name for path in (album / "large").rglob("*.png")) == [
        "a_x2.png",
        "b_x2.png",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="links want rights there")
def test_links_and_what_is_no_file(tmp_path):
    album = tmp_path / "album"
    (album / ".hidden").mkdir(parents=True)
    photo(album / "a.png", 0)
    (album / "round").symlink_to(album)
    (album / "lost.png").symlink_to(album / "none.png")
    (album / "copy.png").symlink_to(album / "a.png")
    os.mkfifo(album / "pipe.png")  # to open it would wait for ever
    found = album_of([album], recursive=True)
    assert [path.name for path, _ in found.photos] == ["a.png", "copy.png"]
    assert {path.name: why for path, why in found.skipped} == {
        "round": "a link to a folder",
        "lost.png": "a link to nothing",
        "pipe.png": "no ordinary file",
        ".hidden": "a hidden folder: its name begins with a dot",
    }


def test_files_and_folders_together(tmp_path):
    for name in ("x", "y"):
        (tmp_path / name / "deep").mkdir(parents=True)
        photo(tmp_path / name / "deep" / "a.png", 0)
    photo(tmp_path / "b.png", 1)
    (tmp_path / "c.dat").write_bytes(b"named, so taken for a photo")
    sources = [tmp_path / name for name in ("b.png", "x", "c.dat", "y", "b.png")]
    found = album_of(sources, recursive=True)
    assert [(path.name, place.as_posix()) for path, place in found.photos] == [
        ("b.png", "."),
        ("a.png", "x/deep"),
        ("c.dat", "."),
        ("a.png", "y/deep"),
    ]


def test_no_photos_are_told_with_what_is_there_instead(tmp_path):
    (tmp_path / "a.mov").write_bytes(b"\0\0\0\x14ftypqt  ")
    (tmp_path / "deep").mkdir()
    with pytest.raises(LiifError, match=r"1 × a film.*; 1 × a folder; --recursive goes into it$"):
        album_of([tmp_path])
    with pytest.raises(LiifError, match="no folder"):
        album_of([tmp_path / "none"])


def test_a_raw_file_is_no_picture_by_its_first_bytes(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    assert "unknown kind (.safetensors)" in kind_in_folder(tmp_path / "x.safetensors")
    (tmp_path / "a.dng").write_bytes(b"II*\0")
    assert "raw file" in kind_in_folder(tmp_path / "a.dng")
