"""The processes (ranks) of one training and what they agree on. A single process asks no one. Only rank 0 writes files."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed
from torch.distributed.tensor import DTensor, distribute_tensor

from plumbline.training.checkpoints import AlreadyRunning, newest_whole_checkpoint, only_writer
from plumbline.training.which_rank import is_sharded, num_ranks, rank

T = TypeVar("T")


def in_group() -> bool:
    """Whether there are other ranks to ask."""
    return torch.distributed.is_initialized()


def join(device: str) -> None:
    """Become one of the ranks, if there are several: with gloo between processors, with NCCL between GPUs (one GPU each, by LOCAL_RANK)."""
    if num_ranks() == 1 and not is_sharded():
        return
    # accelerate would take as many threads as the machine has, and the order of sums depends on their number.
    os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group("cuda:nccl,cpu:gloo" if device == "cuda" else "gloo")
    # The group is never destroyed, here or when DDP drops it: gloo (torch 2.13) would wait for its thread. That thread may wait for
    # Python's lock, which the waiting process holds. One rank hung like this after its last step. The group ends with the process.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(torch.distributed.group.WORLD))


def leave() -> None:
    """Part: no rank may ask the others any more. Not for errors: others may be waiting for this process, which must end."""
    if in_group():
        wait_for_all()  # a rank that leaves too early takes away what the others have not read yet
        torch.distributed.destroy_process_group()


def from_rank_0(value: T) -> T:
    """The value of rank 0, on every rank; the values of the others are ignored."""
    if not in_group():
        return value
    values: list[Any] = [value]
    torch.distributed.broadcast_object_list(values, src=0)
    return values[0]


def from_all(value: T) -> list[T]:
    """The values of all ranks, in the order of the ranks, on every rank."""
    if not in_group():
        return [value]
    values: list[Any] = [None] * num_ranks()
    torch.distributed.all_gather_object(values, value)
    return values


def any_rank(flag: bool) -> bool:
    """Whether the flag is set on any rank; cheap enough to ask at every step."""
    if not in_group():
        return flag
    found = torch.tensor([int(flag)])
    torch.distributed.all_reduce(found, op=torch.distributed.ReduceOp.MAX)
    return bool(found)


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """The whole tensor. If this rank holds only a part of it, every rank must ask."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def as_held(tensor: torch.Tensor, *, like: torch.Tensor) -> torch.Tensor:
    """This rank's part of a whole tensor if the ranks hold parts of `like`, else the tensor itself."""
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements) if isinstance(like, DTensor) else tensor


def wait_for_all() -> None:
    """Go on when every rank has arrived here."""
    any_rank(False)


@contextmanager
def only_training(folder: Path) -> Iterator[None]:
    """Lock the run's folder; rank 0 does it for all. AlreadyRunning on every rank if another training has locked it."""
    with ExitStack() as stack:
        refusal = None
        if rank() == 0:
            try:
                stack.enter_context(only_writer(folder))
            except AlreadyRunning as error:
                refusal = str(error)
        refusal = from_rank_0(refusal)
        if refusal is not None:
            raise AlreadyRunning(refusal)
        yield


def checkpoint_to_go_on_from(folder: Path) -> Path | None:
    """The newest whole checkpoint with this number of ranks. Rank 0 chooses it, and sets damaged ones aside."""
    return from_rank_0(newest_whole_checkpoint(folder, num_ranks=num_ranks(), sharded=is_sharded()) if rank() == 0 else None)
