"""One probe of the judge itself: an answer with a known verdict, or a second verdict on an answer that it judged."""

from typing import Literal

from plumbline.pipeline.record import Record
from plumbline.rows.judgement import RawReply

Probe = Literal["reference", "other_reference", "key_words", "negated", "everything", "instruction", "opener", "retest"]


class JudgeCheck(Record):
    """Written by `judge`; read only by `report`, and by `plumbline fill-judge-store` for its replies."""

    probe: Probe
    """`reference` must score 0.75 or more, every other canary 0 (`other_reference` at most 0.25); `retest` has no right score."""
    id: str
    """Id of the question."""
    key: str
    """Key of the verdict store; for a retest, of the second asking."""
    judge_id: str
    score: float | None
    """None if the judge gave no verdict."""
    cause: str
    least: float
    most: float
    """The scores that pass lie in [least, most]. For a retest both are the first score."""
    is_passed: bool | None
    """None if there is no score."""
    replies: tuple[RawReply, ...]
