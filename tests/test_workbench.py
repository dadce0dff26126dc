"""The learner's own LIIF: a learner is played, from nothing to the zoom; and what must not pass."""

import ast
import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from test_weights import official

from liif_core import zoom
from liif_core.exercises import workbench
from liif_core.exercises.parts import CHECKS
from liif_core.liif import LIIF, LIIFConfig
from liif_core.samples import sample_photo
from liif_core.weights import load_model, manifest, weights_folder

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
IMPORTS = "import math\nimport numpy as np\nimport torch\nimport torch.nn.functional as F\n"
IMPORTS += "from liif_core.coords import nearest_index\nfrom liif_core.liif import Latents\n\n\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MY_LIIF", str(tmp_path / "mine"))
    return tmp_path / "mine"


def said(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


def cells(number: int) -> str:
    """Return the functions that the solutions of a lesson define, as their notebook has them."""
    (path,) = NOTEBOOKS.glob(f"solutions/{number:02}_*.ipynb")
    code = [c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]
    found = []
    for cell in code:
        text = "".join(cell["source"])
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef):
                found.append(ast.get_source_segment(text, node))
    return "\n\n\n".join(found) + "\n"


def written(tmp_path: Path, text: str) -> ModuleType:
    """Import what a learner wrote into cells."""
    path = tmp_path / f"cells_{len(list(tmp_path.glob('cells_*')))}.py"
    path.write_text(IMPORTS + text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


#: What `keep` is given at the end of each lesson.
KEPT = {
    1: ("my_centres", "nearest_index", "bilinear_at"),
    2: ("convolution", "conv", "residual", "encode"),
    3: ("weights", "query"),
    4: ("cell_units",),
    6: ("questions", "rate_at", "step_once"),
}


def test_a_learner_builds_a_liif_from_nothing_and_zooms(tmp_path, folder, capsys):
    assert not folder.exists()
    for number, names in KEPT.items():
        mine = written(tmp_path, cells(number))
        workbench.keep(number, *(getattr(mine, name) for name in names))
        assert said(capsys).startswith(f"✓ Part {number} is in my_liif.py"), number
    assert [path.name for path in folder.iterdir()] == ["my_liif.py"]
    built = workbench.load()
    photo = sample_photo("cat", longest=40)
    file = weights_folder() / manifest()["liif-edsr-small"]["file"]
    for height, width in ((3 * photo.shape[0], 3 * photo.shape[1]), (31, 90)):
        mine = built.zoom(built.read(file), photo, height, width)
        theirs = np.asarray(zoom(photo, size=(width, height), model=load_model(file, "cpu")))
        assert np.abs(mine.astype(int) - theirs).max() <= 1
    assert workbench.try_out(photo) is not None
    assert "✓ Your LIIF zooms: 391,155" in said(capsys)
    assert workbench.try_out(sample_photo("coins", longest=24)) is None
    assert "all grey: try one in colour" in said(capsys)


def test_the_file_reads_an_official_checkpoint(tmp_path):
    torch.manual_seed(0)
    model = LIIF(LIIFConfig(blocks=3, channels=6, hidden=(8, 8, 8, 8))).eval()
    torch.save(official(model), tmp_path / "paper.pth")
    workbench.take(*CHECKS)
    built = workbench.load()
    photo = sample_photo("coffee", longest=30)
    mine = built.zoom(built.read(tmp_path / "paper.pth"), photo, 57, 61)
    theirs = zoom(photo, size=(61, 57), model=load_model(tmp_path / "paper.pth", "cpu"))
    assert np.abs(mine.astype(int) - np.asarray(theirs)).max() <= 1


def test_a_skipped_lesson_is_named_and_taken_by_one_line(tmp_path, folder, capsys):
    mine = written(tmp_path, cells(3))
    workbench.keep(3, mine.weights, mine.query)
    assert "uses `nearest_index`, which belongs to part 1" in said(capsys)
    assert not folder.exists()
    workbench.take(1)
    workbench.keep(3, mine.weights, mine.query)
    assert "✓ Part 3" in said(capsys)
    assert workbench.missing() == [2, 4, 6]


def test_areas_of_exactly_nothing_are_found_before_a_zoom_meets_them(tmp_path, capsys):
    workbench.take(1)
    short = cells(3).replace("(delta.abs() + 1e-9)", "delta.abs()")
    assert short != cells(3)
    mine = written(tmp_path, short)
    workbench.keep(3, mine.weights, mine.query)
    assert "`weights`: right at a code's centre" in said(capsys)
    assert 3 in workbench.missing()


OWN_AREA = "    area = delta.abs().prod(dim=-1)\n    return area / area.sum(dim=-1, keepdim=True)\n"


def test_a_helper_is_checked_where_it_is_given_and_not_asked_for(tmp_path, capsys):
    """Also one that `query`, which is right, does without."""
    workbench.take(1)
    text = cells(3).replace("= weights(", "= shares(")
    right = text[text.index("def weights") :].partition("\n\n\n")[0]
    text = text.replace(right, right.replace("weights", "shares"))
    mine = written(tmp_path, f"def weights(delta):\n{OWN_AREA}\n\n{text}")
    workbench.keep(3, mine.weights, mine.shares, mine.query)
    assert "Not kept: `weights`: each code got the rectangle" in said(capsys)
    workbench.keep(3, mine.shares, mine.query)
    assert "✓ Part 3" in said(capsys)


BLOCK = "return x + conv(F.relu(conv(x, block.body[0])), block.body[2])"


@pytest.mark.parametrize(
    ("right", "wrong", "hint"),
    [
        (
            "return convolution(x[0], layer.weight, layer.bias)[None]",
            "return convolution(x[0], layer.weight, 0 * layer.bias)[None]",
            "`conv`: it should give what `layer(x)` gives: its weight and its bias",
        ),
        (BLOCK, BLOCK.replace("x + ", ""), "`residual`: that is the correction alone"),
        (BLOCK, BLOCK.replace("F.relu", ""), "`residual`: between the two convolutions, ReLU"),
        (
            BLOCK,
            "return F.relu(x + conv(F.relu(conv(x, block.body[0])), block.body[2]))",
            "`residual`: ReLU stands between",
        ),
        (BLOCK, BLOCK.replace("body[2]", "body[0]"), "`residual`: it should give what `block(x)`"),
        (BLOCK, "conv(x, block.body[0])", "`residual`: your function returns nothing"),
    ],
)
def test_the_pieces_of_the_encoder_are_checked_each_by_itself(
    tmp_path, folder, capsys, right, wrong, hint
):
    text = cells(2)
    assert text.count(right) == 1
    mine = written(tmp_path, text.replace(right, wrong))
    workbench.keep(2, *(getattr(mine, name) for name in KEPT[2]))
    assert hint in said(capsys)
    assert not folder.exists()


def test_a_part_is_replaced_and_the_rest_stays(tmp_path, capsys):
    workbench.take(3, 1)
    other = "def cell_units(n_in, n_out):\n    pixels = n_in / n_out\n"
    other += "    return 2 / n_out, pixels, 2 * pixels\n"
    workbench.keep(4, written(tmp_path, cells(4)).cell_units)
    before = workbench.path().read_text("utf-8")
    workbench.keep(4, written(tmp_path, other).cell_units)
    after = workbench.path().read_text("utf-8")
    assert "pixels = n_in / n_out" in after
    assert after.count("def cell_units") == 1
    assert before.split("# --- part 4")[0] == after.split("# --- part 4")[0]
    capsys.readouterr()
    workbench.take(4)
    assert "has part 4 already" in said(capsys)
    assert workbench.path().read_text("utf-8") == after
    workbench.take(4, replace=True)
    assert workbench.path().read_text("utf-8") == before


WRONG = "def cell_units(n_in, n_out):\n    return 2 / n_in, n_in / n_out, 2 * n_in / n_out\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def cell_units(n_in, n_out):\n    raise NotImplementedError\n", "NotImplementedError"),
        (WRONG, "the frame is cut into"),
        (
            "def cell_units(n_in, n_out):\n    return 1 / 0\n",
            "stopped in its line 2, `return 1 / 0`",
        ),
        (
            "def cell_units(n_in, n_out):\n    return helper(n_in)\n",
            "uses `helper`, which is not in",
        ),
        (
            "def cell_units(n_in, n_out):\n    return pixel_centres(n_in)\n",
            "uses `pixel_centres`, which is not in my_liif.py: write `torch.tensor(my_centres(n))`",
        ),
        ("size = 2\n\n\ndef cell_units(a, b=size):\n    return a\n", "would not run: NameError"),
        ("cell_units = lambda a, b: a\n", "needs a function"),
        ("cell_units = 3\n", "its name alone"),
        ("from liif_core.coords import cell_size as cell_units\n", "the library's own"),
    ],
)
def test_broken_code_is_refused_in_words_and_nothing_is_written(tmp_path, capsys, text, line):
    workbench.take(1)
    before = workbench.path().read_bytes()
    capsys.readouterr()
    function = written(tmp_path, text).cell_units
    if getattr(function, "__name__", "") == "<lambda>":
        line = "must be written with `def"
    workbench.keep(4, function)
    told = said(capsys)
    assert told.startswith("✗ Not kept: ")
    assert line in told
    assert workbench.path().read_bytes() == before
    assert [path.name for path in workbench.path().parent.iterdir()] == ["my_liif.py"]


def test_a_source_that_is_gone_is_named(tmp_path, capsys):
    names: dict = {}
    exec("def cell_units(n_in, n_out):\n    return 1, 2, 3\n", {"__name__": "cells"}, names)
    workbench.keep(4, names["cell_units"])
    assert "the source of `cell_units` cannot be found" in said(capsys)


def test_a_file_whose_marks_are_lost_is_left_alone(folder, capsys):
    folder.mkdir()
    (folder / "my_liif.py").write_text("print('mine')\n", encoding="utf-8")
    workbench.take(1)
    assert "are not as they were" in said(capsys)
    assert (folder / "my_liif.py").read_text("utf-8") == "print('mine')\n"


def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MY_LIIF", str(tmp_path / "file" / "mine"))
    workbench.take(1)
    assert "cannot be written" in said(capsys)


def test_beside_a_read_only_course_the_file_lies_in_the_home_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("MY_LIIF")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    workbench.take(1)
    assert "~/my_liif/my_liif.py" in said(capsys)
    assert (tmp_path / "home" / "my_liif" / "my_liif.py").exists()
    monkeypatch.undo()
    monkeypatch.delenv("MY_LIIF", raising=False)
    monkeypatch.chdir(tmp_path)
    assert workbench.path() == Path("my_liif") / "my_liif.py"


def test_one_page_and_the_solutions_show_the_finished_module():
    def functions(text: str) -> dict[str, str]:
        nodes = ast.parse(text).body
        kinds = (ast.FunctionDef, ast.ClassDef)
        return {node.name: ast.unparse(node) for node in nodes if isinstance(node, kinds)}

    finished = functions(workbench.FINISHED.read_text("utf-8"))
    page = json.loads((NOTEBOOKS / "liif_on_one_page.ipynb").read_text("utf-8"))
    code = ["".join(c["source"]) for c in page["cells"] if c["cell_type"] == "code"]
    assert functions("\n".join(code)) == finished
    for number, names in KEPT.items():
        solved = functions(cells(number))
        assert {name: solved[name] for name in names} == {name: finished[name] for name in names}
