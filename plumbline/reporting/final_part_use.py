"""One tuned model that was scored on the questions kept aside for the claim."""

from plumbline.pipeline.record import Record


class FinalPartUse(Record):
    """A line of metrics/final_part_uses.jsonl: which answers were scored on the final part of which benchmark."""

    benchmark_sha256: str
    """Of data/split/benchmark.jsonl."""
    tuned_answers_sha256: str
    """Of data/answers/tuned.jsonl. Another adapter, prompt or decoding gives other answers; the same model asked again gives the same."""

    def __hash__(self) -> int:
        return hash((self.benchmark_sha256, self.tuned_answers_sha256))
