"""Take the parts of a question from a row of a file; if a part is missing or has another type, refuse it with its place. Pure."""

import hashlib
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.rows.question import AnswerKind, PartialCredit, Question, QuestionTolerance
from plumbline.splitting.fault import Fault, RowRefused

ID_DIGITS = 12
MAX_CHOICES = 26
LETTERS = re.compile(r"[\s,;().]*[A-Z](?:(?:[\s,;().]|and|&)*[A-Z])*[\s,;().]*")


@dataclass(frozen=True)
class Row:
    """One row of a benchmark file."""

    where: str
    """File and line, record or number in the list, for the reader of an error."""
    content: Mapping[str, Any]
    separator: str = ","
    """Between the cells of a table."""
    is_of_table: bool = False
    """Whether every value is the text of a cell of CSV or TSV."""

    def refused(self, problem: str) -> RowRefused:
        """The error for this row."""
        return RowRefused(Fault(self.where, str(self.content["id"]) if "id" in self.content else None, problem))

    def text(self, key: str) -> str:
        """A value that must be there and must not be empty."""
        value = self.optional(key)
        if value is None:
            raise self.refused(f"{key} is missing or empty. This shape needs it.")
        return value

    def optional(self, key: str) -> str | None:
        """A value as text; None if it is missing or empty. Refused if it is neither text nor a number."""
        value = self.optional_value(key)
        return None if value is None else self.as_text(value, key)

    def optional_value(self, key: str) -> Any:
        """A value, whatever it is; None if it is missing or empty."""
        value = self.content.get(key)
        # NaN is how tables write a value that is missing.
        is_missing = value is None or value != value or (isinstance(value, str) and not value.strip())
        return None if is_missing else value

    def is_filled(self, key: str) -> bool:
        """Whether a value is there that is not empty; an empty list may be text."""
        return self.optional_value(key) not in (None, [], {}, "[]", "{}")

    def as_text(self, value: object, key: str) -> str:
        """One value as it is written."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.refused(f"{key} is {value!r}. Give text or a number.")
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return str(value).strip()

    def texts(self, key: str) -> list[str]:
        """A list of texts."""
        return [self.as_text(one, key) for one in self.listed(key)]

    def listed(self, key: str) -> Sequence[Any]:
        """A list, whatever it holds."""
        value = self.content.get(key)
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise self.refused(f"{key} is {value!r:.80}. Give a list.")
        return value

    def without_empty_end(self, keys: Sequence[str]) -> Sequence[str]:
        """The keys without those at the end that hold nothing: questions of one table have more or fewer choices."""
        filled = [place for place, key in enumerate(keys) if self.optional_value(key) is not None]
        used = keys[: filled[-1] + 1] if filled else keys[:0]
        if empty := next((key for key in used if self.optional_value(key) is None), None):
            raise self.refused(f"{empty} is empty, but {used[-1]} holds a choice. Fill it in, or move the choices up.")
        return used

    def texts_without_end(self, keys: Sequence[str]) -> dict[str, str]:
        """The texts under several keys without the empty ones at the end."""
        return {key: self.text(key) for key in self.without_empty_end(keys)}

    def lettered(self, texts: Sequence[str]) -> dict[str, str]:
        """The texts as choices A, B, C, ... in their order. Refused if there are too few letters."""
        if len(texts) > MAX_CHOICES:
            raise self.refused(f"{len(texts)} choices. Give at most {MAX_CHOICES}, since letters name them.")
        return lettered(texts)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A row that no run can ask or no rule can grade, with the reason."""

    where: str
    id: str
    reason: str
    """A stable snake_case code."""
    detail: str


def digest_id(prefix: str, *parts: str) -> str:
    """An id for a question that has none, made from its words, so that other rows never change it."""
    return f"{prefix}-{hashlib.sha256(chr(31).join(parts).encode()).hexdigest()[:ID_DIGITS]}"


def lettered(texts: Sequence[str]) -> dict[str, str]:
    """The texts as choices A, B, C, ... in their order."""
    return dict(zip(string.ascii_uppercase, texts, strict=False))


def letters_in(target: str) -> list[str]:
    """The letters of a target that holds only capital letters and separators; none for any other text."""
    return re.findall(r"[A-Z]", target) if LETTERS.fullmatch(target) else []


def hashed_order(id_: str, right: str, wrong: Sequence[str]) -> tuple[dict[str, str], str]:
    """Choices in an order drawn by hash of the question's id, and the letter of the right one.

    The order depends on the id and the texts alone: no random state, no other row.
    """
    texts = sorted([right, *wrong], key=lambda text: hashlib.sha256(f"{id_}{chr(31)}{text}".encode()).digest())
    return lettered(texts), string.ascii_uppercase[texts.index(right)]


def tags_of(row: Row, keys: Mapping[str, str]) -> tuple[str, ...]:
    """`name: value` for each column that says something. `keys`: column -> name of the tag."""
    return tuple(f"{name}: {value}" for key, name in keys.items() if (value := row.optional(key)) is not None)


def choice_question(
    *,
    id: str,
    question: str,
    choices: Mapping[str, str],
    target: str,
    cluster: str | None = None,
    answer_kind: AnswerKind | None = None,
    partial_credit: PartialCredit | None = None,
    tags: tuple[str, ...] = (),
    gold_passage: str | None = None,
) -> Question:
    """A multiple-choice question; without a cluster it is its own cluster."""
    return Question(
        id=id,
        kind="mcq",
        question=question,
        choices=dict(choices),
        target=target,
        unit=None,
        key_points=(),
        cluster=cluster or id,
        answer_kind=answer_kind,
        partial_credit=partial_credit,
        tags=tags,
        gold_passage=gold_passage,
    )


def number_question(
    *,
    id: str,
    question: str,
    target: str,
    unit: str | None = None,
    cluster: str | None = None,
    answer_kind: AnswerKind | None = None,
    tolerance: QuestionTolerance | None = None,
    tags: tuple[str, ...] = (),
) -> Question:
    """A question for a number, several, or a formula."""
    return Question(
        id=id,
        kind="numeric",
        question=question,
        choices={},
        target=target,
        unit=unit,
        key_points=(),
        cluster=cluster or id,
        answer_kind=answer_kind,
        tolerance=tolerance,
        tags=tags,
    )


def yes_no_question(
    *, id: str, question: str, is_yes: bool, words: tuple[str, str] = ("Yes", "No"), tags: tuple[str, ...] = ()
) -> Question:
    """A question that is answered by yes or no, or by true or false."""
    return choice_question(
        id=id, question=question, choices=lettered(words), target="A" if is_yes else "B", answer_kind="yes_no", tags=tags
    )


def text_question(*, id: str, question: str, target: str, cluster: str | None = None, tags: tuple[str, ...] = ()) -> Question:
    """A question that a text answers; a judge compares it with the reference."""
    return Question(
        id=id, kind="explanation", question=question, choices={}, target=target, unit=None, key_points=(), cluster=cluster or id, tags=tags
    )
