"""A class's server, for tests: its programs as modules, and a real hub where one can run."""

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
CLASSROOM = ROOT / "classroom"
#: What every test of it is skipped by, elsewhere.
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a class's server runs Linux")


def program(name: str) -> ModuleType:
    """Return a program of classroom/ as a module."""
    spec = importlib.util.spec_from_file_location(f"classroom_{name}", CLASSROOM / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their types
    spec.loader.exec_module(module)
    return module


def trial() -> ModuleType:
    """Return `classroom/trial.py`, which runs a real hub; skip where JupyterHub cannot run."""
    pytest.importorskip("jupyterhub", reason="needs JupyterHub: classroom/requirements.txt")
    pytest.importorskip("websocket", reason="needs websocket-client")
    if shutil.which("configurable-http-proxy") is None:
        pytest.skip("needs configurable-http-proxy: npm install -g configurable-http-proxy@5.1.0")
    return program("trial")
