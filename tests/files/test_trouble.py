"""Small inputs that went wrong in photo tools, by their numbers in public reports' table.

What is kept of a photo beside its pixels (7, 15, 18, 24) is tested with the notes.
"""

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image

import liif_core
from liif_core.__main__ import main
from liif_core.files.exif import words
from liif_core.liif import LIIF, LIIFConfig
from liif_core.photos import photo_from, read_header
from liif_core.weights import save_weights

Y, X = np.mgrid[:48, :64]
A = np.stack([X * 4, Y * 5, (X + Y) * 2], -1).astype(np.uint8)
IM = Image.fromarray(A)
DEEP = A.astype(np.uint16) * 257


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that is quick."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "quick.safetensors"
    save_weights(LIIF(LIIFConfig(blocks=1, channels=4, hidden=(8,))), path, {})
    return str(path)


def packed(samples: np.ndarray, bits: int) -> bytes:
    """Samples of so many bits, each row filled up to a byte."""
    rows = []
    for row in samples:
        digits = "".join(f"{int(sample):0{bits}b}" for sample in row)
        digits += "0" * (-len(digits) % 8)
        rows.append(int(digits, 2).to_bytes(len(digits) // 8, "big"))
    return b"".join(rows)


def grey_tiff(path: Path, bits: int, white: int = 1) -> np.ndarray:
    """Write packed greys as tifffile does not; return them, in 0 … 1."""
    grey = np.rint(X / 63 * (2**bits - 1)).astype(int)
    data = packed(grey if white else 2**bits - 1 - grey, bits)
    entries = [(256, 64), (257, 48), (258, bits), (259, 1), (262, white), (273, 0), (277, 1)]
    entries += [(278, 48), (279, len(data))]
    start = 8 + 2 + 12 * len(entries) + 4
    body = struct.pack("<4sIH", b"II*\0", 8, len(entries))
    for tag, value in entries:
        body += struct.pack("<HHII", tag, 4, 1, start if tag == 273 else value)
    path.write_bytes(body + bytes(4) + data)
    return grey / (2**bits - 1)


def one(path: Path) -> None:
    tifffile.imwrite(path, DEEP.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")


def two(path: Path) -> None:
    tifffile.imwrite(path, 65535 - DEEP[..., 0], photometric="miniswhite")


def eight(path: Path) -> None:
    tifffile.imwrite(path, DEEP + 7 * (DEEP < 65000), photometric="rgb")


def nine(path: Path) -> None:
    IM.save(path, save_all=True, append_images=[IM.rotate(180)])


def ten(path: Path) -> None:
    """XResolution as text, by hand, for no writer would."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription], exif[ExifTags.Base.XResolution] = "Oma 1951", 300.0
    data = bytearray(exif.tobytes())
    order = "<" if data[6:8] == b"II" else ">"
    at = data.index(struct.pack(order + "HHI", ExifTags.Base.XResolution, 5, 1))
    data[at + 2 : at + 12] = struct.pack(order + "HI4s", 2, 4, b"abc")  # within the entry
    IM.save(path, exif=bytes(data), quality=100, subsampling=0)


def twelve(path: Path) -> None:
    IM.save(path, quality=100, subsampling=0)
    path.write_bytes(path.read_bytes()[:-2])


def nineteen(path: Path) -> None:
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    IM.save(path, xmp=xmp, quality=100, subsampling=0)


def twenty_two(path: Path) -> None:
    IM.save(
        path,
        format="MPO",
        save_all=True,
        append_images=[IM.rotate(180)],
        quality=100,
        subsampling=0,
    )


#: The number, the file, and a part of the line that is told.
READ: list[tuple[int, str, Callable[[Path], None], str]] = [
    (1, "1.tif", one, ""),
    (2, "2.tif", two, ""),
    (8, "8.tif", eight, ""),
    (9, "9.tif", nine, "page 1 of 2 is read"),
    (10, "10.jpg", ten, ""),
    (12, "12.jpg", twelve, "its end is missing"),
    (19, "19.jpg", nineteen, ""),
    (22, "P.jpg", twenty_two, "picture 1 of 2 is read"),
]


@pytest.mark.parametrize(
    ("number", "name", "make", "told"), READ, ids=lambda case: getattr(case, "__name__", str(case))
)
def test_the_photo_is_read_as_it_is(
    tmp_path: Path, number: int, name: str, make: Callable[[Path], None], told: str
) -> None:
    path = tmp_path / name
    make(path)
    photo, header = photo_from(path, strict=False), read_header(path)
    deep = number in (1, 2, 8)
    assert photo.deep == header.deep == deep
    wanted = DEEP + 7 * (DEEP < 65000) if number == 8 else DEEP if deep else A
    wanted = np.stack([wanted[..., 0]] * 3, -1) if number == 2 else wanted
    assert photo.colour.shape == wanted.shape
    error = np.abs(photo.colour.astype(int) - wanted)
    assert error.max() <= (
        6 if name.endswith(".jpg") and number != 10 else 255 if number == 10 else 0
    )
    assert error.mean() < 2 or deep
    lines = (*header.remarks, *photo.remarks)
    assert len(lines) == bool(told)
    assert told in "".join(lines)
    if number == 10:
        found = photo.notes.exif.main[ExifTags.Base.ImageDescription]
        assert words(found) == "Oma 1951"


def test_5_a_raw_file_is_refused_and_not_its_preview_zoomed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tifffile.TiffWriter(tmp_path / "5.nef") as file:
        file.write(A, photometric="rgb", subifds=1, subfiletype=1)
        file.write(np.zeros((300, 400), np.uint16), photometric=32803)
    assert main(["zoom", str(tmp_path / "5.nef"), "--scale", "2"]) == 2
    assert "a camera's raw file; develop it first" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["5.nef"]


def test_6_and_17_a_folder_leaves_nothing_out_silently(
    tmp_path: Path, weights: str, capsys: pytest.CaptureFixture[str]
) -> None:
    album = tmp_path / "in"
    (album / "deeper").mkdir(parents=True)
    IM.save(album / "a.jpg")
    (album / "._a.jpg").write_bytes(b"\0\5\x16\7" + bytes(80))
    (album / "b.mov").write_bytes(b"\0\0\0\x14ftypqt  ")
    (album / "c.jxl").write_bytes(imagecodecs.jpegxl_encode(A, lossless=True))
    (album / "d.nef").write_bytes(b"II*\0")
    heic = Path(__file__).parent / "heic" / "grey.heic"
    (album / "deeper" / "e.heic").write_bytes(heic.read_bytes())
    assert main(["zoom", str(album), "--scale", "2", "--weights", weights, "--recursive"]) == 0
    printed = capsys.readouterr()
    lines = [line.strip() for line in printed.out.splitlines()]
    for line in ("3 written", "0 there already", "3 skipped", "0 failed", "6 in all"):
        assert line in lines
    for kind in ("macOS's notes", "a film", "a camera's raw file"):
        assert f"1 × {kind}" in printed.out
    assert "liif:" not in printed.err
    assert (tmp_path / "in_x2" / "deeper" / "e_x2.png").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
@pytest.mark.parametrize("encoding", ["cp1251", "cp437", "ascii", "utf-8"])
def test_13_no_name_and_no_console_ends_the_work(
    tmp_path: Path, weights: str, encoding: str
) -> None:
    name = os.fsencode(tmp_path) + b"/M\xe4dchen.png"
    IM.save(tmp_path / "x.png")
    os.rename(tmp_path / "x.png", name)
    run = subprocess.run(
        [sys.executable, "-m", "liif_core", "zoom", name, "--scale", "2", "--weights", weights],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(liif_core.__file__).parent.parent),
            "PYTHONIOENCODING": encoding,
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    assert b"Traceback" not in run.stderr
    assert run.stdout.count(b"\n") == 1
    assert os.path.exists(os.fsencode(tmp_path) + b"/M\xe4dchen_x2.png")


def test_21_nobody_talks_beside_us(tmp_path: Path, weights: str) -> None:
    """EXIF and TIFF tags that are broken, read in a process of its own: C libraries talk, too."""
    exif = bytearray(Image.Exif().tobytes() + bytes(40))
    exif[14:16] = b"\xff\x00"  # 255 entries, where there is room for none
    IM.save(tmp_path / "a.jpg", exif=bytes(exif))
    IM.save(tmp_path / "b.tif", compression="tiff_lzw", tiffinfo={65000: "unknown"})
    tifffile.imwrite(tmp_path / "c.tif", DEEP, photometric="rgb", extratags=[(65001, 3, 1, 9)])
    command = [sys.executable, "-m", "liif_core", "zoom", tmp_path, "--scale", "1", "-o"]
    run = subprocess.run(
        [*command, tmp_path / "out", "--weights", weights],
        env={**os.environ, "PYTHONPATH": str(Path(liif_core.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    told = [line for line in run.stderr.splitlines() if line.strip() and "photos/s" not in line]
    assert (run.returncode, told) == (0, [])


def test_23_a_long_name(tmp_path: Path, weights: str) -> None:
    path = tmp_path / ("n" * 230 + ".png")
    IM.save(path)
    assert main(["zoom", str(path), "--scale", "2", "--weights", weights]) == 0
    assert photo_from(tmp_path / ("n" * 230 + "_x2.png")).height == 96


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        ("a.jxl", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
        ("a.pdf", b"%PDF-1.7\n" + bytes(40), "a PDF; take the scans out of it first: pdfimages"),
        ("a.cr3", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a camera's raw file"),
    ],
)
def test_25_the_kind_and_what_to_do(
    tmp_path: Path,
    name: str,
    content: bytes,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main(["zoom", str(tmp_path / name), "--scale", "2"]) == 2
    assert words in capsys.readouterr().err


# In words, without a number.


@pytest.mark.parametrize("white", [0, 1])
@pytest.mark.parametrize("bits", [2, 4, 10, 12, 14])
def test_packed_greys(tmp_path: Path, bits: int, white: int) -> None:
    wanted = grey_tiff(tmp_path / "a.tif", bits, white)
    photo = photo_from(tmp_path / "a.tif")
    assert photo.deep == (bits > 8)
    most = np.iinfo(photo.colour.dtype).max
    assert np.abs(photo.colour[..., 0] - wanted * most).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("honest", [True, False])
def test_greys_of_few_bits_in_words_of_sixteen(tmp_path: Path, bits: int, honest: bool) -> None:
    """MaxSampleValue says how far they count; one that the samples go beyond is not believed."""
    most = 2**bits - 1
    grey = np.rint(X / 63 * (most if honest else 65535)).astype(np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif", grey, photometric="minisblack", extratags=[(281, 3, 1, most, True)]
    )
    found = photo_from(tmp_path / "a.tif").colour[..., 0] / 65535
    assert np.abs(found - grey / (most if honest else 65535)).max() < 1e-5


@pytest.mark.parametrize("scale", [1, 257])
def test_colour_maps_that_count_to_255(tmp_path: Path, scale: int) -> None:
    colours = np.stack([np.arange(256), 255 - np.arange(256), np.arange(256) // 2])
    tifffile.imwrite(
        tmp_path / "a.tif",
        (X * 4).astype(np.uint8),
        photometric="palette",
        colormap=(colours * scale).astype(np.uint16),
    )
    np.testing.assert_array_equal(photo_from(tmp_path / "a.tif").colour, colours.T[X * 4])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("colours", [1, 3])
def test_infrared_is_no_alpha_and_is_told_of(tmp_path: Path, colours: int, dtype: type) -> None:
    samples = np.dstack([A[..., :colours], Y * 5]).astype(dtype) * (
        257 if dtype == np.uint16 else 1
    )
    tifffile.imwrite(
        tmp_path / "a.tif",
        samples,
        photometric="rgb" if colours == 3 else "minisblack",
        planarconfig="contig",
        extrasamples=["unspecified"],
    )
    photo, header = photo_from(tmp_path / "a.tif"), read_header(tmp_path / "a.tif")
    assert photo.alpha is None
    np.testing.assert_array_equal(photo.colour[..., :colours], samples[..., :colours])
    assert ["infrared" in line for line in header.remarks] == [True]


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_transparent_greys_of_few_bits(tmp_path: Path, bits: int) -> None:
    values = X % 2**bits
    rows = b"".join(b"\0" + packed(row[None], bits) for row in values)
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in (
        (b"IHDR", struct.pack(">IIBBBBB", 64, 48, bits, 0, 0, 0, 0)),
        (b"tRNS", struct.pack(">H", 1)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ):
        data += (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )
    (tmp_path / "a.png").write_bytes(data)
    alpha = photo_from(tmp_path / "a.png").alpha
    np.testing.assert_array_equal(alpha, np.where(values == 1, 0, 255))


@pytest.mark.parametrize(
    ("low", "high", "tags", "white"),
    [(0, 1, False, 1), (0, 255, False, 255), (0, 1000, True, 1), (-1, 1, True, 1)],
)
def test_floats_and_what_was_taken_for_white(
    tmp_path: Path, low: float, high: float, tags: bool, white: int
) -> None:
    values = (low + A[..., 0] / np.float32(252) * (high - low)).astype(np.float32)
    extra = [(340, 11, 1, float(low), True), (341, 11, 1, float(high), True)] if tags else []
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", extratags=extra)
    photo = photo_from(tmp_path / "a.tif")
    assert np.abs(photo.colour[..., 0] / 65535 - A[..., 0] / 252).max() < 1e-4
    assert photo.remarks[0].endswith(f"are read as 0 … {white}")


def test_large_profiles_and_texts_in_png_open_again(tmp_path: Path, weights: str) -> None:
    """Also after our own writing."""
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Description", "Oma 1951 " * 200_000, zip=True)
    profile = np.random.default_rng(0).integers(0, 256, 2_000_000, np.uint8).tobytes()
    IM.save(tmp_path / "a.png", pnginfo=text, icc_profile=profile)
    assert main(["zoom", str(tmp_path / "a.png"), "--scale", "1", "--weights", weights]) == 0
    photo = photo_from(tmp_path / "a_x1.png")
    assert photo.icc_profile == profile
