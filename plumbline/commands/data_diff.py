"""Show which cleaned rows were added, removed or changed between two git revisions, and why.

    python -m plumbline.commands.data_diff HEAD~1          from a revision to the workspace
    python -m plumbline.commands.data_diff v1 v2           between two revisions
    python -m plumbline.commands.data_diff v1 v2 --limit 0 counts only

A line is one of the source; in CSV and Parquet a record, the header not counted.
Revisions need their data in the DVC cache or on a remote (`dvc fetch`).
"""

import argparse
import sys
from pathlib import Path

from plumbline.cleaning.quarantined_row import QuarantinedRow
from plumbline.comparing.revisions import WORKSPACE, NotThere, Source, open_run
from plumbline.comparing.row_changes import Change, State, compare, counts
from plumbline.rows.instruction_row import InstructionRow

KEPT = "data/clean/kept.jsonl"
QUARANTINED = "data/clean/quarantined.jsonl"


def state_of(run: Source) -> State:
    """The cleaned data of a run. Only LF ends a line: a quarantined one may hold any other separator."""
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


def main(arguments: list[str]) -> int:
    """Print the difference. 0 where there is none, 1 where rows differ, 2 where a revision cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m plumbline.commands.data_diff", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", help="git revision or experiment")
    parser.add_argument("after", nargs="?", default=WORKSPACE, help="git revision or experiment; the workspace where left out")
    parser.add_argument("--limit", type=int, default=20, help="rows to show (default 20)")
    parser.add_argument("--width", type=int, default=110, help="characters of a text to show (default 110)")
    chosen = parser.parse_args(arguments)
    try:
        before, after = (state_of(open_run(Path.cwd(), name)) for name in (chosen.before, chosen.after))
    except NotThere as error:
        sys.stderr.write(f"data_diff: {error}\n")
        return 2
    changes = compare(before, after)
    sys.stdout.write(f"{chosen.before} -> {chosen.after}: kept {len(before.kept)} -> {len(after.kept)}, ")
    sys.stdout.write(f"quarantined {len(before.quarantined)} -> {len(after.quarantined)}\n")
    for reason, number in counts(changes).items():
        sys.stdout.write(f"{number:7} {reason}\n")
    for change in changes[: chosen.limit]:
        sys.stdout.write(describe(change, chosen.width) + "\n")
    if len(changes) > chosen.limit:
        sys.stdout.write(f"... and {len(changes) - chosen.limit} more (--limit)\n")
    return 1 if changes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
