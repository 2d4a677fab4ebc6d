"""Read a benchmark of any other shape by the names of its columns. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from plumbline.rows.question import KIND_OF, Question, QuestionTolerance
from plumbline.separators import with_point
from plumbline.splitting.benchmark_columns import BenchmarkColumns, as_list
from plumbline.splitting.cell_lists import texts_of, value_of
from plumbline.splitting.column_advice import unnamed_columns
from plumbline.splitting.fault import RowRefused
from plumbline.splitting.question_kinds import kind_of
from plumbline.splitting.row_values import Row, digest_id, hashed_order, yes_no_question

YES, NO = frozenset({"yes", "true", "1"}), frozenset({"no", "false", "0"})
YES_NO, TRUE_FALSE = ("Yes", "No"), ("True", "False")


def read_mapped(row: Row, columns: BenchmarkColumns, *, words: tuple[str, str] = YES_NO) -> Question:
    """One question by its columns, which `with_absent_columns` has checked. `words`: what a yes_no question is answered with."""
    question = row.text(columns.question)
    name = row.text(columns.id) if columns.id else digest_id("question", question, *shown(row, columns))
    kind = kind_of(row, columns)
    answer_kind = columns.answer_kind if columns.answer_kind is not None and KIND_OF[columns.answer_kind] == kind else None
    if answer_kind == "yes_no":
        return with_rest(yes_no_question(id=name, question=question, is_yes=is_yes(row, columns), words=words), row, columns)
    choices, target = choices_of(row, columns, name) if kind == "mcq" else ({}, row.text(columns.target or columns.correct or ""))
    if kind == "numeric":
        # GSM8K writes the number after its reasoning.
        target = target.split("####")[-1].strip()
    made = Question(
        id=name,
        kind=kind,
        question=question,
        choices=choices,
        target=target,
        unit=row.optional(columns.unit) if columns.unit else None,
        key_points=texts_of(row, columns.key_points) if columns.key_points else (),
        cluster=name,
        answer_kind=answer_kind,
        partial_credit=columns.partial_credit if kind == "mcq" else None,
    )
    return with_rest(made, row, columns)


def shown(row: Row, columns: BenchmarkColumns) -> list[str]:
    """The texts of the choices: they tell apart two questions with the same words."""
    right = [] if columns.correct is None else [row.optional(columns.correct)]
    others = as_list(columns.choices if columns.correct is None else columns.distractors)
    are_filled = any(row.optional_value(name) is not None for name in others)
    texts = texts_under(row, others, may_have_gaps=columns.correct is not None) if are_filled else []
    return [text for text in right if text is not None] + texts


def with_rest(question: Question, row: Row, columns: BenchmarkColumns) -> Question:
    """A question with its cluster, tags, tolerance and passage."""
    changes: dict[str, object] = {"tags": tuple(f"{name}: {value}" for name in columns.tags if (value := row.optional(name)) is not None)}
    if columns.cluster and (cluster := row.optional(columns.cluster)):
        changes["cluster"] = cluster
    if columns.gold_passage and (passage := row.optional(columns.gold_passage)):
        changes["gold_passage"] = passage
    if columns.tolerance and (tolerance := row.optional(columns.tolerance)):
        try:
            changes["tolerance"] = QuestionTolerance(relative=float(with_point(tolerance, row.separator)))
        except ValueError:
            raise row.refused(f"{columns.tolerance} is {tolerance!r}. Give a fraction from 0 and below 1, such as 0.02.") from None
    return question.model_copy(update=changes)


def words_of(rows: Sequence[Row], columns: BenchmarkColumns) -> tuple[str, str]:
    """The two words to choose from in all yes_no questions: true and false if the file writes nothing else in words.

    A boolean of JSON is no word of the file.
    """
    asked = [row for row in rows if is_choice(row, columns)] if columns.answer_kind == "yes_no" else []
    answers = [row.content.get(columns.target or "") for row in asked]
    # Any other answer is a fault of its row alone.
    answers = [answer for answer in answers if str(answer).strip().lower() in YES | NO]
    are_words = all(isinstance(answer, str) and answer.strip().lower() in ("true", "false") for answer in answers)
    return TRUE_FALSE if answers and are_words else YES_NO


def is_choice(row: Row, columns: BenchmarkColumns) -> bool:
    """Whether a row asks for one of two words; a row that does not say what it asks for does not."""
    try:
        return kind_of(row, columns) == "mcq"
    except RowRefused:
        return False


def is_yes(row: Row, columns: BenchmarkColumns) -> bool:
    """Whether the answer to a yes_no question is yes."""
    value = row.content.get(columns.target or "")
    said = str(value).strip().lower()
    if said not in YES | NO:
        raise row.refused(f"{columns.target or 'target'} is {value!r}. Give yes, no, true or false.")
    return said in YES


def choices_of(row: Row, columns: BenchmarkColumns, name: str) -> tuple[dict[str, str], str]:
    """The choices by letter, and the letter of the right one, or the letters."""
    if columns.correct is not None:
        wrong = texts_under(row, as_list(columns.distractors), may_have_gaps=True)
        right = row.text(columns.correct)
        row.lettered([right, *wrong])
        return hashed_order(name, right, wrong)
    if columns.choices is None or columns.target is None:
        advice = unnamed_columns(row, columns.model_dump(exclude_defaults=True), "choices", "target")
        raise row.refused(
            "the choices or the right one are not named. "
            f"{advice or 'Give choices and target, or correct and distractors, in split.benchmark_columns.'}"
        )
    texts = texts_under(row, as_list(columns.choices))
    value: Any = value_of(row, columns.choices) if isinstance(columns.choices, str) else None
    choices = {str(label): str(text) for label, text in value.items()} if isinstance(value, Mapping) else row.lettered(texts)
    target = row.text(columns.target)
    if columns.answer_kind == "letters":
        return choices, ",".join(sorted(set(target.replace(",", "").replace(" ", ""))))
    if columns.first_index is not None:
        place = int(target) - columns.first_index if target.isdigit() else -1
        if not 0 <= place < len(choices):
            raise row.refused(
                f"{columns.target} is {target!r}. Give the place of one of {len(choices)} choices, from {columns.first_index}."
            )
        return choices, list(choices)[place]
    if target not in choices and list(choices.values()).count(target) == 1:
        return choices, next(label for label, text in choices.items() if text == target)
    if target not in choices and target.isdigit():
        raise row.refused(
            f"{columns.target} is {target!r}, which is not a label of a choice. Add `first_index: 0` or `first_index: 1` to split.benchmark_columns."
        )
    return choices, target


def texts_under(row: Row, columns: Sequence[str], *, may_have_gaps: bool = False) -> list[str]:
    """The texts of one column that holds them all, or of several, of which the last may be empty, or any if gaps mean nothing."""
    if len(columns) == 1:
        return listed(row, columns[0])
    used = [name for name in columns if row.optional_value(name) is not None] if may_have_gaps else row.without_empty_end(columns)
    return [text for column in used or columns[:1] for text in texts_of_one(row, column)]


def texts_of_one(row: Row, column: str) -> list[str]:
    """The texts of one column of several: a list, the values of an object, or a text as it stands, such as the interval `[0, 1]`."""
    return [row.text(column)] if row.optional_value(column) is None or isinstance(row.content[column], str) else listed(row, column)


def listed(row: Row, column: str) -> list[str]:
    """The texts of a column: a list, the values of an object, or its one text."""
    value = value_of(row, column)
    if isinstance(value, Mapping):
        return [row.as_text(one, column) for one in value.values()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [row.as_text(one, column) for one in value]
    return [row.text(column)]
