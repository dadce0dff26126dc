#!/usr/bin/env bash
# Pillow reads a colour TIFF of 16 bits whose channels lie in separate planes (PlanarConfiguration 2) wrongly if it is
# not compressed: no error, a picture of the right size, and colours that are noise. The same planes compressed with
# Deflate are read rightly, and so are the uncompressed values with their channels together. Scanner software writes
# such files. A reader can tell from the header alone: BitsPerSample 16, PlanarConfiguration 2, Compression 1.
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   Pillow 13.0.0, tifffile 2026.3.3
#   channels together, uncompressed: largest error 0 of 255
#   channels together, Deflate: largest error 0 of 255
#   separate planes, uncompressed: largest error 128 of 255
#   separate planes, Deflate: largest error 0 of 255
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
y, x = np.mgrid[:48, :64]
photo = np.stack([x * 4, y * 5, (x + y) * 2], axis=-1).astype(np.uint8)
deep = photo.astype(np.uint16) * 257
errors = {}
for planes, values in (("contig", deep), ("separate", deep.transpose(2, 0, 1))):
    for compression in (None, "zlib"):
        tifffile.imwrite("a.tif", values, photometric="rgb", planarconfig=planes, compression=compression)
        # The file itself is sound: the library that wrote it reads the very values back.
        assert np.array_equal(tifffile.imread("a.tif"), values)
        read = np.asarray(Image.open("a.tif").convert("RGB")).astype(int)
        errors[planes, compression] = np.abs(read - photo).max()
        how = "channels together" if planes == "contig" else "separate planes"
        print(f"{how}, {'Deflate' if compression else 'uncompressed'}: largest error {errors[planes, compression]} of 255")
wrong = [case for case, error in errors.items() if error > 1]
sys.exit(0 if wrong == [("separate", None)] else "this has changed")
PYTHON
