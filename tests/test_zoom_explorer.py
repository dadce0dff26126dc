"""ZoomExplorer driven from code, as lessons do it, and by messages, as the browser does."""

import base64
import io
import json
import re
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("anywidget", reason="the widgets need anywidget: pip install '.[lab]'")

from liif_core.ablation import ablated
from liif_core.baselines import resize
from liif_core.errors import LiifError
from liif_core.explorer import Side
from liif_core.explorer.browser_weights import browser_weights
from liif_core.explorer.messages import VERSION
from liif_core.liif import LIIF, LIIFConfig
from liif_core.render import ContinuousPhoto
from liif_core.samples import sample_photo
from liif_core.weights import load_model
from liif_core.widgets import ZoomExplorer
from liif_core.widgets.assets import module
from liif_core.widgets.still_widget import LIVING
from liif_core.widgets.stills import SHEET_BYTES

SCREEN = (48, 64)


def small_model(seed: int = 0, **switches: bool) -> LIIF:
    torch.manual_seed(seed)
    config = LIIFConfig(blocks=2, channels=8, hidden=(16, 16), local_colour=True, **switches)
    return LIIF(config).eval().requires_grad_(False)


def inventive_model() -> LIIF:
    """Return a model that invents details, whose own seed is 4."""
    torch.manual_seed(0)
    config = LIIFConfig(blocks=2, channels=8, hidden=(16, 16), local_colour=True, noise=12)
    model = LIIF(config).eval().requires_grad_(False)
    model.imnet.layers[-1].weight *= 8
    model.seed = 4
    return model


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


PHOTO = noise(40, 50)


def explore(**changes: Any) -> ZoomExplorer:
    arguments: dict[str, Any] = {"photo": PHOTO, "model": small_model(), "screen": SCREEN}
    arguments.update(changes)
    return ZoomExplorer(arguments.pop("photo"), arguments.pop("model"), **arguments)


def receive(widget: Any, content: dict[str, Any], *buffers: bytes) -> tuple[dict, list[bytes]]:
    """Give the widget a message as the browser would, and return what it sends back."""
    sent: list[Any] = []
    content = {"version": VERSION, "viewer": "a", "tag": 1, "photo": 0, **content}
    widget.send = lambda content, buffers=(): sent.append((content, list(buffers)))
    widget._handle_custom_msg(content, [memoryview(buffer) for buffer in buffers])
    (answer,) = sent
    return answer


def as_png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def rendered(view: Any, model: LIIF | None = None) -> np.ndarray:
    source = ContinuousPhoto(model or small_model(), PHOTO.astype(np.float32) / 255)
    return source.viewport(view.centre, view.magnification, *SCREEN).clip(0, 1) * 255


class TestFromCode:
    def test_begins_with_the_whole_photo_bicubic_beside_liif(self) -> None:
        explorer = explore()
        assert repr(explorer) == "ZoomExplorer(photo of 50×40 pixels, LIIF)"
        assert explorer.viewport.magnification == pytest.approx(1.2)
        assert explorer.picture().shape == (48, 60, 3)
        assert (explorer.left["method"], explorer.right["method"]) == ("bicubic", "LIIF")
        assert explorer.grid
        assert not explore(grid=False).grid

    def test_look_compare_picture(self) -> None:
        explorer = explore()
        view = explorer.look(6, (0.2, -0.3))
        assert (view.magnification, view.centre) == (6, (0.2, -0.3))
        assert explorer.viewport == view
        explorer.compare("nearest", Side("LIIF", local_ensemble=False), split=0.25)
        found = explorer.picture()
        grid = view.grid()
        nearest = resize(PHOTO, 48, 64, "nearest", box=grid.box)
        variant = ablated(small_model(), local_ensemble=False)
        np.testing.assert_array_equal(found[:, :16], nearest[:, :16])
        assert np.abs(found[:, 16:] - rendered(view, variant)[:, 16:]).max() <= 0.51
        explorer.compare(split=0)
        assert np.abs(explorer.picture() - rendered(view, variant)).max() <= 0.51

    def test_what_is_not_given_stays(self) -> None:
        explorer = explore()
        explorer.look(6, (0.2, -0.3))
        assert explorer.look(8).centre == (0.2, -0.3)
        assert explorer.look(centre=(0.1, 0.1)).magnification == 8
        assert explorer.look(0) == explore().viewport  # the whole photo is the least
        explorer.compare(right="nearest")
        assert (explorer.left["method"], explorer.split) == ("bicubic", 0.5)

    def test_a_larger_picture_shows_the_same(self) -> None:
        explorer = explore()
        explorer.look(8, (0.1, 0.1))
        explorer.compare(split=0)
        large = explorer.picture(width=192)
        assert large.shape == (144, 192, 3)
        source = ContinuousPhoto(small_model(), PHOTO.astype(np.float32) / 255)
        expected = source.render(144, 192, explorer.viewport.grid().box).clip(0, 1) * 255
        assert np.abs(large - expected).max() <= 0.51

    def test_explain_is_the_query(self) -> None:
        explorer = explore()
        explorer.look(9, (0.3, 0.2))
        found = explorer.explain((0.31, 0.22))
        assert explorer.point == [0.31, 0.22]
        assert found.cell == pytest.approx((2 / 40 / 9, 2 / 50 / 9))
        model = small_model()
        photo = torch.from_numpy(PHOTO.astype(np.float32) / 255).permute(2, 0, 1)[None]
        asked = torch.tensor([[[0.31, 0.22]]], dtype=torch.float64)
        expected = model.query(model.encode(photo), asked, torch.tensor([[found.cell]]))
        np.testing.assert_allclose(found.colour, expected[0, 0], atol=1e-5)
        alone = explorer.explain((0.31, 0.22), Side("LIIF", local_ensemble=False))
        assert len(alone.codes) == 1

    def test_several_models(self) -> None:
        models = {"first": small_model(), "second": small_model(seed=1, cell_decoding=False)}
        explorer = explore(model=models)
        assert explorer.right["method"] == "first"
        explorer.compare("first", "second", 0.5)
        explorer.look(6)
        found = explorer.picture()
        view = explorer.viewport
        assert np.abs(found[:, :32] - rendered(view, models["first"])[:, :32]).max() <= 0.51
        assert np.abs(found[:, 32:] - rendered(view, models["second"])[:, 32:]).max() <= 0.51
        # Only what a model has can be switched off.
        offered = {method["name"]: method["switches"] for method in explorer.methods}
        assert offered["first"] == ["local_ensemble", "cell_decoding", "feature_unfolding"]
        assert offered["second"] == ["local_ensemble", "feature_unfolding"]
        assert offered["nearest"] == []

    def test_invented_details(self) -> None:
        crisp = inventive_model()
        explorer = explore(model={"crisp": crisp, "LIIF": small_model()})
        methods = {method["name"]: method for method in explorer.methods}
        assert methods["crisp"]["seed"] == 4
        assert "seed" not in methods["LIIF"]
        assert "seed" not in methods["nearest"]
        explorer.look(6)
        explorer.compare(right="crisp", split=0)
        own = explorer.picture()
        assert np.abs(own - rendered(explorer.viewport, crisp)).max() <= 0.51
        assert "<figcaption>crisp, seed 4, details are generated, ×6.00" in explorer.still()
        explorer.compare(right=Side("crisp", seed=8))
        assert "crisp, seed 8, details are generated" in explorer.still()
        assert np.abs(own - explorer.picture().astype(int)).mean() > 1
        assert explorer.explain((0.1, 0.1)).chance.seed == 8
        explorer.compare(right="LIIF")
        assert "generated" not in explorer.still()

    def test_explain_asks_the_side_that_shows_the_point(self) -> None:
        explorer = explore(model={"crisp": inventive_model(), "LIIF": small_model()})
        explorer.compare(Side("crisp", seed=3), Side("crisp", seed=8), split=0.5)
        left, right = (explorer.explain(point) for point in ((0, -0.5), (0, 0.5)))
        assert (left.chance.seed, right.chance.seed) == (3, 8)
        explorer.look(6, (0, -0.9))  # the split lies elsewhere on the photo now
        width = explorer.screen[1]
        for column, seed in ((width // 2 - 1, 3), (width // 2, 8)):
            point = explorer.viewport.coord_at(20, column)
            assert explorer.explain(point).chance.seed == seed
        # Of a side without a model the other is asked, whatever its seed.
        explorer.compare(left="bicubic")
        assert explorer.explain(explorer.viewport.coord_at(20, 2)).chance.seed == 8
        explorer.compare(Side("crisp", seed=3), "bicubic")
        assert explorer.explain(explorer.viewport.coord_at(20, width - 2)).chance.seed == 3

    def test_another_photo(self) -> None:
        explorer = explore()
        explorer.look(9)
        explorer.explain((0, 0))
        explorer.show_photo(noise(7, 9), "other")
        assert (explorer.photo["height"], explorer.photo["width"]) == (7, 9)
        assert explorer.point is None
        assert explorer.viewport.magnification == explorer.viewport.least
        with pytest.raises(LiifError, match="no such file"):
            explorer.show_photo("nowhere.jpg")
        assert explorer.photo["name"] == "other"

    def test_a_photo_is_called_after_its_file(self, tmp_path: Any) -> None:
        (tmp_path / "my cat.png").write_bytes(as_png(PHOTO))
        explorer = explore(photo=tmp_path / "my cat.png")
        assert explorer.photo["name"] == "my cat"
        explorer.show_photo(PHOTO)
        assert explorer.photo["name"] == "view"

    @pytest.mark.parametrize(
        ("action", "message"),
        [
            (lambda: explore(model={}), "the explorer needs a model"),
            (lambda: explore(model={"a": 3}), "model 'a' is a int"),
            (lambda: explore(model={"nearest": small_model()}), "cannot be called 'nearest'"),
            (lambda: explore(photo="nowhere.jpg"), "no such file"),
            (lambda: explore(screen=(10, 640)), "the screen must have 40 to 4000 pixels"),
            (lambda: explore().compare("sharpest"), "no method 'sharpest'; choose one of nearest"),
            (
                lambda: explore().compare(Side("LIIF", seed=3)),
                "'LIIF' invents no details; leave the seed out",
            ),
            (
                lambda: explore(model={"a": inventive_model()}).compare(Side("a", seed=-1)),
                "a seed is a whole number from 0 to 2,147,483,647, not -1",
            ),
            (lambda: explore().compare(split=2), "between 0 and 1 of the width, not at 2"),
            (lambda: explore().explain((0, 0), "bicubic"), "only a LIIF can be X-rayed: LIIF"),
            (lambda: explore().explain((3, 0)), "the coordinate must be two numbers"),
            (lambda: explore().picture(0), "at least 1 pixel wide"),
        ],
    )
    def test_refused(self, action: Any, message: str) -> None:
        with pytest.raises(LiifError, match=message):
            action()


class TestMessages:
    def test_a_frame_is_what_the_code_sees(self) -> None:
        explorer = explore()
        view = explorer.look(6, (0.2, -0.3))
        question = {
            "type": "frame",
            "view": {**explorer.view, "screen": explorer.screen},
            "side": explorer.right,
            "coarse": False,
            "lossless": True,
            "reads": 0,
            "viewer": "a",
            "tag": 7,
        }
        answer, _ = receive(explorer, question)
        while answer["reading"]:
            question["reads"] += 1
            answer, pictures = receive(explorer, question)
        assert (answer["viewer"], answer["tag"]) == ("a", 7)
        explorer.compare(split=0)
        shown = np.asarray(Image.open(io.BytesIO(pictures[0])).convert("RGB"))
        np.testing.assert_array_equal(shown, explorer.picture())
        assert np.abs(shown - rendered(view)).max() <= 0.51

    def test_an_upload_in_parts(self) -> None:
        explorer = explore()
        explorer.look(9)
        data = as_png(noise(30, 20))
        content = {"type": "upload", "upload": 1, "name": "my photo.png", "parts": 2}
        answer, _ = receive(explorer, {**content, "part": 0}, data[:999])
        assert "failed" not in answer
        assert explorer.photo["number"] == 0
        answer, _ = receive(explorer, {**content, "part": 1}, data[999:])
        assert "failed" not in answer
        assert (explorer.photo["height"], explorer.photo["name"]) == (30, "my photo")
        explorer.compare("nearest", split=1)
        assert explorer.viewport.magnification == pytest.approx(48 / 30)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (as_png(noise(30, 20))[:800], "bad.png: broken or cut off"),
            (b"not a photo at all", "bad.png: not a picture"),
            (b"", "bad.png: the file is empty"),
        ],
    )
    def test_a_corrupt_upload_changes_nothing(self, data: bytes, message: str) -> None:
        explorer = explore()
        explorer.look(9)
        before = dict(explorer.get_state())
        content = {"type": "upload", "upload": 1, "name": "bad.png", "parts": 1, "part": 0}
        answer, _ = receive(explorer, content, data)
        assert answer["failed"].startswith(message)
        assert explorer.get_state() == before

    def test_whatever_fails_is_told(self, monkeypatch: Any) -> None:
        explorer = explore()
        monkeypatch.setattr(explorer._session.explored, "explain", lambda *rest: 1 / 0)
        question = {"type": "xray", "side": explorer.right, "coord": [0, 0], "cell": [1, 1]}
        answer, pictures = receive(explorer, question)
        assert answer["failed"] == "ZeroDivisionError: division by zero"
        assert pictures == []


class TestStill:
    def still(self, explorer: ZoomExplorer) -> tuple[str, Image.Image]:
        html = explorer._repr_mimebundle_()[0]["text/html"]
        data = base64.b64decode(re.search(r'base64,([^"]+)"', html).group(1))
        assert len(data) <= SHEET_BYTES
        return html, Image.open(io.BytesIO(data))

    def test_shows_what_is_on_screen(self) -> None:
        smooth = resize(noise(4, 5), 40, 50, "bicubic")  # JPEG keeps it
        explorer = explore(photo=smooth, alt="Coloured <noise>.")
        explorer.look(5, (0.5, 0.5))
        html, picture = self.still(explorer)
        assert np.abs(np.asarray(picture).astype(int) - explorer.picture()).mean() < 4
        assert 'alt="Coloured &lt;noise&gt;. bicubic | LIIF, ×5.00, centre y, x = 0.5' in html
        assert html == explorer._repr_mimebundle_()[0]["text/html"]

    def test_says_what_is_switched_off(self) -> None:
        explorer = explore()
        explorer.compare(right=Side("LIIF", cell_decoding=False), split=0)
        assert "<figcaption>LIIF without cell decoding, ×1.20" in self.still(explorer)[0]

    def test_never_raises(self, monkeypatch: Any) -> None:
        explorer = explore(alt="Noise & more")
        monkeypatch.setattr(explorer._session.explored, "part", lambda *rest: 1 / 0)
        assert explorer.still() == "<p>Noise &amp; more</p>"


class TestInThePage:
    """With the engine in the browser; tests/browser/test_in_page.py looks at the other side."""

    def explorer(self, **options: Any) -> ZoomExplorer:
        return ZoomExplorer(noise(20, 30), small_model(), alt="Noise.", engine="browser", **options)

    def test_python_sends_photo_and_weights_once(self) -> None:
        explorer = self.explorer()
        sent = Image.open(io.BytesIO(explorer.photo_file))
        np.testing.assert_array_equal(np.asarray(sent), noise(20, 30))
        assert explorer.parts["weights"] == {"LIIF": browser_weights(small_model())}
        assert explorer._esm == module("zoom_in_page.js")
        here = explore()
        assert (here.parts, here.photo_file) == ({}, b"")
        assert here._esm == module("zoom_explorer.js")

    def test_code_goes_on_until_the_reader_opens_a_photo_in_the_page(self) -> None:
        explorer = self.explorer()
        assert explorer.picture().shape[2] == 3
        explorer.own_photo = True  # as the page tells it
        for ask in (explorer.picture, lambda: explorer.explain((0, 0))):
            with pytest.raises(LiifError, match="opened there"):
                ask()
        assert explorer.still() == "<p>Noise.</p>"
        assert "weights" not in explorer.living()
        explorer.show_photo(noise(10, 12))
        assert not explorer.own_photo
        assert Image.open(io.BytesIO(explorer.photo_file)).size == (12, 10)
        assert explorer.picture().shape[2] == 3

    def test_a_saved_notebook_holds_what_it_needs_within_a_megabyte(self) -> None:
        model = load_model("liif-edsr-small", "cpu")
        photo = sample_photo("portrait", 128)
        explorer = ZoomExplorer(photo, model, alt="A portrait.", engine="browser")
        bundle = explorer._repr_mimebundle_()[0]
        assert len(json.dumps(bundle)) < 1_000_000
        held = bundle[LIVING]["data"]
        (text,) = held["weights"].values()
        assert list(held["weights"]) == list(held["models"].values())
        parted = zlib.decompress(base64.b85decode(text))
        half = (len(parted) + 1) // 2
        whole = bytearray(len(parted))
        whole[::2], whole[1::2] = parted[:half], parted[half:]
        assert bytes(whole) == browser_weights(model)

    def test_what_does_not_fit_is_told(self) -> None:
        with pytest.warns(UserWarning, match="kept=1_000_000\\) keeps them"):
            explorer = self.explorer(kept=1000)
        assert "weights" not in explorer.living()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert "weights" not in self.explorer(kept=0).living()

    def test_what_a_page_cannot_do(self) -> None:
        with pytest.raises(LiifError, match="no engine 'gpu'; choose one of python, browser"):
            ZoomExplorer(noise(20, 30), small_model(), engine="gpu")
        plain = LIIF(LIIFConfig(blocks=1, channels=8, hidden=())).eval()
        with pytest.raises(LiifError, match="this LIIF has others"):
            ZoomExplorer(noise(20, 30), plain, engine="browser")

    def test_a_photo_too_large_for_a_notebook_is_told(self) -> None:
        explorer = self.explorer(kept=100_000)
        with pytest.warns(UserWarning, match="photo and weights need 0.*keeps them"):
            explorer.show_photo(noise(300, 400))
        assert "weights" not in (explorer.living() or {})
