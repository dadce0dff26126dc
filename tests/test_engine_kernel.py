"""Both builds of the browser engine's kernel are what its source says."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "liif_core/widgets/static/engine"
NAMES = ("kernel.wasm", "kernel_relaxed.wasm")
VERSION = "19.1.7"  # Debian 12's clang-19


def test_the_kernels_are_built_from_their_source(tmp_path):
    clang = shutil.which("clang-19", path="/usr/bin:/bin")
    if clang is None or not shutil.which("wasm-ld-19", path="/usr/bin:/bin"):
        pytest.skip("building the kernel needs clang and lld: apt-get install clang-19 lld-19")
    told = subprocess.run([clang, "--version"], capture_output=True, text=True, check=True).stdout
    if VERSION not in told:
        pytest.skip(f"the kernel was built with clang {VERSION}; another one gives other bytes")
    subprocess.run(["make", "-s", "kernel", f"BUILT={tmp_path}"], cwd=ROOT, check=True)
    for name in NAMES:
        assert (tmp_path / name).read_bytes() == (ENGINE / name).read_bytes(), "run make kernel"


@pytest.mark.parametrize("name", NAMES)
def test_the_kernels_are_small(name):
    kernel = (ENGINE / name).read_bytes()
    assert kernel.startswith(b"\0asm\1\0\0\0")
    assert len(kernel) < 16000
