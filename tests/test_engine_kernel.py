"""The browser engine's kernel is what its source says."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "liif_core/widgets/static/engine"
VERSION = "14.0.6"  # Debian 12's


def test_the_kernel_is_built_from_its_source(tmp_path):
    clang = shutil.which("clang", path="/usr/bin:/bin")
    if clang is None or not shutil.which("wasm-ld", path="/usr/bin:/bin"):
        pytest.skip("building the kernel needs clang and lld: apt-get install clang lld")
    told = subprocess.run([clang, "--version"], capture_output=True, text=True, check=True).stdout
    if VERSION not in told:
        pytest.skip(f"the kernel was built with clang {VERSION}; another one gives other bytes")
    built = tmp_path / "kernel.wasm"
    subprocess.run(["make", "-s", "kernel", f"KERNEL={built}"], cwd=ROOT, check=True)
    assert built.read_bytes() == (ENGINE / "kernel.wasm").read_bytes(), "run make kernel"


def test_the_kernel_is_small():
    kernel = (ENGINE / "kernel.wasm").read_bytes()
    assert kernel.startswith(b"\0asm\1\0\0\0")
    assert len(kernel) < 9500
