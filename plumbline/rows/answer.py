"""One model answer to one benchmark question."""

from typing import Literal

from pydantic import Field

from plumbline.pipeline.record import Record

ELSEWHERE = "elsewhere"
"""The engine of an answer that no stage here generated."""


class Answer(Record):
    """What an arm said, and how the generation ended."""

    id: str
    """Id of the question."""
    sample: int | None = Field(default=None, ge=1, exclude_if=lambda sample: sample is None)
    """Number of the answer, from 1, if the arm gave several to each question; None: one answer per question."""
    arm: str
    """Key of `arms` in params.yaml."""
    engine: str = "transformers"
    """What generated it, with the version if none is pinned (`vllm 0.33.0`). Rows from before there was a choice have no such field."""
    response: str
    num_tokens: int | None
    """Generated tokens, end-of-sequence included; None if the answer was made elsewhere and the number is unknown."""
    num_prompt_tokens: int | None = None
    """Tokens that the model read before it answered, template and context included. Rows from before it was counted have no such field."""
    stopped: Literal["eos", "max_new_tokens"]
    """`max_new_tokens`: the text was cut."""
    choice_logprobs: dict[str, float]
    """mcq: letter -> log-probability (nats per token) of that choice as the answer; empty for the other kinds."""
    complete: bool
    """False if the adapter comes from a run that was not trained to its planned end; always true if no adapter answers."""
