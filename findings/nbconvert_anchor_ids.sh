#!/usr/bin/env bash
# nbconvert puts a "¶" behind each heading of a page, which links to the heading's id. A page that is to do without the
# signs (a screen reader speaks each: "pilcrow, link") asks for `exclude_anchor_links`. That takes away the ids as well:
# every link to a section, from a table of contents, another page or a search, then leads to the top of the page, and
# nothing says so. Whoever wants ids without signs keeps the links, and takes the <a class="anchor-link"> out afterwards.
# `anchor_link_text=""` is no way out: it leaves links without a text, which are spoken as "link".
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   nbconvert 7.17.2
#   default: <h2 id="A-section">A section<a class="anchor-link" href="#A-section">¶</a></h2>
#   exclude_anchor_links=True: <h2>A section</h2>
#   anchor_link_text="": <h2 id="A-section">A section<a class="anchor-link" href="#A-section"></a></h2>
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nbconvert==7.17.2 nbformat==5.11.1 2>/dev/null
venv/bin/python -W ignore - <<'PYTHON'
import re
import sys

import nbconvert
from nbformat.v4 import new_markdown_cell, new_notebook

print(f"nbconvert {nbconvert.__version__}")
notebook = new_notebook(cells=[new_markdown_cell("## A section\n\n[to it](#A-section)")])
found = {}
for name, options in {
    "default": {},
    "exclude_anchor_links=True": {"exclude_anchor_links": True},
    'anchor_link_text=""': {"anchor_link_text": ""},
}.items():
    page, _ = nbconvert.HTMLExporter(template_name="basic", **options).from_notebook_node(notebook)
    (found[name],) = re.findall(r"<h2.*?</h2>", page)
    print(f"{name}: {found[name]}")
ids = [name for name, heading in found.items() if 'id="A-section"' in heading]
sys.exit(0 if ids == ["default", 'anchor_link_text=""'] else "this has changed")
PYTHON
