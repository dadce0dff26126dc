"""How real a crisp model's zooms look, while it is trained: its PSNR falls as it gets better."""

from collections.abc import Sequence

import numpy as np

from liif_core.companions.encoder import load_encoder
from liif_core.companions.perception import PATCH, embeddings, kid
from liif_core.evaluate import make_pair, zoom_back
from liif_core.models import Model

#: What it is measured at, and on how much of the middle of each photograph, in pixels.
SCALE, MIDDLE = 4, 2 * PATCH


class Realness:
    """Measures the kernel distance between zooms and photographs; see `kid`.

    Args:
        photos: (H, W, 3) uint8 each; those with a side below `MIDDLE` are left out.
    """

    def __init__(self, photos: Sequence[np.ndarray]) -> None:
        large = [photo for photo in photos if min(photo.shape[:2]) >= MIDDLE]
        self.pairs = [make_pair(_middle(photo), SCALE) for photo in large]
        if self.measurable:
            self.encoder = load_encoder()
            self.truth = embeddings(self.encoder, [truth for truth, _ in self.pairs])

    @property
    def measurable(self) -> bool:
        """Whether there are photographs enough: two."""
        return len(self.pairs) >= 2

    def of(self, model: Model) -> dict[str, float]:
        """Return the distance, as a column of the log; nothing where it cannot be measured."""
        if not self.measurable:
            return {}
        zooms = [zoom_back(model, small, *truth.shape[:2]) for truth, small in self.pairs]
        return {f"kid_x{SCALE}": kid(embeddings(self.encoder, zooms), self.truth).value}


def _middle(photo: np.ndarray) -> np.ndarray:
    top, left = ((side - MIDDLE) // 2 for side in photo.shape[:2])
    return photo[top : top + MIDDLE, left : left + MIDDLE]
