"""JPEG XL: what its header says is what the decoder gives."""

import struct
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pictures import one_line
from PIL import ExifTags, Image

from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.files import jxl
from liif_core.files.exif import words
from liif_core.photos import is_photo, photo_from, photo_from_bytes, read_header

jxl.register_jxl()  # as when the first file is opened
Y, X = np.mgrid[:48, :64]
A = np.stack([X * 4, Y * 5, (X + Y) * 2], -1).astype(np.uint8)


def encoded(samples: np.ndarray) -> bytes:
    return imagecodecs.jpegxl_encode(samples, lossless=True)


def boxed(codestream: bytes, *boxes: tuple[bytes, bytes]) -> bytes:
    data = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "
    for kind, body in (*boxes, (b"jxlc", codestream)):
        data += struct.pack(">I4s", 8 + len(body), kind) + body
    return data


def turned(codestream: bytes, orientation: int) -> bytes:
    """Write an orientation into a header that has none: seven bits more, and one at its end."""
    bits = jxl._Bits(codestream[2:])
    jxl._size(bits)
    before = bits._left
    assert (bits.u(1), bits.u(1)) == (0, 0)  # not all as usual, no further fields
    after = bits._left
    assert (jxl._depth(bits), bits.u(1), bits.u32((0, 0), (1, 0), (2, 4), (1, 12))) == (8, 1, 0)
    bits.u(1)
    assert bits.u(1)  # sRGB
    end = bits._left
    assert (bits.u(2), bits.u(1)) == (0, 1)  # no extensions; the usual matrices
    whole = [bits._all >> at & 1 for at in range(bits._left)]
    number = orientation - 1
    extra = [0, 1, number & 1, number >> 1 & 1, number >> 2, 0, 0, 0]
    made = [*whole[:before], *extra, *whole[after:end], 1, *whole[end:]]  # 1: usual tone mapping
    made += [0] * (-len(made) % 8)
    head = sum(bit << at for at, bit in enumerate(made)).to_bytes(len(made) // 8, "little")
    return codestream[:2] + head + codestream[2 + -(-bits._left // 8) :]


@pytest.mark.parametrize("height", [1, 8, 48, 130, 300])
@pytest.mark.parametrize("width", [1, 64, 48, 257, 400])
def test_sizes(height: int, width: int) -> None:
    data = encoded(np.zeros((height, width, 3), np.uint8))
    with Image.open(BytesIO(data)) as image:
        assert image.size == (width, height)


@pytest.mark.parametrize("ratio", jxl._RATIOS)
def test_common_shapes_have_short_headers(ratio: tuple[int, int]) -> None:
    across, down = ratio
    data = encoded(np.zeros((240, 240 * across // down), np.uint8))
    with Image.open(BytesIO(data)) as image:
        assert (image.size, image.mode) == ((240 * across // down, 240), "L")


@pytest.mark.parametrize(
    "samples",
    [A, A[..., 0], np.dstack([A, 255 - X]), np.dstack([X * 4, 255 - Y])],
    ids=["RGB", "L", "RGBA", "LA"],
)
@pytest.mark.parametrize("container", [False, True])
def test_kinds(samples: np.ndarray, container: bool) -> None:
    data = encoded(samples.astype(np.uint8))
    photo = photo_from_bytes(boxed(data) if container else data, "a.jxl")
    bands = samples.reshape(48, 64, -1)
    colours = 3 if bands.shape[2] > 2 else 1
    assert photo.grey == (colours == 1)
    assert not photo.deep
    np.testing.assert_array_equal(photo.colour[..., :colours], bands[..., :colours])
    if bands.shape[2] > colours:
        np.testing.assert_array_equal(photo.alpha, bands[..., -1])
    assert photo.remarks == ()


def test_sixteen_bits_and_colours_that_are_not_srgb(tmp_path: Path) -> None:
    """imagecodecs marks 16 bits as linear light."""
    (tmp_path / "a.jxl").write_bytes(encoded(A.astype(np.uint16) * 257))
    header, photo = read_header(tmp_path / "a.jxl"), photo_from(tmp_path / "a.jxl")
    assert header.deep
    np.testing.assert_array_equal(photo.colour, A.astype(np.uint16) * 257)
    assert ["not sRGB's" in line for line in header.remarks] == [True]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_as_the_codestream_says_and_not_exif(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription], exif[ExifTags.Base.Orientation] = "Oma 1951", 6
    notes = bytes(4) + exif.tobytes().removeprefix(b"Exif\0\0")
    packed = b"Exif" + imagecodecs.brotli_encode(notes)
    codestream = turned(encoded(A), orientation)
    wanted = Image.fromarray(A)
    if orientation > 1:
        from liif_core.files.upright import UPRIGHT

        wanted = wanted.transpose(UPRIGHT[orientation])
    for box in ((b"Exif", notes), (b"brob", packed)):
        photo = photo_from_bytes(boxed(codestream, box), "a.jxl")
        np.testing.assert_array_equal(photo.colour, np.asarray(wanted))
        found = photo.notes.exif.main[ExifTags.Base.ImageDescription]
        assert words(found) == "Oma 1951"


def test_notes_that_blow_up_do_not_cost_the_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    packet = b"<x>" + b"." * 5000 + b"</x>"
    for longest, wanted in ((1000, b""), (10_000, packet)):
        monkeypatch.setattr(jxl, "_LONGEST", longest)
        box = b"brob", b"xml " + imagecodecs.brotli_encode(packet)
        photo = photo_from_bytes(boxed(encoded(A), box), "a.jxl")
        np.testing.assert_array_equal(photo.colour, A)
        assert photo.notes.xmp == wanted


def test_as_pillow_opens_it(tmp_path: Path) -> None:
    for samples in (A, A.astype(np.uint16) * 257, A[..., 0]):
        with Image.open(BytesIO(encoded(samples))) as image:
            np.testing.assert_array_equal(np.asarray(image), A if samples.ndim == 3 else A[..., 0])


@pytest.mark.parametrize("length", [2, 3, 5, 9, 30, 100])
def test_broken_ones_are_told_in_a_line(length: int) -> None:
    for data in (encoded(A), boxed(encoded(A), (b"xml ", b"<x/>"))):
        with pytest.raises(LiifError) as error:
            photo_from_bytes(data[:length], "a.jxl")
        assert one_line(error).startswith("a.jxl: ")


def test_zoomed(tmp_path: Path) -> None:
    path = tmp_path / "a.jxl"
    path.write_bytes(encoded(A))
    assert is_photo(path)
    assert main(["zoom", str(path), "--scale", "1.5"]) == 0
    assert photo_from(tmp_path / "a_x1.5.png").width == 96
