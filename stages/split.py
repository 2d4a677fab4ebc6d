"""Part the clean rows into training and validation, bring the benchmark into one shape, and let nothing leak between them."""

import logging
from collections import Counter
from pathlib import Path
from typing import Literal

from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params
from plumbline.pipeline.refused import Refused
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Question
from plumbline.splitting.benchmark_files import read_plumbline, read_study
from plumbline.splitting.benchmark_overlap import BenchmarkIndex
from plumbline.splitting.benchmark_shapes import SHAPES, later_needs
from plumbline.splitting.overlap import OverlapSummary, QuestionOverlap, RemovedRow
from plumbline.splitting.splitting import group_rows, is_validation

log = logging.getLogger("split")

READERS = {"plumbline": read_plumbline, "study": read_study}


class SplitParams(Params):
    """Section `split` of params.yaml."""

    benchmark: str
    """Path of the benchmark file."""
    benchmark_format: Literal["plumbline", "study"]
    seed: int
    validation_fraction: float
    """Share of the groups that validate, above 0 and below 1."""
    near_duplicate_similarity: float
    """Jaccard similarity of 5-byte shingles, 0-1, from which texts with the same numbers stay together, or leak."""
    overlap_ngram_words: int
    overlap_ngram_share: float
    """Share of a question's n-grams, 0-1, from which a row that holds its numbers as well repeats it."""


def main(params: SplitParams, *, kept: Path, benchmark: Path, train: Path, validation: Path, questions: Path, overlap: Path) -> None:
    """Write training and validation rows, the benchmark as later stages read it, and what overlapped."""
    if not 0 < params.validation_fraction < 1:
        raise Refused(
            f"split.validation_fraction is {params.validation_fraction}; a share above 0 and below 1 is read: training needs rows to validate on."
        )
    asked = SHAPES[params.benchmark_format](READERS[params.benchmark_format](benchmark))
    rows = list(read_jsonl(kept, InstructionRow))
    index = BenchmarkIndex(
        asked,
        ngram_words=params.overlap_ngram_words,
        ngram_share=params.overlap_ngram_share,
        near_similarity=params.near_duplicate_similarity,
    )
    remaining, removed, nearest = sift(rows, asked, index)
    groups = group_rows(remaining, params.near_duplicate_similarity)
    validates = [is_validation(group, seed=params.seed, validation_fraction=params.validation_fraction) for group in groups]
    training = [row for row, aside in zip(remaining, validates, strict=True) if not aside]
    validating = [row for row, aside in zip(remaining, validates, strict=True) if aside]
    assert len(rows) == len(training) + len(validating) + len(removed), "a row vanished"
    if not training:
        raise Refused(f"{kept}: no row is left to train on ({len(rows)} came in, {len(removed)} repeat the benchmark); bring more data.")
    if not validating:
        raise Refused(
            f"{kept}: none of {len(set(groups))} groups of near-duplicates fell to validation; raise split.validation_fraction "
            f"({params.validation_fraction}), or take another split.seed ({params.seed})."
        )
    write_jsonl(train, training)
    write_jsonl(validation, validating)
    write_jsonl(questions, asked)
    touched = Counter(row.question_id for row in removed)
    by_rule = Counter(row.rule for row in removed)
    summary = OverlapSummary(
        num_rows=len(rows), num_removed=len(removed), removed_by_rule=dict(sorted(by_rule.items())), num_questions_touched=len(touched)
    )
    overlaps = [
        QuestionOverlap(
            question_id=question.id, score=nearest[place][0], nearest_row_id=nearest[place][1], num_removed=touched[question.id]
        )
        for place, question in enumerate(asked)
    ]
    write_jsonl(overlap, [summary, *overlaps, *removed])
    log.info(
        "%d rows: train %d, validation %d, removed for the benchmark %d %s",
        len(rows),
        len(training),
        len(validating),
        len(removed),
        dict(by_rule),
    )
    for need in later_needs(asked):
        log.warning("%s", need)
    log.info("%d questions %s", len(asked), dict(Counter(question.kind for question in asked)))


def sift(
    rows: list[InstructionRow], asked: list[Question], index: BenchmarkIndex
) -> tuple[list[InstructionRow], list[RemovedRow], list[tuple[float, str | None]]]:
    """Part rows into those that may be used and those that repeat a question; with each question's nearest usable row."""
    remaining: list[InstructionRow] = []
    removed: list[RemovedRow] = []
    nearest: list[tuple[float, str | None]] = [(0.0, None)] * len(asked)
    for row in rows:
        match = index.match(row)
        if match is not None:
            removed.append(
                RemovedRow(
                    row_id=row.id,
                    origin=row.origin,
                    question_id=asked[match.question].id,
                    rule=match.rule,
                    score=round(match.score, 4),
                    instruction=row.instruction,
                )
            )
            continue
        remaining.append(row)
        for place, score in index.scores(row).items():
            # Of equally near rows the smallest id, so that their order does not matter: equal as written, hence rounded first.
            best, holder = nearest[place]
            score = round(score, 4)
            if (-score, row.id) < (-best, holder or "~"):
                nearest[place] = (score, row.id)
    return remaining, removed, nearest


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
