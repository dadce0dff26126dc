"""Several photos in one command: an album like a folder's."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_folder import names, numbers, torchrun

from liif_core.__main__ import main

RESULTS = ["a_x2.png", "b_x2.jpg"]


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(["a.png", "b.jpg"]):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name)
    return [folder / "a.png", folder / "b.jpg"]


def zoom(*arguments: object) -> int:
    return main(["zoom", *map(str, arguments)])


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert zoom(*arguments) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    return printed


def test_results_lie_beside_the_photos(photos, capsys):
    assert zoom(*photos, "--scale", 2) == 0
    assert numbers(capsys.readouterr().out)["written"] == 2
    assert names(photos[0].parent) == sorted(["a.png", "b.jpg", *RESULTS])
    with Image.open(photos[0].parent / "b_x2.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (16, 12))


def test_or_in_a_folder_that_is_named(photos, tmp_path):
    assert zoom(*photos, "--scale", 2, "-o", tmp_path / "out") == 0
    assert names(tmp_path / "out") == RESULTS
    assert len(names(photos[0].parent)) == 2


def test_a_single_one_is_written_into_a_folder_too(photos, tmp_path):
    """`*.jpg` may find one photo alone."""
    (tmp_path / "out").mkdir()
    assert zoom(photos[0], "--scale", 2, "-o", tmp_path / "out") == 0
    assert names(tmp_path / "out") == RESULTS[:1]


def test_a_bad_one_holds_up_no_other(photos, tmp_path, capsys):
    photos[0].write_bytes(b"no picture")
    missing = photos[0].with_name("missing.png")
    assert zoom(missing, *photos, "--scale", 2, "-o", tmp_path / "out") == 1
    printed = capsys.readouterr()
    table = numbers(printed.out)
    assert (table["written"], table["failed"]) == (1, 2)
    assert "missing.png: no such file" in printed.err
    assert f"{photos[0]}: not a picture" in printed.err
    assert names(tmp_path / "out") == RESULTS[1:]


def test_asked_again_results_are_not_zoomed_themselves(photos, capsys):
    """The shell's `*` finds them, too."""
    folder = photos[0].parent
    assert zoom(*sorted(folder.iterdir()), "--scale", 2) == 0
    assert zoom(*sorted(folder.iterdir()), "--scale", 2) == 0
    table = numbers(capsys.readouterr().out)
    assert (table["written"], table["there already"], table["skipped"]) == (0, 2, 2)
    assert len(names(folder)) == 4


def test_a_shell_that_knows_no_star(photos, tmp_path, capsys):
    """Windows leaves it to the program; a file that is really called so comes first."""
    assert zoom(photos[0].parent / "*.*", "--scale", 2, "-o", tmp_path / "out") == 0
    assert names(tmp_path / "out") == RESULTS
    odd = photos[0].rename(photos[0].with_name("a[b].png"))
    assert zoom(odd, "--scale", 2) == 0
    assert odd.with_name("a[b]_x2.png").exists()
    assert "no such file" in fails(capsys, photos[0].parent / "*.gif", "--scale", 2)


def test_what_cannot_be_meant(photos, tmp_path, capsys):
    line = fails(capsys, *photos, "--scale", 2, "-o", tmp_path / "out.png")
    assert "one file for many results" in line
    line = fails(capsys, photos[0], tmp_path, "--scale", 2)
    assert "is a folder; name another for all results" in line
    assert "one file" in fails(capsys, *photos, "--scale", 2, "--pages", "all")
    assert len(names(photos[0].parent)) == 2
    assert names(tmp_path) == ["photos"]


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun wants gloo on POSIX")
def test_one_photo_is_left_to_one_of_several_processes(photos):
    """Another would find its result there, or being written, and end them all."""
    run = torchrun("-m", "liif_core", "zoom", photos[0], "--scale", "2")
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("pixels") == 1
    assert names(photos[0].parent) == ["a.png", "a_x2.png", "b.jpg"]
