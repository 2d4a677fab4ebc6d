"""Explanations with their verdicts, of any run, as the verbs about the judge need them. Reads through plumbline.comparing.revisions."""

from dataclasses import dataclass

from plumbline.comparing.revisions import Source, read_rows
from plumbline.judging.agreement import answer_key
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
    return [JudgedAnswer(questions[row.id], answers[row.id, row.arm, row.sample], row) for row in judged]
