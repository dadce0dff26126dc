"""Results that are there already: are they of the zoom that is asked for?

A result's name says which photo, how large and which part. Which weights made it, and from which
seed, stands in its file; a name that said so, too, would be as long as what may differ.
"""

from dataclasses import dataclass
from pathlib import Path

from PIL.ExifTags import Base

from liif_core.errors import LiifError
from liif_core.files.carried import maker_told
from liif_core.files.exif import words
from liif_core.files.notes import notes_of
from liif_core.files.opening import opened


@dataclass(frozen=True)
class Asked:
    """What is to be zoomed with.

    Attributes:
        weights: what they will be called in the result's file.
        seed: for weights that invent details.
    """

    weights: str
    seed: int = 0

    def unlike(self, result: Path) -> str:
        """Return what a result there says that it was made with, if that is something else.

        "" if it is the same, or if nothing is told: what `--strip` left out, a file of another
        program, or one with more pixels than are read.
        """
        try:
            with opened(str(result)) as image:
                told = maker_told(words(notes_of(image).exif.main.get(Base.Software)))
        except LiifError:
            return ""
        if told is None or (told.weights == self.weights and told.seed in (None, self.seed)):
            return ""
        seed = "" if told.seed is None else f", seed {told.seed}"
        return f"made with weights {told.weights}{seed}"
