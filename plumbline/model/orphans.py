"""Let no process outlive the one that started it. Loads no library: a stage asks for this first of all."""

import ctypes
import os
import signal
import sys

SUPERVISOR = "PLUMBLINE_SUPERVISOR"
"""Id of the process that started this one as a rank of a training."""


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies: a killed `dvc repro` must leave no orphan that writes.

    Elsewhere this does nothing; there the lock on the run's folder keeps a second writer out.
    """
    _signal_at_death_of_parent(signal.SIGKILL)


def end_with_parent() -> None:
    """The same with a request to end: for a server that must free a GPU and its workers."""
    _signal_at_death_of_parent(signal.SIGTERM)


def _signal_at_death_of_parent(which: signal.Signals) -> None:
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, which)


def refuse_to_be_an_orphan() -> None:
    """Exit if the process that started this rank is gone already: it died before this one could ask to die with it."""
    if os.environ.get(SUPERVISOR, str(os.getppid())) != str(os.getppid()):
        sys.exit("The process that started this rank is gone, so nothing was done.")
