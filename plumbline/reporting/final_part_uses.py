"""The two records of who was scored on the final part: the tracked file, and a journal that no run can forget to write.

The journal is in `$DVC_ROOT/.cache/final_part`: runs in the folder, in temporary copies and in the queue all write to one file. No output
depends on it, because git and DVC do not know it.
"""

import logging
import os
import sys
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from plumbline.pipeline.cache import cache_folder
from plumbline.pipeline.files import sync_folder
from plumbline.reporting.benchmark_parts import Part
from plumbline.reporting.final_part import uses_final_part
from plumbline.reporting.final_part_use import FinalPartUse

log = logging.getLogger("report")


def journal_path() -> Path:
    """Where this repository keeps its journal; DVC names the main repository in DVC_ROOT, in a temporary experiment too."""
    return cache_folder("final_part") / "uses.jsonl"


def read_uses(path: Path) -> list[FinalPartUse]:
    """The uses of the tracked record, in its order; none without a file. ValueError for a line that is not a use."""
    uses: list[FinalPartUse] = []
    for number, line in enumerate(lines_of(path), start=1):
        try:
            uses.append(FinalPartUse.model_validate_json(line))
        except ValidationError as error:
            raise ValueError(
                f"{path}, line {number}: not a use of the final part ({error.error_count()} problems). A line is "
                f'{{"benchmark_sha256": "...", "answers_sha256": "..."}}; restore the file from git, then run `plumbline final-part`.'
            ) from None
    return uses


def read_journal(path: Path) -> list[FinalPartUse]:
    """The uses of the journal. A line that a kill cut off is left out: the use is written before the look, so nothing was looked at."""
    uses: list[FinalPartUse] = []
    for line in lines_of(path):
        with suppress(ValidationError):
            uses.append(FinalPartUse.model_validate_json(line))
    return uses


def lines_of(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line] if path.exists() else []


def note_use(journal: Path, use: FinalPartUse) -> None:
    """Add a use to the journal, if it is new. It is on the disk before this returns."""
    if use in read_journal(journal):
        return
    journal.parent.mkdir(parents=True, exist_ok=True)
    # A line that a kill cut off is ended first, so that it cannot swallow this one.
    torn = journal.exists() and not journal.read_bytes().endswith(b"\n") and journal.stat().st_size > 0
    line = ("\n" if torn else "") + use.model_dump_json() + "\n"
    # One write in append mode: lines of two runs at once do not mix.
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(journal.parent)


def is_beside_the_clone() -> bool:
    """Whether this is the folder of an experiment, as in `make real`: DVC names the clone, which is another folder."""
    clone = os.environ.get("DVC_ROOT")
    return clone is not None and Path(clone).resolve() != Path.cwd().resolve()


def note_look(own: AbstractSet[FinalPartUse], counted: AbstractSet[FinalPartUse], *, part: Part, journal: Path) -> None:
    """Record a look at the final part before it is made. SystemExit for a claim that would count too few of them.

    `counted`: the uses of this benchmark in the tracked record.
    """
    benchmarks = {use.benchmark_sha256 for use in own}
    missing = frozenset(use for use in read_journal(journal) if use.benchmark_sha256 in benchmarks) - counted - own
    if missing:
        were = "arm was" if len(missing) == 1 else "arms were"
        text = f"{len(missing)} more {were} scored on the final part here than metrics/final_part_uses.jsonl has"
        beside = is_beside_the_clone()
        adds = f"run plumbline final-part{' in the clone' if beside else ''}, which adds {'it' if len(missing) == 1 else 'them'}"
        if part == "final":
            sys.exit(
                f"report: {text}: {adds}, then run this again. Nothing was scored: the claim would not say how often the part was used."
            )
        if beside:  # there is no record to change in the folder of an experiment, and this run claims nothing
            log.info("%s; this run need not count them. Before a claim (report.part=final) %s", text, adds)
        else:
            log.warning("%s: %s, then dvc repro", text, adds)
    if uses_final_part(part):
        for use in sorted(own, key=lambda use: use.answers_sha256):
            note_use(journal, use)
