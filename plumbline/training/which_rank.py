"""Which process (rank) of a training this is, by the launcher's environment. Loads no library: the stage asks before torch is loaded."""

import os


def num_ranks() -> int:
    """Processes of this training by the launcher's WORLD_SIZE; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def num_ranks_here() -> int:
    """The processes of this training on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", str(num_ranks())))


def rank() -> int:
    """Number of this process, counted from 0."""
    return int(os.environ.get("RANK", "0")) if num_ranks() > 1 else 0


def is_sharded() -> bool:
    """Whether the weights are spread over the ranks (FSDP, by accelerate's environment), not whole on each (DDP)."""
    return "RANK" in os.environ and os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"
