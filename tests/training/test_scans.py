"""What training does to its inputs so that they are like scans of old prints."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from small_models import small_model

from liif_core.models import CONFIGS
from liif_core.training import scans
from liif_core.training.recipe import Recipe
from liif_core.training.scans import (
    CLEAN,
    DEGRADATIONS,
    age,
    blur,
    light_noise,
    paper,
    print_screen,
    scan,
)
from liif_core.training.trainer import train
from liif_core.training.validation import Scores, Validator
from liif_core.weights import training_facts

GREY = np.full((96, 96, 3), 128, np.uint8)


def rng(seed=0):
    return np.random.default_rng(seed)


def scene(size):
    """Return coloured clouds of a size."""
    found = gaussian_filter(rng(5).normal(size=(48, 48, 3)), (size, size, 0))
    return (128 + 50 * found / found.std()).clip(0, 255).astype(np.uint8)


def test_a_fifth_stays_clean_and_most_are_worn_a_little():
    clean = scene(5)
    errors = np.array(
        [np.abs(scan(clean, rng(n)).astype(float) - clean).mean() for n in range(150)]
    )
    assert np.mean(errors == 0) == pytest.approx(CLEAN, abs=0.1)
    worn = errors[errors > 0]
    assert np.median(worn) < 0.5 * np.quantile(worn, 0.95)
    assert np.quantile(worn, 0.95) > 5


def test_a_mixture_leaves_some_as_they_are_and_blurs_some_alone(monkeypatch):
    for name in ("blur", "wear", "scan"):
        monkeypatch.setattr(scans, name, lambda picture, *_, said=name: said)
    found = [scans.mixed(GREY, rng(n)) for n in range(2000)]
    shares = [sum(one is GREY for one in found) / len(found)]
    shares += [sum(one is name for one in found) / len(found) for name in ("blur", "wear", "scan")]
    assert shares == pytest.approx(scans.MIXTURE, abs=0.03)


@pytest.mark.parametrize("seed", range(12))
def test_a_blur_keeps_the_light_and_has_the_size_asked_for(seed):
    """Measured on a single point: the variance of what it becomes, along the longer axis."""
    point = np.zeros((31, 31, 3), np.uint8)
    point[15, 15] = 255
    spread = blur(point, 1.4, rng(seed)).astype(float)[..., 0]
    assert spread.sum() == pytest.approx(255, rel=0.15), "rounding takes the rim"
    y, x = np.mgrid[:31, :31] - 15
    share = spread / spread.sum()
    moments = [[(share * a * b).sum() for a in (y, x)] for b in (y, x)]
    assert np.sqrt(np.linalg.eigvalsh(moments)[-1]) == pytest.approx(1.4, rel=0.2)
    assert (blur(GREY, 1.4, rng(seed)) == 128).all()


def test_a_screen_is_dots_in_the_midtones_each_channel_at_its_angle():
    printed = print_screen(GREY, 0.5, rng(3)).astype(float)
    assert printed.mean() == pytest.approx(128, abs=2)
    assert printed.std() == pytest.approx(0.5 * 255 / 2 / 2, rel=0.1)
    assert np.abs(np.corrcoef(printed.reshape(-1, 3).T) - np.eye(3)).max() < 0.1
    power = np.abs(np.fft.rfft2(printed[..., 0] - printed[..., 0].mean())) ** 2
    assert np.sort(power.ravel())[-12:].sum() > 0.6 * power.sum(), "a few frequencies hold it"
    for end in (0, 255):
        assert (print_screen(np.full_like(GREY, end), 1.0, rng()) == end).all()


def test_paper_shades_all_channels_alike_and_black_not_at_all():
    laid = paper(GREY, 0.04, rng()).astype(float)
    assert laid.std() == pytest.approx(128 * 0.04, rel=0.1)
    assert (laid[..., 0] == laid[..., 2]).all()
    assert (paper(np.zeros_like(GREY), 0.05, rng()) == 0).all()


def test_noise_grows_with_the_light():
    dark, light = (
        light_noise(np.full_like(GREY, value), 6, rng(1)).astype(float).std() for value in (30, 210)
    )
    assert light > 1.2 * dark
    assert light_noise(GREY, 6, rng(1)).astype(float).std() == pytest.approx(6, rel=0.05)


def test_old_prints_are_sepia_or_faded_in_a_share_of_the_pairs():
    colourful = scene(3)
    aged = [age(colourful, rng(n)) for n in range(80)]
    same = np.mean([(one == colourful).all() for one in aged])
    assert same == pytest.approx(0.75 * 2 / 3, abs=0.15)
    single = 0
    for one in aged:
        flat = one.reshape(-1, 3).astype(float)
        single += np.corrcoef(flat.T).min() > 0.999  # one tone: all channels rise together
    assert single / 80 == pytest.approx(0.25, abs=0.12)


def test_a_recipe_may_ask_for_scans():
    recipe = Recipe.from_dict({"model": "liif-edsr", "steps": 400, "degrade": "scan"})
    assert DEGRADATIONS[recipe.degrade].input_only is scan
    with pytest.raises(Exception, match="degrade must be 'none', 'photo', 'scan' or 'mixed'"):
        Recipe.from_dict({"model": "liif-edsr", "steps": 400, "degrade": "dirt"})


@pytest.mark.parametrize(("degrade", "kept"), [("photo", 1), ("scan", 3), ("mixed", 3)])
def test_where_the_score_is_of_one_kind_of_input_the_last_weights_are_kept(
    degrade, kept, photos, tmp_path, monkeypatch
):
    scores = iter([30.0, 29.0, 28.0])

    def falling(validator, model):
        psnr = dict.fromkeys(validator.bicubic, next(scores))
        return Scores(psnr, psnr)

    monkeypatch.setattr(Validator, "scores", falling)
    monkeypatch.setitem(CONFIGS, "tiny-liif", small_model().config)
    small = {"batch": 2, "patch": 8, "queries": 16, "warmup": 1, "precision": "float32"}
    recipe = Recipe("tiny-liif", steps=3, validate_every=1, degrade=degrade, **small)
    train(recipe, photos, tmp_path / "run", device="cpu", quiet=True)
    assert training_facts(tmp_path / "run" / "best.safetensors")["step"] == kept
