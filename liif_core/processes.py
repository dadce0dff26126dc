"""Several processes at one task, as torchrun starts them: who is who, and how they meet.

Without torchrun there is one process, which waits for nobody.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

from liif_core.device import pick_device

#: How long one process waits for another. Long: the first validates while the others wait, and of
#: a shared folder one may hold the largest photos. torchrun ends all as soon as one of them fails,
#: so that nobody waits for the dead.
TIMEOUT = timedelta(days=30)

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Which process this is.

    Attributes:
        rank: its number, from 0.
        world: how many there are.
        device: what it computes on.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until all processes have come here."""
        if self.world > 1:
            dist.barrier()

    def gather(self, part: T) -> list[T]:
        """Return what every process hands in here, by rank. Pickled: for words, not for tensors."""
        parts = [part] * self.world
        if self.world > 1:
            dist.all_gather_object(parts, part)
        return parts


def own_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; of several accelerators, each process has its own.

    Args:
        name: see `pick_device`. Among several processes, a number in it, as in "cuda:1", does not
            count.

    Raises:
        LiifError: as `pick_device`; also for more processes than accelerators.
    """
    cuda = name.partition(":")[0] == "cuda" or (name == "auto" and torch.cuda.is_available())
    if cuda and _world() > 1:
        # Asked for by number at once: a look at another's would take memory there.
        return pick_device(f"cuda:{os.environ['LOCAL_RANK']}")
    return pick_device(name)


@contextmanager
def processes(device: str = "auto") -> Iterator[Place]:
    """Join the other processes that torchrun started, if it did; none leaves before all are done.

    Args:
        device: what to compute on, see `own_device`. On CUDA, gradients travel by NCCL; words, and
            everything on other devices, by gloo.

    Raises:
        LiifError: see `own_device`.
    """
    own, world = own_device(device), _world()
    if world == 1:
        yield Place(0, 1, own)
        return
    if own.type == "cuda":
        torch.cuda.set_device(own)
    _load_collectives()
    backend = "cpu:gloo,cuda:nccl" if own.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=TIMEOUT)
    try:
        place = Place(dist.get_rank(), world, own)
        yield place
        place.wait()  # torchrun ends all when one fails, which would cut off the last of them
    finally:
        dist.destroy_process_group()


def _load_collectives() -> None:
    """Load a module before there is a process group, which it would otherwise keep alive.

    Functions of `torch.distributed.nn` have the process group of the time they are loaded as an
    argument's default, and the making of an optimiser loads them. That group then outlives
    `destroy_process_group`, and gloo's threads end with the process, some in the middle of letting
    go of a tensor: it aborts (PyTorch 2.13.0 with Python before 3.14).
    """
    import torch.distributed.nn.functional  # noqa: F401


def _world() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))
