"""How worn is a photo? Its noise and its JPEG blocks, measured on the pixels alone.

Noise and JPEG blocks count as detail to weights that were trained on clean photos, and are
sharpened. What is found here decides on a hint, never on what is computed.
"""

from dataclasses import dataclass

import numpy as np

from liif_core.baselines import check_picture
from liif_core.grid import Pixels

#: Where a hint is due. Of 16 clean validation photographs (256 × 256 pixels of each) none has more
#: than 5.8 and 0.07; with noise of σ 8, all have more noise; as JPEG of quality 60, 13 have a
#: stronger grid.
NOISE, GRID = 6.0, 0.12

#: Pixels along each side of the middle of a photo, which stands for all of it.
MIDDLE = 1024

#: Weights that were trained on clean photos, by their recipes.
CLEAN_WEIGHTS = (
    "liif-edsr",
    "liif-edsr-small",
    "liif-edsr-crisp",
    "edsr-baseline-liif",
    "heat-edsr",
    "heat-edsr-small",
)

#: How the weights for worn photos are chosen: on the command line, and in Python.
BY_OPTION, BY_CODE = "--weights liif-edsr-photo", 'load_model("liif-edsr-photo")'

#: Side of the blocks among which noise is looked for, and the share of them that is flattest.
BLOCK, FLATTEST = 16, 0.1


@dataclass(frozen=True)
class Wear:
    """What was found.

    Attributes:
        noise: standard deviation, of 255.
        grid: how much steeper the picture is across block borders than elsewhere; 0: no steeper.
    """

    noise: float
    grid: float

    def hint(self, how: str = BY_OPTION) -> str:
        """Return a line of advice; empty for a photo that is clean enough.

        Args:
            how: what the reader is to do.
        """
        signs = [(self.grid > GRID, "JPEG blocks"), (self.noise > NOISE, "noise")]
        found = " and ".join(name for there, name in signs if there)
        if not found:
            return ""
        return f"this photo carries {found}; {how} usually serves better"


def diagnose(picture: np.ndarray) -> Wear:
    """Measure a photo's noise and JPEG blocks.

    Args:
        picture: (H, W, 3) or (H, W), uint8 or floats in [0, 1].

    Raises:
        LiifError: the array is not a picture.
    """
    check_picture(picture)
    unit = 255 if picture.dtype != np.uint8 else 1
    grey = np.atleast_3d(picture).mean(axis=2, dtype=np.float32) * np.float32(unit)
    # A mean of channels would hide half of the noise, which is another in each of them.
    red = np.atleast_3d(picture)[..., 0].astype(np.float32) * np.float32(unit)
    return Wear(noise_of(red), grid_of(grey))


def hint_for(photo: Pixels, weights: str, how: str = BY_OPTION) -> str:
    """Return a line of advice on a photo, from its middle.

    Args:
        photo: what is to be zoomed.
        weights: what it is to be zoomed with; none of `CLEAN_WEIGHTS`: there is no advice.
        how: what the reader is to do.

    Returns:
        the line; empty if the photo is clean enough.
    """
    if weights not in CLEAN_WEIGHTS:
        return ""
    rows, cols = (
        slice(max(0, (side - MIDDLE) // 2), min(side, (side + MIDDLE) // 2))
        for side in (photo.height, photo.width)
    )
    return diagnose(photo.rgb(rows, cols)).hint(how)


def noise_of(plane: np.ndarray) -> float:
    """Estimate noise in the flattest parts of one channel: (H, W) -> standard deviation."""
    # Differences of the second order, along both axes, see neither a slope nor a bend along an
    # axis (Immerkær 1996); of noise of σ 1 they give σ 6.
    fine = np.diff(np.diff(plane, 2, axis=0), 2, axis=1)
    rows, cols = (side // BLOCK for side in fine.shape)
    if not rows * cols:
        return 0.0
    fine = fine[: rows * BLOCK, : cols * BLOCK]
    blocks = fine.reshape(rows, BLOCK, cols, BLOCK).swapaxes(1, 2).reshape(rows * cols, -1)
    return float(np.quantile(np.sqrt((blocks**2).mean(axis=1)), FLATTEST)) / 6


def grid_of(plane: np.ndarray) -> float:
    """Measure how an 8 × 8 grid stands out, wherever it begins: (H, W) -> 0 for no grid.

    A step across a border is compared with the steps beside it, so that slopes count nothing.
    """
    return min(_along(plane), _along(plane.T))


def _along(plane: np.ndarray) -> float:
    step = np.abs(np.diff(plane, axis=1))
    if step.shape[1] < 24:
        return 0.0
    extra = (step[:, 1:-1] - (step[:, :-2] + step[:, 2:]) / 2).mean(axis=0)
    phases = np.array([extra[first::8].mean() for first in range(8)])
    return float(max(phases.max(), 0) / max(step.mean(), 0.1))
