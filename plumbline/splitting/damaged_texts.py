"""Find texts of a question that were damaged on their way into the file: control characters, lost backslashes of LaTeX. Pure."""

import re
from collections.abc import Iterator

from plumbline.cleaning.latex_repair import restore_swallowed
from plumbline.rows.question import Question

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def damage_fault(question: Question) -> str | None:
    """What is wrong if a text lost a backslash of LaTeX, or holds a control character: every arm would be asked the damaged text."""
    for name, text in texts_of(question):
        restored = restore_swallowed(text)
        if restored.num_restored or restored.unrestored:
            command = first_command(text, restored.text)
            return (
                f"{name} holds a LaTeX command that lost its backslash{command}: JSON and Python read `\\f`, `\\t`, `\\n`, `\\b` and `\\r` as "
                "one character. Write each backslash twice, as in `\\\\frac`."
            )
        if found := CONTROL.search(text):
            return f"{name} holds the control character U+{ord(found[0]):04X}. Remove it."
    return None


def texts_of(question: Question) -> Iterator[tuple[str, str]]:
    """Every text of a question with its name."""
    yield from (("id", question.id), ("question", question.question), ("target", question.target), ("cluster", question.cluster))
    yield from ((f"choice {label}", text) for label, text in question.choices.items())
    yield from (("a key point", point) for point in question.key_points)
    yield from (("a tag", tag) for tag in question.tags)
    yield from ((name, text) for name, text in (("unit", question.unit), ("gold_passage", question.gold_passage)) if text is not None)


def first_command(damaged: str, restored: str) -> str:
    """The first restored command, in brackets after a space; no text if its name is not known."""
    place = next((place for place, (one, other) in enumerate(zip(damaged, restored, strict=False)) if one != other), None)
    found = None if place is None else re.match(r"\\[A-Za-z]+", restored[place:])
    return "" if found is None else f" (`{found[0]}`)"
