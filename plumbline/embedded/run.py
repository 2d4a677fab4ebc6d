"""Write the embedded data set: training rows with the faults of real ones, a benchmark, a corpus for base, general prompts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plumbline.embedded.alpaca_row import AlpacaRow
from plumbline.embedded.benchmark import choice_questions, explanation_questions, numeric_questions
from plumbline.embedded.corpus import corpus_texts
from plumbline.embedded.defects import with_defects
from plumbline.embedded.general import general_prompts
from plumbline.embedded.passage import Passage
from plumbline.embedded.training_rows import training_rows
from plumbline.pipeline.jsonl import write_jsonl


@dataclass(frozen=True, kw_only=True)
class SynthesizeFiles:
    """What the stage writes."""

    train: Path
    benchmark: Path
    corpus: Path
    general: Path


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """How many of each."""

    training_rows: int
    corpus_texts: int
    mcq: int
    numeric: int
    explanation: int
    general: int


@dataclass(frozen=True, kw_only=True)
class SynthesizeCounts:
    """What was written."""

    training_rows: int
    defects: Mapping[str, int]
    """Training rows by the fault that they were given."""
    questions: int
    corpus_texts: int


def synthesize(files: SynthesizeFiles, amounts: Amounts, *, seed: int) -> SynthesizeCounts:
    """Write the four files from one seed."""
    rows = training_rows(num_rows=amounts.training_rows, seed=seed)
    damaged = with_defects(rows, seed=seed)
    assert len(damaged) == amounts.training_rows
    questions = [
        *choice_questions(num_questions=amounts.mcq, seed=seed),
        *numeric_questions(num_questions=amounts.numeric, seed=seed),
        *explanation_questions(num_questions=amounts.explanation, seed=seed),
    ]
    write_jsonl(files.train, (AlpacaRow(instruction=row.instruction, input=row.input, output=row.output) for row in damaged))
    write_jsonl(files.benchmark, questions)
    num_texts = write_jsonl(files.corpus, (Passage(text=text) for text in corpus_texts(num_texts=amounts.corpus_texts, seed=seed)))
    write_jsonl(files.general, general_prompts(num_prompts=amounts.general, seed=seed))
    return SynthesizeCounts(
        training_rows=len(damaged),
        defects=dict(sorted(Counter(row.defect for row in damaged).items())),
        questions=len(questions),
        corpus_texts=num_texts,
    )
