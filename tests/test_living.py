"""What lets a widget live on a page without a kernel."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from served import small_model

from liif_core.explorer.browser_weights import mark_of

pytest.importorskip("anywidget", reason="the widgets need anywidget: pip install '.[lab]'")

from liif_core.widgets import FrameSlider, Predict, ZoomExplorer
from liif_core.widgets.assets import module
from liif_core.widgets.still_widget import LIVING


def test_a_question_lives_by_what_each_choice_reveals() -> None:
    question = Predict(
        "Which?", ["this", "that"], answer=1, explain="Measured.", why_not={0: "Tempting."}
    )
    living = question._repr_mimebundle_()[0][LIVING]
    assert living["kind"] == "predict"
    assert json.loads(json.dumps(living["data"])) == {
        "question": "Which?",
        "choices": ["this", "that"],
        "answer": 1,
        "reveals": [question.commit(0), question.commit(1)],
    }


def test_a_slider_lives_by_its_frames() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (200, 300, 3), dtype=np.uint8) for _ in range(5)]
    slider = FrameSlider(pictures, lambda one: one, label=str, alt="Noise.")
    slider.show_frame(2)
    data = slider.living()
    assert data["index"] == 2
    files = [base64.b64decode(frame) for frame in data["frames"]]
    assert len(files) == len(data["labels"]) == 5
    assert sum(map(len, files)) <= 60_000
    sizes = {Image.open(io.BytesIO(file)).size for file in files}
    assert len(sizes) == 1  # one scale for all


def test_a_slider_that_cannot_live_stays_a_still() -> None:
    many = FrameSlider(range(17), lambda _: np.zeros((2, 2, 3)), label=str, alt="Black.")
    broken = FrameSlider([1, 0], lambda one: np.zeros((2 // one, 2, 3)), label=str, alt="Black.")
    for slider in (many, broken):
        assert slider.living() is None
        assert LIVING not in slider._repr_mimebundle_()[0]


def test_an_explorer_lives_by_its_photo_and_the_mark_of_its_weights() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    model = small_model()
    explorer = ZoomExplorer(photo, {"ours": model}, alt="Noise.", grid=False)
    explorer.look(9, (0.1, 0.2))
    explorer.compare("nearest", split=0.3)
    living = json.loads(json.dumps(explorer._repr_mimebundle_()[0][LIVING]))
    assert living["kind"] == "explorer"
    data = living["data"]
    shown = Image.open(io.BytesIO(base64.b64decode(data["photo"])))
    assert np.array_equal(np.asarray(shown), photo)
    assert data["models"] == {"ours": mark_of(model)}
    values = data["values"]
    assert values["view"] == explorer.view
    assert (values["split"], values["grid"], values["alt"]) == (0.3, False, "Noise.")
    assert values["left"]["method"] == "nearest"
    # Of noise, even a JPEG is too large for a notebook.
    large = np.random.default_rng(0).integers(0, 256, (900, 900, 3), dtype=np.uint8)
    assert ZoomExplorer(large, model).living() is None


@pytest.mark.parametrize("name", ["living/page.js", "engine/worker.js"])
def test_what_a_page_runs_is_one_script(name: str) -> None:
    """Modules that are joined share one scope, and a plain script can import nothing."""
    text = module(name)
    assert not re.search(r"^\s*(import|export)\b|\bimport(\(|\.meta)", text, re.MULTILINE)
    names = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", text, re.MULTILINE)
    assert len(names) == len(set(names)) > 20
