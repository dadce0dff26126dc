"""The widgets, without a browser: what they answer, send, refuse and leave in a notebook."""

import base64
import html
import io
import json
import re
from datetime import datetime, timezone
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

pytest.importorskip("anywidget", reason="the widgets need anywidget: pip install '.[lab]'")

from liif_core.errors import LiifError
from liif_core.photos import Photo
from liif_core.training.degrade import sensor_noise
from liif_core.widgets import FrameSlider, Predict, UploadBox, ZoomExplorer
from liif_core.widgets.assets import STATIC, engine_pieces, joined, module
from liif_core.widgets.keep_stills import WIDGET_VIEW, keep_stills, main
from liif_core.widgets.still_widget import STILL, StillWidget
from liif_core.widgets.stills import SHEET_BYTES, contact_sheet

WIDGETS = {
    "predict.js": Predict,
    "frame_slider.js": FrameSlider,
    "zoom_explorer.js": ZoomExplorer,
}


def ask(**changes: Any) -> Predict:
    """Return a question with three choices, the last one right."""
    arguments: dict[str, Any] = {
        "question": "Which is <narrowest>?",
        "choices": ["nearest", "bicubic", "LIIF"],
        "answer": 2,
        "explain": "Measured: 2.4 pixels.",
        "why_not": {0: "It looks sharp."},
    }
    arguments.update(changes)
    return Predict(arguments.pop("question"), arguments.pop("choices"), **arguments)


def noise(value: int) -> np.ndarray:
    """Return a frame that JPEG cannot make small."""
    return np.random.default_rng(value).integers(0, 256, (50, 70, 3), dtype=np.uint8)


def slide(draw: Any = noise, count: int = 10) -> FrameSlider[int]:
    """Return a slider over 0 … count-1."""
    return FrameSlider(range(count), draw, label=lambda value: f"no. {value}", alt="Noise.")


def receive(widget: Any, content: dict[str, Any]) -> list[tuple[dict[str, Any], list[bytes]]]:
    """Give the widget a message as the browser would, and return what it sends back."""
    sent: list[tuple[dict[str, Any], list[bytes]]] = []
    widget.send = lambda content, buffers=(): sent.append((content, list(buffers)))
    widget._handle_custom_msg(content, [])
    return sent


def bundle(widget: Any) -> dict[str, Any]:
    """Return what the widget leaves in a notebook."""
    data, _metadata = widget._repr_mimebundle_()
    return data


class TestPredict:
    def test_wrong_then_right(self) -> None:
        question = ask()
        assert (question.choice, question.right, question.revealed) == (None, None, "")
        wrong = question.commit(0)
        assert wrong.splitlines() == [
            "✗ Not this one. Measured: LIIF",
            "It looks sharp.",
            "Measured: 2.4 pixels.",
        ]
        assert (question.choice, question.right, question.revealed) == (0, False, wrong)
        right = question.commit(question.answer)
        assert right.splitlines() == ["✓ Right: LIIF", "Measured: 2.4 pixels."]
        assert (question.choice, question.right, question.revealed) == (2, True, right)

    def test_wrong_choice_without_a_reason(self) -> None:
        assert len(ask().commit(1).splitlines()) == 2

    def test_the_browser_learns_nothing_before_the_commitment(self) -> None:
        question = ask()
        state = question.get_state()
        texts = {name: value for name, value in state.items() if name not in ("_esm", "_css")}
        assert "2.4 pixels" not in json.dumps(texts)
        assert "It looks sharp" not in json.dumps(texts)
        assert texts["measured"] is None
        assert not {"answer", "_answer"} & texts.keys()
        question.commit(1)
        assert question.get_state()["measured"] == 2

    def test_commit_from_the_browser(self) -> None:
        question = ask()
        receive(question, {"type": "commit", "choice": 0})
        assert question.right is False

    def test_each_commitment_is_told_even_the_same_again(self) -> None:
        question = ask()
        question.commit(0)
        before = question.commits
        question.commit(0)
        assert question.commits == before + 1

    @pytest.mark.parametrize("choice", [None, 0, 2])
    def test_reveal_leaves_the_reader_alone(self, choice: int | None) -> None:
        question = ask()
        if choice is not None:
            question.commit(choice)
        before = question.get_state()
        assert question.reveal().splitlines() == ["Answer: LIIF", "Measured: 2.4 pixels."]
        assert question.get_state() == before

    def test_revealed_lines_are_broken_between_words(self) -> None:
        text = ask(explain="Measured: " + "one and two " * 20 + "\nWhy.").reveal()
        assert max(map(len, text.splitlines())) <= 96
        assert text.split() == f"Answer: LIIF Measured: {'one and two ' * 20} Why.".split()
        assert text.endswith("\nWhy.")

    def test_answer_may_be_computed_by_numpy(self) -> None:
        question = ask(answer=np.argmax([1, 2, 3]))
        assert question.answer == 2
        json.dumps(question.answer)

    def test_still_folds_the_answer_away(self) -> None:
        still = bundle(ask())["text/html"]
        seen, folded = still.split("<details>")
        assert "Which is &lt;narrowest&gt;?" in seen
        assert all(f"<li>{choice}</li>" in seen for choice in ("nearest", "bicubic", "LIIF"))
        assert "2.4" not in seen
        assert "2.4 pixels" in folded
        assert "It looks sharp." in folded

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"question": " "}, "question is empty"),
            ({"choices": ["only one"], "answer": 0}, "2 to 5 choices"),
            ({"choices": list("abcdef")}, "2 to 5 choices"),
            ({"choices": "abc"}, "2 to 5 choices"),
            ({"choices": ["a", "b", ""]}, "not empty"),
            ({"choices": ["a", "b", "a"]}, "the same"),
            ({"choices": [1, 2, 3]}, "text"),
            ({"answer": 3}, "from 0 to 2, got 3"),
            ({"answer": -1}, "from 0 to 2, got -1"),
            ({"answer": 1.5}, "from 0 to 2, got 1.5"),
            ({"explain": ""}, "explanation is empty"),
            ({"why_not": {7: "x"}}, "key of why_not"),
            ({"why_not": {2: "x"}}, "which is the answer"),
        ],
    )
    def test_bad_arguments(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(LiifError, match=message):
            ask(**changes)

    def test_bad_commit_changes_nothing(self) -> None:
        question = ask()
        with pytest.raises(LiifError, match="from 0 to 2, got 3"):
            question.commit(3)
        assert question.choice is None


class TestFrameSlider:
    def test_show_frame_moves_the_slider(self) -> None:
        slider = slide()
        np.testing.assert_array_equal(slider.show_frame(7), noise(7))
        assert slider.index == 7
        assert not slider.show_frame(7).flags.writeable

    def test_a_frame_is_drawn_once(self) -> None:
        drawn: list[int] = []

        def draw(value: int) -> np.ndarray:
            drawn.append(value)
            return noise(value)

        slider = slide(draw)
        for _ in range(2):
            slider.show_frame(3)
            receive(slider, {"type": "frame", "index": 3})
        assert drawn == [3]

    def test_frames_travel_without_loss(self) -> None:
        [(content, [png])] = receive(slide(), {"type": "frame", "index": 4})
        assert content == {"type": "frame", "index": 4}
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), noise(4))

    def test_floats_are_clamped_on_screen_only(self) -> None:
        frame = np.full((2, 2, 3), [-0.1, 0.5, 1.1])
        slider = slide(lambda _value: frame)
        np.testing.assert_array_equal(slider.show_frame(0), frame)
        [(_, [png])] = receive(slider, {"type": "frame", "index": 0})
        assert Image.open(io.BytesIO(png)).getpixel((1, 1)) == (0, 128, 255)

    def test_a_draw_that_fails(self) -> None:
        slider = slide(lambda value: 1 / value)
        with pytest.raises(ZeroDivisionError):
            slider.show_frame(0)
        [(content, buffers)] = receive(slider, {"type": "frame", "index": 0})
        assert content["type"] == "error"
        assert "ZeroDivisionError: division by zero" in content["message"]
        assert buffers == []

    @pytest.mark.parametrize(
        ("frame", "message"),
        [
            (np.zeros((4, 4)), r"shape \(4, 4\)"),
            (np.zeros((4, 4, 4)), r"shape \(4, 4, 4\)"),
            (np.zeros((0, 4, 3)), r"shape \(0, 4, 3\)"),
            (np.zeros((4, 4, 3), int), "int64"),
            (np.full((4, 4, 3), 200.0), "from 200 to 200"),
            (np.full((4, 4, 3), np.nan), "from nan to nan"),
        ],
    )
    def test_what_is_not_a_picture(self, frame: np.ndarray, message: str) -> None:
        with pytest.raises(LiifError, match=message):
            slide(lambda _value: frame).show_frame(0)

    @pytest.mark.parametrize("index", [-1, 10, 0.5, None])
    def test_bad_index(self, index: Any) -> None:
        with pytest.raises(LiifError, match="from 0 to 9"):
            slide().show_frame(index)

    def test_bad_arguments(self) -> None:
        with pytest.raises(LiifError, match="at least one value"):
            slide(count=0)
        with pytest.raises(LiifError, match="alternative text"):
            FrameSlider([1], noise, label=str, alt="")

    def test_still_shows_a_few_frames(self) -> None:
        still = bundle(slide())["text/html"]
        assert len(still) < 60_000
        assert 'alt="Noise. Frames in reading order (6 of 10): no. 0 | no. 2 |' in still
        data = re.search(r'src="data:image/jpeg;base64,([^"]+)"', still)
        assert data is not None
        sheet = Image.open(io.BytesIO(base64.b64decode(data[1])))
        assert sheet.size == (6 * 70 + 5 * 4, 50)

    def test_still_leaves_out_what_cannot_be_drawn(self) -> None:
        assert "(1 of 2): no. 1<" in bundle(slide(lambda value: noise(1 // value), 2))["text/html"]
        assert bundle(slide(lambda _value: 1 / 0))["text/html"] == "<p>Noise.</p>"


class TestContactSheet:
    @pytest.mark.parametrize("shape", [(600, 800), (64, 64), (200, 1200), (1200, 100), (1, 1)])
    @pytest.mark.parametrize("count", [1, 4, 5, 6])
    def test_is_small_whatever_the_frames(self, shape: tuple[int, int], count: int) -> None:
        frame = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
        jpeg = contact_sheet([frame] * count)
        width, height = Image.open(io.BytesIO(jpeg)).size
        assert len(jpeg) <= SHEET_BYTES
        assert width <= 960
        assert height <= 480

    def test_wide_frames_stand_in_two_columns(self) -> None:
        sheet = Image.open(io.BytesIO(contact_sheet([np.zeros((300, 900, 3), np.uint8)] * 6)))
        assert sheet.width > 900
        assert sheet.height > 450

    def test_frames_of_different_sizes_keep_their_proportion(self) -> None:
        black, white = np.zeros((20, 20, 3), np.uint8), np.full((80, 80, 3), 255, np.uint8)
        sheet = np.asarray(Image.open(io.BytesIO(contact_sheet([black, white]))).convert("L"))
        assert sheet.shape == (80, 80 + 4 + 80)
        assert sheet[40, 40] < 20  # the small frame in the middle of its cell
        assert 100 < sheet[5, 5] < 150  # the grey around it
        assert sheet[5, 100] > 235


def png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def corner(photo: Photo) -> tuple[np.ndarray, str]:
    return photo.rgb(slice(0, 2), slice(0, 2)), f"the corner of {photo.width} × {photo.height}"


class TestUploadBox:
    def test_shows_the_picture_then_the_mistake(self) -> None:
        box = UploadBox(corner)
        clean = np.full((50, 70, 3), 90, np.uint8)
        assert box.receive("a.png", png(clean)) == "the corner of 70 × 50"
        assert 'alt="the corner of 70 × 50"' in box.result.value
        assert box.receive("<b>.png", b"hello").startswith("✗ <b>.png: not a picture")
        assert "<img" not in box.result.value
        assert "&lt;b&gt;.png" in box.result.value

    def test_a_photo_is_read_as_it_is(self) -> None:
        seen: list[Photo] = []
        UploadBox(lambda photo: (seen.append(photo), corner(photo))[1]).receive(
            "a.png", png(noise(1))
        )
        np.testing.assert_array_equal(seen[0].colour, noise(1))

    @pytest.mark.parametrize(
        "data", [b"", b"no picture", png(noise(1))[:4800]], ids=["empty", "text", "cut off"]
    )
    def test_a_bad_file_is_named_by_its_own_name(self, data: bytes) -> None:
        says = UploadBox(corner).receive("../folder/mine.png", data)
        assert says.startswith("✗ mine.png: ")
        assert "\n" not in says

    def test_what_is_missing_or_not_read_is_told(self) -> None:
        file = io.BytesIO()
        pages = [Image.fromarray(noise(seed)) for seed in (1, 2)]
        pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
        box = UploadBox(corner)
        says = box.receive("a.tif", file.getvalue())
        assert says.startswith(
            "the corner of 70 × 50 (page 1 of 2 is read; this photo carries noise"
        )
        assert html.escape(says) in box.result.value
        pages[0].save(file := io.BytesIO(), "JPEG")
        assert "cut off: of 50 rows" in box.receive("a.jpg", file.getvalue()[:-1500])

    def test_a_worn_photo_is_told_of(self) -> None:
        rng = np.random.default_rng(0)
        clean = np.full((64, 64, 3), 128, np.uint8)
        for photo, told in ((clean, False), (sensor_noise(clean, 12, rng), True)):
            buffer = io.BytesIO()
            Image.fromarray(photo).save(buffer, "PNG")
            says = UploadBox(lambda photo: (photo.colour, "A photo.")).receive(
                "a", buffer.getvalue()
            )
            assert ("this photo carries noise; load_model" in says) == told

    def test_the_button_has_room_for_its_words(self) -> None:
        assert UploadBox(corner).button.layout.width == "max-content"

    def test_the_button_is_connected(self) -> None:
        box = UploadBox(corner)
        file = {"name": "a.png", "type": "image/png", "content": memoryview(png(noise(1)))}
        box.button.value = ({**file, "size": 1, "last_modified": datetime.now(tz=timezone.utc)},)
        assert "the corner" in box.result.value

    def test_a_page_without_a_kernel_says_what_is_missing(self) -> None:
        assert "button" in UploadBox(corner)._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("make", [ask, slide, lambda: UploadBox(corner)])
def test_jupyterlab_is_left_the_choice_between_view_and_still(make: Any) -> None:
    found = make()._repr_mimebundle_()
    data = found if isinstance(found, dict) else found[0]
    assert data.keys() >= {WIDGET_VIEW, STILL, "text/html", "text/plain"}


@pytest.mark.parametrize("make", [ask, slide])
def test_what_a_notebook_keeps_is_the_same_in_every_run(make: Any) -> None:
    first, second = bundle(make()), bundle(make())
    assert first[WIDGET_VIEW].pop("model_id") != second[WIDGET_VIEW].pop("model_id")
    assert first == second
    assert "0x" not in first["text/plain"]


def test_a_widget_must_have_a_still() -> None:
    with pytest.raises(NotImplementedError, match="StillWidget must say what its still is"):
        bundle(StillWidget(_esm="export default {}"))


@pytest.mark.parametrize(("name", "widget"), WIDGETS.items())
def test_browser_module_is_whole_and_offline(name: str, widget: Any) -> None:
    text = module(name)
    assert widget._esm == text
    assert not re.search(r"^\s*import\b|\bimport\(", text, re.MULTILINE)  # resolved here
    (default,) = re.findall(r"^export default .*", text, re.MULTILINE)
    assert re.fullmatch(r"export default \{ render: \w+ \};", default)
    assert text.count("function element(") == 1
    assert_one_scope(text)


def assert_one_scope(text: str) -> None:
    """Modules that are joined share one scope: no name may stand twice at its top level."""
    names = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", text, re.MULTILINE)
    assert len(names) == len(set(names))


def test_the_engine_fits_into_one_text_with_the_explorer() -> None:
    kernels, worker = engine_pieces()
    assert all(kernel.startswith(b"\0asm") for kernel in kernels.values())
    assert "self.onmessage" in worker
    page = joined(
        'import { explore } from "./zoom_explorer.js";\n'
        'import { Engine } from "./engine/engine.js";\n'
        'import { photoFrom } from "./engine/uploads.js";\n'
        'import { piecesWithin } from "./engine/pieces.js";\n'
    )
    assert page.count("class Engine ") == 1
    for text in (page, worker):
        assert not re.search(r"^\s*(import|export)\b|\bimport(\(|\.meta)", text, re.MULTILINE)
        assert_one_scope(text)


def parts_of(text: str) -> list[tuple[str, str, int]]:
    """Return (kind, first line, lines) of every function, class and method of a module.

    As our modules are written, each begins at the margin (a method two spaces from it) and ends
    with a brace at the same place.
    """
    found = []
    for indent, words in (
        ("", r"(?:export )?(?:async )?(function|class) "),
        ("  ", r"()[\w# ]+\("),
    ):
        form = rf"^{indent}{words}.*?^{indent}\}}$"
        for part in re.finditer(form, text, re.MULTILINE | re.DOTALL):
            lines = part[0].splitlines()
            if lines[0].endswith("{"):
                found.append((part[1] or "method", lines[0], len(lines)))
    return found


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.js")), ids=lambda file: file.name)
def test_browser_modules_are_of_readable_size(file: Any) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= 300
    parts = parts_of(text)
    assert parts
    most = {"function": 80, "method": 80, "class": 200}
    assert [part for part in parts if part[2] > most[part[0]]] == []


@pytest.mark.parametrize("name", ["predict", "frame_slider", "zoom_explorer"])
def test_a_widgets_own_styles_outweigh_the_shared_ones(name: str) -> None:
    """Whichever of several style sheets a page loads last: each brings the shared one along."""
    root = {"zoom_explorer": "zoom"}.get(name, name.replace("_", "-"))
    text = re.sub(r"/\*.*?\*/", "", (STATIC / f"{name}.css").read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"@media[^{]*\{", "", text)
    selectors = [
        part.strip() for rule in re.findall(r"([^{}]+)\{", text) for part in rule.split(",")
    ]
    assert selectors
    assert [part for part in selectors if not part.startswith(f".liif-widget.liif-{root}")] == []


#: Names in a picture's metadata that look like addresses: nobody fetches them.
NAMES = re.compile(
    rb"http://(www\.w3\.org/1999/02/22-rdf-syntax-ns#|ns\.adobe\.com/xap/1\.0/"
    rb"|iptc\.org/std/Iptc4xmpExt/2008-02-29/|cv\.iptc\.org/newscodes/digitalsourcetype/)"
)


def test_static_files_name_no_address() -> None:
    files = [file for file in STATIC.rglob("*") if file.is_file()]
    assert len(files) > 10
    for file in files:
        assert b"://" not in NAMES.sub(b"", file.read_bytes()), file.name


class TestKeepStills:
    def notebook(self) -> nbformat.NotebookNode:
        """Return a notebook with a live widget's output, another widget's, and widget state."""
        view = {"model_id": "abc", "version_major": 2, "version_minor": 0}
        still = {"text/html": "<p>still</p>", STILL: {}}
        ours = {WIDGET_VIEW: view, **still, "text/plain": "Predict"}
        other = {WIDGET_VIEW: view, "text/plain": "FloatProgress"}
        outputs = [new_output("execute_result", data) for data in (ours, other)]
        cell = new_code_cell("question", outputs=[*outputs, new_output("stream", text="hello")])
        state: dict[str, Any] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
        language = {"name": "python", "version": "3.11.2", "file_extension": ".py"}
        return new_notebook(cells=[cell], metadata={"widgets": state, "language_info": language})

    def test_takes_out_views_that_have_a_still(self) -> None:
        notebook = self.notebook()
        assert keep_stills(notebook)
        ours, other, stream = notebook.cells[0].outputs
        assert set(ours.data) == {"text/html", "text/plain"}
        assert WIDGET_VIEW in other.data  # it has nothing else to show
        assert stream.text == "hello"
        assert notebook.metadata == {"language_info": {"name": "python"}}
        assert not keep_stills(notebook)

    def test_joins_a_text_that_was_printed_in_parts(self) -> None:
        parts = [("stdout", "a\n"), ("stdout", "b\n"), ("stderr", "c\n"), ("stdout", "d\n")]
        outputs = [new_output("stream", name=name, text=text) for name, text in parts]
        notebook = new_notebook(cells=[new_code_cell("slow()", outputs=outputs)])
        assert keep_stills(notebook)
        printed = [(output.name, output.text) for output in notebook.cells[0].outputs]
        assert printed == [("stdout", "a\nb\n"), ("stderr", "c\n"), ("stdout", "d\n")]
        assert not keep_stills(notebook)

    def test_command_line(self, tmp_path: Any, capsys: Any) -> None:
        file = tmp_path / "lesson.ipynb"
        nbformat.write(self.notebook(), file)
        assert main([str(file)]) == 0
        assert "lesson.ipynb" in capsys.readouterr().out
        once = file.read_bytes()
        assert main([str(file)]) == 0
        assert file.read_bytes() == once
        assert capsys.readouterr().out == ""

    def test_nothing_to_do_is_a_mistake(self, capsys: Any) -> None:
        assert main([]) == 2
        assert "usage" in capsys.readouterr().err
