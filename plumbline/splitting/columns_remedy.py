"""Propose the columns to name for a file of no known shape: by their names, if its rows can be read so. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from plumbline.grading.numeric_target import parse_target
from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Kind
from plumbline.splitting.benchmark_columns import BenchmarkColumns, with_absent_columns
from plumbline.splitting.column_advice import completed, in_params
from plumbline.splitting.mapped_benchmark import read_mapped
from plumbline.splitting.question_faults import fault_of
from plumbline.splitting.row_values import Row

MAPPED_REMEDY = (
    "Set split.benchmark_format to mapped, and in place of `benchmark_columns: null` write the columns, such as "
    "`benchmark_columns: {question: NAME, target: NAME, kind: numeric}` (docs/formats.md)."
)


def columns_remedy(rows: Sequence[Row], given: Mapping[str, Any]) -> str:
    """The advice to name the columns: those of the file if their names say what they hold."""
    if (columns := proposed_columns(rows, given)) is None:
        return MAPPED_REMEDY
    return f"Set split.benchmark_format to mapped, and in place of `benchmark_columns: null` write {in_params(columns)} (docs/formats.md)."


def proposed_columns(rows: Sequence[Row], given: Mapping[str, Any]) -> dict[str, Any] | None:
    """What each column means, by its name and by what was named before; None if most rows cannot be asked so."""
    found = completed(given, [*dict.fromkeys(str(name) for row in rows for name in row.content)])
    if "question" not in found or not found.keys() & {"target", "correct"}:
        return None
    if "kind" not in found and (answers := [row.content.get(answer_column(found)) for row in rows if not has_choices(row, found)]):
        if (kind := kind_shown(answers)) is None:
            return None
        found["kind"] = kind
    try:
        columns = BenchmarkColumns.model_validate(found)
        read = [can_be_asked(row, columns) for row in with_absent_columns(rows, columns)]
    except (Refused, ValidationError):
        return None
    return found if 2 * sum(read) > len(read) else None


def kind_shown(answers: Sequence[Any]) -> Kind | None:
    """The kind of questions without choices that have these answers; None for single words, which may be letters of choices."""
    if all(map(is_number, answers)):
        return "numeric"
    return "explanation" if 2 * sum(len(str(answer).split()) > 1 for answer in answers) > len(answers) else None


def can_be_asked(row: Row, columns: BenchmarkColumns) -> bool:
    """Whether a row is a question that can be graded."""
    try:
        return fault_of(read_mapped(row, columns)) is None
    except (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError):
        return False


def answer_column(columns: Mapping[str, Any]) -> str:
    """The column that holds the answer."""
    return columns.get("target") or columns["correct"]


def has_choices(row: Row, columns: Mapping[str, Any]) -> bool:
    """Whether a row holds choices under the columns for them."""
    named = columns.get("distractors") or columns.get("choices") or []
    return any(row.is_filled(name) for name in ([named] if isinstance(named, str) else named))


def is_number(answer: Any) -> bool:
    """Whether an answer is a number and no more, as GSM8K writes it too."""
    try:
        return parse_target(str(answer).split("####")[-1].strip(), None).open_unit
    except ValueError:
        return False
