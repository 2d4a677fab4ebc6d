"""What a benchmark that can be graded still lacks for a report: enough questions, key points, references that state them. Pure."""

import math
from collections.abc import Sequence

from plumbline.comparing.counted import counted
from plumbline.grading.answer_targets import parse_letters, parse_numbers
from plumbline.grading.numeric_target import Target, parse_target
from plumbline.grading.unit_names import single
from plumbline.grading.units import convert
from plumbline.judging.key_points import judge_key_points
from plumbline.planning.resolution import resolution_of
from plumbline.rows.finding import Finding
from plumbline.rows.question import KINDS, Kind, Question
from plumbline.statistics import strictest_level

PASSES = 0.75
"""The least score of a reference that is judged as an answer (canaries.py)."""
MAX_NAMED = 10
NO_UNIT = single("fraction")


def hint_lines(questions: Sequence[Question]) -> list[str]:
    """What to change before a run, under a heading; empty if there is nothing to change."""
    found = [*contradictions(questions), *too_few(questions), *without_key_points(questions), *unstated(questions)]
    return ["Before a run:", *(f"  {line}" for line in found)] if found else []


def contradictions(questions: Sequence[Question]) -> list[str]:
    """The questions that ask the same words as an earlier one and have another answer: at most one of them can be right."""
    first_of: dict[tuple[str, str, tuple[str, ...]], Question] = {}
    pairs: list[str] = []
    for question in questions:
        key = (question.kind, one_line(question.question).casefold(), tuple(sorted(question.choices.values())))
        earlier = first_of.setdefault(key, question)
        if not agree(earlier, question):
            pairs.append(f"{earlier.id} and {question.id}")
    if not pairs:
        return []
    ask = "1 question asks" if len(pairs) == 1 else f"{len(pairs)} questions ask"
    return [f"{ask} the same as an earlier one, with another answer ({first(pairs)}). Correct one, or say in the question what differs."]


def one_line(text: str) -> str:
    """A text with single spaces between its words."""
    return " ".join(text.split())


def agree(one: Question, other: Question) -> bool:
    """Whether two questions of one kind have the same right answer, however it is written."""
    try:
        first, second = numbers_of(one), numbers_of(other)
    except ValueError:
        # A text, a formula, or letters of choices.
        return right_texts(one) == right_texts(other)
    return len(first) == len(second) and all(map(same_number, first, second))


def right_texts(question: Question) -> frozenset[str]:
    """The right answers in words, so that another order of the choices is no other answer."""
    letters = parse_letters(question.target, question.choices) if question.answer_kind == "letters" else {question.target}
    return frozenset(one_line(question.choices.get(letter, letter)) for letter in letters)


def numbers_of(question: Question) -> list[Target]:
    """The right numbers, sorted if their order does not count. ValueError if the answer is no number."""
    if question.kind != "numeric":
        raise ValueError(f"{question.kind} asks for no number")
    if question.answer_kind not in ("numbers", "number_set"):
        return [parse_target(question.target, question.unit)]
    numbers = parse_numbers(question.target, question.unit)
    return sorted(numbers, key=lambda number: number.value) if question.answer_kind == "number_set" else numbers


def same_number(one: Target, other: Target) -> bool:
    """Whether two numbers are equal; a unit that is not known may be any."""
    value: float | None = other.value
    if one.unit != other.unit and not (one.open_unit or other.open_unit):
        value = convert(other.value, other.unit or NO_UNIT, one.unit or NO_UNIT)
    return value is not None and math.isclose(one.value, value, rel_tol=1e-9)


def too_few(questions: Sequence[Question]) -> list[str]:
    """The kinds with too few questions to show any difference in one comparison, by the rule of plan and report."""
    kinds: list[Kind] = [kind for kind in KINDS if any(question.kind == kind for question in questions)]
    found = [resolution_of(questions, kind, {}, level=strictest_level(len(kinds)), wanted=(), margin=None) for kind in kinds]
    lines: list[str] = []
    for one in found:
        if one.detectable < 1:
            continue
        are_clustered = one.num_clusters < one.n
        clusters = f" in {counted(one.num_clusters, 'cluster')}" if are_clustered else ""
        more = (
            "questions of other clusters, or give a cluster only to questions that share a text or a template"
            if are_clustered
            else "questions"
        )
        are = "is" if one.n == 1 else "are"
        lines.append(
            f"{one.kind}: {counted(one.n, 'question')}{clusters} {are} too few. No difference between two arms could be shown, however large. Add {more}."
        )
    return lines


def without_key_points(questions: Sequence[Question]) -> list[str]:
    """The explanation questions that the key-point judge could not judge."""
    explained = [question for question in questions if question.kind == "explanation"]
    lacking = [question.id for question in explained if not question.key_points]
    if not lacking:
        return []
    return [
        f"{len(lacking)} of {counted(len(explained), 'explanation question')} have no key points, which judge.backend key_points needs "
        f"({first(lacking)}). Write key points, or set judge.backend to claude, or to none, which leaves explanations unjudged."
    ]


def unstated(questions: Sequence[Question]) -> list[str]:
    """The questions with a reference that would not pass the key-point judge, and the points that it does not find."""
    found = {question.id: points for question in questions if question.kind == "explanation" and (points := unstated_points(question))}
    if not found:
        return []
    named = [f"  {name}: {'; '.join(map(repr, points))}" for name, points in [*found.items()][:MAX_NAMED]]
    more = [f"  and {len(found) - MAX_NAMED} more"] if len(found) > MAX_NAMED else []
    whose = (
        "1 question has a reference that does not state its"
        if len(found) == 1
        else f"{len(found)} questions have references that do not state their"
    )
    return [
        f"{whose} own key points, as judge.backend key_points reads them. This judge would misjudge good answers. "
        "Write each point in words that occur together in one sentence of the reference:",
        *named,
        *more,
    ]  # fmt: skip


def unstated_points(question: Question) -> list[str]:
    """The key points that the reference does not state by the rule; empty if it passes, or if the rule cannot read the points."""
    if not question.key_points:
        return []
    try:
        verdict = judge_key_points(question.target, question.key_points, question=question.question, reference=question.target)
    except ValueError:
        # later_needs names a point in which the rule finds no word.
        return []
    if verdict.score >= PASSES:
        return []
    missing = [point for point, finding in zip(question.key_points, verdict.findings, strict=True) if finding is not Finding.STATED]
    return missing or [*question.key_points]


def first(ids: Sequence[str]) -> str:
    """The first few ids."""
    return ", ".join(ids[:MAX_NAMED]) + (f" and {len(ids) - MAX_NAMED} more" if len(ids) > MAX_NAMED else "")
