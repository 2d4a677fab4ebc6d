"""What the user says when a benchmark question is asked: apart from training, so that a new wording never retrains. Pure."""

from collections.abc import Mapping

from stages.records.question import Question


def exam_prompt(question: Question, instructions: Mapping[str, str]) -> str:
    """Put a question as one user message: the question, a line `A) text` per choice, the instruction of its kind.

    `instructions`: kind -> closing instruction, empty for none.
    """
    lines = [question.question, *(f"{letter}) {text}" for letter, text in question.choices.items())]
    instruction = instructions[question.kind]
    return "\n".join([*lines, instruction] if instruction else lines)
