"""How many tokens a model takes, and whether every prompt and its answer fit. Pure."""

from collections.abc import Mapping
from typing import Any

from plumbline.pipeline.refused import Refused

LENGTH_KEYS = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "n_ctx")
"""Names for the longest sequence of a model in its config."""
NO_LIMIT = 10**9
"""From this value on, `model_max_length` means that the tokenizer knows no limit."""


def longest_sequence(config: Mapping[str, Any], told: Mapping[str, Any]) -> int | None:
    """The most tokens that the model takes, by its config or, if that says nothing, by its tokenizer. None if neither says it."""
    inner = config.get("text_config")
    for content in (config, inner if isinstance(inner, dict) else {}):
        for key in LENGTH_KEYS:
            if isinstance(content.get(key), int):
                return content[key]
    length = told.get("model_max_length")
    return int(length) if isinstance(length, int | float) and length < NO_LIMIT else None


def refuse_prompts_that_do_not_fit(num_tokens: Mapping[str, int], *, arm: str, max_new_tokens: int, limit: int | None) -> None:
    """Refused if a prompt (question id -> its tokens) together with its answer is longer than the arm's model takes.

    `retrieve` checks this for the base model before training. An arm with another model may take fewer tokens.
    """
    if limit is None:
        return
    too_long = {id: num for id, num in num_tokens.items() if num + max_new_tokens > limit}
    if not too_long:
        return
    longest = max(too_long, key=lambda id: too_long[id])
    raise Refused(
        f"arm {arm}: {len(too_long)} of {len(num_tokens)} prompts do not fit its model. The longest, for question {longest}, has "
        f"{too_long[longest]} tokens, and its answer {max_new_tokens}; the model takes {limit}. Lower answer.max_new_tokens or "
        "the text before the question (retrieve.k, retrieve.chunk_tokens, retrieve.examples), or remove the arm."
    )
