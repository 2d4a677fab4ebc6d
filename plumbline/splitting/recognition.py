"""Say which shape a benchmark file has: by the columns of every row, never by the first alone. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question
from plumbline.splitting.benchmark_shapes import read_plumbline, read_study
from plumbline.splitting.choice_benchmarks import GPQA_WRONG, SCIQ_WRONG, read_arc, read_gpqa, read_mmlu, read_mmlu_pro, read_sciq
from plumbline.splitting.harness_documents import read_inspect, read_lm_eval
from plumbline.splitting.problem_benchmarks import read_jeebench, read_scibench, read_theoremqa, read_ugphysics
from plumbline.splitting.row_values import LeftOut, Row

Content = Mapping[str, Any]
AUTO, MAPPED = "auto", "mapped"
MAPPED_REMEDY = (
    "Set split.benchmark_format to mapped and name the columns under split.benchmark_columns, such as `question: ...` and `target: ...` "
    "(docs/formats.md)."
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One published shape of a benchmark."""

    name: str
    """In split.benchmark_format."""
    sign: str
    """By what it is recognised, for a person."""
    fits: Callable[[Content], bool]
    read: Callable[[Row], Question | LeftOut]


def has(*names: str) -> Callable[[Content], bool]:
    """Whether a row has all of these columns."""
    return lambda content: content.keys() >= set(names)


def is_arc(content: Content) -> bool:
    """ARC of the Hub, or as released."""
    asked, choices = content.get("question"), content.get("choices")
    nested = isinstance(asked, Mapping) and asked.keys() >= {"stem", "choices"}
    return "answerKey" in content and (nested or (isinstance(choices, Mapping) and choices.keys() >= {"text", "label"}))


def is_mmlu(content: Content) -> bool:
    """A list of choices with the place of the right one, or columns A to D with its letter."""
    if "kind" in content or "answerKey" in content:
        return False
    as_list = (
        isinstance(content.get("choices"), Sequence)
        and not isinstance(content.get("choices"), str)
        and isinstance(content.get("answer"), int)
    )
    return "question" in content and (as_list or content.keys() >= {"A", "B", "C", "D", "answer"})


SHAPES: tuple[Shape, ...] = (
    Shape(name="plumbline", sign="id, kind and question", fits=has("id", "kind", "question"), read=read_plumbline),
    Shape(name="study", sign="id, type, question and answer", fits=has("id", "type", "question", "answer"), read=read_study),
    Shape(name="scibench", sign="problem_text and answer_number", fits=has("problem_text", "answer_number"), read=read_scibench),
    Shape(name="arc", sign="answerKey, and choices with label and text", fits=is_arc, read=read_arc),
    Shape(name="sciq", sign="correct_answer and distractor1 to 3", fits=has("question", "correct_answer", *SCIQ_WRONG), read=read_sciq),
    Shape(
        name="mmlu",
        sign="question, a list of choices and the place of the right one; or columns A to D and answer",
        fits=is_mmlu,
        read=read_mmlu,
    ),
    Shape(
        name="mmlu_pro",
        sign="question_id, options and answer",
        fits=has("question_id", "question", "options", "answer"),
        read=read_mmlu_pro,
    ),
    Shape(
        name="gpqa", sign="Correct Answer and Incorrect Answer 1 to 3", fits=has("Question", "Correct Answer", *GPQA_WRONG), read=read_gpqa
    ),
    Shape(
        name="jeebench",
        sign="description, index, type and gold",
        fits=has("description", "index", "type", "question", "gold"),
        read=read_jeebench,
    ),
    Shape(name="theoremqa", sign="Question, Answer and Answer_type", fits=has("Question", "Answer", "Answer_type"), read=read_theoremqa),
    Shape(
        name="ugphysics",
        sign="problem, answers and answer_type",
        fits=has("index", "problem", "answers", "answer_type"),
        read=read_ugphysics,
    ),
    Shape(name="lm_eval", sign="doc_id, doc, target and arguments", fits=has("doc_id", "doc", "target", "arguments"), read=read_lm_eval),
    Shape(name="inspect", sign="input and target", fits=has("input", "target"), read=read_inspect),
)
NAMES = tuple(shape.name for shape in SHAPES)


def shape_of(rows: Sequence[Row], format_name: str) -> Shape:
    """The shape of a file, by its name or by the columns of all rows. Refused where none fits every row, or two do."""
    if format_name != AUTO:
        return next(shape for shape in SHAPES if shape.name == format_name)
    counts = {shape.name: sum(shape.fits(row.content) for row in rows) for shape in SHAPES}
    whole = [shape for shape in SHAPES if counts[shape.name] == len(rows)]
    if len(whole) == 1:
        return whole[0]
    if whole:
        lines = " or ".join(f"`benchmark_format: {shape.name}`" for shape in whole)
        raise Refused(f"{rows[0].where}: the rows fit {len(whole)} shapes alike; set {lines} under split in params.yaml.")
    nearest = max(SHAPES, key=lambda shape: counts[shape.name])
    if counts[nearest.name]:
        odd = next(row for row in rows if not nearest.fits(row.content))
        raise Refused(
            f"{odd.where}: this row has the columns {columns_of(odd)} and lacks what {counts[nearest.name]} of {len(rows)} rows have as "
            f"{nearest.name} ({nearest.sign}). Correct the row. If the file has another shape: {MAPPED_REMEDY}"
        )
    raise Refused(
        f"{rows[0].where}: the columns {columns_of(rows[0])} are no shape that is recognised ({', '.join(NAMES)}). {MAPPED_REMEDY}"
    )


def columns_of(row: Row) -> list[str]:
    """The columns of a row, as an error shows them."""
    return sorted(str(name) for name in row.content)[:20]
