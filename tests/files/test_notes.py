"""EXIF and colour profiles: what is read of them, and what goes with the result."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import ENDINGS, GREY_PROFILE, SRGB, camera_notes, in_memory, noise, painted
from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from liif_core.files.destination import JPEG
from liif_core.files.upright import Tag
from liif_core.photos import photo_from, read_header


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
    painted(photo, tmp_path / "out.png").finish()
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
    canvas = in_memory(photo, 10, 14, path=tmp_path / f"out{ending}")
    canvas.paste(0, np.zeros((10, 14, 3), np.float32))
    canvas.finish()
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
    painted(photo, tmp_path / "out.tif").finish()
    painted(photo, tmp_path / "out.jpg").finish()
    with Image.open(tmp_path / "out.tif") as result:
        np.testing.assert_array_equal(np.asarray(result), pixels)
        assert result.getexif()[ExifTags.Base.Make] == "Kamera"
    with Image.open(tmp_path / "out.jpg") as result:
        tags = set(result.getexif())
        assert ExifTags.Base.Make in tags
        assert ExifTags.Base.StripOffsets not in tags


def test_a_tag_longer_than_a_jpeg_can_hold_costs_itself_alone(tmp_path: Path) -> None:
    exif = camera_notes(description="x" * 70_000)
    Image.fromarray(noise(4, 4, 3)).save(tmp_path / "in.png", exif=exif)
    photo = photo_from(tmp_path / "in.png")
    painted(photo, tmp_path / "out.jpg").finish()
    painted(photo, tmp_path / "out.png").finish()
    with Image.open(tmp_path / "out.jpg") as result:
        assert Tag.ImageDescription not in result.getexif()
        assert result.getexif()[Tag.Make] == "Kamera"
    with Image.open(tmp_path / "out.png") as result:
        assert len(result.getexif()[ExifTags.Base.ImageDescription]) == 70_000
    said = in_memory(photo, 4, 4)._pixels.carried(JPEG)
    assert said.remarks == (
        "the camera's own notes (MakerNote) lay where they cannot lie here",  # behind the long tag
        "its EXIF tag ImageDescription is too long for a JPEG and is left out",
    )


XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>"""


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("turn", [None, 3])
def test_exif_alone_says_which_way_is_up(tmp_path: Path, kind: str, turn: int | None) -> None:
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {kind}")
    exif = Image.Exif()
    exif[Tag.Artist] = "Oma"
    if turn:
        exif[Tag.Orientation] = turn
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:10] = 255
    options: dict[str, Any] = {"exif": exif}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"] = text
    elif kind == "TIFF":
        exif[700] = XMP
    else:
        options["xmp"] = XMP
    Image.fromarray(pixels).save(tmp_path / "a", kind, **options)
    with Image.open(tmp_path / "a") as image:  # it is there, and tempting
        assert any(image.info.get(key) for key in ("xmp", "XML:com.adobe.xmp"))
    photo, header = photo_from(tmp_path / "a"), read_header(tmp_path / "a")
    assert (photo.height, photo.width) == (header.height, header.width) == (20, 40)
    top = photo.colour[:8].mean()
    assert top < 20 if turn else top > 235


def tiff_tags(*entries: tuple[int, int, bytes]) -> bytes:
    """EXIF by hand: (tag, kind, value of any length), in one directory."""
    start = 8 + 2 + 12 * len(entries) + 4
    directory, rest = len(entries).to_bytes(2, "little"), b""
    for tag, kind, value in entries:
        size = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}[kind]
        where = value.ljust(4, b"\0")
        if len(value) > 4:
            where = (start + len(rest)).to_bytes(4, "little")
            rest += value
        directory += tag.to_bytes(2, "little") + kind.to_bytes(2, "little")
        directory += (len(value) // size).to_bytes(4, "little") + where
    return b"Exif\0\0II*\0\x08\0\0\0" + directory + bytes(4) + rest


def test_a_bad_tag_costs_itself_alone(tmp_path: Path) -> None:
    exif = tiff_tags((271, 2, b"Kamera\0"), (282, 2, b"seventy two\0"), (315, 2, b"Oma\0"))
    Image.fromarray(noise(8, 9, 3)).save(tmp_path / "a.jpg", exif=exif)
    for ending in ENDINGS:
        photo = photo_from(tmp_path / "a.jpg")
        painted(photo, tmp_path / f"out{ending}").finish()
        with Image.open(tmp_path / f"out{ending}") as image:
            found = image.getexif()
            assert (found[Tag.Make], found[Tag.Artist]) == ("Kamera", "Oma")
            assert found.get(Tag.XResolution) != "seventy two"


@pytest.mark.parametrize("ending", ENDINGS)
def test_adobe_rgb_stays_adobe_rgb(tmp_path: Path, ending: str) -> None:
    """Cameras say so in two tags: "uncalibrated", and R03 in a directory of its own."""
    exif = Image.Exif()
    within = exif.get_ifd(ExifTags.IFD.Exif)
    within[Tag.ColorSpace] = 65535
    within[ExifTags.IFD.Interop] = {1: "R03"}
    Image.fromarray(noise(8, 9, 3)).save(tmp_path / "a.jpg", exif=exif)
    painted(photo_from(tmp_path / "a.jpg"), tmp_path / f"out{ending}").finish()
    with Image.open(tmp_path / f"out{ending}") as image:
        found = image.getexif()
        assert found.get_ifd(ExifTags.IFD.Exif)[Tag.ColorSpace] == 65535
        assert found.get_ifd(ExifTags.IFD.Interop) == {1: "R03"}
