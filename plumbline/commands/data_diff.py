"""Show which cleaned rows were added, removed or changed between two git revisions, and why. Touches git and DVC's cache."""

import sys

import click

from plumbline.cleaning.quarantined_row import QuarantinedRow
from plumbline.commands.refusing import refusing, repository
from plumbline.comparing.revisions import WORKSPACE, Source, open_run
from plumbline.comparing.row_changes import Change, State, compare, counts
from plumbline.rows.instruction_row import InstructionRow

KEPT = "data/clean/kept.jsonl"
QUARANTINED = "data/clean/quarantined.jsonl"


def state_of(run: Source) -> State:
    """The cleaned data of a run. Only LF ends a line: a quarantined line may hold any other separator."""
    kept, quarantined = ([line for line in run.read(path).split(b"\n") if line] for path in (KEPT, QUARANTINED))
    return State(
        [InstructionRow.model_validate_json(line) for line in kept], [QuarantinedRow.model_validate_json(line) for line in quarantined]
    )


def describe(change: Change, width: int) -> str:
    """One change in a few lines, safe for a terminal."""
    row = change.after or change.before
    assert row is not None
    lines = [f"{change.kind:8} line {change.line}: {change.why}", f"    {short(row.instruction, width)}"]
    if change.before is not None and change.after is not None:
        for name in ("instruction", "input", "output", "repairs", "flags"):
            old, new = getattr(change.before, name), getattr(change.after, name)
            if old != new:
                lines += [f"  - {name}: {short(str(old), width)}", f"  + {name}: {short(str(new), width)}"]
    else:
        lines.append(f"    {short(row.output, width)}")
    return "\n".join(lines)


def short(text: str, width: int) -> str:
    """One line of a text; no control character reaches the terminal."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= width else line[: width - 1] + "…"


def difference(before: Source, after: Source, names: tuple[str, str], *, limit: int, width: int) -> tuple[str, bool]:
    """What to print about two states, and whether rows differ."""
    old, new = state_of(before), state_of(after)
    changes = compare(old, new)
    lines = [
        f"{names[0]} -> {names[1]}: kept {len(old.kept)} -> {len(new.kept)}, quarantined {len(old.quarantined)} -> {len(new.quarantined)}"
    ]
    lines += [f"{number:7} {reason}" for reason, number in counts(changes).items()]
    lines += [describe(change, width) for change in changes[:limit]]
    if len(changes) > limit:
        lines.append(f"... and {len(changes) - limit} more (--limit)")
    return "\n".join(lines), bool(changes)


@click.command()
@click.argument("before")
@click.argument("after", default=WORKSPACE)
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Rows to show; 0 shows counts only.")
@click.option("--width", type=click.IntRange(min=1), default=110, show_default=True, help="Characters of a text to show.")
def command(before: str, after: str, limit: int, width: int) -> None:
    """Show which cleaned rows changed between two revisions.

    BEFORE and AFTER are each a git revision or an experiment; AFTER is the workspace if it is left out. Each row comes with its reason. Line numbers
    are those of the source; in CSV and Parquet they count records, without the header. The data of a revision must be in the DVC cache: `dvc fetch`
    brings it from a remote.

    Exit 0 if no row differs, 1 if rows differ, 2 if a revision cannot be read.
    """
    root = repository()
    with refusing(2, ValueError, OSError):
        told, differs = difference(open_run(root, before), open_run(root, after), (before, after), limit=limit, width=width)
    click.echo(told)
    sys.exit(1 if differs else 0)
