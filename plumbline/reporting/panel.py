"""What a second judge of a share of the explanations says about the first one, and about the differences that it judged. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from plumbline.judging.prices import judging_cost_usd, paid_replies
from plumbline.judging.second_draw import is_judged_twice
from plumbline.judging.two_judges import JudgeAgreement, TwiceJudged, TwoDifferences, agreement_of, same_findings, two_differences
from plumbline.reporting.params import SecondJudge
from plumbline.rows.judgement import Judgement
from plumbline.rows.question import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeNamed:
    """One of the two judges."""

    name: str
    """The model as it was asked for, or the rule."""
    judge_id: str
    returned: str | None
    """What the model called itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Two judges on a share of the questions."""

    first: JudgeNamed
    second: JudgeNamed
    share: float
    """Probability with which a question was drawn."""
    num_questions: int
    """Drawn questions of the reported part."""
    num_missing: int
    """Answers to drawn questions without a row of the second judge."""
    causes: Mapping[str, int]
    """Why the second judge gave a score to them or none: cause -> count."""
    whole: JudgeAgreement | None
    """Over the answers of all arms that both scored; None without such answers."""
    by_arm: Mapping[str, JudgeAgreement]
    differences: tuple[TwoDifferences, ...]
    """Of each declared pair of arms, in their order."""
    num_replies: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """Of the second judge, for the whole benchmark; None if a price is not known."""


def scores_of(judgements: Iterable[Judgement]) -> dict[tuple[str, str, int | None], float]:
    """(arm, question, sample) -> score, if there is one."""
    return {(row.arm, row.id, row.sample): row.score for row in judgements if row.score is not None}


def named(judgements: Sequence[Judgement], asked_as: str) -> JudgeNamed:
    """A judge, from its verdicts and from what the parameters call it."""
    returned = sorted({reply.model for row in judgements for reply in row.replies if reply.model is not None})
    ids = ", ".join(sorted({row.judge_id for row in judgements}))
    return JudgeNamed(name=asked_as, judge_id=ids, returned=", ".join(returned) or None)


def panel_of(
    questions: Sequence[Question],
    judgements: Sequence[Judgement],
    second: Sequence[Judgement],
    settings: SecondJudge,
    *,
    first_name: str,
    arms: Sequence[str],
    comparisons: Sequence[tuple[str, str]],
    seed: int,
    num_resamples: int,
) -> Panel:
    """Compare the judges on the questions of the reported part. This changes no score of the first judge."""
    asked = {question.id: question for question in questions}
    firsts = {(row.arm, row.id, row.sample): row for row in judgements}
    mine = [row for row in second if row.id in asked]
    rows = [
        TwiceJudged(
            # To compare judges, each sample is an answer; to compare arms, the samples are one question.
            id=row.id,
            arm=row.arm,
            cluster=asked[row.id].cluster,
            first=first.score,
            second=row.score,
            points=same_findings(first.points, row.points),
        )
        for row in mine
        if (first := firsts.get((row.arm, row.id, row.sample))) is not None and first.score is not None and row.score is not None
    ]
    paid = paid_replies(second)
    there = {(row.arm, row.id, row.sample) for row in mine}
    due = [key for key in firsts if key[1] in asked and is_judged_twice(key[1], share=settings.share)]
    of_arm = {arm: [row for row in rows if row.arm == arm] for arm in arms}
    return Panel(
        first=named(judgements, first_name),
        second=named(second, settings.name),
        share=settings.share,
        num_questions=len({row.id for row in mine}),
        num_missing=sum(key not in there for key in due),
        causes=dict(sorted(Counter(row.cause for row in mine).items())),
        whole=agreement_of(rows, seed=seed, num_resamples=num_resamples) if rows else None,
        by_arm={arm: agreement_of(found, seed=seed, num_resamples=num_resamples) for arm, found in of_arm.items() if found},
        differences=tuple(two_differences(rows, pair, seed=seed, num_resamples=num_resamples) for pair in comparisons),
        num_replies=len(paid),
        input_tokens=sum(reply.input_tokens for reply in paid),
        output_tokens=sum(reply.output_tokens for reply in paid),
        cost_usd=judging_cost_usd(paid, settings.model if settings.backend == "claude" else None),
    )
