"""An explorer session: who is answered what, photos that change, photos that come in parts."""

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import liif_core
import liif_core.explorer.session as session_module
from liif_core.errors import LiifError
from liif_core.explorer import Session, Side
from liif_core.explorer.messages import VERSION
from liif_core.explorer.uploads import IDLE, MOST_BYTES, Uploads
from liif_core.liif import LIIF, LIIFConfig
from liif_core.photos import Photo, photo_from
from liif_core.training.degrade import sensor_noise

STATIC = Path(liif_core.__file__).parent / "widgets/static"
PAGE = Path(session_module.__file__).with_name("QUESTIONS.md")


def small_model() -> LIIF:
    torch.manual_seed(0)
    config = LIIFConfig(blocks=2, channels=8, hidden=(16, 16), local_colour=True)
    return LIIF(config).eval().requires_grad_(False)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def as_png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def _ignore(photo: Photo, name: str) -> None:
    """Show nothing."""


@pytest.fixture
def session() -> Session:
    def opened(photo: Photo, name: str) -> None:
        made.show(photo)

    made = Session(photo_from(noise(40, 50)), {"LIIF": small_model()}, opened)
    return made


VIEW = {"centre": [0.1, 0.2], "magnification": 5.0, "screen": [48, 64]}
LIIF_SIDE, NEAREST = vars(Side("LIIF")), vars(Side("nearest"))
#: What a page asks, of each type.
FIELDS: dict[str, dict[str, Any]] = {
    "frame": {"view": VIEW, "side": LIIF_SIDE, "coarse": True, "lossless": False, "reads": 9},
    "ahead": {"view": VIEW, "side": LIIF_SIDE},
    "overview": {},
    "xray": {"side": LIIF_SIDE, "coord": [0.1, 0.2], "cell": [0.01, 0.01]},
    "strip": {
        "view": VIEW,
        "left": NEAREST,
        "right": LIIF_SIDE,
        "split": 0.5,
        "size": [48, 64],
        "rows": [0, 10],
    },
    "upload": {"upload": 1, "name": "a.png", "part": 0, "parts": 1},
}


def question(kind: str, **more: Any) -> dict[str, Any]:
    envelope = {"type": kind, "version": VERSION, "viewer": "a", "tag": 3}
    photo = {} if kind == "upload" else {"photo": 0}
    return {**envelope, **photo, **FIELDS[kind], **more}


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """Return the fields of question and answer that the page lists under each heading."""
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    fields = {}
    for section in sections:
        name, body = section.split("\n", 1)
        if "Question:" in body:
            asked, answered = re.split(r"^Answer", body, maxsplit=1, flags=re.MULTILINE)
            fields[name] = tuple(
                set(re.findall(r"^- `(\w+)`", part, re.MULTILINE)) for part in (asked, answered)
            )
    return fields


class TestTheInterface:
    def test_both_sides_speak_the_version_of_the_page(self) -> None:
        text = (STATIC / "zoom_questions.js").read_text(encoding="utf-8")
        assert f"const VERSION = {VERSION};" in text
        assert f"version {VERSION} of the interface" in PAGE.read_text(encoding="utf-8")

    def test_the_page_lists_every_question(self) -> None:
        assert set(documented()) == {"Every question", *FIELDS}

    @pytest.mark.parametrize("kind", FIELDS)
    def test_the_page_lists_every_field(self, session: Session, kind: str) -> None:
        asked, answered = documented()[kind]
        envelope, _ = documented()["Every question"]
        assert set(FIELDS[kind]) == asked
        sent = question(kind)
        assert set(sent) == asked | (envelope if kind != "upload" else envelope - {"photo"})
        found, pictures = session.answer(sent, [as_png(noise(3, 4))])
        echoed = {name for name in ("type", "viewer", "tag", "photo") if name in sent}
        assert set(found) == echoed | answered
        assert {name: found[name] for name in echoed} == {name: sent[name] for name in echoed}
        json.dumps(found, allow_nan=False)
        assert len(pictures) == (kind in ("frame", "overview", "strip"))

    def test_another_version_is_told_what_to_do(self, session: Session) -> None:
        found, pictures = session.answer(question("overview", version=VERSION + 1))
        assert "restart the kernel and reload the page" in found["failed"]
        assert pictures == []
        del found["failed"]
        assert found == {"type": "overview", "viewer": "a", "tag": 3, "photo": 0}
        without = question("overview")
        del without["version"]
        assert "failed" in session.answer(without)[0]

    def test_an_unknown_question_is_told(self, session: Session) -> None:
        found, _ = session.answer({**question("overview"), "type": "dance"})
        assert found["failed"] == (
            "no question 'dance'; ask one of frame, ahead, overview, xray, strip"
        )


class TestPhotos:
    @pytest.mark.parametrize("kind", [kind for kind in FIELDS if kind != "upload"])
    def test_what_is_asked_about_an_old_photo_is_not_answered_from_the_new(
        self, session: Session, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert session.show(photo_from(noise(9, 9))) == 1
        monkeypatch.setattr(session_module, "answer", None)  # nor does it cost anything
        found, pictures = session.answer(question(kind))
        assert (found["stale"], found["photo"], pictures) == (True, 0, [])


def upload(session: Session, piece: bytes, **more: Any) -> dict[str, Any]:
    found, pictures = session.answer(question("upload", **more), [memoryview(piece)])
    assert pictures == []
    return found


class TestUploads:
    def test_two_viewers_at_the_same_time(self, session: Session) -> None:
        files = {"a": as_png(noise(30, 20, 1)), "b": as_png(noise(25, 35, 2))}
        halves = {name: (data[:999], data[999:]) for name, data in files.items()}
        for part in (0, 1):
            for viewer in ("a", "b"):
                found = upload(session, halves[viewer][part], viewer=viewer, part=part, parts=2)
                assert found.get("failed") is None
                assert found["done"] is (part == 1)
                if part == 1:
                    shown = np.asarray(Image.open(io.BytesIO(files[viewer])))
                    np.testing.assert_array_equal(session.explored.photo.colour, shown)
        assert session.number == 2

    def test_what_of_the_file_is_not_read_is_told(self, session: Session) -> None:
        file = io.BytesIO()
        Image.new("RGB", (40, 30)).save(
            file, "TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))]
        )
        found = upload(session, file.getvalue(), name="a.tif")
        assert (found["done"], found["remarks"]) == (True, ["page 1 of 2 is read"])

    def test_a_worn_photo_is_told_of(self) -> None:
        rng = np.random.default_rng(0)
        worn = as_png(sensor_noise(np.full((64, 64, 3), 128, np.uint8), 12, rng))
        for weights, lines in (("liif-edsr-small", 1), ("liif-edsr-photo", 0), ("", 0)):
            model = small_model()
            model.weights_name = weights
            session = Session(photo_from(noise(20, 20, 1)), {"LIIF": model}, _ignore)
            remarks = upload(session, worn)["remarks"]
            assert len(remarks) == lines
            assert all('noise; load_model("liif-edsr-photo") usually' in line for line in remarks)

    def test_a_new_upload_takes_the_place_of_an_unfinished_one(self, session: Session) -> None:
        old, new = as_png(noise(30, 20, 1)), as_png(noise(25, 35, 2))
        upload(session, old[:500], upload=1, part=0, parts=2)
        upload(session, new[:500], upload=2, part=0, parts=2)
        late = upload(session, old[500:], upload=1, part=1, parts=2)
        assert late["failed"] == "opening the photo was interrupted; choose it again"
        assert upload(session, new[500:], upload=2, part=1, parts=2)["done"]
        assert session.explored.size == (25, 35)

    @pytest.mark.parametrize("part", [1, 3])
    def test_parts_out_of_order_are_refused(self, session: Session, part: int) -> None:
        data = as_png(noise(30, 20))
        upload(session, data[:500], part=0, parts=3)
        upload(session, data[500:600], part=1, parts=3)
        assert "interrupted" in upload(session, data[600:], part=part, parts=3)["failed"]
        assert (session.number, session.uploads.size) == (0, 0)

    def test_the_name_of_the_file_alone_is_told(self, session: Session) -> None:
        found = upload(session, b"no photo", name="../folder/mine.png")
        assert found["failed"].startswith("mine.png: not a picture")

    def test_one_that_never_ends_is_dropped(self) -> None:
        now = 0.0
        uploads = Uploads(lambda: now)
        uploads.take("a", 1, 0, 3, b"12345")
        now = IDLE - 1
        uploads.take("b", 1, 0, 2, b"67")
        assert uploads.size == 7
        now = IDLE + 1
        uploads.drop_idle()
        assert uploads.size == 2
        with pytest.raises(LiifError, match="interrupted"):
            uploads.take("a", 1, 1, 3, b"12345")

    def test_a_session_drops_them_at_any_question(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload(session, b"1234", part=0, parts=2)
        assert session.uploads.size == 4
        later = session.uploads._clock() + IDLE + 1
        monkeypatch.setattr(session.uploads, "_clock", lambda: later)
        session.answer(question("overview"))
        assert session.uploads.size == 0

    def test_all_unfinished_ones_together_are_bounded(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("liif_core.explorer.uploads.MOST_BYTES", 100)
        ticks = iter(range(1000))
        uploads = Uploads(lambda: float(next(ticks)) / 1000)
        for number in range(20):
            uploads.take(f"viewer {number}", 1, 0, 2, bytes(30))
            assert uploads.size <= 100
        # The latest are those that are kept.
        assert uploads.take("viewer 19", 1, 1, 2, bytes(5)) == bytes(35)
        with pytest.raises(LiifError, match="interrupted"):
            uploads.take("viewer 3", 1, 1, 2, bytes(5))

    def test_one_that_is_too_large_is_refused_and_forgotten(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert MOST_BYTES == 400 << 20
        monkeypatch.setattr("liif_core.explorer.uploads.MOST_BYTES", 2 << 20)
        uploads = Uploads()
        uploads.take("a", 1, 0, 9, bytes(2 << 20))
        with pytest.raises(LiifError, match="2 MB at most"):
            uploads.take("a", 1, 1, 9, b"1")
        assert uploads.size == 0
