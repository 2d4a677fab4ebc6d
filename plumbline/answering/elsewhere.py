"""Answers made elsewhere as an arm: by another tool, or a model behind an API. Reads the file that the arm names."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from plumbline.pipeline.problems import problems_of
from plumbline.pipeline.record import Record
from plumbline.pipeline.refused import Refused
from plumbline.rows.answer import ELSEWHERE, Answer
from plumbline.rows.question import Question
from plumbline.twin_keys import TwinKey, refuse_twins

NAMED = 5


class AnswerElsewhere(Record):
    """A line of the file: an id and a response. It may also hold the other fields of our own answer files."""

    id: str
    sample: int | None = Field(default=None, ge=1)
    """Number of the answer, from 1, if a question has several."""
    response: str
    arm: str = ""
    engine: str = ""
    num_tokens: int | None = None
    num_prompt_tokens: int | None = None
    stopped: Literal["eos", "max_new_tokens"] = "eos"
    choice_logprobs: dict[str, float] = Field(default_factory=dict)
    complete: bool = True


def read_elsewhere(path: Path, questions: Sequence[Question], *, arm: str) -> list[Answer]:
    """The answers in the benchmark's order: one per question, or several that are numbered. Refused if a line is not an answer, an answer
    is missing or doubled, or its question is unknown.
    """
    if not path.is_file():
        raise Refused(
            f'{path}, the weights of arm {arm}, is not a file. Give a file of answers, a line {{"id": ..., "response": ...}} per question.'
        )
    found: dict[str, dict[int, AnswerElsewhere]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):  # U+2028 does not end a line
        if not line.strip():
            continue
        try:
            row = AnswerElsewhere.model_validate_json(line)
            refuse_twins(line)
        except TwinKey as twins:
            raise Refused(f"{path}, line {number}: {twins}.") from None
        except ValidationError as error:
            raise Refused(
                f'{path}, line {number}: {problems_of(error, AnswerElsewhere)}. A line is {{"id": ..., "response": ...}}.'
            ) from None
        mine, sample = found.setdefault(row.id, {}), row.sample or 1
        if sample in mine:
            which = f"sample {sample} of" if row.sample else "answer to"
            raise Refused(
                f"{path}, line {number}: a second {which} {row.id!r}. "
                'Keep one, or number all answers to a question: "sample": 1, "sample": 2, ...'
            )
        mine[sample] = row
    asked = {question.id for question in questions}
    if strangers := [key for key in found if key not in asked]:
        raise Refused(
            f"{path}: {len(strangers)} answers to questions that the benchmark does not have ({named(strangers)}). "
            "Use the ids in data/split/benchmark.jsonl."
        )
    if missing := [question.id for question in questions if question.id not in found]:
        raise Refused(
            f"{path}: no answer to {len(missing)} of {len(questions)} questions ({named(missing)}). "
            "Add them. An empty response is an answer."
        )
    return in_order(found, questions, arm=arm)


def in_order(found: Mapping[str, Mapping[int, AnswerElsewhere]], questions: Sequence[Question], *, arm: str) -> list[Answer]:
    """The order of our own files: by question, then by sample. If each question has one answer, none is numbered."""
    is_numbered = any(len(rows) > 1 for rows in found.values())
    return [
        Answer(
            id=row.id,
            sample=sample if is_numbered else None,
            arm=arm,
            engine=ELSEWHERE,
            response=row.response,
            num_tokens=row.num_tokens,
            num_prompt_tokens=row.num_prompt_tokens,
            stopped=row.stopped,
            choice_logprobs=row.choice_logprobs,
            complete=row.complete,
        )
        for question in questions
        for sample, row in sorted(found[question.id].items())
    ]


def named(ids: Sequence[str]) -> str:
    """The first few ids."""
    return ", ".join(repr(key) for key in ids[:NAMED]) + (" ..." if len(ids) > NAMED else "")
