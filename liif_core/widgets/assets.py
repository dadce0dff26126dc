"""The browser's half of a widget: plain ES modules and style sheets in `static/`.

anywidget hands each widget's module to the browser as one text, where a relative import would
lead nowhere. So imports of the form `import { a, b } from "./other.js";` are resolved here: the
text of each imported module is put in the place of its first import. All share one scope, so no
two of them may use the same name at their top level. No bundler, no network.
"""

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"
IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.MULTILINE)


def module(name: str) -> str:
    """Return the ES module `static/name` with every module that it needs in its place."""
    joined: set[str] = set()

    def text(imported: re.Match[str]) -> str:
        other = imported.group(1)
        if other in joined:
            return ""
        joined.add(other)
        inner = re.sub(r"^export ", "", read(other), flags=re.MULTILINE)
        return IMPORT.sub(text, inner)

    return IMPORT.sub(text, read(name))


def style(name: str) -> str:
    """Return the style sheet `static/name` after the shared one."""
    return read("shared.css") + "\n" + read(name)


def read(name: str) -> str:
    """Return a text file of `static/`."""
    return (STATIC / name).read_text(encoding="utf-8")
