"""A photo with everything that a family's programs write, and what exiftool reads of a file."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

#: A stubborn reader that is not ours; CI installs it.
EXIFTOOL = shutil.which("exiftool")

needs_exiftool = pytest.mark.skipif(
    EXIFTOOL is None, reason="exiftool is not installed (Debian: libimage-exiftool-perl)"
)

#: What exiftool says of the file itself, and what it makes up of other tags.
ABOUT_THE_FILE = ("ExifTool", "File", "System", "Composite", "JFIF", "SourceFile")

#: Tags of digiKam, Apple's and Google's Photos, Lightroom, Windows and cameras: what exiftool calls
#: them, and what they say.
TAGS: dict[str, Any] = {
    # Windows Explorer
    "IFD0:XPTitle": "Hochzeit",
    "IFD0:XPComment": "Vor der Kirche",
    "IFD0:XPAuthor": "Onkel Józef",
    "IFD0:XPKeywords": "Oma;Opa",
    "IFD0:XPSubject": "Familie",
    "IFD0:Rating": 4,
    "IFD0:RatingPercent": 75,
    "XMP-microsoft:RatingPercent": 75,
    "XMP-microsoft:LastKeywordXMP": ["Familie/Oma", "Familie/Opa"],
    # cameras and phones
    "IFD0:Make": "Kamera",
    "IFD0:Model": "K 1",
    "IFD0:HostComputer": "iPhone 12",
    "IFD0:Artist": "Józef",
    "IFD0:Copyright": "© Familie Müller",
    "IFD0:ImageDescription": "Oma und Opa, 1951",
    "IFD0:ModifyDate": "2019:05:04 10:11:12",
    "ExifIFD:DateTimeOriginal": "1951:06:07 12:00:00",
    "ExifIFD:OffsetTimeOriginal": "+02:00",
    "ExifIFD:SubSecTimeOriginal": 37,
    "ExifIFD:ExposureTime": 0.004,
    "ExifIFD:FNumber": 2.8,
    "ExifIFD:ISO": 200,
    "ExifIFD:LensModel": "Objektiv 50 mm",
    "GPS:GPSLatitudeRef": "N",
    "GPS:GPSLatitude": 48.2082,
    "GPS:GPSLongitudeRef": "E",
    "GPS:GPSLongitude": 16.3738,
    "GPS:GPSAltitude": 171,
    "GPS:GPSAltitudeRef": 0,
    # captions: Photos, Lightroom, digiKam; in several languages
    "XMP-dc:Title": "Hochzeit",
    "XMP-dc:Title-en": "Wedding",
    "XMP-dc:Description": "Oma Štěpánka & Opa <1951>\nvor der Kirche",
    "XMP-dc:Creator": "Onkel Józef",
    "XMP-dc:Subject": ["Oma", "Opa", "Žižkov"],
    "XMP-dc:Rights": "© Familie Müller",
    "XMP-photoshop:City": "Wien",
    "XMP-photoshop:Country": "Österreich",
    "XMP-photoshop:DateCreated": "1951:06:07",
    "XMP-photoshop:Instructions": "erste Zeile\nzweite",
    "XMP-xmp:Rating": 4,
    "XMP-xmp:Label": "Rot",
    "XMP-xmp:CreateDate": "1951:06:07 12:00:00",
    "XMP-lr:HierarchicalSubject": ["Familie|Oma", "Familie|Opa"],
    "XMP-digiKam:TagsList": ["Familie/Oma", "Familie/Opa"],
    "XMP-digiKam:PickLabel": 3,
    "XMP-acdsee:Caption": "Oma und Opa",
    "XMP-acdsee:Categories": "<Categories><Category Assigned='1'>Oma</Category></Categories>",
    "XMP-mediapro:People": ["Oma", "Opa"],
    "XMP-iptcExt:PersonInImage": ["Štěpánka Müller", "Józef Müller"],
    "XMP-iptcCore:Location": "Karlskirche",
    "XMP-exif:GPSLatitude": 48.2082,
    "XMP-GPano:ProjectionType": "equirectangular",
    # faces
    "XMP-mwg-rs:RegionName": ["Štěpánka", "Józef"],
    "XMP-mwg-rs:RegionType": ["Face", "Face"],
    "XMP-mwg-rs:RegionAreaX": [0.25, 0.75],
    "XMP-mwg-rs:RegionAreaY": [0.5, 0.25],
    "XMP-mwg-rs:RegionAreaW": [0.125, 0.25],
    "XMP-mwg-rs:RegionAreaH": [0.25, 0.125],
    "XMP-mwg-rs:RegionAreaUnit": ["normalized", "normalized"],
    "XMP-MP:RegionPersonDisplayName": ["Štěpánka", "Józef"],
    "XMP-MP:RegionRectangle": ["0.1875, 0.375, 0.125, 0.25", "0.625, 0.1875, 0.25, 0.125"],
    # newspapers' old form, which many archives hold
    "IPTC:CodedCharacterSet": "\x1b%G",
    "IPTC:ObjectName": "Hochzeit",
    "IPTC:Caption-Abstract": "Oma Štěpánka und Opa",
    "IPTC:Keywords": ["Oma", "Opa", "Žižkov"],
    "IPTC:By-line": "Onkel Józef",
    "IPTC:City": "Wien",
    "IPTC:DateCreated": "1951:06:07",
}

COMMENT = "Rückseite: Oma 1951"

SIZE = (64, 48)


def family_photo(path: Path, **options: Any) -> None:
    """Write a small photo with `TAGS` and, where its kind has them, `COMMENT` and 600 dpi."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    pixels = np.stack([x * 4, y * 5, (x + y) * 2], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(path, dpi=(600, 600), **options)
    tags = []
    for name, value in TAGS.items():
        for one in value if isinstance(value, list) else [value]:
            words = str(one).replace("&", "&amp;").replace("\n", "&#xa;").replace("<", "&lt;")
            tags.append(f"-{name}={words}\n")
    for side, pixels_ in zip("WH", SIZE, strict=True):
        tags.append(f"-XMP-mwg-rs:RegionAppliedToDimensions{side}={pixels_}\n")
    tags += [
        "-XMP-mwg-rs:RegionAppliedToDimensionsUnit=pixel\n",
        f"-XMP-tiff:ImageWidth={SIZE[0]}\n",
        f"-XMP-tiff:ImageHeight={SIZE[1]}\n",
        f"-XMP-exif:ExifImageWidth={SIZE[0]}\n",
        "-XMP-tiff:Orientation=1\n",
        "-IFD0:Software=Scanner 3\n",
    ]
    if path.suffix == ".jpg":
        tags.append(f"-File:Comment={COMMENT}\n")
    arguments = path.with_suffix(".args")
    arguments.write_text("".join(tags), encoding="utf-8")
    options_ = ["-E", "-n", "-q", "-q", "-m", "-overwrite_original", "-codedcharacterset=utf8"]
    exiftool(*options_, "-@", str(arguments), str(path))


def exiftool(*arguments: str) -> str:
    """Run exiftool, and return what it prints."""
    assert EXIFTOOL
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [EXIFTOOL, *arguments], capture_output=True, env=environment, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read_tags(path: Path) -> dict[str, Any]:
    """Return what exiftool reads: "group:tag" -> value."""
    return json.loads(exiftool("-j", "-n", "-G1", "-a", "-u", str(path)))[0]
