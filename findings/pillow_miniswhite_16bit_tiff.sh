#!/usr/bin/env bash
# A greyscale TIFF may count from white (PhotometricInterpretation 0, WhiteIsZero), as scanners and fax software do.
# Pillow turns 8-bit files of this kind upright, and leaves 16-bit ones as they are: the same picture, saved deeper,
# opens as its negative, in mode I;16 and without a word. The tag is still there to be asked: image.tag_v2[262].
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   Pillow 13.0.0, tifffile 2026.3.3
#    8 bits, black is zero: mode L, white corner 255 of 255, black corner 0
#    8 bits, white is zero: mode L, white corner 255 of 255, black corner 0
#   16 bits, black is zero: mode I;16, white corner 65535 of 65535, black corner 0
#   16 bits, white is zero: mode I;16, white corner 0 of 65535, black corner 65535
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0 tifffile==2026.3.3 numpy==2.4.6 2>/dev/null
venv/bin/python - <<'PYTHON'
import sys

import numpy as np
import PIL
import tifffile
from PIL import Image

print(f"Pillow {PIL.__version__}, tifffile {tifffile.__version__}")
negatives = []
for bits, dtype in ((8, np.uint8), (16, np.uint16)):
    top = np.iinfo(dtype).max
    photo = np.linspace(top, 0, 64 * 48).reshape(48, 64).astype(dtype)  # white at the upper left, black at the lower right
    for kind, stored in (("minisblack", photo), ("miniswhite", top - photo)):
        tifffile.imwrite("a.tif", stored, photometric=kind)
        image = Image.open("a.tif")
        read = np.asarray(image)
        what = f"{'black' if kind == 'minisblack' else 'white'} is zero"
        print(f"{bits:2} bits, {what}: mode {image.mode}, white corner {read[0, 0]} of {top}, black corner {read[-1, -1]}")
        if read[0, 0] < read[-1, -1]:
            negatives.append((bits, kind))
sys.exit(0 if negatives == [(16, "miniswhite")] else "this has changed")
PYTHON
