"""A journal of Message Batches, written before each step. Touches one file next to the verdict store.

The intent is written before a batch is created, and its id before it is polled. If the process is killed or a response is lost,
the next run collects the batch that exists and does not create a second one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from plumbline.judging.verdict_store import append_line, read_lines


class BatchEvent(StrEnum):
    """What happened to a batch."""

    INTENT = "intent"
    """It is about to be created."""
    CREATED = "created"
    FOREIGN = "foreign"
    """The batch that we took for ours belongs to another run."""
    COLLECTED = "collected"
    REFUSED = "refused"
    LOST = "lost"


@dataclass
class Submission:
    """One batch, from the intent to its end."""

    name: str
    keys: list[str]
    """Its items; empty after it is closed."""
    known: set[str]
    """The latest batches before this one. A listed batch that is newer than all of them, and not in the journal, may be ours."""
    batch: str | None = None
    foreign: set[str] = field(default_factory=set)
    """Batches that we took for ours until their results showed that they belong to another run."""
    is_closed: bool = False


@dataclass
class Journal:
    """The submissions in their order, each with its outcome."""

    path: Path
    submissions: dict[str, Submission] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the journal of earlier runs."""
        for line in read_lines(self.path):
            name = str(line["name"])
            if line["event"] == BatchEvent.INTENT:
                self.submissions[name] = Submission(name, list(line["keys"]), set(line["known"]))  # type: ignore[call-overload]
            elif name in self.submissions:
                self._note(self.submissions[name], BatchEvent(str(line["event"])), str(line.get("batch")))

    @staticmethod
    def _note(submission: Submission, event: BatchEvent, batch: str) -> None:
        if event is BatchEvent.CREATED:
            submission.batch = batch
        elif event is BatchEvent.FOREIGN:
            submission.batch = None
            submission.foreign.add(batch)
        else:
            submission.is_closed = True
            submission.keys = []  # otherwise the keys of all runs would pile up

    def intend(self, keys: Sequence[str], known: Sequence[str]) -> Submission:
        """Record that a batch of these items is about to be created."""
        submission = Submission(f"{len(self.submissions):06d}", list(keys), set(known))
        append_line(self.path, {"event": BatchEvent.INTENT, "name": submission.name, "keys": submission.keys, "known": list(known)})
        self.submissions[submission.name] = submission
        return submission

    def created(self, submission: Submission, batch: str) -> None:
        """Record the id before anything else is done with the batch."""
        append_line(self.path, {"event": BatchEvent.CREATED, "name": submission.name, "batch": batch})
        self._note(submission, BatchEvent.CREATED, batch)

    def foreign(self, submission: Submission) -> None:
        """Record that the batch which we took for this submission belongs to another run."""
        assert submission.batch is not None, "a batch was taken for ours"
        append_line(self.path, {"event": BatchEvent.FOREIGN, "name": submission.name, "batch": submission.batch})
        self._note(submission, BatchEvent.FOREIGN, submission.batch)

    def close(self, submission: Submission, event: BatchEvent) -> None:
        """Record that nothing more will come from it (COLLECTED, REFUSED or LOST)."""
        append_line(self.path, {"event": event, "name": submission.name})
        self._note(submission, event, "")

    def open_ones(self) -> Iterator[Submission]:
        """Submissions with results that are not yet in the store."""
        return (one for one in list(self.submissions.values()) if not one.is_closed)
