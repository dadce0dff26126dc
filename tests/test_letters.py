"""Letters that lie: plates, their camera, the reader, and the model that imagines them."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from liif_core.companions.letters import WEIGHTS, Letters, flow_loss, held_to, imagine, load_letters
from liif_core.companions.plates import (
    BLUR,
    LETTERS,
    MONOSPACED,
    NOISE,
    ZOOM,
    Plate,
    photographed,
    random_plate,
    read_plate,
    sensor,
    small,
)
from liif_core.training import letters as train_letters
from liif_core.weights import weights_folder

PLATE = Plate("LIIF8", "DejaVuSansMono-Bold", 4.5, 10, 12)


@pytest.mark.parametrize("text", [LETTERS[start : start + 4] for start in range(0, 36, 4)])
@pytest.mark.parametrize("font", MONOSPACED)
def test_a_true_plate_is_read_as_it_is(text, font):
    plate = Plate(text, font, 5, 12, 12)
    assert read_plate(plate.drawn(), plate) == text
    assert read_plate(1 - plate.drawn(), plate) == text, "white on black as well"


def test_a_reader_takes_a_letter_that_it_does_not_know_for_one_that_it_knows():
    plate = Plate("ЖЮЛЯ", "DejaVuSansMono", 5, 12, 12)
    assert read_plate(plate.drawn(), plate, LETTERS + plate.text) == plate.text
    assert set(read_plate(plate.drawn(), plate)) <= set(LETTERS)


def test_random_plates_fit_and_are_their_seed():
    plates = [random_plate(np.random.default_rng(seed)) for seed in range(40)]
    assert plates == [random_plate(np.random.default_rng(seed)) for seed in range(40)]
    assert len({plate.text for plate in plates}) == 40
    for plate in plates:
        drawn = plate.drawn()
        assert drawn.shape == (64, 192)
        border = np.concatenate([drawn[0], drawn[:, 0], drawn[:, -1]])  # Q and J reach below
        assert np.ptp(border) == 0, f"{plate} leaves its paper"
        assert 3 <= len(plate.text) <= 9
        assert 3 <= plate.height <= 7


def test_the_camera_blurs_and_takes_means():
    drawn = PLATE.drawn()
    blurred = gaussian_filter(drawn, BLUR * ZOOM, mode="nearest", truncate=8)
    means = blurred.reshape(8, ZOOM, 24, ZOOM).mean(axis=(1, 3))
    assert np.abs(small(drawn) - means).max() < 2e-3
    assert np.allclose(sensor(8).sum(axis=1), 1)
    many = photographed(np.stack([drawn] * 200), np.random.default_rng(0)) - small(drawn)
    assert many.std() == pytest.approx(math.hypot(NOISE, 1 / 255 / math.sqrt(12)), rel=0.02)


def test_held_to_leaves_a_true_plate_nearly_alone_and_mends_a_false_one():
    true = torch.from_numpy(PLATE.drawn()) * 2 - 1
    seen = torch.from_numpy(photographed(PLATE.drawn(), np.random.default_rng(0))) * 2 - 1
    false = torch.from_numpy(Plate("HEEF8", PLATE.font, 4.5, 10, 12).drawn()) * 2 - 1
    pictures = torch.stack([true, false])[:, None]
    held = held_to(pictures, seen[None, None])

    def apart(these):
        return (torch.from_numpy(small(these[:, 0].numpy())) - seen).square().mean((1, 2)).sqrt()

    noise = 2 * NOISE
    before, after = apart(pictures), apart(held)
    assert before[0] < 1.2 * noise
    assert after[0] < before[0]
    assert before[1] > 3 * noise
    assert after[1] < before[1] / 2
    assert (held[0] - pictures[0]).abs().mean() < 0.05


def test_the_model_learns_to_go_towards_a_plate():
    """On one plate alone: its loss falls far below that of no answer."""
    torch.manual_seed(0)
    model = Letters(outer=16, inner=24, depth=2)
    plate = torch.from_numpy(PLATE.drawn())[None, None].expand(4, -1, -1, -1) * 2 - 1
    seen = torch.from_numpy(small(PLATE.drawn()))[None, None].expand(4, -1, -1, -1) * 2 - 1
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for step in range(40):
        loss = flow_loss(model, plate, seen, torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 1.3, "the velocity's own variance"
    assert losses[-1] < 0.7 * losses[0]


def test_a_seed_is_a_zoom_and_every_zoom_is_held_to_the_plate():
    torch.manual_seed(0)
    model = Letters(outer=16, inner=24, depth=2).eval()
    seen = photographed(PLATE.drawn(), np.random.default_rng(0))
    zooms = imagine(model, seen, range(3), steps=4)
    assert zooms.shape == (3, 64, 192)
    assert zooms.min() >= 0
    assert zooms.max() <= 1
    assert np.allclose(imagine(model, seen, [2], steps=4)[0], zooms[2], atol=1e-5)
    assert np.abs(zooms[0] - zooms[1]).mean() > 0.02


def test_training_goes_on_where_it_was_and_writes_what_can_be_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(train_letters, "BATCH", 2)
    monkeypatch.setattr(train_letters, "Letters", lambda: Letters(outer=8, inner=8, depth=2))
    monkeypatch.setattr("liif_core.companions.letters.Letters", train_letters.Letters)
    through, twice = tmp_path / "through", tmp_path / "twice"
    train_letters.train(through, 4)
    run = train_letters.Training(twice, 4)
    for _ in range(2):
        run.advance()
    run.save()
    train_letters.train(twice, 4)
    for name, value in load_letters(through / WEIGHTS).state_dict().items():
        assert torch.equal(value, load_letters(twice / WEIGHTS).state_dict()[name]), name
    assert (through / "log.csv").read_text().startswith("4,")
    begun = train_letters.Training(tmp_path / "third", 4, init=through / WEIGHTS)
    first = load_letters(through / WEIGHTS).state_dict()
    for name, value in begun.model.state_dict().items():
        assert torch.equal(value, first[name]), name
    begun.advance()


def test_the_rate_rises_holds_and_falls_to_zero():
    rates = [train_letters.rate(step, 900) for step in range(901)]
    assert rates[:99] == sorted(rates[:99])
    assert set(rates[100:600]) == {train_letters.RATE}
    assert rates[600:] == sorted(rates[600:], reverse=True)
    assert rates[900] == pytest.approx(0)


def test_what_is_shipped_reads_tall_letters_and_invents_small_ones():
    """Of 7 pixels tall letters every seed draws the true ones; of 3, seeds draw others."""
    model = load_letters(weights_folder() / WEIGHTS)
    assert sum(p.numel() for p in model.parameters()) < 1e6
    for height, right in ((7, True), (3, False)):
        rng = np.random.default_rng(height)
        plate = random_plate(rng, height=height, fonts=MONOSPACED, plain=True)
        seen = photographed(plate.drawn(), rng)
        zooms = imagine(model, seen, range(2), steps=16)
        read = [read_plate(zoom, plate) for zoom in zooms]
        assert [text == plate.text for text in read] == [right, right], (plate.text, read)
        assert np.sqrt(np.square(small(zooms) - seen).mean()) < 1.1 * NOISE, "held to the plate"
    assert read[0] != read[1]
