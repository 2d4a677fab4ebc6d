"""What the user says when a benchmark question is asked: apart from training, so that a new wording never retrains. Pure."""

from collections.abc import Mapping, Sequence

from plumbline.rows.context import ContextPassage
from plumbline.rows.question import AnswerKind, Question

PROMPT_VERSION = 1
"""Raise it when `exam_prompt` gives another text: scores under two prompts are not compared. A test holds text and number together."""

INSTRUCTIONS: dict[AnswerKind, str] = {
    "letters": "Several choices may be right. Answer with the letters of all right choices.",
    "yes_no": "Answer with {0} or {1}.",
    "numbers": "Give all numbers in the order asked, with their unit, separated by semicolons.",
    "number_set": "Give all numbers with their unit, separated by semicolons.",
    "expression": "Give the answer as one formula.",
}
"""Said in place of the kind's own instruction, to every arm alike."""
HEADING = "Passages that may help:"


def exam_prompt(question: Question, instructions: Mapping[str, str], passages: Sequence[ContextPassage] = ()) -> str:
    """Put a question as one user message: the question, a line `A) text` per choice, the instruction of its kind.

    `instructions`: kind -> closing instruction, empty for none. `passages` stand before the question, numbered under a heading.
    """
    lines = [f"[{number}] {passage.text.strip()}" for number, passage in enumerate(passages, start=1)]
    before = "\n".join([HEADING, *lines]) + "\n\n" if passages else ""
    return before + _asked(question, instructions)


def _asked(question: Question, instructions: Mapping[str, str]) -> str:
    # Yes and no have no letters: a model answers in words, and is read by them.
    choices = {} if question.answer_kind == "yes_no" else question.choices
    lines = [question.question, *(f"{letter}) {text}" for letter, text in choices.items())]
    instruction = instructions[question.kind]
    if instruction and question.answer_kind is not None:
        # What is asked for is not what the kind's instruction says; where that is empty, nothing is said here either.
        words = INSTRUCTIONS[question.answer_kind]
        instruction = words.format(*(text.lower() for text in question.choices.values())) if question.answer_kind == "yes_no" else words
    return "\n".join([*lines, instruction] if instruction else lines)
