#!/usr/bin/env bash
# A PNG of grey with 2 or 4 bits a pixel may name one grey that is transparent (tRNS). Pillow spreads the pixels over
# 0 … 255 and leaves the key as it stands in the file, so that they no longer meet: what is transparent everywhere else
# is opaque here, without a word. Of 1 bit and 8 bits the key is right. Whoever reads must multiply the key by 85 or 17.
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   Pillow 13.0.0
#   1 bit: grey 1 is read as 255, the key as 255: transparent
#   2 bits: grey 1 is read as 85, the key as 1: opaque
#   4 bits: grey 1 is read as 17, the key as 1: opaque
#   8 bits: grey 1 is read as 1, the key as 1: transparent
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0 2>/dev/null
venv/bin/python - <<'PYTHON'
import io
import struct
import sys
import zlib

import PIL
from PIL import Image

print(f"Pillow {PIL.__version__}")
opaque = []
for bits in (1, 2, 4, 8):
    # One pixel, the grey 1 of as many as the bits allow, which tRNS calls transparent.
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, bits, 0, 0, 0, 0)),
        (b"tRNS", struct.pack(">H", 1)),
        (b"IDAT", zlib.compress(bytes([0, 1 << (8 - bits)]))),
        (b"IEND", b""),
    ):
        data += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    image = Image.open(io.BytesIO(data))
    grey, _, _, alpha = image.convert("RGBA").getpixel((0, 0))
    key = image.info["transparency"]
    print(f"{bits} bit{'s' * (bits > 1)}: grey 1 is read as {grey}, the key as {key}: "
          f"{'opaque' if alpha else 'transparent'}")
    if alpha:
        opaque.append(bits)
sys.exit(0 if opaque == [2, 4] else "this has changed")
PYTHON
