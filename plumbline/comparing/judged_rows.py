"""Explanations with their verdicts, of any run, as the verbs about the judge need them. Reads through plumbline.comparing.revisions."""

from dataclasses import dataclass

from plumbline.comparing.revisions import ContentGone, Source, read_rows
from plumbline.judging.agreement import answer_key
from plumbline.judging.disputed import part_of
from plumbline.judging.items import item_of
from plumbline.rows.answer import Answer
from plumbline.rows.judgement import Judgement
from plumbline.rows.question import Question


@dataclass(frozen=True)
class JudgedAnswer:
    """One explanation with all that belongs to it."""

    question: Question
    answer: Answer
    judgement: Judgement
    second: float | None = None
    """Score of the second judge, if it gave one."""
    has_second: bool = False
    """Whether a second judge judged some answers of this run."""

    @property
    def part(self) -> str:
        """How the second judge sees an answer that the first one scored; empty if no second judge was asked."""
        assert self.judgement.score is not None, "asked of scored answers"
        return part_of(self.judgement.score, self.second) if self.has_second else ""

    @property
    def answer_key(self) -> str:
        """Name of the answer, whoever judges it."""
        return answer_key(item_of(self.question, self.answer.response))


def judged_answers(source: Source) -> list[JudgedAnswer]:
    """Every judged explanation of a run, in the order of its judgements."""
    questions = {question.id: question for question in read_rows(source, "data/split/benchmark.jsonl", Question)}
    judged = list(read_rows(source, "data/grades/judged.jsonl", Judgement))
    arms = dict.fromkeys(row.arm for row in judged)
    answers = {(row.id, row.arm, row.sample): row for arm in arms for row in read_rows(source, f"data/answers/{arm}.jsonl", Answer)}
    again = second_judgements(source)
    scores = {(row.id, row.arm, row.sample): row.score for row in again}
    return [
        JudgedAnswer(questions[row.id], answers[key], row, scores.get(key), has_second=bool(again))
        for row in judged
        for key in [(row.id, row.arm, row.sample)]
    ]


def second_judgements(source: Source) -> list[Judgement]:
    """What the second judge said; empty if there was none, as in an old run."""
    try:
        return list(read_rows(source, "data/grades/second_judged.jsonl", Judgement))
    except ContentGone:
        return []
