"""Reading photos: from files, images and arrays, good ones and bad ones."""

import io
import os
import struct
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import LOSSLESS, SRGB, noise, one_line, painted
from PIL import ExifTags, Image, ImageFile

from liif_core import photos
from liif_core.errors import LiifError
from liif_core.files import opening, photo_pixels
from liif_core.files.notes import Notes
from liif_core.photos import Header, photo_from, photo_from_bytes, photo_paths, read_header


def test_rgb_pixels_are_read_as_they_are(tmp_path: Path) -> None:
    pixels = noise(7, 5, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    photo = photo_from(tmp_path / "a.png")
    assert (photo.height, photo.width, photo.grey) == (7, 5, False)
    assert photo.alpha is None
    assert photo.icc_profile is None
    assert photo.notes == Notes()
    assert photo.colour.dtype == np.uint8
    np.testing.assert_array_equal(photo.colour, pixels)


def test_paths_images_and_arrays_give_the_same_photo(tmp_path: Path) -> None:
    pixels = noise(6, 4, 4)
    image = Image.fromarray(pixels)
    image.save(tmp_path / "a.png")
    sources: list[photos.Source] = [tmp_path / "a.png", str(tmp_path / "a.png"), image, pixels]
    first, *others = [photo_from(source) for source in sources]
    for other in others:
        np.testing.assert_array_equal(other.colour, first.colour)
        np.testing.assert_array_equal(other.alpha, first.alpha)  # type: ignore[arg-type]


def test_window_is_float32_in_unit_range() -> None:
    pixels = noise(9, 8, 3)
    window = photo_from(pixels).rgb(slice(2, 5), slice(1, 8))
    assert window.dtype == np.float32
    np.testing.assert_allclose(window, pixels[2:5, 1:8] / 255, atol=1e-7)
    deep = noise(9, 8, dtype=np.uint16)
    window = photo_from(deep).rgb(slice(2, 5), slice(1, 8))
    assert window.dtype == np.float32
    assert window.shape == (3, 7, 3)
    np.testing.assert_allclose(window[..., 1], deep[2:5, 1:8] / 65535, atol=1e-7)


def test_a_window_of_a_large_photo_takes_little_memory() -> None:
    photo = photo_from(np.zeros((3000, 3000, 3), np.uint8))
    tracemalloc.start()
    photo.rgb(slice(0, 100), slice(0, 100))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV"]
)
def test_modes_match_what_pillow_shows(mode: str) -> None:
    image = Image.fromarray(noise(6, 7, 3)).convert("RGB").convert(mode if mode != "LA" else "L")
    image = image.convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray(noise(6, 7) | 1))
    photo = photo_from(image)
    expected = np.asarray(image.convert("RGBA" if mode in ("LA", "RGBA") else "RGB"))
    np.testing.assert_array_equal(photo.colour, expected[..., :3])
    if mode in ("LA", "RGBA"):
        np.testing.assert_array_equal(photo.alpha, expected[..., 3])  # type: ignore[arg-type]
    else:
        assert photo.alpha is None
    assert photo.grey == (mode in ("1", "L", "LA"))


@pytest.mark.parametrize("mode", ["La", "RGBa"])
def test_premultiplied_colours_are_undone(mode: str) -> None:
    plain = Image.new(mode.replace("a", "A"), (3, 2), "#c0c0c0")
    plain.putalpha(128)
    photo = photo_from(plain.convert(mode))
    assert photo.alpha is not None
    assert (photo.alpha == 128).all()
    np.testing.assert_allclose(photo.colour, 0xC0, atol=1)


@pytest.mark.parametrize("transparency", [2, bytes([255, 128, 0])])
def test_palette_transparency(tmp_path: Path, transparency: int | bytes) -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.putdata([0, 1, 2])
    image.save(tmp_path / "a.png", transparency=transparency)
    photo = photo_from(tmp_path / "a.png")
    assert photo.alpha is not None
    expected = [255, 255, 0] if transparency == 2 else [255, 128, 0]
    assert photo.alpha.tolist() == [expected]
    # The third pixel is hidden and wears its neighbour's colour.
    assert photo.colour.tolist() == [[[10, 20, 30], [40, 50, 60], [40, 50, 60]]]


@pytest.mark.parametrize(("mode", "key"), [("L", 9), ("RGB", (9, 8, 7)), ("I;16", 900)])
def test_colour_key_transparency(tmp_path: Path, mode: str, key: Any) -> None:
    image = Image.new(mode, (3, 2), key)
    value: Any = {"L": 20, "RGB": (20, 20, 20), "I;16": 20 * 257}[mode]
    image.putpixel((1, 1), value)
    image.save(tmp_path / "a.png", transparency=key)
    photo = photo_from(tmp_path / "a.png")
    assert photo.alpha is not None
    assert photo.grey
    assert photo.colour.dtype == (np.uint16 if mode == "I;16" else np.uint8)
    assert photo.alpha.tolist() == [[0, 0, 0], [0, 255, 0]]
    assert (photo.colour == (20 * 257 if mode == "I;16" else 20)).all()


@pytest.mark.parametrize("ending", LOSSLESS)
def test_sixteen_bit_grey_round_trip(tmp_path: Path, ending: str) -> None:
    pixels = noise(9, 4, dtype=np.uint16)
    Image.fromarray(pixels).save(tmp_path / f"in{ending}")
    photo = photo_from(tmp_path / f"in{ending}")
    assert photo.colour.dtype == np.uint16
    assert photo.grey
    np.testing.assert_array_equal(photo.colour[..., 2], pixels)
    painted(photo, tmp_path / f"out{ending}").finish()
    with Image.open(tmp_path / f"out{ending}") as image:
        assert image.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(image), pixels)


def test_other_deep_grey_modes() -> None:
    values = np.array([[0, 1, 513, 65535]], np.uint16)
    swapped = Image.frombytes("I;16B", (4, 1), values.astype(">u2").tobytes())
    wide = Image.fromarray(values.astype(np.int32))
    unit = Image.fromarray((values / 65535).astype(np.float32))
    for image in (swapped, wide, unit):
        photo = photo_from(image)
        assert photo.colour.dtype == np.uint16
        np.testing.assert_array_equal(photo.colour[..., 0], values)
    byte_range = photo_from(Image.fromarray(np.array([[0, 128, 255]], np.float32)))
    assert byte_range.colour[0, :, 0].tolist() == [0, 128 * 257, 65535]


@pytest.mark.parametrize(
    "values",
    [
        np.array([[-1, 5]], np.int32),
        np.array([[0, 65536]], np.int32),
        np.array([[0.0, 256.0]], np.float32),
        np.array([[-0.5, 0.5]], np.float32),
        np.array([[np.nan, 0.5]], np.float32),
    ],
)
def test_grey_values_out_of_range_are_refused(values: np.ndarray) -> None:
    with pytest.raises(LiifError, match="scale them into|NaN") as error:
        photo_from(Image.fromarray(values))
    one_line(error)


def test_colours_that_are_grey_are_recognised() -> None:
    grey = noise(5, 4)
    photo = photo_from(np.stack([grey] * 3, axis=2))
    assert photo.grey
    assert painted(photo).image().mode == "L"
    almost = np.stack([grey] * 3, axis=2)
    almost[4, 3, 1] ^= 1
    assert not photo_from(almost).grey


def test_opaque_alpha_is_dropped() -> None:
    assert photo_from(Image.new("RGBA", (3, 2), (1, 2, 3, 255))).alpha is None
    assert photo_from(Image.new("LA", (3, 2), (1, 255))).alpha is None


def test_first_frame_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "lime", "blue")]
    for ending in (".gif", ".tif", ".webp", ".png"):
        path = tmp_path / f"a{ending}"
        options: dict[str, Any] = {"lossless": True} if ending == ".webp" else {}
        frames[0].save(path, save_all=True, append_images=frames[1:], **options)
        assert (photo_from(path).colour == (255, 0, 0)).all(), ending


def test_the_source_is_left_alone() -> None:
    pixels = noise(4, 4, 4)
    pixels[..., 3] = [0, 255, 255, 0]
    before = pixels.copy()
    photo = photo_from(pixels)
    np.testing.assert_array_equal(pixels, before)
    pixels[:] = 0
    assert photo.colour.any()
    assert photo.alpha is not None
    assert photo.alpha.any()

    image = Image.fromarray(before)
    image.getexif()[ExifTags.Base.Orientation] = 6
    photo_from(image)
    assert image.size == (4, 4)
    assert image.getexif()[ExifTags.Base.Orientation] == 6
    np.testing.assert_array_equal(np.asarray(image), before)


@pytest.mark.parametrize("channels", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.dtype(">u2"), np.float32, np.float64])
def test_arrays(channels: int, dtype: Any) -> None:
    shape = (6, 5, channels) if channels else (6, 5)
    bytes_ = noise(*shape) | 1
    kind = np.dtype(dtype)
    if kind.kind == "f":
        array = (bytes_ / 255).astype(kind)
    else:
        array = (bytes_.astype(np.uint32) * (257 if kind.itemsize == 2 else 1)).astype(kind)
    photo = photo_from(array)
    deep = kind.itemsize == 2 or (channels < 2 and kind.kind == "f")
    assert photo.colour.dtype == (np.uint16 if deep else np.uint8)
    expected = bytes_.reshape(6, 5, -1)
    colours = expected[..., :3] if channels >= 3 else expected[..., :1]
    scale = 257 if deep else 1
    np.testing.assert_array_equal(
        photo.colour, np.broadcast_to(colours.astype(int) * scale, (6, 5, 3))
    )
    if channels in (2, 4):
        np.testing.assert_array_equal(photo.alpha, expected[..., -1])  # type: ignore[arg-type]
    else:
        assert photo.alpha is None


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (np.zeros((3, 4, 5), np.uint8), "shape"),
        (np.zeros(7, np.uint8), "shape"),
        (np.zeros((2, 3, 4, 3), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "4×0"),
        (np.zeros((4, 0), np.float32), "0×4"),
        (np.zeros((3, 4, 3), np.int64), "int64"),
        (np.zeros((3, 4), bool), "bool"),
        (np.zeros((3, 4), complex), "complex"),
        (np.full((3, 4, 3), np.nan), "NaN"),
        (np.full((3, 4, 3), np.inf), "infinity"),
        (np.full((3, 4, 3), 200.0), "0 … 1"),
        (np.full((3, 4, 3), -0.1), "0 … 1"),
        (Image.new("RGB", (0, 5)), "0×5"),
        (None, "NoneType"),
        ([[1, 2], [3, 4]], "list"),
    ],
)
def test_bad_sources(source: Any, words: str) -> None:
    with pytest.raises(LiifError) as error:
        photo_from(source)
    assert words in one_line(error)


def test_hidden_colours_are_those_of_the_nearest_visible_pixels() -> None:
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[5:9, 3:7] = (200, 10, 30, 255)
    pixels[12:15, 22:26] = (5, 90, 250, 1)  # barely visible is visible
    photo = photo_from(pixels)
    y, x = np.mgrid[0:20, 0:30]
    points = np.argwhere(pixels[..., 3] > 0)
    distance = np.hypot(y[..., None] - points[:, 0], x[..., None] - points[:, 1])
    colours = pixels[points[:, 0], points[:, 1], :3]
    near = distance <= distance.min(axis=2, keepdims=True) + 1e-9
    matches = (photo.colour[:, :, None] == colours).all(axis=3)
    assert (near & matches).any(axis=2).all()
    np.testing.assert_array_equal(photo.alpha, pixels[..., 3])  # type: ignore[arg-type]


def test_wholly_transparent_photo_stays_as_it_is() -> None:
    pixels = noise(4, 5, 4)
    pixels[..., 3] = 0
    photo = photo_from(pixels)
    np.testing.assert_array_equal(photo.colour, pixels[..., :3])
    assert photo.alpha is not None
    assert not photo.alpha.any()


def cmyk_profile() -> bytes:
    """The smallest CMYK profile: black ink is black, any other is a mid-grey, L* = 50."""
    white, grey, black = (255, 128, 128), (128, 128, 128), (0, 128, 128)
    inks = b"".join(
        bytes(white if node == 0 else black if node & 1 else grey) for node in range(16)
    )
    ramp = bytes(range(256))
    identity = struct.pack(">9i", *(0x10000 if i % 4 == 0 else 0 for i in range(9)))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + inks + ramp * 3
    table += bytes(-len(table) % 4)
    start = 128 + 4 + 12
    header = struct.pack(
        ">I4sI4s4s4s12s4s4sIII8sI12s4s44x",
        start + len(table),
        b"lcms",
        0x02400000,
        b"prtr",
        b"CMYK",
        b"Lab ",
        bytes(12),
        b"acsp",
        bytes(4),
        0,
        0,
        0,
        bytes(8),
        0,
        struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D),
        bytes(4),
    )
    return header + struct.pack(">I4sII", 1, b"A2B0", start, len(table)) + table


def test_cmyk_goes_through_its_profile() -> None:
    image = Image.new("CMYK", (4, 3), (255, 255, 0, 0))
    plain = photo_from(image)
    assert plain.colour[0, 0].tolist() == [0, 0, 255]
    image.info["icc_profile"] = cmyk_profile()
    photo = photo_from(image)
    np.testing.assert_allclose(photo.colour, 119, atol=3)  # L* = 50 in sRGB
    assert photo.icc_profile is None  # the result is sRGB
    for useless in (b"no profile", SRGB):
        image.info["icc_profile"] = useless
        other = photo_from(image)
        np.testing.assert_array_equal(other.colour, plain.colour)
        assert other.icc_profile is None


def test_missing_folder_empty_and_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("This is not a picture.\n" * 50)
    os.mkfifo(tmp_path / "pipe.png")
    cases = {
        "missing.png": "no such file",
        "missing/a.png": "no such file",
        ".": "folder",
        "empty.png": "empty",
        "text.png": "not a picture",
        "pipe.png": "ordinary file",
        "x" * 300 + ".png": "cannot be read",
    }
    for name, words in cases.items():
        for read in (photo_from, read_header):
            with pytest.raises(LiifError) as error:
                read(tmp_path / name)
            assert words in one_line(error)
            assert name == "." or Path(name).name in str(error.value)


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (3, 3)).save(path)
    path.chmod(0)
    if os.geteuid() == 0:  # root may read everything

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
    for read in (photo_from, read_header):
        with pytest.raises(LiifError, match="permission") as error:
            read(path)
        one_line(error)


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    options = {"compression": "tiff_lzw"} if kind == "TIFF" else {}
    Image.fromarray(noise(60, 50, 3)).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_truncated_files(tmp_path: Path, kind: str) -> None:
    data = encoded(kind)
    for share in (0.02, 0.3, 0.7):
        path = tmp_path / "a"
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(LiifError) as error:
            photo_from(path)
        assert str(path) in one_line(error)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF"])
@pytest.mark.filterwarnings("ignore")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_damaged_files_are_read_or_refused(
    tmp_path: Path, kind: str, edits: list[tuple[float, int]]
) -> None:
    data = bytearray(encoded(kind))
    for where, value in edits:
        # Most damage to the header, where it hurts most.
        data[int(where**3 * (len(data) - 1))] = value
    path = tmp_path / "a"
    path.write_bytes(data)
    try:
        photo = photo_from(path)
    except LiifError as error:
        assert "\n" not in str(error)
    else:
        assert photo.colour.shape == (photo.height, photo.width, 3)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_no_file_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF"):
        data = encoded(kind)
        for length in (len(data), len(data) // 2, 4):
            (tmp_path / "a").write_bytes(data[:length])
            try:
                photo_from(tmp_path / "a")
            except LiifError as error:
                kept = error  # the traceback, and with it every local variable
                assert len(os.listdir("/proc/self/fd")) == before, kept
    assert len(os.listdir("/proc/self/fd")) == before


def bare_png(width: int, height: int) -> bytes:
    """A grey PNG of any size, one row of data in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(width + 1))
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_decompression_bomb_is_refused_before_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(bare_png(40_000, 25_000))
    limit = Image.MAX_IMAGE_PIXELS
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("it was decoded"))
    for read in (photo_from, read_header):
        with pytest.raises(LiifError, match="1000000000 pixels") as error:
            read(path)
        assert "400000000" in one_line(error)
        assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.filterwarnings("error")
def test_photos_that_pillow_would_refuse_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (50, 50), 7).save(tmp_path / "a.png")
    for limit in (2000, 500):  # Pillow warns, Pillow refuses
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert (photo_from(tmp_path / "a.png").colour == 7).all()
        assert limit == Image.MAX_IMAGE_PIXELS
    monkeypatch.setattr(opening, "MAX_PIXELS", 2500)
    assert photo_from(tmp_path / "a.png").height == 50
    monkeypatch.setattr(opening, "MAX_PIXELS", 2498)
    with pytest.raises(LiifError, match="2500 pixels"):
        photo_from(tmp_path / "a.png")


@pytest.mark.parametrize("size", [(40_000, 25_000), (20_001, 20_000)])
@pytest.mark.filterwarnings("error")
def test_a_bomb_within_an_icon_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    """Its own header says 16×16; Pillow looks at the picture in it when it decodes."""
    inner = bare_png(*size)
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 8, len(inner), 22)
    path = tmp_path / "a.ico"
    path.write_bytes(struct.pack("<HHH", 0, 1, 1) + entry + inner)
    with pytest.raises(LiifError, match=f"{size[0] * size[1]} pixels") as error:
        photo_from(path)
    assert "400000000" in one_line(error)


def test_photos_are_decoded_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of two decoders waits until the other is at work as well."""
    both = threading.Barrier(2)
    load = ImageFile.ImageFile.load

    def load_together(self: ImageFile.ImageFile) -> Any:
        both.wait(60)
        return load(self)

    limit = Image.MAX_IMAGE_PIXELS
    monkeypatch.setattr(ImageFile.ImageFile, "load", load_together)
    pixels = [noise(5, 7, 3, seed=seed) for seed in (0, 1)]
    for seed in (0, 1):
        Image.fromarray(pixels[seed]).save(tmp_path / f"{seed}.bmp")
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(photo_from, [tmp_path / "0.bmp", tmp_path / "1.bmp"]))
    for seed in (0, 1):
        np.testing.assert_array_equal(found[seed].colour, pixels[seed])
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_last_reader_sets_pillows_limit_back(tmp_path: Path, order: tuple[int, int]) -> None:
    path = str(tmp_path / "a.png")
    Image.new("L", (3, 3)).save(path)
    before = Image.MAX_IMAGE_PIXELS
    readers = [opening.opened(path), opening.opened(path)]
    for reader in readers:
        reader.__enter__()
    assert Image.MAX_IMAGE_PIXELS == opening.MAX_PIXELS
    readers[order[0]].__exit__(None, None, None)
    assert Image.MAX_IMAGE_PIXELS == opening.MAX_PIXELS
    readers[order[1]].__exit__(None, None, None)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("where", ["_pixels", "_photo", "upright", "notes_of"])
def test_a_mistake_of_ours_is_not_called_a_broken_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    Image.new("RGB", (3, 3)).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()

    def mistaken(*_: object) -> None:
        raise TypeError("a mistake of ours")

    monkeypatch.setattr(photo_pixels, where, mistaken)
    for read in (
        lambda: photo_from(tmp_path / "a.png"),
        lambda: photo_from(Image.new("RGB", (3, 3))),
        lambda: photo_from_bytes(data, "a.png"),
    ):
        with pytest.raises(TypeError, match="a mistake of ours"):
            read()


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (SyntaxError("not enough bytes"), r"broken or cut off \(not enough bytes\)"),
        (ValueError("buffer is not large\nenough"), r"broken or cut off \(buffer is not large eno"),
        (OSError("image file is truncated"), r"broken or cut off \(image file is truncated\)"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error$"),
        (MemoryError(), "not enough memory to read it"),
    ],
)
def test_what_pillow_raises_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, words: str
) -> None:
    Image.new("RGB", (3, 3)).save(tmp_path / "a.bmp")

    def broken(_: object) -> None:
        raise raised

    monkeypatch.setattr(ImageFile.ImageFile, "load", broken)
    with pytest.raises(LiifError, match=r"a\.bmp: " + words) as error:
        photo_from(tmp_path / "a.bmp")
    one_line(error)


# --- headers and folders -------------------------------------------------------------------------

FORMATS = [".png", ".jpg", ".tif", ".webp", ".avif", ".jp2", ".gif", ".bmp", ".ico", ".tga", ".mpo"]


@pytest.mark.parametrize("orientation", [None, *range(10)])
@pytest.mark.parametrize("ending", FORMATS)
def test_a_header_says_the_size_that_the_photo_will_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, orientation: int | None
) -> None:
    if Image.registered_extensions().get(ending) not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {ending}")
    exif = Image.Exif()
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / f"a{ending}"
    Image.fromarray(noise(18, 27, 3)).save(path, exif=exif)
    photo = photo_from(path)
    if ending != ".ico":  # which Pillow decodes to open it
        monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("it was decoded"))
    header = read_header(path)
    monkeypatch.undo()
    assert header == Header(photo.height, photo.width)
    if ending in (".png", ".jpg", ".tif", ".webp") and orientation == 6:
        assert header == Header(27, 18)


def chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize("animated", [False, True])
@pytest.mark.parametrize("place", ["before", "after"])
def test_exif_may_stand_behind_the_pixels_of_a_png(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, animated: bool
) -> None:
    buffer = io.BytesIO()
    frames = [Image.fromarray(noise(5, 7, 3, seed=seed)) for seed in (0, 1)]
    frames[0].save(buffer, "PNG", save_all=animated, append_images=frames[1:] if animated else [])
    data = buffer.getvalue()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    notes = chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    at = data.index(b"IDAT" if place == "before" else b"IEND") - 4
    path = tmp_path / "a.png"
    path.write_bytes(data[:at] + notes + data[at:])
    photo = photo_from(path)
    load = ImageFile.ImageFile.load
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("it was decoded"))
    header = read_header(path)
    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    assert (header.height, header.width) == (photo.height, photo.width)
    if not animated:
        assert (header.height, header.width) == (7, 5)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.7])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
@pytest.mark.filterwarnings("ignore")
def test_the_header_of_a_file_that_was_cut_off(tmp_path: Path, kind: str, share: float) -> None:
    """It is what the whole file's would be, or an error of the usual kind."""
    data = encoded(kind)
    path = tmp_path / "a"
    path.write_bytes(data[: int(len(data) * share)])
    try:
        assert read_header(path) == Header(60, 50)
    except LiifError as error:
        assert str(error).startswith(f"{path}: ")


def test_what_lies_in_a_folder_beside_the_photos(tmp_path: Path) -> None:
    """Notes of macOS, Windows and cameras, films and folders are no photographs."""
    for name in ("b.png", "a.JPG", "c.tiff"):
        Image.new("RGB", (3, 3)).save(tmp_path / name)
    for name in (
        "._b.png",
        ".b.png",
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "a.xmp",
        "a.JPG.xmp",
        "a.aae",
        "a.thm",
        "film.mpg",
        "film.mov",
        "data.h5",
        "notes.pdf",
    ):
        (tmp_path / name).write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    (tmp_path / "album.png").mkdir()
    assert [path.name for path in photo_paths(tmp_path)] == ["a.JPG", "b.png", "c.tiff"]


def test_a_folder_without_photos(tmp_path: Path) -> None:
    (tmp_path / "._a.png").write_bytes(b"\0")
    with pytest.raises(LiifError, match="no photographs in"):
        photo_paths(tmp_path)
    with pytest.raises(LiifError, match="no folder"):
        photo_paths(tmp_path / "missing")
