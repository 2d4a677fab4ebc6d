"""The interface of every judge, which gives one verdict per item. Pure.

To add a backend, write a class like those in no_judge.py and key_points_judge.py, and name it in backends.py and in `JudgeParams.backend`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from plumbline.judging.causes import JudgeCause
from plumbline.judging.items import Asked
from plumbline.rows.finding import PointFinding
from plumbline.rows.judgement import RawReply


@dataclass(frozen=True)
class Verdict:
    """What a judge says about one item."""

    judge_id: str
    key: str
    score: float | None
    cause: JudgeCause
    reasoning: str
    replies: tuple[RawReply, ...]
    points: tuple[PointFinding, ...] = ()
    """The finding on each key point; empty if the judge does not check them one by one."""


@dataclass(frozen=True)
class Judging:
    """All verdicts of a run."""

    verdicts: Iterator[Verdict]
    """One per item, in the order of the items. They are made while you read them."""
    stopped: str | None = None
    """Why the run stopped early; None if it did not."""


class Judge(Protocol):
    """One backend."""

    @property
    def is_probed(self) -> bool:
        """Whether it also judges answers with a known verdict."""
        ...

    @property
    def is_retested(self) -> bool:
        """Whether it may answer differently the second time, so that asking twice is useful."""
        ...

    def judge(self, asked: Sequence[Asked]) -> Judging:
        """Give a verdict on every item. SystemExit if nothing can be judged at all."""
        ...


def no_answer(judge_id: str, key: str) -> Verdict:
    """The verdict on an answer that needs no judge."""
    return Verdict(judge_id, key, 0.0, JudgeCause.NO_ANSWER, "empty, punctuation, an opener, or the question itself: 0 without a judge", ())
