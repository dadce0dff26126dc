"""The explorer's browser modules on their own: viewport arithmetic, and the queue of frames."""

from typing import Any

import pytest

from liif_core.explorer import Viewport
from liif_core.widgets.assets import module

LOAD = """async (text) => {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  window.loaded = await import(url);
}"""


@pytest.fixture
def load(new_page: Any, server: Any) -> Any:  # asks for the server, to be skipped with it
    """Return a function that opens a page with one of our modules in `loaded`."""

    def open_module(name: str) -> Any:
        page = new_page(offline=True)
        page.evaluate(LOAD, module(name))
        return page

    return open_module


def test_the_browser_reckons_as_python_does(load: Any) -> None:
    page = load("zoom_viewport.js")
    photos, screens = [(1, 1), (96, 82), (480, 640), (5000, 700)], [(240, 320), (479, 641)]
    for photo in photos:
        for screen in screens:
            for magnification in (0, 0.3, 1, 2.51, 64, 500):
                for centre in ((0.0, 0.0), (-0.93, 0.4), (5.0, -5.0)):
                    start = Viewport(photo, screen, centre, magnification)
                    at = (0.3 * screen[0], 0.8 * screen[1])
                    views = [start, start.zoomed(1.7, at), start.zoomed(0.6, at)]
                    views.append(start.panned(13.5, -77))
                    found = page.evaluate(
                        """([photo, screen, centre, magnification, at]) => {
                          const { viewport, zoomed, panned, coordAt, cellOf } = loaded;
                          const start = viewport(photo, screen, centre, magnification);
                          const views = [start, zoomed(start, 1.7, at), zoomed(start, 0.6, at)];
                          views.push(panned(start, [13.5, -77]));
                          return views.map((view) => ({
                            ...view, cell: cellOf(view), coord: coordAt(view, [100, 160]),
                          }));
                        }""",
                        [photo, screen, centre, magnification, at],
                    )
                    for mine, theirs in zip(views, found, strict=True):
                        assert theirs["magnification"] == pytest.approx(mine.magnification)
                        assert theirs["centre"] == pytest.approx(mine.centre, abs=1e-9)
                        assert theirs["cell"] == pytest.approx(mine.cell())
                        for span, other in zip(mine.spans(), theirs["spans"], strict=True):
                            assert other == pytest.approx(vars(span))
                        if theirs["coord"]:
                            assert theirs["coord"] == pytest.approx(mine.coord_at(100, 160))


QUEUE = """() => {
  window.sent = [];
  window.drawn = [];
  window.failures = [];
  window.queue = new loaded.FrameQueue({
    ask: (type, fields) =>
      new Promise((resolve) => sent.push({ question: { type, ...fields }, resolve })),
    onPicture: (name, { count, stage }) => drawn.push(`${name} ${count} ${stage}`),
    onReading: () => {},
    onFailed: (name, text) => text && failures.push(text),
  });
  window.want = (name) => queue.want(name, { view: 0, side: name });
  // Answer the oldest question that is open, as an engine does; what comes of it is done before
  // this returns.
  window.answer = async (more = {}) => {
    const { question, resolve } = sent.shift();
    resolve(more && { picture: question.type === "frame", ...more });
    await new Promise((done) => setTimeout(done));
    return question;
  };
}"""


@pytest.fixture
def queue(load: Any) -> Any:
    page = load("zoom_frames.js")
    page.evaluate(QUEUE)
    page.evaluate("queue.setVisible(true)")
    return page


def kinds(page: Any) -> list[str]:
    """Return what is asked and not answered yet: layer, coarse or full, how often."""
    return page.evaluate(
        """sent.map(({ question: { type, side, coarse, reads } }) =>
             type === "frame" ? `${side} ${coarse ? "coarse" : "full"} ${reads}` : type)"""
    )


def test_at_most_two_questions_are_in_flight(queue: Any) -> None:
    queue.evaluate("for (let turn = 0; turn < 20; turn += 1) { want('left'); want('right'); }")
    assert len(kinds(queue)) == 2
    queue.evaluate("answer()")
    assert len(kinds(queue)) == 2
    queue.evaluate("answer()")
    queue.evaluate("answer()")
    queue.evaluate("answer()")
    # Those of the first view, then the newest: nothing of those that it passed.
    assert queue.evaluate("drawn.slice(0, 2)") == ["left 1 coarse", "right 1 coarse"]
    assert set(queue.evaluate("drawn.slice(2)")) == {"left 20 coarse", "right 20 coarse"}


def test_coarse_then_full_when_it_rests(queue: Any) -> None:
    # At once, or the hand has rested meanwhile, on a busy machine.
    opened, asked, left = queue.evaluate(
        """async () => {
             want("right");
             const opened = sent.length;
             return [opened, await answer(), sent.length];
           }"""
    )
    assert (opened, asked["coarse"], asked["lossless"]) == (1, True, False)
    assert left == 0  # not while the hand may still move
    queue.wait_for_function("sent.length === 1")
    asked = queue.evaluate("answer()")
    assert (asked["coarse"], asked["lossless"]) == (False, True)
    assert queue.evaluate("drawn") == ["right 1 coarse", "right 1 full"]
    assert queue.evaluate("queue.settled()")


def test_stale_frames_are_dropped(queue: Any) -> None:
    queue.evaluate("want('right')")
    queue.evaluate("want('right')")
    assert kinds(queue) == ["right coarse 0", "right coarse 0"]
    queue.evaluate("sent.reverse()")
    queue.evaluate("answer()")  # the newer one first
    queue.evaluate("answer()")
    assert queue.evaluate("drawn") == ["right 2 coarse"]


def test_a_side_that_was_away_is_no_older_than_what_it_showed(queue: Any) -> None:
    queue.evaluate("for (let turn = 0; turn < 5; turn += 1) want('left')")
    for _ in range(3):
        queue.evaluate("answer()")
    assert queue.evaluate("drawn.at(-1)") == "left 5 coarse"
    queue.evaluate("sent.splice(0); queue.forget('left')")
    assert queue.evaluate("queue.settled()")
    queue.evaluate("want('left')")
    queue.evaluate("answer()")
    assert queue.evaluate("drawn.at(-1)") == "left 6 coarse"


def test_an_answer_about_another_photo_frees_its_place(queue: Any) -> None:
    queue.evaluate("want('left'); want('right')")
    queue.evaluate("want('left'); want('right')")
    queue.evaluate("answer(null)")
    queue.evaluate("answer(null)")
    assert queue.evaluate("drawn") == []
    assert kinds(queue) == ["left coarse 0", "right coarse 0"]


def test_while_the_encoder_reads_it_is_asked_again(queue: Any) -> None:
    queue.evaluate("want('right')")
    assert queue.evaluate("answer({ reading: true })")["reads"] == 0
    assert queue.evaluate("answer({ reading: true, picture: false })")["reads"] == 1
    assert queue.evaluate("answer()")["reads"] == 2
    assert queue.evaluate("drawn") == ["right 1 coarse"] * 2  # bicubic in the meantime


def test_nothing_is_asked_while_hidden(queue: Any) -> None:
    queue.evaluate("queue.setVisible(false)")
    queue.evaluate("want('right')")
    queue.wait_for_timeout(700)
    assert kinds(queue) == []
    queue.evaluate("queue.setVisible(true)")
    assert kinds(queue) == ["right coarse 0"]


def test_no_answer_and_then_one_after_all(queue: Any) -> None:
    queue.evaluate("want('right')")
    queue.evaluate("queue.giveUp()")
    assert len(kinds(queue)) == 1  # nobody is asked again of itself
    queue.evaluate("answer()")  # it was only busy
    assert queue.evaluate("drawn") == ["right 1 coarse"]
    queue.wait_for_function("sent.length === 1")


def test_a_failure_is_told_and_not_repeated(queue: Any) -> None:
    queue.evaluate("want('right')")
    queue.evaluate("answer({ failed: 'no', picture: undefined })")
    assert queue.evaluate("failures") == ["no"]
    assert queue.evaluate("queue.settled()")
    queue.wait_for_function("sent.length > 0")  # what comes next is not the same again
    assert kinds(queue) == ["ahead"]


def test_reading_ahead_when_all_is_quiet(queue: Any) -> None:
    queue.evaluate("want('right')")
    queue.evaluate("answer()")
    queue.wait_for_function("sent.length === 1")
    queue.evaluate("answer()")
    queue.wait_for_function("sent.length === 1")
    assert queue.evaluate("answer({ more: true })")["type"] == "ahead"
    queue.wait_for_function("sent.length === 1")
    queue.evaluate("answer({ more: false })")
    queue.wait_for_timeout(700)
    assert kinds(queue) == []
