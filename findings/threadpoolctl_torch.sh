#!/usr/bin/env bash
# threadpoolctl is the usual way to hold a program's numerical libraries to one thread for a while. With PyTorch's wheel for
# Linux it works until somebody, anywhere in the process, has called torch.set_num_threads:
# - PyTorch counts its threads lazily, in each thread at its first look. If the limit comes before that look, the look
#   undoes it: torch.get_num_threads() and every operation are back at the old number, within the `with` block.
# - If the look came first, the limit holds for OpenMP, and so for convolutions and element-wise operations. Matrix
#   products keep to the old number all the same: torch.set_num_threads told MKL, too, which is linked into libtorch
#   and which threadpoolctl therefore does not see.
# What helps is to let PyTorch look (torch.get_num_threads()) and then to call omp_set_num_threads and MKL_Set_Num_Threads_Local through
# ctypes, in each thread of one's own. It matters where a busy neighbour is on the machine: an operation that is
# split waits for its slowest part.
#
# Output seen on 2026-11-29, Linux x86-64, 2 cores, Python 3.11 (threads that worked within a limit of 1):
#   torch 2.13.0+cpu, threadpoolctl 3.8.0
#   never set: get_num_threads 1, ReLU 1, matrix product 1, convolution 1
#   set to 2: get_num_threads 2, ReLU 2, matrix product 2, convolution 2
#   set to 2, then looked: get_num_threads 1, ReLU 1, matrix product 2, convolution 1
set -euo pipefail
[ "$(nproc)" -ge 2 ] || { echo "needs two cores" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 threadpoolctl==3.8.0 psutil==7.2.2 numpy==2.4.6 2>/dev/null
cat > look.py <<'PYTHON'
import sys

import psutil
import threadpoolctl
import torch


def threads_that_work(operation) -> int:
    process = psutil.Process()
    before = {thread.id: thread.user_time for thread in process.threads()}
    for _ in range(150):
        operation()
    return sum(thread.user_time - before.get(thread.id, 0) > 0.1 for thread in process.threads())


case = sys.argv[1]
matrix, values = torch.randn(2000, 2000), torch.randn(20_000_000)
convolution, picture = torch.nn.Conv2d(64, 64, 3), torch.randn(4, 64, 128, 128)
if case != "never set":
    torch.set_num_threads(2)
if case == "set to 2, then looked":
    torch.get_num_threads()
with threadpoolctl.threadpool_limits(1), torch.inference_mode():
    found = [
        torch.get_num_threads(),
        threads_that_work(lambda: values.relu()),
        threads_that_work(lambda: matrix @ matrix),
        threads_that_work(lambda: convolution(picture)),
    ]
print(f"{case}: get_num_threads {found[0]}, ReLU {found[1]}, matrix product {found[2]}, convolution {found[3]}")
expected = {"never set": [1, 1, 1, 1], "set to 2": [2, 2, 2, 2], "set to 2, then looked": [1, 1, 2, 1]}
sys.exit(0 if found == expected[case] else "this has changed")
PYTHON
venv/bin/python -c 'import threadpoolctl, torch; print(f"torch {torch.__version__}, threadpoolctl {threadpoolctl.__version__}")'
for case in "never set" "set to 2" "set to 2, then looked"; do venv/bin/python look.py "$case"; done
