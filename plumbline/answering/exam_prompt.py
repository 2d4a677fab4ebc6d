"""What the user says when a benchmark question is asked: apart from training, so that a new wording never retrains. Pure."""

from collections.abc import Mapping, Sequence

from plumbline.rows.context import ContextPassage
from plumbline.rows.question import Question

PROMPT_VERSION = 1
"""Raise it when `exam_prompt` gives another text: scores under two prompts are not compared. A test holds text and number together."""

HEADING = "Passages that may help:"


def exam_prompt(question: Question, instructions: Mapping[str, str], passages: Sequence[ContextPassage] = ()) -> str:
    """Put a question as one user message: the question, a line `A) text` per choice, the instruction of its kind.

    `instructions`: kind -> closing instruction, empty for none. `passages` stand before the question, numbered under a heading.
    """
    lines = [f"[{number}] {passage.text.strip()}" for number, passage in enumerate(passages, start=1)]
    before = "\n".join([HEADING, *lines]) + "\n\n" if passages else ""
    return before + _asked(question, instructions)


def _asked(question: Question, instructions: Mapping[str, str]) -> str:
    lines = [question.question, *(f"{letter}) {text}" for letter, text in question.choices.items())]
    instruction = instructions[question.kind]
    return "\n".join([*lines, instruction] if instruction else lines)
