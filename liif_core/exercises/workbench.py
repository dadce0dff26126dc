"""The learner's own LIIF: a file, my_liif.py, that grows from lesson to lesson.

Each lesson that builds a part of LIIF ends with `keep(3, weights, query)`: the source of these
functions becomes part 3 of the file. Before that, the file as it would be is run and the part
held to `liif_core`; what does not pass is not written. `take(3)` brings a part from the solutions.

The file lies in a folder `my_liif` beside the notebook; in the home folder where nothing can be
written beside it; or in the folder that the environment variable MY_LIIF names.
"""

import builtins
import dis
import inspect
import linecache
import os
import re
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch

from liif_core.errors import LiifError, one_line
from liif_core.exercises.guarding import guarded
from liif_core.exercises.outputs import described
from liif_core.exercises.parts import CHECKS, HELPERS
from liif_core.files.publish import publishing
from liif_core.weights import manifest, weights_folder
from liif_core.wrapping import wrapped
from liif_core.zooming.photo import zoom

NAME = "my_liif.py"
MARK = re.compile(r"^# --- (?:part (\d): .*|the whole: .*) ---$", re.MULTILINE)
FINISHED = Path(__file__).with_name("finished_liif.py")

#: A part of the file by its number; what stands above all parts is 0, what stands below them END.
END = 9

#: What the lessons bring from liif_core, and the file does not: what to write in its place.
INSTEAD = {
    "pixel_centres": "write `torch.tensor(my_centres(n))`, with what you wrote in lesson 01",
    "cell_size": "write `torch.tensor([2 / height, 2 / width])`",
}

Parts = dict[int, str]


def keep(number: int, *functions: Callable[..., Any]) -> None:
    """Make functions part `number` of my_liif.py, and print how it went.

    Args:
        number: of the part, which is that of the lesson. What was there is replaced.
        functions: all that the part needs, each written with `def` in a cell.
    """
    try:
        mark = _mark(number)
        block = "\n\n\n".join([mark, *map(_source, functions)]) + "\n"
        text = _with({number: block})
        _checked(number, _run(text, f"part {number}"), [f.__name__ for f in functions])
        _write(text)
    except LiifError as error:
        print(wrapped(f"✗ Not kept: {error}"))
    else:
        print(f"✓ Part {number} is in {shown()}, and gives what liif_core gives.")


def take(*numbers: int, replace: bool = False) -> None:
    """Take parts from the solutions into my_liif.py, and print how it went.

    Args:
        numbers: of the parts.
        replace: put them in place of parts that are there already.
    """
    try:
        for number in numbers:
            _mark(number)
        there = sorted(set(numbers) & set(_kept()))
        if there and not replace:
            takes = ", ".join(map(str, there))
            raise LiifError(
                f"{shown()} has part {takes} already; to put the solution in its place, "
                f"take({takes}, replace=True)"
            )
        text = _with({number: _finished()[number] for number in numbers})
        module = _run(text, "")
        for number in numbers:
            _named(module, [name for name, part in _home().items() if part == number])
        _write(text)
    except LiifError as error:
        print(wrapped(f"✗ Not taken: {error}"))
    else:
        print(f"✓ Taken from the solutions into {shown()}: part {', '.join(map(str, numbers))}.")


def load() -> ModuleType:
    """Return my_liif.py as a module, as it now is; `import my_liif` then finds it, too.

    Raises:
        LiifError: there is none yet, or it does not run.
    """
    text = _read()
    if not text:
        raise LiifError(f"there is no {NAME} yet: keep a part of yours, or workbench.take(1)")
    module = _run(text, "", str(path()))
    sys.modules["my_liif"] = module
    return module


def missing() -> list[int]:
    """Return the numbers of the parts that my_liif.py still lacks.

    Raises:
        LiifError: its marks are not as they were.
    """
    there = _kept()
    return [number for number in CHECKS if number not in there]


def try_out(photo: np.ndarray, scale: int = 3) -> np.ndarray | None:
    """Zoom a photo with my_liif.py and the weights of the lessons; compare with `liif zoom`.

    Args:
        photo: (H, W, 3) uint8.
        scale: magnification, a whole number.

    Returns:
        the zoomed photo by my_liif.py; None where that cannot be, and it prints why.
    """
    height, width = (scale * side for side in photo.shape[:2])
    file = weights_folder() / manifest()["liif-edsr-small"]["file"]
    try:
        if lacking := missing():
            takes = ", ".join(map(str, lacking))
            raise LiifError(
                f"{NAME} lacks part {takes}: solve the lessons of these numbers, or "
                f"workbench.take({takes})"
            )
        if (photo == photo[..., :1]).all():  # of which `liif zoom` makes a grey one, (H, W)
            raise LiifError("this photo is all grey: try one in colour")
        module = load()
        model = module.read(file)
        mine = module.zoom(model, photo, height, width)
    except LiifError as error:
        print(wrapped(f"✗ Not yet: {error}"))
        return None
    except Exception as error:  # the file is the learner's, and may fail in any way
        print(wrapped(f"✗ Not yet: {NAME} stopped with {type(error).__name__}: {one_line(error)}"))
        return None
    theirs = np.asarray(zoom(photo, size=(width, height), model=file))
    apart = int(np.abs(mine.astype(int) - theirs).max())
    verdict = "✓ Your LIIF zooms" if apart <= 1 else "✗ Not yet: your LIIF zooms otherwise"
    count = sum(p.numel() for p in model.parameters())
    print(f"{verdict}: {count:,} numbers read, ×{scale}; no colour is more than {apart} of 255")
    print("away from what `liif zoom` makes.")
    return mine


# Where the file is


def path() -> Path:
    """Return where my_liif.py is, or would be."""
    if named := os.environ.get("MY_LIIF"):
        return Path(named).expanduser() / NAME
    beside = Path("my_liif")
    writable = os.access(beside if beside.exists() else Path(), os.W_OK)
    return (beside if writable else Path.home() / "my_liif") / NAME


def shown() -> str:
    """Return how my_liif.py is called in messages: where it is, if it is not where one looks."""
    in_home = "MY_LIIF" not in os.environ and path().is_absolute()
    return f"~/my_liif/{NAME}" if in_home else NAME


def _read() -> str:
    """Return the file's text, "" if there is none."""
    try:
        return path().read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeError) as error:
        raise LiifError(f"{path()} cannot be read: {one_line(error)}") from error


def _write(text: str) -> None:
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        with publishing(path()) as part:
            Path(part).write_text(text, encoding="utf-8")
    except (OSError, LiifError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LiifError(
            f"{path()} cannot be written ({reason}); name a folder of your own, "
            'import os; os.environ["MY_LIIF"] = "FOLDER", and try again'
        ) from error


# What is in it


def _parts(text: str, name: str = NAME) -> Parts:
    """Cut a file at its marks."""
    marks = list(MARK.finditer(text))
    numbers = [0, *(int(mark[1] or END) for mark in marks)]
    if numbers[-1] != END or numbers != sorted(set(numbers)):
        raise LiifError(
            f"the marks in {name}, lines such as “{_mark(3)}”, are not as they were: put them "
            "back, in order and each once; or move the file away, and keep your parts anew"
        )
    places = [0, *(mark.start() for mark in marks), len(text)]
    pieces = (text[start:end].strip("\n") + "\n" for start, end in pairwise(places))
    return dict(zip(numbers, pieces, strict=True))


def _finished() -> Parts:
    """Return the parts of the finished module, which is what the solutions make of it."""
    return _parts(FINISHED.read_text(encoding="utf-8"), FINISHED.name)


def _kept() -> Parts:
    """Return what my_liif.py has; what stands around the parts, where there is no file yet."""
    text, whole = _read(), _finished()
    return _parts(text) if text else {0: whole[0], END: whole[END]}


def _with(new: Parts) -> str:
    """Return the file's text with other parts in it."""
    parts = {**_kept(), **new}
    return "\n\n".join(parts[number] for number in sorted(parts))


def _mark(number: int) -> str:
    """Return the line above a part."""
    if number not in CHECKS:
        raise LiifError(f"there is no part {number}: the parts are {', '.join(map(str, CHECKS))}")
    (line,) = re.findall(rf"^# --- part {number}: .*$", FINISHED.read_text("utf-8"), re.MULTILINE)
    return line


def _home() -> dict[str, int]:
    """Return which part of the finished module each of its functions is in."""
    return {
        name: number
        for number, text in _finished().items()
        for name in re.findall(r"^(?:def|class) (\w+)", text, re.MULTILINE)
    }


# A part, looked at before it is written


def _source(function: Callable[..., Any]) -> str:
    """Return the text of a function that the learner wrote."""
    if not isinstance(function, FunctionType):
        raise LiifError(f"a function is wanted, and {described(function)} came: its name alone")
    name = function.__name__
    if function.__module__.startswith("liif_core"):
        raise LiifError(f"`{name}` is the library's own: give the one that you wrote")
    try:
        source = inspect.getsource(function).rstrip()
    except (OSError, TypeError) as error:
        raise LiifError(
            f"the source of `{name}` cannot be found: run the cell with its `def` again"
        ) from error
    if not re.match(rf"(@.*\n)*def {name}\b", source):
        raise LiifError(f"`{name}` must be written with `def {name}`, at the left of a cell")
    if MARK.search(source):
        raise LiifError(f"`{name}` holds a line like the marks of {NAME}: leave it out")
    return source


def _run(text: str, part: str, file: str = "") -> ModuleType:
    """Run a file's text and return the module; nothing is written."""
    module, name = ModuleType("my_liif"), file or f"<{NAME}>"
    lines = text.splitlines(keepends=True)
    linecache.cache[name] = (len(text), None, lines, name)  # so that an error shows its line
    try:
        exec(compile(text, name, "exec"), module.__dict__)
    except Exception as error:  # the file is the learner's, and may fail in any way
        line = _line(error, name)
        where = [m[1] or "the whole" for m in MARK.finditer("".join(lines[:line]))][-1:] or ["top"]
        shown_line = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        raise LiifError(
            f"{NAME} would not run: {type(error).__name__}: {one_line(error)}, in part {where[0]}, "
            f"`{shown_line}`; mend it, or workbench.take(…, replace=True)"
        ) from error
    return module


def _line(error: Exception, name: str) -> int:
    """Return the line of a text in which running it stopped."""
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    lines, trace = [0], error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == name:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return lines[1] if len(lines) > 1 else 0


def _checked(number: int, module: ModuleType, names: list[str]) -> None:
    """Raise LiifError unless a part holds what it should, and answers as liif_core does."""
    for wanted in CHECKS[number]:
        if wanted not in names:
            given = ", ".join(names) or "none"
            raise LiifError(f"part {number} needs a function `{wanted}`; you give {given}")
    _named(module, names)
    for name, checker in {**HELPERS.get(number, {}), **CHECKS[number]}.items():
        if name not in names:
            continue
        try:
            with torch.random.fork_rng():
                checker(guarded(getattr(module, name)))
        except NotImplementedError as error:
            raise LiifError(
                f"in `{name}` there is still a `raise NotImplementedError` to replace"
            ) from error
        except Exception as error:  # AssertionError with a hint, or what no checker foresaw
            raise LiifError(f"`{name}`: {one_line(error)}") from error


def _named(module: ModuleType, names: list[str]) -> None:
    """Raise LiifError if functions use a name that the module does not know."""
    known = set(vars(module)) | set(dir(builtins))
    for name in names:
        for used in _globals_in(getattr(module, name).__code__):
            if used in known:
                continue
            if part := _home().get(used):
                raise LiifError(
                    f"`{name}` uses `{used}`, which belongs to part {part}: solve lesson "
                    f"{part:02}, or workbench.take({part}) brings it from the solutions"
                )
            raise LiifError(
                f"`{name}` uses `{used}`, which is not in {NAME}: "
                + INSTEAD.get(used, f"keep it as well, or define it inside `{name}`")
            )


def _globals_in(code: CodeType) -> Iterator[str]:
    """Yield the global names that a function reads, and the functions inside it."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _globals_in(inner)
