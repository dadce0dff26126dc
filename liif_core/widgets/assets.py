"""The browser's half of a widget: plain ES modules and style sheets in `static/`.

anywidget hands each widget's module to the browser as one text, where a relative import would
lead nowhere. So the one import that we allow, of `./shared.js`, is resolved here: the shared text
is put in its place. No bundler, no network.
"""

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"
SHARED_IMPORT = re.compile(r'^import \{[^}]*\} from "\./shared\.js";\n', re.MULTILINE)


def module(name: str) -> str:
    """Return the ES module `static/name` with `shared.js` in the place of its import."""
    shared = re.sub(r"^export ", "", read("shared.js"), flags=re.MULTILINE)
    return SHARED_IMPORT.sub(lambda _: shared, read(name))


def style(name: str) -> str:
    """Return the style sheet `static/name` after the shared one."""
    return read("shared.css") + "\n" + read(name)


def read(name: str) -> str:
    """Return a text file of `static/`."""
    return (STATIC / name).read_text(encoding="utf-8")
