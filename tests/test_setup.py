"""The set-up files agree with one another, and the wheel carries what it needs."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent

#: What conda-forge calls some of PyPI's packages.
CONDA_NAMES = {
    "matplotlib-base": "matplotlib",
    "playwright-python": "playwright",
    "pytorch": "torch",
}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def wanted() -> dict[str, Requirement]:
    """Every dependency of the project and its extras, by name."""
    extras = project()["optional-dependencies"].values()
    lines = [*project()["dependencies"], *(line for extra in extras for line in extra)]
    found = [Requirement(line) for line in lines]
    return {
        canonicalize_name(requirement.name): requirement
        for requirement in found
        if requirement.marker is None or requirement.marker.evaluate()
    }


def pinned() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def test_every_dependency_is_pinned_within_its_range():
    pins = pinned()
    for name, requirement in wanted().items():
        assert name in pins, f"{name} is missing in constraints.txt"
        (pin,) = pins[name].specifier
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version), f"{pins[name]} against {requirement}"


def test_constraints_are_exact_and_of_no_machine():
    for name, pin in pinned().items():
        assert pin.url is None, f"{name} names a file or address"
        assert re.fullmatch(r"==[^,+]+", str(pin.specifier)), f"{pin} is not one plain version"


def test_conda_asks_for_the_same_ranges():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *packages, pip = environment["dependencies"]
    assert pip == {"pip": ["--no-deps -e ."]}, "pip must not replace conda's packages"
    found = {}
    for line in packages:
        requirement = Requirement(line)
        found[CONDA_NAMES.get(requirement.name, requirement.name)] = requirement.specifier
    assert found.pop("python") == Requirement(f"python{project()['requires-python']}").specifier
    assert found.pop("pip") == ""
    assert found == {name: requirement.specifier for name, requirement in wanted().items()}


def test_the_readme_begins_with_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert first
    assert [line.split("#")[0].strip() for line in first[1].splitlines()] == [
        "make lab",
        "make test",
    ]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_works_without_the_source_tree(wheel, tmp_path):
    """Unpacked somewhere else, it finds its weights, recipes and widget files."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import pathlib, liif_core\n"
        "from liif_core.weights import load_model, weights_folder\n"
        "from liif_core.training.recipe import recipe_names\n"
        "assert weights_folder().parent == pathlib.Path(liif_core.__file__).parent\n"
        "assert 'liif-edsr-small' in recipe_names()\n"
        "assert load_model(device='cpu').config.channels\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, env={"PYTHONPATH": str(tmp_path)}
    )
    names = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")]
    assert any(name.endswith("dist-info/licenses/NOTICE") for name in names)
    for kind in (".js", ".css"):
        source = {p.name for p in (ROOT / "liif_core/widgets/static").glob(f"*{kind}")}
        assert source <= {Path(name).name for name in names}
