#!/usr/bin/env bash
# An output in a notebook may come in several forms; JupyterLab shows one. In which order they stand in the output does not
# matter: each form has a rank, and the lowest that can be shown wins. HTML has rank 50, and ipywidgets gives the live view of
# a widget rank -10. So a widget's view hides the HTML beside it in every trusted notebook, also where no kernel and no saved
# state is left to draw it from: the reader sees "Error displaying widget: model not found" in place of a still that is there.
# Only an untrusted notebook shows the HTML, as the view is not among the forms that are safe. Whoever wants the still shown
# must give it a form of its own with a rank below -10, and a renderer for that, or take the view out of the file.
#
# The ranks are read from what the two packages bring to the browser.
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   jupyterlab 4.6.6, jupyterlab_widgets 3.0.17
#   text/html: rank 50
#   application/vnd.jupyter.widget-view+json: rank -10, safe: no
#   the form is chosen among: all where the notebook is trusted, safe ones elsewhere
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --no-deps jupyterlab==4.6.6 jupyterlab_widgets==3.0.17 2>/dev/null
venv/bin/python - <<'PYTHON'
import re
import sys
from importlib.metadata import version
from pathlib import Path

print(", ".join(f"{name} {version(name)}" for name in ("jupyterlab", "jupyterlab_widgets")))
share = Path(sys.prefix, "share/jupyter")


def scripts(folder):
    return "\n".join(path.read_text(errors="replace") for path in (share / folder).glob("*.js"))


lab = scripts("lab/static")
widgets = scripts("labextensions/@jupyter-widgets/jupyterlab-manager/static")
html = set(re.findall(r'mimeTypes:\["text/html"\],defaultRank:(-?\d+)', lab))
print("text/html: rank", *html)
kind = "application/vnd.jupyter.widget-view+json"
(name,) = set(re.findall(rf'\b(\w+)="{re.escape(kind)}"', widgets))
factories = re.findall(rf"\{{safe:(\S\S?),mimeTypes:\[{name}\],createRenderer:[^}}]*\}},(-?\d+)\)", widgets)
ranks, safe = ({values[at] for values in factories} for at in (1, 0))
print(f"{kind}: rank {', '.join(ranks)}, safe: {'no' if safe == {'!1'} else safe}")
chosen = re.search(r'preferredMimeType\(\w+\.data,\w+\.trusted\?"any":"ensure"\)', lab)
print("the form is chosen among:", "all where the notebook is trusted, safe ones elsewhere" if chosen else "unknown")
sys.exit(0 if (html, ranks, safe) == ({"50"}, {"-10"}, {"!1"}) and chosen else "this has changed")
PYTHON
