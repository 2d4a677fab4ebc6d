"""Turn every output into plain text without losing a value, and put aside with a reason what cannot be trusted."""

import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from tqdm import tqdm

from plumbline.cleaning.chunk_cleaning import CleanedChunk, clean_chunk, quarantined_line, raw_or_hash
from plumbline.cleaning.codes import Rule
from plumbline.cleaning.data_summary import Tally, classes_table, summary_bytes
from plumbline.cleaning.output_files import refuse_overwriting, replacing_all
from plumbline.cleaning.ray_workers import map_on_ray, ray_address
from plumbline.cleaning.repair_examples import ExampleSampler
from plumbline.cleaning.repeats import Moved, Repeat, apply_repeats, decide_repeats
from plumbline.cleaning.row_cleaning import Policy
from plumbline.cleaning.source_lines import Chunk, read_chunks
from plumbline.cleaning.workers import map_in_order, num_workers
from plumbline.near_duplicates import near_duplicate_groups
from plumbline.pipeline.inputs import inputs_unchanged
from plumbline.pipeline.params import load_params
from plumbline.pipeline.record import Params
from plumbline.pipeline.refused import InputRefused

log = logging.getLogger("clean")

PARALLEL_FROM_BYTES = 8 << 20
"""Below, starting a second process takes longer than it saves."""
Action = Literal["flag", "quarantine", "off"]


class Rules(Params):
    """What becomes of a row that breaks a quality rule: kept and flagged, quarantined, or the rule is not applied."""

    context_leak: Action
    refusal: Action
    answer_repeats_question: Action
    no_answer: Action
    too_short: Action
    too_long: Action
    special_token: Action
    secret: Action
    personal_data: Action
    judge_instruction: Action
    duplicate: Action
    contradiction: Action
    near_duplicate: Action


class CleanParams(Params):
    """Section `clean` of params.yaml."""

    source: str
    """Path of the raw file. Never written to."""
    format: Literal["alpaca", "messages", "prompt_completion", "csv", "parquet"]
    standardize: bool
    """False: outputs stay as they stand, structured or not, and no text is mended; the rules still apply."""
    rules: Rules
    min_output_characters: int
    """Outputs below are too_short."""
    max_output_characters: int
    """Outputs above are too_long."""
    near_duplicate_similarity: float
    """Jaccard similarity of 5-byte shingles, 0-1, from which two rows with the same numbers are near-duplicates."""


class Spooled(NamedTuple):
    """What the first pass leaves: rows to keep spooled to disk, in memory only what comparing and counting them needs."""

    chunks: list[CleanedChunk]
    """Without their rows."""
    question_keys: bytes
    row_keys: bytes
    lines: NDArray[np.int64]


def main(
    params: CleanParams,
    *,
    source: Path,
    kept: Path,
    quarantined: Path,
    metrics: Path,
    classes: Path | None = None,
    repair_examples: Path | None = None,
) -> None:
    """Clean `source` into the other files. Where wanted, `classes` is the class counts as CSV for a plot, and
    `repair_examples` ten rows of each repair before and after."""
    outputs = [kept, quarantined, metrics, *(path for path in (classes, repair_examples) if path)]
    refuse_overwriting(source, outputs)
    policy = Policy(
        shape=params.format,
        actions={Rule(name): action for name, action in params.rules.model_dump().items()},
        min_output_characters=params.min_output_characters,
        max_output_characters=params.max_output_characters,
        standardize=params.standardize,
    )
    before = fingerprint(source)
    with replacing_all(outputs) as streams, tempfile.TemporaryFile() as spool:
        first_pass = clean_all(source, policy, spool)
        if not any(len(chunk.kept_lines) for chunk in first_pass.chunks):
            raise nothing_kept(source, first_pass, policy.shape)
        near_groups = None
        if params.rules.near_duplicate != "off":
            near_groups = near_duplicate_groups(row_texts(spool), params.near_duplicate_similarity)
        repeats = decide_repeats(first_pass.question_keys, first_pass.row_keys, near_groups, policy.actions)
        sampler = ExampleSampler(source.as_posix(), policy) if repair_examples else None
        summary = write_rows(source, policy, spool, first_pass, repeats, streams[0], streams[1], sampler)
        if fingerprint(source) != before:
            raise InputRefused("source_changed", f"{source} changed while it was read; run again when nothing writes to it.")
        streams[2].write(summary_bytes(summary))
        if classes:
            streams[3].write(classes_table(summary).encode())
        if sampler:
            streams[-1].writelines(example.model_dump_json().encode() + b"\n" for example in sampler.examples())
    reasons = {reason: number for reason, number in summary["reasons"].items() if number}
    log.info(
        "%d lines: kept %d, quarantined %d %s, blank %d",
        *(summary[key] for key in ("lines", "kept", "quarantined")),
        reasons,
        summary["blank"],
    )


def clean_all(source: Path, policy: Policy, spool: IO[bytes]) -> Spooled:
    """First pass: clean every chunk, in several processes where the file is large, and spool the rows to keep."""
    work = partial(clean_source_chunk, file=source.as_posix(), policy=policy)
    question_keys, row_keys = bytearray(), bytearray()
    chunks: list[CleanedChunk] = []
    lines: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    results = cleaned_chunks(work, source, policy.shape)
    with closing(results), tqdm(unit=" rows", disable=None, desc="clean") as progress:
        for num_lines, cleaned in results:
            spool.write(cleaned.kept)
            question_keys += cleaned.question_keys
            row_keys += cleaned.row_keys
            lines.append(np.array(cleaned.kept_lines, dtype=np.int64))
            chunks.append(cleaned.without_rows())
            progress.update(num_lines)
    return Spooled(chunks, bytes(question_keys), bytes(row_keys), np.concatenate(lines))


def cleaned_chunks(work: Callable[[Chunk], CleanedChunk], source: Path, shape: str) -> Generator[tuple[int, CleanedChunk], None, None]:
    """Number of lines and cleaned rows of each chunk in order: by processes of our own, or on Ray where the environment says so."""
    address = ray_address()
    if address:
        yield from map_on_ray(work, source, shape, address)
        return
    workers = num_workers() if source.stat().st_size >= PARALLEL_FROM_BYTES else 1
    for chunk, cleaned in map_in_order(work, read_chunks(source, shape), workers):
        yield len(chunk.lines), cleaned


def clean_source_chunk(chunk: Chunk, *, file: str, policy: Policy) -> CleanedChunk:
    """The work of one process on one chunk."""
    return clean_chunk(chunk.lines, chunk.first_line, file, policy)


def row_texts(spool: IO[bytes]) -> Iterator[str]:
    """Question and answer of each spooled row, as compared for near-duplicates."""
    spool.seek(0)
    for line in spool:
        row = orjson.loads(line)
        yield f"{row['instruction']}\n{row['input']}\n{row['output']}"


def write_rows(
    source: Path,
    policy: Policy,
    spool: IO[bytes],
    first_pass: Spooled,
    repeats: dict[int, list[Repeat]],
    kept: IO[bytes],
    quarantined: IO[bytes],
    sampler: ExampleSampler | None,
) -> dict[str, Any]:
    """Second pass: copy the spool, flag or move out what repeats, and return the summary of what was written."""
    tally = Tally(first_pass.chunks)
    spool.seek(0)
    row = 0
    for chunk, cleaned in zip(read_chunks(source, policy.shape), first_pass.chunks, strict=True):
        rejected = list(cleaned.quarantined)
        last = row + len(cleaned.kept_lines)
        affected = [index for index in range(row, last) if index in repeats] if repeats else []
        examples = cleaned.examples
        if not affected:
            kept.write(spool.read(cleaned.num_bytes))
        else:
            lines = spool.read(cleaned.num_bytes).splitlines(keepends=True)
            for index in affected:
                place, number = index - row, int(first_pass.lines[index])
                verdict = apply_repeats(lines[place], repeats[index], first_pass.lines, policy.actions)
                if isinstance(verdict, Moved):
                    raw = chunk.lines[number - chunk.first_line]
                    assert isinstance(raw, bytes), "an oversize line was kept"
                    rejected.append(
                        (number, quarantined_line(source.as_posix(), number, verdict.reason, verdict.detail, raw_or_hash(raw, False)))
                    )
                    tally.move(orjson.loads(lines[place]), verdict.reason)
                    lines[place] = b""
                else:
                    tally.flag(verdict.new_flags)
                    lines[place] = verdict.line
            kept.write(b"".join(lines))
            if sampler:
                examples = sampler.next_of(examples, {number for number, _ in rejected}, lines)
        if sampler:
            sampler.offer(chunk.lines, chunk.first_line, examples)
        quarantined.writelines(line for _, line in sorted(rejected))
        row = last
    return tally.summary()


def fingerprint(path: Path) -> tuple[int, int, int]:
    """Size, time and inode: whether a file changed between two passes over it."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def nothing_kept(source: Path, first_pass: Spooled, shape: str) -> InputRefused:
    """Why a file with no usable row is refused: an empty training set must not look like a success."""
    reasons = sum((chunk.reasons for chunk in first_pass.chunks), Counter[str]())
    if not reasons:
        return InputRefused("empty_input", f"{source} holds blank lines only; a file with at least one row is read.")
    first = orjson.loads(next(line for chunk in first_pass.chunks for _, line in chunk.quarantined))
    counted = "record" if shape in ("csv", "parquet") else "line"
    where = f"the first, {counted} {first['origin']['line']}: {first['detail']}"
    return InputRefused("no_rows", f"{source}: none of {sum(reasons.values())} rows can be kept, reasons {dict(reasons)}; {where}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    with inputs_unchanged():
        section = load_params("clean", CleanParams)
        main(
            section,
            source=Path(section.source),
            kept=Path("data/clean/kept.jsonl"),
            quarantined=Path("data/clean/quarantined.jsonl"),
            metrics=Path("metrics/data.json"),
            classes=Path("metrics/data_classes.csv"),
            repair_examples=Path("data/clean/repair_examples.jsonl"),
        )
