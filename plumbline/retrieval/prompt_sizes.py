"""The tokens of each prompt, and whether prompt and answer fit the model. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from plumbline.answering.exam_prompt import exam_prompt
from plumbline.pipeline.refused import Refused
from plumbline.rows.context import Context
from plumbline.rows.question import Question

MOST = 0.9


class PromptSize(NamedTuple):
    """The size of one prompt of one context."""

    question_id: str
    num_tokens: int


def messages_of(question: Question, context: Context, instructions: Mapping[str, str]) -> list[tuple[str, str]]:
    """The conversation before an answer, as (role, content): the turns of the context, then its passages and the question."""
    earlier = [message for turn in context.turns for message in (("user", turn.user), ("assistant", turn.assistant))]
    return [*earlier, ("user", exam_prompt(question, instructions, context.passages))]


def prompt_numbers(sizes: Sequence[PromptSize]) -> dict[str, object]:
    """Mean, 90th percentile (nearest rank) and maximum of the tokens of a prompt."""
    ordered = sorted(size.num_tokens for size in sizes)
    return {
        "mean": round(sum(ordered) / len(ordered), 1),
        "p90": ordered[math.ceil(MOST * len(ordered)) - 1],
        "max": ordered[-1],
    }


def refuse_too_long(name: str, sizes: Sequence[PromptSize], *, max_new_tokens: int, limit: int | None) -> None:
    """Refused if a prompt and its answer have more tokens than the model takes. The message names the longest, and what to lower."""
    if limit is None or not sizes:
        return
    too_long = [size for size in sizes if size.num_tokens + max_new_tokens > limit]
    if not too_long:
        return
    longest = max(too_long, key=lambda size: size.num_tokens)
    lowered = {
        "passages": "retrieve.k, retrieve.chunk_tokens",
        "shuffled": "retrieve.k, retrieve.chunk_tokens",
        "examples": "retrieve.examples",
    }.get(name)
    remedy = f"Lower {lowered} or answer.max_new_tokens" if lowered else "Lower answer.max_new_tokens, or remove the question"
    raise Refused(
        f"context {name}: {len(too_long)} of {len(sizes)} prompts do not fit the base model. The longest, for question "
        f"{longest.question_id}, has {longest.num_tokens} tokens, and its answer {max_new_tokens}; the model takes {limit}. {remedy}."
    )
