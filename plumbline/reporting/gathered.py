"""All that the report is about, read and checked row by row. Pure."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from plumbline.reporting.final_part import own_uses
from plumbline.reporting.final_part_use import FinalPartUse
from plumbline.reporting.human_label import HumanLabel
from plumbline.reporting.second_asking import SecondAsking
from plumbline.rows.answer import Answer
from plumbline.rows.arms import Arms, Pair
from plumbline.rows.context import Context
from plumbline.rows.grade import Grade
from plumbline.rows.judge_check import JudgeCheck
from plumbline.rows.judgement import Judgement
from plumbline.rows.probe_results import NOT_PROBED, ProbedAnswer, ProbeResults
from plumbline.rows.question import Question
from plumbline.splitting.overlap import QuestionOverlap
from plumbline.training.forgetting import Forgetting


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The whole files, whichever part of the benchmark is reported."""

    questions: Sequence[Question]
    arms: Arms
    comparisons: Sequence[Pair]
    """Declared before the run; the first is the headline. Empty if one arm answers alone."""
    answers: Sequence[Answer]
    """Of all arms."""
    grades: Sequence[Grade]
    judgements: Sequence[Judgement]
    checks: Sequence[JudgeCheck]
    labels: Sequence[HumanLabel]
    overlaps: Sequence[QuestionOverlap]
    forgetting: Forgetting
    uses: AbstractSet[FinalPartUse]
    """Recorded uses of this benchmark's final part."""
    sha256: Mapping[str, str]
    """Of the files that the verdict rests on, by their names on the page."""
    documents: Mapping[str, Mapping[str, object]]
    """What other stages wrote about themselves: training, data, preflight, base model, adapter."""
    loss: Sequence[Mapping[str, str]]
    """Rows of the loss table: step, train_loss, validation_loss."""
    versions: Mapping[str, str]
    """Package -> pinned version."""
    second_judgements: Sequence[Judgement] = ()
    """Of the second judge, on a share of the questions."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Reason -> rows of the benchmark file that no arm was asked."""
    probes: ProbeResults = NOT_PROBED
    """What was forgotten, by capability."""
    probed: Sequence[ProbedAnswer] = ()
    """Every probe with both answers; for the page alone."""
    contexts: Mapping[str, Mapping[str, Context]] = field(default_factory=dict)
    """Name of a context that arms use -> question -> what stood before it; for the page alone."""
    asked_twice: SecondAsking | None = None
    """What one arm answered in another batch plan; None if the files are missing."""

    @property
    def own_uses(self) -> frozenset[FinalPartUse]:
        """What this report adds to the record of the final part, if it looks at that part."""
        return own_uses(self.sha256, self.arms.names, self.comparisons)
