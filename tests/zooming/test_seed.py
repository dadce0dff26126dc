"""`liif zoom --seed`: which of the details that fit are invented, and that it is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.ExifTags import Base

from liif_core.__main__ import main
from liif_core.files.carried import Maker, maker_told
from liif_core.files.exif import words
from liif_core.files.view import View
from liif_core.liif import LIIF, LIIFConfig
from liif_core.models import set_seed
from liif_core.photos import photo_from
from liif_core.weights import load_model, save_weights
from liif_core.zooming.job import Task, plan
from liif_core.zooming.photo import job_key, opened, read


@pytest.fixture
def photo(tmp_path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def noisy(tmp_path) -> Path:
    torch.manual_seed(0)
    model = LIIF(LIIFConfig(blocks=1, channels=4, hidden=(16,), local_colour=True, noise=5))
    save_weights(model, tmp_path / "noisy.safetensors", {})
    return tmp_path / "noisy.safetensors"


def zoomed(photo: Path, weights: object, *more: object) -> Path:
    output = photo.with_name(f"{'-'.join(map(str, more)) or 'plain'}.png")
    given = ["zoom", photo, "--scale", 4, "-o", output, "--weights", weights, "--device", "cpu"]
    assert main([str(word) for word in [*given, *more]]) == 0
    return output


def test_a_seed_decides_the_details_and_is_written_down(photo, noisy, capsys):
    three = zoomed(photo, noisy, "--seed", 3)
    assert "details are invented, with seed 3" in capsys.readouterr().out
    content = three.read_bytes()
    assert b"noisy.safetensors, \xc3\x974, seed 3, details are generated" in content
    assert b"compositeWithTrainedAlgorithmicMedia" in content
    three.unlink()
    assert zoomed(photo, noisy, "--seed", 3).read_bytes() == content
    pixels = [np.asarray(Image.open(zoomed(photo, noisy, *seed)), int) for seed in ((), SEED_0)]
    assert np.array_equal(*pixels), "without a word, it is 0"
    assert np.abs(pixels[0] - np.asarray(Image.open(three))).mean() > 0.5


SEED_0 = ("--seed", 0)


def test_several_photos_have_the_seed_too(photo, noisy, tmp_path, capsys):
    other = tmp_path / "other.png"
    other.write_bytes(photo.read_bytes())
    alone = np.asarray(Image.open(zoomed(photo, noisy, "--seed", 3)))
    out = tmp_path / "out"
    given = ["zoom", photo, other, "--scale", 4, "-o", out, "--weights", noisy, "--seed", 3]
    assert main([str(word) for word in [*given, "--device", "cpu"]]) == 0
    assert "details are invented" in capsys.readouterr().out
    for path in out.iterdir():
        assert np.array_equal(np.asarray(Image.open(path)), alone)


def test_a_file_of_pages_says_so_too(photo, noisy, tmp_path, capsys):
    page = Image.open(photo)
    pages = tmp_path / "pages.tif"
    page.save(pages, save_all=True, append_images=[page])
    given = ["zoom", pages, "--scale", 2, "--pages", "all", "--weights", noisy, "--seed", 3]
    assert main([str(word) for word in [*given, "--device", "cpu"]]) == 0
    assert "details are invented, with seed 3" in capsys.readouterr().out


def test_a_comparison_says_so_too(photo, noisy, capsys):
    zoomed(photo, noisy, "--seed", 3, "--compare")
    said = "bicubic (left), LIIF, details invented (seed 3) (right)"
    assert said in capsys.readouterr().out
    content = photo.with_name("--seed-3---compare_compare.png").read_bytes()
    assert b"left: bicubic; right: weights noisy.safetensors, \xc3\x974, seed 3, details" in content
    assert b"compositeWithTrainedAlgorithmicMedia" in content
    zoomed(photo, noisy, "--seed", 4, "--compare", "--strip")
    assert b"seed 4" not in photo.with_name("--seed-4---compare---strip_compare.png").read_bytes()


def command(*words: object) -> list[str]:
    return [*map(str, ["zoom", *words]), "--device", "cpu"]


@pytest.mark.parametrize(
    ("first", "again", "left"),
    [
        (("noisy", "--seed", 3), ("noisy", "--seed", 3), ""),
        (("noisy", "--seed", 0), ("noisy",), ""),
        (("noisy", "--seed", 3), ("noisy", "--seed", 4), "noisy.safetensors, seed 3"),
        (("noisy", "--seed", 3), ("noisy",), "noisy.safetensors, seed 3"),
        (("noisy",), ("liif-edsr-small",), "noisy.safetensors, seed 0"),
        (("liif-edsr-small",), ("noisy", "--seed", 4), "liif-edsr-small"),
        (("liif-edsr-small",), ("liif-edsr-small", "--old"), ""),
        (("liif-edsr-small", "--old"), ("liif-edsr-small",), ""),
        (("noisy", "--strip"), ("liif-edsr-small",), ""),
    ],
)
def test_a_folder_tells_of_results_that_something_else_made(
    photo, noisy, tmp_path, capsys, first, again, left
):
    """They are left as they are; of what is not told in a file, nothing is said."""
    (tmp_path / "album").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "album" / name).write_bytes(photo.read_bytes())
    given = [tmp_path / "album", "--size", "32x48", "-o", tmp_path / "out", "--weights"]
    for words_ in (first, again):
        weights = noisy if words_[0] == "noisy" else words_[0]
        assert main(command(*given, weights, *words_[1:])) == 0
        printed = capsys.readouterr()
        if words_ == first:
            before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
            assert "made with" not in printed.out
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert "2 there already" in printed.out
    if not left:
        assert "made with" not in printed.out + printed.err
        return
    assert f"  2 × made with weights {left}: {tmp_path / 'out' / 'a_32x48.png'}" in printed.out
    assert "2 of the results there already were made with other weights" in printed.err
    assert main(command(*given, weights, *again[1:], "--overwrite")) == 0
    assert "2 written" in capsys.readouterr().out


def test_pages_that_something_else_made_are_told_of(photo, noisy, tmp_path, capsys):
    page = Image.open(photo)
    page.save(tmp_path / "pages.tif", save_all=True, append_images=[page])
    given = [tmp_path / "pages.tif", "--scale", 2, "--pages", "all", "-o", tmp_path / "out.png"]
    assert main(command(*given, "--weights", noisy, "--seed", 3)) == 0
    (tmp_path / "out_page2.png").unlink()
    capsys.readouterr()
    assert main(command(*given, "--weights", noisy, "--seed", 4)) == 0
    told = "there already, made with weights noisy.safetensors, seed 3; --overwrite replaces it"
    assert f"{tmp_path / 'out_page1.png'}: {told}" in capsys.readouterr().out


@pytest.mark.parametrize("weights", ["liif-edsr", "0.3 liif-edsr + 0.7 b", "a, ×2, seed 3, b.pth"])
@pytest.mark.parametrize("seed", [None, 0, 2**31 - 1])
@pytest.mark.parametrize("box", [(0, 0, 16, 12), (1, 0, 16, 12), (1.5, 0.25, 16, 12)])
@pytest.mark.parametrize("size", [(64, 48), (1, 48), (10**6, 48)])
def test_what_is_told_of_who_made_a_result_is_read_again(weights, seed, box, size):
    maker = Maker(weights, seed is not None, (8, 6) if seed else None, seed)
    how = maker.how(View(1, 16, 12, box, *size))
    told = maker_told(f"liif_core 0.1.0; {how}\nliif_core 0.1.0; weights b, ×2")
    assert told == replace(maker, read_at=None)


@pytest.mark.parametrize("software", ["", "Scanner 3", "liif_core 0.1.0", "liif_core, weights a"])
def test_what_others_tell_is_no_maker(software):
    assert maker_told(software) is None


def software_of(path: Path) -> list[str]:
    """Return the lines of EXIF's Software, without the version."""
    said = words(photo_from(path).notes.exif.main[Base.Software])
    return [line.partition("; ")[2] for line in said.splitlines()]


INVENTED = "weights noisy.safetensors, ×4, seed 3, details are generated"
ZOOMED_ON = "weights liif-edsr-small, ×4"


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".webp"])
def test_zoomed_on_a_result_still_says_what_invented_its_details(photo, noisy, ending):
    """A line for each zoom in EXIF's Software, the last one first; in XMP's history an event."""
    source, on = photo.with_name(f"invented{ending}"), photo.with_name(f"on{ending}")
    for photo_, output, weights in (
        (photo, source, [noisy, "--seed", 3]),
        (source, on, ["liif-edsr-small"]),
        (on, on.with_stem("further"), ["liif-edsr-small", "--strip"]),
    ):
        given = ["zoom", photo_, "--scale", 4, "-o", output, "--device", "cpu", "--weights"]
        assert main([str(word) for word in [*given, *weights]]) == 0
    assert software_of(on) == [ZOOMED_ON, INVENTED]
    xmp = photo_from(on).notes.xmp.decode()
    assert xmp.count("</stEvt:parameters>") == 2
    assert xmp.index(f">{INVENTED}<") < xmp.index(f">{ZOOMED_ON}<")
    assert "compositeWithTrainedAlgorithmicMedia" in xmp
    further = photo_from(on.with_stem("further")).notes
    assert Base.Software not in further.exif.main
    assert not further.xmp


def test_where_a_program_drops_xmp_it_is_told_anew(photo, noisy):
    invented = zoomed(photo, noisy, "--seed", 3)
    with Image.open(invented) as image:
        image.save(photo.with_name("other.png"), exif=image.info["exif"])
    on = zoomed(photo.with_name("other.png"), "liif-edsr-small", "--overwrite")
    assert software_of(on) == [ZOOMED_ON, INVENTED]
    xmp = photo_from(on).notes.xmp.decode()
    assert xmp.index(f">{INVENTED}<") < xmp.index(f">{ZOOMED_ON}<")
    assert "compositeWithTrainedAlgorithmicMedia" in xmp


def test_a_comparison_says_what_invented_both_its_halves(photo, noisy):
    invented = zoomed(photo, noisy, "--seed", 3)
    zoomed(invented, "liif-edsr-small", "--compare")
    sheet = photo_from(photo.with_name("--compare_compare.png")).notes
    assert words(sheet.exif.main[Base.Software]).splitlines()[1].endswith(INVENTED)
    assert f">{INVENTED}<" in sheet.xmp.decode()
    assert b"compositeWithTrainedAlgorithmicMedia" in sheet.xmp
    zoomed(invented, "liif-edsr-small", "--compare", "--strip")
    stripped = photo_from(photo.with_name("--compare---strip_compare.png")).notes
    assert not stripped.exif
    assert not stripped.xmp


@pytest.mark.parametrize("how", ["--old", "--fast"])
def test_ways_to_zoom_that_serve_invented_details_too(photo, noisy, how, capsys):
    pixels = [np.asarray(Image.open(zoomed(photo, noisy, how, "--seed", s)), int) for s in (1, 2)]
    assert "details are invented, with seed 2" in capsys.readouterr().out
    assert np.abs(pixels[0] - pixels[1]).mean() > 0.5


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (("--self-ensemble",), "averages 8 answers: of invented details it leaves a blur"),
        (("--denoise", "0.5"), "is neither: leave out --weights or --denoise"),
    ],
)
def test_what_does_not_serve_invented_details_is_refused(photo, noisy, how, said, capsys):
    given = ["zoom", photo, "--scale", 4, "-o", photo.with_name("out.png"), "--weights", noisy]
    assert main([str(word) for word in [*given, "--device", "cpu", *how]]) == 2
    assert said in capsys.readouterr().err
    assert not photo.with_name("out.png").exists()


def test_an_interrupted_zoom_goes_on_from_the_same_seed(noisy, tmp_path):
    """In strips, and with the very bytes that it would have had."""
    large = tmp_path / "large.png"  # several strips, for it has several tiles
    pixels = np.random.default_rng(1).integers(0, 256, (1100, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(large)
    whole = zoomed(large, noisy, "--seed", 5).read_bytes()
    output = tmp_path / "again.png"
    model = load_model(noisy, "cpu")
    set_seed(model, 5)
    job = plan(large, output, Task(4.0))

    def stop_late(done: int, total: int) -> None:
        if done > 0.6 * total:
            raise KeyboardInterrupt

    read_photo = read(job)
    with pytest.raises(KeyboardInterrupt), opened(job, read_photo, model) as work:
        work.paint(stop_late)
    assert not output.exists()
    with opened(plan(large, output, Task(4.0)), read_photo, model) as work:
        assert work.result.rows > 0
        work.paint().finish()
    assert output.read_bytes() == whole


def test_weights_that_invent_nothing_take_no_seed(photo, capsys):
    given = ["zoom", str(photo), "--scale", "2", "--weights", "liif-edsr-small", "--seed", "3"]
    assert main([*given, "--device", "cpu"]) == 2
    assert "invent details" in capsys.readouterr().err
    zoomed(photo, "liif-edsr-small")
    assert "invented" not in capsys.readouterr().out


@pytest.mark.parametrize("seed", ["-1", "2.5", "x", str(2**31)])
def test_a_seed_is_a_whole_number(photo, seed, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["zoom", str(photo), "--scale", "2", f"--seed={seed}"])
    assert "whole number from 0" in capsys.readouterr().err


def test_a_job_of_another_seed_is_another(photo, noisy, tmp_path):
    model = load_model(noisy, "cpu")
    job = plan(photo, tmp_path / "out.png", Task(2.0))
    keys = []
    for seed in (0, 1, 0):
        set_seed(model, seed)
        keys.append(job_key(model, photo_from(photo), job, [24]))
    assert keys[0] == keys[2] != keys[1]
