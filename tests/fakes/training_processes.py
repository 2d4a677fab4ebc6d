"""Trainings of a test as separate processes, forked from one that has torch and TRL loaded: a start takes milliseconds, not ten seconds."""

import multiprocessing
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from plumbline.training.launch import free_port
from tests.fakes import tiny_training


def fork_server() -> ForkServerContext:
    """The server from which the processes are forked; it starts with the first of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(tiny_training.PRELOADED)
    return context


def run(server: ForkServerContext | SpawnContext, folder: Path, root: Path, **kwargs: Any) -> int:
    """Train in one process and return how it ended; `kwargs` are those of `tiny_training.train`."""
    process = server.Process(target=tiny_training.train, args=(folder, root), kwargs=kwargs)
    process.start()
    (code,) = ended([process])
    assert code is not None
    return code


def start_ranks(
    server: ForkServerContext, folder: Path, root: Path, num_ranks: int, *, only: dict[int, dict[str, Any]] | None = None, **kwargs: Any
) -> list[BaseProcess]:
    """Start the processes of one training; `only` holds further arguments for single ranks."""
    port = free_port()
    processes = []
    for rank in range(num_ranks):
        more = kwargs | (only or {}).get(rank, {})
        process = server.Process(target=tiny_training.train_as_rank, args=(folder, root, rank, num_ranks, port), kwargs=more)
        process.start()
        processes.append(process)
    return processes


def ended(processes: list[BaseProcess]) -> list[int | None]:
    """Wait for processes and return how each ended; None for one that did not within ten minutes."""
    for process in processes:
        process.join(600)
    return [process.exitcode for process in processes]
