"""What a zoom keeps of the photo's own notes, read by exiftool, which is not ours."""

import shutil
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from keeping import (
    ABOUT_THE_FILE,
    COMMENT,
    TAGS,
    exiftool,
    family_photo,
    needs_exiftool,
    read_tags,
)
from pictures import SRGB, camera_notes, noise
from PIL import Image, PngImagePlugin

from liif_core.__main__ import main
from liif_core.files.carried import Maker, carried, jpeg_segments
from liif_core.files.destination import JPEG, PNG
from liif_core.files.exif import Exif, Value, laid_out, read_exif
from liif_core.files.notes import Notes
from liif_core.files.upright import Tag
from liif_core.files.view import View
from liif_core.files.xmp import Packet
from liif_core.photos import photo_from

RESULTS = [".jpg", ".tif", ".png", ".webp"]


def zoomed(source: Path, ending: str, *options: str, scale: str = "2") -> Path:
    out = source.with_name(f"out{ending}")
    arguments = ["zoom", str(source), "--scale", scale, "--weights", "liif-edsr-small"]
    assert main([*arguments, "-o", str(out), "--overwrite", *options]) == 0
    return out


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One photo with everything that a family's programs write, in four formats."""
    folder = tmp_path_factory.mktemp("photos")
    for ending in RESULTS:
        family_photo(folder / f"photo{ending}")
    return folder


@pytest.fixture
def copied(photos: Path, tmp_path: Path) -> Path:
    for path in photos.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


@needs_exiftool
@pytest.mark.parametrize("ending", RESULTS)
@pytest.mark.parametrize("kind", RESULTS)
def test_everything_a_family_writes_is_kept(copied: Path, kind: str, ending: str) -> None:
    photo = copied / f"photo{kind}"
    before, after = read_tags(photo), read_tags(zoomed(photo, ending))
    there = {name: value for name, value in TAGS.items() if name in before}
    assert there == {name: before[name] for name in there}
    assert len(there) > (len(TAGS) - 8 if kind == ".webp" else len(TAGS) - 1)  # WebP: no IPTC
    assert {name: after.get(name) for name in there} == there
    # True of the result: sizes, resolution, orientation, maker.
    for name in ("ExifIFD:ExifImageWidth", "XMP-tiff:ImageWidth", "XMP-exif:ExifImageWidth"):
        assert after.get(name) == 128 if name in before or "tiff" in name else True
    assert after["XMP-mwg-rs:RegionAppliedToDimensionsW"] == 128
    assert after["XMP-mwg-rs:RegionAppliedToDimensionsH"] == 96
    assert after["IFD0:Software"].startswith("liif_core ")
    assert after["IFD0:Software"].endswith("weights liif-edsr-small, ×2")
    assert after["XMP-xmp:CreatorTool"] == "Scanner 3"
    assert after["XMP-xmpMM:HistoryAction"] == "resized"
    assert after["XMP-iptcExt:DigitalSourceType"].endswith("/algorithmicallyEnhanced")
    assert "IFD1:ThumbnailImage" not in after
    if kind == ".jpg":
        places = {".jpg": "File:Comment", ".png": "PNG:Comment"}
        assert after[places.get(ending, "ExifIFD:UserComment")] == COMMENT


@needs_exiftool
@pytest.mark.parametrize("ending", RESULTS)
@pytest.mark.parametrize(("options", "dpi"), [((), 1200), (("--keep-dpi",), 600)])
def test_a_print_keeps_its_size(
    copied: Path, ending: str, options: tuple[str, ...], dpi: int
) -> None:
    for kind in (".jpg", ".tif", ".png"):
        after = read_tags(zoomed(copied / f"photo{kind}", ending, *options))
        assert (after["IFD0:XResolution"], after["IFD0:YResolution"]) == (dpi, dpi)
        assert after["IFD0:ResolutionUnit"] == 2
        if ending == ".jpg":
            assert (after["JFIF:XResolution"], after["JFIF:ResolutionUnit"]) == (dpi, 1)
        if ending == ".png":
            assert after["PNG-pHYs:PixelsPerUnitX"] == round(dpi / 0.0254)


@needs_exiftool
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("ending", RESULTS)
def test_resolution_alone_is_enough(tmp_path: Path, kind: str, ending: str) -> None:
    """A bare scan, as some scanners write them: not a word beside 300 × 200 dpi."""
    Image.fromarray(noise(8, 10, 3)).save(tmp_path / "scan", kind, dpi=(300, 200))
    after = read_tags(zoomed(tmp_path / "scan", ending, scale="3"))
    found = (after["IFD0:XResolution"], after["IFD0:YResolution"])
    assert found == pytest.approx((900, 600), abs=0.1)


@needs_exiftool
def test_no_resolution_is_not_made_up(tmp_path: Path) -> None:
    Image.fromarray(noise(8, 10, 3)).save(tmp_path / "a.jpg")
    for ending in RESULTS:
        after = read_tags(zoomed(tmp_path / "a.jpg", ending))
        assert "IFD0:XResolution" not in after
        assert after.get("JFIF:ResolutionUnit", 0) == 0
        assert "PNG-pHYs:PixelsPerUnitX" not in after


@needs_exiftool
@pytest.mark.parametrize("ending", RESULTS)
def test_strip_leaves_nothing_but_the_file_itself(copied: Path, ending: str) -> None:
    exiftool("-overwrite_original", "-n", "-Orientation=6", str(copied / "photo.jpg"))
    profile = Image.open(copied / "photo.jpg").info.get("icc_profile")
    assert profile is None
    out = zoomed(copied / "photo.jpg", ending, "--strip")
    layout = {
        "IFD0": {
            "ImageWidth", "ImageHeight", "BitsPerSample", "Compression", "StripOffsets",
            "PhotometricInterpretation", "SamplesPerPixel", "RowsPerStrip", "StripByteCounts",
            "PlanarConfiguration",
        },
        "PNG": {"ImageWidth", "ImageHeight", "BitDepth", "ColorType", "Compression", "Filter",
                "Interlace"},
        "RIFF": {"VP8Version", "ImageWidth", "ImageHeight", "HorizontalScale", "VerticalScale"},
    }  # fmt: skip
    left = {
        name
        for name in read_tags(out)
        if name.split(":")[0] not in ABOUT_THE_FILE
        and name.split(":")[1] not in layout.get(name.split(":")[0], ())
    }
    assert left == set()
    assert "File:Comment" not in read_tags(out)
    with Image.open(out) as image:
        assert image.size == (96, 128)  # turned upright, though nothing says so any more
    for word in ("Oma", "liif", "Wien"):
        assert word.encode() not in out.read_bytes()


@needs_exiftool
def test_strip_keeps_the_colour_profile(tmp_path: Path) -> None:
    Image.fromarray(noise(8, 10, 3)).save(tmp_path / "a.jpg", icc_profile=SRGB, comment="Oma")
    for ending in RESULTS:
        with Image.open(zoomed(tmp_path / "a.jpg", ending, "--strip")) as image:
            assert image.info["icc_profile"] == SRGB


@needs_exiftool
@pytest.mark.parametrize("ending", RESULTS)
def test_a_crop_takes_its_faces_along(
    copied: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 64 × 48 pixels the right half: Štěpánka's centre is beyond it, Józef's is within."""
    after = read_tags(zoomed(copied / "photo.jpg", ending, "--crop", "32,0,64,48"))
    assert after["XMP-mwg-rs:RegionName"] == "Józef"
    assert after["XMP-MP:RegionPersonDisplayName"] == "Józef"
    area = [after[f"XMP-mwg-rs:RegionArea{one}"] for one in "XYWH"]
    assert area == [0.5, 0.25, 0.5, 0.125]
    assert after["XMP-MP:RegionRectangle"] == "0.25, 0.1875, 0.5, 0.125"
    assert after["XMP-mwg-rs:RegionAppliedToDimensionsW"] == 64
    assert after["XMP-iptcExt:PersonInImage"] == ["Štěpánka Müller", "Józef Müller"]
    assert "2 marked regions lie beyond the crop" in capsys.readouterr().err
    assert "pixels 32, 0, 64, 48" in after["XMP-xmpMM:HistoryParameters"]


@needs_exiftool
@pytest.mark.parametrize("stored", [True, False])
def test_faces_turn_with_the_pixels(copied: Path, stored: bool) -> None:
    """Some programs note areas in the file's pixels, some in the upright picture's."""
    sides = (64, 48) if stored else (48, 64)
    exiftool(
        "-overwrite_original", "-n", "-IFD0:Orientation=6",
        f"-XMP-mwg-rs:RegionAppliedToDimensionsW={sides[0]}",
        f"-XMP-mwg-rs:RegionAppliedToDimensionsH={sides[1]}",
        str(copied / "photo.jpg"),
    )  # fmt: skip
    after = read_tags(zoomed(copied / "photo.jpg", ".png"))
    first = [after[f"XMP-mwg-rs:RegionArea{one}"][0] for one in "XYWH"]
    # A quarter turn clockwise: what was at (x, y) comes to (1 − y, x).
    assert first == ([0.5, 0.25, 0.25, 0.125] if stored else [0.25, 0.5, 0.125, 0.25])
    assert after["XMP-mwg-rs:RegionAppliedToDimensionsW"] == 96
    assert after["XMP-mwg-rs:RegionAppliedToDimensionsH"] == 128
    assert after["IFD0:Orientation"] == after["XMP-tiff:Orientation"] == 1


@needs_exiftool
def test_the_subject_is_followed(copied: Path) -> None:
    exiftool(
        "-overwrite_original", "-n", "-SubjectArea=40 20 8 6", "-SubjectLocation=40 20",
        "-FocalPlaneXResolution=3000", "-FocalPlaneYResolution=3000", str(copied / "photo.jpg"),
    )  # fmt: skip
    after = read_tags(zoomed(copied / "photo.jpg", ".jpg", "--crop", "32,0,64,48"))
    assert after["ExifIFD:SubjectArea"] == "16 40 16 12"
    assert after["ExifIFD:SubjectLocation"] == "16 40"
    assert after["ExifIFD:FocalPlaneXResolution"] == 6000


@needs_exiftool
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("print", "algorithmicallyEnhanced"),
        ("digitalCapture", "algorithmicallyEnhanced"),
        ("trainedAlgorithmicMedia", "trainedAlgorithmicMedia"),
        ("compositeSynthetic", "compositeSynthetic"),
    ],
)
def test_where_the_picture_comes_from(copied: Path, before: str, after: str) -> None:
    terms = "http://cv.iptc.org/newscodes/digitalsourcetype/"
    source = f"-XMP-iptcExt:DigitalSourceType={terms}{before}"
    exiftool("-overwrite_original", source, str(copied / "photo.jpg"))
    found = read_tags(zoomed(copied / "photo.jpg", ".jpg"))
    assert found["XMP-iptcExt:DigitalSourceType"] == terms + after
    if before != after:
        assert found["XMP-xmpMM:HistoryParameters"].endswith(f"digital source before: {before}")


@needs_exiftool
def test_xmp_longer_than_a_segment_of_jpeg(copied: Path) -> None:
    """Photo editors' histories and masks; a JPEG holds them in more segments."""
    long = copied / "long.txt"
    long.write_text("".join(map(str, range(40_000))))
    exiftool("-overwrite_original", f"-XMP-dc:Source<={long}", str(copied / "photo.jpg"))
    first = zoomed(copied / "photo.jpg", ".jpg")
    shutil.copy(first, copied / "again.jpg")
    for source in (copied / "photo.jpg", copied / "again.jpg"):
        for ending in RESULTS:
            after = read_tags(zoomed(source, ending))
            assert after["XMP-dc:Source"] == long.read_text()
            assert after["XMP-dc:Title-en"] == "Wedding"
            warned = exiftool("-warning", "-a", str(source.with_name(f"out{ending}")))
            assert "Warning" not in warned


@needs_exiftool
@pytest.mark.parametrize("ending", RESULTS)
def test_texts_of_a_png(tmp_path: Path, ending: str) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "Hochzeit")
    texts.add_itxt("Description", "Oma Štěpánka, 1951")
    texts.add_text("Author", "Józef", zip=True)
    texts.add_text("Source", "Album 3, Seite 7")
    texts.add_itxt("Comment", "Rückseite leer")
    texts.add_text("Software", "Scanner 3")
    Image.fromarray(noise(8, 10, 3)).save(tmp_path / "a.png", pnginfo=texts)
    after = read_tags(zoomed(tmp_path / "a.png", ending))
    if ending == ".png":
        assert (after["PNG:Title"], after["PNG:Source"]) == ("Hochzeit", "Album 3, Seite 7")
        assert after["PNG:Description"] == "Oma Štěpánka, 1951"
        assert (after["PNG:Author"], after["PNG:Comment"]) == ("Józef", "Rückseite leer")
        assert "PNG:Software" not in after
    else:
        assert after["XMP-dc:Title"] == "Hochzeit"
        assert after["XMP-dc:Description"] == "Oma Štěpánka, 1951"
        assert after["XMP-dc:Creator"] == "Józef"
        place = "File:Comment" if ending == ".jpg" else "ExifIFD:UserComment"
        told = exiftool("-a", "-G1", "-n", f"-{place}", str(tmp_path / f"out{ending}"))
        assert "Source: Album 3, Seite 7" in told
        assert "Rückseite leer" in told
    assert after["XMP-xmp:CreatorTool"] == "Scanner 3"


def chunks(path: Path) -> dict[bytes, bytes]:
    data, at, found = path.read_bytes(), 8, {}
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found[data[at + 4 : at + 8]] = data[at + 8 : at + 8 + length]
        at += 12 + length
    return found


def with_chunks(path: Path, *more: tuple[bytes, bytes]) -> None:
    data = path.read_bytes()
    added = b"".join(
        len(content).to_bytes(4, "big")
        + kind
        + content
        + zlib.crc32(kind + content).to_bytes(4, "big")
        for kind, content in more
    )
    path.write_bytes(data[:33] + added + data[33:])


def test_what_the_numbers_of_a_png_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gamma, display_p3 = (100_000).to_bytes(4, "big"), bytes([12, 13, 0, 1])
    white = b"".join(one.to_bytes(4, "big") for one in (31270, 32900) + (64000, 33000) * 3)
    for dtype in (np.uint8, np.uint16):
        pixels = noise(8, 10, dtype=dtype) if dtype == np.uint16 else noise(8, 10, 3)
        Image.fromarray(pixels).save(tmp_path / "a.png")
        marks = ((b"gAMA", gamma), (b"cHRM", white), (b"cICP", display_p3), (b"sBIT", b"\5\6\5"))
        with_chunks(tmp_path / "a.png", *(marks if dtype == np.uint8 else marks[:3]))
        for options in ((), ("--strip",)):
            found = chunks(zoomed(tmp_path / "a.png", ".png", *options))
            assert (found[b"gAMA"], found[b"cHRM"], found[b"cICP"]) == (gamma, white, display_p3)
            assert b"sBIT" not in found  # every bit of a result is computed
    capsys.readouterr()
    zoomed(tmp_path / "a.png", ".jpg")
    assert "marks of its colours have no place in JPEG" in capsys.readouterr().err
    Image.fromarray(noise(8, 10, 3)).save(tmp_path / "a.png")
    with_chunks(tmp_path / "a.png", (b"sRGB", b"\0"))
    zoomed(tmp_path / "a.png", ".jpg")
    assert "colours" not in capsys.readouterr().err


def maker_notes(path: Path) -> tuple[int, bytes]:
    value = photo_from(path).notes.exif.photo[37500]
    return value.offset, value.data


@needs_exiftool
@pytest.mark.parametrize("ending", RESULTS)
def test_maker_notes_stay_where_they_lay(tmp_path: Path, ending: str) -> None:
    """Many makers' notes point at themselves, from the start of the EXIF on."""
    exif = bytearray(b"MM\0*\0\0\0\x08" + bytes(600))
    exif[8:38] = bytes.fromhex(
        "0002 010f 0002 00000007 00000100 8769 0004 00000001 00000120 00000000"
    )
    exif[0x100:0x107] = b"Kamera\0"
    exif[0x120:0x132] = bytes.fromhex("0001 927c 0007 00000040 00000180 00000000")
    notes = b"points at 0x01A0".ljust(64, b"*")
    exif[0x180:0x1C0] = notes
    Image.fromarray(noise(8, 10, 3)).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + bytes(exif))
    assert maker_notes(tmp_path / "a.jpg") == (0x180, notes)
    out = zoomed(tmp_path / "a.jpg", ending)
    assert maker_notes(out) == (0x180, notes)
    assert read_tags(out)["IFD0:Make"] == "Kamera"


def test_maker_notes_that_lay_too_far_are_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = Exif(photo={37500: Value(7, b"x" * 50, 1 << 20), 33434: Value(5, bytes(7) + b"\1")})
    said = carried(Notes(exif=far), View(1, 4, 4, (0, 0, 4, 4), 8, 8), None, PNG)
    assert sorted(said.exif.photo) == [33434, 40962, 40963]
    assert said.remarks == ("the camera's own notes (MakerNote) lay where they cannot lie here",)
    assert said.dpi is None


BROKEN: dict[str, Any] = {
    "no XML": b"<x:xmpmeta",
    "a bomb": b'<!DOCTYPE a [<!ENTITY b "c">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&b;</x:xmpmeta>',
    "deep": b"<a>" * 5000 + b"</a>" * 5000,
    "deep RDF": b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    + b"<r:li>" * 5000
    + b"</r:li>" * 5000
    + b"</r:RDF>",
    "no RDF": b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
}


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8", b""), ("utf-16-be", b"\xfe\xff")])
def test_a_document_type_is_refused_in_any_encoding(encoding: str, mark: bytes) -> None:
    packet = '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
    assert Packet(mark + packet.encode(encoding)).parts() == []
    typed = f'<!DOCTYPE r:RDF [<!ENTITY b "c">]>{packet}'
    with pytest.raises(ValueError, match="not as XMP has it"):
        Packet(mark + typed.encode(encoding))


def test_texts_behind_the_pixels_share_one_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liif_core.files.notes.LONGEST_TEXT", 1000)
    path = tmp_path / "a.png"
    Image.new("RGB", (4, 4)).save(path)
    data = path.read_bytes()
    for number in range(5):
        body = f"Story {number}".encode() + b"\0\0" + zlib.compress(b"." * 300)
        check = zlib.crc32(b"zTXt" + body).to_bytes(4, "big")
        data = data[:-12] + len(body).to_bytes(4, "big") + b"zTXt" + body + check + data[-12:]
    path.write_bytes(data)
    texts = photo_from(path).notes.texts
    assert [name for name, _ in texts] == ["Story 0", "Story 1", "Story 2"]


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("ending", RESULTS)
def test_broken_xmp_goes_along_as_it_is(
    tmp_path: Path, ending: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(noise(8, 10, 3)).save(tmp_path / "a.jpg", xmp=BROKEN[kind])
    out = zoomed(tmp_path / "a.jpg", ending)
    assert "its XMP is broken and goes along as it is" in capsys.readouterr().err
    assert photo_from(out).notes.xmp == BROKEN[kind]


@pytest.mark.parametrize("size", [3_000, 3_000_000])
def test_large_texts_and_profiles_open_again(tmp_path: Path, size: int) -> None:
    """Pillow inflates no more than a megabyte of a text."""
    long = "Oma " * (size // 4)
    Image.fromarray(noise(8, 10, 3)).save(tmp_path / "a.webp")
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Story", long)
    Image.fromarray(noise(8, 10, 3)).save(tmp_path / "a.png", pnginfo=texts)
    out = zoomed(tmp_path / "a.png", ".png")
    assert ("Story", long) in photo_from(out).notes.texts
    with Image.open(out) as image:
        image.load()
        assert image.text["Story"] == long  # type: ignore[attr-defined]


def test_a_large_profile_opens_again(tmp_path: Path) -> None:
    """A printer's, of more than Pillow inflates of a PNG; in memory of a JPEG, it is no trouble."""
    profile = SRGB[:128] + np.random.default_rng(0).bytes(1_500_000)
    Image.fromarray(noise(8, 10, 3)).save(tmp_path / "a.jpg", icc_profile=profile)
    out = zoomed(tmp_path / "a.jpg", ".png")
    assert photo_from(out).icc_profile == profile
    assert photo_from(zoomed(out, ".tif")).icc_profile == profile


def test_nonsense_is_read_as_nothing_or_in_part(tmp_path: Path) -> None:
    """Whatever EXIF holds, reading it raises nothing, and what is sound in it stays."""
    chance = np.random.default_rng(1)
    whole = np.frombuffer(camera_notes()[6:], np.uint8)
    kept = 0
    for _ in range(2_000):
        broken = whole.copy()
        for at in chance.integers(0, len(whole), chance.integers(1, 9)):
            broken[at] = chance.integers(0, 256)
        exif = read_exif(broken[: chance.integers(1, len(whole) + 1)].tobytes())
        for directory in (exif.main, exif.photo, exif.gps, exif.interop):
            for value in directory.values():
                exif.numbers(value)
        said = carried(Notes(exif=exif), View(1, 4, 4, (0, 0, 4, 4), 8, 8), Maker("a"), JPEG)
        again = read_exif(jpeg_segments(said)[10:])
        assert again.main.keys() == said.exif.main.keys() | again.main.keys() & {34665, 34853}
        kept += Tag.Make in again.main
    assert kept > 500


@needs_exiftool
@pytest.mark.parametrize("order", ["MM", "II"])
def test_sixteen_bits_in_either_order_of_bytes(tmp_path: Path, order: str) -> None:
    """A TIFF takes the order of the photo's EXIF; pixels and notes must agree on it."""
    pixels = noise(12, 10, 3, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    if order == "MM":
        tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", byteorder=">")
    exiftool("-overwrite_original", "-n", "-XMP-dc:Title=Oma", "-IPTC:City=Wien",
             "-EXIF:FNumber=2.8", str(tmp_path / "a.tif"))  # fmt: skip
    large = tifffile.imread(zoomed(tmp_path / "a.tif", ".tif"))
    found = read_tags(tmp_path / "out.tif")
    assert (found["File:ExifByteOrder"], found["IFD0:BitsPerSample"]) == (order, "16 16 16")
    names = ("XMP-dc:Title", "IPTC:City", "ExifIFD:FNumber")
    assert [found[name] for name in names] == ["Oma", "Wien", 2.8]
    np.testing.assert_array_equal(large, photo_from(zoomed(tmp_path / "a.tif", ".png")).colour)
    assert read_tags(tmp_path / "out.png")["PNG:BitDepth"] == 16


def test_notes_in_a_bigtiff() -> None:
    notes = Exif(
        ">",
        main={271: Value(2, b"Kamera\0"), 18246: Value(3, b"\0\4")},
        photo={37500: Value(7, b"m" * 90, 300), 33434: Value(5, b"\0\0\0\1\0\0\0\2")},
        gps={1: Value(2, b"N\0")},
    )
    again = read_exif(laid_out(notes, big=True))
    for name in ("main", "photo", "gps"):
        before, after = getattr(notes, name), getattr(again, name)
        assert {tag: after[tag].data for tag in before} == {t: v.data for t, v in before.items()}
    assert again.photo[37500].offset == 300
    assert again.numbers(again.photo[33434]) == (Fraction(1, 2),)
