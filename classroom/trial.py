"""Try a class's server on this machine: `python classroom/trial.py --pupils 4`.

Starts the hub with the very settings of a class, but without accounts, on free ports, and its
pupils' homes in a temporary folder. Then simulated pupils log in at once and run a lesson, each in
a kernel of their own, through the hub, as a browser would. What a pupil takes is told in the end:
seconds, and megabytes (10⁶ bytes) of JupyterLab's server and of the kernel.
"""

import argparse
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import websocket

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))
from memory import Held, held  # noqa: E402

PROXY = "configurable-http-proxy"
#: Seconds to wait for the hub, for a pupil's server, and for a lesson among thirty.
PATIENCE = 900


@dataclass(frozen=True)
class Hub:
    """A hub that runs.

    Attributes:
        url: where its pages are.
        token: opens every door.
        folder: its pupils' homes are in here.
    """

    url: str
    token: str
    folder: Path

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask an API, of the hub or of a pupil's server, as JSON; raise what urllib does."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Authorization", f"token {self.token}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def log_in(self, pupil: str) -> psutil.Process:
        """Make a pupil known and start their server; return it, when it can be asked."""
        if pupil not in [user["name"] for user in self.ask("GET", "/hub/api/users")]:
            self.ask("POST", f"/hub/api/users/{pupil}")
        self.ask("POST", f"/hub/api/users/{pupil}/server")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            server = self.ask("GET", f"/hub/api/users/{pupil}?include_stopped_servers")["servers"]
            if server.get("", {}).get("ready"):
                return psutil.Process(server[""]["state"]["pid"])
            if server.get("", {}).get("stopped"):
                break
            time.sleep(0.5)
        raise TimeoutError(f"the server of {pupil} did not start; the hub's log says why")

    def log_out(self, pupil: str) -> None:
        """End a pupil's server, and wait until it has ended."""
        self.ask("DELETE", f"/hub/api/users/{pupil}/server")
        end = time.monotonic() + PATIENCE
        while self.ask("GET", f"/hub/api/users/{pupil}")["servers"] and time.monotonic() < end:
            time.sleep(0.5)

    def open_lesson(self, pupil: str, name: str) -> str:
        """Start a lesson's kernel as JupyterLab does; return the kernel's id."""
        session = {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}}
        return str(self.ask("POST", f"/user/{pupil}/api/sessions", session)["kernel"]["id"])


@contextmanager
def running_hub(
    environment: dict[str, str] | None = None, log: Path | None = None
) -> Iterator[Hub]:
    """Run the hub of a class within this context, for simulated pupils.

    Args:
        environment: what pupils' servers find besides.
        log: where to keep what the hub says; thrown away by default.

    Raises:
        FileNotFoundError: a program is missing, and which.
        TimeoutError: the hub did not start.
    """
    program = shutil.which(PROXY)
    if program is None:
        raise FileNotFoundError(f"{PROXY} is not here; npm install -g {PROXY}@5.1.0")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="liif_trial_")))
        address, hub, proxy = (f"http://127.0.0.1:{port}" for port in free_ports(3))
        token = secrets.token_hex(16)
        trial = {
            "folder": str(folder),
            "address": address,
            "hub": hub,
            "proxy": proxy,
            "program": program,
            "token": token,
            "environment": environment or {},
        }
        out = stack.enter_context((log or Path(os.devnull)).open("wb"))
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterhub",
                "-f",
                str(Path(__file__).with_name("trial_config.py")),
            ],
            cwd=folder,
            env={**os.environ, "LIIF_TRIAL": json.dumps(trial)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        stack.callback(end, process)
        found = Hub(address, token, folder)
        wait_for(found, process)
        yield found


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens at now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_for(hub: Hub, process: subprocess.Popen) -> None:
    """Wait until the hub answers through its proxy."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit and process.poll() is None:
        try:
            hub.ask("GET", "/hub/api/")
            return
        except OSError:  # not yet
            time.sleep(0.5)
    raise TimeoutError(f"the hub did not start (exit status {process.poll()}); its log says why")


def end(process: subprocess.Popen) -> None:
    """End the hub, and whatever it has started."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.terminate()  # it ends proxy and servers itself
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for left in psutil.wait_procs(family, timeout=20)[1]:
        left.kill()


# A pupil


def run_lesson(hub: Hub, pupil: str, kernel: str, notebook: Path) -> None:
    """Run a notebook, cell by cell, in a kernel behind the hub, by its websocket.

    (Jupyter's own client for kernels of another server, `GatewayKernelClient`, sends no token with
    its websocket, and ends at the first message that is not text, such as a widget's.)

    Args:
        hub, pupil, kernel: whose kernel, and its id.
        notebook: the file whose cells are run.

    Raises:
        RuntimeError: a cell failed.
        OSError, websocket.WebSocketException: the kernel did not answer.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    with closing(
        websocket.create_connection(
            f"ws{hub.url.removeprefix('http')}/user/{pupil}/api/kernels/{kernel}/channels",
            header=[f"Authorization: token {hub.token}"],
            timeout=PATIENCE,
        )
    ) as channel:
        for cell in cells:
            if cell["cell_type"] == "code":
                execute(channel, "".join(cell["source"]))


def execute(channel: websocket.WebSocket, source: str) -> None:
    """Run a cell; wait for its end. Errors as `run_lesson`."""
    number = secrets.token_hex(16)
    header = {
        "msg_id": number,
        "msg_type": "execute_request",
        "session": "trial",
        "username": "",
        "date": "",
        "version": "5.3",
    }
    content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
    channel.send(json.dumps({**message, "channel": "shell", "buffers": []}))
    while True:
        told = channel.recv()
        if not told:
            raise websocket.WebSocketException("the kernel is gone")
        if isinstance(told, bytes):  # what a widget has for the page
            continue
        reply = json.loads(told)
        if reply["msg_type"] == "execute_reply" and reply["parent_header"]["msg_id"] == number:
            if reply["content"]["status"] != "ok":
                raise RuntimeError(f"{reply['content'].get('evalue')} in the cell: {source[:200]}")
            return


@dataclass(frozen=True)
class Taken:
    """What a pupil took.

    Attributes:
        start: seconds from log-in to a server that answers.
        seconds: that the lesson took.
        server, kernel: what they hold in the end.
    """

    start: float
    seconds: float
    server: Held
    kernel: Held


def try_lesson(hub: Hub, pupils: list[str], lesson: str) -> list[Taken]:
    """Let pupils log in and run a lesson, all at once; return what each took.

    Args:
        lesson: its number, such as "05".
    """
    (path,) = ROOT.glob(f"notebooks/{lesson}_*.ipynb")
    servers, starts, kernels = {}, {}, {}
    for pupil in pupils:
        begun = time.monotonic()
        servers[pupil] = hub.log_in(pupil)
        starts[pupil] = time.monotonic() - begun
    for pupil in pupils:
        kernels[pupil] = hub.open_lesson(pupil, f"notebooks/{path.name}")
    begun = time.monotonic()

    def run(pupil: str) -> float:
        run_lesson(hub, pupil, kernels[pupil], path)
        return time.monotonic() - begun

    with ThreadPoolExecutor(len(pupils)) as threads:
        times = dict(zip(pupils, threads.map(run, pupils), strict=True))
    found = []
    for pupil in pupils:
        (kernel,) = [
            child for child in servers[pupil].children() if "ipykernel_launcher" in child.cmdline()
        ]
        found.append(Taken(starts[pupil], times[pupil], held(servers[pupil].pid), held(kernel.pid)))
    for pupil in pupils:
        hub.log_out(pupil)
    return found


def table(rows: dict[str, list[Taken]]) -> str:
    """Return Markdown: medians over the pupils."""
    lines = [
        "| lesson | pupils at once | log-in, s | lesson, s | server: own, all "
        "| kernel: own, all, peak |",
        "|-|-|-|-|-|-|",
    ]
    for lesson, taken in rows.items():

        def middle(what: str, name: str, taken: list[Taken] = taken) -> str:
            return f"{median(getattr(getattr(one, what), name) for one in taken):.0f}"

        lines.append(
            f"| {lesson} | {len(taken)} | {median(one.start for one in taken):.0f} "
            f"| {median(one.seconds for one in taken):.0f} "
            f"| {middle('server', 'own')}, {middle('server', 'all')} "
            f"| {', '.join(middle('kernel', name) for name in ('own', 'all', 'peak'))} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Try it, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pupils", type=int, default=4, help="how many at once (default: 4)")
    parser.add_argument("--lessons", nargs="+", default=["00", "05"], help="their numbers")
    parser.add_argument("--log", type=Path, help="where to keep what the hub says")
    options = parser.parse_args()
    pupils = [f"pupil-{number + 1}" for number in range(options.pupils)]
    try:
        with running_hub(log=options.log) as hub:
            rows = {}
            for lesson in options.lessons:
                rows[lesson] = try_lesson(hub, pupils, lesson)
                print(lesson, rows[lesson], file=sys.stderr, flush=True)
    except (OSError, TimeoutError, RuntimeError) as error:
        sys.exit(f"trial.py: {error}")
    print(table(rows))


if __name__ == "__main__":
    main()
