"""Keep metrics/final_part_uses.jsonl, the record of the arms that were scored on the final part. Touches git, the journal and the record."""

import json
from collections.abc import Set
from pathlib import Path
from typing import Any

import click

from plumbline.commands.refusing import refusing, repository
from plumbline.comparing.revisions import recorded_evaluations, refuse_shallow
from plumbline.pipeline.files import write_text
from plumbline.reporting.final_part import uses_in, uses_of
from plumbline.reporting.final_part_use import FinalPartUse
from plumbline.reporting.final_part_uses import journal_path, read_journal, read_uses

RECORD = "metrics/final_part_uses.jsonl"
EVALUATION = "metrics/evaluation.json"


def known_uses(root: Path) -> list[FinalPartUse]:
    """Every use that the record, the journal, git or the folder knows, each once. Those of the record come first, in its order."""
    evaluations: list[dict[str, Any]] = recorded_evaluations(root)
    if (root / EVALUATION).exists():
        evaluations.append(json.loads((root / EVALUATION).read_text(encoding="utf-8")))
    found = [*read_journal(root / journal_path()), *(use for one in evaluations for use in uses_in(one))]
    found.sort(key=lambda use: (use.benchmark_sha256, use.answers_sha256))
    return list(dict.fromkeys([*read_uses(root / RECORD), *found]))


def missing_uses(root: Path, own: Set[FinalPartUse]) -> frozenset[FinalPartUse]:
    """Uses of the same benchmark that the record lacks. `own`: uses that the run's own report counts, so they are not missing."""
    refuse_shallow(root)
    recorded, benchmarks = frozenset(read_uses(root / RECORD)), {use.benchmark_sha256 for use in own}
    return frozenset(use for use in known_uses(root) if use.benchmark_sha256 in benchmarks) - recorded - own


def main(root: Path) -> str:
    """Bring the record up to date and return what to tell."""
    refuse_shallow(root)
    before, after = read_uses(root / RECORD), known_uses(root)
    if after != before:
        write_text(root / RECORD, "".join(use.model_dump_json() + "\n" for use in after))
    added = len(after) - len(before)
    lines = [f"{RECORD}: {added} added, {len(after)} in all" + ("; commit it, then run `dvc repro` (only report runs)" if added else "")]
    if (root / EVALUATION).exists():
        benchmark = json.loads((root / EVALUATION).read_text(encoding="utf-8"))["sha256"]["benchmark"]
        lines.append(f"{len(uses_of(after, benchmark))} arms have been scored on the final part of the benchmark of this run")
    return "\n".join(lines) + "\n"


@click.command()
def command() -> None:
    """Record which arms were scored on the final part.

    Adds to metrics/final_part_uses.jsonl every use that it lacks: from the journal of this machine, from every commit and every experiment of this
    repository, and from the evaluation in the folder. Nothing is ever removed. Commit the file; `dvc repro` then runs only `report`, which writes
    the count into the report.

    Exit 2 if a record cannot be read.
    """
    root = repository()
    with refusing(2, ValueError, OSError):
        told = main(root)
    click.echo(told, nl=False)
