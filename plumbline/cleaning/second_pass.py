"""Second pass over a source: write the kept and the quarantined rows; flag or quarantine those that repeat others."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import orjson

from plumbline.cleaning.chunk_cleaning import quarantined_line, raw_or_hash
from plumbline.cleaning.data_summary import Tally
from plumbline.cleaning.first_pass import Spooled
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.repair_examples import ExampleSampler
from plumbline.cleaning.repeats import Moved, Repeat, apply_repeats
from plumbline.cleaning.source_lines import read_chunks


def write_rows(
    source: Path,
    policy: Policy,
    first_pass: Spooled,
    repeats: Mapping[int, Sequence[Repeat]],
    kept: IO[bytes],
    quarantined: IO[bytes],
    sampler: ExampleSampler | None,
) -> dict[str, Any]:
    """Copy the spool, flag or quarantine rows that repeat others, and return the summary of what was written."""
    tally = Tally(first_pass.chunks)
    spool = first_pass.spool
    spool.seek(0)
    row = 0
    for chunk, cleaned in zip(read_chunks(source, policy.source), first_pass.chunks, strict=True):
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
