"""The query X-ray: equal to the query, and each part of it what the equations say."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from liif_core.ablation import ablated
from liif_core.coords import centre_of
from liif_core.errors import LiifError
from liif_core.liif import LIIF, Latents, LIIFConfig
from liif_core.noise_field import LATTICES, noise_field
from liif_core.xray import OTHER_SEEDS, PLACES, Explanation, Part, explain_query

SWITCHES = list(itertools.product([True, False], repeat=4))
NAMES = ("local_ensemble", "feature_unfolding", "cell_decoding", "local_colour")


def small_model(*switches: bool, seed: int = 0) -> LIIF:
    torch.manual_seed(seed)
    chosen = dict(zip(NAMES, switches or (True, True, True, True), strict=True))
    config = LIIFConfig(blocks=1, channels=6, hidden=(16, 16), **chosen)
    return LIIF(config).eval().requires_grad_(False)


def read(model: LIIF, height: int = 5, width: int = 7, seed: int = 0) -> Latents:
    photo = np.random.default_rng(seed).random((1, 3, height, width), dtype=np.float32)
    return model.encode(torch.from_numpy(photo))


def queried(model: LIIF, latents: Latents, coord: tuple, cell: tuple) -> Tensor:
    asked = torch.tensor([[coord]], dtype=torch.float64)
    return model.query(latents, asked, torch.tensor([[cell]], dtype=torch.float64))[0, 0]


@pytest.mark.parametrize("switches", SWITCHES)
def test_the_sum_is_the_query(switches: tuple[bool, ...]) -> None:
    model = small_model(*switches)
    latents = read(model)
    corners = list(itertools.product([-1.0, 1.0], repeat=2))
    rng = np.random.default_rng(1)
    places = [*corners, (0.0, 0.0), (-1.0, 0.3), (0.2, 1.0), *rng.uniform(-1, 1, (20, 2)).tolist()]
    for coord, cell in itertools.product(places, [(0.1, 0.03), (0.0, 2.0)]):
        found = explain_query(model, latents, coord, cell)
        expected = queried(model, latents, tuple(coord), cell)
        np.testing.assert_allclose(found.colour, expected, atol=1e-5)
        assert sum(code.weight for code in found.codes) == pytest.approx(1, abs=1e-6)
        assert len(found.codes) == (4 if switches[0] else 1)


def test_every_part_is_what_it_says() -> None:
    model = small_model()
    latents = read(model, 5, 7)
    coord, cell = (0.23, -0.41), (0.05, 0.02)
    found = explain_query(model, latents, coord, cell)
    size = np.array([5, 7])
    place = (np.array(coord) + 1) / 2 * size - 0.5  # in photo pixels, 0 at a code's centre
    first = np.floor(place).astype(int)
    corners = [first + step for step in ([0, 0], [0, 1], [1, 0], [1, 1])]
    for number, (code, corner) in enumerate(zip(found.codes, corners, strict=True)):
        assert (code.row, code.col) == tuple(corner)
        centre = [centre_of(torch.tensor(i), n).item() for i, n in zip(corner, size, strict=True)]
        np.testing.assert_allclose(code.delta, (np.array(coord) - centre) * size, atol=1e-6)
        opposite = corners[3 - number]
        assert code.weight == pytest.approx(abs(np.prod(place - opposite)), abs=1e-6)
        pixel = latents.colours[0, :, code.row, code.col] / 2 + 0.5
        np.testing.assert_allclose(code.base, pixel, atol=1e-6)
        np.testing.assert_allclose(np.add(code.base, code.correction), code.answer, atol=1e-6)
        # One code alone is what the nearest-code model says where that code is the nearest; here
        # it is asked for from farther away, so the decoder is called by hand.
        unfolded = torch.nn.functional.unfold(latents.codes, 3, padding=1).unflatten(2, (5, 7))
        asked = [unfolded[0, :, code.row, code.col], torch.tensor(code.delta)]
        asked += [torch.tensor(cell) * torch.tensor([5.0, 7.0])]
        said = model.imnet(torch.cat(asked).float()) / 2
        np.testing.assert_allclose(code.correction, said, atol=1e-5)


def test_without_local_colour_the_decoder_says_everything() -> None:
    model = small_model(True, True, True, False)
    found = explain_query(model, read(model), (0.1, 0.2), (0.1, 0.1))
    assert not found.local_colour
    for code in found.codes:
        assert code.base == (0, 0, 0)
        assert code.correction == code.answer


def test_at_the_border_two_places_are_one_code() -> None:
    model = small_model()
    found = explain_query(model, read(model), (-1.0, 0.05), (0.1, 0.1))
    above, below = found.codes[:2], found.codes[2:]
    assert [(c.row, c.col) for c in above] == [(c.row, c.col) for c in below]
    assert {c.row for c in found.codes} == {0}


def test_photo_of_one_pixel() -> None:
    model = small_model()
    latents = read(model, 1, 1)
    found = explain_query(model, latents, (0.3, -0.8), (0.5, 0.5))
    assert {(c.row, c.col) for c in found.codes} == {(0, 0)}
    np.testing.assert_allclose(
        found.colour, queried(model, latents, (0.3, -0.8), (0.5, 0.5)), atol=1e-5
    )


def test_read_aloud() -> None:
    model = small_model()
    latents = read(model)
    found = explain_query(model, latents, (0.23, -0.41), (0.05, 0.02))
    lines = str(found).splitlines()
    assert max(map(len, lines)) < 100  # a notebook's page breaks longer ones inside a number
    assert lines[0] == "query at y = +0.2300, x = -0.4100"
    assert [line[:11].strip() for line in lines[2:6]] == list(PLACES)
    colour = queried(model, latents, (0.23, -0.41), (0.05, 0.02)).tolist()
    assert lines[6].endswith(" ".join(f"{value:.3f}" for value in colour))
    alone = explain_query(small_model(False, True, True, True), latents, (0, 0), (0.1, 0.1))
    assert str(alone).splitlines()[2].startswith("nearest")


def test_shifted_moves_places_alone() -> None:
    model = small_model()
    found = explain_query(model, read(model), (0.2, 0.2), (0.1, 0.1))
    moved = found.shifted(10, 20)
    assert isinstance(moved, Explanation)
    assert [(c.row - 10, c.col - 20) for c in moved.codes] == [(c.row, c.col) for c in found.codes]
    assert moved.colour == found.colour


@pytest.mark.parametrize(
    ("coord", "cell", "message"),
    [
        ((1.1, 0), (0.1, 0.1), r"the coordinate must be two numbers in \[-1, 1\].*1.1, 0"),
        ((float("nan"), 0), (0.1, 0.1), "the coordinate must be"),
        ((0, 0), (-0.1, 0.1), "the cell must be two numbers finite and at least 0"),
        ((0, 0), (0.1, float("inf")), "the cell must be"),
    ],
)
def test_refused(coord: tuple, cell: tuple, message: str) -> None:
    model = small_model()
    with pytest.raises(LiifError, match=message):
        explain_query(model, read(model), coord, cell)


def test_one_photo_at_a_time() -> None:
    model = small_model()
    pair = Latents(*(torch.cat([part, part]) for part in read(model)))
    with pytest.raises(LiifError, match="latents of 1 photo, not of 2"):
        explain_query(model, pair, (0, 0), (0.1, 0.1))


class TestAblated:
    @pytest.mark.parametrize("off", list(itertools.product([True, False], repeat=3)))
    def test_equals_the_model_with_that_input_silenced(self, off: tuple[bool, ...]) -> None:
        model = small_model()
        ensemble, unfolding, cell_decoding = off
        variant = ablated(
            model,
            local_ensemble=ensemble,
            feature_unfolding=unfolding,
            cell_decoding=cell_decoding,
        )
        latents = read(model)
        coord = torch.rand(1, 30, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
        cell = torch.full_like(coord, 0.1)
        # By hand: zeros for what is left out, in the untouched model.
        silenced = small_model()
        weight = silenced.imnet.layers[0].weight
        if not unfolding:
            neighbours = [k for k in range(6 * 9) if k % 9 != 4]
            weight[:, neighbours] = 0
        if not cell_decoding:
            weight[:, -2:] = 0
        silenced.config = LIIFConfig(**{**vars(model.config), "local_ensemble": ensemble})
        np.testing.assert_allclose(
            variant.query(latents, coord, cell), silenced.query(latents, coord, cell), atol=1e-6
        )

    def test_shares_the_encoder_and_leaves_the_model_alone(self) -> None:
        model = small_model()
        before = {key: value.clone() for key, value in model.state_dict().items()}
        variant = ablated(model, feature_unfolding=False)
        assert variant.encoder is model.encoder
        assert not variant.training
        assert variant.config.feature_unfolding is False
        assert ablated(model) is model
        for key, value in model.state_dict().items():
            assert torch.equal(value, before[key])

    def test_what_is_off_stays_off(self) -> None:
        model = small_model(True, False, True, True)
        assert ablated(model) is model
        assert not ablated(model, cell_decoding=False).config.feature_unfolding


def inventive_model(channels: int = 12) -> LIIF:
    torch.manual_seed(0)
    config = LIIFConfig(blocks=1, channels=6, hidden=(16, 16), local_colour=True, noise=channels)
    return LIIF(config).eval().requires_grad_(False)


def at_once(model: LIIF, latents: Latents, coord: tuple, cell: tuple, seed: int) -> np.ndarray:
    model.seed, before = seed, model.seed
    found = queried(model, latents, coord, cell).numpy()
    model.seed = before
    return found


@pytest.mark.parametrize("cell", [(0.02, 0.03), (0.5, 0.5)])
def test_what_noise_has_to_do_with_a_colour(cell: tuple[float, float]) -> None:
    model, coord = inventive_model(), (0.23, -0.41)
    latents = read(model)
    found = explain_query(model, latents, coord, cell, seed=2**31 - 3)
    np.testing.assert_allclose(
        found.colour, at_once(model, latents, coord, cell, 2**31 - 3), atol=1e-5
    )
    chance = found.chance
    assert chance is not None
    assert chance.seed == 2**31 - 3
    seeds = [(chance.seed + k) % 2**31 for k in range(1, OTHER_SEEDS + 1)]
    others = np.array([at_once(model, latents, coord, cell, seed) for seed in seeds])
    np.testing.assert_allclose(chance.others, others, atol=1e-5)
    np.testing.assert_allclose(chance.spread, others.std(axis=0, ddof=1), atol=1e-5)
    # Without noise it is a model without noise inputs.
    silent = LIIF(replace(model.config, noise=0)).eval().requires_grad_(False)
    state = model.state_dict()
    state["imnet.layers.0.weight"] = state["imnet.layers.0.weight"][:, :-12]
    silent.load_state_dict(state)
    np.testing.assert_allclose(chance.without, queried(silent, latents, coord, cell), atol=1e-5)
    # What was read is the field, where the point lies in the photo.
    y, x = (
        (torch.tensor(c, dtype=torch.float64) + 1) / 2 * n
        for c, n in zip(coord, (5, 7), strict=True)
    )
    side = (cell[0] * 5 / 2 * cell[1] * 7 / 2) ** 0.5
    field = noise_field(y, x, side, 2**31 - 3, 12)
    np.testing.assert_allclose([one.value for one in chance.read], field, atol=1e-6)
    assert [one.lattice for one in chance.read] == list(LATTICES)


def test_noise_is_read_at_its_place_in_the_photo_not_in_a_part_of_it() -> None:
    """Latents of a part, as the explorer has them: the same answer, and the same noise."""
    model, coord, cell = inventive_model(), (0.1, 0.3), (0.01, 0.01)
    latents = read(model, 20, 30)
    part = Latents(*(tensor[:, :, 6:16, 12:26] for tensor in latents))
    whole = explain_query(model, latents, coord, cell)
    found = explain_query(model, part, coord, cell, part=Part(6, 12, 20, 30))
    assert whole.chance is not None
    assert found.chance is not None
    np.testing.assert_allclose(found.colour, whole.colour, atol=1e-5)
    assert found.chance.read == whole.chance.read
    assert [(c.row, c.col) for c in found.codes] == [(c.row, c.col) for c in whole.codes]
    assert (found.coord, found.cell) == (coord, cell)


def test_noise_in_words() -> None:
    model = inventive_model(5)
    found = str(explain_query(model, read(model), (0.2, 0.2), (0.1, 0.1), seed=7))
    assert "noise of seed 7, by the pitch of its lattices" in found
    assert "0.61" in found
    assert "1.3×0.43" in found
    assert "if all noise were 0: " in found
    assert "from 16 other seeds: spread ± 0." in found
    assert max(map(len, found.splitlines())) <= 100
    assert "noise" not in str(explain_query(small_model(), read(small_model()), (0, 0), (1, 1)))
