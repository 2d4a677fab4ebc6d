"""Bring benchmark questions of each known shape into the one shape that later stages read, and refuse bad ones by name. Pure."""

import re
import string
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from plumbline.grading.choices import parse_choices
from plumbline.grading.numeric_target import needs_absolute_tolerance, parse_target
from plumbline.grading.option_labels import read_labels
from plumbline.judging.key_points import judge_key_points
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import KINDS, Question

LETTER = re.compile(r"[A-Z]")
OPTION = re.compile(r"(?:(?<=\s)|^)\(?([A-Z])[).]\s+")
# Units in which a question asks for its answer: `(in Joules)`, `in m/s^2?`, `Convert 72 km/h to m/s.`
SYMBOL = r"(?:[kcmMGnpµμ]?(?:m|g|s|N|J|W|Pa|Hz|V|A|C|T|K|L|Ω|eV|rad|mol|F|H|Wb|cal)|h|min|deg|rpm|rev|%|°C?)"
WORD = (
    r"(?i:newton|joule|watt|second|minute|hour|met(?:er|re)|kilogram|gram|pascal|hertz|radian|degree|volt|ampere|amp|coulomb|ohm|tesla|kelvin"
    r"|kilomet(?:er|re)|centimet(?:er|re)|millimet(?:er|re)|lit(?:er|re)|kilojoule|kilowatt|megajoule|revolution|day|year|mole|farad|henry)(?:e?s)?"
)
FACTOR = rf"(?:{WORD}|{SYMBOL})(?:\s?\^\s?\{{?-?\d\}}?|[²³])?"
UNIT = rf"{FACTOR}(?:\s?(?:/|\*|·|⋅|-|\bper\b)\s?{FACTOR})*"
ASKED_UNITS = (
    re.compile(rf"\(\s*in\s+({UNIT})\s*\)", re.IGNORECASE),
    re.compile(rf"\bin\s+(?:units\s+of\s+)?({UNIT})\s*(?=[?(]|\.\s*$|\.\s+\(|$)"),
    re.compile(rf"\b[Cc]onvert\b.*\b(?:to|into)\s+({UNIT})\s*[.?]?\s*$"),
)


def from_plumbline(located: Sequence[tuple[str, dict[str, Any]]]) -> list[Question]:
    """Questions of our own shape, checked."""
    questions: list[Question] = []
    for where, content in located:
        try:
            questions.append(Question.model_validate(content | {"key_points": tuple(content.get("key_points", ()))}))
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
            raise Refused(
                f"{where} (id {content.get('id')!r}): not a question: {problems}. All of {sorted(Question.model_fields)} are read."
            ) from None
        except TypeError:
            raise Refused(f"{where} (id {content.get('id')!r}): key_points is {content['key_points']!r}, not a list.") from None
    return checked(questions, [where for where, _ in located])


def from_study(located: Sequence[tuple[str, dict[str, Any]]]) -> list[Question]:
    """Questions with `id`, `type`, `question`, `answer`: options within the question text, units asked for in words."""
    questions: list[Question] = []
    for where, content in located:
        if missing := {"id", "type", "question", "answer"} - content.keys():
            raise Refused(f"{where} (id {content.get('id')!r}): without {sorted(missing)}; id, type, question and answer are read.")
        kind, text, answer = content["type"], content["question"], content["answer"]
        if kind not in KINDS or not isinstance(text, str) or not isinstance(answer, str | int | float) or isinstance(answer, bool):
            raise Refused(
                f"{where} (id {content['id']!r}): type {kind!r} with answer {answer!r}; types are {KINDS}, answers are text or numbers."
            )
        choices: dict[str, str] = {}
        if kind == "mcq":
            text, choices = split_options(text)
        name = content["id"]
        id_text = f"study-{name:02d}" if isinstance(name, int) else f"study-{name}"
        questions.append(
            Question(
                id=id_text,
                kind=kind,
                question=text.strip(),
                choices=choices,
                target=str(answer).strip(),
                unit=asked_unit(text) if kind == "numeric" else None,
                key_points=(),
                cluster=id_text,
            )
        )
    return checked(questions, [where for where, _ in located])


SHAPES = {"plumbline": from_plumbline, "study": from_study}


def split_options(text: str) -> tuple[str, dict[str, str]]:
    """Take `(A) first (B) second` out of a question; no choices where neither letters nor numbers run without a gap."""
    marks = list(OPTION.finditer(text))
    for start in range(len(marks)):
        letters = [mark[1] for mark in marks[start:]]
        if len(letters) >= 2 and letters == list(string.ascii_uppercase[: len(letters)]):
            ends = [mark.start() for mark in marks[start + 1 :]] + [len(text)]
            options = {mark[1]: text[mark.end() : end].strip().rstrip(",;") for mark, end in zip(marks[start:], ends, strict=True)}
            return text[: marks[start].start()].strip(), options
    return parse_choices(text, numbers=True)


def asked_unit(text: str) -> str | None:
    """The unit that the question asks its answer in, as written; None where it names none."""
    for pattern in ASKED_UNITS:
        if found := list(pattern.finditer(text)):
            return found[-1][1].strip()
    return None


def checked(questions: Sequence[Question], places: Sequence[str]) -> list[Question]:
    """The questions themselves. ValueError names the first that nobody could grade: a bad gold answer spoils every run."""
    if not questions:
        raise Refused("the benchmark holds no question; at least one is needed.")
    seen: dict[str, str] = {}
    for question, where in zip(questions, places, strict=True):
        name = f"{where} (id {question.id!r})"
        if question.id in seen:
            raise Refused(f"{name}: the id stands at {seen[question.id]} too; give each question its own.")
        seen[question.id] = where
        if fault := fault_of(question):
            raise Refused(f"{name}: {fault}")
    return list(questions)


def fault_of(question: Question) -> str | None:
    """What makes a question impossible to grade, and what would be accepted."""
    if not question.question.strip():
        return "the question is empty; write what is asked."
    if question.kind == "mcq":
        if len(question.choices) < 2:
            return f"found {len(question.choices)} choices; at least two are needed, in the text as `(A) ... (B) ...` or under choices."
        if odd := next(
            (label for label in question.choices if not LETTER.fullmatch(label) and read_labels(question.choices) is None), None
        ):
            return f"a choice is called {odd!r}; capital letters name them, or numbers from 1, or small roman numerals from i, 26 at most."
        if question.target not in question.choices:
            return f"target {question.target!r} is not among the choices {sorted(question.choices)}; give one of these labels."
        if any(not text.strip() for text in question.choices.values()):
            return "a choice is empty; write each one out."
    elif question.choices:
        return f"choices on a question of kind {question.kind}; only mcq has them."
    if question.kind == "numeric":
        try:
            # Without the unit, so that whatever stands behind the number is seen: grade would take it for one.
            target = parse_target(question.target, None)
            parse_target(question.target, question.unit)
        except ValueError as error:
            return str(error)
        if not target.open_unit:
            return f"target {question.target!r}: more than a number; give the number alone, its unit under unit."
    if question.kind == "explanation" and not question.target.strip():
        return "the reference answer is empty; write what a full answer says."
    if (
        question.kind == "explanation"
        and (empty := next((point for point in question.key_points if not may_be_judged(point)), None)) is not None
    ):
        return f"key point {empty!r} holds no content word; write what an answer must say, or leave the point out."
    return None


def later_needs(questions: Sequence[Question]) -> list[str]:
    """What questions need of the settings of `grade` and `judge`, which would refuse them only after all answers were paid for."""
    needs = [
        f"question {question.id} has target 0: set grade.absolute_tolerance, in {question.unit or 'the unit of the target'}; "
        "no fraction bounds 0, and grade refuses it without."
        for question in questions
        if needs_absolute_tolerance(question)
    ]
    for question in questions:
        if point := next((point for point in question.key_points if question.kind == "explanation" and not is_judged_by_rule(point)), None):
            needs.append(
                f"question {question.id} has key point {point!r}, in which judge.backend key_points finds no word: it reads English. "
                "Judge with claude, or write key points in English."
            )
    return needs


def is_judged_by_rule(point: str) -> bool:
    """Whether the key-point judge finds a content word in a point: it refuses one without, since any answer would state it."""
    try:
        judge_key_points("", [point], question="", reference="")
    except ValueError:
        return False
    return True


def may_be_judged(point: str) -> bool:
    """Whether some judge can look for a point: in another script, the key-point judge finds no word and a model does."""
    return is_judged_by_rule(point) or any(character.isalpha() and not character.isascii() for character in point)
