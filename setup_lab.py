"""Set the course up and open it, or test it: on Windows, macOS and Linux, with Python alone.

    python setup_lab.py                        set up, and open lesson 00 in your own copy
    python setup_lab.py lab --no-browser       the same; what is not known here goes to JupyterLab
    python setup_lab.py test                   set up, and run every check and test
    python setup_lab.py setup                  set up, and no more; with --test what tests need, too
    python setup_lab.py --wheels DIR           the same, from wheels in DIR, made there if need be

It needs nothing but the standard library; all else goes into `.venv` beside it. `make lab` and
`make test` call it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 10)
#: The extras of pyproject.toml that each kind of set-up installs.
EXTRAS = {"lab": "lab,companions", "test": "lab,companions,test"}
#: What pip needs to install the project itself, and fetches unasked where there is a network.
BUILD = ("hatchling>=1.24", "editables")
#: Where PyTorch is without CUDA, which takes some gigabytes more.
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
#: PyTorch's own tests, which its wheels for Linux carry: 120 MB that nobody here runs.
UNUSED = ("torch/test", "torch/bin/test_*")
#: Imports what lessons do: whether it works is told now, and Python keeps what it compiles.
TRY = """
import importlib, pkgutil, liif_core
for module in pkgutil.walk_packages(liif_core.__path__, "liif_core."):
    importlib.import_module(module.name)
import ipykernel.kernelapp, jupyterlab.labapp
"""
TESTS = (
    "ruff check .",
    "ruff format --check .",
    "mypy",
    # Two files at a time where there are two cores.
    "pytest -n logical --maxprocesses 2 --dist loadfile --no-loadscope-reorder tests"
    " --nbval-lax --nbval-current-env --nbval-cell-timeout=300 notebooks",
)


class SetupError(Exception):
    """What is missing, and what to do, in one line."""


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="setup_lab.py",
        description="Set the course up in .venv, and open or test it.",
        epilog="Other options go to JupyterLab (lab) or to pytest (test): lab --port=8890",
        allow_abbrev=False,
    )
    parser.add_argument("command", nargs="?", default="lab", choices=["lab", "test", "setup"])
    parser.add_argument("--wheels", type=Path, metavar="DIR", help="install from wheels in DIR")
    parser.add_argument(
        "--course",
        type=Path,
        default=ROOT / "my_course",
        metavar="DIR",
        help="where your own copy of the course lies (default: my_course)",
    )
    parser.add_argument("--test", action="store_true", help="setup: what the tests need, too")
    options, others = parser.parse_known_args(arguments)
    if options.command == "setup" and others:
        parser.error(f"unknown: {' '.join(others)}")
    try:
        check_python()
        kind = "test" if options.command == "test" or options.test else "lab"
        set_up(kind, options.wheels and options.wheels.resolve())
        if options.command == "lab":
            return open_course(options.course.resolve(), others)
        return run_tests(others) if options.command == "test" else 0
    except SetupError as error:
        print(f"setup_lab.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def check_python() -> None:
    """Raise SetupError unless this Python can make what is needed."""
    if sys.version_info[:2] < OLDEST:
        raise SetupError(
            f"Python {platform.python_version()} is too old; Python 3.10 or newer is needed: "
            "name one, as in python3.12 setup_lab.py, or make PYTHON=python3.12"
        )
    try:
        import ensurepip  # noqa: F401  Debian leaves both out of its python3
        import venv  # noqa: F401
    except ImportError:
        raise SetupError(
            "this Python cannot make virtual environments; on Debian: apt-get install python3-venv"
        ) from None


# ---- .venv


def venv_folder() -> Path:
    """Return the folder of the virtual environment."""
    return ROOT / ".venv"


def programs() -> Path:
    """Return the folder of its programs."""
    return venv_folder() / ("Scripts" if sys.platform == "win32" else "bin")


def python() -> Path:
    """Return its Python."""
    return programs() / ("python.exe" if sys.platform == "win32" else "python")


def site_packages() -> Path:
    """Return the folder of its packages."""
    if sys.platform == "win32":
        return venv_folder() / "Lib" / "site-packages"
    major, minor = sys.version_info[:2]
    return venv_folder() / "lib" / f"python{major}.{minor}" / "site-packages"


def environment(**more: str) -> dict[str, str]:
    """Return the environment in which its programs come first, in JupyterLab's terminals, too."""
    path = os.pathsep.join([str(programs()), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "VIRTUAL_ENV": str(venv_folder()), **more}


def run(*command: str | Path, **more: str) -> int:
    """Run a program here to its end, with more in its environment; return its exit status."""
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=ROOT, env=environment(**more)).returncode


# ---- set-up


def set_up(kind: str, wheels: Path | None = None) -> None:
    """Install what is needed, unless that was done.

    Args:
        kind: "lab" or "test"; the latter has all of the former.
        wheels: the folder of a wheelhouse; it is made where it is not.

    Raises:
        SetupError: something could not be installed.
    """
    key = state()
    stamps = [venv_folder() / f".ready-{name}" for name in (kind, "test")]
    if any(holds(stamp, key) for stamp in stamps):
        return
    print("Setting up .venv, once: some minutes, some hundred megabytes ...", flush=True)
    made = python().exists() and (site_packages() / "pip").is_dir()
    if not made and run(sys.executable, "-m", "venv", venv_folder()):
        raise SetupError(f"{venv_folder()} could not be made")
    if wheels:
        source = ["--no-index", "--find-links", str(wheelhouse(wheels, kind, key))]
    else:
        source = cpu_index()
    # Of the lessons' packages Python compiles what it comes to use, a sixth: 250 MB less.
    lean = ["--no-compile"] if kind == "lab" else []
    if pip("install", *lean, *source, "-e", f".[{EXTRAS[kind]}]"):
        raise SetupError("pip could not install what is needed; what it says is above")
    for pattern in UNUSED:
        for path in site_packages().glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if kind == "lab" and run(python(), "-c", TRY, PYTHONDONTWRITEBYTECODE=""):
        raise SetupError("what was installed does not work here; what Python says is above")
    stamps[0].write_text(key, encoding="utf-8")


def state() -> str:
    """Return what stands for the files that say what is installed."""
    found = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        found.update((ROOT / name).read_bytes())
    return found.hexdigest()


def holds(stamp: Path, key: str) -> bool:
    """Whether a stamp is there and of this state."""
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == key


def pip(command: str, *words: str) -> int:
    """Run pip within the versions that are known to work."""
    quiet = ("--quiet", "--disable-pip-version-check", "-c", "constraints.txt")
    return run(python(), "-m", "pip", command, *quiet, *words)


def cpu_index() -> list[str]:
    """Return the options that bring PyTorch without CUDA; none where that is not wanted or needed.

    PyPI's PyTorch has no CUDA on Windows and macOS. Where there is an NVIDIA card, CUDA is wanted;
    and where pip is told of places of its own, those are to be asked.
    """
    if sys.platform != "linux" or shutil.which("nvidia-smi"):
        return []
    told = subprocess.run(
        [str(python()), "-m", "pip", "config", "list"], capture_output=True, text=True
    )
    if "index-url" in told.stdout or "find-links" in told.stdout:
        return []
    try:  # asked once here, or pip would try again and again for each package
        urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=10).close()
    except OSError:
        return []
    return ["--extra-index-url", CPU_INDEX]


# ---- wheels


def wheelhouse(folder: Path, kind: str, key: str) -> Path:
    """Return the folder of the wheels for this system and Python; make it if it is not there.

    Args:
        folder: such as one of a USB stick. It holds a folder for each system and Python.
        kind, key: as in `set_up`.

    Raises:
        SetupError: no wheels for this system, and they could not be made.
    """
    house = folder / this_system()
    if any(holds(house / f".complete-{name}", key) for name in (kind, "test")):
        return house
    print(f"Making the wheels in {house} ...", flush=True)
    if pip("wheel", *cpu_index(), "--wheel-dir", str(house), f".[{EXTRAS[kind]}]", *BUILD):
        raise SetupError(
            f"{folder} has no wheels for {house.name}, and they could not be made; make them where "
            "there is a network, on such a system, with such a Python"
        )
    for itself in house.glob("how_does_ai_zoom-*.whl"):  # the lessons are at hand
        itself.unlink()
    (house / f".complete-{kind}").write_text(key, encoding="utf-8")
    return house


def this_system() -> str:
    """Return what wheels are made for, such as "win32-amd64-cp312"."""
    major, minor = sys.version_info[:2]
    return f"{sys.platform}-{platform.machine().lower()}-cp{major}{minor}"


# ---- what it is for


def open_course(course: Path, options: list[str]) -> int:
    """Make or renew the learner's copy, and start JupyterLab in it; return its exit status."""
    status = run(python(), "-m", "liif_core", "course", course)
    if status:
        return status
    # The copy's settings, before the user's own, which stay as they are.
    paths = [str(course), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    around = environment(JUPYTER_CONFIG_PATH=os.pathsep.join(paths))
    command = [str(python()), "-m", "jupyterlab", *options]
    os.chdir(course)
    if sys.platform != "win32":
        os.execve(command[0], command, around)  # signals reach JupyterLab itself
    with subprocess.Popen(command, env=around) as lab:
        while True:
            try:
                return lab.wait()
            except KeyboardInterrupt:  # which JupyterLab hears, too: it asks, or ends
                continue


def run_tests(options: list[str]) -> int:
    """Run the checks until one fails; return its exit status."""
    # A thread of PyTorch that waits for others must sleep: it waits mostly for one whose core the
    # other file's test has.
    waiting = {"OMP_WAIT_POLICY": "PASSIVE"}
    for line in TESTS:
        more = options if line.startswith("pytest") else []
        if status := run(python(), "-m", *line.split(), *more, **waiting):
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
