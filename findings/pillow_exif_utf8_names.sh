#!/usr/bin/env bash
# The usual way to hand a photo's EXIF on with Pillow, `save(..., exif=image.getexif())`, turns every letter of a name that
# is not ASCII into question marks, one for each of its bytes, without an error or a warning: "Józef" becomes "J??zef".
# Cameras, Windows, digiKam and exiftool write Artist, Copyright and ImageDescription in UTF-8. Pillow decodes such tags as
# Latin-1 ("JÃ³zef", which can still be undone), but encodes them as ASCII with "replace". Handing on the bytes that were
# read (`exif=image.info["exif"]`) keeps them; so does encoding the words before they are put back.
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   Pillow 13.0.0
#   in the photo:      b'J\xc3\xb3zef'
#   read by getexif(): 'JÃ³zef'
#   JPEG: getexif() -> 'J??zef', info["exif"] -> 'Józef'
#   PNG: getexif() -> 'J??zef', info["exif"] -> 'Józef'
#   WEBP: getexif() -> 'J??zef', info["exif"] -> 'Józef'
#   TIFF: getexif() -> 'J??zef', info["exif"] -> 'J??zef'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0 2>/dev/null
PYTHONIOENCODING=utf-8 venv/bin/python - <<'PYTHON'
import io
import sys

import PIL
from PIL import ExifTags, Image

ARTIST = ExifTags.Base.Artist
print(f"Pillow {PIL.__version__}")
picture = Image.new("RGB", (8, 8))
exif = Image.Exif()
exif[ARTIST] = "Józef".encode()  # as other programs write it
picture.save("photo.jpg", exif=exif)
photo = Image.open("photo.jpg")
assert "Józef".encode() in photo.info["exif"]
print(f"in the photo:      {'Józef'.encode()}")
print(f"read by getexif(): {photo.getexif()[ARTIST]!r}")


def artist_after(format: str, exif: object) -> str:
    file = io.BytesIO()
    picture.save(file, format, exif=exif)
    found = Image.open(file).getexif()[ARTIST]
    return found.encode("latin-1").decode("utf-8")


seen = {}
for format in ("JPEG", "PNG", "WEBP", "TIFF"):
    seen[format] = artist_after(format, photo.getexif()), artist_after(format, photo.info["exif"])
    print(f'{format}: getexif() -> {seen[format][0]!r}, info["exif"] -> {seen[format][1]!r}')
expected = {format: ("J??zef", "Józef") for format in seen} | {"TIFF": ("J??zef", "J??zef")}
sys.exit(0 if seen == expected else "this has changed")
PYTHON
