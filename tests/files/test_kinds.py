"""What is no photo for us is named as what it is, with what to do."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from pictures import noise, one_line

from liif_core.errors import LiifError
from liif_core.photos import Header, photo_from, read_header

RAW = "a camera's raw file; develop it first"


def ftyp(brand: bytes, *others: bytes) -> bytes:
    body = b"ftyp" + brand + bytes(4) + b"".join(others)
    return (len(body) + 4).to_bytes(4, "big") + body + bytes(200)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (ftyp(b"heic", b"mif1", b"heic"), "HEIC, as iPhones take, but broken"),
        (ftyp(b"mif1", b"heic"), "HEIC"),
        (ftyp(b"crx ", b"crx ", b"isom"), RAW),
        (ftyp(b"isom", b"iso2", b"mp41"), "a film, no photo"),
        (ftyp(b"qt  "), "a film, no photo"),
        (b"RIFF\x10\0\0\0AVI LIST" + bytes(200), "a film, no photo"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(200), "JPEG XL"),
        (b"%PDF-1.7\n" + bytes(200), "a PDF; take the scans out of it first: pdfimages"),
        (b"\0\x05\x16\x07" + bytes(80), "macOS's notes on the file of the same name"),
        (b"IIU\0\x18\0\0\0" + bytes(200), RAW),
        (b"IIRO\x08\0\0\0" + bytes(200), RAW),
        (b"FUJIFILMCCD-RAW 0201" + bytes(200), RAW),
        (b"FOVb" + bytes(200), RAW),
        (b"PK\x03\x04" + bytes(200), "an archive"),
        (b"nothing that anybody knows" + bytes(200), "not a picture"),
    ],
)
def test_the_kind_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    for read in (photo_from, read_header):
        with pytest.raises(LiifError) as error:
            read(path)
        assert one_line(error).startswith(f"{path}: {words}")


@pytest.mark.parametrize("photometric", [32803, 34892])
@pytest.mark.parametrize("preview", ["within", "before", "none"])
def test_raw_files_are_not_zoomed_from_their_preview(
    tmp_path: Path, preview: str, photometric: int
) -> None:
    path = tmp_path / "a.nef"
    with tifffile.TiffWriter(path) as file:
        if preview == "within":
            file.write(noise(48, 64, 3), photometric="rgb", subifds=1, subfiletype=1)
        sensor = np.zeros((300, 400, 3)[: 2 if photometric == 32803 else 3], np.uint16)
        file.write(sensor, photometric=photometric)
        if preview == "before":
            file.write(noise(48, 64, 3), photometric="rgb", subfiletype=1)
    with pytest.raises(LiifError) as error:
        read_header(path)
    assert one_line(error).startswith(f"{path}: {RAW}")


def test_canons_raw_files(tmp_path: Path) -> None:
    """A TIFF to the eye, whose first picture is a preview; two letters of its header say so."""
    with tifffile.TiffWriter(tmp_path / "a.cr2") as file:
        file.write(noise(48, 64, 3), photometric="rgb")
    data = bytearray((tmp_path / "a.cr2").read_bytes())
    first = int.from_bytes(data[4:8], "little")
    # The directory once more, at the end, and the letters where it began.
    data += data[first:]
    data[4:8] = (len(data) - (len(data) - first) // 2).to_bytes(4, "little")
    assert read_header_of(tmp_path / "moved.tif", data).height == 48
    data[8:12] = b"CR\x02\0"
    with pytest.raises(LiifError, match=RAW):
        read_header_of(tmp_path / "a.cr2", data)


def read_header_of(path: Path, data: bytes) -> Header:
    path.write_bytes(data)
    return read_header(path)


def test_a_picture_within_a_tiff_makes_no_raw_file(tmp_path: Path) -> None:
    """Programs keep a small copy there, too."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(noise(48, 64, 3), photometric="rgb", subifds=1)
        file.write(noise(12, 16, 3), photometric="rgb", subfiletype=1)
    header = read_header(tmp_path / "a.tif")
    assert (header.height, header.width, header.remarks) == (48, 64, ())
