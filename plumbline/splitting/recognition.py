"""Say which shape a benchmark file has: by the columns of every row, never by the first alone. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.pipeline.refused import Refused
from plumbline.rows.question import Question
from plumbline.splitting.benchmark_shapes import read_plumbline, read_study
from plumbline.splitting.choice_benchmarks import GPQA_WRONG, SCIQ_WRONG, read_arc, read_gpqa, read_mmlu, read_mmlu_pro, read_sciq
from plumbline.splitting.fault import Fault
from plumbline.splitting.harness_documents import read_inspect, read_lm_eval
from plumbline.splitting.problem_benchmarks import read_jeebench, read_scibench, read_theoremqa, read_ugphysics
from plumbline.splitting.row_values import LeftOut, Row

Content = Mapping[str, Any]
AUTO, MAPPED = "auto", "mapped"
MAPPED_REMEDY = (
    "Set split.benchmark_format to mapped, and in place of `benchmark_columns: null` write the columns, such as "
    "`benchmark_columns: {question: NAME, target: NAME}` (docs/formats.md)."
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One published shape of a benchmark."""

    name: str
    """Its name in split.benchmark_format."""
    sign: str
    """How it is recognised, in words."""
    lacks: Callable[[Content], list[str]]
    """What a row lacks of the sign."""
    read: Callable[[Row], Question | LeftOut]
    is_other: Callable[[Content], bool] = lambda content: False
    """Whether a row that lacks nothing has another shape, unless this one is named."""

    def fits(self, content: Content) -> bool:
        """Whether a row counts as one of this shape."""
        return not self.lacks(content) and not self.is_other(content)


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """The shape of a file, the rows of that shape, and the others."""

    shape: Shape
    rows: list[Row]
    faults: list[Fault]


def needs(*names: str) -> Callable[[Content], list[str]]:
    """Which of these columns a row lacks."""
    return lambda content: [name for name in names if name not in content]


def lacks_of_arc(content: Content) -> list[str]:
    """ARC of the Hub, or as released."""
    asked, choices = content.get("question"), content.get("choices")
    nested = isinstance(asked, Mapping) and asked.keys() >= {"stem", "choices"}
    has_choices = nested or (isinstance(choices, Mapping) and choices.keys() >= {"text", "label"})
    return needs("question", "answerKey")(content) + ([] if has_choices else ["choices with text and label"])


def lacks_of_mmlu(content: Content) -> list[str]:
    """A list of choices with the place of the right one, or columns A to D with its letter."""
    if "choices" not in content:
        return needs("question", "A", "B", "C", "D", "answer")(content)
    choices, answer = content["choices"], content.get("answer")
    is_list = isinstance(choices, Sequence) and not isinstance(choices, str)
    return [
        *needs("question")(content),
        *([] if is_list else ["a list under choices"]),
        *([] if isinstance(answer, int) else ["the place of the right choice under answer"]),
    ]


SHAPES: tuple[Shape, ...] = (
    Shape(name="plumbline", sign="id, kind and question", lacks=needs("id", "kind", "question"), read=read_plumbline),
    Shape(name="study", sign="id, type, question and answer", lacks=needs("id", "type", "question", "answer"), read=read_study),
    Shape(name="scibench", sign="problem_text and answer_number", lacks=needs("problem_text", "answer_number"), read=read_scibench),
    Shape(name="arc", sign="answerKey, and choices with label and text", lacks=lacks_of_arc, read=read_arc),
    Shape(name="sciq", sign="correct_answer and distractor1 to 3", lacks=needs("question", "correct_answer", *SCIQ_WRONG), read=read_sciq),
    Shape(
        name="mmlu",
        sign="question, a list of choices and the place of the right one; or columns A to D and answer",
        lacks=lacks_of_mmlu,
        read=read_mmlu,
        is_other=lambda content: "kind" in content or "answerKey" in content,
    ),
    Shape(
        name="mmlu_pro",
        sign="question_id, options and answer",
        lacks=needs("question_id", "question", "options", "answer"),
        read=read_mmlu_pro,
    ),
    Shape(
        name="gpqa",
        sign="Correct Answer and Incorrect Answer 1 to 3",
        lacks=needs("Question", "Correct Answer", *GPQA_WRONG),
        read=read_gpqa,
    ),
    Shape(
        name="jeebench",
        sign="description, index, type and gold",
        lacks=needs("description", "index", "type", "question", "gold"),
        read=read_jeebench,
    ),
    Shape(name="theoremqa", sign="Question, Answer and Answer_type", lacks=needs("Question", "Answer", "Answer_type"), read=read_theoremqa),
    Shape(
        name="ugphysics",
        sign="problem, answers and answer_type",
        lacks=needs("index", "problem", "answers", "answer_type"),
        read=read_ugphysics,
    ),
    Shape(name="lm_eval", sign="doc_id, doc, target and arguments", lacks=needs("doc_id", "doc", "target", "arguments"), read=read_lm_eval),
    Shape(name="inspect", sign="input and target", lacks=needs("input", "target"), read=read_inspect),
)
NAMES = tuple(shape.name for shape in SHAPES)


def knows(names: Sequence[str]) -> bool:
    """Whether the columns of a table are those of a shape."""
    return any(shape.fits(dict.fromkeys(names, "")) for shape in SHAPES)


def recognise(rows: Sequence[Row], format_name: str) -> Recognised:
    """The shape of a file, by its name or by the columns of all rows. Refused if none fits most rows, or if two fit equally well."""
    if format_name != AUTO:
        return named(rows, format_name)
    counts = {shape.name: sum(shape.fits(row.content) for row in rows) for shape in SHAPES}
    whole = [shape for shape in SHAPES if counts[shape.name] == len(rows)]
    if len(whole) == 1:
        return Recognised(shape=whole[0], rows=[*rows], faults=[])
    if whole:
        lines = " or ".join(f"`benchmark_format: {shape.name}`" for shape in whole)
        raise Refused(f"{rows[0].where}: the rows fit {len(whole)} shapes alike. Set {lines} under split in params.yaml.")
    nearest = max(SHAPES, key=lambda shape: counts[shape.name])
    count = counts[nearest.name]
    if 2 * count > len(rows) and [*counts.values()].count(count) == 1:
        return parted(rows, nearest, nearest.fits)
    if count:
        odd = next(row for row in rows if not nearest.fits(row.content))
        raise Refused(
            f"{odd.where}: this row has the columns {columns_of(odd)} and lacks what {count} of {len(rows)} rows have as "
            f"{nearest.name} ({nearest.sign}). Correct the row. If the file has another shape: {MAPPED_REMEDY}"
        )
    if len(rows) == 1 and (key := key_of_rows(rows[0].content)) is not None:
        raise Refused(f"{rows[0].where}: the rows stand under the key {key!r}. Write that list alone, as `jq '.[{json.dumps(key)}]'` does.")
    raise Refused(f"{rows[0].where}: the columns {columns_of(rows[0])} match no known shape ({', '.join(NAMES)}). {MAPPED_REMEDY}")


def key_of_rows(content: Content) -> str | None:
    """The key under which a file that is one object holds its rows; None if it holds no rows."""
    listed = {key: value for key, value in content.items() if isinstance(value, list) and value and isinstance(value[0], dict)}
    return max(listed, key=lambda key: len(listed[key]), default=None)


def named(rows: Sequence[Row], name: str) -> Recognised:
    """The rows of the shape that was named. Refused if no row has what it needs."""
    shape = next(shape for shape in SHAPES if shape.name == name)
    if any(not shape.lacks(row.content) for row in rows):
        return parted(rows, shape, lambda content: not shape.lacks(content))
    alike = [other.name for other in SHAPES if all(other.fits(row.content) for row in rows)]
    remedy = f"They look like {' or '.join(alike)}: set split.benchmark_format to {AUTO}" if alike else MAPPED_REMEDY.rstrip(".")
    raise Refused(
        f"{rows[0].where}: the columns {columns_of(rows[0])} lack {', '.join(shape.lacks(rows[0].content))}, and no row of the file has all "
        f"that {name} needs. {remedy}."
    )


def parted(rows: Sequence[Row], shape: Shape, fits: Callable[[Content], bool]) -> Recognised:
    """The rows that fit, and each of the others with what it lacks."""
    mine = [row for row in rows if fits(row.content)]
    faults = [
        row.refused(
            f"lacks {', '.join(lacks)}, which {len(mine)} of {len(rows)} rows have as {shape.name}. It has the columns {columns_of(row)}."
            if (lacks := shape.lacks(row.content))
            else f"is of another shape than the {len(mine)} of {len(rows)} rows that are {shape.name}. It has the columns {columns_of(row)}."
        ).fault
        for row in rows
        if not fits(row.content)
    ]
    return Recognised(shape=shape, rows=mine, faults=faults)


def columns_of(row: Row) -> list[str]:
    """The columns of a row, as an error shows them."""
    return sorted(str(name) for name in row.content)[:20]
