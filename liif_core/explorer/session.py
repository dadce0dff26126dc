"""An explorer session: one photo at a time, the questions asked about it, and photos that arrive.

It knows nothing of Jupyter. `QUESTIONS.md` beside this file is the whole interface.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from liif_core.errors import LiifError, one_line
from liif_core.explorer.frames import ExploredPhoto
from liif_core.explorer.messages import VERSION, Answer, answer
from liif_core.explorer.uploads import Uploads
from liif_core.models import Model
from liif_core.photos import Photo, photo_from_bytes
from liif_core.worn import BY_CODE, hint_for

#: What comes back with every answer, where the question has it.
ENVELOPE = ("type", "viewer", "tag", "photo")


class Session:
    """The photo under exploration, for any number of viewers.

    Args:
        photo: the first photo; its number is 0.
        models: name -> model.
        opened: called with an uploaded photo and the name of its file without ending; it is to
            `show` the photo.

    Attributes:
        explored: the photo and its methods.
        number: which photo it is; each `show` counts on.
        uploads: what has come of photos that are on their way.
    """

    def __init__(
        self, photo: Photo, models: Mapping[str, Model], opened: Callable[[Photo, str], None]
    ) -> None:
        self.explored = ExploredPhoto(photo, models)
        self.number = 0
        self.uploads = Uploads()
        self._opened = opened

    def show(self, photo: Photo) -> int:
        """Explore another photo from now on; return its number."""
        self.explored = ExploredPhoto(photo, self.explored.models)
        self.number += 1
        return self.number

    def answer(self, question: Mapping[str, Any], buffers: Sequence[Any] = ()) -> Answer:
        """Answer one question of a viewer; see `QUESTIONS.md`.

        Nothing is raised: whatever goes wrong stands in the answer's `failed`, in one line, since
        the reader must see it and no viewer may wait for ever. A question about a photo that has
        been replaced is answered `stale`, and costs nothing.
        """
        envelope = {name: question[name] for name in ENVELOPE if name in question}
        try:
            found, pictures = self._find(question, buffers)
        except Exception as error:
            kind = "" if isinstance(error, LiifError) else f"{type(error).__name__}: "
            found, pictures = {"failed": kind + one_line(error)}, []
        return {**envelope, **found}, pictures

    def _find(self, question: Mapping[str, Any], buffers: Sequence[Any]) -> Answer:
        self.uploads.drop_idle()
        if question.get("version") != VERSION:
            raise LiifError(
                f"this page asks in version {question.get('version')} of the explorer, the kernel "
                f"answers in version {VERSION}; restart the kernel and reload the page"
            )
        if question["type"] == "upload":
            return self._upload(question, bytes(buffers[0])), []
        if question["photo"] != self.number:
            return {"stale": True}, []
        return answer(self.explored, question)

    def _upload(self, question: Mapping[str, Any], piece: bytes) -> dict[str, Any]:
        """Take one part of a file; after the last one, open the photo."""
        which = (question["viewer"], question["upload"], question["part"], question["parts"])
        data = self.uploads.take(*which, piece)
        if data is None:
            return {"done": False}
        name = PurePath(question["name"]).name or "photo"
        photo = photo_from_bytes(data, name, strict=False)
        self._opened(photo, PurePath(name).stem)
        return {"done": True, "remarks": [*photo.remarks, *self._advice(photo)]}

    def _advice(self, photo: Photo) -> list[str]:
        """Say whether other weights would serve a photo better; none is changed."""
        weights = [model.weights_name for model in self.explored.models.values()]
        return sorted({hint_for(photo, name, BY_CODE) for name in weights} - {""})
