"""Choose how many threads compute the sums of a stage."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import psutil

NUM_THREADS = 2
"""For the embedded base, on any machine: the order of floating-point sums depends on the number of threads, and its bytes are fixed."""
QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Processor time that a container may use, as `<microseconds> <of this many>`, or `max <of this many>`."""


def num_threads(environment: Mapping[str, str], *, source: Literal["embedded", "hub"] = "embedded") -> int:
    """PLUMBLINE_THREADS of the environment; else two for the embedded base, and every physical core for one from the hub.

    If several ranks run on this machine (LOCAL_WORLD_SIZE), each takes its share.
    """
    asked = environment.get("PLUMBLINE_THREADS")
    if asked:
        return int(asked)
    if source == "embedded":
        return NUM_THREADS
    return max(1, usable_cores() // int(environment.get("LOCAL_WORLD_SIZE", "1")))


def usable_cores(quota: Path = QUOTA) -> int:
    """Physical cores that this process may use: hyperthreads share the units that multiply, and more threads than cores wait for each other."""
    found = [psutil.cpu_count(logical=False) or os.cpu_count() or 1]
    if hasattr(os, "sched_getaffinity"):
        found.append(len(os.sched_getaffinity(0)))
    if quota.is_file():
        share, period = quota.read_text(encoding="utf-8").split()
        if share != "max":
            found.append(math.ceil(int(share) / int(period)))
    return max(1, min(found))
