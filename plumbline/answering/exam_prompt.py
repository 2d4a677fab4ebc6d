"""What the user says when a benchmark question is asked: apart from training, so that a new wording never retrains. Pure."""

from collections.abc import Mapping

from plumbline.rows.question import Question

PROMPT_VERSION = 1
"""Raise it when `exam_prompt` gives another text: scores under two prompts are not compared. A test holds text and number together."""


def exam_prompt(question: Question, instructions: Mapping[str, str]) -> str:
    """Put a question as one user message: the question, a line `A) text` per choice, the instruction of its kind.

    `instructions`: kind -> closing instruction, empty for none.
    """
    lines = [question.question, *(f"{letter}) {text}" for letter, text in question.choices.items())]
    instruction = instructions[question.kind]
    return "\n".join([*lines, instruction] if instruction else lines)
