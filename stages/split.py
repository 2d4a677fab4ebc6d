"""Divide the clean rows into training and validation, bring the benchmark into one shape, and let nothing leak between them."""

import logging
from pathlib import Path
from typing import Literal

from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params
from plumbline.splitting.benchmark_columns import BenchmarkColumns
from plumbline.splitting.run import SplitFiles, SplitPolicy, split_rows

log = logging.getLogger("split")


class SplitParams(Params):
    """Section `split` of params.yaml."""

    benchmark: str
    """Path of the benchmark file."""
    benchmark_format: Literal[
        "auto", "mapped", "plumbline", "study", "scibench", "arc", "sciq", "mmlu", "mmlu_pro", "gpqa", "jeebench", "theoremqa", "ugphysics",
        "lm_eval", "inspect",
    ]  # fmt: skip
    """auto: by the columns of every row."""
    benchmark_columns: BenchmarkColumns | None
    """With format mapped: what each column of the file is."""
    seed: int
    validation_fraction: float
    """Share of the groups that validate, above 0 and below 1."""
    near_duplicate_similarity: float
    """Jaccard similarity of 5-byte shingles, 0-1, from which texts with the same numbers stay together, or leak."""
    overlap_ngram_words: int
    overlap_ngram_share: float
    """Share of a question's n-grams, 0-1; a row with this share and the question's numbers repeats it."""

    def policy(self) -> SplitPolicy:
        """How rows are split, and which of them repeat a question."""
        return SplitPolicy(
            benchmark_format=self.benchmark_format,
            benchmark_columns=self.benchmark_columns,
            seed=self.seed,
            validation_fraction=self.validation_fraction,
            near_duplicate_similarity=self.near_duplicate_similarity,
            overlap_ngram_words=self.overlap_ngram_words,
            overlap_ngram_share=self.overlap_ngram_share,
        )


def main(params: SplitParams, *, kept: Path, benchmark: Path, train: Path, validation: Path, questions: Path, overlap: Path) -> None:
    """Write training and validation rows, the benchmark as later stages read it, and what overlapped."""
    files = SplitFiles(kept=kept, benchmark=benchmark, train=train, validation=validation, questions=questions, overlap=overlap)
    asked = split_rows(files, params.policy())
    log.info("%d questions %s", asked.total(), dict(asked))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        section = load_params("split", SplitParams)
        main(
            section,
            kept=Path("data/clean/kept.jsonl"),
            benchmark=Path(section.benchmark),
            train=Path("data/split/train.jsonl"),
            validation=Path("data/split/validation.jsonl"),
            questions=Path("data/split/benchmark.jsonl"),
            overlap=Path("data/split/overlap.jsonl"),
        )
