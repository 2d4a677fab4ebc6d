"""Clean a source file into its output files, in two passes; the outputs appear together, when all are complete."""

import logging
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from plumbline.cleaning.codes import Reason, Rule
from plumbline.cleaning.data_summary import classes_table, summary_bytes
from plumbline.cleaning.encoding_advice import encoding_advice
from plumbline.cleaning.first_pass import Spooled, clean_all, row_texts
from plumbline.cleaning.output_files import refuse_overwriting, replacing_all
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.recognition import recognised, refuse_no_file
from plumbline.cleaning.repair_examples import ExampleSampler
from plumbline.cleaning.repeats import decide_repeats
from plumbline.cleaning.second_pass import write_rows
from plumbline.cleaning.source_format import SourceFormat
from plumbline.cleaning.turns import NOT_TRAINED
from plumbline.near_duplicates import near_duplicate_groups
from plumbline.pipeline.heartbeat import working
from plumbline.pipeline.refused import InputRefused

log = logging.getLogger("clean")


@dataclass(frozen=True, kw_only=True)
class CleanFiles:
    """What the stage reads and writes."""

    source: Path
    """Never written to."""
    kept: Path
    quarantined: Path
    metrics: Path
    classes: Path | None = None
    """Optional output: the class counts as CSV for a plot."""
    repair_examples: Path | None = None
    """Optional output: ten rows of each repair before and after."""

    @property
    def outputs(self) -> list[Path]:
        """The files that are written."""
        return [self.kept, self.quarantined, self.metrics, *(path for path in (self.classes, self.repair_examples) if path)]


@dataclass(frozen=True, kw_only=True)
class CleanCounts:
    """Where every line of the source went."""

    lines: int
    kept: int
    quarantined: int
    blank: int
    reasons: Mapping[str, int]
    """Number of quarantined lines by reason; only reasons that occur."""


def clean_file(files: CleanFiles, policy: Policy, *, near_duplicate_similarity: float) -> CleanCounts:
    """Write the outputs, all or none. InputRefused if no row can be kept, or if the source changes while it is read."""
    refuse_overwriting(files.source, files.outputs)
    refuse_no_file(files.source)
    before = fingerprint(files.source)
    policy = recognised(files.source, policy)
    # The spool lies next to the outputs: the folder for temporary files may be too small for a data set.
    with replacing_all(files.outputs) as opened, tempfile.TemporaryFile(dir=files.kept.parent) as spool:
        streams = dict(zip(files.outputs, opened, strict=True))
        first_pass = clean_all(files.source, policy, spool)
        if not any(len(chunk.kept_lines) for chunk in first_pass.chunks):
            raise nothing_kept(files.source, first_pass, policy.source)
        near_groups = None
        if Rule.NEAR_DUPLICATE in policy.active:
            with working("clean: near-duplicates"):
                near_groups = near_duplicate_groups(row_texts(spool), near_duplicate_similarity)
        repeats = decide_repeats(first_pass.question_keys, first_pass.row_keys, near_groups, policy.actions)
        sampler = ExampleSampler(files.source.as_posix(), policy) if files.repair_examples else None
        written = (streams[files.kept], streams[files.quarantined])
        with working("clean: writing"):
            summary = write_rows(files.source, policy, first_pass, repeats, *written, sampler)
        if fingerprint(files.source) != before:
            raise InputRefused("source_changed", f"{files.source} changed while it was read. Run again when nothing writes to it.")
        streams[files.metrics].write(summary_bytes(summary))
        if files.classes:
            streams[files.classes].write(classes_table(summary).encode())
        if files.repair_examples and sampler:
            streams[files.repair_examples].writelines(example.model_dump_json().encode() + b"\n" for example in sampler.examples())
    num_refused = summary["reasons"].get(Reason.INVALID_UTF8, 0)
    if advice := encoding_advice(files.source, policy.source, num_refused=num_refused, num_rows=summary["lines"]):
        log.warning("%s", advice)
    if num_tools := summary["reasons"].get(Reason.TOOL_CALLS, 0):
        log.warning("%d of %d rows offer or call tools and are put aside: %s.", num_tools, summary["lines"], NOT_TRAINED)
    return CleanCounts(
        lines=summary["lines"],
        kept=summary["kept"],
        quarantined=summary["quarantined"],
        blank=summary["blank"],
        reasons={reason: number for reason, number in summary["reasons"].items() if number},
    )


def fingerprint(path: Path) -> tuple[int, int, int]:
    """Size, time and inode: whether a file changed between two passes over it."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def nothing_kept(source: Path, first_pass: Spooled, source_format: SourceFormat) -> InputRefused:
    """The error for a file with no usable row: an empty training set must not look like a success."""
    reasons = sum((chunk.reasons for chunk in first_pass.chunks), Counter[str]())
    if not reasons:
        return InputRefused("empty_input", f"{source} holds blank lines only. Give a file with at least one row.")
    first = orjson.loads(next(line for chunk in first_pass.chunks for _, line in chunk.quarantined))
    where = f"The first, {source_format.counted} {first['origin']['line']}: {first['detail']}"
    counted = ", ".join(f"{reason} {number}" for reason, number in reasons.most_common())
    return InputRefused("no_rows", f"{source}: none of {sum(reasons.values())} rows can be kept. Reasons: {counted}. {where}")
