"""Write the embedded data set: training rows with the faults of real ones, a benchmark, a corpus for base, general prompts."""

import logging
from pathlib import Path

from plumbline.embedded.run import Amounts, SynthesizeFiles, synthesize
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params

log = logging.getLogger("synthesize")


class SynthesizeParams(Params):
    """How much of everything; one seed for all."""

    seed: int
    num_training_rows: int
    num_corpus_texts: int
    num_mcq: int
    num_numeric: int
    num_explanation: int
    num_general: int

    def amounts(self) -> Amounts:
        """How much of everything, without the seed."""
        return Amounts(
            training_rows=self.num_training_rows,
            corpus_texts=self.num_corpus_texts,
            mcq=self.num_mcq,
            numeric=self.num_numeric,
            explanation=self.num_explanation,
            general=self.num_general,
        )


def main(params: SynthesizeParams, *, train: Path, benchmark: Path, corpus: Path, general: Path) -> None:
    """Write the four files."""
    files = SynthesizeFiles(train=train, benchmark=benchmark, corpus=corpus, general=general)
    done = synthesize(files, params.amounts(), seed=params.seed)
    counts = (done.training_rows, done.defects, done.questions, done.corpus_texts)
    log.info("%d training rows %s, %d questions, %d corpus texts", *counts)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        main(
            load_params("synthesize", SynthesizeParams),
            train=Path("data/raw/embedded/train.jsonl"),
            benchmark=Path("data/raw/embedded/benchmark.jsonl"),
            corpus=Path("data/raw/embedded/corpus.jsonl"),
            general=Path("data/raw/embedded/general.jsonl"),
        )
