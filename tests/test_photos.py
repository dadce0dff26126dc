import io
import os
import signal
import stat
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import ExifTags, Image, ImageCms, ImageFile, ImageOps

from liif_core import photos
from liif_core.errors import LiifError
from liif_core.files import destination as target
from liif_core.files import in_memory as canvas
from liif_core.files import opening
from liif_core.files.destination import check_target
from liif_core.files.in_memory import Canvas
from liif_core.photos import Photo, photo_from

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY_PROFILE = SRGB[:16] + b"GRAY" + SRGB[20:]  # enough of one: it is passed on, not used
LOSSLESS = [".png", ".tif", ".tiff"]
ENDINGS = [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"]


def noise(*shape: int, dtype: Any = np.uint8, seed: int = 0) -> np.ndarray:
    high = np.iinfo(dtype).max + 1
    return np.random.default_rng(seed).integers(0, high, shape, dtype=dtype)


def painted(photo: Photo, strip: int = 3) -> Canvas:
    """The photo at its own size, pasted in strips."""
    canvas = Canvas(photo, photo.height, photo.width)
    for top in range(0, photo.height, strip):
        canvas.paste(top, photo.rgb(slice(top, top + strip), slice(None)))
    return canvas


def one_line(error: pytest.ExceptionInfo[LiifError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert len(message) > 10
    return message


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- reading -------------------------------------------------------------------------------------


def test_rgb_pixels_are_read_as_they_are(tmp_path: Path) -> None:
    pixels = noise(7, 5, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    photo = photo_from(tmp_path / "a.png")
    assert (photo.height, photo.width, photo.grey) == (7, 5, False)
    assert photo.alpha is None
    assert photo.icc_profile is None
    assert photo.exif is None
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
    assert photo.colour.dtype == np.uint8
    assert photo.alpha.tolist() == [[0, 0, 0], [0, 255, 0]]
    assert (photo.colour == 20).all()


@pytest.mark.parametrize("ending", LOSSLESS)
def test_sixteen_bit_grey_round_trip(tmp_path: Path, ending: str) -> None:
    pixels = noise(9, 4, dtype=np.uint16)
    Image.fromarray(pixels).save(tmp_path / f"in{ending}")
    photo = photo_from(tmp_path / f"in{ending}")
    assert photo.colour.dtype == np.uint16
    assert photo.grey
    np.testing.assert_array_equal(photo.colour[..., 2], pixels)
    painted(photo).save(tmp_path / f"out{ending}")
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


# --- arrays --------------------------------------------------------------------------------------


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
    deep = channels < 2 and kind != np.uint8
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


# --- hidden colours ------------------------------------------------------------------------------


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


def test_zoomed_edge_shows_no_fringe_of_the_hidden_colour() -> None:
    y, x = np.mgrid[0:24, 0:24]
    disc = np.hypot(y - 11.5, x - 11.5) < 8
    pixels = np.zeros((24, 24, 4), np.uint8)  # black where hidden
    pixels[disc] = (250, 220, 40, 255)
    photo = photo_from(pixels)
    rgb = Image.fromarray(photo.colour).resize((96, 96), Image.Resampling.BICUBIC)
    canvas = Canvas(photo, 96, 96)
    canvas.paste(0, np.asarray(rgb, np.float32) / 255)
    result = np.asarray(canvas.image())
    visible = result[..., 3] > 0
    assert 0 < visible.mean() < 1
    assert (result[visible][:, :3] == (250, 220, 40)).all()


# --- metadata and orientation --------------------------------------------------------------------


def camera_notes(orientation: int = 1, description: str = "A test") -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Kamera"
    exif[ExifTags.Base.Artist] = "José".encode()  # UTF-8, as cameras write it
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.IFD.Exif] = {
        ExifTags.Base.ExifImageWidth: 7,
        ExifTags.Base.ExifImageHeight: 5,
        ExifTags.Base.ExposureTime: 0.25,
        ExifTags.Base.MakerNote: b"\x00\x01secret",
    }
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N"}
    exif[ExifTags.Base.ImageDescription] = description
    return exif.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("mode", "ending"),
    [
        *((mode, ".png") for mode in ("RGB", "L", "I;16", "RGBA", "P")),
        *((mode, ".tif") for mode in ("RGB", "L", "I;16", "RGBA", "P", "CMYK")),
    ],
)
def test_orientation_is_applied(tmp_path: Path, mode: str, ending: str, orientation: int) -> None:
    if mode == "I;16":
        image = Image.fromarray(noise(5, 7, dtype=np.uint16))
    else:
        image = Image.fromarray(noise(5, 7, 3)).convert(mode)
    path = tmp_path / f"a{ending}"
    image.save(path, exif=camera_notes(orientation))
    photo = photo_from(path)
    shown = image if mode == "I;16" else image.convert("RGB")
    shown.getexif()[ExifTags.Base.Orientation] = orientation
    expected = np.asarray(ImageOps.exif_transpose(shown))
    assert (photo.height, photo.width) == ((5, 7) if orientation < 5 else (7, 5))
    if mode == "I;16":
        expected = np.stack([expected] * 3, axis=2)
    np.testing.assert_array_equal(photo.colour, expected)
    painted(photo).save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as result:
        assert result.getexif().get(ExifTags.Base.Orientation, 1) == 1
        assert result.getexif()[ExifTags.Base.Make] == "Kamera"


@pytest.mark.parametrize("orientation", [b"\x06", "6", (6, 6), 0, 9, 65535])
def test_nonsense_orientation_is_ignored(orientation: Any) -> None:
    image = Image.fromarray(noise(5, 7, 3))
    image.getexif()[ExifTags.Base.Orientation] = orientation
    photo = photo_from(image)
    assert (photo.height, photo.width) == (5, 7)


def test_broken_exif_does_not_cost_the_photo(tmp_path: Path) -> None:
    pixels = noise(5, 7, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=b"Exif\0\0nonsense")
    np.testing.assert_array_equal(photo_from(tmp_path / "a.png").colour, pixels)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_profile_and_exif_are_kept(tmp_path: Path, ending: str, mode: str) -> None:
    profile = GREY_PROFILE if mode == "L" else SRGB
    image = Image.fromarray(noise(5, 7, 3)).convert(mode)
    image.save(tmp_path / "in.png", icc_profile=profile, exif=camera_notes())
    photo = photo_from(tmp_path / "in.png")
    assert photo.icc_profile == profile
    canvas = Canvas(photo, 10, 14)
    canvas.paste(0, np.zeros((10, 14, 3), np.float32))
    canvas.save(tmp_path / f"out{ending}")
    with Image.open(tmp_path / f"out{ending}") as result:
        assert result.size == (14, 10)
        kept = None if ending == ".webp" and mode == "L" else profile
        assert result.info.get("icc_profile") == kept
        exif = result.getexif()
        assert exif[ExifTags.Base.Make] == "Kamera"
        assert exif[ExifTags.Base.Artist].encode("latin-1").decode() == "José"
        assert exif[ExifTags.Base.Orientation] == 1
        details = exif.get_ifd(ExifTags.IFD.Exif)
        assert details[ExifTags.Base.ExifImageWidth] == 14
        assert details[ExifTags.Base.ExifImageHeight] == 10
        assert details[ExifTags.Base.ExposureTime] == 0.25
        assert details[ExifTags.Base.MakerNote] == b"\x00\x01secret"
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"


def test_exif_of_a_tiff_leaves_its_layout_behind(tmp_path: Path) -> None:
    pixels = noise(40, 50, 3)
    Image.fromarray(pixels).save(tmp_path / "in.tif", exif=camera_notes())
    photo = photo_from(tmp_path / "in.tif")
    painted(photo).save(tmp_path / "out.tif")
    painted(photo).save(tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.tif") as result:
        np.testing.assert_array_equal(np.asarray(result), pixels)
        assert result.getexif()[ExifTags.Base.Make] == "Kamera"
    with Image.open(tmp_path / "out.jpg") as result:
        tags = set(result.getexif())
        assert ExifTags.Base.Make in tags
        assert ExifTags.Base.StripOffsets not in tags


def test_exif_longer_than_a_jpeg_can_hold_is_left_out(tmp_path: Path) -> None:
    exif = camera_notes(description="x" * 70_000)
    Image.fromarray(noise(4, 4, 3)).save(tmp_path / "in.png", exif=exif)
    photo = photo_from(tmp_path / "in.png")
    painted(photo).save(tmp_path / "out.jpg")
    painted(photo).save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.jpg") as result:
        assert not result.getexif()
    with Image.open(tmp_path / "out.png") as result:
        assert len(result.getexif()[ExifTags.Base.ImageDescription]) == 70_000


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


# --- bad files -----------------------------------------------------------------------------------


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
        with pytest.raises(LiifError) as error:
            photo_from(tmp_path / name)
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
    with pytest.raises(LiifError, match="permission") as error:
        photo_from(path)
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
    with pytest.raises(LiifError, match="1000000000 pixels") as error:
        photo_from(path)
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


# --- the canvas ----------------------------------------------------------------------------------


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
    canvas = painted(photo)
    assert canvas.image().mode == mode
    canvas.save(tmp_path / f"a{ending}")
    if ending == ".webp" and mode in ("RGB", "RGBA", "I;16"):
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
    canvas = Canvas(colour, height, width)
    canvas.paste(cut, values[cut:]) if cut < height else None
    canvas.paste(0, values[:cut]) if cut else None
    difference = np.asarray(canvas.image()) / 255 - values.astype(np.float64).clip(0, 1)
    assert abs(difference).max() <= 0.5 / 255 + 1e-6

    grey = photo_from(np.array([[9]], np.uint16 if deep else np.uint8))
    canvas = Canvas(grey, height, width)
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
    canvas = Canvas(photo, height, width)
    canvas.paste(0, np.full((height, width, 3), 0.5, np.float32))
    assert (np.asarray(canvas.image())[..., 3] == 200).all()
    canvas.save(tmp_path / f"a{ending}")
    back = photo_from(tmp_path / f"a{ending}")
    assert (back.height, back.width) == (height, width)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("profile", [None, SRGB])
def test_grey_stays_exactly_grey(tmp_path: Path, ending: str, profile: bytes | None) -> None:
    grey = Image.fromarray(noise(40, 30))
    grey.convert("RGB").save(tmp_path / "in.png", icc_profile=profile)
    photo = photo_from(tmp_path / "in.png")
    canvas = Canvas(photo, 80, 60)
    rgb = np.random.default_rng(1).random((80, 60, 3), np.float32)  # a model that strays
    canvas.paste(0, rgb)
    canvas.save(tmp_path / f"out{ending}")
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
        canvas = Canvas(photo, *target, box=box)
        for top in range(0, target[0], rows):
            canvas.paste(top, np.zeros((min(rows, target[0] - top), target[1], 3), np.float32))
        results.append(np.asarray(canvas.image())[..., 3].astype(int))
    assert abs(results[0] - results[1]).max() <= 1


def test_alpha_covers_the_box_and_is_exact_where_flat() -> None:
    pixels = noise(20, 20, 4)
    pixels[..., 3] = np.where(np.arange(20) < 10, 0, 255)
    photo = photo_from(pixels)
    canvas = Canvas(photo, 40, 120, box=(5, 2, 15, 12))
    canvas.paste(0, np.zeros((40, 120, 3), np.float32))
    alpha = np.asarray(canvas.image())[..., 3].astype(int)
    assert (alpha[:, :36] == 0).all()
    assert (alpha[:, 84:] == 255).all()
    assert (alpha == alpha[:1]).all()
    assert alpha[0, 59] < 128 <= alpha[0, 60]  # the edge is where it was


def test_strips_that_do_not_fit_are_refused() -> None:
    canvas = Canvas(photo_from(noise(4, 4, 3)), 8, 8)
    for top, shape in [(0, (2, 7, 3)), (7, (2, 8, 3)), (-1, (2, 8, 3)), (0, (2, 8))]:
        with pytest.raises(ValueError, match="does not fit"):
            canvas.paste(top, np.zeros(shape, np.float32))


def test_result_too_large_for_memory() -> None:
    with pytest.raises(LiifError, match="1,000,000 million pixels need 4000.0 GB") as error:
        Canvas(photo_from(noise(4, 4, 3)), 1_000_000, 1_000_000)
    one_line(error)


# --- writing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_laid_on_white_for_jpeg(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canvas, "STRIP_ROWS", 7)
    image = Image.new(mode, (24, 32), "#000004" if mode == "RGBA" else "black")
    image.putalpha(
        Image.fromarray(
            np.repeat(np.array([[0], [51], [255], [255]], np.uint8), 8, 0).repeat(24, 1)
        )
    )
    painted(photo_from(image)).save(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as result:
        assert result.mode == mode[:-1]
        rows = np.asarray(result.convert("L"))[4::8, 3]
    np.testing.assert_allclose(rows, [255, 204, 0, 0], atol=3)


@pytest.mark.parametrize("ending", [".jpg", ".webp"])
def test_sixteen_bits_become_eight(tmp_path: Path, ending: str) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint16)[:, None] * 257, 8, axis=1)
    painted(photo_from(ramp), strip=100).save(tmp_path / f"a{ending}", quality=100)
    back = photo_from(tmp_path / f"a{ending}")
    assert back.grey
    assert back.colour.dtype == np.uint8
    np.testing.assert_allclose(back.colour[..., 0], ramp // 257, atol=1)


def test_jpeg_keeps_the_colour_resolution(tmp_path: Path) -> None:
    canvas = painted(photo_from(noise(16, 16, 3)))
    canvas.save(tmp_path / "a.jpg")
    canvas.save(tmp_path / "b.jpg", quality=30)
    with Image.open(tmp_path / "a.jpg") as result:
        sampling = [component[1:3] for component in result.layer]  # type: ignore[attr-defined]
    assert sampling == [(1, 1)] * 3
    assert (tmp_path / "b.jpg").stat().st_size < (tmp_path / "a.jpg").stat().st_size


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        painted(photo_from(noise(4, 4, 3))).save(tmp_path / "a.png")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o666 & ~umask


def test_existing_file_is_kept_or_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("mine")
    canvas = painted(photo_from(noise(4, 4, 3)))
    with pytest.raises(LiifError, match="--overwrite") as error:
        canvas.save(path)
    assert str(path) in one_line(error)
    assert path.read_text() == "mine"
    canvas.save(path, overwrite=True)
    assert photo_from(path).height == 4
    assert entries(tmp_path) == ["a.png"]


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
        painted(photo_from(noise(4, 4, 3))).save(path)
    assert path.read_text() == "mine"
    assert entries(tmp_path) == [path.name]


def test_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    painted(photo_from(noise(4, 4, 3))).save(tmp_path / "a.png")
    assert photo_from(tmp_path / "a.png").height == 4
    assert entries(tmp_path) == ["a.png"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "real" / "a.png")
    canvas = painted(photo_from(noise(4, 4, 3)))
    canvas.save(tmp_path / "link.png")
    canvas.save(tmp_path / "link.png", overwrite=True)
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

    canvas = painted(photo_from(noise(4, 4, 3)))
    monkeypatch.setattr(os, "fsync", break_off)
    expected = KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else LiifError
    with pytest.raises(expected) as error:
        canvas.save(path, overwrite=True)
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
from liif_core.files.in_memory import Canvas
from liif_core.photos import photo_from
canvas = Canvas(photo_from(np.uint8([[[1, 2, 3]]])), 400, 400)
canvas.paste(0, np.random.default_rng(0).random((400, 400, 3), np.float32))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    canvas.save({str(tmp_path / f"a{ending}")!r})
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
from liif_core.files.in_memory import Canvas
from liif_core.photos import photo_from
def hang(file):
    print("writing", flush=True)
    time.sleep(60)
os.fsync = hang
Canvas(photo_from(np.uint8([[[1, 2, 3]]])), 4, 4).save({str(path)!r}, overwrite=True)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"writing\n"
        run.send_signal(signal.SIGKILL)
    assert path.read_text() == "mine"


# --- check_target --------------------------------------------------------------------------------


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
        Canvas(photo_from(noise(2, 2)), 2, 2).save(f"{tmp_path}/{name}")


def test_bad_targets(tmp_path: Path) -> None:
    (tmp_path / "old.png").touch()
    (tmp_path / "folder.png").mkdir()
    cases = {
        "old.png": "--overwrite",
        "folder.png": "folder",
        "missing/a.png": "no folder",
        "old.png/a.png": "no folder",
    }
    for name, words in cases.items():
        with pytest.raises(LiifError) as error:
            check_target(tmp_path / name, 10, 10)
        assert words in one_line(error)
        assert name in str(error.value)
        if name != "old.png":
            with pytest.raises(LiifError):
                Canvas(photo_from(noise(2, 2)), 2, 2).save(tmp_path / name, overwrite=True)
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
    canvas = Canvas(photo_from(noise(1, 1)), largest, 1)
    canvas.save(path)  # the limit is the format's own
    assert photo_from(path).height == largest
    with pytest.raises(LiifError, match=r"\.png or \.tif"):
        Canvas(photo_from(noise(1, 1)), largest + 1, 1).save(path, overwrite=True)


def test_disk_space_is_asked_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(target.shutil, "disk_usage", lambda _: usage(0, 0, 40_000_000))
    check_target(tmp_path / "a.png", 3000, 3000)
    check_target(tmp_path / "a.jpg", 6000, 6000)
    with pytest.raises(LiifError, match="0.14 GB and the disk has only 0.04 GB free") as error:
        check_target(tmp_path / "a.png", 6000, 6000)
    assert "6000×6000" in one_line(error)
