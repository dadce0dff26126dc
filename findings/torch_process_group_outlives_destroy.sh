#!/usr/bin/env bash
# torch.distributed.destroy_process_group() is documented to end a process group. Whether it does depends on what was
# imported when: functions of torch.distributed.nn.functional have `group=group.WORLD` as an argument's default, which
# Python evaluates when the module is loaded. Loaded before init_process_group, the default is None. Loaded after, it
# is the process group itself, and keeps it alive to the end of the process. Nobody needs to name that module:
# making any optimiser loads it (by way of torch._dynamo).
#
# So a plain training run (init_process_group, an optimiser, its steps, destroy_process_group) still has gloo's threads
# afterwards. With Python before 3.14 that shows as a run that now and then ends with "terminate called without an
# active exception" and exit status -6, after all its work was done: such a thread is still letting go of the tensor
# of the last collective, wants Python's lock for that, and finds the interpreter ending (seen in a core file:
# ProcessGroupGloo::runLoop, ~AsyncBarrierWork, PyThread_exit_thread; once in about 15 runs on a busy machine).
# What helps: import torch.distributed.nn.functional before init_process_group.
#
# Output seen on 2026-11-30, Linux x86-64, Python 3.11:
#   torch 2.13.0+cpu
#   no optimiser: threads of gloo after destroy_process_group: 0
#   an optimiser made between: threads of gloo after destroy_process_group: 3
#   an optimiser made between, module loaded before: threads of gloo after destroy_process_group: 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6 2>/dev/null
cat > look.py <<'PYTHON'
import gc
import sys
from pathlib import Path

import torch
import torch.distributed as dist

case, expected = sys.argv[1], int(sys.argv[2])
if "before" in case:
    import torch.distributed.nn.functional
dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
if case != "no optimiser":
    torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
dist.barrier()
dist.destroy_process_group()
gc.collect()
names = [(task / "comm").read_text() for task in Path("/proc/self/task").iterdir()]
left = sum("gloo" in name for name in names)
print(f"{case}: threads of gloo after destroy_process_group: {left}")
sys.exit(0 if left == expected else "this has changed")
PYTHON
venv/bin/python -c 'import torch; print(f"torch {torch.__version__}")'
venv/bin/python look.py "no optimiser" 0
venv/bin/python look.py "an optimiser made between" 3
venv/bin/python look.py "an optimiser made between, module loaded before" 0
