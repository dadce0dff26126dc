#!/usr/bin/env bash
# Pillow writes TIFFs of several pages (save_all), each with its own EXIF (encoderinfo of an appended picture). From the
# second page on, the offset of the EXIF directory is not moved with the page (AppendingTiffWriter moves those of strips
# and of long values, not those of directories), so that it points into the first page: its notes are lost, or, where
# both pages are laid out alike, the second page shows the notes of the first. No error, no warning.
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   Pillow 13.0.0
#   captions of one length: page 1: lens A, page 2: lens A
#   captions of two lengths: page 1: lens A, page 2: none
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
from PIL import ExifTags, Image

print(f"Pillow {PIL.__version__}")
EXIF, LENS, CAPTION = ExifTags.IFD.Exif, ExifTags.Base.LensModel, ExifTags.Base.ImageDescription


def notes(lens, caption):
    exif = Image.Exif()
    exif[CAPTION] = caption
    exif.get_ifd(EXIF)[LENS] = lens
    exif[EXIF] = dict(exif.get_ifd(EXIF))
    return exif


found = {}
for what, captions in (("one length", ("Grandma", "Grandpa")), ("two lengths", ("Grandma", "Grandpa, at the lake"))):
    first, second = Image.new("RGB", (40, 30)), Image.new("RGB", (40, 30), "red")
    second.encoderinfo = {"exif": notes("lens B", captions[1])}
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=[second], exif=notes("lens A", captions[0]))
    lenses = []
    with Image.open(file) as album:
        for page in range(2):
            album.seek(page)
            exif = album.getexif()
            assert exif[CAPTION] == captions[page]  # the first directory is each page's own
            lenses.append(exif.get_ifd(EXIF).get(LENS, "none"))
    print(f"captions of {what}: page 1: {lenses[0]}, page 2: {lenses[1]}")
    found[what] = lenses
sys.exit(0 if found == {"one length": ["lens A", "lens A"], "two lengths": ["lens A", "none"]} else "this has changed")
PYTHON
