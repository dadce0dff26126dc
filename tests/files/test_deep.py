"""Pictures of more than 8 bits a sample, which Pillow cuts, reads wrongly or does not open."""

import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from pictures import SRGB, noise, one_line
from PIL import ExifTags, Image

import liif_core
from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.files import opening
from liif_core.files.exif import words
from liif_core.files.upright import UPRIGHT, upright_samples
from liif_core.photos import photo_from, photo_from_bytes, read_header, read_rgb

RGB = noise(12, 17, 3, dtype=np.uint16)
GREY = noise(12, 17, dtype=np.uint16)


def tiff(samples: np.ndarray, **how: Any) -> bytes:
    file = BytesIO()
    tifffile.imwrite(file, samples, **how)
    return file.getvalue()


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd", "packbits"])
@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("predictor", [False, True])
def test_colours_of_sixteen_bits(
    planes: bool, compression: str | None, byteorder: Any, predictor: bool
) -> None:
    how: dict[str, Any] = {"photometric": "rgb", "compression": compression, "byteorder": byteorder}
    if compression:
        how["predictor"] = predictor
    samples = RGB.transpose(2, 0, 1) if planes else RGB
    photo = photo_from_bytes(
        tiff(samples, planarconfig="separate" if planes else "contig", **how), "a"
    )
    assert (photo.colour.dtype, photo.alpha, photo.grey) == (np.uint16, None, False)
    np.testing.assert_array_equal(photo.colour, RGB)


@pytest.mark.parametrize("tiles", [{}, {"tile": (16, 16)}, {"rowsperstrip": 5}, {"bigtiff": True}])
@pytest.mark.parametrize("kind", ["minisblack", "miniswhite"])
def test_grey_counted_from_black_or_white(kind: str, tiles: dict[str, Any]) -> None:
    stored = GREY if kind == "minisblack" else 65535 - GREY
    photo = photo_from_bytes(tiff(stored, photometric=kind, **tiles), "a")
    assert photo.grey
    np.testing.assert_array_equal(photo.colour[..., 0], GREY)


def test_colours_that_are_grey_keep_their_sixteen_bits() -> None:
    photo = photo_from_bytes(tiff(np.stack([GREY] * 3, axis=2), photometric="rgb"), "a")
    assert photo.grey
    np.testing.assert_array_equal(photo.colour[..., 1], GREY)


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("colours", [1, 3])
def test_packed_samples_are_spread_over_the_whole_range(bits: int, colours: int) -> None:
    """Written by hand: each row's samples, one after the other, to the next whole byte."""
    top = 2**bits - 1
    samples = np.random.default_rng(0).integers(0, top + 1, (5, 7, colours))
    samples[0, :2, 0] = 0, top
    rows = [
        np.packbits([int(b) for v in row.ravel() for b in f"{v:0{bits}b}"]).tobytes()
        for row in samples
    ]
    data, tags = b"".join(rows), []
    for tag, kind, value in [
        (256, 3, 7),
        (257, 3, 5),
        (258, 3, [bits] * colours),
        (259, 3, 1),
        (262, 3, 1 if colours == 1 else 2),
        (273, 4, 8),
        (277, 3, colours),
        (278, 3, 5),
        (279, 4, len(data)),
    ]:
        values = value if isinstance(value, list) else [value]
        packed = b"".join(v.to_bytes(2 if kind == 3 else 4, "little") for v in values)
        if len(packed) > 4:
            data += packed
            packed = (8 + len(data) - len(packed)).to_bytes(4, "little")
        entry = tag.to_bytes(2, "little") + kind.to_bytes(2, "little")
        tags.append(entry + len(values).to_bytes(4, "little") + packed.ljust(4, b"\0"))
    head = b"II*\0" + (8 + len(data)).to_bytes(4, "little")
    directory = len(tags).to_bytes(2, "little") + b"".join(tags) + bytes(4)
    photo = photo_from_bytes(head + data + directory, "a")
    expected = np.floor(samples * 65535 / top + 0.5)
    assert (photo.colour.min(), photo.colour.max()) == (0, 65535)
    np.testing.assert_array_equal(photo.colour[..., :colours], expected)


@pytest.mark.parametrize("colours", [GREY[..., None], RGB], ids=["grey", "rgb"])
@pytest.mark.parametrize("extra", ["unspecified", "unassalpha", "assocalpha"])
def test_a_further_sample_is_alpha_if_it_says_so(colours: np.ndarray, extra: str) -> None:
    """Scanners store infrared there."""
    alpha = noise(12, 17, seed=1).astype(np.uint16) | 128
    stored = colours.astype(float) * alpha[..., None] / 255 if extra == "assocalpha" else colours
    samples = np.concatenate([np.rint(stored).astype(np.uint16), alpha[..., None] * 257], axis=2)
    kind = "rgb" if colours.shape[2] == 3 else "minisblack"
    data = tiff(samples, photometric=kind, extrasamples=[extra], planarconfig="contig")
    photo = photo_from_bytes(data, "a")
    assert photo.grey == (kind == "minisblack")
    assert abs(photo.colour.astype(int) - colours).max() <= (1 if extra == "assocalpha" else 0)
    if extra == "unspecified":
        assert photo.alpha is None
    else:
        np.testing.assert_array_equal(photo.alpha, alpha)  # type: ignore[arg-type]


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_inks_of_sixteen_bits_are_those_of_eight(planes: Any, compression: str | None) -> None:
    """They become RGB of 8 bits, through their profile if they have one."""
    inks, photos = noise(12, 17, 4), []
    for deep in (True, False):
        samples = inks.astype(np.uint16) * 257 if deep else inks
        samples = samples.transpose(2, 0, 1) if planes == "separate" else samples
        how = {"photometric": "separated", "planarconfig": planes, "compression": compression}
        photos.append(photo_from_bytes(tiff(samples, **how), "a"))
    assert photos[0].colour.dtype == np.uint8
    np.testing.assert_array_equal(photos[0].colour, photos[1].colour)


@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 3)])
@pytest.mark.parametrize("top", [1, 255])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_floats_reach_to_one_or_to_255(shape: tuple[int, ...], top: int, kind: str) -> None:
    values = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
    how = "rgb" if len(shape) == 3 else "minisblack"
    photo = photo_from_bytes(tiff((values * top).astype(kind), photometric=how), "a")
    assert photo.colour.dtype == np.uint16
    found = photo.colour if len(shape) == 3 else photo.colour[..., 0]
    assert abs(found / 65535 - values).max() < (1e-3 if kind == "f2" else 1e-5)


def test_floats_of_another_range_are_refused() -> None:
    with pytest.raises(LiifError, match="scale them into") as error:
        photo_from_bytes(tiff(np.full((3, 4, 3), 300, np.float32), photometric="rgb"), "a.tif")
    assert one_line(error).startswith("a.tif: ")


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_png_of_sixteen_bits(tmp_path: Path, channels: int) -> None:
    samples = noise(12, 17, channels, dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(samples))
    photo = photo_from(tmp_path / "a.png")
    if channels == 3:
        np.testing.assert_array_equal(photo.colour, samples)
        return
    alpha = (samples[..., -1].astype(int) + 128) // 257
    np.testing.assert_array_equal(photo.alpha, alpha)  # type: ignore[arg-type]
    seen = alpha > 0
    colours = np.broadcast_to(samples[..., : channels - 1], (12, 17, 3))
    np.testing.assert_array_equal(photo.colour[seen], colours[seen])


@pytest.mark.parametrize("kind", ["png", "tiff", "grey and alpha.tiff"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_deep_pictures_are_turned_upright(tmp_path: Path, kind: str, turn: int) -> None:
    shallow = ((GREY if "grey" in kind else RGB) >> 8).astype(np.uint8)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    exif[ExifTags.Base.Artist] = "Oma"
    if kind == "png":
        chunk = exif.tobytes().removeprefix(b"Exif\0\0")
        data = imagecodecs.png_encode(RGB)
        at = data.index(b"IDAT") - 4
        body = b"eXIf" + chunk
        data = (
            data[:at] + len(chunk).to_bytes(4, "big") + body
            + zlib.crc32(body).to_bytes(4, "big") + data[at:]
        )  # fmt: skip
    else:
        tags = [
            (274, 3, 1, turn, True),
            (315, 2, 4, "Oma", True),
            (34675, 7, len(SRGB), SRGB, True),
        ]
        if kind == "tiff":
            data = tiff(RGB, photometric="rgb", extratags=tags)
        else:  # which Pillow does not open
            alpha = {"extrasamples": ["unassalpha"], "planarconfig": "contig"}
            both = np.stack([GREY, np.full_like(GREY, 40000)], axis=2)
            data = tiff(both, photometric="minisblack", extratags=tags, **alpha)
    (tmp_path / f"a.{kind}").write_bytes(data)
    photo = photo_from(tmp_path / f"a.{kind}")
    upright = Image.fromarray(shallow)
    expected = upright.transpose(UPRIGHT[turn]) if turn > 1 else upright
    found = photo.colour[..., 0] if "grey" in kind else photo.colour
    np.testing.assert_array_equal(found >> 8, np.asarray(expected))
    np.testing.assert_array_equal(upright_samples(shallow, turn), np.asarray(expected))
    header = read_header(tmp_path / f"a.{kind}")
    assert (header.height, header.width) == (photo.height, photo.width)
    assert (header.deep, photo.deep) == (True, True)
    assert photo.icc_profile == (SRGB if "tiff" in kind else None)
    assert words(photo.notes.exif.main[ExifTags.Base.Artist]) == "Oma"
    assert photo.notes.turn == turn


@pytest.mark.parametrize("how", [{}, {"compression": "lzw"}, {"extrasamples": ["unassalpha"]}])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_what_was_cut_off_is_told_in_one_line(how: dict[str, Any], share: float) -> None:
    kind, samples = ("minisblack", RGB[..., :2]) if "extrasamples" in how else ("rgb", RGB)
    whole = tiff(samples, photometric=kind, planarconfig="contig", **how)
    with pytest.raises(LiifError) as error:
        photo_from_bytes(whole[: int(len(whole) * share)], "a.tif")
    one_line(error)


def test_a_bomb_that_pillow_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = tiff(
        RGB[..., :2], photometric="minisblack", extrasamples=["unassalpha"], planarconfig="contig"
    )
    monkeypatch.setattr(opening, "MAX_PIXELS", 12 * 17 - 1)
    with pytest.raises(LiifError, match="shrink or crop") as error:
        photo_from_bytes(data, "a.tif")
    one_line(error)


@pytest.mark.parametrize("options", [[], ["--compare"], ["--self-ensemble"], ["--fast"]])
@pytest.mark.parametrize("ending", [".tif", ".png"])
def test_from_file_to_file(tmp_path: Path, ending: str, options: list[str]) -> None:
    """A smooth picture comes out with more than 8 bits, and like its 8-bit twin."""
    y, x = np.mgrid[0:20, 0:24] / 24
    smooth = np.stack([x, y, (x + y) / 2], axis=2) * 0.9
    deep, shallow = tmp_path / "deep.tif", tmp_path / "shallow.png"
    deep.write_bytes(tiff(np.rint(smooth * 65535).astype(np.uint16), photometric="rgb"))
    Image.fromarray(np.rint(smooth * 255).astype(np.uint8)).save(shallow)
    results = {}
    for photo in (deep, shallow):
        out = tmp_path / f"{photo.stem}_out{ending}"
        arguments = ["zoom", str(photo), "--scale", "2", "-o", str(out), "--device", "cpu"]
        assert main([*arguments, "--weights", "liif-edsr-small", *options]) == 0
        results[photo.stem] = photo_from(out).colour
    assert (results["deep"].dtype, results["shallow"].dtype) == (np.uint16, np.uint8)
    difference = abs(results["deep"] / 65535 - results["shallow"] / 255)
    assert difference.mean() < 0.01
    assert len(np.unique(results["deep"] % 257)) > 100
    if options == ["--compare"]:
        both = photo_from(tmp_path / f"deep_out_compare{ending}").colour
        assert both.dtype == np.uint16
        np.testing.assert_array_equal(both[-40:, -48:], results["deep"])  # below its label


def test_what_was_made_for_eight_bits_serves_sixteen(tmp_path: Path) -> None:
    """The explorer's pictures, the scores of a model, what `zoom` returns."""
    deep, shallow = photo_from(RGB), photo_from(((RGB.astype(int) + 128) // 257).astype(np.uint8))
    (tmp_path / "a.tif").write_bytes(tiff(RGB, photometric="rgb"))
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.tif"), shallow.colour)
    result = liif_core.zoom(RGB, 2, model="liif-edsr-small")
    assert (result.mode, result.size) == ("RGB", (34, 24))
    windows = [photo.rgb(slice(2, 9), slice(3, 7)) for photo in (deep, shallow)]
    assert 0 < abs(windows[0] - windows[1]).max() < 1 / 500
