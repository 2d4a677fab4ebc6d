"""Write the embedded data set: training rows with the faults of real ones, a benchmark, a corpus for base, general prompts."""

import logging
from collections import Counter
from pathlib import Path

from plumbline.embedded.alpaca_row import AlpacaRow
from plumbline.embedded.benchmark import choice_questions, explanation_questions, numeric_questions
from plumbline.embedded.corpus import corpus_texts
from plumbline.embedded.defects import with_defects
from plumbline.embedded.general import general_prompts
from plumbline.embedded.passage import Passage
from plumbline.embedded.training_rows import training_rows
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import write_jsonl
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


def main(params: SynthesizeParams, *, train: Path, benchmark: Path, corpus: Path, general: Path) -> None:
    """Write the four files."""
    seed = params.seed
    rows = training_rows(num_rows=params.num_training_rows, seed=seed)
    damaged = with_defects(rows, seed=seed)
    assert len(damaged) == params.num_training_rows
    questions = [
        *choice_questions(num_questions=params.num_mcq, seed=seed),
        *numeric_questions(num_questions=params.num_numeric, seed=seed),
        *explanation_questions(num_questions=params.num_explanation, seed=seed),
    ]
    write_jsonl(train, (AlpacaRow(instruction=row.instruction, input=row.input, output=row.output) for row in damaged))
    write_jsonl(benchmark, questions)
    num_texts = write_jsonl(corpus, (Passage(text=text) for text in corpus_texts(num_texts=params.num_corpus_texts, seed=seed)))
    write_jsonl(general, general_prompts(num_prompts=params.num_general, seed=seed))
    defects = dict(sorted(Counter(row.defect for row in damaged).items()))
    log.info("%d training rows %s, %d questions, %d corpus texts", len(damaged), defects, len(questions), num_texts)


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
