"""The user's message that asks a benchmark question. It is separate from training, so a new wording needs no new training. Pure."""

from collections.abc import Mapping, Sequence

from plumbline.rows.context import ContextPassage
from plumbline.rows.question import AnswerKind, Question

PROMPT_VERSION = 1
"""Raise it when `exam_prompt` gives another text: scores under two prompts are not compared. A test ties the text to this number."""

INSTRUCTIONS: dict[AnswerKind, str] = {
    "letters": "Several choices may be right. Answer with the letters of all right choices.",
    "yes_no": "Answer with {0} or {1}.",
    "numbers": "Give all numbers in the order asked, with their unit, separated by semicolons.",
    "number_set": "Give all numbers with their unit, separated by semicolons.",
    "expression": "Give the answer as one formula.",
}
"""They replace the instruction of the kind, in the same way for every arm."""
HEADING = "Passages that may help:"


def exam_prompt(question: Question, instructions: Mapping[str, str], passages: Sequence[ContextPassage] = ()) -> str:
    """Ask a question in one user message: the question, a line `A) text` per choice, the instruction of its kind.

    `instructions`: kind -> closing instruction, empty for none. `passages` come before the question, numbered under a heading.
    """
    lines = [f"[{number}] {passage.text.strip()}" for number, passage in enumerate(passages, start=1)]
    before = "\n".join([HEADING, *lines]) + "\n\n" if passages else ""
    return before + _asked(question, instructions)


def _asked(question: Question, instructions: Mapping[str, str]) -> str:
    # Yes and no have no letters: a model answers with the word, and the grader reads the word.
    choices = {} if question.answer_kind == "yes_no" else question.choices
    lines = [question.question, *(f"{letter}) {text}" for letter, text in choices.items())]
    instruction = instructions[question.kind]
    if instruction and question.answer_kind is not None:
        # An answer kind needs another instruction than its kind. If the kind's instruction is empty, none is given here either.
        words = INSTRUCTIONS[question.answer_kind]
        instruction = words.format(*(text.lower() for text in question.choices.values())) if question.answer_kind == "yes_no" else words
    return "\n".join([*lines, instruction] if instruction else lines)
