"""Explanations with their verdicts, of any run, as the verbs about the judge need them. Reads through verbs.revisions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from stages.logic.judge_agreement import answer_key
from stages.logic.judge_prompt import JudgeItem
from stages.records.answer import ARMS, Answer
from stages.records.judgement import Judgement
from stages.records.question import Question
from stages.records.record import Record
from verbs.revisions import NotThere, Source

Row = TypeVar("Row", bound=Record)


def rows_of(source: Source, path: str, kind: type[Row]) -> Iterator[Row]:
    """The records of a JSONL file of a run. Only LF ends a record: answers may hold U+2028 and its like."""
    for number, line in enumerate(source.read(path).split(b"\n"), start=1):
        if line:
            try:
                yield kind.model_validate_json(line)
            except ValidationError as error:
                raise NotThere(f"{path}, line {number}: not a {kind.__name__} of this version of Plumbline: {error}") from None


@dataclass(frozen=True)
class JudgedAnswer:
    """One explanation with all that belongs to it."""

    question: Question
    answer: Answer
    judgement: Judgement

    @property
    def answer_key(self) -> str:
        """Name of the answer, whoever judges it."""
        question = self.question
        return answer_key(JudgeItem(question.question, question.target, question.key_points, self.answer.response))


def judged_answers(source: Source) -> list[JudgedAnswer]:
    """Every judged explanation of a run, in the order of its judgements."""
    questions = {question.id: question for question in rows_of(source, "data/split/benchmark.jsonl", Question)}
    answers = {(row.id, row.arm): row for arm in ARMS for row in rows_of(source, f"data/answers/{arm}.jsonl", Answer)}
    return [
        JudgedAnswer(questions[row.id], answers[row.id, row.arm], row) for row in rows_of(source, "data/grades/judged.jsonl", Judgement)
    ]
