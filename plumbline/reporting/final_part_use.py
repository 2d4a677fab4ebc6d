"""One arm that was scored on the questions kept aside for the claim."""

from pydantic import AliasChoices, Field

from plumbline.pipeline.record import Record


class FinalPartUse(Record):
    """A line of metrics/final_part_uses.jsonl: which answers were scored on the final part of which benchmark."""

    benchmark_sha256: str
    """Of data/split/benchmark.jsonl."""
    answers_sha256: str = Field(validation_alias=AliasChoices("answers_sha256", "tuned_answers_sha256"))
    """Of the arm's file in data/answers. Another adapter, prompt or decoding gives other answers; the same model asked again gives the same.
    Older lines have the second name."""

    def __hash__(self) -> int:
        return hash((self.benchmark_sha256, self.answers_sha256))
