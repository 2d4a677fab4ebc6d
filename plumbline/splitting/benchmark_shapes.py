"""Read questions of our own shape, and of the study's: options inside the question text, units asked for in words. Pure."""

import re
import string
from typing import Any

from pydantic import ValidationError

from plumbline.grading.choices import parse_choices
from plumbline.pipeline.problems import problems_of
from plumbline.rows.question import KINDS, Question
from plumbline.splitting.cell_lists import table_values
from plumbline.splitting.row_values import Row, lettered

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

PLAINER = {
    "give a valid string": "give text in quotes",
    "give a valid dictionary": "give an object, {} if there is nothing to say",
}
"""What is accepted, in words for a file of JSON."""


def read_plumbline(row: Row) -> Question:
    """A question of our own shape. A tolerance may be one number, the fraction; a yes_no question may leave its two choices out."""
    content = table_values(row)
    if isinstance(content.get("choices"), list):
        raise row.refused('choices is a list. Give an object of label and text, such as {"A": "first", "B": "second"}.')
    tolerance = content.get("tolerance")
    if isinstance(tolerance, str):
        raise row.refused(f'tolerance is {tolerance!r:.60}. Give a fraction, such as 0.05, or {{"absolute": 0.5}}.')
    if isinstance(tolerance, int | float) and not isinstance(tolerance, bool):
        content["tolerance"] = {"relative": float(tolerance)}
    if content.get("answer_kind") == "yes_no" and not content.get("choices") and isinstance(content.get("target"), str):
        words = ("True", "False") if content["target"].strip().lower() in ("true", "false") else ("Yes", "No")
        labels = {text.lower(): letter for letter, text in lettered(words).items()}
        content |= {"choices": lettered(words), "target": labels.get(content["target"].strip().lower(), content["target"])}
    target: Any = content.get("target")
    if content.get("answer_kind") == "letters" and (isinstance(target, str) or is_list_of(target, str)):
        content["target"] = ",".join(sorted(re.findall(r"[^\s,;]", "".join(target))))
    if content.get("answer_kind") in ("numbers", "number_set") and is_list_of(target, str | int | float):
        content["target"] = "; ".join(map(str, target))
    try:
        return Question.model_validate(content)
    except ValidationError as error:
        fields = sorted(name for name, field in Question.model_fields.items() if field.is_required())
        optional = sorted(Question.model_fields.keys() - set(fields))
        problems = problems_of(error, Question)
        for theirs, ours in PLAINER.items():
            problems = problems.replace(theirs, ours)
        end = "" if problems.endswith("?") else "."
        is_of_keys = any(found["type"] in ("missing", "extra_forbidden") for found in error.errors())
        keys = f" Give all of {fields}, and {optional} if they apply." if is_of_keys else ""
        raise row.refused(f"not a question: {problems}{end}{keys}") from None


def is_list_of(value: Any, kind: Any) -> bool:
    """Whether a value is a list of values of this type."""
    return isinstance(value, list) and all(isinstance(one, kind) and not isinstance(one, bool) for one in value)


def read_study(row: Row) -> Question:
    """A question with `id`, `type`, `question`, `answer`: options within the question text, units asked for in words."""
    content = row.content
    if missing := {"id", "type", "question", "answer"} - content.keys():
        raise row.refused(f"without {sorted(missing)}. Give id, type, question and answer.")
    kind, text, answer = content["type"], content["question"], content["answer"]
    if kind not in KINDS or not isinstance(text, str) or not isinstance(answer, str | int | float) or isinstance(answer, bool):
        raise row.refused(f"type {kind!r} with answer {answer!r}. Types are {KINDS}, answers are text or numbers.")
    choices: dict[str, str] = {}
    if kind == "mcq":
        text, choices = split_options(text)
    name = content["id"]
    id_text = f"study-{name:02d}" if isinstance(name, int) else f"study-{name}"
    return Question(
        id=id_text,
        kind=kind,
        question=text.strip(),
        choices=choices,
        target=str(answer).strip(),
        unit=asked_unit(text) if kind == "numeric" else None,
        key_points=(),
        cluster=id_text,
    )


def split_options(text: str) -> tuple[str, dict[str, str]]:
    """Take `(A) first (B) second` out of a question; no choices if neither letters nor numbers run without a gap."""
    marks = list(OPTION.finditer(text))
    for start in range(len(marks)):
        letters = [mark[1] for mark in marks[start:]]
        if len(letters) >= 2 and letters == list(string.ascii_uppercase[: len(letters)]):
            ends = [mark.start() for mark in marks[start + 1 :]] + [len(text)]
            options = {mark[1]: text[mark.end() : end].strip().rstrip(",;") for mark, end in zip(marks[start:], ends, strict=True)}
            return text[: marks[start].start()].strip(), options
    return parse_choices(text, numbers=True)


def asked_unit(text: str) -> str | None:
    """The unit in which the question asks for its answer, as written; None if it names no unit."""
    for pattern in ASKED_UNITS:
        if found := list(pattern.finditer(text)):
            return found[-1][1].strip()
    return None
