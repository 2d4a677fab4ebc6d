"""Parameters of answering, the same for all arms."""

from typing import Literal

from plumbline.pipeline.record import Params


class Instructions(Params):
    """What is asked of the model after the question, per kind; empty for none."""

    mcq: str
    numeric: str
    explanation: str


class AnswerParams(Params):
    """Greedy decoding in a fixed batch plan: bf16 text depends on the batch."""

    engine: Literal["transformers", "vllm"]
    """What generates, for all arms: the texts of two engines differ, so their scores are not compared."""
    max_new_tokens: int
    batch_size: int
    """Questions per batch, sorted by length; vLLM batches by itself."""
    choice_scoring: Literal["letter", "text"]
    """mcq: whose log-probabilities are compared, those of the letters or those of the choices' own words (mean per token)."""
    choice_prefix: str
    """mcq: what stands before the letter or the words when log-probabilities are compared."""
    instructions: Instructions
