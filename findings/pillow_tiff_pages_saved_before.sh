#!/usr/bin/env bash
# A picture that Pillow has saved as a JPEG or PNG cannot be appended to a TIFF of several pages any more: `save_all` stops
# with "TypeError: function takes at most 4 arguments (18 given)", which names neither the picture nor the reason. JPEG's and
# PNG's writers leave their settings with the picture (`encoderconfig`); TIFF's hands them to its own encoder, unless the
# picture has none (it sets an empty one only where the attribute is missing). The first page is safe, and so is a picture
# that was saved as WebP or BMP. Whoever writes a preview of each scan and then an album appends copies: `page.copy()`.
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   Pillow 13.0.0
#   appended after JPEG: TypeError: function takes at most 4 arguments (18 given); a copy: 2 pages
#   appended after PNG: TypeError: function takes at most 4 arguments (8 given); a copy: 2 pages
#   appended after BMP: 2 pages; a copy: 2 pages
#   first page after PNG: 2 pages
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0 2>/dev/null
venv/bin/python - <<'PYTHON'
import io
import sys

import PIL
from PIL import Image

print(f"Pillow {PIL.__version__}")


def album(first, second):
    file = io.BytesIO()
    try:
        first.save(file, "TIFF", save_all=True, append_images=[second])
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    with Image.open(file) as pages:
        return f"{pages.n_frames} pages"


failed = []
for preview in ("JPEG", "PNG", "BMP"):
    scan = Image.new("RGB", (8, 8), "red")
    scan.save(io.BytesIO(), preview)
    found = album(Image.new("RGB", (8, 8)), scan)
    copied = album(Image.new("RGB", (8, 8)), scan.copy())
    print(f"appended after {preview}: {found}; a copy: {copied}")
    assert copied == "2 pages"
    if "TypeError" in found:
        failed.append(preview)
scan = Image.new("RGB", (8, 8), "red")
scan.save(io.BytesIO(), "PNG")
first = album(scan, Image.new("RGB", (8, 8)))
print(f"first page after PNG: {first}")
sys.exit(0 if (failed, first) == (["JPEG", "PNG"], "2 pages") else "this has changed")
PYTHON
