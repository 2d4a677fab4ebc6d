"""What stood before the questions, as the script of a page reads it: each passage and each set of examples once. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from plumbline.reporting.fitting import longest_that_fits
from plumbline.rows.context import Context, ContextPassage

Contexts = Mapping[str, Mapping[str, Context]]
"""Name of a context -> id of a question -> what stood before it."""
MAX_PASSAGE_CHARACTERS = 6_000_000
"""Of all passages on the page together; of answers there may be twice as many. A page of 22 MB opens in about a second (measured)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContexts:
    """The contexts of a page."""

    names: Sequence[str]
    content: dict[str, object]
    """Shared by all questions: `contexts` (names), `passages` ([source, text], and the number of characters left out, if any)
    and `examples` (sets of [question, answer])."""
    by_question: Mapping[str, list[dict[str, object] | None]]
    """Question -> for each context the places of its passages (p), of its examples (e), and the share of the answer that it holds (r)."""
    left_out: list[str]
    """A sentence if passages are cut."""


def page_contexts(contexts: Contexts, questions: Iterable[str]) -> PageContexts:
    """The contexts of these questions (ids). Those of other questions are not on the page."""
    passages: dict[tuple[str, str], int] = {}
    examples: dict[tuple[tuple[str, str], ...], int] = {}

    def content_of(context: Context | None) -> dict[str, object] | None:
        if context is None or not (context.turns or context.passages):
            return None
        content: dict[str, object] = {}
        if context.passages:
            content["p"] = [passages.setdefault(key_of(passage), len(passages)) for passage in context.passages]
        if context.turns:
            turns = tuple((turn.user, turn.assistant) for turn in context.turns)
            content["e"] = examples.setdefault(turns, len(examples))
        if context.recall is not None:
            content["r"] = round(context.recall, 2)
        return content

    by_question = {key: [content_of(found.get(key)) for found in contexts.values()] for key in questions}
    longest = longest_that_fits([len(text) for _, text in passages], MAX_PASSAGE_CHARACTERS)
    left_out = (
        []
        if longest is None
        else [f"Passages longer than {longest} characters are cut here; the files under data/context have them whole."]
    )
    return PageContexts(
        names=list(contexts),
        content={
            "contexts": list(contexts),
            "passages": [shown_passage(source, text, longest) for source, text in passages],
            "examples": [[list(turn) for turn in turns] for turns in examples],
        },
        by_question=by_question,
        left_out=left_out,
    )


def key_of(passage: ContextPassage) -> tuple[str, str]:
    return passage.id, passage.text


def shown_passage(source: str, text: str, longest: int | None) -> list[object]:
    """A passage, cut if it is too long, with the number of characters that are left out."""
    if longest is None or len(text) <= longest:
        return [source, text]
    return [source, text[:longest], len(text) - longest]
