"""setup_lab.py: what it would do on each system, and what it really does where no network is."""

import base64
import builtins
import hashlib
import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def setup(tmp_path, monkeypatch) -> ModuleType:
    """setup_lab.py beside a small project, which it takes for its own."""
    spec = importlib.util.spec_from_file_location("setup_lab", ROOT / "setup_lab.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    project = tmp_path / "a project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (project / "constraints.txt").write_text("tiny==1.0\n", encoding="utf-8")
    (project / "backend.py").write_text(BACKEND, encoding="utf-8")
    monkeypatch.setattr(module, "ROOT", project)
    return module


@pytest.fixture
def ran(setup, monkeypatch) -> list[list[str]]:
    """What it would run, words by words; nothing is."""
    commands: list[list[str]] = []

    def run(*command: object, **more: str) -> int:
        commands.append([str(word) for word in command])
        setup.venv_folder().mkdir(exist_ok=True)
        return 0

    monkeypatch.setattr(setup, "run", run)
    monkeypatch.setattr(setup, "cpu_index", list)
    return commands


def on(setup: ModuleType, monkeypatch, system: str) -> None:
    monkeypatch.setattr(setup, "sys", SimpleNamespace(**{**vars(sys), "platform": system}))


@pytest.mark.parametrize(
    ("system", "python", "packages"),
    [
        ("win32", "Scripts/python.exe", "Lib/site-packages"),
        ("darwin", "bin/python", "lib/python{}.{}/site-packages"),
        ("linux", "bin/python", "lib/python{}.{}/site-packages"),
    ],
)
def test_each_system_has_its_layout(setup, monkeypatch, ran, system, python, packages):
    on(setup, monkeypatch, system)
    venv = setup.ROOT / ".venv"
    assert setup.python() == venv / python
    assert setup.site_packages() == venv / packages.format(*sys.version_info[:2])
    torch = setup.site_packages() / "torch"
    for name in ("test/a_test", "bin/test_api", "bin/protoc", "testing/__init__.py"):
        (torch / name).parent.mkdir(parents=True, exist_ok=True)
        (torch / name).touch()
    setup.set_up("lab")
    make, install, works = ran
    assert make == [sys.executable, "-m", "venv", str(venv)]
    assert install[:4] == [str(venv / python), "-m", "pip", "install"]
    assert install[-2:] == ["-e", ".[lab,companions]"]
    assert "--no-compile" in install
    assert works[:2] == [str(venv / python), "-c"]
    left = [p.relative_to(torch).as_posix() for p in torch.rglob("*") if p.is_file()]
    assert sorted(left) == ["bin/protoc", "testing/__init__.py"]
    assert setup.environment()["PATH"].startswith(str(venv / python.partition("/")[0]))
    assert setup.this_system().startswith(f"{system}-")


def test_it_is_done_once_and_again_when_the_project_asks_for_more(setup, ran):
    setup.set_up("lab")
    count = len(ran)
    setup.set_up("lab")
    assert len(ran) == count
    setup.set_up("test")
    assert ran[-1][-1] == ".[lab,companions,test]"
    assert "--no-compile" not in ran[-1]
    count = len(ran)
    (setup.venv_folder() / ".ready-lab").unlink()
    setup.set_up("lab")
    assert len(ran) == count, "what the tests need has all that lessons need"
    (setup.ROOT / "constraints.txt").write_text("tiny==2.0\n", encoding="utf-8")
    setup.set_up("lab")
    assert len(ran) > count


def test_tests_run_until_one_fails(setup, monkeypatch, ran):
    assert setup.main(["test", "-k", "zoom"]) == 0
    tools = [words[2] for words in ran if words[1] == "-m" and words[2] not in ("venv", "pip")]
    assert tools == ["ruff", "ruff", "mypy", "pytest"]
    assert ran[-1][-2:] == ["-k", "zoom"]
    assert "notebooks" in ran[-1]
    monkeypatch.setattr(setup, "run", lambda *words, **more: 3 if "mypy" in words else 0)
    assert setup.main(["test"]) == 3


def test_jupyterlab_starts_in_the_copy(setup, monkeypatch, ran, tmp_path):
    started = []
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")
    on(setup, monkeypatch, "linux")

    def replaced(*call: object) -> None:
        started.append((Path.cwd(), *call))
        raise SystemExit(0)  # the process is another's from here on

    monkeypatch.setattr(os, "execve", replaced)
    with pytest.raises(SystemExit):
        setup.main(["lab", "--course", "mine", "--no-browser", "--port=8890"])
    ((folder, program, words, around),) = started
    assert folder == mine
    assert ran[-1][1:] == ["-m", "liif_core", "course", str(mine)]
    assert words == [program, "-m", "jupyterlab", "--no-browser", "--port=8890"]
    assert around["JUPYTER_CONFIG_PATH"] == os.pathsep.join([str(mine), "theirs"])


def test_what_is_missing_is_said_in_one_line(setup, monkeypatch, capsys):
    real = builtins.__import__

    def without_venv(name: str, *rest: object) -> ModuleType:
        if name == "ensurepip":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_venv)
    assert setup.main(["lab"]) == 2
    assert "apt-get install python3-venv" in capsys.readouterr().err
    monkeypatch.setattr(setup, "OLDEST", (99, 0))
    assert setup.main(["lab"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("setup_lab.py: Python 3.")
    assert "is too old" in told
    assert told.count("\n") == 1


def test_it_needs_nothing_but_the_standard_library():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import setup_lab\n"
        "files = [getattr(module, '__file__', '') or '' for module in sys.modules.values()]\n"
        "print([file for file in files if 'site-packages' in file])"
    )
    command = [sys.executable, "-S", "-E", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize(
    ("system", "card", "config", "asked"),
    [
        ("linux", None, "", True),
        ("linux", "/usr/bin/nvidia-smi", "", False),
        ("linux", None, ":env:.extra-index-url='https://example.org'", False),
        ("linux", None, "global.find-links='/wheels'", False),
        ("win32", None, "", False),
        ("darwin", None, "", False),
    ],
)
def test_pytorch_comes_without_cuda_where_that_is_wanted(
    setup, monkeypatch, system, card, config, asked
):
    on(setup, monkeypatch, system)
    opened = SimpleNamespace(close=lambda: None)
    monkeypatch.setattr(setup.shutil, "which", lambda name: card)
    monkeypatch.setattr(setup.subprocess, "run", lambda *a, **k: SimpleNamespace(stdout=config))
    monkeypatch.setattr(setup.urllib.request, "urlopen", lambda *a, **k: opened)
    assert setup.cpu_index() == (["--extra-index-url", setup.CPU_INDEX] if asked else [])

    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(setup.urllib.request, "urlopen", unreachable)
    assert setup.cpu_index() == []


# ---- a real wheelhouse, of a small project

PYPROJECT = """
[build-system]
requires = ["tiny-backend==1.0"]
build-backend = "backend"
backend-path = ["."]

[project]
name = "how-does-ai-zoom"
version = "0.1.0"
"""

#: Builds a wheel that asks for `tiny`, whatever is to be built.
BACKEND = """
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    import tiny_backend  # which pip brought for the building alone
    name = "how_does_ai_zoom-0.1.0-py3-none-any.whl"
    info = "how_does_ai_zoom-0.1.0.dist-info/"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        extras = "".join(f"Provides-Extra: {e}\\n" for e in ("lab", "companions", "test"))
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: how-does-ai-zoom\\n"
            "Version: 0.1.0\\n" + extras + "Requires-Dist: tiny; extra == 'lab'\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\n"
            "Root-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name

build_editable = build_wheel
"""


def tiny_wheel(folder: Path, name: str) -> None:
    """Write a wheel of one empty module."""
    module = name.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    files = {
        f"{module}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{path},sha256={digest.decode()},{len(text)}\n"
    with zipfile.ZipFile(folder / f"{module}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            wheel.writestr(path, text)


def bare_venv(setup: ModuleType) -> None:
    """Make .venv with the pip that is here, which takes no time."""
    pip = pytest.importorskip("pip")
    make = [sys.executable, "-m", "venv", "--without-pip", str(setup.venv_folder())]
    subprocess.run(make, check=True)
    (setup.site_packages() / "pip").symlink_to(Path(pip.__file__).parent)


def test_a_wheelhouse_is_made_once_and_serves_without_a_network(
    setup, tmp_path, monkeypatch, capfd
):
    """pip itself, with no index at all: first with a folder of packages, then without it."""
    links, stick = tmp_path / "links", tmp_path / "stick"
    links.mkdir()
    for name in ("tiny", "tiny-backend"):
        tiny_wheel(links, name)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", links.as_uri())
    monkeypatch.setattr(setup, "BUILD", ("tiny-backend",))
    monkeypatch.setattr(setup, "TRY", "import tiny")
    bare_venv(setup)
    assert setup.main(["setup", "--wheels", str(stick)]) == 0
    (house,) = stick.iterdir()
    assert house.name == setup.this_system()
    wheels = sorted(path.name for path in house.glob("*.whl"))
    assert wheels == ["tiny-1.0-py3-none-any.whl", "tiny_backend-1.0-py3-none-any.whl"]

    monkeypatch.delenv("PIP_FIND_LINKS")
    setup.venv_folder().rename(tmp_path / "of another machine")
    bare_venv(setup)
    capfd.readouterr()
    assert setup.main(["setup", "--wheels", str(stick)]) == 0
    assert "Making" not in capfd.readouterr().out
    assert (setup.site_packages() / "tiny.py").is_file()

    (setup.ROOT / "constraints.txt").write_text("tiny==2.0\n", encoding="utf-8")
    assert setup.main(["setup", "--wheels", str(stick)]) == 2
    told = capfd.readouterr().err.splitlines()[-1]
    assert told.startswith(f"setup_lab.py: {stick} has no wheels for {setup.this_system()}")
