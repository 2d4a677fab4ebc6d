"""Decide the kind of a question in a file with named columns: by a word for it, or by what the row holds. Pure."""

import json
import re
from collections.abc import Mapping

from plumbline.rows.question import KIND_OF, KINDS, Kind
from plumbline.splitting.benchmark_columns import BenchmarkColumns, choice_columns
from plumbline.splitting.column_advice import completed, unnamed_columns
from plumbline.splitting.row_values import Row

WORDS_OF: Mapping[Kind, tuple[str, ...]] = {
    "mcq": ("mcq", "mcqs", "mc", "multiple choice", "multiple choice question", "multichoice", "single choice", "choice"),
    "numeric": ("numeric", "numerical", "numeric answer", "numerical answer", "number", "integer", "calculation"),
    "explanation": (
        "explanation", "explain", "free text", "freetext", "free response", "free answer", "text", "open", "open ended", "open question", "essay",
    ),
}  # fmt: skip
"""Words that other people use for our kinds."""
KIND_BY_WORD: Mapping[str, Kind] = {word: kind for kind, words in WORDS_OF.items() for word in words}
GAP = re.compile(r"[\s_-]+")


def plain(word: str) -> str:
    """A word in lower case, with every gap, dash or underscore as one space."""
    return GAP.sub(" ", word.strip().lower())


def kind_in(row: Row, column: str, kinds: Mapping[str | int, Kind]) -> Kind | None:
    """The kind that a column names; None if its cell is empty. `kinds`: what the words of the file mean; it comes before our own table."""
    word = row.optional(column)
    if word is None:
        return None
    meant: dict[str, Kind] = {plain(str(said)): kind for said, kind in kinds.items()}
    kind: Kind | None = meant.get(plain(word)) or KIND_BY_WORD.get(plain(word))
    if kind is None:
        raise row.refused(
            f"{column} is {word!r:.60}, which names no kind. Say which of {', '.join(KINDS)} it means: "
            f"add `kinds: {{{json.dumps(word, ensure_ascii=False)}: numeric}}` to split.benchmark_columns."
        )
    return kind


def kind_of(row: Row, columns: BenchmarkColumns) -> Kind:
    """The kind of a question: named in its row, shown by choices or the answer kind, or named for all."""
    fixed: Kind | None = next((kind for kind in KINDS if kind == columns.kind), None)
    said = kind_in(row, columns.kind, columns.kinds or {}) if columns.kind is not None and fixed is None else None
    # If the wrong answers have their own columns, every row may have the right one, so it shows nothing.
    asked = [name for name in choice_columns(columns) if name != columns.correct or not columns.distractors]
    filled = [name for name in asked if row.is_filled(name)]
    if said is not None and said != "mcq" and filled:
        raise row.refused(
            f"{columns.kind} is {row.optional(columns.kind or '')!r}, {said}, but {filled[0]} holds a choice. Correct one of them."
        )
    if said is None and columns.answer_kind is not None and (columns.kind is None or fixed is not None):
        return KIND_OF[columns.answer_kind]
    kind: Kind | None = said or ("mcq" if filled else fixed)
    if kind is None:
        raise row.refused(nothing_says(row, columns))
    if kind != "mcq" and columns.target is None and columns.correct is None:
        advice = (
            unnamed_columns(row, columns.model_dump(exclude_defaults=True), "target") or "Add `target: COLUMN` to split.benchmark_columns."
        )
        raise row.refused(f"no column holds the answer. {advice}")
    return kind


def nothing_says(row: Row, columns: BenchmarkColumns) -> str:
    """The error if nothing says what is asked for."""
    choices = f"{', '.join(choice_columns(columns))} hold no choice, and " if choice_columns(columns) else ""
    if columns.kind is not None:
        return f"{choices}{columns.kind} is empty, so nothing says what is asked for. Write mcq, numeric or explanation there."
    given = columns.model_dump(exclude_defaults=True)
    if (advice := unnamed_columns(row, given, "kind", "choices")) is not None:
        return f"{choices}nothing says what is asked for. {advice}"
    answer = completed(given, [str(name) for name in row.content]).get("target", "COLUMN")
    target = f"`target: {answer}` and " if columns.target is None and columns.correct is None else ""
    return (
        f"{choices}nothing says what is asked for. Add {target}`kind: numeric` or `kind: explanation` to split.benchmark_columns, "
        "or `kind: COLUMN` with a column that says it for each row."
    )
