"""The dial between two models: what is mixed, what it is called, and what is refused."""

import numpy as np
import pytest
from PIL import Image
from small_models import noise, small_model

from liif_core.__main__ import main
from liif_core.errors import LiifError
from liif_core.grid import OutputGrid
from liif_core.photos import photo_from
from liif_core.render import render
from liif_core.samples import sample_photo
from liif_core.zooming.job import Task, plan
from liif_core.zooming.mixture import Mixture, denoising, name_of
from liif_core.zooming.photo import job_key, renderer_for, zoom


@pytest.fixture
def pair():
    first, second = small_model(0, local_colour=True), small_model(1, local_colour=True)
    first.weights_name, second.weights_name = "one", "two"
    return first, second


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(sample_photo("astronaut")[100:116, 200:220]).save(path)
    return path


@pytest.mark.parametrize("share", [0.25, 0.9])
def test_the_answers_are_mixed(pair, share):
    pixels = noise(9, 7)
    answers = [render(model, pixels, 20, 15) for model in pair]
    mixture = Mixture(*pair, share)
    photo = photo_from(pixels.astype(np.float64))
    told: list[float] = []
    renderer = renderer_for(Task(scale=2), mixture, photo)
    grid = OutputGrid(20, 15, (0, 0, 7, 9))
    mixed = renderer.window(grid, range(20), range(15), told.append)
    expected = (1 - share) * answers[0] + share * answers[1]
    np.testing.assert_allclose(mixed, expected, atol=0.5 / 255)  # the photo has 8 bits
    assert sum(told) == pytest.approx(20 * 15)
    assert renderer.seconds_needed(grid) > 0
    assert mixture.weights_name == name_of(share).replace("liif-edsr-photo", "two").replace(
        "liif-edsr", "one"
    )


def test_other_ways_of_rendering_are_mixed_as_well(pair):
    pixels = photo_from((noise(9, 7) * 255).astype(np.uint8))
    grid = OutputGrid(36, 28, (0, 0, 7, 9))
    for task in (Task(scale=4, self_ensemble=True), Task(scale=4, fast=True)):
        parts = [renderer_for(task, model, pixels) for model in pair]
        answers = [part.window(grid, range(36), range(28)) for part in parts]
        mixed = renderer_for(task, Mixture(*pair, 0.5), pixels)
        np.testing.assert_allclose(
            mixed.window(grid, range(36), range(28)), (answers[0] + answers[1]) / 2, atol=1e-6
        )
        assert mixed.remark(grid).count("PSNR") == (1 if task.fast else 0)


def test_the_journal_knows_the_dial(pair):
    photo = photo_from((noise(9, 7) * 255).astype(np.uint8))
    job = plan(photo, None, Task(scale=2))
    keys = {job_key(Mixture(*pair, share), photo, job, [9]) for share in (0.5, 0.5001, 0.5 + 1e-9)}
    assert len(keys) == 3
    assert job_key(Mixture(*pair, 0.5), photo, job, [9]) in keys


def test_the_ends_are_the_shipped_weights():
    assert denoising(0, "cpu").weights_name == name_of(0) == "liif-edsr"
    assert denoising(1, "cpu").weights_name == name_of(1) == "liif-edsr-photo"
    assert (
        denoising(0.7, "cpu").weights_name == name_of(0.7) == "0.3 liif-edsr + 0.7 liif-edsr-photo"
    )
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(LiifError, match="from 0 to 1"):
            denoising(share)


def test_the_command_mixes_and_the_result_says_it(photo, tmp_path):
    outputs = {share: tmp_path / f"{share}.png" for share in ("0", "0.5", "1")}
    for share, output in outputs.items():
        assert (
            main(["zoom", str(photo), "--scale", "2", "--denoise", share, "-o", str(output)]) == 0
        )
    low, middle, high = (np.asarray(Image.open(path)).astype(int) for path in outputs.values())
    assert (low != high).any()
    assert np.abs(low + high - 2 * middle).max() <= 2  # each is rounded
    assert (middle == np.asarray(zoom(photo, 2, model=denoising(0.5)))).all()
    assert b"0.5 liif-edsr + 0.5 liif-edsr-photo" in outputs["0.5"].read_bytes()
    plain = tmp_path / "plain.png"
    assert main(["zoom", str(photo), "--scale", "2", "-o", str(plain)]) == 0
    assert (np.asarray(Image.open(plain)) == low).all()


@pytest.mark.parametrize("weights", ["liif-edsr-small", "mine.safetensors"])
def test_weights_beside_the_dial_are_refused(photo, tmp_path, weights, capsys):
    before = set(tmp_path.iterdir())
    command = ["zoom", str(photo), "--scale", "2", "--denoise", "0.5", "--weights", weights]
    assert main(command) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"'{weights}' is neither" in line
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("share", "weights"), [("0", "liif-edsr-photo"), ("1", "liif-edsr")])
def test_an_end_of_the_dial_and_the_weights_of_the_other_are_refused(
    photo, tmp_path, share, weights, capsys
):
    output = tmp_path / "out.png"
    command = ["zoom", str(photo), "--scale", "1", "--denoise", share, "-o", str(output)]
    assert main([*command, "--weights", weights]) == 2
    assert f"not '{weights}': leave out" in capsys.readouterr().err
    assert not output.exists()
    assert main([*command, "--weights", name_of(float(share))]) == 0


def test_what_fewer_codes_cost_is_measured_on_the_mixture(pair):
    """A mixture with one model alone costs what that one costs."""
    pixels = photo_from((noise(30, 30) * 255).astype(np.uint8))
    grid, task = OutputGrid(120, 120, (0, 0, 30, 30)), Task(scale=4, fast=True)
    costs = [renderer_for(task, model, pixels).remark(grid) for model in pair]
    assert costs[0] != costs[1]
    for share, expected in ((0.0, costs[0]), (1.0, costs[1])):
        assert renderer_for(task, Mixture(*pair, share), pixels).remark(grid) == expected
    mixed = renderer_for(task, Mixture(*pair, 0.5), pixels).remark(grid)
    assert mixed.count("PSNR") == 1
    assert mixed not in costs
    exact = renderer_for(Task(scale=4), Mixture(*pair, 0.5), pixels)
    assert exact.remark(grid) == ""


@pytest.mark.parametrize("share", ["2", "-0.1", "much", "nan", "120%"])
def test_a_share_that_is_none_is_refused(photo, share, capsys):
    with pytest.raises(SystemExit):
        main(["zoom", str(photo), "--scale", "2", f"--denoise={share}"])
    assert "is not a number from 0 to 1" in capsys.readouterr().err
