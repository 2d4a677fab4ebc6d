"""The published shapes of a benchmark: what each needs, and who reads it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.rows.question import Question
from plumbline.splitting.benchmark_shapes import read_plumbline, read_study
from plumbline.splitting.choice_benchmarks import (
    GPQA_WRONG,
    MMLU_LETTERS,
    SCIQ_WRONG,
    read_arc,
    read_gpqa,
    read_mmlu,
    read_mmlu_pro,
    read_sciq,
)
from plumbline.splitting.harness_documents import read_inspect, read_lm_eval
from plumbline.splitting.problem_benchmarks import read_jeebench, read_scibench, read_theoremqa, read_ugphysics
from plumbline.splitting.row_values import LeftOut, Row

Content = Mapping[str, Any]


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
    forms: tuple[tuple[str, ...], ...] = ()
    """All columns that people write, in each form of the shape, if they are others than those of the sign."""

    def fits(self, content: Content) -> bool:
        """Whether a row counts as one of this shape."""
        return not self.lacks(content) and not self.is_other(content)


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
        return needs("question", *MMLU_LETTERS, "answer")(content)
    choices, answer = content["choices"], content.get("answer")
    is_list = isinstance(choices, Sequence) and not isinstance(choices, str)
    return [
        *needs("question")(content),
        *([] if is_list else ["a list under choices"]),
        *([] if isinstance(answer, int) else ["the place of the right choice under answer"]),
    ]


SHAPES: tuple[Shape, ...] = (
    Shape(
        name="plumbline",
        sign="id, kind and question",
        lacks=needs("id", "kind", "question"),
        read=read_plumbline,
        forms=(tuple(name for name, field in Question.model_fields.items() if field.is_required()),),
    ),
    Shape(name="study", sign="id, type, question and answer", lacks=needs("id", "type", "question", "answer"), read=read_study),
    Shape(name="scibench", sign="problem_text and answer_number", lacks=needs("problem_text", "answer_number"), read=read_scibench),
    Shape(
        name="arc",
        sign="answerKey, and choices with label and text",
        lacks=lacks_of_arc,
        read=read_arc,
        forms=(("question", "choices", "answerKey"), ("question", "answerKey")),
    ),
    Shape(name="sciq", sign="correct_answer and distractor1 to 3", lacks=needs("question", "correct_answer", *SCIQ_WRONG), read=read_sciq),
    Shape(
        name="mmlu",
        sign="question, a list of choices and the place of the right one; or columns A to D and answer",
        lacks=lacks_of_mmlu,
        read=read_mmlu,
        is_other=lambda content: "kind" in content or "answerKey" in content,
        forms=(("question", "choices", "answer"), ("question", *MMLU_LETTERS, "answer")),
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
