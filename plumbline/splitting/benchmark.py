"""Read a benchmark file into questions, by a recognised or a named shape, and say what was left out and why. Reads the named file."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question
from plumbline.separators import two_readings
from plumbline.splitting.benchmark_columns import BenchmarkColumns, named_columns, with_absent_columns
from plumbline.splitting.benchmark_files import read_rows
from plumbline.splitting.damaged_texts import damage_fault
from plumbline.splitting.fault import Fault, RowRefused
from plumbline.splitting.known_shapes import SHAPES
from plumbline.splitting.mapped_benchmark import read_mapped, words_of
from plumbline.splitting.question_faults import equal_choices_fault, fault_of, faults_of, refuse_faults
from plumbline.splitting.recognition import AUTO, MAPPED, knows, recognise
from plumbline.splitting.row_values import LeftOut, Row

OWN_IDS = frozenset({"plumbline", "study"})
"""People write the ids of these shapes, so two questions with one id are an error, never a repeat."""
WRITTEN_BY_USERS = OWN_IDS | {MAPPED}
"""Users can correct files of these shapes. In a published benchmark, a question is left out if no rule reads its answer."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """The questions of a file."""

    shape: str
    sign: str
    """How the shape is recognised."""
    questions: list[Question]
    places: list[str]
    """Where each question stands in the file."""
    left_out: list[LeftOut]
    unread: list[Fault]
    """Rows that cannot be questions."""
    num_rows: int

    @property
    def reasons(self) -> Counter[str]:
        """How many rows were left out for each reason."""
        return Counter(one.reason for one in self.left_out)


def read_benchmark(path: Path, *, format_name: str, columns: BenchmarkColumns | None = None) -> Benchmark:
    """Questions that can all be graded. Refused, with file, place and remedy, if one cannot."""
    found = read_questions(path, format_name=format_name, columns=columns)
    refuse_faults(all_faults(found))
    if not found.questions:
        raise Refused(
            f"{path}: all {found.num_rows} rows were left out {dict(found.reasons)}. Give at least one question that can be asked."
        )
    return found


def all_faults(found: Benchmark) -> list[Fault]:
    """The rows that cannot be questions and the questions that no one could grade, in the order of the file."""
    # A place ends with its number.
    return sorted([*found.unread, *faults_of(found.questions, found.places)], key=lambda fault: int(fault.where.rsplit(" ", 1)[-1]))


def read_questions(path: Path, *, format_name: str, columns: BenchmarkColumns | None = None) -> Benchmark:
    """Questions as read but not yet checked, and the rows that cannot be questions. Refused if no row can be one."""
    if columns is not None and format_name not in (AUTO, MAPPED):
        raise Refused(f"split.benchmark_columns is set, but benchmark_format is {format_name!r}. Set it to mapped, or the columns to null.")
    if columns is None and format_name == MAPPED:
        raise Refused(
            "split.benchmark_format is mapped, but no columns are named. In place of `benchmark_columns: null` write the columns, such as "
            "`benchmark_columns: {question: NAME, target: NAME, kind: numeric}`."
        )
    found = read_rows(path, knows if columns is None else lambda names: set(named_columns(columns)) <= set(names))
    rows = [row for row in found if isinstance(row, Row)]
    unread = [row for row in found if isinstance(row, Fault)]
    if columns is not None:
        sign = f"the columns in split.benchmark_columns ({', '.join(sorted(columns.model_dump(exclude_defaults=True)))})"
        rows = with_absent_columns(rows, columns)
        read = partial(read_mapped, columns=columns, words=words_of(rows, columns))
        return with_some(gathered(rows, read, unread, name=MAPPED, sign=sign))
    try:
        recognised = recognise(rows, format_name)
    except Refused as refused:
        raise Refused(
            f"{refused} {len(unread)} of the {len(found)} rows cannot be read at all: {unread[0]}" if unread else str(refused)
        ) from None
    rows, shape, unread = recognised.rows, recognised.shape, [*unread, *recognised.faults]
    if shape.name == "lm_eval":
        return with_some(read_documents(rows, unread))
    return with_some(gathered(rows, shape.read, unread, name=shape.name, sign=shape.sign))


def with_some(found: Benchmark) -> Benchmark:
    """What was read. Refused if no row can be a question."""
    if not found.questions and not found.left_out:
        refuse_faults(all_faults(found))
    return found


def read_documents(rows: Sequence[Row], unread: Sequence[Fault]) -> Benchmark:
    """Samples of the lm-evaluation-harness: by the shape of their documents if it is a known one, else by what was asked."""
    [logged] = [shape for shape in SHAPES if shape.name == "lm_eval"]
    documents = [Row(row.where, row.content["doc"]) for row in rows if isinstance(row.content.get("doc"), dict)]
    known = [
        shape
        for shape in SHAPES
        if shape is not logged and len(documents) == len(rows) and all(shape.fits(document.content) for document in documents)
    ]
    if len(known) == 1:
        sign = f"{logged.sign}; the documents have {known[0].sign}"
        return gathered(documents, known[0].read, unread, name=f"lm_eval of {known[0].name}", sign=sign)
    return gathered(rows, logged.read, unread, name=logged.name, sign=logged.sign)


def guarded(row: Row, read: Callable[[Row], Question | LeftOut]) -> Question | LeftOut | Fault:
    """One row as a question. A Fault with its place if it cannot be one, or if a value has a form that no reader expects."""
    try:
        found = read(row)
    except RowRefused as refused:
        return refused.fault
    except (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        return row.refused(f"cannot be read as a question ({type(error).__name__}: {error!s:.120}). Correct the row, or remove it.").fault
    if isinstance(found, Question) and found.kind == "numeric" and (problem := two_readings(found.target, row.separator)):
        return row.refused(f"target {problem}").fault
    return found


def gathered(rows: Sequence[Row], read: Callable[[Row], Question | LeftOut], unread: Sequence[Fault], *, name: str, sign: str) -> Benchmark:
    """The questions, the rows that are left out, and the rows that cannot be questions.

    Left out are word-for-word repeats of an earlier question with the same answer, and published questions that no rule can grade.
    """
    questions: list[Question] = []
    places: list[str] = []
    left_out: list[LeftOut] = []
    seen: dict[str, int] = {}
    faults = [*unread]
    for row in rows:
        one = guarded(row, read)
        if isinstance(one, Fault):
            faults.append(one)
            continue
        if isinstance(one, LeftOut):
            left_out.append(one)
            continue
        if name in WRITTEN_BY_USERS and (fault := damage_fault(one, is_of_table=row.is_of_table)) is not None:
            faults.append(Fault(row.where, one.id, fault))
            continue
        if name not in WRITTEN_BY_USERS and one.kind == "numeric" and (fault := fault_of(one)) is not None:
            left_out.append(LeftOut(where=row.where, id=one.id, reason="target_not_read", detail=fault))
            continue
        if name not in WRITTEN_BY_USERS and (fault := equal_choices_fault(one)) is not None:
            left_out.append(LeftOut(where=row.where, id=one.id, reason="equal_choices", detail=fault))
            continue
        earlier = seen.get(one.id)
        if earlier is not None and name not in OWN_IDS and questions[earlier] == one:
            detail = f"the same question as {places[earlier]}, word for word"
            left_out.append(LeftOut(where=row.where, id=one.id, reason="repeats_question", detail=detail))
            continue
        seen.setdefault(one.id, len(questions))
        questions.append(one)
        places.append(row.where)
    num_rows = len(rows) + len(unread)
    return Benchmark(shape=name, sign=sign, questions=questions, places=places, left_out=left_out, unread=faults, num_rows=num_rows)
