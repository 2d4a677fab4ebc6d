"""How many tokens a model takes, and whether every prompt and its answer fit. Pure."""

from collections.abc import Mapping
from typing import Any

from plumbline.pipeline.refused import Refused

LENGTH_KEYS = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "n_ctx")
"""What configs call the longest sequence of a model."""
NO_LIMIT = 10**9
"""From here on, `model_max_length` says that the tokenizer knows none."""


def longest_sequence(config: Mapping[str, Any], told: Mapping[str, Any]) -> int | None:
    """The most tokens that the model takes, by its config or, where that says nothing, by its tokenizer; None where no one says it."""
    inner = config.get("text_config")
    for content in (config, inner if isinstance(inner, dict) else {}):
        for key in LENGTH_KEYS:
            if isinstance(content.get(key), int):
                return content[key]
    length = told.get("model_max_length")
    return int(length) if isinstance(length, int | float) and length < NO_LIMIT else None


def refuse_prompts_that_do_not_fit(num_tokens: Mapping[str, int], *, arm: str, max_new_tokens: int, limit: int | None) -> None:
    """Refused where a prompt (question id -> its tokens) and the answer to it have more tokens than the arm's model takes.

    `retrieve` asks this of the base model before anything is trained; an arm with another model may take less.
    """
    if limit is None:
        return
    too_long = {id: num for id, num in num_tokens.items() if num + max_new_tokens > limit}
    if not too_long:
        return
    longest = max(too_long, key=lambda id: too_long[id])
    raise Refused(
        f"arm {arm}: {len(too_long)} of {len(num_tokens)} prompts do not fit its model. The longest is that of question {longest}: "
        f"{too_long[longest]} tokens and {max_new_tokens} of the answer, where the model takes {limit}. Lower answer.max_new_tokens or "
        "what stands before the question (retrieve.k, retrieve.chunk_tokens, retrieve.examples), or take the arm out."
    )
