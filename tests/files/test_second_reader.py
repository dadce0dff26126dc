"""What we read and write, compared with libvips: a reader that shares no decoder with us."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from liif_core.__main__ import main
from liif_core.liif import LIIF, LIIFConfig
from liif_core.photos import photo_from
from liif_core.weights import save_weights

pytestmark = pytest.mark.skipif(
    shutil.which("vips") is None, reason="compares with libvips: apt-get install libvips-tools"
)

HEIC = Path(__file__).parent / "heic"

Y, X = np.mgrid[:48, :64]
A = np.stack([X * 4, Y * 5, (X + Y) * 2], -1).astype(np.uint8)
DEEP = A.astype(np.uint16) * 257 - (A > 0) * X.astype(np.uint16)[..., None]


def said(*command: object) -> str:
    run = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True)
    return run.stdout


def vips(path: Path, page: int = 0) -> np.ndarray:
    """Decode a file with libvips: (H, W, bands), upright, in the bits that it finds."""
    source = f"{path}[page={page}]" if page else path
    raw = path.with_name(f"{path.name}.{page}.v")  # 64 bytes of header, then the samples
    said("vips", "autorot", source, raw)
    width, height, bands = (
        int(said("vipsheader", "-f", field, raw)) for field in ("width", "height", "bands")
    )
    dtype = np.dtype("<u2") if "ushort" in said("vipsheader", raw) else np.dtype(np.uint8)
    samples = np.frombuffer(raw.read_bytes(), dtype, width * height * bands, 64)
    raw.unlink()
    return samples.reshape(height, width, bands)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that is quick."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "quick.safetensors"
    save_weights(LIIF(LIIFConfig(blocks=1, channels=4, hidden=(8,))), path, {})
    return str(path)


@pytest.mark.parametrize(
    ("samples", "how"),
    [
        (DEEP, {"photometric": "rgb"}),
        (DEEP, {"photometric": "rgb", "compression": "lzw", "predictor": True}),
        (DEEP, {"photometric": "rgb", "compression": "zlib", "tile": (16, 16)}),
        (DEEP, {"photometric": "rgb", "byteorder": ">"}),
        (DEEP.transpose(2, 0, 1), {"photometric": "rgb", "planarconfig": "separate"}),
        (DEEP[..., 0], {"photometric": "minisblack"}),
        (A, {"photometric": "rgb"}),
        (A[..., 0], {"photometric": "minisblack", "compression": "packbits"}),
    ],
    ids=lambda case: "-".join(map(str, case.values())) if isinstance(case, dict) else "",
)
def test_tiffs_are_read_alike(tmp_path: Path, samples: np.ndarray, how: dict[str, Any]) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, samples, **how)
    photo, other = photo_from(path), vips(path)
    np.testing.assert_array_equal(photo.colour[..., : other.shape[2]], other)
    assert photo.colour.dtype == other.dtype


@pytest.mark.parametrize("name", ["turned.heic", "alpha.heic", "grey.heic"])
def test_heic_is_read_alike(tmp_path: Path, name: str) -> None:
    shutil.copy(HEIC / name, tmp_path)
    photo, other = photo_from(HEIC / name), vips(tmp_path / name)
    assert photo.colour.shape[:2] == other.shape[:2]
    difference = photo.colour.astype(int) - other[..., :3]
    if name == "alpha.heic":
        assert photo.alpha is not None
        difference = difference[photo.alpha > 0]  # where nothing shows, we put the nearest colour
    assert np.abs(difference).max() <= 4  # they round chroma each in their way
    assert np.abs(difference).mean() < 1


def test_heic_of_ten_bits_is_read_alike(tmp_path: Path) -> None:
    shutil.copy(HEIC / "ten.heic", tmp_path)
    other = vips(tmp_path / "ten.heic")
    assert other.dtype == np.uint16
    theirs = other / other.max()
    ours = photo_from(HEIC / "ten.heic").colour.astype(float)
    assert np.abs(ours / ours.max() - theirs).max() < 2 / 1023


@pytest.mark.parametrize("ending", [".tif", ".png"])
@pytest.mark.parametrize("kind", ["colour", "grey", "alpha", "heic"])
def test_what_we_write_of_sixteen_bits_is_read_alike(
    tmp_path: Path, weights: str, kind: str, ending: str
) -> None:
    path, out = tmp_path / "a.tif", tmp_path / f"out{ending}"
    if kind == "heic":
        path = HEIC / "ten.heic"
    elif kind == "alpha":
        alpha = np.dstack([DEEP, X.astype(np.uint16) * 1000])
        tifffile.imwrite(path, alpha, photometric="rgb", extrasamples=["unassalpha"])
    else:
        samples = DEEP if kind == "colour" else DEEP[..., 0]
        tifffile.imwrite(path, samples, photometric="rgb" if kind == "colour" else "minisblack")
    command = ["zoom", str(path), "--scale", "2", "-o", str(out), "--weights", weights]
    assert main(command) == 0
    other, photo = vips(out), photo_from(out)
    assert other.dtype == np.uint16
    assert other.shape == (96, 128, {"colour": 3, "heic": 3, "grey": 1, "alpha": 4}[kind])
    if kind != "alpha":
        np.testing.assert_array_equal(photo.colour[..., : other.shape[2]], other)
    else:
        np.testing.assert_array_equal(photo.colour[photo.alpha > 0], other[photo.alpha > 0][:, :3])
        np.testing.assert_array_equal(photo.alpha, other[..., 3] // 257)


def test_pages_are_read_and_written_alike(tmp_path: Path, weights: str) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for turn in range(3):
            file.write(np.rot90(DEEP, turn), photometric="rgb", metadata=None)
    for page in range(3):
        photo = photo_from(tmp_path / "a.tif", page + 1)
        np.testing.assert_array_equal(photo.colour, vips(tmp_path / "a.tif", page))
    out = tmp_path / "out.tif"
    command = ["zoom", str(tmp_path / "a.tif"), "--scale", "2", "--pages", "all", "-o", str(out)]
    assert main([*command, "--weights", weights]) == 0
    for page in range(3):
        np.testing.assert_array_equal(photo_from(out, page + 1).colour, vips(out, page))


@pytest.mark.parametrize("turn", range(1, 9))
def test_turned_jpegs_are_read_alike(tmp_path: Path, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.fromarray(A).save(tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0)
    photo, other = photo_from(tmp_path / "a.jpg"), vips(tmp_path / "a.jpg")
    assert np.abs(photo.colour.astype(int) - other).max() <= 2
