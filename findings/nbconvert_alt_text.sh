#!/usr/bin/env bash
# A notebook may keep a figure's alternative text in the output's metadata ("alt"), and nbconvert knows the key: its
# templates "classic" and "basic" write it into the page. "lab", the default of `jupyter nbconvert --to html`, and
# "reveal" (slides) write "No description has been provided for this image" in its place. So a course with good
# alternative texts is published as one that has none, and a checker that only asks whether alt is there is content.
# Figures whose text must arrive are better put out as text/html with an <img alt=...> of their own.
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   nbconvert 7.17.2
#   lab (default): alt="No description has been provided for this image"
#   reveal: alt="No description has been provided for this image"
#   classic: alt="A cat."
#   basic: alt="A cat."
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
from nbformat.v4 import new_code_cell, new_notebook, new_output

# One grey pixel, as a PNG.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
print(f"nbconvert {nbconvert.__version__}")
output = new_output("display_data", {"image/png": PIXEL}, metadata={"image/png": {"alt": "A cat."}})
notebook = new_notebook(cells=[new_code_cell("show()", outputs=[output], execution_count=1)])
found = {}
for template in ("lab", "reveal", "classic", "basic"):
    exporter = nbconvert.SlidesExporter() if template == "reveal" else nbconvert.HTMLExporter(template_name=template)
    page, _ = exporter.from_notebook_node(notebook)
    (found[template],) = re.findall(r'<img alt="([^"]*)"', page)
    print(f"{template}{' (default)' if template == 'lab' else ''}: alt=\"{found[template]}\"")
kept = sorted(template for template, text in found.items() if text == "A cat.")
sys.exit(0 if kept == ["basic", "classic"] and nbconvert.HTMLExporter().template_name == "lab" else "this has changed")
PYTHON
