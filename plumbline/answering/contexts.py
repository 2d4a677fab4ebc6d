"""The contexts of an arm, read and matched with the questions."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from plumbline.pipeline.jsonl import read_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.rows.context import Context
from plumbline.rows.question import Question

NUM_NAMED = 5


class ContextRefused(Refused):
    """A file of contexts does not fit the questions."""


def read_contexts(path: Path | None, questions: Sequence[Question]) -> dict[str, Context]:
    """Return question id -> context, one for each question. If there is no file, or it is empty, every context is empty.

    ContextRefused if a file with rows does not have exactly one for each question.
    """
    if path is not None and not path.is_file():
        raise ContextRefused(f"{path} is missing. Run `dvc repro retrieve`.")
    found = [] if path is None else list(read_jsonl(path, Context))
    if not found:
        return {question.id: Context(id=question.id, turns=(), passages=(), recall=None) for question in questions}
    counts, ids = Counter(context.id for context in found), [question.id for question in questions]
    problems = {
        "no context for": [id for id in ids if id not in counts],
        "several contexts for": [id for id, count in counts.items() if count > 1],
        "contexts of unknown questions": sorted(counts.keys() - set(ids)),
    }
    if told := "; ".join(f"{problem} {_named(these)}" for problem, these in problems.items() if these):
        raise ContextRefused(f"{path} must have exactly one row for each question, or no row at all: {told}. Run `dvc repro retrieve`.")
    return {context.id: context for context in found}


def _named(ids: Sequence[str]) -> str:
    """The first few ids, and how many there are."""
    return ", ".join(ids[:NUM_NAMED]) + (f" ... ({len(ids)})" if len(ids) > NUM_NAMED else "")
