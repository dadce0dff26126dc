"""The command line: what it writes, what it prints, and how it fails."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import liif_core
from liif_core import workers
from liif_core.__main__ import build_parser, main
from liif_core.errors import LiifError
from liif_core.render import ContinuousPhoto
from liif_core.weights import load_model


@pytest.fixture
def photo(tmp_path) -> Path:
    rng = np.random.default_rng(3)
    small = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    small.resize((36, 30), Image.Resampling.BICUBIC).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def fails(capsys, *arguments: object) -> str:
    """Run a command that must exit with 2; return its one line."""
    try:
        status = main([str(a) for a in arguments])
    except SystemExit as exit:  # argparse
        status = exit.code
    printed = capsys.readouterr()
    assert status == 2, printed
    assert printed.err.count("\n") == 1, printed.err
    assert "Traceback" not in printed.err
    return printed.err


def test_zoom_writes_beside_the_photo(photo, capsys):
    assert main(["zoom", str(photo), "--scale", "2.5"]) == 0
    with Image.open(photo.with_name("photo_x2.5.png")) as result:
        assert result.size == (90, 75)
        expected = liif_core.zoom(photo, scale=2.5)
        np.testing.assert_array_equal(np.asarray(result), np.asarray(expected))
    assert "90×75" in capsys.readouterr().out


def test_zoom_options(photo, tmp_path):
    output = tmp_path / "out.jpg"
    arguments = ["zoom", str(photo), "--size", "100x40", "--crop", "4,2,24,12", "--compare"]
    assert main([*arguments, "--self-ensemble", "--quality", "80", "-o", str(output)]) == 0
    with Image.open(output) as result:
        assert (result.format, result.size) == ("JPEG", (100, 40))
    with Image.open(tmp_path / "out_compare.jpg") as both:
        assert both.size == (200 + 4, 40 + 20)
        left = np.asarray(both.crop((0, 20, 100, 60)), float)
    with Image.open(photo) as image:
        box = (4, 2, 24, 12)
        bicubic = image.resize((100, 40), Image.Resampling.BICUBIC, box=box)
    assert np.abs(left - np.asarray(bicubic, float)).mean() < 4  # JPEG's loss


def test_python_face(photo):
    array = np.asarray(Image.open(photo))
    model = load_model(device="cpu")
    expected = np.asarray(liif_core.zoom(photo, size=(50, 41)))
    assert expected.shape == (41, 50, 3)
    for image in (str(photo), Image.open(photo), array, array.astype(np.float32) / 255):
        result = liif_core.zoom(image, size=(50, 41), model=model)
        np.testing.assert_array_equal(np.asarray(result), expected)
    assert liif_core.zoom(array[..., 0], scale=2).mode == "L"
    shrunk = liif_core.zoom(photo, scale=0.01)
    assert shrunk.size == (1, 1)


def test_both_ways_of_calling_agree(photo):
    environment = {**os.environ, "PYTHONPATH": str(Path(liif_core.__file__).parent.parent)}
    command = [sys.executable, "-m", "liif_core", "weights", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "liif-edsr-small" in done.stdout
    assert "(default)" in done.stdout


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("12", 12),
        ("12x", 12),
        ("12X", 12),
        ("x12", 12),
        ("×2.5", 2.5),
        ("12,5", 12.5),
        ("1,25 x", 1.25),
        (",5", 0.5),
        ("1e2", 100),
    ],
)
def test_a_scale_may_be_written_as_people_do(text, scale):
    assert build_parser().parse_args(["zoom", "a.png", "--scale", text]).scale == scale


def test_so_may_whole_ones(capsys):
    parse = build_parser().parse_args
    assert parse(["evaluate", ".", "--scales", "2x", "×4"]).scales == [2, 4]
    assert "whole number" in fails(capsys, "evaluate", ".", "--scales", "2,5")


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0
    told = capsys.readouterr().out
    assert told.startswith(f"liif {version('how-does-ai-zoom')} (")
    assert torch.__version__.partition("+")[0] in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp1252"])
@pytest.mark.parametrize("command", ["zoom", "evaluate", "train", "weights"])
def test_help_is_printed_on_every_console(encoding, command):
    """A code page may lack × and –."""
    run = subprocess.run(
        [sys.executable, "-m", "liif_core", command, "--help"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(b"usage: liif")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scale", "0"], "greater than 0"),
        (["--scale", "-3"], "greater than 0"),
        (["--scale", "nan"], "greater than 0"),
        (["--scale", "inf"], "greater than 0"),
        (["--scale", "two"], "'two' is not a number, as in 12, 2.5 or 12x"),
        (["--scale", "1,000"], "a thousand or a fraction"),
        (["--scale", "1,2,3"], "is not a number"),
        (["--scale", "2", "--size", "3x3"], "not allowed with"),
        ([], "required"),
        (["--size", "40"], "40x3000|WIDTHxHEIGHT"),
        (["--size", "0x40"], "at least 1x1"),
        (["--scale", "1e5"], "3600000×3000000 pixels may take .* GB"),
        (["--scale", "1e300"], "too large"),
        (["--scale", "1e308"], "too large"),
        (["--size", "9999999999x5"], "at most 2,147,483,647"),
        (["--scale", "2", "--crop", "1,2,3"], "LEFT,TOP"),
        (["--scale", "2", "--crop", "10,10,10,20"], "empty"),
        (["--scale", "2", "--crop", "0,0,99,20"], "leaves the photo"),
        (["--scale", "2", "--weights", "none-such"], "no weights called"),
        (["--scale", "2", "--device", "abacus"], "device"),
        (["--scale", "2", "--quality", "0"], "1 to 100"),
        (["--scale", "2", "-o", "nowhere/out.png"], "nowhere"),
        (["--scale", "2", "-o", "out.gif"], ".png"),
    ],
)
def test_mistakes_get_one_line_and_status_2(photo, capsys, arguments, message):
    line = fails(capsys, "zoom", photo, *arguments)
    assert re.search(message, line), line
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


def test_an_existing_output_is_kept(photo, capsys):
    output = photo.with_name("photo_x2.png")
    output.write_bytes(b"precious")
    assert "--overwrite" in fails(capsys, "zoom", photo, "--scale", "2")
    assert output.read_bytes() == b"precious"
    assert main(["zoom", str(photo), "--scale", "2", "--overwrite"]) == 0
    assert Image.open(output).size == (72, 60)


@pytest.mark.parametrize("content", [None, b"", b"GIF89a", b"hello"])
def test_photos_that_are_none(tmp_path, capsys, content):
    path = tmp_path / "photo.png"
    if content is not None:
        path.write_bytes(content)
    assert "photo.png" in fails(capsys, "zoom", path, "--scale", "2")


def test_time_left_is_told_from_the_beginning(photo, capsys, monkeypatch):
    monkeypatch.setattr(ContinuousPhoto, "seconds_needed", lambda *_: 100.0)
    assert main(["zoom", str(photo), "--scale", "2"]) == 0
    assert "about 01:40 left" in capsys.readouterr().err


def liif(*arguments: object) -> list[str]:
    """The command line as its own process."""
    return [sys.executable, "-m", "liif_core", *map(str, arguments)]


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(liif_core.__file__).parent.parent)}


@pytest.fixture
def large_photo(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)).save(
        tmp_path / "photo.png"
    )
    return tmp_path / "photo.png"


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_an_interrupt_leaves_no_half_result(large_photo, environment, ending):
    """SIGINT in the middle of a long zoom: status 130, one line, no result."""
    output = large_photo.with_name(f"large{ending}")
    command = liif("zoom", large_photo, "--scale", "20", "-o", output)
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # Where the tests run in a shell's background, SIGINT is ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    # The bar appears when the work begins: until then the process may still be importing.
    assert process.stderr is not None
    assert process.stderr.read(1)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert not output.exists()
    left = {path.name for path in large_photo.parent.iterdir()} - {"photo.png"}
    assert left <= {f"{output.name}.liif-part", f"{output.name}.liif-part.json"}
    assert ending == ".png" or not left


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_killed_zoom_goes_on(large_photo, environment):
    """SIGKILL between two strips; the second run computes the rest alone, to the same bytes."""
    output, whole = large_photo.with_name("large.tif"), large_photo.with_name("whole.tif")
    command = liif("zoom", large_photo, "--scale", "3", "-o", output)
    journal = large_photo.with_name("large.tif.liif-part.json")
    # Dies as soon as the journal is written for the second time.
    dies = (
        "import os, signal, sys\n"
        "from liif_core.files.by_strips import Journal\n"
        "write, written = Journal.write, []\n"
        "def killed(self, path):\n"
        "    if written: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    write(self, path); written.append(1)\n"
        "Journal.write = killed\n"
        "from liif_core import render\n"
        "render.ContinuousPhoto.seconds_needed = lambda *_: 0.0\n"
        "render.ContinuousPhoto.strip_ends = lambda self, grid: [300, 500, 700, grid.height]\n"
        "from liif_core.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    died = subprocess.run([sys.executable, "-c", dies, *command[3:]], env=environment)
    assert died.returncode == -signal.SIGKILL
    assert json.loads(journal.read_text())["rows"] == 300
    assert not output.exists()
    computed = []

    def spied(self, grid, rows, cols, tick=None):
        computed.append((rows.start, rows.stop))
        return window(self, grid, rows, cols, tick)

    window = ContinuousPhoto.window
    with pytest.MonkeyPatch.context() as patch:
        ends = [300, 500, 700, 900]
        patch.setattr(ContinuousPhoto, "strip_ends", lambda self, grid: ends)
        patch.setattr(ContinuousPhoto, "window", spied)
        patch.setattr(ContinuousPhoto, "seconds_needed", lambda *_: 0.0)
        assert main(command[3:]) == 0
        assert computed == [(300, 500), (500, 700), (700, 900)]
        assert main([*command[3:-1], str(whole)]) == 0
    assert output.read_bytes() == whole.read_bytes()
    assert {path.name for path in large_photo.parent.iterdir()} == {
        "photo.png",
        "large.tif",
        "whole.tif",
    }


def test_evaluate(tmp_path, capsys):
    rng = np.random.default_rng(1)
    for name in ("a.png", "b.png"):
        small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        small.resize((64, 72), Image.Resampling.BICUBIC).save(tmp_path / name)
    output = tmp_path / "scores.json"
    assert main(["evaluate", str(tmp_path), "--scales", "2", "4", "--json", str(output)]) == 0
    printed = capsys.readouterr().out
    found = json.loads(output.read_text())
    assert len(found["scores"]) == 2 * 2 * 3
    for scale in ("x2", "x4"):
        for method in ("bicubic", "lanczos", "liif"):
            mean = found["means"][scale][method]["psnr"]
            assert f"{mean:.3f}" in printed
            group = [
                score["psnr"]
                for score in found["scores"]
                if (score["scale"], score["method"]) == (int(scale[1:]), method)
            ]
            assert mean == pytest.approx(np.mean(group))
    assert main(["evaluate", str(tmp_path), "--scales", "2", "--without", "a.png"]) == 0
    both, others = capsys.readouterr().out.split("\nwithout a.png:\n")
    assert both.splitlines()[2].split()[:2] == printed.splitlines()[2].split()[:2]
    assert others.startswith("1 photographs")
    (alone,) = [
        score["psnr"]
        for score in found["scores"]
        if (score["photo"], score["scale"], score["method"]) == ("b.png", 2, "liif")
    ]
    assert f"{alone:.3f}" in others.splitlines()[-1]
    assert "no c.png in" in fails(capsys, "evaluate", tmp_path, "--without", "c.png")
    every = fails(capsys, "evaluate", tmp_path, "--without", "a.png", "b.png")
    assert "leave one" in every
    assert main(["evaluate", str(tmp_path), "--scales", "2", "--degraded"]) == 0
    degraded = capsys.readouterr().out.splitlines()
    clean = printed.splitlines()
    for before, after in zip(clean[2:], degraded[2:], strict=True):  # a row for each method
        assert float(after.split()[1]) < float(before.split()[1])
    assert "too small for ×40" in fails(capsys, "evaluate", tmp_path, "--scales", "40")
    assert "from 2 on" in fails(capsys, "evaluate", tmp_path, "--scales", "1")
    assert "no folder" in fails(capsys, "evaluate", tmp_path / "none")
    late = fails(capsys, "evaluate", tmp_path, "--json", tmp_path / "none" / "scores.json")
    assert "no such folder" in late
    for name in ("a", "b"):  # told before anything is scored, and so before a broken photo is
        (tmp_path / f"{name}.png").write_bytes(b"junk")
    assert "is a folder" in fails(capsys, "evaluate", tmp_path, "--json", tmp_path)


def test_convert_refuses_what_it_cannot(tmp_path, capsys):
    (tmp_path / "junk.pth").write_bytes(b"junk")
    target = tmp_path / "out.safetensors"
    assert "junk.pth" in fails(capsys, "weights", "convert", tmp_path / "junk.pth", target)
    assert "safetensors" in fails(capsys, "weights", "convert", "a.pth", tmp_path / "out.bin")
    target.write_bytes(b"precious")
    assert "--overwrite" in fails(capsys, "weights", "convert", tmp_path / "junk.pth", target)
    assert target.read_bytes() == b"precious"


def test_train_mistakes(tmp_path, capsys):
    out = tmp_path / "run"
    assert "no folder" in fails(capsys, "train", "--photos", tmp_path / "none", "--out", out)
    line = fails(capsys, "train", "--photos", tmp_path, "--out", out, "--config", "none-such")
    assert "liif-edsr-small" in line
    line = fails(capsys, "train", "--photos", tmp_path, "--out", out, "--steps", "0")
    assert "greater than 0" in line


def test_train_says_what_to_do_with_the_weights(tmp_path, capsys, monkeypatch):
    """Of several processes the leading one alone."""
    monkeypatch.setattr("liif_core.training.trainer.train", lambda *_, **__: 1.25)
    assert main(["train", "--photos", str(tmp_path), "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    assert "+1.250 dB" in printed
    assert f"--weights {tmp_path / 'run' / 'best.safetensors'}" in printed
    monkeypatch.setattr("liif_core.training.trainer.train", lambda *_, **__: None)
    assert main(["train", "--photos", str(tmp_path), "--out", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out == ""


def test_an_interrupted_training_says_how_it_goes_on(tmp_path, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("liif_core.training.trainer.train", interrupted)
    assert main(["train", "--photos", str(tmp_path), "--out", str(tmp_path / "run")]) == 130
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "interrupted; go on with --resume" in line
    assert "zoom" not in line


def imported(code: str) -> set[str]:
    """The packages that some code imports, Python's own left out."""
    code = f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return {name.partition(".")[0] for name in run.stderr.split()} - sys.stdlib_module_names


@pytest.mark.parametrize(
    "arguments", [["--help"], ["zoom", "--help"], ["explain", "--help"], ["train", "--help"]]
)
def test_help_imports_nothing_but_the_command_line(arguments):
    code = f"from liif_core.__main__ import main\ntry: main({arguments})\nexcept SystemExit: pass\n"
    assert imported(code) - imported("") == {"liif_core"}


def test_mistakes_are_told_before_pytorch_is_imported(photo):
    """It takes seconds, and none of its tensors is needed to see that a file is there."""
    main_ = "from liif_core.__main__ import main\n"
    command = ["zoom", str(photo), "--scale", "2", "-o", str(photo), "--fast"]
    assert "torch" not in imported(f"{main_}assert main({command}) == 2")


def test_the_package_imports_little_beyond_pytorch():
    assert imported("import liif_core") - imported("") == {"liif_core"}
    extra = imported("from liif_core import load_model, zoom") - imported("import torch, numpy")
    assert extra <= {"liif_core", "PIL", "defusedxml", "filelock", "psutil", "safetensors"}


def test_a_folder_of_heic_is_one_of_photos_in_a_new_process(tmp_path):
    album = tmp_path / "album"
    album.mkdir()
    shutil.copy(Path(__file__).parent / "files/heic/grey.heic", album / "grandma.heic")
    code = "import sys; from liif_core.__main__ import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "zoom", str(album), "--scale", "1"]
    small = ["--weights", "liif-edsr-small", "--device", "cpu"]
    run = subprocess.run([*command, *small], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "1 written" in run.stdout


def test_a_result_in_memory_has_to_fit_into_it():
    with pytest.raises(LiifError, match=r"million pixels need [\d,.]+ GB of memory"):
        liif_core.zoom(np.zeros((5, 5, 3), np.uint8), scale=1e5)
    with pytest.raises(LiifError, match="either"):
        liif_core.zoom(np.zeros((5, 5, 3), np.uint8))


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5", "²"])
@pytest.mark.parametrize(
    "command",
    [
        ["zoom", "a.png", "--scale", "2"],
        ["evaluate", "."],
        ["train", "--photos", ".", "--out", "o"],
    ],
)
def test_there_is_at_least_one_thread(capsys, command, number):
    assert "whole number from 1 on" in fails(capsys, *command, f"--threads={number}")


def test_threads_are_limited_while_the_command_runs(photo, capsys, monkeypatch):
    before, seen = (workers.count(), torch.get_num_threads()), []
    window = ContinuousPhoto.window

    def look(self, *arguments, **options):
        seen.append((workers.count(), torch.get_num_threads()))
        return window(self, *arguments, **options)

    monkeypatch.setattr(ContinuousPhoto, "window", look)
    for number in (1, 3):
        command = ["zoom", str(photo), "--scale", "2", "--overwrite", "--threads", str(number)]
        assert main(command) == 0
    assert set(seen) == {(1, 1), (3, 3)}
    assert (workers.count(), torch.get_num_threads()) == before


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp437", "cp1251"])
def test_a_name_that_the_console_lacks_does_not_end_the_work(tmp_path, encoding):
    """Bytes that are no text in the name, letters that a code page lacks in the folder's."""
    folder = tmp_path / "Großmutter 中"
    folder.mkdir()
    Image.new("RGB", (6, 5), "red").save(tmp_path / "a.png")
    name = os.fsencode(folder) + b"/M\xe4dchen.png"
    try:
        os.rename(tmp_path / "a.png", name)
    except OSError:
        pytest.skip("this file system wants names that are text")
    command = [sys.executable, "-m", "liif_core", "zoom", name, "--scale", "2"]
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"}
    run = subprocess.run(command, capture_output=True, env=environment)
    assert (run.returncode, run.stderr.count(b"Traceback")) == (0, 0)
    assert b"dchen_x2.png: 12" in run.stdout
    assert os.path.exists(name.replace(b".png", b"_x2.png"))


def test_libraries_do_not_talk_beside_us(tmp_path):
    """Of a broken EXIF, Pillow warns several times."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x30\0" + bytes(range(90))
    Image.new("RGB", (6, 5), "red").save(tmp_path / "a.jpg", exif=exif)
    command = [sys.executable, "-m", "liif_core", "zoom", str(tmp_path / "a.jpg"), "--scale", "2"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, "Warning" in run.stderr) == (0, False)
