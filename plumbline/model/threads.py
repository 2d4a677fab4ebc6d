"""How many threads the sums of a stage are spread over."""

from collections.abc import Mapping

NUM_THREADS = 2
"""Fixed unless PLUMBLINE_THREADS says otherwise: the order of floating-point sums depends on the number of threads."""


def num_threads(environment: Mapping[str, str]) -> int:
    """PLUMBLINE_THREADS of the environment, else NUM_THREADS."""
    return int(environment.get("PLUMBLINE_THREADS", NUM_THREADS))
