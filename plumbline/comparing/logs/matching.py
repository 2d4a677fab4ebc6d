"""Find the answers to the same question in several logs. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from plumbline.comparing.logs.logged_answer import LogArm, LoggedAnswer
from plumbline.comparing.logs.question_text import normal, text_key
from plumbline.comparing.logs.questions_in_prompts import questions_in_prompts
from plumbline.pipeline.refused import Refused

MatchBy = Literal["id", "question"]
Collected = Mapping[str, Sequence[LoggedAnswer]]
"""Arm -> its answers to one question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question with the answers of the arms that were asked it."""

    task: str
    id: str
    """Unique among all questions of the comparison."""
    answers: Mapping[str, tuple[LoggedAnswer, ...]]
    """Arm -> its answers, more than one if the tool asked several times."""

    @property
    def sample(self) -> LoggedAnswer:
        """An answer that says what was asked."""
        given = [answer for answers in self.answers.values() for answer in answers]
        return next((answer for answer in given if answer.target), given[0])


def matched(arms: Sequence[LogArm], by: MatchBy | None) -> list[Asked]:
    """Every question of any log. Refused if one id stands for two questions, or if two arms have no question in common.

    `by` None: by id if one tool wrote all logs, else by the text of the question, which every tool keeps in its own way.
    """
    tools = {tool for arm in arms for tool in arm.tools}
    has_text = all(answer.question for arm in arms for answer in arm.answers)
    by = by or ("id" if len(tools) == 1 or not has_text else "question")
    names_tasks = len(tools) == 1
    found: dict[tuple[str, str], dict[str, list[LoggedAnswer]]] = {}
    inside = questions_in_prompts(arms) if by == "question" and not names_tasks else {}
    for arm in arms:
        for answer in arm.answers:
            text = text_key(answer)
            key = (answer.task if names_tasks else "", answer.id) if by == "id" else ("", inside.get(text, text))
            found.setdefault(key, {}).setdefault(arm.name, []).append(answer)
    if by == "question":
        refuse_two_in_one(found.values())
    refuse_strangers(arms, found.values(), by)
    if by == "id" and len(tools) == 1:
        refuse_other_questions(found.values())
    firsts = [next(iter(answers.values()))[0] for answers in found.values()]
    several = len({answer.task for answer in firsts}) > 1
    ids = unique_ids([f"{answer.task}/{answer.id}" if several else answer.id for answer in firsts])
    return [
        Asked(task=first.task, id=name, answers={arm: tuple(given) for arm, given in answers.items()})
        for first, name, answers in zip(firsts, ids, found.values(), strict=True)
    ]


def unique_ids(names: Sequence[str]) -> list[str]:
    """The names, numbered if one occurs twice: questions matched by text may share an id in another log."""
    seen: dict[str, int] = {}
    found: list[str] = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def refuse_two_in_one(found: Iterable[Collected]) -> None:
    """Refused if one arm has two questions with the same text: they would count as two samples of one."""
    for answers in found:
        for given in answers.values():
            first = given[0]
            for answer in given[1:]:
                if (answer.task, answer.id) != (first.task, first.id) or target_key(answer) != target_key(first):
                    raise Refused(
                        f"{answer.where}: the question {answer.question[:60]!r} is also at {first.where}, under another id or with another "
                        "target. Match the logs with --match id, or remove one of the two from each log."
                    )


def target_key(answer: LoggedAnswer) -> str:
    """What is right, whatever letter it has."""
    return normal(answer.choices.get(answer.target, answer.target))


def refuse_strangers(arms: Sequence[LogArm], found: Iterable[Collected], by: MatchBy) -> None:
    """Refused if an arm has no question in common with the first."""
    asked = [set(answers) for answers in found]
    for arm in arms[1:]:
        if not any({arms[0].name, arm.name} <= who for who in asked):
            other = "question" if by == "id" else "id"
            raise Refused(
                f"{arms[0].name} and {arm.name} have no question in common, matched by {by}. "
                f"Give logs of the same questions, or match them with --match {other}."
            )


def refuse_other_questions(found: Iterable[Collected]) -> None:
    """Refused if one id of one tool stands for two questions."""
    for answers in found:
        given = [answer for mine in answers.values() for answer in mine if answer.fingerprint]
        for answer in given[1:]:
            if answer.fingerprint != given[0].fingerprint:
                raise Refused(
                    f"{answer.where}: question {answer.id[:60]!r} is not the one of {given[0].where}: it reads {answer.question[:60]!r} and "
                    f"{given[0].question[:60]!r}, or has other choices or another target. Give logs of the same questions, or match them with --match question."
                )
