"""Which process (rank) of a training this is, as the launcher's environment says. Loads no library, as the stage asks before torch is there."""

import os


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
