"""Judge the explanations of every arm and probe the judge: reads questions and answers, writes judgements and checks."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from plumbline.judging.backends import make_judge
from plumbline.judging.canaries import Canary, canaries, is_retested
from plumbline.judging.causes import RETRYABLE, JudgeCause
from plumbline.judging.items import Asked, AskedItems, DueAnswers
from plumbline.judging.judge import Verdict
from plumbline.judging.params import JudgeParams
from plumbline.judging.prompt import CORRECT_FROM
from plumbline.judging.rows_on_disk import RowsOnDisk
from plumbline.pipeline.heartbeat import working
from plumbline.pipeline.jsonl import write_jsonl
from plumbline.rows.answer import Answer
from plumbline.rows.judge_check import JudgeCheck, Probe
from plumbline.rows.judgement import Judgement
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Question

log = logging.getLogger("judge")

EXIT_STOPPED = 3
"""No call can help until someone acts (key, credit, model, cost cap)."""
EXIT_INCOMPLETE = 4
"""Some items got no reply this time. Run the stage again: nothing is paid twice."""


@dataclass(frozen=True, kw_only=True)
class JudgeFiles:
    """What the stage reads and writes."""

    questions: Path
    answers: Mapping[str, Path]
    """Arm -> its answers."""
    judged: Path
    checks: Path | None = None
    """None if the judge is not probed."""
    second: Path | None = None
    """Judgements of the second judge; an empty file if there is none."""


@dataclass
class Judged:
    """How the judging went."""

    num_items: int
    """Verdicts needed: for answers, probes and second askings."""
    stopped: str | None
    causes: Counter[str] = field(default_factory=Counter)
    """Causes of the answers' verdicts."""
    passed: dict[Probe, Counter[bool | None]] = field(default_factory=dict)
    num_open_checks: int = 0
    """Probes and second askings for which another run may still get a verdict."""

    @property
    def num_scored(self) -> int:
        """Answers with a score."""
        return self.causes[JudgeCause.SCORED] + self.causes[JudgeCause.NO_ANSWER]

    def finish(self, who: str = "") -> None:
        """Log the results of the probes. SystemExit with a special code if the judging is incomplete. `who` comes before each message."""
        for probe in sorted(self.passed):
            log.info("probe %s: %d of %d passed", probe, self.passed[probe][True], self.passed[probe].total())
        if self.stopped is not None:
            log.error("%sstopped: %s", who, self.stopped)
            raise SystemExit(EXIT_STOPPED)
        if num_open := self.num_open_checks + sum(self.causes[cause] for cause in RETRYABLE):
            log.error("%s%d of %d items got no reply; run the stage again, nothing is paid twice", who, num_open, self.num_items)
            raise SystemExit(EXIT_INCOMPLETE)


def judge_explanations(params: JudgeParams, files: JudgeFiles) -> Judged:
    """Judge all explanations and, if `files.checks` is given, probe the judge. Writes all verdicts that there are."""
    judge = make_judge(params)
    benchmark = RowsOnDisk(files.questions, Question)
    due = DueAnswers(benchmark, {arm: RowsOnDisk(path, Answer) for arm, path in files.answers.items()})
    probes = canaries(benchmark, num_questions=params.num_canary_questions) if judge.is_probed and files.checks else []
    again = _retested(due, fraction=params.retest_fraction or 0) if judge.is_retested and files.checks else []
    asked = AskedItems(due, probes, again)
    judging = judge.judge(asked)
    judged = Judged(len(asked), judging.stopped)
    first_scores: dict[int, float | None] = dict.fromkeys(again)
    # Each row is written when it is read from the store: 10^5 raw replies are half a gigabyte.
    with working("judge: verdicts"):
        num_judged = write_jsonl(files.judged, _judgements(judging.verdicts, due, judged, first_scores))
    assert num_judged == len(due) == judged.causes.total(), "one verdict per answer"
    if files.checks:
        with working("judge: probes"):
            write_jsonl(files.checks, _counted(_checks(judging.verdicts, due, probes, first_scores), judged))
    return judged


def _retested(due: DueAnswers, *, fraction: float) -> list[int]:
    """Numbers of the answers about which the judge is asked a second time."""
    return [
        number
        for number in range(len(due))
        if is_retested((answer := due.answer(number)).id, answer.arm, fraction=fraction, sample=answer.sample)
        and not Asked(due.item(number)).is_no_answer
    ]


def _judgements(verdicts: Iterator[Verdict], due: DueAnswers, judged: Judged, first_scores: dict[int, float | None]) -> Iterator[Judgement]:
    """The rows of all answers. Counts their causes, and notes the first scores of answers with a second asking."""
    for number, verdict in enumerate(islice(verdicts, len(due))):
        judged.causes[str(verdict.cause)] += 1
        if number in first_scores:
            first_scores[number] = verdict.score
        yield judgement_of(due.answer(number), verdict)


def _checks(
    verdicts: Iterator[Verdict], due: DueAnswers, probes: Sequence[Canary], first_scores: dict[int, float | None]
) -> Iterator[JudgeCheck]:
    """The rows of all probes, then of the second askings, if the first asking gave a score."""
    for probe, verdict in zip(probes, islice(verdicts, len(probes)), strict=True):
        yield _check(probe.probe, probe.question.id, verdict, least=probe.least, most=probe.most)
    for (number, first), verdict in zip(first_scores.items(), verdicts, strict=True):
        if first is not None:
            yield _check("retest", due.answer(number).id, verdict, least=first, most=first)


def _counted(rows: Iterator[JudgeCheck], judged: Judged) -> Iterator[JudgeCheck]:
    for row in rows:
        judged.passed.setdefault(row.probe, Counter())[row.is_passed] += 1
        judged.num_open_checks += row.cause in RETRYABLE
        yield row


def judgement_of(answer: Answer, verdict: Verdict) -> Judgement:
    """One verdict as a row; the outcome follows from the score alone."""
    score = verdict.score
    return Judgement(
        id=answer.id,
        sample=answer.sample,
        arm=answer.arm,
        judge_id=verdict.judge_id,
        outcome=Outcome.UNJUDGED if score is None else Outcome.CORRECT if score >= CORRECT_FROM else Outcome.INCORRECT,
        score=score,
        cause=str(verdict.cause),
        reasoning=verdict.reasoning,
        points=verdict.points,
        replies=verdict.replies,
        key=verdict.key,
        complete=answer.complete,
    )


def _check(probe: Probe, question_id: str, verdict: Verdict, *, least: float, most: float) -> JudgeCheck:
    """One probe of the judge as a row."""
    return JudgeCheck(
        probe=probe,
        id=question_id,
        key=verdict.key,
        judge_id=verdict.judge_id,
        score=verdict.score,
        cause=str(verdict.cause),
        least=least,
        most=most,
        is_passed=None if verdict.score is None else least <= verdict.score <= most,
        replies=verdict.replies,
    )
