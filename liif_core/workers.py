"""A pool of workers that each compute one block with one thread.

PyTorch splits every operation over all threads, and each operation waits for the slowest of them.
Rendering is made of thousands of small operations: as soon as another program takes a core away,
nearly all of the time is spent waiting. Here an operation is never split. Whole blocks of work are
shared out instead, to whichever worker is free, so that one that is held up holds up no other.

No setting of PyTorch is changed: OpenMP and MKL count threads per calling thread, and what is set
to one thread is our own workers alone. (Notebooks may ask for more: `keep_torch_to_one_thread`;
and a process that is forked after workers have computed has one thread, or it would wait for ever
for those that it did not inherit.)
"""

import atexit
import ctypes
import functools
import math
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import torch

from liif_core import malloc
from liif_core.errors import LiifError

T = TypeVar("T")
R = TypeVar("R")

#: Seconds between two looks whether the waiting thread was interrupted. Linux and macOS wake it at
#: once; on Windows a wait cannot be interrupted.
PATIENCE = 0.2

#: So many tasks, or lots of tasks, do not wait for others: what they are about takes memory.
ENOUGH, ENOUGH_LOTS = 64, 6

_limit: int | None = None


def count() -> int:
    """Return how many workers share the work.

    As many as PyTorch uses threads here (so `OMP_NUM_THREADS` and `torch.set_num_threads` count),
    but no more than this process may use cores: by its affinity and by the quota of its cgroup. Or
    what `limited_to` says.
    """
    if _limit is not None:
        return _limit
    threads = getattr(_here, "threads", 0) or torch.get_num_threads()
    return max(1, min(threads, math.ceil(min(_cores(), _quota()))))


@contextmanager
def limited_to(number: int | None) -> Iterator[None]:
    """Let `number` workers share the work within this context, in all threads; None: as before.

    Raises:
        LiifError: less than one.
    """
    global _limit
    if number is not None and number < 1:
        raise LiifError(f"work needs at least 1 thread, got {number}")
    before = _limit
    _limit = number if number is not None else before
    try:
        yield
    finally:
        _limit = before


@contextmanager
def unsplit() -> Iterator[None]:
    """Split none of the calling thread's operations within this context, which may be a decorator.

    The caller of `run` prepares tables and joins results. If such an operation is split, a thread
    of OpenMP helps with it, and then spins for milliseconds, waiting for the next one: on a core
    that a worker needs. The workers stay as many as they were.
    """
    threads = torch.get_num_threads()
    if threads == 1 or not _can_limit():
        yield
        return
    _here.threads = threads
    mkl = _use_one_thread()
    try:
        yield
    finally:
        _use_threads(threads, mkl)
        _here.threads = 0


def keep_torch_to_one_thread() -> None:
    """Let PyTorch's operations use one thread from here on, in all threads; for notebooks.

    A reader's own cells call PyTorch directly, and a busy neighbour (a browser, another reader on a
    class server) would hold up every operation that is split over threads. This changes a setting
    of PyTorch for the whole process, so it is called where the reader sees it, in a first cell, and
    nowhere in this package. The workers stay as many as they were.

    Neighbours need memory, too: where the C library is GNU's, what a cell is done with goes back to
    the system at once, and after each cell. Left alone, a lesson's process comes to hold 130 MB
    that nothing is in.
    """
    global _limit
    _limit = count()
    torch.set_num_threads(1)
    malloc.map_large_blocks()
    ipython = sys.modules.get("IPython")  # not imported: without a notebook there is none
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        shell.events.register("post_run_cell", _after_cell)  # once, however often it is asked


def _after_cell(*_: Any) -> None:
    """Give back what lies free after a cell of a notebook."""
    malloc.trim()


def run(
    function: Callable[[T], R], items: Iterable[T], tell: Callable[[R], None] | None = None
) -> list[R]:
    """Return `function` of each item, in the order of the items.

    Each call runs in one of the workers, with one thread of PyTorch, and with gradients, inference
    mode and the CPU's autocast as they are here. A call from within a worker runs in that very
    worker. How many workers there are decides when something is computed, never what.

    Args:
        function: may be called by several threads at once.
        items: all read before the first is begun.
        tell: called with each result as it comes, in any order, in the calling thread.

    Raises:
        Exception: what `function` raised first. What had not begun then is not begun any more.
    """
    work = list(items)
    alone = count() == 1 and torch.get_num_threads() == 1
    if not work or alone or getattr(_here, "is_worker", False) or not _can_limit():
        return one_by_one(function, work, tell)
    return _pool.run(_Call(function, work, count(), tell is not None), tell)


def run_tasks(tasks: list[Callable[[], R]], tell: Callable[[R], None] | None = None) -> None:
    """Run tasks whose results only `tell` wants; within `joined`, maybe with those that follow."""
    later: _Later | None = getattr(_here, "later", None)
    if later is None:
        run(_call, tasks, tell)
        return
    if later.tell != tell:
        later.run()
    later.tasks += tasks
    later.lots += 1
    later.tell = tell
    if len(later.tasks) >= ENOUGH or later.lots >= ENOUGH_LOTS:
        later.run()


@contextmanager
def joined() -> Iterator[None]:
    """Let the calling thread's `run_tasks` wait for one another, until this context ends at most.

    At the end of each call, all workers but one wait for the last. Few tasks are better shared out
    with those that follow.
    """
    before, later = getattr(_here, "later", None), _Later()
    _here.later = later
    try:
        yield
        later.run()
    finally:
        _here.later = before


class _Later:
    """Tasks that wait, and who is told of them."""

    def __init__(self) -> None:
        self.tasks: list[Callable[[], Any]] = []
        self.lots = 0
        self.tell: Callable[[Any], None] | None = None

    def run(self) -> None:
        """Run them."""
        tasks, self.tasks, self.lots = self.tasks, [], 0
        run(_call, tasks, self.tell)


def _call(task: Callable[[], R]) -> R:
    return task()


def one_by_one(
    function: Callable[[T], R], items: Iterable[T], tell: Callable[[R], None] | None = None
) -> list[R]:
    """Do the same here and now, with as many threads as PyTorch has: for accelerators."""
    results = []
    for item in items:
        results.append(function(item))
        if tell:
            tell(results[-1])
    return results


class _Call:
    """One call of `run`: what is to be done, and what became of it.

    Attributes:
        most: how many workers may be at it.
        begun, running: items that were begun, and that are being computed.
        news: indices of results, if the caller wants to hear of each, and at the end None.
    """

    def __init__(self, function: Callable[[Any], Any], items: list, most: int, tell: bool) -> None:
        self.function = function
        self.items = items
        self.most = most
        self.tell = tell
        self.begun = self.running = 0
        self.results: list[Any] = [None] * len(items)
        self.error: BaseException | None = None
        self.news: SimpleQueue[int | None] = SimpleQueue()
        self.inference = torch.is_inference_mode_enabled()
        self.gradients = torch.is_grad_enabled()
        self.autocast = torch.is_autocast_enabled("cpu")
        self.dtype = torch.get_autocast_dtype("cpu")

    def compute(self, index: int) -> None:
        """Compute one result."""
        with (
            torch.inference_mode(self.inference),
            torch.set_grad_enabled(self.gradients),
            torch.autocast("cpu", self.dtype, enabled=self.autocast),
        ):
            self.results[index] = self.function(self.items[index])
        if self.tell:
            self.news.put(index)


class _Pool:
    """Threads, as many as were ever asked for, and the calls that they work on in turn."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: deque[_Call] = deque()  # those of which not all is begun
        self._threads: list[threading.Thread] = []
        self._stopped = False

    def run(self, call: _Call, tell: Callable[[Any], None] | None) -> list[Any]:
        """Have a call computed; wait for it, or leave it if this thread is interrupted."""
        try:
            self._add(call)
            while (index := _next(call.news)) is not None:
                if tell:
                    tell(call.results[index])
        except BaseException:
            self._give_up(call)
            raise
        if call.error:
            raise call.error
        return call.results

    def stop(self) -> None:
        """Begin nothing more, and wait for what is begun."""
        with self._changed:
            self._stopped = True
            self._calls.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _add(self, call: _Call) -> None:
        with self._changed:
            while len(self._threads) < call.most:
                name = f"liif-worker-{len(self._threads)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                thread.start()
                self._threads.append(thread)
            self._calls.append(call)
            self._changed.notify(len(call.items))

    def _give_up(self, call: _Call) -> None:
        with self._changed:
            if call in self._calls:
                self._calls.remove(call)

    def _work(self) -> None:
        """What each thread does, to the end of the process."""
        _here.is_worker = True
        _use_one_thread()
        while (task := self._begin()) is not None:
            call, index = task
            try:
                call.compute(index)
            except BaseException as error:
                self._give_up(call)
                call.error = call.error or error
            self._finish(call)
            del call, task  # or the last results would live as long as the pool

    def _begin(self) -> tuple[_Call, int] | None:
        """Take the next item of the call whose turn it is; wait for one; None at the end."""
        with self._changed:
            while not self._stopped:
                for _ in range(len(self._calls)):
                    call = self._calls.popleft()
                    free = call.running < call.most
                    if free:
                        call.running += 1
                        call.begun += 1
                    if call.begun < len(call.items):
                        self._calls.append(call)
                    if free:
                        return call, call.begun - 1
                self._changed.wait()
        return None

    def _finish(self, call: _Call) -> None:
        with self._changed:
            call.running -= 1
            if call.running == 0 and call not in self._calls:
                call.news.put(None)


def _next(news: SimpleQueue[T]) -> T:
    """Wait for news in a way that Ctrl-C can interrupt."""
    while True:
        try:
            return news.get(timeout=PATIENCE)
        except Empty:
            pass


@functools.cache
def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def _quota(
    membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> float:
    """Return how many cores' time this process's control groups grant it; infinite without limit.

    A container on a class server sees all of the server's cores, but is stopped whenever it has
    used its share of the time.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:  # no Linux
        return math.inf
    least = math.inf
    for line in lines:
        _, controllers, path = line.split(":", 2)
        # In version 2 the one hierarchy names no controllers.
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root / controllers if controllers else root
        inside = base / path.lstrip("/")
        for group in (inside, *inside.parents):
            if group.is_relative_to(base):
                least = min(least, _granted(group))
    return least


def _granted(group: Path) -> float:
    """Return how many cores' time one control group grants, of either version."""
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota, period = (
                (group / f"cpu.cfs_{part}_us").read_text() for part in ("quota", "period")
            )
        return float(quota) / float(period) if float(quota) > 0 else math.inf
    except (OSError, ValueError):  # no such file, or "max"
        return math.inf


def _use_one_thread() -> int:
    """Let the calling thread, and no other, compute with one thread; return what `_use_threads` is
    to be told of MKL to take that back.

    `torch.set_num_threads` would not do: it sets what later threads begin with, too, and MKL's
    number of threads for the whole process.
    """
    torch.get_num_threads()  # what it sets when first asked in a thread is overwritten below
    return _use_threads(1, 1)


def _use_threads(number: int, mkl: int) -> int:
    """Let the calling thread, and no other, compute with a number of threads.

    Args:
        mkl: the number for MKL; 0: what it is told for the whole process.

    Returns:
        what MKL's number was.
    """
    before = 0
    for library in _libraries():
        if hasattr(library, "omp_set_num_threads"):
            library.omp_set_num_threads(number)
        # Else matrix products keep to a number once given to torch.set_num_threads.
        if hasattr(library, "MKL_Set_Num_Threads_Local"):
            before = library.MKL_Set_Num_Threads_Local(mkl)
    return before


@functools.cache
def _libraries() -> list[ctypes.CDLL]:
    """Return what leads to the OpenMP and the MKL that PyTorch uses."""
    # On Linux and macOS a library's names include those of the libraries that it was linked with.
    names = [torch._C.__file__]
    if sys.platform == "win32":
        names = ["libiomp5md.dll", "vcomp140.dll", "torch_cpu.dll"]
    found = []
    for name in names:
        try:
            found.append(ctypes.CDLL(name))
        except OSError:
            continue
    return found


@functools.cache
def _can_limit() -> bool:
    """Whether one thread can be limited alone. If not, PyTorch splits its operations as ever."""
    seen: list[int] = []

    def look() -> None:
        _use_one_thread()
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return seen == [1]


_here = threading.local()
_pool = _Pool()


def _forget_threads() -> None:
    """Begin anew in a forked process: of all threads, only the one that forked lives on in it.

    GNU's OpenMP does not know that: the first operation to be split would wait for its lost threads
    for ever. A process that has never asked workers is none of our business.
    """
    global _pool
    _pool = _Pool()
    if _libraries.cache_info().currsize:
        _use_one_thread()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
# A thread that comes back from PyTorch after the interpreter's end would bring the process down.
atexit.register(lambda: _pool.stop())
