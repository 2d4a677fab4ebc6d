"""The processes (ranks) of one training and what they agree on; a training of one process asks nobody. Only rank 0 writes files."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed
from torch.distributed.tensor import DTensor, distribute_tensor

from stages.io.checkpoints import AlreadyRunning, newest_whole_checkpoint, only_writer

T = TypeVar("T")
SUPERVISOR = "PLUMBLINE_SUPERVISOR"
"""Id of the process that started this one as a rank."""


def num_ranks() -> int:
    """Processes of this training, as the launcher says (WORLD_SIZE); 1 without one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def num_ranks_here() -> int:
    """Of them, those on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", str(num_ranks())))


def rank() -> int:
    """Number of this process, from 0."""
    return int(os.environ.get("RANK", "0")) if num_ranks() > 1 else 0


def is_sharded() -> bool:
    """Whether the weights are spread over the ranks (FSDP, by accelerate's environment) instead of being whole on each (DDP)."""
    return "RANK" in os.environ and os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"


def refuse_to_be_an_orphan() -> None:
    """End where the process that started this rank is gone already: it died before this one could ask to die with it."""
    if os.environ.get(SUPERVISOR, str(os.getppid())) != str(os.getppid()):
        sys.exit("the process that started this rank is gone: nothing was done.")


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


def leave() -> None:
    """Go separate ways; nobody may ask the others any more. Not for errors: others may be waiting for this process, which must end."""
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
