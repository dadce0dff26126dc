"""The pool of single-threaded workers: order, sharing, errors, interrupts, forks, and no trace."""

import contextlib
import functools
import os
import platform
import re
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
import torch
import torch.nn.functional as F

from liif_core import workers
from liif_core.errors import LiifError


@pytest.fixture(autouse=True)
def _in_two_workers():
    with workers.limited_to(2):
        yield


def in_a_process(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_results_keep_the_order_of_the_items(number):
    with workers.limited_to(number):
        assert workers.run(lambda item: item * item, range(50)) == [n * n for n in range(50)]
        assert workers.run(str, []) == []


def test_several_workers_are_at_it_and_none_is_the_caller():
    both = threading.Barrier(2, timeout=60)

    def met(item: int) -> int:
        both.wait()
        return threading.get_ident()

    found = set(workers.run(met, range(2)))
    assert len(found) == 2
    assert threading.get_ident() not in found


def test_a_worker_that_is_held_up_holds_up_no_other():
    rest_done = threading.Event()
    done: list[int] = []

    def work(item: int) -> None:
        if item == 0:
            assert rest_done.wait(60)
            return
        done.append(item)
        if len(done) == 9:
            rest_done.set()

    workers.run(work, range(10))
    assert sorted(done) == list(range(1, 10))


def test_no_more_workers_are_at_one_call_than_allowed():
    workers.run(str, range(5))
    with workers.limited_to(5):
        workers.run(str, range(20))  # five threads exist from here on
    lock, now, most = threading.Lock(), 0, 0

    def work(item: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        torch.mm(torch.rand(64, 64), torch.rand(64, 64))
        with lock:
            now -= 1

    workers.run(work, range(200))
    assert 1 <= most <= 2


OPERATIONS = {
    "matrix product": lambda: torch.addmm(torch.rand(64), torch.rand(4096, 64), torch.rand(64, 64)),
    "convolution": lambda: F.conv2d(torch.rand(1, 32, 96, 96), torch.rand(32, 32, 3, 3)),
    "look-up": lambda: torch.rand(2000, 500).index_select(0, torch.randint(2000, (2000,))),
    "ReLU": lambda: torch.relu(torch.rand(1500, 1000)),
    "gradients": lambda: (
        torch.relu(F.conv2d(torch.rand(1, 8, 96, 96), torch.rand(8, 8, 3, 3, requires_grad=True)))
        .sum()
        .backward()
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("threads", [None, 3])
def test_an_operation_in_a_worker_uses_one_thread(name, threads):
    """Also after the user gave PyTorch a number of threads, which MKL keeps for all threads."""
    found = in_a_process(
        "import threading, time, psutil, torch\n"
        "from liif_core import workers\n"
        "from tests.test_workers import OPERATIONS\n"
        + (f"torch.set_num_threads({threads})\n" if threads else "")
        + "process = psutil.Process()\n"
        "def times():\n"
        "    return {t.id: t.user_time + t.system_time for t in process.threads()}\n"
        "def work(_):\n"
        "    with torch.enable_grad():\n"
        f"        run = OPERATIONS[{name!r}]; run(); before = times(); mine = 0\n"
        "        me = threading.get_native_id()\n"
        "        while mine < 0.25:\n"
        "            run(); mine = times()[me] - before.get(me, 0)\n"
        "    after = times()\n"
        "    others = sum(after[t] - before.get(t, 0) for t in after if t != me)\n"
        "    return torch.get_num_threads(), others\n"
        "with workers.limited_to(1):\n"
        "    print(*workers.run(work, [0])[0])\n",
        PYTHONPATH=os.pathsep.join([str(Path(__file__).parent.parent), *sys.path]),
        OMP_NUM_THREADS="2",
    )
    assert not found.returncode, found.stderr
    inside, others = found.stdout.split()
    assert int(inside) == 1
    assert float(others) <= 0.05  # seconds, beside 0.25 of its own


@pytest.mark.parametrize("threads", [None, 3])
def test_the_caller_can_keep_its_own_operations_unsplit(threads):
    """Nothing of them is left to PyTorch's threads, which would spin where a worker computes."""
    found = in_a_process(
        "import threading, psutil, torch\n"
        "from liif_core import workers\n"
        "from tests.test_workers import OPERATIONS\n"
        + (f"torch.set_num_threads({threads})\n" if threads else "")
        + "process, me = psutil.Process(), threading.get_native_id()\n"
        "def others():\n"
        "    times = {t.id: t.user_time + t.system_time for t in process.threads()}\n"
        "    return sum(taken for number, taken in times.items() if number != me)\n"
        "def state():\n"
        "    return torch.get_num_threads(), workers.count()\n"
        "def taken():\n"
        "    before = others()\n"
        "    for _ in range(20):\n"
        "        for run in OPERATIONS.values(): run()\n"
        "    return others() - before\n"
        "@workers.unsplit()\n"
        "def inside():\n"
        "    return *state(), workers.run(lambda _: state()[0], range(2)), taken()\n"
        "before = state()\n"
        "found = inside()\n"
        "try:\n"
        "    with workers.unsplit(): raise KeyError\n"
        "except KeyError: pass\n"
        "assert before == state(), (before, state())\n"
        "start = others()\n"
        "while others() < start + 0.05: taken()  # as before: these operations are split\n"
        "print(before[1], *found)\n",
        PYTHONPATH=os.pathsep.join([str(Path(__file__).parent.parent), *sys.path]),
        OMP_NUM_THREADS="2",
    )
    assert not found.returncode, found.stderr
    pattern = r"(\d+) (\d+) (\d+) (\[.*\]) (\S+)\n"
    count, inside, workers_inside, in_workers, others = re.fullmatch(pattern, found.stdout).groups()
    assert (inside, workers_inside, in_workers) == ("1", count, "[1, 1]")
    assert float(others) <= 0.05


@pytest.mark.parametrize("set_to", ["", "torch.set_num_threads(3)"])
def test_pytorch_is_left_as_it_was(set_to):
    found = in_a_process(
        f"import threading, torch; {set_to}\n"
        "from liif_core import workers\n"
        "def threads():\n"
        "    found = []\n"
        "    one = threading.Thread(target=lambda: found.append(torch.get_num_threads()))\n"
        "    one.start(); one.join()\n"
        "    return torch.get_num_threads(), *found\n"
        "before = threads()\n"
        "with workers.limited_to(2):\n"
        "    assert workers.run(lambda _: torch.get_num_threads(), range(9)) == [1] * 9\n"
        "assert threads() == before and before[0] == before[1] > 1, (before, threads())\n",
        OMP_NUM_THREADS="2",
    )
    assert not found.returncode, found.stderr


def test_a_notebook_may_keep_its_own_operations_to_one_thread():
    found = in_a_process(
        "import threading, torch\n"
        "import liif_core\n"
        "from liif_core import workers\n"
        "before = torch.get_num_threads(), workers.count()\n"
        "workers.keep_torch_to_one_thread()\n"
        "workers.keep_torch_to_one_thread()\n"  # a cell may be run again
        "later = []\n"
        "one = threading.Thread(target=lambda: later.append(torch.get_num_threads()))\n"
        "one.start(); one.join()\n"
        "found = workers.run(lambda _: torch.get_num_threads(), range(4))\n"
        "print(before, torch.get_num_threads(), later, workers.count(), found)\n",
        OMP_NUM_THREADS="2",
    )
    cores = min(2, workers._cores())
    assert found.stdout == f"(2, {cores}) 1 [1] {cores} [1, 1, 1, 1]\n", found.stderr


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs GNU's C library")
def test_after_each_cell_what_lay_between_blocks_that_live_goes_back_too():
    found = in_a_process(
        "import re\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "def held():\n"
        "    rollup = open('/proc/self/smaps_rollup').read()\n"
        "    return int(re.search(r'Anonymous: *(\\d+)', rollup)[1]) / 1024\n"
        "def run(cell):\n"
        "    assert shell.run_cell(cell).success\n"
        "run('from liif_core import workers')\n"
        "for _ in range(2):\n"  # a cell may be run again
        "    run('workers.keep_torch_to_one_thread()')\n"
        "hooks = shell.events.callbacks['post_run_cell']\n"
        "before = held()\n"
        "run('kept = [bytearray(100_000) for _ in range(1000)]')\n"
        "most = held()\n"
        "run('del kept[::2]')\n"
        "print(len(hooks), round(most - before), round(held() - before))\n"
    )
    assert not found.returncode, found.stderr
    hooks, most, after = map(int, found.stdout.split())
    assert hooks == 1
    assert most >= 90
    assert after <= 60


def test_gradients_inference_mode_and_autocast_are_the_callers():
    def modes(_: int) -> tuple[bool, bool]:
        return torch.is_inference_mode_enabled(), torch.is_grad_enabled()

    def product(_: int) -> torch.dtype:
        return torch.mm(torch.ones(2, 2), torch.ones(2, 2)).dtype

    assert workers.run(modes, range(2)) == [(False, True)] * 2
    with torch.no_grad():
        assert workers.run(modes, range(2)) == [(False, False)] * 2
    with torch.inference_mode():
        assert workers.run(modes, range(2)) == [(True, False)] * 2
    with torch.autocast("cpu", torch.bfloat16):
        assert workers.run(product, range(2)) == [torch.bfloat16] * 2
    assert workers.run(product, range(2)) == [torch.float32] * 2


def test_gradients_of_several_workers_add_up():
    weight = torch.ones(3, requires_grad=True)
    losses = workers.run(lambda item: (weight * item).sum(), range(4))
    torch.stack(losses).sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [6, 6, 6]


def test_a_call_within_a_worker_runs_in_that_worker():
    def outer(item: int) -> list[int]:
        me = threading.get_ident()
        inner = workers.run(lambda _: threading.get_ident(), range(3))
        assert inner == [me] * 3
        return [item + n for n in workers.run(lambda n: n, range(2))]

    assert workers.run(outer, range(4)) == [[n, n + 1] for n in range(4)]


def test_an_error_is_raised_and_nothing_more_is_begun():
    failed = threading.Event()
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 1:
            failed.set()
            raise ValueError("item 1")
        assert failed.wait(60)
        # Still at it while the error is noted; what comes after must not begin.
        while any(1 in call.items for call in workers._pool._calls):
            pass

    with pytest.raises(ValueError, match="item 1"):
        workers.run(work, range(100))
    assert sorted(begun) == [0, 1]
    assert workers.run(str, range(3)) == ["0", "1", "2"]  # and the workers live


def test_results_are_told_in_the_calling_thread():
    told: list[tuple[int, int]] = []
    workers.run(lambda n: n, range(20), lambda n: told.append((n, threading.get_ident())))
    assert sorted(told) == [(n, threading.get_ident()) for n in range(20)]


def test_what_is_raised_while_telling_ends_the_call():
    started: list[int] = []

    def work(item: int) -> int:
        started.append(item)
        if item >= 2:
            assert told.wait(60)
        return item

    told = threading.Event()

    def tell(item: int) -> None:
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            workers.run(work, range(100), tell)
        # The two workers may each have begun another one, and wait in it; no third is begun.
        assert not workers._pool._calls
    finally:
        told.set()
    workers.run(str, range(4))
    assert len(started) <= 4


def test_calls_of_several_threads_go_on_side_by_side():
    """A long call does not keep a short one waiting for its end."""
    short_done = threading.Event()

    def long(item: int) -> None:
        if item >= 4:
            assert short_done.wait(60)

    def short() -> None:
        workers.run(str, range(3))
        short_done.set()

    begun = threading.Event()
    other = threading.Thread(target=lambda: (begun.wait(60), short()))
    other.start()
    with workers.limited_to(3):

        def work(item: int) -> None:
            begun.set()
            if item < 2:
                long(4)

        workers.run(work, range(10))
    other.join()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_gets_through_while_the_workers_compute():
    found = in_a_process(
        "import os, signal, threading\n"
        "from liif_core import workers\n"
        "# A shell lets what it runs in the background ignore it.\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "begun = []; released = threading.Event()\n"
        "def work(item):\n"
        "    begun.append(item)\n"
        "    if len(begun) == 2:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    released.wait()\n"
        "try:\n"
        "    with workers.limited_to(2):\n"
        "        workers.run(work, range(1000))\n"
        "except KeyboardInterrupt:\n"
        "    released.set()\n"
        "    assert len(begun) == 2, begun\n"
        "    with workers.limited_to(2):\n"
        "        assert workers.run(abs, [-1, -2]) == [1, 2]\n"
        "    assert len(begun) == 2, begun\n"
        "    print('interrupted')\n"
    )
    assert (found.stdout, found.returncode) == ("interrupted\n", 0), found.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("within", [False, True])
def test_a_forked_process_has_workers_of_its_own(within):
    workers.run(str, range(3))

    def forked(_: int = 0) -> int:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if workers.run(lambda n: n + 1, range(9)) == list(range(1, 10)) else 2
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert (workers.run(forked, [0])[0] if within else forked()) == 0
    assert workers.run(str, range(2)) == ["0", "1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_renders_after_its_parent_has():
    # OpenMP's threads are not inherited: an operation split among them would wait for ever.
    found = in_a_process(
        "import os, signal, torch\n"
        "import numpy as np\n"
        "torch.set_num_threads(2)\n"
        "from liif_core.liif import LIIF, LIIFConfig\n"
        "from liif_core.render import render\n"
        "model = LIIF(LIIFConfig(blocks=1, channels=16, hidden=(16,))).eval()\n"
        "photo = np.random.default_rng(0).random((150, 170, 3), np.float32)\n"
        "expected = render(model, photo, 300, 310)\n"
        "torch.ones(1 << 20).add_(1)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    signal.alarm(60)  # ends a child that hangs\n"
        "    found = render(model, photo, 300, 310)\n"
        "    os._exit(0 if np.array_equal(found, expected) else 3)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), torch.get_num_threads())\n",
        OMP_NUM_THREADS="2",
    )
    assert (found.stdout, found.returncode) == ("0 2\n", 0), found.stderr


def test_the_interpreter_ends_while_workers_compute():
    found = in_a_process(
        "import atexit, threading, torch\n"
        "from liif_core import workers\n"
        "begun, ending = threading.Barrier(3), threading.Event()\n"
        "atexit.register(ending.set)  # before the pool is stopped\n"
        "def compute():\n"
        "    torch.mm(torch.rand(300, 300), torch.rand(300, 300))\n"
        "def work(item):\n"
        "    if item < 2:\n"
        "        begun.wait()\n"
        "    while not ending.is_set():\n"
        "        compute()\n"
        "    for _ in range(50):\n"
        "        compute()\n"
        "def ask():\n"
        "    with workers.limited_to(2):\n"
        "        workers.run(work, range(100))\n"
        "threading.Thread(target=ask, daemon=True).start()\n"
        "begun.wait()\n"
        "print('end')\n"
    )
    assert (found.stdout, found.stderr, found.returncode) == ("end\n", "", 0)


def test_results_are_not_kept():
    import gc
    import weakref

    class Thing:
        pass

    kept = [weakref.ref(thing) for thing in workers.run(lambda _: Thing(), range(5))]
    workers.run(str, range(5))
    gc.collect()
    assert not any(ref() for ref in kept)


def test_without_a_way_to_limit_one_thread_all_is_computed_here(monkeypatch):
    monkeypatch.setattr(workers, "_can_limit", lambda: False)
    here = threading.get_ident()
    assert workers.run(lambda _: threading.get_ident(), range(3)) == [here] * 3


def test_the_number_of_workers_is_what_the_process_may_use(monkeypatch):
    assert workers.count() == 2
    with workers.limited_to(None):
        assert workers.count() == 2
    with pytest.raises(LiifError, match="at least 1 thread"), workers.limited_to(0):
        pass
    monkeypatch.setattr(workers, "_limit", None)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    for cores, quota, expected in [(8, 99.0, 6), (4, 99.0, 4), (8, 1.5, 2), (8, 0.3, 1)]:
        monkeypatch.setattr(workers, "_cores", lambda cores=cores: cores)
        monkeypatch.setattr(workers, "_quota", lambda quota=quota: quota)
        assert workers.count() == expected


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity")
def test_the_affinity_counts():
    core = min(os.sched_getaffinity(0))
    code = (
        f"import os; os.sched_setaffinity(0, [{core}])\n"
        "from liif_core import workers; print(workers.count())"
    )
    assert in_a_process(code, OMP_NUM_THREADS="8").stdout == "1\n"
    assert psutil.Process().cpu_affinity() != []


def test_the_quota_of_a_control_group_counts(tmp_path):
    version_2 = tmp_path / "two"
    (version_2 / "class" / "reader").mkdir(parents=True)
    (version_2 / "class" / "cpu.max").write_text("150000 100000\n")
    (version_2 / "class" / "reader" / "cpu.max").write_text("max 100000\n")
    (tmp_path / "cgroup2").write_text("0::/class/reader\n")
    assert workers._quota(tmp_path / "cgroup2", version_2) == 1.5
    version_1 = tmp_path / "one"
    (version_1 / "cpu,cpuacct" / "reader").mkdir(parents=True)
    (version_1 / "cpu,cpuacct" / "reader" / "cpu.cfs_quota_us").write_text("50000\n")
    (version_1 / "cpu,cpuacct" / "reader" / "cpu.cfs_period_us").write_text("100000\n")
    (version_1 / "cpu,cpuacct" / "cpu.cfs_quota_us").write_text("-1\n")
    (version_1 / "cpu,cpuacct" / "cpu.cfs_period_us").write_text("100000\n")
    lines = "5:memory:/reader\n4:cpu,cpuacct:/reader\n3:cpuset:/\n"
    (tmp_path / "cgroup1").write_text(lines)
    assert workers._quota(tmp_path / "cgroup1", version_1) == 0.5
    assert workers._quota(tmp_path / "missing", version_1) == float("inf")
    # A container may be told of a place that it cannot see: then what it sees is its own.
    (version_2 / "cpu.max").write_text("200000 100000\n")
    (tmp_path / "hidden").write_text("0::/system.slice/somewhere\n")
    assert workers._quota(tmp_path / "hidden", version_2) == 2


def test_tasks_that_wait_for_one_another(monkeypatch):
    """They run at the end, or as soon as they are enough; outside, at once; lost with an error."""
    monkeypatch.setattr(workers, "ENOUGH", 5)
    seen, told = [], []
    tasks = [functools.partial(seen.append, number) for number in range(3)]
    with workers.limited_to(1):
        workers.run_tasks(tasks)
        assert seen == [0, 1, 2]
        with workers.joined():
            workers.run_tasks(tasks, told.append)
            assert seen == [0, 1, 2]
            workers.run_tasks(tasks, told.append)
            assert len(seen) == 9
            workers.run_tasks(tasks, told.append)
            assert len(seen) == len(told) + 3 == 9
        assert len(seen) == len(told) + 3 == 12
        with contextlib.suppress(KeyError), workers.joined():
            workers.run_tasks(tasks)
            raise KeyError
        assert len(seen) == 12
        workers.run_tasks(tasks)
        assert len(seen) == 15
        monkeypatch.setattr(workers, "ENOUGH", 50)
        with workers.joined():  # few tasks at a time, but each lot may hold a tile
            for _ in range(workers.ENOUGH_LOTS - 1):
                workers.run_tasks(tasks[:1])
                assert len(seen) == 15
            workers.run_tasks(tasks[:1])
            assert len(seen) == 15 + workers.ENOUGH_LOTS
