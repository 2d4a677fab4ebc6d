"""The machine a stage runs on: device, threads, and a process that dies with its parent. Never part of a result's identity."""

import ctypes
import os
import signal
import sys

import torch
from transformers.utils.logging import disable_progress_bar

NUM_THREADS = 2
"""Fixed unless PLUMBLINE_THREADS says otherwise: the order of floating-point sums depends on the number of threads."""


def device() -> str:
    """`cuda` or `cpu`, whichever is there; PLUMBLINE_DEVICE overrides."""
    return os.environ.get("PLUMBLINE_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")


def prepare_torch() -> None:
    """Make runs repeatable to the byte on one kind of processor: threads fixed, deterministic kernels."""
    disable_progress_bar()
    torch.set_num_threads(int(os.environ.get("PLUMBLINE_THREADS", NUM_THREADS)))
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # asked for by cuBLAS, before its first product on a GPU
    torch.use_deterministic_algorithms(True, warn_only=True)
    # It would also fill every fresh tensor, against code that reads memory it never wrote: 39 % of a training step here.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies: a killed `dvc repro` must leave no orphan that writes.

    Elsewhere this does nothing; there the lock on the run's folder keeps a second writer out.
    """
    _signal_at_death_of_parent(signal.SIGKILL)


def end_with_parent() -> None:
    """The same with a request to end: for a server that has a GPU and workers of its own to free."""
    _signal_at_death_of_parent(signal.SIGTERM)


def _signal_at_death_of_parent(which: signal.Signals) -> None:
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, which)
