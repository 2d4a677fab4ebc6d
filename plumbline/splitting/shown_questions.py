"""Show questions as they were read, so that a person sees at once whether the file was understood. Pure."""

from collections.abc import Sequence

from plumbline.rows.question import Question

NUM_SHOWN = 3
MAX_CHARACTERS = 300


def shown_questions(questions: Sequence[Question], number: int = NUM_SHOWN) -> list[Question]:
    """The first question of each sort, then the first of the others, in the order of the file."""
    sorts: dict[tuple[str, str | None], int] = {}
    for place, question in enumerate(questions):
        sorts.setdefault((question.kind, question.answer_kind), place)
    first = list(sorts.values())[:number]
    others = [place for place in range(min(len(questions), 2 * number)) if place not in first]
    return [questions[place] for place in sorted([*first, *others[: number - len(first)]])]


def question_lines(question: Question) -> list[str]:
    """One question with all that was read of it, a line for each part."""
    sort = question.kind if question.answer_kind is None else f"{question.kind}, {question.answer_kind}"
    lines = [f"{short(question.id)} ({sort}): {short(question.question)}"]
    lines += [f"    {short(label)}) {short(text)}" for label, text in question.choices.items()]
    lines.append(f"    answer: {short(question.target)}" + (f" {question.unit}" if question.unit else ""))
    notes = {
        "tolerance": None if question.tolerance is None else question.tolerance.model_dump(exclude_none=True),
        "partial credit": question.partial_credit,
        "key points": len(question.key_points) or None,
        "cluster": short(question.cluster) if question.cluster != question.id else None,
        "tags": short("; ".join(question.tags)) or None,
        "gold passage": None if question.gold_passage is None else short(question.gold_passage, 80),
    }
    return [*lines, *(f"    {name}: {value}" for name, value in notes.items() if value is not None)]


def short(text: str, most: int = MAX_CHARACTERS) -> str:
    """A text on one line, cut if it is long. A character that cannot be seen, or that a terminal would obey, is shown as its number."""
    line = " ".join(text.split())
    if not line.isprintable():
        line = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in line)
    return line if len(line) <= most else f"{line[: most - 1]}…"
