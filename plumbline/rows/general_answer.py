"""What base answers to a general prompt, and what the answer may be used for."""

from typing import Literal

from plumbline.pipeline.record import Record

Part = Literal["measured", "replay"]


class GeneralAnswer(Record):
    """Written by `answer_general`. Each answer carries its part, so that no later stage can train on one that measures."""

    id: str
    prompt: str
    response: str
    """Base's own words, decoded greedily."""
    num_tokens: int
    """Generated tokens, end-of-sequence included."""
    stopped: Literal["eos", "max_new_tokens"]
    """`max_new_tokens`: the text was cut. It still measures, without an end of sequence, and is never replayed."""
    part: Part
    """`measured`: its likelihood is compared before and after. `replay`: it may become a training row."""
