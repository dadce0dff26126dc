"""The browser's half of a widget: plain ES modules and style sheets in `static/`.

anywidget hands each widget's module to the browser as one text, where a relative import would
lead nowhere; so does a page that is one file. So imports of the form `import { a, b } from
"./other.js";` are resolved here: the text of each imported module is put in the place of its first
import. All share one scope, so no two of them may use the same name at their top level. No bundler,
no network.
"""

import posixpath
import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"
IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[\w./]+\.js)";\n', re.MULTILINE)
#: Of a module that is put into another: its default is a widget, which only the outermost may be.
EXPORT = re.compile(r"^export (?:default .*\n)?", re.MULTILINE)


def module(name: str) -> str:
    """Return the ES module `static/name` with every module that it needs in its place."""
    return joined(read(name), posixpath.dirname(name))


def joined(text: str, folder: str = "") -> str:
    """Return the text of an ES module in a folder of `static/`, with what it imports in place."""
    known: set[str] = set()

    def join(text: str, folder: str) -> str:
        def put(imported: re.Match[str]) -> str:
            name = posixpath.normpath(posixpath.join(folder, imported.group(1)))
            if name in known:
                return ""
            known.add(name)
            return EXPORT.sub("", join(read(name), posixpath.dirname(name)))

        return IMPORT.sub(put, text)

    return join(text, folder)


def engine_pieces() -> tuple[dict[str, bytes], str]:
    """Return what the engine in the browser needs beside its module, for a page without files.

    Returns:
        The kernel in WebAssembly, "plain" and with "relaxed" SIMD; and a worker's script, whole,
        with nothing to import. Both go to `piecesWithin` in `static/engine/pieces.js`.
    """
    names = {"plain": "kernel.wasm", "relaxed": "kernel_relaxed.wasm"}
    kernels = {build: (STATIC / "engine" / name).read_bytes() for build, name in names.items()}
    return kernels, module("engine/worker.js")


def style(name: str) -> str:
    """Return the style sheet `static/name` after the shared one."""
    return read("shared.css") + "\n" + read(name)


def read(name: str) -> str:
    """Return a text file of `static/`."""
    return (STATIC / name).read_text(encoding="utf-8")
