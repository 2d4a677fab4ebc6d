"""Parameters of answering, the same for all arms."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from plumbline.pipeline.record import Params

GREEDY: Mapping[str, int | float] = {"num_samples": 1, "temperature": 0.0}
"""What every run did before sampling existed: take the most probable token, once."""
OF_SAMPLING = ("num_samples", "temperature", "seed")


class Instructions(Params):
    """The instruction after the question, per kind; empty for none."""

    mcq: str
    numeric: str
    explanation: str


class AnswerParams(Params):
    """One batch plan for all arms, since bf16 text depends on the batch. Answers are greedy, or several are drawn to each question."""

    engine: Literal["transformers", "vllm"]
    """What generates, for all arms: the texts of two engines differ, so their scores are not compared."""
    max_new_tokens: int
    batch_size: int
    """Answers per batch, sorted by length; vLLM batches by itself."""
    num_samples: int = Field(ge=1)
    """Answers to each question. The question stays the unit: its score is the mean over them."""
    temperature: float = Field(ge=0)
    """0: the most probable token. Above: tokens are drawn from the whole distribution at this temperature, without top_p or top_k."""
    seed: int
    """Seed of the drawn tokens, together with question and sample number; not used at temperature 0."""
    choice_scoring: Literal["letter", "text"]
    """mcq: compare the log-probabilities of the letters, or of the choices' own words (mean per token). Nothing is drawn for this, so
    only the first of several samples carries them."""
    choice_prefix: str
    """mcq: what stands before the letter or the words when log-probabilities are compared."""
    instructions: Instructions

    @model_validator(mode="after")
    def _drawn_where_several(self) -> Self:
        if self.num_samples > 1 and self.temperature == 0:
            raise ValueError(
                f"num_samples is {self.num_samples}, but at temperature 0 all answers to a question are the same. "
                "Set temperature above 0, such as 0.7, or num_samples to 1"
            )
        return self

    @property
    def is_sampled(self) -> bool:
        """Whether tokens are drawn."""
        return self.temperature > 0


def decoding_of(section: Mapping[str, Any]) -> dict[str, Any]:
    """The values of section `answer` that can change an answer; for a greedy run without those of sampling, as before sampling existed."""
    found = {**GREEDY, **section}
    if found["temperature"] == 0:
        return {name: value for name, value in section.items() if name not in OF_SAMPLING}
    return found
