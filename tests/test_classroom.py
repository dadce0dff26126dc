"""One server for a class: its settings, its limits, what pupils see; and the hub itself, tried."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from classrooms import CLASSROOM, ON_LINUX, ROOT, program, trial
from nbformat.v4 import new_code_cell, new_notebook

import liif_core.course as course
from liif_core.course import copy_course

pytestmark = ON_LINUX


@pytest.fixture
def solutions(tmp_path, monkeypatch) -> ModuleType:
    """The program, for the solutions of two lessons."""
    module = program("solutions")
    monkeypatch.setattr(module, "SOLUTIONS", tmp_path / "source/notebooks/solutions")
    module.SOLUTIONS.mkdir(parents=True)
    for name in ("03_a", "05_b"):
        path = module.SOLUTIONS / f"{name}.ipynb"
        nbformat.write(new_notebook(), path)
        path.chmod(0o644)
    return module


def test_solutions_are_hidden_and_shown_lesson_by_lesson(solutions, capsys):
    def modes() -> list[int]:
        return [path.stat().st_mode & 0o777 for path in sorted(solutions.SOLUTIONS.iterdir())]

    solutions.main(["hide"])
    assert modes() == [0o600, 0o600]
    assert capsys.readouterr().out == "pupils see the solutions of: no lesson\n"
    solutions.main(["show", "05"])
    assert modes() == [0o600, 0o644]
    assert capsys.readouterr().out == "pupils see the solutions of: 05\n"
    solutions.main(["show"])
    assert modes() == [0o644, 0o644]
    solutions.main(["hide", "03"])
    assert modes() == [0o600, 0o644]
    with pytest.raises(SystemExit, match="no solutions of lesson 77"):
        solutions.main(["show", "77"])


def test_a_copy_has_what_its_owner_may_read(solutions, tmp_path, monkeypatch):
    """Root may read anything: who tests as root is told what a pupil would be."""
    source, mine = tmp_path / "source", tmp_path / "mine"
    nbformat.write(new_notebook(), source / course.FIRST)
    monkeypatch.setattr(course, "course_folder", lambda: source)

    def pupils_access(path: Path, mode: int) -> bool:
        return bool(Path(path).stat().st_mode & 0o004)

    monkeypatch.setattr(course.os, "access", pupils_access)
    solutions.main(["hide"])
    assert course.FIRST in copy_course(mine).new
    assert not (mine / "notebooks/solutions").exists()
    solutions.main(["show", "05"])
    assert copy_course(mine).new == ["notebooks/solutions/05_b.ipynb"]
    solutions.main(["hide"])
    assert copy_course(mine) == course.Copied(), "nothing is taken away again"
    assert (mine / "notebooks/solutions/05_b.ipynb").exists()


def test_who_asks_for_more_than_the_limit_gets_an_error_and_lives():
    code = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(CLASSROOM)!r})\n"
        "import pupil, resource, torch\n"
        "os.environ['MEM_LIMIT'] = str(2 * 10**9)\n"
        "pupil.set_limit()\n"
        "kept = torch.ones(10**8)\n"
        "for make in (lambda: torch.ones(10**9), lambda: bytearray(3 * 10**9)):\n"
        "    try: make()\n"
        "    except (MemoryError, RuntimeError) as error: print(type(error).__name__)\n"
        "print(int(kept.sum().item()), resource.getrlimit(resource.RLIMIT_DATA))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        *["RuntimeError", "MemoryError", "100000000 (2000000000, 2000000000)"],
    ], done.stderr


def test_the_page_the_pins_and_the_trial_name_one_version():
    pins = (CLASSROOM / "requirements.txt").read_text(encoding="utf-8")
    (hub,) = re.findall(r"^jupyterhub==([\d.]+)$", pins, re.MULTILINE)
    texts = [pins, *(path.read_text("utf-8") for path in CLASSROOM.glob("*.[mp][dy]"))]
    proxies = set(re.findall(r"(?:configurable-http-proxy|\{PROXY\})@([\d.]*\d)", "\n".join(texts)))
    assert len(proxies) == 1, proxies
    for name in re.findall(r"classroom/(\w+\.\w+)", "\n".join(texts)):
        assert (CLASSROOM / name).is_file(), name
    jupyterhub = pytest.importorskip("jupyterhub", reason="needs JupyterHub")
    assert jupyterhub.__version__ == hub


#: What a pupil's kernel finds: the limit, the own copy, `liif` in the terminal.
AS_A_PUPIL = """
import os, resource, shutil, subprocess
from pathlib import Path
assert resource.getrlimit(resource.RLIMIT_DATA)[1] == 2 * 2**30, resource.getrlimit(2)
assert os.environ["OMP_NUM_THREADS"] == "1"
here = Path.cwd()
assert here == Path.home() / "how_does_ai_zoom" / "notebooks", here
lesson = next(here.glob("03_*.ipynb"))
given = lesson.read_bytes()
lesson.write_text("spoilt")
done = subprocess.run([shutil.which("python"), "-m", "liif_core", "course", "reset", "03"],
                      capture_output=True, text=True, check=True)
assert lesson.read_bytes() == given
assert len(list(here.glob("03_*_old_1.ipynb"))) == 1
"""


def test_pupils_work_in_copies_of_their_own_through_a_real_hub(tmp_path):
    real = trial()
    nbformat.write(new_notebook(cells=[new_code_cell(AS_A_PUPIL)]), tmp_path / "pupil.ipynb")
    with real.running_hub({"PYTHONPATH": str(ROOT)}, tmp_path / "log") as hub:
        for pupil in ("anna", "ben"):
            server = hub.log_in(pupil)
            kernel = hub.open_lesson(pupil, course.FIRST)
            real.run_lesson(hub, pupil, kernel, tmp_path / "pupil.ipynb")
            assert real.held(server.pid).own > 0
            names = [
                each["name"] for each in hub.ask("GET", f"/user/{pupil}/api/contents")["content"]
            ]
            assert "notebooks" in names
        homes = sorted(path.name for path in hub.folder.iterdir() if path.is_dir())
        assert [name for name in homes if name in ("anna", "ben")] == ["anna", "ben"]
    assert not server.is_running()


@pytest.mark.parametrize("number", ["00", "03", "05"])
def test_what_a_lesson_imports_brings_no_heavy_package_that_it_does_not_use(number):
    """Thirty kernels at once: SciPy and scikit-learn take 50 MB of each, once imported."""
    (path,) = ROOT.glob(f"notebooks/{number}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    first = next(cell.source for cell in cells if cell.cell_type == "code")
    kinds = (ast.Import, ast.ImportFrom)
    imports = [ast.unparse(line) for line in ast.parse(first).body if isinstance(line, kinds)]
    assert len(imports) > 5
    heavy = ["scipy", "sklearn", "skimage", "sympy", "pandas", "faiss", "torch._dynamo"]
    code = "\n".join(["import sys", *imports, f"print(set({heavy}) & set(sys.modules))"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
