"""Map a pure function over chunks in several processes, in order and in bounded memory."""

import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Result = TypeVar("Result")


def num_workers() -> int:
    """Processes to use: PLUMBLINE_WORKERS, else one for each core that this process may use. Never changes a result."""
    given = os.environ.get("PLUMBLINE_WORKERS", "")
    if given and not (given.isascii() and given.isdigit() and int(given) > 0):
        raise ValueError(f"PLUMBLINE_WORKERS is {given!r}. Set it to a whole number from 1, or unset it to use every core.")
    if given:
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_order(function: Callable[[Given], Result], chunks: Iterable[Given], workers: int) -> Iterator[tuple[Given, Result]]:
    """Yield each chunk with its result, in the order of the chunks; at most a few chunks per worker are in flight."""
    if workers <= 1:
        for chunk in chunks:
            yield chunk, function(chunk)
        return
    # fork where it is safe and cheap: no thread runs yet. Elsewhere a fresh interpreter imports the function's module.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting: deque[tuple[Given, Future[Result]]] = deque()
        try:
            for chunk in chunks:
                waiting.append((chunk, pool.submit(function, chunk)))
                if len(waiting) >= 2 * workers + 1:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
