"""Results held in memory: their pixels, and the files that are made of them."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from pictures import ENDINGS, LOSSLESS, SRGB, entries, in_memory, noise, one_line, painted
from PIL import Image

from liif_core.errors import LiifError
from liif_core.files import in_memory as files_in_memory
from liif_core.photos import photo_from


@pytest.mark.parametrize(
    ("source", "mode"),
    [
        (noise(13, 7), "L"),
        (noise(13, 7, 2) | 1, "LA"),
        (noise(13, 7, 3), "RGB"),
        (noise(13, 7, 4) | 1, "RGBA"),
        (noise(13, 7, dtype=np.uint16), "I;16"),
        (noise(13, 7, 2, dtype=np.uint16) | 256, "LA"),
    ],
)
@pytest.mark.parametrize("ending", [*LOSSLESS, ".webp"])
def test_lossless_round_trip(tmp_path: Path, source: np.ndarray, mode: str, ending: str) -> None:
    photo = photo_from(source)
    canvas = painted(photo, tmp_path / f"a{ending}")
    assert canvas.image().mode == mode
    canvas.finish()
    if ending == ".webp" and (mode in ("RGB", "RGBA") or source.dtype == np.uint16):
        return  # lossy, or of 8 bits
    back = photo_from(tmp_path / f"a{ending}")
    np.testing.assert_array_equal(back.colour, photo.colour)
    if photo.alpha is None:
        assert back.alpha is None
    else:
        np.testing.assert_array_equal(back.alpha, photo.alpha)  # type: ignore[arg-type]


@given(
    values=npst.arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3)),
        elements=st.floats(-2, 3, width=32),
    ),
    cut=st.integers(0, 6),
    deep=st.booleans(),
)
@settings(deadline=None)
def test_pasted_values_are_clamped_and_rounded(values: np.ndarray, cut: int, deep: bool) -> None:
    height, width = values.shape[:2]
    cut = min(cut, height)
    colour = photo_from(np.array([[[1, 2, 3]]], np.uint8))
    canvas = in_memory(colour, height, width)
    canvas.paste(0, values[:cut])
    canvas.paste(cut, values[cut:])
    difference = np.asarray(canvas.image()) / 255 - values.astype(np.float64).clip(0, 1)
    assert abs(difference).max() <= 0.5 / 255 + 1e-6

    grey = photo_from(np.array([[9]], np.uint16 if deep else np.uint8))
    canvas = in_memory(grey, height, width)
    canvas.paste(0, values)
    scale = 65535 if deep else 255
    difference = np.asarray(canvas.image()) / scale - values.mean(axis=2).clip(0, 1)
    assert abs(difference).max() <= 0.5 / scale + 1e-6


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
@pytest.mark.parametrize("ending", ENDINGS)
def test_tiny_photos(tmp_path: Path, shape: tuple[int, int], ending: str) -> None:
    pixels = noise(*shape, 4)
    pixels[..., 3] = 200
    photo = photo_from(pixels)
    height, width = shape[0] * 5, shape[1] * 3
    canvas = in_memory(photo, height, width, path=tmp_path / f"a{ending}")
    canvas.paste(0, np.full((height, width, 3), 0.5, np.float32))
    assert (np.asarray(canvas.image())[..., 3] == 200).all()
    canvas.finish()
    back = photo_from(tmp_path / f"a{ending}")
    assert (back.height, back.width) == (height, width)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("profile", [None, SRGB])
def test_grey_stays_exactly_grey(tmp_path: Path, ending: str, profile: bytes | None) -> None:
    grey = Image.fromarray(noise(40, 30))
    grey.convert("RGB").save(tmp_path / "in.png", icc_profile=profile)
    photo = photo_from(tmp_path / "in.png")
    canvas = in_memory(photo, 80, 60, path=tmp_path / f"out{ending}")
    rgb = np.random.default_rng(1).random((80, 60, 3), np.float32)  # a model that strays
    canvas.paste(0, rgb)
    canvas.finish()
    with Image.open(tmp_path / f"out{ending}") as result:
        pixels = np.asarray(result.convert("RGB"))
        assert (pixels == pixels[..., :1]).all()
        if ending != ".webp":  # which knows no single channel
            assert result.mode == ("RGB" if profile else "L")
        if ending not in (".jpg", ".jpeg"):
            assert abs(pixels[..., 0] - rgb.mean(axis=2) * 255).max() <= 0.501


@given(
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    target=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    step=st.integers(1, 25),
    seed=st.integers(0, 9),
)
@settings(deadline=None)
def test_alpha_does_not_depend_on_the_strips(
    size: tuple[int, int], target: tuple[int, int], step: int, seed: int
) -> None:
    pixels = noise(*size, 4, seed=seed)
    pixels[0, 0, 3] = 7
    photo = photo_from(pixels)
    box = (0.2, 0.1, size[1] - 0.3, size[0] - 0.25)
    results = []
    for rows in (step, target[0]):
        canvas = in_memory(photo, *target, box=box)
        for top in range(0, target[0], rows):
            canvas.paste(top, np.zeros((min(rows, target[0] - top), target[1], 3), np.float32))
        results.append(np.asarray(canvas.image())[..., 3].astype(int))
    assert abs(results[0] - results[1]).max() <= 1


def test_alpha_covers_the_box_and_is_exact_where_flat() -> None:
    pixels = noise(20, 20, 4)
    pixels[..., 3] = np.where(np.arange(20) < 10, 0, 255)
    photo = photo_from(pixels)
    canvas = in_memory(photo, 40, 120, box=(5, 2, 15, 12))
    canvas.paste(0, np.zeros((40, 120, 3), np.float32))
    alpha = np.asarray(canvas.image())[..., 3].astype(int)
    assert (alpha[:, :36] == 0).all()
    assert (alpha[:, 84:] == 255).all()
    assert (alpha == alpha[:1]).all()
    assert alpha[0, 59] < 128 <= alpha[0, 60]  # the edge is where it was


def test_strips_that_do_not_fit_are_refused() -> None:
    canvas = in_memory(photo_from(noise(4, 4, 3)), 8, 8)
    for top, shape in [(0, (2, 7, 3)), (7, (2, 8, 3)), (-1, (2, 8, 3)), (0, (2, 8))]:
        with pytest.raises(ValueError, match="does not fit"):
            canvas.paste(top, np.zeros(shape, np.float32))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2), (4, 4, 3), (4, 4, 4)])
def test_values_that_are_not_numbers_are_an_error(shape: tuple[int, ...], bad: float) -> None:
    canvas = in_memory(photo_from(noise(*shape)), 200, 8)
    rgb = np.full((200, 8, 3), 0.5, np.float32)
    rgb[199, 7, 2] = bad
    with pytest.raises(LiifError, match=r"not numbers, in rows 192 … 199.*float32") as error:
        canvas.paste(0, rgb)
    one_line(error)


def test_half_a_picture_becomes_no_file(tmp_path: Path) -> None:
    canvas = in_memory(photo_from(noise(4, 4, 3)), 8, 8, path=tmp_path / "a.jpg")
    canvas.paste(0, np.zeros((3, 8, 3), np.float32))
    assert canvas.rows == 3
    with pytest.raises(ValueError, match="row 3 is due"):
        canvas.paste(4, np.zeros((3, 8, 3), np.float32))
    with pytest.raises(ValueError, match="3 of 8 rows"):
        canvas.finish()
    assert entries(tmp_path) == []
    with pytest.raises(ValueError, match="no path"):
        painted(photo_from(noise(4, 4, 3))).finish()


def test_result_too_large_for_memory() -> None:
    with pytest.raises(LiifError, match="1,000,000 million pixels need 4000.0 GB") as error:
        in_memory(photo_from(noise(4, 4, 3)), 1_000_000, 1_000_000)
    one_line(error)


def test_zoomed_edge_shows_no_fringe_of_the_hidden_colour() -> None:
    y, x = np.mgrid[0:24, 0:24]
    disc = np.hypot(y - 11.5, x - 11.5) < 8
    pixels = np.zeros((24, 24, 4), np.uint8)  # black where hidden
    pixels[disc] = (250, 220, 40, 255)
    photo = photo_from(pixels)
    rgb = Image.fromarray(photo.colour).resize((96, 96), Image.Resampling.BICUBIC)
    canvas = in_memory(photo, 96, 96)
    canvas.paste(0, np.asarray(rgb, np.float32) / 255)
    result = np.asarray(canvas.image())
    visible = result[..., 3] > 0
    assert 0 < visible.mean() < 1
    assert (result[visible][:, :3] == (250, 220, 40)).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_laid_on_white_for_jpeg(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_in_memory, "STRIP_ROWS", 7)
    image = Image.new(mode, (24, 32), "#000004" if mode == "RGBA" else "black")
    image.putalpha(
        Image.fromarray(
            np.repeat(np.array([[0], [51], [255], [255]], np.uint8), 8, 0).repeat(24, 1)
        )
    )
    painted(photo_from(image), tmp_path / "a.jpg").finish()
    with Image.open(tmp_path / "a.jpg") as result:
        assert result.mode == mode[:-1]
        rows = np.asarray(result.convert("L"))[4::8, 3]
    np.testing.assert_allclose(rows, [255, 204, 0, 0], atol=3)


@pytest.mark.parametrize("ending", [".jpg", ".webp"])
def test_sixteen_bits_become_eight(tmp_path: Path, ending: str) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint16)[:, None] * 257, 8, axis=1)
    painted(photo_from(ramp), tmp_path / f"a{ending}", strip=100, quality=100).finish()
    back = photo_from(tmp_path / f"a{ending}")
    assert back.grey
    assert back.colour.dtype == np.uint8
    np.testing.assert_allclose(back.colour[..., 0], ramp // 257, atol=1)


def test_jpeg_keeps_the_colour_resolution(tmp_path: Path) -> None:
    photo = photo_from(noise(16, 16, 3))
    painted(photo, tmp_path / "a.jpg").finish()
    painted(photo, tmp_path / "b.jpg", quality=30).finish()
    with Image.open(tmp_path / "a.jpg") as result:
        sampling = [component[1:3] for component in result.layer]  # type: ignore[attr-defined]
    assert sampling == [(1, 1)] * 3
    assert (tmp_path / "b.jpg").stat().st_size < (tmp_path / "a.jpg").stat().st_size


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        painted(photo_from(noise(4, 4, 3)), tmp_path / "a.png").finish()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("ending", [".jpg", ".png"])  # written from memory, written by strips
def test_existing_file_is_kept_or_replaced(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.write_text("mine")
    photo = photo_from(noise(4, 4, 3))
    with pytest.raises(LiifError, match="--overwrite") as error:
        painted(photo, path).finish()
    assert str(path) in one_line(error)
    assert path.read_text() == "mine"
    painted(photo, path, overwrite=True).finish()
    assert photo_from(path).height == 4
    assert entries(tmp_path) == [path.name]


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("ending", [".jpg", ".png"])  # written from memory, written by strips
def test_file_that_appears_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool, ending: str
) -> None:
    path = tmp_path / f"a{ending}"

    def slow(_: int) -> None:
        path.write_text("mine")

    def no_links(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "fsync", slow)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(LiifError, match="exists already"):
        painted(photo_from(noise(4, 4, 3)), path).finish()
    assert path.read_text() == "mine"
    assert entries(tmp_path) == [path.name]


def test_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    painted(photo_from(noise(4, 4, 3)), tmp_path / "a.png").finish()
    assert photo_from(tmp_path / "a.png").height == 4
    assert entries(tmp_path) == ["a.png"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "real" / "a.png")
    photo = photo_from(noise(4, 4, 3))
    painted(photo, tmp_path / "link.png").finish()
    painted(photo, tmp_path / "link.png", overwrite=True).finish()
    assert (tmp_path / "link.png").is_symlink()
    assert entries(tmp_path / "real") == ["a.png"]


@pytest.mark.parametrize("old", [None, "mine"])
@pytest.mark.parametrize("ending", [".jpg", ".png"])
@pytest.mark.parametrize(
    "failure", [OSError(28, "No space left on device"), MemoryError(), KeyboardInterrupt()]
)
def test_failure_leaves_nothing_behind(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    ending: str,
    old: str | None,
) -> None:
    path = tmp_path / f"a{ending}"
    if old is not None:
        path.write_text(old)

    def break_off(_: int) -> None:
        assert len(entries(tmp_path)) == (1 if old is None else 2)
        raise failure

    canvas = painted(photo_from(noise(4, 4, 3)), path, overwrite=True)
    monkeypatch.setattr(os, "fsync", break_off)
    expected = KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else LiifError
    with pytest.raises(expected) as error:
        canvas.finish()
    if isinstance(failure, OSError):
        assert "No space left" in str(error.value)
        assert "\n" not in str(error.value)
    assert entries(tmp_path) == ([] if old is None else [path.name])
    assert old is None or path.read_text() == old


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".tif"])
def test_full_disk(tmp_path: Path, ending: str) -> None:
    """A limit on the file's size stands for the full disk: writes fail half way."""
    program = f"""
import resource, sys
import numpy as np
from liif_core.errors import LiifError
from liif_core.files.in_memory import InMemory
from liif_core.files.result_pixels import ResultPixels
from liif_core.photos import photo_from
pixels = ResultPixels(photo_from(np.uint8([[[1, 2, 3]]])), 400, 400, (0, 0, 1, 1))
canvas = InMemory(pixels, {str(tmp_path / f"a{ending}")!r})
canvas.paste(0, np.random.default_rng(0).random((400, 400, 3), np.float32))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    canvas.finish()
except LiifError as error:
    print(error)
    sys.exit(2)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert run.returncode == 2, run.stderr
    assert "could not be written" in run.stdout
    assert entries(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_killed_run_leaves_no_half_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.write_text("mine")
    program = f"""
import os, time
import numpy as np
from liif_core.files.in_memory import InMemory
from liif_core.files.result_pixels import ResultPixels
from liif_core.photos import photo_from
def hang(file):
    print("writing", flush=True)
    time.sleep(60)
os.fsync = hang
pixels = ResultPixels(photo_from(np.uint8([[[1, 2, 3]]])), 1, 1, (0, 0, 1, 1))
canvas = InMemory(pixels, {str(path)!r}, overwrite=True)
canvas.paste(0, np.zeros((1, 1, 3), np.float32))
canvas.finish()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"writing\n"
        run.send_signal(signal.SIGKILL)
    assert path.read_text() == "mine"
