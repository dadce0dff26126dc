"""Pictures that come with other packages, so that no lesson downloads anything.

All but one are photographs; "scripts" is drawn from a typeface. All are free to use, most in the
public domain; NOTICE names their sources. The shipped weights never saw them in training.
"""

import io
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from liif_core.errors import LiifError

#: One name in six scripts, as "scripts" shows it.
SCRIPTS = (
    "Grace Hopper",
    "Γκρέις Χόπερ",
    "Грейс Хоппер",
    "Գրեյս Հոփեր",
    "გრეის ჰოპერი",
    "⠛⠗⠁⠉⠑ ⠓⠕⠏⠏⠑⠗",
)
#: Its width and height in pixels.
SCRIPTS_SIZE = (720, 600)


class Sample(NamedTuple):
    """Where a photograph lies, or a typeface to draw from; who made the sample; its licence."""

    package: str
    file: str
    credit: str


SAMPLES = {
    "portrait": Sample(
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        "Grace Hopper; US Navy, public domain",
    ),
    "astronaut": Sample("skimage", "data/astronaut.png", "Eileen Collins; NASA, public domain"),
    "cat": Sample("skimage", "data/chelsea.png", "Chelsea; Stefan van der Walt, CC0"),
    "coffee": Sample("skimage", "data/coffee.png", "Espresso; Rachel Michetti, CC0"),
    "rocket": Sample("skimage", "data/rocket.jpg", "DSCOVR launch; SpaceX, public domain"),
    "text": Sample("skimage", "data/text.png", "Handwriting; Wikipedia, public domain"),
    "galaxies": Sample(
        "skimage", "data/hubble_deep_field.jpg", "Hubble eXtreme Deep Field; NASA, public domain"
    ),
    "bricks": Sample("skimage", "data/brick.png", "Bricks25; CC0Textures, CC0"),
    "cameraman": Sample("skimage", "data/camera.png", "Camera; Lav Varshney, CC0"),
    "grass": Sample("skimage", "data/grass.png", "Grass 01; linolafett, CC0"),
    "gravel": Sample("skimage", "data/gravel.png", "Gravel04; CC0Textures, CC0"),
    "palace": Sample("sklearn", "datasets/images/china.jpg", "China; danielbuechele, CC-BY 2.0"),
    "flower": Sample("sklearn", "datasets/images/flower.jpg", "Flower; vultilion, CC-BY 2.0"),
    "coins": Sample(
        "skimage", "data/coins.png", "Greek coins from Pompeii; Brooklyn Museum, free of rights"
    ),
    "retina": Sample("skimage", "data/retina.jpg", "Human retina; Mikael Häggström, CC0"),
    "scripts": Sample(
        "matplotlib", "mpl-data/fonts/ttf/DejaVuSans.ttf", "one name, drawn in DejaVu Sans; CC0"
    ),
}


def sample_photo(name: str, longest: int | None = None) -> np.ndarray:
    """Return a sample photograph, or the drawn sample.

    Args:
        name: one of `SAMPLES`.
        longest: shrink it (PIL bicubic) until its longer side has this many pixels; never
            enlarges.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        LiifError: no such sample, or the package that carries it is not installed.
    """
    if name not in SAMPLES:
        raise LiifError(f"no sample photo '{name}'; there are: {', '.join(SAMPLES)}")
    sample = SAMPLES[name]
    # Found, not imported: scikit-learn alone takes 50 MB of a kernel.
    package = find_spec(sample.package)
    if package is None or not package.origin:
        raise LiifError(f"sample '{name}' needs {sample.package}: pip install '.[lab,companions]'")
    path = Path(package.origin).parent / sample.file
    with io.BytesIO(path.read_bytes()) as file:
        photo = _scripts(file) if sample.file.endswith(".ttf") else _photograph(file)
    if longest and max(photo.size) > longest:
        photo = ImageOps.contain(photo, (longest, longest), Image.Resampling.BICUBIC)
    return np.asarray(photo)


def _photograph(file: io.BytesIO) -> Image.Image:
    with Image.open(file) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _scripts(typeface: io.BytesIO) -> Image.Image:
    """Draw one name in six scripts: dark ink on paper, then light ink on slate."""
    width, height = SCRIPTS_SIZE
    page = Image.new("RGB", (width, height), "#F4ECD8")
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, height // 2, width, height), fill="#24384A")
    font = ImageFont.truetype(typeface, 64, layout_engine=ImageFont.Layout.BASIC)
    for number, line in enumerate(SCRIPTS):
        middle = (width / 2, height * (number + 0.5) / len(SCRIPTS))
        ink = "#3A1F14" if number < len(SCRIPTS) / 2 else "#FFD98A"
        draw.text(middle, line, font=font, fill=ink, anchor="mm")
    return page
