"""What is due a verdict, in what order: answers, probes, second askings. Pure.

Sequences in, sequences out, and nothing held but row numbers: with rows that lie on disk, 10^5 answers take a few megabytes.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import overload

from plumbline.judging.canaries import Canary
from plumbline.judging.precheck import is_no_answer
from plumbline.judging.prompt import JudgeItem
from plumbline.rows.answer import ARMS, Answer, Arm
from plumbline.rows.question import Question
from plumbline.thinking import spoken


def item_of(question: Question, response: str) -> JudgeItem:
    """What the judge sees of a response: what it says to its reader, without its thinking. One that was cut while thinking says nothing."""
    said = spoken(response)
    text = response if said.text == response else said.text.strip()
    return JudgeItem(question.question, question.target, question.key_points, text)


@dataclass(frozen=True)
class Asked:
    """One item that is due a verdict."""

    item: JudgeItem
    asking: int = 1
    """2 for the second asking of a retest: the same item under a key of its own."""

    @property
    def is_no_answer(self) -> bool:
        """Whether nobody needs to be asked."""
        return is_no_answer(self.item.answer, self.item.question)


class DueAnswers:
    """Every explanation question with either arm's answer, in benchmark order; ValueError where one is missing or doubled."""

    def __init__(self, questions: Sequence[Question], base: Sequence[Answer], tuned: Sequence[Answer]) -> None:
        """Pair questions and answers by id."""
        self._questions, self._base, self._tuned = questions, base, tuned
        numbers: dict[Arm, dict[str, int]] = {arm: {} for arm in ARMS}
        for number, answer in enumerate(chain(base, tuned)):
            if answer.id in numbers[answer.arm]:
                raise ValueError(f"{answer.arm} answers question {answer.id} twice; run answer_{answer.arm} again.")
            numbers[answer.arm][answer.id] = number
        self._question_numbers, self._answer_numbers = array("q"), array("q")
        for number, question in enumerate(questions):
            for arm in ARMS if question.kind == "explanation" else ():
                place = numbers[arm].get(question.id)
                if place is None:
                    raise ValueError(f"{arm} has no answer to question {question.id}; run answer_{arm} again.")
                self._question_numbers.append(number)
                self._answer_numbers.append(place)

    def __len__(self) -> int:
        """Number of answers that are due a verdict."""
        return len(self._answer_numbers)

    def answer(self, number: int) -> Answer:
        """The answer, as its arm gave it."""
        place = self._answer_numbers[number]
        return self._base[place] if place < len(self._base) else self._tuned[place - len(self._base)]

    def item(self, number: int) -> JudgeItem:
        """What the judge sees of it."""
        question = self._questions[self._question_numbers[number]]
        return item_of(question, self.answer(number).response)


class AskedItems(Sequence[Asked]):
    """All that is due a verdict: the answers, then the probes, then the second askings (numbers of answers)."""

    def __init__(self, due: DueAnswers, probes: Sequence[Canary], retested: Sequence[int]) -> None:
        """Put them in order."""
        self._due, self._probes, self._retested = due, probes, retested

    def __len__(self) -> int:
        """Number of verdicts that are due."""
        return len(self._due) + len(self._probes) + len(self._retested)

    @overload
    def __getitem__(self, index: int) -> Asked: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Asked]: ...
    def __getitem__(self, index: int | slice) -> Asked | Sequence[Asked]:
        """Make one, or some."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        if number < len(self._due):
            return Asked(self._due.item(number))
        number -= len(self._due)
        if number < len(self._probes):
            return Asked(self._probes[number].item)
        return Asked(self._due.item(self._retested[number - len(self._probes)]), asking=2)
