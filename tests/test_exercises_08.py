"""Lesson 08's checkers: stubs fail, different solutions pass, typical slips get their own hint."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from liif_core.companions.features import upsample
from liif_core.exercises import is_solved, lesson_08

MISSED = {"interpolated notes": 0.8, "enlarged": 0.2, "tiles": 0.15}


@pytest.mark.parametrize("right", [1 - 0.15 / 0.2, 25, "25 %", np.float32(0.26)])
def test_the_right_share(right: object, capsys: pytest.CaptureFixture[str]) -> None:
    solved = is_solved(lesson_08.honest_share, right, MISSED)
    assert solved == (not isinstance(right, str)), capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (1 - 0.15 / 0.8, "another *size*"),
        (81.25, "another *size*"),
        (1 - 0.2 / 0.8, "right size alone"),
        (0.15 / 0.2, "right size alone"),  # the same number here
        (0.05, "a share of what"),
        (0.5, "which way has the right size"),
        ("25 %", "a number is wanted"),
    ],
)
def test_wrong_shares(wrong: object, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_08.honest_share, wrong, MISSED)
    assert hint in capsys.readouterr().out


def test_what_is_left_is_no_share_taken_away(capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_solved(lesson_08.honest_share, 0.6, MISSED | {"tiles": 0.12})
    assert "*left*" in capsys.readouterr().out


def waves(n: int) -> Tensor:
    """Return waves measured at n × n pixel centres: (2, 3, n, n)."""
    places = (2 * torch.arange(n) + 1) / n - 1
    y, x = torch.meshgrid(places, places, indexing="ij")
    maps = [torch.sin(a * x + b) * torch.cos(c * y) for a, b, c in WAVES]
    return torch.stack(maps).reshape(2, 3, n, n)


WAVES = ((9, 0, 7), (11, 1, 3), (4, 2, 12), (8, 3, 8), (12, 0.5, 2), (10, 1.5, 9))
COARSE, DENSE = waves(14), waves(28)


def sharpened(maps: Tensor) -> Tensor:
    fine = upsample(maps)
    blurred = F.avg_pool2d(F.pad(fine, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return fine + 0.5 * (fine - blurred)


@pytest.mark.parametrize(
    "right",
    [
        lambda maps: F.interpolate(maps, scale_factor=2, mode="bicubic"),
        sharpened,
        lambda maps: sharpened(maps).double(),
    ],
    ids=["bicubic", "sharpened", "in doubles"],
)
def test_ways_that_beat_bilinear(right, capsys) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_08.beats_bilinear, right, COARSE, DENSE), capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda maps: None, "return"),
        (upsample, "bilinear itself"),
        (lambda maps: upsample(maps).numpy(), "torch.from_numpy"),
        (lambda maps: maps.repeat_interleave(2, 2), "(2, 3, 28, 14)"),
        (lambda maps: F.interpolate(maps, scale_factor=2, mode="nearest"), "worse"),
        (lambda maps: 0.995 * upsample(maps), "nearly the same"),
        (
            lambda maps: F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=True),
            "stretched",
        ),
        (
            lambda maps: F.interpolate(maps, scale_factor=2, mode="bicubic", align_corners=True),
            "stretched",
        ),
        (lambda maps: 10 * sharpened(maps) - 9 * upsample(maps), "sharpen them too much"),
        (lambda maps: upsample(maps) / 0, "not finite"),
        (lambda maps: sharpened(maps) + 1e-2 * maps.mean() * len(maps), "one photo alone"),
        (lambda maps: F.interpolate(maps, mode="cubic"), "stopped in its line"),
    ],
)
def test_ways_that_do_not(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    coarse, dense = COARSE + 0.3, DENSE + 0.3
    assert not is_solved(lesson_08.beats_bilinear, wrong, coarse, dense)
    assert hint in " ".join(capsys.readouterr().out.split())


def nine_tiles(read, photo):  # type: ignore[no-untyped-def]
    """Tiles every 112 pixels, of which only the middle is kept."""
    found = torch.empty(3, 28, 28)
    spans = ((0, 0, 10), (112, 10, 18), (224, 18, 28))
    for top, row, row_end in spans:
        for left, col, col_end in spans:
            notes = read(photo[top : top + 224, left : left + 224])
            y, x = top // 16, left // 16
            found[:, row:row_end, col:col_end] = notes[
                :, row - y : row_end - y, col - x : col_end - x
            ]
    return found


def each_alone(read, photo, margin=3):  # type: ignore[no-untyped-def]
    """One small tile around each note."""
    found = np.empty((3, 28, 28), np.float32)
    for row, col in np.ndindex(28, 28):
        top, left = (max(0, 16 * (place - margin)) for place in (row, col))
        tile = photo[top : 16 * (row + margin + 1), left : 16 * (col + margin + 1)]
        found[:, row, col] = read(tile)[:, row - top // 16, col - left // 16]
    return torch.from_numpy(found)


def four_tiles(read, photo):  # type: ignore[no-untyped-def]
    halves = (slice(0, 224), slice(224, 448))
    rows = [torch.cat([read(photo[y, x]) for x in halves], dim=2) for y in halves]
    return torch.cat(rows, dim=1)


@pytest.mark.parametrize("right", [nine_tiles, each_alone])
def test_tiles_without_seams(right, capsys) -> None:  # type: ignore[no-untyped-def]
    assert is_solved(lesson_08.without_seams, right), capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda read, photo: None, "return"),
        (four_tiles, "four tiles of the lesson"),
        (lambda read, photo: read(photo), "224 × 224 at most"),
        (lambda read, photo: read(photo[:100, :100]), "whole cells"),
        (lambda read, photo: read(photo[None, :224]), "one tile at a time"),
        (lambda read, photo: read(photo[:224, :224]), "the shape (3, 28, 28)"),
        (lambda read, photo: nine_tiles(read, photo).transpose(1, 2), "swapped"),
        (lambda read, photo: each_alone(read, photo, margin=1), "margin wide enough"),
        (
            lambda read, photo: (nine_tiles(read, photo) + four_tiles(read, photo)) / 2,
            "averaging",
        ),
        (
            lambda read, photo: nine_tiles(
                lambda tile: read(tile.transpose(1, 0, 2)), photo.transpose(1, 0, 2)
            ),
            "place of another's",
        ),
    ],
)
def test_tiles_with_seams(wrong, hint, capsys) -> None:  # type: ignore[no-untyped-def]
    assert not is_solved(lesson_08.without_seams, wrong)
    assert hint in " ".join(capsys.readouterr().out.split())


def test_stubs_fail() -> None:
    def stub(*_: object) -> Tensor:
        raise NotImplementedError

    assert not is_solved(lesson_08.beats_bilinear, stub, COARSE, DENSE)
    assert not is_solved(lesson_08.without_seams, stub)
