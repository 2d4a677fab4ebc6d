"""Answers made elsewhere, graded by the rules of the pipeline. Reads the file that is named."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from plumbline.comparing.answer_rows import NEEDED, NEEDED_WITH_BENCHMARK, AnswerRow, read_rows, row_of, with_benchmark
from plumbline.comparing.spreadsheets import refuse_spreadsheet
from plumbline.grading.by_kind import graded_by_rule
from plumbline.grading.tolerance import Tolerance
from plumbline.judging.items import Asked
from plumbline.judging.key_points_judge import KeyPointsJudge
from plumbline.judging.prompt import CORRECT_FROM, JudgeItem
from plumbline.pipeline.record import Record
from plumbline.rows.outcome import Outcome, score_of
from plumbline.rows.question import Kind, Question

Key = tuple[str, str]
"""Kind and id of a question."""


class GradedAnswer(Record):
    """One answer with its verdict."""

    line: int
    """Physical line of the file, from 1."""
    id: str
    arm: str
    kind: Kind
    outcome: Outcome
    score: float | None
    """In 0..1; None if unjudged."""
    extracted: str | None
    reading: str
    """What the rule read (`value`, `none`, ...); for an explanation why it has this score or none (`scored`, `no_key_points`, ...)."""
    span: tuple[int, int] | None
    tier: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class GradedFile:
    """All verdicts on a file."""

    questions: list[Question]
    """With their clusters, in the order of the benchmark, or else of the file."""
    graded: list[GradedAnswer]
    has_clusters: bool
    """False: nothing says which questions belong together, and each counts as independent."""


def grade_answer(line: int, row: AnswerRow, question: Question, tolerance: Tolerance) -> GradedAnswer:
    """Grade one answer. ValueError if its reference cannot be graded against."""
    found: dict[str, object] = {"line": line, "id": question.id, "arm": row.arm, "kind": question.kind, "flags": ()}
    if question.kind == "explanation":
        item = JudgeItem(question.question, question.target, question.key_points, row.response)
        [judged] = KeyPointsJudge().judge([Asked(item)]).verdicts
        right = judged.score is not None and judged.score >= CORRECT_FROM
        outcome = Outcome.UNJUDGED if judged.score is None else Outcome.CORRECT if right else Outcome.INCORRECT
        found |= {"outcome": outcome, "score": judged.score, "extracted": None, "reading": judged.cause, "span": None, "tier": None}
        return GradedAnswer.model_validate(found)
    grade = graded_by_rule(row.response, question, tolerance)
    score = score_of(grade.outcome, grade.score)
    found |= {"outcome": grade.outcome, "score": score, "extracted": grade.extracted, "reading": grade.reading}
    found |= {"span": grade.span, "tier": grade.tier, "flags": grade.flags}
    return GradedAnswer.model_validate(found)


@dataclass
class Collected:
    """What was read so far."""

    graded: list[GradedAnswer] = field(default_factory=list)
    questions: dict[Key, tuple[int, Question]] = field(default_factory=dict)
    """With the line that named it first."""
    clusters: dict[Key, str] = field(default_factory=dict)
    answered: set[tuple[str, Key]] = field(default_factory=set)

    def add(self, line: int, row: AnswerRow, tolerance: Tolerance) -> None:
        """Grade a row. ValueError if it cannot be graded, or does not agree with an earlier one."""
        question = row.as_question()
        key = (question.kind, question.id)
        if (row.arm, key) in self.answered:
            raise ValueError(
                f"this is a second answer of {row.arm!r} to {question.id[:60]!r}. Give each question an id, or each set of answers an arm."
            )
        before, known = self.questions.setdefault(key, (line, question))
        if (known.question, known.choices) == (question.question, question.choices):
            for name in ("target", "unit", "key_points", "answer_kind", "partial_credit", "tolerance"):
                if getattr(known, name) != getattr(question, name):
                    shown = "reference" if name == "target" else name
                    raise ValueError(
                        f"{shown} is {getattr(question, name)!r}, but {getattr(known, name)!r} in line {before} for the same question. "
                        "Correct one of them, or give the two questions different ids."
                    )
        if row.cluster is not None and self.clusters.setdefault(key, row.cluster) != row.cluster:
            raise ValueError(
                f"cluster is {row.cluster!r}, but {self.clusters[key]!r} in an earlier row of the same question. Write the same cluster in both."
            )
        self.answered.add((row.arm, key))
        self.graded.append(grade_answer(line, row, question, tolerance))


def grade_file(path: Path, tolerance: Tolerance, *, benchmark: Mapping[str, Question] | None = None) -> GradedFile:
    """Grade every row of a file. ValueError names the first line that cannot be read or graded."""
    refuse_spreadsheet(path)
    collected = Collected()
    rows = read_rows(path, NEEDED if benchmark is None else NEEDED_WITH_BENCHMARK)
    while True:
        try:
            line, fields = next(rows)
        except StopIteration:
            break
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not UTF-8 ({error.reason}). Save the file as UTF-8, in a spreadsheet as `CSV UTF-8`.") from error
        except (json.JSONDecodeError, csv.Error) as error:
            raise ValueError(f"{path}, after {len(collected.graded)} rows: not readable as {path.suffix or 'JSONL'}: {error}") from error
        try:
            collected.add(line, row_of(with_benchmark(fields, benchmark)), tolerance)
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from error
    if not collected.graded:
        raise ValueError(f"{path} has no rows. Give a header and at least one row, or JSON lines.")
    if benchmark is not None:
        kinds = {grade.kind for grade in collected.graded}
        questions = [question for question in benchmark.values() if question.kind in kinds]
        return GradedFile(questions=questions, graded=collected.graded, has_clusters=True)
    questions = [
        question.model_copy(update={"cluster": collected.clusters.get(key, f"question {question.id}")})
        for key, (_, question) in collected.questions.items()
    ]
    return GradedFile(questions=questions, graded=collected.graded, has_clusters=bool(collected.clusters))
