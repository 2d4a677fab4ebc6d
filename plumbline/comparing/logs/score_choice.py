"""Which score of a log is compared: one that every arm has for the task, or our own graders'. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plumbline.comparing.logs.logged_answer import LoggedAnswer
from plumbline.comparing.logs.matching import Asked
from plumbline.grading.numeric_target import parse_target
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import KINDS, Kind

MAX_CHOICES = 26
"""As many as there are letters: our grader reads no other labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreChoice:
    """What is compared on one task."""

    task: str
    kind: Kind
    """The kind of its questions, unless a question says its own."""
    name: str | None
    """The score of the tool; None: our graders grade."""
    told: str
    """In a sentence, with what else there is."""


def by_task(asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    """The questions of each task, in the order of the logs."""
    found: dict[str, list[Asked]] = {}
    for one in asked:
        found.setdefault(one.task, []).append(one)
    return found


def kind_of(questions: Sequence[Asked]) -> Kind:
    """What the questions of a task ask for: a letter, a number, or else a text."""
    samples = [one.sample for one in questions]
    if all(len(answer.choices) > 1 for answer in samples):
        return "mcq"
    return "numeric" if all(is_number(answer) for answer in samples) else "explanation"


def is_number(answer: LoggedAnswer) -> bool:
    """Whether the target is a number that our grader takes."""
    try:
        return parse_target(answer.target, None).open_unit
    except ValueError:
        return False


def kind_of_answer(answer: LoggedAnswer, of_task: Kind) -> Kind:
    """What one question asks for. Refused for a kind that is not known."""
    if answer.kind is None:
        return of_task
    kind: Kind | None = next((known for known in KINDS if known == answer.kind), None)
    if kind is None:
        raise Refused(f"{answer.where}: kind is {answer.kind!r}. Give one of {', '.join(KINDS)}, or leave it out.")
    return kind


def why_not_graded_here(answer: LoggedAnswer, kind: Kind) -> str | None:
    """Why our graders cannot grade an answer; None if they can. A failed request does not matter: it stays unjudged."""
    if answer.failure is None and answer.response is None:
        return f"{answer.where} holds no response"
    if not answer.has_one_response:
        return f"{answer.where} holds several responses that the tool scored together"
    if answer.known is not None and kind != "explanation":
        return None
    if kind == "mcq" and len(answer.choices) > MAX_CHOICES:
        return f"{answer.where}: {len(answer.choices)} choices, but answers with at most {MAX_CHOICES} are graded here"
    if kind == "mcq":
        return None if answer.target in answer.choices else f"{answer.where}: target {answer.target!r} is not one of the choices"
    if kind == "numeric":
        try:
            parse_target(answer.target, answer.unit)
        except ValueError as error:
            return f"{answer.where}: {error}"
        return None
    if answer.key_points:
        return None
    if answer.kind is None and answer.target:
        return (
            f"{answer.where}: its reference {answer.target[:60]!r} is taken as a text, and a text is graded by key points. "
            "In a table, add a column kind (mcq, numeric or explanation), or a column score"
        )
    return f"{answer.where}: a text is graded by key points, but there are none"


def chosen_score(task: str, questions: Sequence[Asked], *, wanted: Sequence[str], regrade: bool) -> ScoreChoice:
    """Decide what is compared on a task. Refused if no score is in all logs and our graders cannot grade either."""
    kind = kind_of(questions)
    title = f"task {task}" if task else "all questions"
    names = names_of_arms(questions)
    common = [name for name in next(iter(names.values()), []) if all(name in mine for mine in names.values())]
    hindrance = hindrance_of(questions, kind)
    chosen = [name for name in wanted if name in common]
    if common and not (regrade and hindrance is None):
        name = (chosen or common)[0]
        others = [other for other in common if other != name]
        more = f"; also logged: {', '.join(others)} (--score NAME chooses one)" if others else ""
        because = f" (not graded again: {hindrance})" if regrade else ""
        return ScoreChoice(task=task, kind=kind, name=name, told=f"{title}: scores as logged under {name}{more}{because}")
    if hindrance is None:
        why = "" if regrade else ": the logs have no score of the same name"
        return ScoreChoice(task=task, kind=kind, name=None, told=f"{title}: graded by the graders of Plumbline{why}")
    have = "; ".join(f"{arm} has {', '.join(mine) or 'no score'}" for arm, mine in names.items())
    raise Refused(
        f"{title}: no score is in all logs ({have}), and the answers cannot be graded here: {hindrance}. "
        "Score all logs with one scorer, or give the questions with --benchmark FILE."
    )


def hindrance_of(questions: Sequence[Asked], of_task: Kind) -> str | None:
    """Why our graders cannot grade a task; None if they can. Texts without key points matter only if there is nothing else: they stay
    unjudged, and the ledger says so.
    """
    found: list[tuple[Kind, str | None]] = []
    for answer in [answer for one in questions for answers in one.answers.values() for answer in answers]:
        kind = kind_of_answer(answer, of_task)
        found.append((kind, why_not_graded_here(answer, kind)))
    other = next((why for kind, why in found if why is not None and kind != "explanation"), None)
    if other is None and all(why is not None for _, why in found):
        return found[0][1]
    return other


def names_of_arms(questions: Sequence[Asked]) -> dict[str, list[str]]:
    """Arm -> the scores that it has, in the order of its log; an arm in which every answer failed does not count."""
    names: dict[str, dict[str, None]] = {}
    for one in questions:
        for arm, answers in one.answers.items():
            for answer in answers:
                if answer.scores or answer.failure is None:
                    names.setdefault(arm, {}).update(dict.fromkeys(answer.scores))
    return {arm: list(mine) for arm, mine in names.items()}


def refuse_unknown(wanted: Sequence[str], choices: Mapping[str, Sequence[Asked]]) -> None:
    """Refused for a score that no log has."""
    known = {name for questions in choices.values() for mine in names_of_arms(questions).values() for name in mine}
    if unknown := [name for name in wanted if name not in known]:
        raise Refused(f"--score {unknown[0]}: no log has such a score. The scores are {', '.join(sorted(known)) or 'none at all'}.")
