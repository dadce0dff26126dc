#!/usr/bin/env bash
# Pillow writes PNGs that Pillow cannot open. A colour profile of more than a megabyte (printers' and scanners' often are)
# is saved into a PNG without a word, and Image.open of that very file then raises ValueError "Decompressed data too large
# for PngImagePlugin.MAX_TEXT_CHUNK": the picture is lost to Pillow, not the profile alone. The same goes for a compressed
# text; the same text, saved uncompressed, opens. The same profile in a JPEG, TIFF or WebP is read back. The limit belongs
# to the module and may be raised: PngImagePlugin.MAX_TEXT_CHUNK.
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   Pillow 13.0.0
#   profile of 1000 kB: JPEG yes, PNG yes, TIFF yes, WEBP yes
#   profile of 2000 kB: JPEG yes, PNG ValueError: Decompressed data too large for PngImagePlugin.MAX_TEXT_CHUNK, TIFF yes, WEBP yes
#   text of 2000 kB: uncompressed yes, compressed ValueError: Decompressed data too large for PngImagePlugin.MAX_TEXT_CHUNK
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0 2>/dev/null
venv/bin/python - <<'PYTHON'
import io
import random
import sys

import PIL
from PIL import Image
from PIL.PngImagePlugin import PngInfo

print(f"Pillow {PIL.__version__}")
picture = Image.new("RGB", (8, 8))


def opens(format: str, **options: object) -> str:
    file = io.BytesIO()
    picture.save(file, format, **options)
    try:
        Image.open(file).load()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "yes"


answers = []
for kilobytes in (1000, 2000):
    profile = random.Random(0).randbytes(1000 * kilobytes)  # Pillow hands it on without looking into it
    told = {format: opens(format, icc_profile=profile) for format in ("JPEG", "PNG", "TIFF", "WEBP")}
    print(f"profile of {kilobytes} kB:", ", ".join(f"{format} {answer}" for format, answer in told.items()))
    answers += [answer == "yes" for answer in told.values()]
for compressed in (False, True):
    text = PngInfo()
    text.add_text("Story", "Oma " * 500_000, zip=compressed)
    answers.append((answer := opens("PNG", pnginfo=text)) == "yes")
    print("text of 2000 kB: uncompressed " if not compressed else ", compressed ", answer, sep="", end="\n" if compressed else "")
sys.exit(0 if answers == [True] * 5 + [False] + [True] * 3 + [False] else "this has changed")
PYTHON
