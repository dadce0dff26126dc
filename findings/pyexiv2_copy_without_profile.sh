#!/usr/bin/env bash
# pyexiv2's copy_to_another_image copies nothing from a photo that has no colour profile: it raises RuntimeError "Not a
# valid ICC Profile" and leaves the other picture as it was, without the EXIF, IPTC, XMP and comment that the first one
# has. By default it asks for all six kinds; most phones' and cameras' JPEGs have no profile (sRGB is understood). With
# icc=False all the rest is copied, and so it is by default once the photo has a profile.
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   pyexiv2 2.16.0 (Exiv2 0.28.8)
#   no profile, default: RuntimeError: Not a valid ICC Profile; copied: {}
#   no profile, icc=False: done; copied: {'Exif.Image.Artist': 'Oma'}
#   with a profile, default: done; copied: {'Exif.Image.Artist': 'Oma'}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyexiv2==2.16.0 pillow==13.0.0 2>/dev/null
venv/bin/python - <<'PYTHON'
import sys

import pyexiv2
from PIL import Image, ImageCms

print(f"pyexiv2 {pyexiv2.__version__} (Exiv2 {pyexiv2.__exiv2_version__})")
picture = Image.new("RGB", (30, 20))
srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def copied(profile: bytes, **kinds: bool) -> tuple[str, dict[str, str]]:
    picture.save("photo.jpg", icc_profile=profile)
    picture.save("result.jpg")
    with pyexiv2.Image("photo.jpg") as photo:
        photo.modify_exif({"Exif.Image.Artist": "Oma"})
    with pyexiv2.Image("photo.jpg") as photo, pyexiv2.Image("result.jpg") as result:
        try:
            photo.copy_to_another_image(result, **kinds)
            said = "done"
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
    with pyexiv2.Image("result.jpg") as result:
        return said, result.read_exif()


cases = {
    "no profile, default": copied(b""),
    "no profile, icc=False": copied(b"", icc=False),
    "with a profile, default": copied(srgb),
}
for case, (said, found) in cases.items():
    print(f"{case}: {said}; copied: {found}")
sys.exit(0 if [bool(found) for _, found in cases.values()] == [False, True, True] else "this has changed")
PYTHON
