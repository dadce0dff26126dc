"""What a file is that is no photo for us, by its first bytes, and what its owner can do."""

from pathlib import Path
from typing import IO

from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, SUBIFD, ImageFileDirectory_v2

_DEVELOP = "a camera's raw file; develop it first, with the camera's software or darktable, to TIFF"

_CONVERT = "save it as TIFF, PNG or JPEG first, with the program that shows it"

_FILM = "a film, no photo; save one frame of it as a picture"

_JXL = f"JPEG XL, but broken or of a kind not known; {_CONVERT}, or: djxl FILE.jxl FILE.png"

_STARTS = {
    b"%PDF": "a PDF; take the scans out of it first: pdfimages -all FILE.pdf NAME",
    b"\xff\x0a": _JXL,
    b"\0\0\0\x0cJXL \r\n": _JXL,
    b"\0\x05\x16\x07": "macOS's notes on the file of the same name without ._; zoom that one",
    b"IIU\0": _DEVELOP,  # Panasonic, Leica
    b"IIRO": _DEVELOP,  # Olympus
    b"IIRS": _DEVELOP,
    b"MMOR": _DEVELOP,
    b"FUJIFILMCCD-RAW": _DEVELOP,
    b"FOVb": _DEVELOP,  # Sigma
    b"\0MRM": _DEVELOP,  # Minolta
    b"\x1a\x45\xdf\xa3": _FILM,
    b"AT&TFORM": f"DjVu; {_CONVERT}, or: ddjvu -format=tiff FILE.djvu FILE.tif",
    b"PK\x03\x04": "an archive or document; take the pictures out of it first",
}

#: Brands of the files that begin with "ftyp" (ISO base media).
_BRANDS = {
    b"crx ": _DEVELOP,  # Canon's CR3
    b"avif": f"AVIF, which the Pillow here cannot read; {_CONVERT}",
    b"avis": f"AVIF, which the Pillow here cannot read; {_CONVERT}",
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
        f"HEIC, as iPhones take, but broken or of a kind not known; copy it again, or {_CONVERT}",
    ),
}

#: What files are that lie beside photos, and how their names end.
_NAMED = {
    _DEVELOP: ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .iiq .kdc .mef .mos .mrw .nef .nrw "
    ".orf .pef .raf .raw .rw2 .rwl .sr2 .srf .srw .x3f",
    _FILM: ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .vob .webm .wmv",
    "what another program notes beside a photo": ".aae .cos .dop .json .pp3 .thm .xml .xmp",
    "a sound": ".aac .amr .flac .m4a .mp3 .ogg .wav .wma",
    "a text": ".csv .doc .docx .htm .html .ini .log .md .odt .pages .rtf .txt .url",
    "a program's own file": ".db .lock .part .tmp .liif-part",
}
_ENDINGS = {ending: kind for kind, endings in _NAMED.items() for ending in endings.split()}

#: Pictures by their first bytes, and how their names should end.
_PICTURES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG\r\n\x1a\n": ".png",
    b"GIF8": ".gif",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}

#: PhotometricInterpretation of what a sensor saw: behind a colour filter array, or linear.
_RAW = (32803, 34892)

#: How a TIFF begins: in either order of bytes, with short or with long offsets.
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

#: How many directories of a TIFF are asked whether they are a sensor's.
MOST_DIRECTORIES = 8


def kind_of(start: bytes) -> str | None:
    """Say what a file is that Pillow cannot read, and what to do; None if that is not known.

    Args:
        start: its first 32 bytes.
    """
    if start[4:8] == b"ftyp":
        for at in (8, *range(16, len(start) - 3, 4)):  # the chief brand, then those it agrees with
            if start[at : at + 4] in _BRANDS:
                return _BRANDS[start[at : at + 4]]
        return _FILM
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return _FILM
    return next((kind for begin, kind in _STARTS.items() if start.startswith(begin)), None)


def kind_in_folder(path: Path) -> str:
    """Say what a file in an album is that is not named like a photo.

    Args:
        path: anything there but a folder. Its first bytes are read if it is an ordinary file.
    """
    try:
        if not path.is_file():
            return "a link to nothing" if path.is_symlink() else "no ordinary file"
        with path.open("rb") as file:
            start = file.read(32)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if path.name.startswith("."):
        return kind_of(start) or "hidden: its name begins with a dot"
    ending = path.suffix.lower()
    if not start:
        return "an empty file"
    for begin, right in _PICTURES.items():
        if ending not in _ENDINGS and start.startswith(begin):
            return f"a picture that is not named like one; let its name end in {right}"
    return _ENDINGS.get(ending) or kind_of(start) or f"of an unknown kind ({ending or 'no ending'})"


def raw_kind(file: IO[bytes]) -> str | None:
    """Say that a TIFF is a camera's raw file, which shows a small preview to readers of TIFF.

    Args:
        file: of any kind; left at another place.
    """
    file.seek(0)
    start = file.read(16)
    if start[:4] not in TIFF_STARTS:
        return None
    if start[8:10] == b"CR":  # Canon's CR2 says so in its header
        return _DEVELOP
    try:
        first = ImageFileDirectory_v2(start if b"\x2b" in start[2:4] else start[:8])
        waiting, seen = [first.next], set[int]()
        while waiting and len(seen) < MOST_DIRECTORIES:
            offset = waiting.pop(0)
            if not offset or offset in seen:
                continue
            seen.add(offset)
            file.seek(offset)
            first.load(file)
            if first.get(PHOTOMETRIC_INTERPRETATION) in _RAW:
                return _DEVELOP
            within = first.get(SUBIFD, ())
            waiting += [*(within if isinstance(within, tuple) else (within,)), first.next]
    except Exception:  # broken, which is told elsewhere
        return None
    return None
