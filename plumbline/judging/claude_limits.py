"""How hard to try to get a reply from Claude: reads the environment."""

import os
from dataclasses import dataclass

MAX_SLEEP_SECONDS = 120.0


@dataclass(frozen=True)
class Limits:
    """How hard to try. These limits change no result, so all of them are environment."""

    concurrency: int
    max_tries: int
    """Tries of one call if the network or the server fails."""
    deadline_seconds: float
    """For all tries of one call together, with the waits."""
    backoff_seconds: float
    """Longest first wait. It doubles with each try, up to 8 s, unless the server asks for more."""
    poll_seconds: float
    """Between two looks at a batch."""
    batch_requests: int
    """Requests per batch. The API takes 100,000, but a smaller batch loses less if it expires."""
    batch_bytes: int
    """Bytes per batch, which also limits memory. The API takes 256 MB."""


def limits_from_environment() -> Limits:
    """Read PLUMBLINE_JUDGE_*. ValueError names a variable that is not a positive number."""

    def positive(name: str, default: float) -> float:
        text = os.environ.get(name, "")
        try:
            value = float(text) if text else default
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} is {text!r}. Set it to a positive number, or unset it for {default:g}.")
        return value

    return Limits(
        concurrency=max(1, int(positive("PLUMBLINE_JUDGE_CONCURRENCY", 8))),
        max_tries=max(1, int(positive("PLUMBLINE_JUDGE_MAX_TRIES", 5))),
        deadline_seconds=positive("PLUMBLINE_JUDGE_DEADLINE_SECONDS", 180),
        backoff_seconds=positive("PLUMBLINE_JUDGE_BACKOFF_SECONDS", 0.5),
        poll_seconds=min(positive("PLUMBLINE_JUDGE_POLL_SECONDS", 30), MAX_SLEEP_SECONDS),
        batch_requests=max(1, min(int(positive("PLUMBLINE_JUDGE_BATCH_REQUESTS", 10_000)), 100_000)),
        batch_bytes=int(1e6 * min(positive("PLUMBLINE_JUDGE_BATCH_MEGABYTES", 64), 256)),
    )
