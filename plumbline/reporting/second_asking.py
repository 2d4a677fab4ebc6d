"""What one arm answered in another batch plan, with its verdicts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from plumbline.answering.noise_plan import NoisePlan
from plumbline.rows.answer import Answer
from plumbline.rows.grade import Grade
from plumbline.rows.judgement import Judgement


@dataclass(frozen=True, kw_only=True)
class SecondAsking:
    """What `answer_again` and `grade_again` wrote."""

    plan: NoisePlan
    answers: Sequence[Answer]
    grades: Sequence[Grade]
    judgements: Sequence[Judgement]
    """None if the judge is a model: it would have to be paid again."""
