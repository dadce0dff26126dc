"""The explorer without a browser: viewport arithmetic, pictures, tiles, and the messages."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import Base
from small_models import small_heat

from liif_core import bands
from liif_core.ablation import ablated
from liif_core.baselines import resize
from liif_core.explorer import BASELINES, MOST, ExploredPhoto, Side, Span, Viewport
from liif_core.explorer.messages import COARSE_PIXELS, answer, printed
from liif_core.explorer.methods import describe
from liif_core.explorer.screen_grid import MOST_SIDES
from liif_core.files.carried import Maker, carried
from liif_core.files.destination import PNG
from liif_core.files.notes import Notes
from liif_core.files.view import View
from liif_core.liif import LIIF, LIIFConfig
from liif_core.models import set_seed
from liif_core.photos import photo_from
from liif_core.render import ContinuousPhoto, OutputGrid
from liif_core.tiles import TileStore

LIIF_SIDE = Side("LIIF")
SCREEN = (48, 64)


def small_model(seed: int = 0) -> LIIF:
    torch.manual_seed(seed)
    config = LIIFConfig(blocks=2, channels=8, hidden=(16, 16), local_colour=True)
    return LIIF(config).eval().requires_grad_(False)


#: Of a photo of 8 × 6 pixels, ×2.
WHOLE_VIEW = View(1, 8, 6, (0, 0, 8, 6), 16, 12)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def explored(photo: np.ndarray) -> ExploredPhoto:
    return ExploredPhoto(photo_from(photo), {"LIIF": small_model()})


def decoded(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


sizes = st.tuples(st.integers(1, 5000), st.integers(1, 5000))
screens = st.tuples(st.integers(40, 900), st.integers(40, 900))
centres = st.tuples(st.floats(-2, 2), st.floats(-2, 2))


class TestViewport:
    @given(sizes, screens, centres, st.floats(1e-3, 500))
    def test_a_pixels_centre_stands_where_it_is(self, photo, screen, centre, magnification):
        view = Viewport(photo, screen, centre, magnification)
        for place in (0.1, 0.7):
            row, col = (span.first + int(place * span.count) for span in view.spans())
            at = view.screen_at(view.coord_at(row, col))
            assert at == pytest.approx((row + 0.5, col + 0.5), abs=1e-3)

    @given(sizes, screens, centres, st.floats(1e-3, 500))
    def test_stays_within_the_photo(self, photo, screen, centre, magnification):
        view = Viewport(photo, screen, centre, magnification)
        assert view.least <= view.magnification <= max(MOST, view.least)
        for span, size, pixels in zip(view.spans(), photo, screen, strict=True):
            assert 0 <= span.start < span.end <= size
            assert span.first >= 0
            assert span.count >= 1
            assert span.first + span.count <= pixels
            shown = (span.end - span.start) * view.magnification  # in screen pixels
            letterboxed = (span.start, span.end) == (0, size)  # rounded to whole screen pixels
            assert span.count == pytest.approx(shown, abs=1 if letterboxed else 1e-6)

    @given(sizes, screens)
    def test_begins_with_the_whole_photo(self, photo, screen):
        view = Viewport(photo, screen)
        for span, size in zip(view.spans(), photo, strict=True):
            assert (span.start, span.end) == pytest.approx((0, size))

    @given(sizes, screens, centres, st.floats(1, 60), st.floats(0.5, 2))
    def test_zooming_keeps_the_place_under_the_pointer(self, photo, screen, centre, start, factor):
        view = Viewport(photo, screen, centre, start)
        about = (screen[0] * 0.3, screen[1] * 0.8)
        closer = view.zoomed(factor, about)
        before, after = view._place(about), closer._place(about)
        free = [  # neither letterboxed before or after, nor stopped by the photo's border
            all(
                v.spans()[axis].count == screen[axis]
                and v.spans()[axis].start > 1e-9
                and v.spans()[axis].end < photo[axis] - 1e-9
                for v in (view, closer)
            )
            for axis in (0, 1)
        ]
        for axis in (0, 1):
            if free[axis]:
                assert before[axis] == pytest.approx(after[axis], abs=1e-6 * photo[axis])

    def test_panning_moves_by_screen_pixels(self):
        view = Viewport((100, 200), (48, 64), (0, 0), 8)
        moved = view.panned(16, -8)
        assert moved.spans()[0].start - view.spans()[0].start == pytest.approx(2)
        assert moved.spans()[1].start - view.spans()[1].start == pytest.approx(-1)
        edge = view.panned(1e9, -1e9)
        assert edge.spans()[0].end == 100
        assert edge.spans()[1].start == pytest.approx(0, abs=1e-9)

    def test_coordinates_and_cells_are_those_of_the_grid(self):
        view = Viewport((100, 200), (48, 64), (0.1, 0.2), 7.3)
        grid = view.grid()
        left, top, right, bottom = grid.box
        row, col = 5, 9
        expected = (
            (top + (row + 0.5) * (bottom - top) / 48) * 2 / 100 - 1,
            (left + (col + 0.5) * (right - left) / 64) * 2 / 200 - 1,
        )
        assert view.coord_at(row, col) == pytest.approx(expected)
        assert view.cell() == pytest.approx((2 / 100 / 7.3, 2 / 200 / 7.3))

    def test_a_photo_smaller_than_the_screen_at_the_largest_magnification(self):
        view = Viewport((1, 1), (48, 64), (0.7, 0.7), 1)
        assert view.magnification == 48
        assert view.centre == (0, 0)
        assert view.spans()[1] == Span(8, 48, 0, 1)
        assert Viewport((1, 1), (480, 640)).magnification == 480  # beyond MOST, yet whole


class TestPicture:
    @pytest.mark.parametrize("magnification", [1, 1.37, 6, 64])
    def test_liif_is_what_render_renders(self, magnification):
        photo = noise(90, 110)
        view = Viewport((90, 110), SCREEN, (0.3, -0.2), magnification)
        found = explored(photo).picture(view, LIIF_SIDE)
        whole = ContinuousPhoto(small_model(), photo.astype(np.float32) / 255)
        expected = whole.viewport(view.centre, view.magnification, *SCREEN)
        difference = found / 255 - expected.clip(0, 1)
        assert np.abs(difference).max() <= 0.5 / 255 + 1e-5

    @pytest.mark.parametrize("switch", ["local_ensemble", "feature_unfolding", "cell_decoding"])
    def test_switches_act_and_encode_nothing_anew(self, switch, monkeypatch):
        photo = noise(40, 50)
        view = Viewport((40, 50), SCREEN, (0, 0), 3)
        ready = explored(photo)
        full = ready.picture(view, LIIF_SIDE)
        model = ablated(small_model(), **{switch: False})
        expected = ContinuousPhoto(model, photo.astype(np.float32) / 255)
        expected = expected.viewport(view.centre, 3, *SCREEN).clip(0, 1)
        monkeypatch.setattr(TileStore, "encode_window", None)
        found = ready.picture(view, Side("LIIF", **{switch: False}))
        assert np.abs(found / 255 - expected).max() <= 0.5 / 255 + 1e-5
        assert not np.array_equal(found, full)

    @pytest.mark.parametrize("method", BASELINES)
    @pytest.mark.parametrize("magnification", [0.6, 0.9, 1, 2.7, 64])
    def test_baselines_are_pillows(self, method, magnification):
        photo = noise(130, 170)
        view = Viewport((130, 170), SCREEN, (0.31, -0.27), magnification)
        grid = view.grid()
        expected = resize(photo, grid.height, grid.width, method, box=grid.box)
        found = explored(photo).picture(view, Side(method))
        # A window of the photo is cut out, so a coordinate may round otherwise.
        assert np.abs(found.astype(int) - expected).max() <= 1

    def test_a_part_is_the_part(self):
        ready = explored(noise(60, 70))
        grid = OutputGrid(200, 300, (3.3, 4.4, 33.3, 30.1))
        for side in (LIIF_SIDE, Side("bicubic"), Side("bilinear"), Side("nearest")):
            whole = ready.part(grid, side, range(200), range(300))
            part = ready.part(grid, side, range(50, 90), range(120, 130))
            assert np.abs(part.astype(int) - whole[50:90, 120:130]).max() <= 1

    @pytest.mark.parametrize("method", BASELINES)
    def test_a_large_photo_shown_small_comes_from_the_pyramid(self, method):
        smooth = resize(noise(6, 8), 600, 800, "bicubic")
        view = Viewport((600, 800), SCREEN)
        found = explored(smooth).picture(view, Side(method))
        expected = resize(smooth, 48, 64, method)
        assert found.shape == (48, 64, 3)
        assert np.abs(found.astype(int) - expected).mean() < 2

    def test_below_one_liif_is_not_asked(self, monkeypatch):
        monkeypatch.setattr(TileStore, "encode_window", None)
        ready = explored(noise(200, 300))
        view = Viewport((200, 300), SCREEN)
        assert view.magnification < 1
        np.testing.assert_array_equal(
            ready.picture(view, LIIF_SIDE), ready.picture(view, Side("bicubic"))
        )
        assert ready.tiles(view, LIIF_SIDE) == ([], 0)

    @pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
    @pytest.mark.parametrize("method", [*BASELINES, "LIIF"])
    def test_tiny_photos(self, size, method):
        view = Viewport(size, SCREEN)
        for shown in (view, view.zoomed(3), view.zoomed(1000)):
            found = explored(noise(*size)).picture(shown, Side(method))
            assert found.shape == (shown.grid().height, shown.grid().width, 3)

    def test_transparent_parts_are_white_and_sixteen_bits_are_shown(self):
        rgba = np.zeros((4, 4, 4), np.uint8)
        rgba[:, 2:, 3] = 255
        view = Viewport((4, 4), (40, 40))
        shown = ExploredPhoto(photo_from(rgba), {}).picture(view, Side("nearest"))
        assert (shown[:, :20] == 255).all()
        assert (shown[:, 20:] == 0).all()
        deep = ExploredPhoto(photo_from(np.full((4, 4), 257 * 99, np.uint16)), {})
        assert (deep.picture(view, Side("bicubic")) == 99).all()

    def test_only_what_is_looked_at_is_encoded(self, monkeypatch):
        read = []
        encode = bands.encode
        monkeypatch.setattr(
            bands,
            "encode",
            lambda model, x, *how: read.append(x.shape[-2:]) or encode(model, x, *how),
        )
        large = np.broadcast_to(np.uint8(128), (5000, 10000, 3))  # 50 megapixels
        ready = ExploredPhoto(photo_from(np.ascontiguousarray(large)), {"LIIF": small_model()})
        view = Viewport((5000, 10000), SCREEN)
        ready.picture(view, LIIF_SIDE)
        assert read == []
        ready.picture(Viewport((5000, 10000), SCREEN, (0.4, 0.4), 4), LIIF_SIDE)
        assert sum(math.prod(size) for size in read) < 4 * 300**2
        assert ready.read_ahead(view, LIIF_SIDE) is False


class TestExplain:
    @pytest.mark.parametrize("size", [(90, 130), (1, 1), (1, 70), (20, 3)])
    @pytest.mark.parametrize("side", [LIIF_SIDE, Side("LIIF", True, False, False)])
    def test_equals_the_query_of_the_whole_photo(self, size, side):
        photo = noise(*size)
        model = ablated(small_model(), feature_unfolding=side.feature_unfolding)
        model = ablated(model, cell_decoding=side.cell_decoding)
        latents = model.encode(torch.from_numpy(photo / np.float32(255)).permute(2, 0, 1)[None])
        rng = np.random.default_rng(0)
        for coord in [(-1.0, -1.0), (1.0, 1.0), *map(tuple, rng.uniform(-1, 1, (10, 2)))]:
            cell = (0.01, 0.003)
            found = explored(photo).explain(side, coord, cell)
            asked = torch.tensor([[coord]], dtype=torch.float64)
            expected = model.query(latents, asked, torch.tensor([[cell]], dtype=torch.float64))
            np.testing.assert_allclose(found.colour, expected[0, 0], atol=1e-5)
            assert (found.coord, found.cell) == (coord, cell)
            near = [(c + 1) / 2 * n - 0.5 for c, n in zip(coord, size, strict=True)]
            for code in found.codes:
                assert abs(code.row - near[0]) <= 1
                assert abs(code.col - near[1]) <= 1
                np.testing.assert_allclose(code.base, photo[code.row, code.col] / 255, atol=1e-6)

    def test_is_the_colour_on_screen(self):
        ready = explored(noise(90, 130))
        view = Viewport((90, 130), SCREEN, (0.2, 0.1), 9.5)
        shown = ready.picture(view, LIIF_SIDE)
        for row, col in [(0, 0), (20, 33), (47, 63)]:
            found = ready.explain(LIIF_SIDE, view.coord_at(row, col), view.cell())
            expected = np.clip(found.colour, 0, 1) * 255
            assert np.abs(shown[row, col] - expected).max() <= 0.5 + 1e-2


def ask(ready: ExploredPhoto, kind: str, **more):
    view = {"screen": list(SCREEN), "centre": [0.1, 0.2], "magnification": 5.0}
    return answer(ready, {"type": kind, "view": view, "side": vars(LIIF_SIDE), **more})


class TestMessages:
    def test_the_encoder_reads_tile_by_tile_then_the_frame_comes(self):
        ready = explored(noise(300, 300))
        view = {"screen": [200, 200], "centre": [0, 0], "magnification": 1.5}
        more = {"view": view, "coarse": True, "lossless": False}
        found, pictures = ask(ready, "frame", reads=0, **more)
        total = found["total"]
        assert total == 4
        assert (found["reading"], found["left"], found["picture"]) == (True, 3, True)
        assert decoded(pictures[0]).shape == (200, 200, 3)  # bicubic stands in
        for reads in range(1, total):
            found, pictures = ask(ready, "frame", reads=reads, **more)
            assert found["reading"]
            assert (found["left"], pictures) == (total - 1 - reads, [])
        found, pictures = ask(ready, "frame", reads=total, **more)
        assert (found["reading"], found["picture"], len(pictures)) == (False, True, 1)
        assert found["seconds"] > 0

    def test_reading_ends_even_where_nothing_can_be_kept(self, monkeypatch):
        monkeypatch.setattr("liif_core.explorer.frames.MEMORY", 1 << 20)
        ready = explored(noise(300, 300))
        view = {"screen": [300, 300], "centre": [0, 0], "magnification": 1.0}
        reads = 0
        more = {"view": view, "coarse": True, "lossless": False}
        while ask(ready, "frame", reads=reads, **more)[0]["reading"]:
            reads += 1
            assert reads < 1000
        assert reads > 1

    def test_lossless_frames_are_exact_coarse_ones_small(self, monkeypatch):
        # Without time left: what came fast would be followed by a finer one.
        monkeypatch.setattr("liif_core.explorer.messages.BUDGET", 0.0)
        ready = explored(noise(100, 100))
        view = {"screen": [480, 640], "centre": [0, 0], "magnification": 40.0}
        full, pictures = ask(ready, "frame", view=view, reads=9, coarse=False, lossless=True)
        shown = Viewport((100, 100), (480, 640), (0, 0), 40)
        np.testing.assert_array_equal(decoded(pictures[0]), ready.picture(shown, LIIF_SIDE))
        assert full["rect"] == [0, 0, 480, 640]
        assert full["box"] == pytest.approx([42, 44, 58, 56])
        ready = ExploredPhoto(ready.photo, ready.models)  # one that holds no exact picture
        _, pictures = ask(ready, "frame", view=view, reads=9, coarse=True, lossless=False)
        assert pictures[0][:2] == b"\xff\xd8"  # JPEG
        assert math.prod(decoded(pictures[0]).shape[:2]) <= COARSE_PIXELS * 1.02

    def test_reading_ahead_ends(self):
        ready = explored(noise(300, 200))
        asked = 0
        while ask(ready, "ahead")[0]["more"]:
            asked += 1
        assert asked == 6

    def test_overview(self):
        found = ask(explored(noise(640, 320)), "overview")[1]
        assert decoded(found[0]).shape == (320, 160, 3)
        found = ask(explored(noise(3, 2)), "overview")[1]
        assert decoded(found[0]).shape == (3, 2, 3)

    def test_xray(self):
        photo = noise(9, 9)
        ready = explored(photo)
        found, _ = ask(ready, "xray", coord=[-0.99, 0.05], cell=[0.02, 0.02])
        expected = ready.explain(LIIF_SIDE, (-0.99, 0.05), (0.02, 0.02))
        assert found["colour"] == expected.colour
        assert found["codes"][3] == vars(expected.codes[3])
        assert found["corner"] == [-1, 3]
        assert found["pixels"][0] == [None] * 4
        assert found["pixels"][1] == photo[0, 3:7].tolist()

    @pytest.mark.parametrize("split", [0, 0.4, 1])
    def test_strips_make_up_the_print(self, split):
        ready = explored(noise(40, 40))
        more = {"left": vars(Side("nearest")), "right": vars(LIIF_SIDE), "split": split}
        more |= {"size": [96, 128]}
        strips = [
            decoded(ask(ready, "strip", rows=list(rows), **more)[1][0])
            for rows in ((0, 50), (50, 96))
        ]
        view = Viewport((40, 40), SCREEN, (0.1, 0.2), 5)
        grid = OutputGrid(96, 128, view.grid().box)
        whole = np.concatenate(strips)
        middle = round(128 * split)
        for side, cols in ((Side("nearest"), range(middle)), (LIIF_SIDE, range(middle, 128))):
            if cols:
                expected = ready.part(grid, side, range(96), cols)
                np.testing.assert_array_equal(whole[:, cols.start : cols.stop], expected)


class TestPans:
    """A pan by whole screen pixels computes only what comes into sight, to the very same bits."""

    @pytest.fixture
    def ready(self) -> ExploredPhoto:
        return explored(noise(70, 90))

    @pytest.fixture
    def computed(self, monkeypatch) -> list[int]:
        """Count the pixels that are asked of the decoder."""
        counted: list[int] = []
        window = ContinuousPhoto.window

        def counting(self, grid, rows, cols, tick=None):
            counted.append(len(rows) * len(cols))
            return window(self, grid, rows, cols, tick)

        monkeypatch.setattr(ContinuousPhoto, "window", counting)
        return counted

    @pytest.mark.parametrize("magnification", [1.7, 4, 11.3, 12, 40])
    @pytest.mark.parametrize("by", [(0, 3), (-5, 0), (7, -11), (-1, -20), (0, 0)])
    def test_a_pan_shares(self, ready, computed, magnification, by):
        view = Viewport(ready.size, SCREEN, (0.1234, -0.2345), magnification)
        ready.picture(view, LIIF_SIDE)
        moved = view.panned(*by)
        computed.clear()
        picture = ready.picture(moved, LIIF_SIDE)
        height, width = SCREEN
        kept = (height - abs(by[0])) * (width - abs(by[1]))
        assert sum(computed) == height * width - kept
        fresh = ExploredPhoto(ready.photo, ready.models).picture(moved, LIIF_SIDE)
        np.testing.assert_array_equal(picture, fresh)

    def test_a_long_way_of_small_pans_is_where_a_fresh_frame_is(self, ready):
        view = Viewport(ready.size, SCREEN, (0.3, 0.1), 9.3)
        for step in range(30):
            view = view.panned(step % 3 - 1, -1)
            picture = ready.picture(view, LIIF_SIDE)
        fresh = ExploredPhoto(ready.photo, ready.models).picture(view, LIIF_SIDE)
        np.testing.assert_array_equal(picture, fresh)

    @pytest.mark.parametrize("change", ["half a pixel", "magnification", "side", "far away"])
    def test_another_picture_shares_nothing(self, ready, computed, change):
        view, side = Viewport(ready.size, SCREEN, (0.1, 0.2), 8), LIIF_SIDE
        ready.picture(view, side)
        computed.clear()
        if change == "side":
            side = Side("LIIF", cell_decoding=False)
        moved = {
            "half a pixel": view.panned(0.5, 1),
            "magnification": view.zoomed(1.001),
            "side": view.panned(1, 0),
            "far away": view.panned(-100, 100),
        }[change]
        ready.picture(moved, side)
        assert sum(computed) == SCREEN[0] * SCREEN[1]

    def test_while_it_is_panned_a_picture_stays_fine(self, ready, monkeypatch):
        monkeypatch.setattr("liif_core.explorer.messages.COARSE_PIXELS", 600)
        view = Viewport(ready.size, SCREEN, (0.1, 0.2), 8)

        def shape(view: Viewport) -> tuple[int, ...]:
            where = {"centre": view.centre, "magnification": 8, "screen": SCREEN}
            more = {"view": where, "reads": 99, "coarse": True, "lossless": False}
            return decoded(ask(ready, "frame", **more)[1][0]).shape[:2]

        assert math.prod(shape(view)) <= 600 * 1.1
        ready.picture(view, LIIF_SIDE)
        assert shape(view.panned(4, -6)) == SCREEN
        ready.pace.clear()
        assert math.prod(shape(view.panned(30, 0))) <= 600 * 1.1


class TestBelowTheTraining:
    """LIIF was not trained to shrink; a heat field's pixel is exact down to a half."""

    @pytest.fixture
    def ready(self) -> ExploredPhoto:
        models = {"heat": small_heat(), "LIIF": small_model()}
        return ExploredPhoto(photo_from(noise(110, 130)), models)

    @pytest.mark.parametrize(
        ("method", "magnification", "asked"),
        [
            ("heat", 0.5, True),
            ("heat", 0.83, True),
            ("heat", 0.49, False),
            ("LIIF", 0.83, False),
            ("LIIF", 1.0, True),
        ],
    )
    def test_from_where_on_a_model_is_asked(self, ready, method, magnification, asked):
        side, view = Side(method), Viewport(ready.size, SCREEN, (0.1, 0.1), magnification)
        assert (ready.tiles(view, side) != ([], 0)) is asked
        found = ready.picture(view, side)
        expected = ready.picture(view, Side("bicubic"))
        if asked:
            source = ContinuousPhoto(ready.models[method], ready.photo)
            grid = view.grid()
            expected = source.render(grid.height, grid.width, grid.box).clip(0, 1) * 255
        assert np.abs(found - expected.astype(float)).max() <= 0.51
        said = describe(side, ready.models, magnification)
        least = {"heat": "0.5", "LIIF": "1"}[method]
        assert said == (method if asked else f"bicubic, for {method} is asked from ×{least} on")

    def test_a_saved_picture_names_what_was_asked(self, ready):
        for magnification, words in ((0.8, "weights heat, ×0.8"), (0.45, "bicubic, ×0.45")):
            view = {"screen": [48, 52], "centre": [0, 0], "magnification": magnification}
            size = [
                span.count for span in Viewport(ready.size, (48, 52), (0, 0), magnification).spans()
            ]
            side = vars(Side("heat"))
            form = {"size": size, "rows": [0, 10], "split": 0, "left": side, "right": side}
            _, (strip,) = ask(ready, "strip", view=view, **form)
            assert words in Image.open(io.BytesIO(strip)).info["XML:com.adobe.xmp"]


class TestInventedDetails:
    """A model with noise: the same photo and seed, the same picture, however it is asked for."""

    @pytest.fixture
    def ready(self) -> ExploredPhoto:
        torch.manual_seed(0)
        config = LIIFConfig(blocks=2, channels=8, hidden=(16, 16), local_colour=True, noise=12)
        model = LIIF(config).eval().requires_grad_(False)
        model.imnet.layers[0].weight[:, -12:] *= 4  # of random weights, noise changes little
        model.imnet.layers[-1].weight *= 4
        photo = photo_from(noise(150, 140))  # of two tiles by two
        return ExploredPhoto(photo, {"crisp": model, "LIIF": small_model()})

    def fresh(self, ready: ExploredPhoto) -> ExploredPhoto:
        return ExploredPhoto(ready.photo, ready.models)

    @pytest.mark.parametrize("seed", [0, 3, 2**31 - 1])
    def test_the_same_seed_is_the_same_picture(self, ready, seed):
        view, side = Viewport(ready.size, SCREEN, (-0.15, -0.1), 7.3), Side("crisp", seed=seed)
        first = ready.picture(view, side)
        ready.picture(view, Side("crisp", seed=11))
        np.testing.assert_array_equal(ready.picture(view, side), first)
        np.testing.assert_array_equal(self.fresh(ready).picture(view, side), first)
        set_seed(ready.models["crisp"], seed)
        np.testing.assert_array_equal(self.fresh(ready).picture(view, Side("crisp")), first)

    def test_another_seed_is_another_picture_of_the_same_codes(self, ready, monkeypatch):
        view = Viewport(ready.size, SCREEN, (-0.15, -0.1), 7.3)
        first = ready.picture(view, Side("crisp", seed=0))
        monkeypatch.setattr(TileStore, "_decoded", None)  # nothing is read anew
        second = ready.picture(view, Side("crisp", seed=1))
        assert np.abs(first.astype(int) - second).mean() > 2
        np.testing.assert_array_equal(ready.picture(view, Side("crisp", seed=0)), first)

    @pytest.mark.parametrize("parts", [{}, {"local_ensemble": False}, {"cell_decoding": False}])
    @pytest.mark.parametrize("by", [(0, 3), (7, -11), (-30, 20)])
    def test_a_pan_shares_to_the_bit(self, ready, parts, by):
        side = Side("crisp", seed=5, **parts)
        view = Viewport(ready.size, SCREEN, (-0.12, -0.05), 11.3)
        ready.picture(view, side)
        moved = view.panned(*by)
        expected = self.fresh(ready).picture(moved, side)
        np.testing.assert_array_equal(ready.picture(moved, side), expected)

    def test_a_frame_in_pieces_is_the_frame(self, ready):
        side, view = Side("crisp", seed=5), Viewport(ready.size, SCREEN, (-0.12, 0.0), 9.1)
        grid, whole = view.screen_grid(), ready.picture(view, side)
        for rows, cols in ((range(7), range(64)), (range(7, 48), range(5, 33))):
            piece = self.fresh(ready).part(grid, side, rows, cols)
            np.testing.assert_array_equal(
                piece, whole[rows.start : rows.stop, cols.start : cols.stop]
            )

    def test_two_seeds_beside_one_another(self, ready):
        view = Viewport(ready.size, SCREEN, (-0.12, 0.0), 9.1)
        sides = Side("crisp", seed=1), Side("crisp", seed=2)
        both = printed(ready, view, sides, 0.5)
        for side, cols in zip(sides, (slice(0, 32), slice(32, 64)), strict=True):
            np.testing.assert_array_equal(both[:, cols], ready.picture(view, side)[:, cols])

    @pytest.mark.parametrize("seed", [0, 9])
    def test_the_xray_explains_the_pixel_on_screen(self, ready, seed):
        """Its noise is read at the place in the photo, though it encodes a window alone."""
        side, view = Side("crisp", seed=seed), Viewport(ready.size, SCREEN, (0.3, 0.2), 9)
        picture = ready.picture(view, side)
        for row, col in ((5, 7), (30, 50), (47, 63)):
            found = ready.explain(side, view.coord_at(row, col), view.cell())
            assert np.abs(np.clip(found.colour, 0, 1) * 255 - picture[row, col]).max() <= 0.51
            assert found.chance.seed == seed

    def test_many_seeds_keep_few_pictures(self, ready):
        view = Viewport(ready.size, SCREEN, (0.3, 0.2), 9)
        for seed in range(MOST_SIDES + 5):
            ready.picture(view, Side("crisp", seed=seed))
        assert len(ready._shown._last) == MOST_SIDES
        assert len(ready._readers) == 1

    def test_a_seed_means_nothing_to_other_models(self, ready):
        view = Viewport(ready.size, SCREEN, (0.3, 0.2), 9)
        plain = ready.picture(view, Side("LIIF"))
        assert ready.new_pixels(view, Side("LIIF", seed=4)) == 0
        np.testing.assert_array_equal(ready.picture(view, Side("LIIF", seed=4)), plain)
        assert ready.explain(Side("LIIF", seed=4), (0, 0), (0.1, 0.1)).chance is None

    def test_a_saved_picture_says_that_it_is_invented(self, ready):
        view = {"screen": [48, 64], "centre": [0, 0], "magnification": 8}
        form = {"size": [48, 64], "rows": [0, 10], "view": view}
        left, crisp = vars(Side("bicubic")), vars(Side("crisp", seed=3, cell_decoding=False))
        _, (strip,) = ask(ready, "strip", left=left, right=crisp, split=0.25, **form)
        text = Image.open(io.BytesIO(strip)).info["XML:com.adobe.xmp"]
        assert "left of 25%: bicubic, ×8, pixels 66, 72, 74, 78; right of it: weights" in text
        assert (
            "weights crisp without cell decoding, ×8, pixels 66, 72, 74, 78, seed 3, details"
            in text
        )
        assert "compositeWithTrainedAlgorithmicMedia" in text
        exif = Image.open(io.BytesIO(strip)).getexif()
        assert "seed 3, details are generated" in exif[Base.Software]
        _, (strip,) = ask(ready, "strip", left=left, right=crisp, split=1, **form)
        text = Image.open(io.BytesIO(strip)).info["XML:com.adobe.xmp"]
        assert "generated" not in text
        assert "compositeWithTrainedAlgorithmicMedia" not in text

    def test_a_saved_picture_of_an_invented_photo_says_so_too(self, ready):
        how = "weights crisp, ×2, seed 7, details are generated"
        before = carried(Notes(), WHOLE_VIEW, Maker("crisp", True, None, 7), PNG)
        photo = replace(ready.photo, notes=Notes(exif=before.exif, xmp=before.xmp))
        view = {"screen": [48, 64], "centre": [0, 0], "magnification": 8}
        form = {"size": [48, 64], "rows": [0, 10], "view": view, "split": 0.25}
        left, right = vars(Side("bicubic")), vars(Side("LIIF"))
        explored = ExploredPhoto(photo, ready.models)
        _, (strip,) = ask(explored, "strip", left=left, right=right, **form)
        saved = Image.open(io.BytesIO(strip))
        assert f">{how}<" in saved.info["XML:com.adobe.xmp"]
        assert "compositeWithTrainedAlgorithmicMedia" in saved.info["XML:com.adobe.xmp"]
        assert "seed 7, details are generated" in saved.getexif()[Base.Software].splitlines()[1]


class Clock:
    """Shows what pictures take, so many seconds for a pixel, and not what they really take."""

    def __init__(self, monkeypatch, ready: ExploredPhoto, pace: float) -> None:
        self.now, self.pixels, picture = 50.0, [], ready.picture

        def slow(*asked, **more):
            found = picture(*asked, **more)
            self.pixels.append(math.prod(found.shape[:2]))
            self.now += pace * self.pixels[-1]
            return found

        monkeypatch.setattr(ready, "picture", slow)
        monkeypatch.setattr("liif_core.explorer.messages.clock", lambda: self.now)


FULL = 240 * 320


@pytest.mark.parametrize(
    ("known", "pace", "expected"),
    [
        (None, 2e-5, [6_000]),  # that took longer than there was
        (None, 6e-6, [6_000]),  # time for 10,600 more: hardly finer
        (None, 5e-6, [6_000, 14_000]),  # time for 14,000
        (None, 2e-6, [6_000, 44_000]),
        (None, 1e-7, [6_000, FULL]),
        (None, 0.0, [6_000, FULL]),
        (1e-5, 1e-5, [10_000]),
        (1e-9, 1e-5, [FULL]),
        (1.0, 1.0, [2_000]),
        (1.0, 2e-6, [2_000, 48_000]),  # the machine was busy, and is no more
    ],
)
def test_a_moving_picture_goes_from_coarse_to_fine_as_the_time_allows(
    monkeypatch, known, pace, expected
):
    monkeypatch.setattr("liif_core.explorer.messages.COARSE_PIXELS", 6_000)
    monkeypatch.setattr("liif_core.explorer.messages.LEAST_PIXELS", 2_000)
    ready = explored(noise(40, 50))
    if known:
        ready.pace[LIIF_SIDE] = known
    clock = Clock(monkeypatch, ready, pace)
    view = {"screen": [240, 320], "centre": [0, 0], "magnification": 8}
    _, pictures = ask(ready, "frame", view=view, reads=99, coarse=True, lossless=False)
    assert clock.pixels == pytest.approx(expected, rel=0.04)
    assert math.prod(decoded(pictures[0]).shape[:2]) == clock.pixels[-1]
    assert ready.pace[LIIF_SIDE] == pytest.approx(pace, abs=1e-10)  # tells how fast the next is
    if len(clock.pixels) > 1:  # what was finer fitted into the time
        assert clock.now - 50 <= 0.1 * 1.02


@pytest.mark.parametrize("pixels", [1_000, 100])
def test_a_picture_too_small_to_tell_leaves_the_pace_unknown(monkeypatch, pixels):
    monkeypatch.setattr("liif_core.explorer.messages.COARSE_PIXELS", pixels)
    ready = explored(noise(40, 50))
    clock = Clock(monkeypatch, ready, 1e-9)
    view = {"screen": [240, 320], "centre": [0, 0], "magnification": 8}
    ask(ready, "frame", view=view, reads=99, coarse=True, lossless=False)
    assert len(clock.pixels) == 1
    assert not ready.pace
