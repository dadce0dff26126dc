"""JPEGs that were cut off: what is left of them, and how much is not.

Every viewer shows them, the missing part in grey. Pillow refuses them unless told otherwise by a
switch (`LOAD_TRUNCATED_IMAGES`) that belongs to the whole process, and so to all its threads. Here
the missing end is put in its place instead: libjpeg fills up what lies before it.
"""

from io import BytesIO

import numpy as np
from PIL import Image

_END = b"\xff\xd9"

#: Any bits that are no marker. Where they change the picture, its own data has ended.
_NONSENSE = b"\x55\xa3" * 2000


def mended(data: bytes, number: int) -> tuple[Image.Image, str] | None:
    """Decode a JPEG that ends too soon.

    Args:
        data: the file.
        number: which of its pictures, from 0 on.

    Returns:
        the picture, its missing part filled up, and a remark that says how much that is; None if
        nothing is left of it, or this is not what ails it.
    """
    data = data.rstrip(b"\xff")  # half of a marker
    image = _decoded(data + _END, number)
    probe = _decoded(data + _NONSENSE + _END, number)
    if image is None:
        return None
    if image.info.get("progressive"):  # all of it is there, more or less coarse
        remark = "cut off: the last of its details are missing"
        if probe is not None and not _different_rows(image, probe).size:
            remark = "its end is missing, but no pixel"
        return image, remark
    if probe is None:
        return image, "cut off: a part of it is missing"
    different = _different_rows(image, probe)
    if not different.size:
        return image, "its end is missing, but hardly a pixel"
    missing = image.height - int(different[0])
    if missing >= image.height:
        return None
    share = max(1, round(100 * missing / image.height))
    return image, (
        f"cut off: of {image.height} rows, about {missing} are missing ({share} %), at the end of "
        "the file, and are filled up; copy or download it again if you can"
    )


def _decoded(data: bytes, number: int) -> Image.Image | None:
    image = Image.open(BytesIO(data))
    try:
        if number:
            image.seek(number)
        image.load()
    except (OSError, EOFError, ValueError, SyntaxError):
        return None
    return image


def _different_rows(one: Image.Image, other: Image.Image) -> np.ndarray:
    differ = np.asarray(one) != np.asarray(other)
    return np.flatnonzero(differ.reshape(one.height, -1).any(axis=1))
