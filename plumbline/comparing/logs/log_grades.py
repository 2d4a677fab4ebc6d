"""The answers of logs with their verdicts, as the ledger counts them. Touches nothing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from plumbline.comparing.answer_rows import AnswerRow
from plumbline.comparing.graded_answers import GradedAnswer, GradedFile, grade_answer
from plumbline.comparing.logs.logged_answer import LoggedAnswer, LoggedScore
from plumbline.comparing.logs.matching import Asked
from plumbline.comparing.logs.score_choice import ScoreChoice, by_task, chosen_score, kind_of_answer, refuse_unknown, why_not_graded_here
from plumbline.grading.run import Tolerance
from plumbline.judging.prompt import CORRECT_FROM
from plumbline.pipeline.refused import Refused
from plumbline.rows.outcome import Outcome
from plumbline.rows.question import Kind, Question

LOGGED, FAILED, NOT_SCORED = "logged", "failed", "not_scored"
"""Readings: the score is the tool's; there is no answer; the tool gave the answer no score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreParams:
    """What the user says about the scores."""

    names: tuple[str, ...] = ()
    """Scores to use if a log has several."""
    regrade: bool = False
    """Grade by our own rules if they can."""
    low: float = 0.0
    high: float = 1.0
    """The scale of the tool's scores."""
    cluster: str | None = None
    """Field of the log that says which questions belong together."""
    tolerance: Tolerance = field(default_factory=lambda: Tolerance(relative=0.05, absolute=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedLogs:
    """All verdicts of a comparison of logs."""

    found: GradedFile
    tasks: Mapping[tuple[Kind, str], str]
    """(kind, id of a question) -> its task."""
    answers: Mapping[tuple[str, Kind, str], tuple[LoggedAnswer, ...]]
    """(arm, kind, id) -> what was logged."""
    told: tuple[str, ...]
    """Which scores these are, a sentence each."""

    @property
    def cut(self) -> frozenset[tuple[str, str]]:
        """Arm and id of the answers that ended at the token limit."""
        return frozenset((arm, name) for (arm, _, name), given in self.answers.items() if any(answer.is_cut for answer in given))


def graded_logs(asked: Sequence[Asked], arms: Sequence[str], params: ScoreParams) -> GradedLogs:
    """Take or make the score of every answer. Refused names the first that has none on the scale."""
    tasks = by_task(asked)
    refuse_unknown(params.names, tasks)
    if params.cluster is not None:
        refuse_unknown_field(params.cluster, asked)
    questions: list[Question] = []
    graded: list[GradedAnswer] = []
    answers: dict[tuple[str, Kind, str], tuple[LoggedAnswer, ...]] = {}
    homes: dict[tuple[Kind, str], str] = {}
    told: list[str] = []
    for task, mine in tasks.items():
        choice = chosen_score(task, mine, wanted=params.names, regrade=params.regrade)
        told.append(choice.told)
        num_graded = num_otherwise = 0
        for one in mine:
            question = question_of(one, choice.kind, params.cluster)
            questions.append(question)
            homes[question.kind, question.id] = task
            for arm in [arm for arm in arms if arm in one.answers]:
                verdict = verdict_of(arm, one.answers[arm], question, choice, params)
                graded.append(verdict)
                answers[arm, question.kind, question.id] = one.answers[arm]
                if choice.name is not None and (other := graded_here(arm, one.answers[arm], question, params)) is not None:
                    num_graded += 1
                    num_otherwise += (
                        verdict.score is not None
                        and other.score is not None
                        and (verdict.score >= CORRECT_FROM) != (other.score >= CORRECT_FROM)
                    )
        if num_otherwise:
            told.append(
                f"the graders of Plumbline decide {num_otherwise} of {num_graded} answers of {task or 'the logs'} differently; --regrade uses their grades"
            )
    if any(question.kind == "explanation" for question in questions) and all(one.sample.kind is None for one in asked):
        told.append("here the kind explanation means every answer that is neither a letter nor a number")
    if params.cluster is None and (names := fields_of(asked)) and not any(cluster_of(one, None) for one in asked):
        told.append(f"--cluster FIELD says which questions belong together; the fields of the logs are {', '.join(names)}")
    has_clusters = any(cluster_of(one, params.cluster) is not None for one in asked)
    order = {arm: place for place, arm in enumerate(arms)}
    return GradedLogs(
        found=GradedFile(questions=questions, graded=sorted(graded, key=lambda row: order[row.arm]), has_clusters=has_clusters),
        tasks=homes,
        answers=answers,
        told=tuple(told),
    )


def question_of(one: Asked, of_task: Kind, cluster: str | None) -> Question:
    """The question as the ledger knows it."""
    return as_question(one.sample, one.id, kind_of_answer(one.sample, of_task), cluster_of(one, cluster) or f"question {one.id}")


def as_question(answer: LoggedAnswer, name: str, kind: Kind, cluster: str) -> Question:
    """What one answer was asked: a tool may put the choices in another order before each model."""
    if answer.known is not None:
        return answer.known.model_copy(update={"id": name, "cluster": cluster})
    return Question(
        id=name, kind=kind, question=answer.question, choices=dict(answer.choices) if kind == "mcq" else {}, target=answer.target,
        unit=answer.unit, key_points=answer.key_points, cluster=cluster,
    )  # fmt: skip


def cluster_of(one: Asked, field_name: str | None) -> str | None:
    """What a question belongs to according to the logs. Refused if two logs contradict each other."""
    return said_of(one, field_name or "cluster")


def said_of(one: Asked, name: str) -> str | None:
    """What the logs say about a question in a field; None if no log has it. Refused if two logs contradict each other."""
    said = {answer.fields[name]: answer for answers in one.answers.values() for answer in answers if name in answer.fields}
    if len(said) > 1:
        (first, _), (second, answer), *_ = said.items()
        raise Refused(f"{answer.where}: {name} is {second!r}, but {first!r} elsewhere for the same question. Correct one of them.")
    return next(iter(said), None)


def refuse_unknown_field(name: str, asked: Sequence[Asked]) -> None:
    """Refused for a field that no answer has."""
    known = fields_of(asked)
    if name not in known:
        raise Refused(f"--cluster {name}: no answer has such a field. The fields are {', '.join(known) or 'none at all'}.")


def fields_of(asked: Sequence[Asked]) -> list[str]:
    """The fields by which questions can be grouped."""
    return sorted({key for one in asked for answers in one.answers.values() for answer in answers for key in answer.fields})


def with_tags(graded: GradedLogs, asked: Sequence[Asked], field_name: str | None) -> list[Question]:
    """The questions with the slice that the field names as their tag, else with their task if there are more tasks than kinds.

    Refused for an unknown field, and if two logs contradict each other about a question.
    """
    tasks, kinds = set(graded.tasks.values()), {kind for kind, _ in graded.tasks}
    if field_name is not None and field_name not in (known := fields_of(asked)):
        raise Refused(f"--slice {field_name}: no answer has such a field. The fields are {', '.join(known) or 'none at all'}.")
    tags: dict[str, tuple[str, ...]] = {}
    if field_name is not None:
        for one in asked:
            said = said_of(one, field_name)
            tags[one.id] = () if said is None else (said,)
    elif len(tasks) > len(kinds):
        tags = {name: (task,) for (_, name), task in graded.tasks.items()}
    return [question.model_copy(update={"tags": tags.get(question.id, question.tags)}) for question in graded.found.questions]


def verdict_of(arm: str, given: Sequence[LoggedAnswer], question: Question, choice: ScoreChoice, params: ScoreParams) -> GradedAnswer:
    """One arm on one question: the mean of its samples, because the question is the unit."""
    if choice.name is None:
        rows = [graded_one(arm, answer, question, params) for answer in given]
    else:
        rows = [logged_one(arm, answer, question, choice.name, params) for answer in given]
    return together(rows)


def graded_here(arm: str, given: Sequence[LoggedAnswer], question: Question, params: ScoreParams) -> GradedAnswer | None:
    """The grade by our graders; None if they cannot grade it."""
    if any(answer.response is None or why_not_graded_here(answer, question.kind) is not None for answer in given):
        return None
    try:
        return together([graded_one(arm, answer, question, params) for answer in given])
    except ValueError:
        return None


def together(rows: Sequence[GradedAnswer]) -> GradedAnswer:
    """Several samples of one arm on one question as one row; those without a score are left out of the mean."""
    if len(rows) == 1:
        return rows[0]
    scores = [row.score for row in rows if row.score is not None]
    if not scores:
        return rows[0]
    mean = math.fsum(scores) / len(scores)
    unparsed = all(row.outcome in (Outcome.UNPARSED, Outcome.UNJUDGED) for row in rows)
    outcome = Outcome.CORRECT if mean >= CORRECT_FROM else Outcome.UNPARSED if unparsed else Outcome.INCORRECT
    first = next(row for row in rows if row.score is not None)
    return first.model_copy(update={"score": mean, "outcome": outcome})


def graded_one(arm: str, answer: LoggedAnswer, question: Question, params: ScoreParams) -> GradedAnswer:
    """One response by our graders."""
    if answer.response is None:
        return row_of(arm, answer, question, outcome=Outcome.UNJUDGED, score=None, extracted=None, reading=FAILED)
    mine = as_question(answer, question.id, question.kind, question.cluster) if answer.question else question
    row = AnswerRow(question=mine.question, response=answer.response, reference=mine.target, kind=mine.kind, arm=arm)
    try:
        return grade_answer(answer.line, row, mine, params.tolerance)
    except ValueError as error:
        raise Refused(f"{answer.where}: {error}") from None


def logged_one(arm: str, answer: LoggedAnswer, question: Question, name: str, params: ScoreParams) -> GradedAnswer:
    """One score as the tool gave it."""
    score = answer.scores.get(name, LoggedScore(value=None))
    if score.unread is not None:
        can = answer.response is not None and why_not_graded_here(answer, question.kind) is None
        regrading = ", or grade here with --regrade" if can else ""
        raise Refused(
            f"{answer.where}: {called(name)} is {score.unread}, not a number. Write 1 and 0, or True and False; "
            f"or choose another score with --score{regrading}."
        )
    if score.value is None:
        reading = NOT_SCORED if answer.failure is None else FAILED
        return row_of(arm, answer, question, outcome=Outcome.UNJUDGED, score=None, extracted=score.extracted, reading=reading)
    scaled = score.value if score.is_fraction else (score.value - params.low) / (params.high - params.low)
    if not -1e-9 <= scaled <= 1 + 1e-9:
        raise Refused(
            f"{answer.where}: {called(name)} is {score.value:g}, outside of {params.low:g} to {params.high:g}. "
            "Give the scale with --score-range LOW HIGH, or choose another score with --score."
        )
    scaled = min(max(scaled, 0.0), 1.0)
    outcome = Outcome.CORRECT if scaled >= CORRECT_FROM else Outcome.UNPARSED if score.is_no_answer else Outcome.INCORRECT
    # A missing answer is wrong, whatever a scorer gave for it.
    scaled = 0.0 if outcome is Outcome.UNPARSED else scaled
    return row_of(arm, answer, question, outcome=outcome, score=scaled, extracted=score.extracted, reading=LOGGED)


def called(name: str) -> str:
    """A score by its name."""
    return "the score" if name == "score" else f"the score {name}"


def row_of(
    arm: str, answer: LoggedAnswer, question: Question, *, outcome: Outcome, score: float | None, extracted: str | None, reading: str
) -> GradedAnswer:
    """A row for a verdict that does not come from our own rules."""
    return GradedAnswer(
        line=answer.line, id=question.id, arm=arm, kind=question.kind, outcome=outcome, score=score, extracted=extracted, reading=reading,
        span=None, tier=None, flags=(),
    )  # fmt: skip
