"""Processes that torchrun starts: each knows its place, they meet, and a failure is seen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import liif_core
from liif_core.errors import LiifError
from liif_core.processes import Place, own_device, processes

PROGRAM = """
import sys, time
from liif_core.processes import processes
with processes("cpu") as place:
    assert place.gather({"rank": place.rank}) == [{"rank": rank} for rank in range(place.world)]
    if place.leads:
        (sys.argv[1] == "fails") and sys.exit("the first fails")
        print(place.world, place.device, flush=True)
    place.wait()
"""


def torchrun(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(Path(liif_core.__file__).parent.parent)}
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*start, str(program), *arguments],
        env=environment | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_alone_nobody_is_waited_for(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with processes("cpu") as place:
        assert place == Place(0, 1, torch.device("cpu"))
        assert place.leads
        place.wait()
        assert place.gather("words") == ["words"]
    with pytest.raises(LiifError, match="abacus"), processes("abacus"):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun wants gloo on POSIX")
def test_two_meet(tmp_path):
    run = torchrun(tmp_path, "both")
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["2", "cpu"]


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun wants gloo on POSIX")
def test_nobody_waits_for_one_that_failed(tmp_path):
    run = torchrun(tmp_path, "fails")
    assert run.returncode != 0
    assert "the first fails" in run.stderr


def test_each_has_its_own_device_where_there_are_several(monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr("liif_core.processes.pick_device", asked.append)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    for world in ("1", "4"):
        monkeypatch.setenv("WORLD_SIZE", world)
        for name in ("auto", "cuda", "cuda:1", "cpu", "mps"):
            own_device(name)
    alone, among = asked[:5], asked[5:]
    assert alone == ["auto", "cuda", "cuda:1", "cpu", "mps"]
    assert among == ["cuda:3", "cuda:3", "cuda:3", "cpu", "mps"]
