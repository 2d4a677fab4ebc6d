"""The processes (ranks) of one training and what they agree on; a training of one process asks no one. Only rank 0 writes files."""

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
    """Whether there are others to ask."""
    return torch.distributed.is_initialized()


def join(device: str) -> None:
    """Become one of the ranks, if there are several: gloo between processors, NCCL between GPUs (a GPU each, by LOCAL_RANK)."""
    if num_ranks() == 1 and not is_sharded():
        return
    # accelerate would take as many threads as the machine has, and the order of sums depends on their number.
    os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group("cuda:nccl,cpu:gloo" if device == "cuda" else "gloo")
    # Never taken apart, here or when DDP lets go of it: gloo (torch 2.13) then waits for its thread, which may be waiting for Python's
    # lock, held by who waits. A rank hung so after its last step. The process ends soon, and the group with it.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(torch.distributed.group.WORLD))


def leave() -> None:
    """Go separate ways; no one may ask the others any more. Not for errors: others may be waiting for this process, which must end."""
    if in_group():
        wait_for_all()  # who goes too early takes back what the others have not read yet
        torch.distributed.destroy_process_group()


def from_rank_0(value: T) -> T:
    """What rank 0 passes here, on every rank; what the others pass is not looked at."""
    if not in_group():
        return value
    values: list[Any] = [value]
    torch.distributed.broadcast_object_list(values, src=0)
    return values[0]


def from_all(value: T) -> list[T]:
    """What each rank passes here, in the order of the ranks, on every rank."""
    if not in_group():
        return [value]
    values: list[Any] = [None] * num_ranks()
    torch.distributed.all_gather_object(values, value)
    return values


def any_rank(flag: bool) -> bool:
    """Whether the flag is set on one of the ranks: cheap enough to be asked at every step."""
    if not in_group():
        return flag
    found = torch.tensor([int(flag)])
    torch.distributed.all_reduce(found, op=torch.distributed.ReduceOp.MAX)
    return bool(found)


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor itself, or all of one of which this rank holds a part; then every rank must ask."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def as_held(tensor: torch.Tensor, *, like: torch.Tensor) -> torch.Tensor:
    """This rank's part of a whole tensor, where the ranks hold parts of `like`; else the tensor itself."""
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements) if isinstance(like, DTensor) else tensor


def wait_for_all() -> None:
    """Go on when every rank has come here."""
    any_rank(False)


@contextmanager
def only_training(folder: Path) -> Iterator[None]:
    """Hold the run's folder, by rank 0 for all. AlreadyRunning on every rank if another training has it."""
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
    """The newest whole checkpoint of as many ranks as there are, chosen (and damaged ones set aside) by rank 0."""
    return from_rank_0(newest_whole_checkpoint(folder, num_ranks=num_ranks(), sharded=is_sharded()) if rank() == 0 else None)
