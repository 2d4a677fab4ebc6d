"""The outcome of an item without a reply, and of a run that cannot go on. Pure."""

from dataclasses import dataclass

from plumbline.judging.causes import JudgeCause


class JudgeStopped(Exception):
    """No further call can help in this run: the message says why and what to do."""


@dataclass(frozen=True)
class NoReply:
    """One item got no reply in this run."""

    cause: JudgeCause
    detail: str
