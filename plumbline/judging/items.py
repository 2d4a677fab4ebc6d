"""What needs a verdict, and in which order: answers, probes, second askings. Pure.

Sequences go in and come out, and only row numbers are held: with rows that lie on disk, 10^5 answers take a few megabytes.
"""

from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import overload

from plumbline.judging.canaries import Canary
from plumbline.judging.precheck import is_no_answer
from plumbline.judging.prompt import JudgeItem
from plumbline.rows.answer import Answer
from plumbline.rows.question import Question
from plumbline.thinking import spoken


def item_of(question: Question, response: str) -> JudgeItem:
    """What the judge sees of a response: its text for the reader, without thinking. A response that was cut while thinking is empty."""
    said = spoken(response)
    text = response if said.text == response else said.text.strip()
    return JudgeItem(question.question, question.target, question.key_points, text)


@dataclass(frozen=True)
class Asked:
    """One item that needs a verdict."""

    item: JudgeItem
    asking: int = 1
    """2 for the second asking of a retest: the same item with another key."""

    @property
    def is_no_answer(self) -> bool:
        """Whether the answer needs no judge."""
        return is_no_answer(self.item.answer, self.item.question)


class DueAnswers:
    """Every explanation question with each arm's answer, or its samples, in benchmark order. ValueError if one is missing or doubled."""

    def __init__(self, questions: Sequence[Question], answers: Mapping[str, Sequence[Answer]]) -> None:
        """Pair questions and answers by id; `answers`: arm -> its answers."""
        self._questions, self._answers = questions, list(answers.values())
        self._begins = [0, *accumulate(len(rows) for rows in self._answers)]
        places = {arm: placed(rows, arm, begin) for (arm, rows), begin in zip(answers.items(), self._begins, strict=False)}
        self._question_numbers, self._answer_numbers = array("q"), array("q")
        for number, question in enumerate(questions):
            for arm in answers if question.kind == "explanation" else ():
                found = places[arm].get(question.id)
                if found is None:
                    raise ValueError(f"Arm {arm} has no answer to question {question.id}. Run `dvc repro answer@{arm}`.")
                for place in found if isinstance(found, tuple) else (found,):
                    self._question_numbers.append(number)
                    self._answer_numbers.append(place)

    def __len__(self) -> int:
        """Number of answers that need a verdict."""
        return len(self._answer_numbers)

    def answer(self, number: int) -> Answer:
        """The answer as its arm gave it."""
        place = self._answer_numbers[number]
        arm = bisect_right(self._begins, place) - 1
        return self._answers[arm][place - self._begins[arm]]

    def item(self, number: int) -> JudgeItem:
        """What the judge sees of the answer."""
        question = self._questions[self._question_numbers[number]]
        return item_of(question, self.answer(number).response)


def placed(rows: Sequence[Answer], arm: str, begin: int) -> dict[str, int | tuple[int, ...]]:
    """Question id -> place of the arm's answer, or of its samples, counted from `begin`. ValueError if doubled or of another arm."""
    places: dict[str, int | tuple[int, ...]] = {}
    samples: dict[str, dict[int, int]] = {}
    for number, answer in enumerate(rows, start=begin):
        if answer.arm != arm:
            raise ValueError(f"The file of arm {arm!r} has an answer of arm {answer.arm!r} to {answer.id}. Run `dvc repro answer@{arm}`.")
        if answer.sample is None:
            if answer.id in places or answer.id in samples:
                raise ValueError(f"Arm {arm} answers question {answer.id} twice. Run `dvc repro answer@{arm}`.")
            places[answer.id] = number
        elif answer.id in places or samples.setdefault(answer.id, {}).setdefault(answer.sample, number) != number:
            raise ValueError(f"Arm {arm} gives sample {answer.sample} of question {answer.id} twice. Run `dvc repro answer@{arm}`.")
    return places | {id: tuple(mine[sample] for sample in sorted(mine)) for id, mine in samples.items()}


class AskedItems(Sequence[Asked]):
    """All items that need a verdict: the answers, then the probes, then the second askings (numbers of answers)."""

    def __init__(self, due: DueAnswers, probes: Sequence[Canary], retested: Sequence[int]) -> None:
        """Put the items in order."""
        self._due, self._probes, self._retested = due, probes, retested

    def __len__(self) -> int:
        """Number of verdicts needed."""
        return len(self._due) + len(self._probes) + len(self._retested)

    @overload
    def __getitem__(self, index: int) -> Asked: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Asked]: ...
    def __getitem__(self, index: int | slice) -> Asked | Sequence[Asked]:
        """Make one item, or some."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        if number < len(self._due):
            return Asked(self._due.item(number))
        number -= len(self._due)
        if number < len(self._probes):
            return Asked(self._probes[number].item)
        return Asked(self._due.item(self._retested[number - len(self._probes)]), asking=2)
