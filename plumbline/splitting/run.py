"""Split the clean rows into training and validation files without the benchmark's questions, and write the benchmark in one shape."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from plumbline.pipeline.heartbeat import watched, working
from plumbline.pipeline.jsonl import read_jsonl, write_jsonl
from plumbline.pipeline.refused import Refused
from plumbline.rows.choice_balance import unbalanced_letters
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Kind, Question
from plumbline.splitting.benchmark import Benchmark, read_benchmark
from plumbline.splitting.benchmark_columns import BenchmarkColumns
from plumbline.splitting.benchmark_overlap import BenchmarkIndex
from plumbline.splitting.overlap import LeftOutQuestion, OverlapSummary, QuestionOverlap, RemovedRow
from plumbline.splitting.question_faults import later_needs
from plumbline.splitting.row_values import LeftOut
from plumbline.splitting.shares import advice, find_remedy, is_far_off, largest_group
from plumbline.splitting.shown_questions import question_lines, shown_questions
from plumbline.splitting.splitting import group_rows, is_validation

log = logging.getLogger("split")

NUM_NAMED = 5
"""Rows of the benchmark file that a log line names; the file of overlaps has them all."""


@dataclass(frozen=True, kw_only=True)
class SplitFiles:
    """What the stage reads and writes."""

    kept: Path
    benchmark: Path
    train: Path
    """Output, as are the next three."""
    validation: Path
    questions: Path
    """The benchmark as later stages read it."""
    overlap: Path
    """What overlapped, and how near the rest comes."""


@dataclass(frozen=True, kw_only=True)
class SplitPolicy:
    """What params.yaml says about the split."""

    benchmark_format: str
    benchmark_columns: BenchmarkColumns | None
    seed: int
    validation_fraction: float
    near_duplicate_similarity: float
    overlap_ngram_words: int
    overlap_ngram_share: float


@dataclass(frozen=True, kw_only=True)
class Sifted:
    """Rows that may be used, and rows that repeat a question."""

    remaining: list[InstructionRow]
    removed: list[RemovedRow]
    nearest: list[tuple[float, str | None]]
    """Score and id of the nearest usable row to each question."""


def split_rows(files: SplitFiles, policy: SplitPolicy) -> Counter[Kind]:
    """Write training and validation rows, the benchmark as later stages read it, and what overlapped. Return its questions by kind."""
    if not 0 < policy.validation_fraction < 1:
        raise Refused(
            f"split.validation_fraction is {policy.validation_fraction}. Set it above 0 and below 1: training needs rows to validate on."
        )
    benchmark = read_benchmark(files.benchmark, format_name=policy.benchmark_format, columns=policy.benchmark_columns)
    tell(benchmark, files.benchmark)
    asked = benchmark.questions
    rows = list(read_jsonl(files.kept, InstructionRow))
    index = BenchmarkIndex(
        asked,
        ngram_words=policy.overlap_ngram_words,
        ngram_share=policy.overlap_ngram_share,
        near_similarity=policy.near_duplicate_similarity,
    )
    sifted = sift(watched(rows, "split: overlap with the benchmark", unit="row", total=len(rows)), asked, index)
    with working("split: near-duplicates"):
        training, validating = part(rows, sifted, files.kept, policy)
    write_jsonl(files.train, training)
    write_jsonl(files.validation, validating)
    write_jsonl(files.questions, asked)
    write_jsonl(files.overlap, [*overlap_records(rows, asked, sifted), *map(left_out_record, benchmark.left_out)])
    removed_by_rule = dict(Counter(row.rule for row in sifted.removed))
    counts = (len(rows), len(training), len(validating), len(sifted.removed))
    log.info("%d rows: train %d, validation %d, removed for the benchmark %d %s", *counts, removed_by_rule)
    for need in later_needs(asked):
        log.warning("%s", need)
    if (unbalanced := unbalanced_letters(asked)) is not None:
        log.warning("%s: %s.", files.benchmark, unbalanced)
    return Counter(question.kind for question in asked)


def tell(benchmark: Benchmark, path: Path) -> None:
    """Log what was recognised and how, three questions as read, and what was left out."""
    log.info("%s: read as %s, by %s", path, benchmark.shape, benchmark.sign)
    for question in shown_questions(benchmark.questions):
        for line in question_lines(question):
            log.info("  %s", line)
    if benchmark.left_out:
        log.warning("%d of %d rows of the benchmark are not asked %s", len(benchmark.left_out), benchmark.num_rows, dict(benchmark.reasons))
        for one in benchmark.left_out[:NUM_NAMED]:
            log.warning("  %s (id %r): %s", one.where, one.id, one.detail)


def left_out_record(one: LeftOut) -> LeftOutQuestion:
    """A row that is not asked, as the file of overlaps has it."""
    return LeftOutQuestion(question_id=one.id, where=one.where, reason=one.reason, detail=one.detail)


def part(
    rows: Sequence[InstructionRow], sifted: Sifted, kept: Path, policy: SplitPolicy
) -> tuple[list[InstructionRow], list[InstructionRow]]:
    """Divide the usable rows of the file `kept` into training and validation. Refused if one of them would be empty."""
    groups = group_rows(sifted.remaining, policy.near_duplicate_similarity)
    validates = [is_validation(group, seed=policy.seed, validation_fraction=policy.validation_fraction) for group in groups]
    training = [row for row, aside in zip(sifted.remaining, validates, strict=True) if not aside]
    validating = [row for row, aside in zip(sifted.remaining, validates, strict=True) if aside]
    assert len(rows) == len(training) + len(validating) + len(sifted.removed), "a row vanished"
    if not sifted.remaining:
        raise Refused(
            f"{kept}: no row is left to train on ({len(rows)} came in, {len(sifted.removed)} repeat the benchmark). Bring more data."
        )
    if not training or not validating or is_far_off(len(validating), len(groups), policy.validation_fraction):
        said = how_it_came_out(sifted.remaining, groups, len(validating), policy)
        if not training or not validating:
            raise Refused(f"{kept}: {said}")
        log.warning("%s", said)
    return training, validating


def how_it_came_out(rows: Sequence[InstructionRow], groups: Sequence[str], num_validation: int, policy: SplitPolicy) -> str:
    """Why the shares are not those that were asked for, and what helps."""
    fraction, similarity, seed = policy.validation_fraction, policy.near_duplicate_similarity, policy.seed
    came = {0: "no row fell to validation", len(rows): "every row fell to validation, and none is left to train on"}
    words = came.get(num_validation, f"{num_validation} of {len(rows)} rows ({num_validation / len(rows):.1%}) validate")
    asked = f"split.validation_fraction is {fraction}"
    if len(set(groups)) == len(groups):  # no near-duplicates: there are just too few rows
        change = "Lower" if num_validation else "Raise"
        return f"{words}, although {asked}. {change} split.validation_fraction, take another split.seed ({seed}), or bring more rows."
    remedy = find_remedy(rows, seed=seed, fraction=fraction, similarity=similarity)
    return f"{words}, although {asked}: {largest_group(groups)}. {advice(remedy, similarity=similarity, seed=seed)}"


def overlap_records(
    rows: Sequence[InstructionRow], asked: Sequence[Question], sifted: Sifted
) -> list[OverlapSummary | QuestionOverlap | RemovedRow]:
    """The lines of the overlap file: the counts, each question, each row that was taken out."""
    touched = Counter(row.question_id for row in sifted.removed)
    by_rule = Counter(row.rule for row in sifted.removed)
    summary = OverlapSummary(
        num_rows=len(rows),
        num_removed=len(sifted.removed),
        removed_by_rule=dict(sorted(by_rule.items())),
        num_questions_touched=len(touched),
    )
    overlaps = [
        QuestionOverlap(question_id=question.id, score=score, nearest_row_id=row_id, num_removed=touched[question.id])
        for question, (score, row_id) in zip(asked, sifted.nearest, strict=True)
    ]
    return [summary, *overlaps, *sifted.removed]


def sift(rows: Iterable[InstructionRow], asked: Sequence[Question], index: BenchmarkIndex) -> Sifted:
    """Divide rows into those that may be used and those that repeat a question; also find each question's nearest usable row."""
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
            # Of equally near rows take the smallest id, so that their order does not matter. Scores are compared as written, so round first.
            best, holder = nearest[place]
            score = round(score, 4)
            if (-score, row.id) < (-best, holder or "~"):
                nearest[place] = (score, row.id)
    return Sifted(remaining=remaining, removed=removed, nearest=nearest)
