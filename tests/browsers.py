"""Two browsers behind one face: Chromium through Playwright, Firefox through WebDriver BiDi.

Firefox speaks BiDi itself; Debian has no geckodriver, and none is needed. What a page asks for, and
what goes wrong on it, is kept in `asked` and `errors`.
"""

import atexit
import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
SECONDS = 120  # for one answer: machines that test may be busy
SIZE = (1100, 900)
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "ArrowRight": "\ue014", "ArrowDown": "\ue015"}
#: So that Firefox asks for nothing of its own, and says nothing of its own.
PREFERENCES = {
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.w3c_touch_events.enabled": 1,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}

Place = tuple[float, float]  # x, y of the window, in CSS pixels


class Browser(Protocol):
    """A window, and a hand in it."""

    asked: list[str]
    errors: list[str]

    def open(self, url: str) -> None: ...

    def run(self, expression: str) -> Any:
        """Return what a JavaScript expression, or what it promises, is: as JSON."""

    def wheel(self, at: Place, turn: int) -> None: ...

    def click(self, at: Place) -> None: ...

    def drag(self, start: Place, end: Place) -> None: ...

    def pinch(self, fingers: tuple[Place, Place], moved: tuple[Place, Place]) -> None: ...

    def key(self, name: str) -> None: ...

    def choose(self, selector: str, path: Path) -> None: ...


def wait(browser: Browser, expression: str) -> Any:
    """Wait until an expression is truthy; return it."""
    deadline = time.monotonic() + SECONDS
    while not (found := browser.run(expression)):
        assert time.monotonic() < deadline, f"never true: {expression}; errors: {browser.errors}"
        time.sleep(0.05)
    return found


class Chromium:
    """Through Playwright."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.asked: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: said.type == "error" and self.errors.append(said.text))
        self.devtools = page.context.new_cdp_session(page)
        self.devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def open(self, url: str) -> None:
        self.page.goto(url)

    def run(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def wheel(self, at: Place, turn: int) -> None:
        self.page.mouse.move(*at)
        self.page.mouse.wheel(0, turn)

    def click(self, at: Place) -> None:
        self.page.mouse.click(*at)

    def drag(self, start: Place, end: Place) -> None:
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=4)
        self.page.mouse.up()

    def pinch(self, fingers: tuple[Place, Place], moved: tuple[Place, Place]) -> None:
        for kind, places in (("touchStart", fingers), ("touchMove", moved), ("touchEnd", ())):
            points = [{"x": x, "y": y} for x, y in places]
            self.devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def key(self, name: str) -> None:
        self.page.keyboard.press(name)

    def choose(self, selector: str, path: Path) -> None:
        self.page.locator(selector).set_input_files(path)


class Firefox:
    """Through WebDriver BiDi, over a websocket that Firefox listens on."""

    def __init__(self, address: str) -> None:
        import websocket

        self.asked: list[str] = []
        self.errors: list[str] = []
        # Firefox refuses what says that it comes from a page.
        self.socket = websocket.create_connection(
            f"{address}/session", timeout=SECONDS, suppress_origin=True
        )
        self.number = 0
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self.context = self.ask("browsingContext.getTree")["contexts"][0]["context"]
        viewport = dict(zip(("width", "height"), SIZE, strict=True))
        self.ask("browsingContext.setViewport", context=self.context, viewport=viewport)

    def ask(self, method: str, **params: Any) -> Any:
        """Send a command and return its result; note what happens meanwhile."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                assert answer["type"] == "success", answer
                return answer["result"]
            self.note(answer)

    def note(self, event: Any) -> None:
        params = event.get("params", {})
        if event.get("method") == "network.beforeRequestSent":
            self.asked.append(params["request"]["url"])
        elif event.get("method") == "log.entryAdded" and params["level"] == "error":
            self.errors.append(params["text"])

    def open(self, url: str) -> None:
        self.ask("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluated(self, expression: str) -> Any:
        answer = self.ask(
            "script.evaluate",
            expression=expression,
            target={"context": self.context},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer
        return answer["result"]

    def run(self, expression: str) -> Any:
        source = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
        return json.loads(self.evaluated(source)["value"])

    def act(self, *sources: dict[str, Any]) -> None:
        self.ask("input.performActions", context=self.context, actions=list(sources))

    def wheel(self, at: Place, turn: int) -> None:
        x, y = map(round, at)
        scroll = {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": turn}
        self.act({"type": "wheel", "id": "wheel", "actions": [scroll]})

    def click(self, at: Place) -> None:
        self.act(pointer("mouse", at, at))

    def drag(self, start: Place, end: Place) -> None:
        self.act(pointer("mouse", start, end))

    def pinch(self, fingers: tuple[Place, Place], moved: tuple[Place, Place]) -> None:
        self.act(*(pointer("touch", *way) for way in zip(fingers, moved, strict=True)))

    def key(self, name: str) -> None:
        value = KEYS.get(name, name)
        strokes = [{"type": kind, "value": value} for kind in ("keyDown", "keyUp")]
        self.act({"type": "key", "id": "keys", "actions": strokes})

    def choose(self, selector: str, path: Path) -> None:
        node = self.evaluated(f"document.querySelector({json.dumps(selector)})")
        element = {"sharedId": node["sharedId"]}
        self.ask("input.setFiles", context=self.context, element=element, files=[str(path)])


def pointer(kind: str, start: Place, end: Place) -> dict[str, Any]:
    """Return the actions of a mouse or finger that goes down, from one place to another, and up."""
    ways = [dict(zip("xy", map(round, place), strict=True)) for place in (start, end)]
    moves = [{"type": "pointerMove", **way} for way in ways]
    held = {"button": 0}
    actions = [moves[0], {"type": "pointerDown", **held}, moves[1], {"type": "pointerUp", **held}]
    name = f"{kind}-{start}"
    return {
        "type": "pointer",
        "id": name,
        "parameters": {"pointerType": kind},
        "actions": actions,
    }


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Start Chromium with an empty window; skip where it, or Playwright, is missing."""
    pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install it")
    if CHROMIUM is None:
        pytest.skip("this test needs Chromium: apt-get install chromium")
    started = driver().chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    context = started.new_context(viewport=dict(zip(("width", "height"), SIZE, strict=True)))
    context.set_default_timeout(1000 * SECONDS)
    yield Chromium(context.new_page())
    started.close()


@cache
def driver() -> Any:
    """Return Playwright's driver: a process may run but one of them at a time."""
    from playwright.sync_api import sync_playwright

    playwright = sync_playwright().start()
    atexit.register(playwright.stop)
    return playwright


def expect(locator: Any) -> Any:
    """Return Playwright's assertions about what a locator finds.

    They look again until they hold or the time is up: a page shows things a moment later than it
    has them, on a busy machine many moments.
    """
    from playwright.sync_api import expect as assertions

    assertions.set_options(timeout=1000 * SECONDS)
    return assertions(locator)


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """Start Firefox with a profile of its own; skip where it, or the websocket, is missing."""
    pytest.importorskip("websocket", reason="needs websocket-client: pip install it")
    if FIREFOX is None:
        pytest.skip("this test needs Firefox: apt-get install firefox-esr")
    lines = [f'user_pref("{key}", {json.dumps(value)});' for key, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    log = profile / "firefox.log"
    command = [FIREFOX, "--headless", "--no-remote", "--profile", str(profile)]
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*command, "--remote-debugging-port", "0"], stdout=stream, stderr=stream
        )
        try:
            yield Firefox(listening(process, log))
        finally:
            process.terminate()
            process.wait(timeout=SECONDS)


def listening(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address that Firefox says it listens on."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if said := re.search(r"BiDi listening on (ws://\S+)\n", log.read_text(errors="replace")):
            return said.group(1)
        time.sleep(0.05)
    pytest.fail(f"Firefox did not start:\n{log.read_text(errors='replace')}")


def png_bytes(browser: Browser, expression: str) -> bytes:
    """Return the bytes of a Blob, which an expression promises."""
    source = f"""(async () => {{
      const bytes = new Uint8Array(await (await ({expression})).arrayBuffer());
      return btoa([...bytes].map((byte) => String.fromCharCode(byte)).join(""));
    }})()"""
    return base64.b64decode(browser.run(source))
