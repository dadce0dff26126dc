"""Noise and JPEG blocks, found where they were put."""

import numpy as np
import pytest
from PIL import Image

from liif_core import zoom
from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.photos import photo_from
from liif_core.samples import sample_photo
from liif_core.training.degrade import jpeg, sensor_noise
from liif_core.training.recipe import load_recipe, recipe_names
from liif_core.weights import manifest
from liif_core.worn import CLEAN_WEIGHTS, diagnose, grid_of, hint_for

CLEAN = sample_photo("astronaut", longest=256)


def smooth() -> np.ndarray:
    y, x = np.mgrid[:160, :160] / 160
    wave = 120 + 60 * np.sin(5 * x) * np.cos(4 * y)
    return np.repeat(wave[..., None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("sigma", [2, 5, 10, 20])
def test_known_noise_is_measured(sigma):
    noisy = sensor_noise(smooth(), sigma, np.random.default_rng(0))
    assert diagnose(noisy).noise == pytest.approx(sigma, rel=0.15)


def test_floats_and_bytes_agree():
    as_floats = diagnose(CLEAN.astype(np.float32) / 255)
    assert as_floats.noise == pytest.approx(diagnose(CLEAN).noise, rel=1e-3)
    assert as_floats.grid == pytest.approx(diagnose(CLEAN).grid, rel=1e-3)


@pytest.mark.parametrize("offset", [(0, 0), (3, 5), (7, 1)])
def test_a_grid_is_found_wherever_it_begins(offset):
    strengths = [diagnose(jpeg(CLEAN, quality, np.array(offset))).grid for quality in (90, 60, 30)]
    assert diagnose(CLEAN).grid < strengths[0] < strengths[1] < strengths[2]


def test_stripes_are_no_grid():
    stripes = np.zeros((64, 64), np.float32)
    stripes[:, ::8] = 200
    assert grid_of(stripes) == 0


def test_the_hint_names_what_was_found():
    rng = np.random.default_rng(1)
    assert diagnose(CLEAN).hint() == ""
    assert "JPEG blocks;" in diagnose(jpeg(CLEAN, 40, np.zeros(2, int))).hint()
    assert "carries noise;" in diagnose(sensor_noise(CLEAN, 10, rng)).hint()
    noisy = photo_from(sensor_noise(CLEAN, 10, rng))
    for clean in CLEAN_WEIGHTS:
        assert "liif-edsr-photo" in hint_for(noisy, clean)
    assert hint_for(noisy, "liif-edsr-photo") == hint_for(noisy, "mine.safetensors") == ""


def test_the_weights_that_get_advice_are_those_that_saw_clean_photos():
    assert set(CLEAN_WEIGHTS) == {
        name for name in recipe_names() if load_recipe(name).degrade == "none"
    }
    assert set(manifest()) <= set(recipe_names())


@pytest.mark.parametrize("side", [1, 7, 23])
def test_a_tiny_photo_is_not_judged_by_accident(side):
    assert diagnose(np.full((side, side, 3), 90, np.uint8)).hint() == ""


def test_what_is_no_picture_is_refused():
    with pytest.raises(LiifError):
        diagnose(np.zeros((3, 4, 5, 6), np.uint8))


def test_the_command_says_it_and_changes_nothing(tmp_path, capsys):
    part = CLEAN[:64, :64]
    Image.fromarray(part).save(tmp_path / "clean.png")
    noisy = sensor_noise(part, 12, np.random.default_rng(2))
    Image.fromarray(noisy).save(tmp_path / "worn.png")
    for name, weights, hinted in [
        ("clean", "liif-edsr-small", False),
        ("worn", "liif-edsr-small", True),
        ("worn", "liif-edsr-photo", False),
    ]:
        photo, output = (str(tmp_path / file) for file in (f"{name}.png", f"{name}_{weights}.png"))
        assert main(["zoom", photo, "--scale", "1", "--weights", weights, "-o", output]) == 0
        assert ("usually serves better" in capsys.readouterr().err) == hinted


def test_each_photo_of_many_is_judged(tmp_path, capsys):
    noisy = sensor_noise(CLEAN[:64, :64], 12, np.random.default_rng(2))
    pages = [Image.fromarray(CLEAN[:64, :64]), Image.fromarray(noisy)]
    album = tmp_path / "album"
    album.mkdir()
    for name, page in zip(("clean.png", "worn.png"), pages, strict=True):
        page.save(album / name)
    first, second = (page.copy() for page in pages)
    first.save(tmp_path / "pages.tif", save_all=True, append_images=[second])
    small = ["--scale", "1", "--weights", "liif-edsr-small"]
    assert main(["zoom", str(album), *small]) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "serves better" in line]
    assert "worn.png: this photo carries noise" in line
    assert main(["zoom", str(tmp_path / "pages.tif"), "--pages", "all", *small]) == 0
    assert capsys.readouterr().err.count("serves better") == 1


@pytest.mark.parametrize(
    ("weights", "how", "said"),
    [
        ("liif-edsr-small", ("--seed", "3"), "weights that invent details"),
        ("liif-edsr-crisp", ("--self-ensemble",), "it leaves a blur"),
    ],
)
@pytest.mark.parametrize("what", ["worn.png", "pages.tif", "one file a page", "album"])
def test_a_command_that_is_refused_says_its_error_alone(weights, how, said, what, tmp_path, capsys):
    """No advice on what is not done, nor anything left behind."""
    worn = Image.fromarray(sensor_noise(CLEAN[:64, :64], 12, np.random.default_rng(2)))
    album = tmp_path / "album"
    album.mkdir()
    worn.save(album / "worn.png")
    second = worn.copy()
    worn.save(tmp_path / "pages.tif", save_all=True, append_images=[second])
    asked = {
        "worn.png": [album / "worn.png", "-o", tmp_path / "out.png"],
        "pages.tif": [tmp_path / "pages.tif", "--pages", "all", "-o", tmp_path / "out.tif"],
        "one file a page": [tmp_path / "pages.tif", "--pages", "all", "-o", tmp_path / "out.png"],
        "album": [album],
    }[what]
    command = ["zoom", *asked, "--scale", "1", "--weights", weights, "--device", "cpu", *how]
    status = main([str(word) for word in command])
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    # What is wrong with a command ends it; of an album, each photo is named.
    assert status == (1 if what == "album" and "--self-ensemble" in how else 2)
    assert not list(tmp_path.glob("out*"))


def test_a_zoom_that_fails_warns_of_nothing(tmp_path, recwarn):
    page = Image.fromarray(CLEAN[:8, :8])
    page.save(tmp_path / "pages.tif", save_all=True, append_images=[page.copy()])
    with pytest.raises(LiifError, match="no weights called"):
        zoom(tmp_path / "pages.tif", 2, model="none-such")
    assert not recwarn.list
