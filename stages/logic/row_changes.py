"""Say which rows came, went or changed between two states of the cleaned data, and why. Pure."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from stages.records.instruction_row import InstructionRow
from stages.records.quarantined_row import QuarantinedRow

FIELDS = ("instruction", "input", "output", "repairs", "flags")


class Change(NamedTuple):
    """One row that is not the same before and after."""

    kind: Literal["added", "removed", "changed"]
    line: int
    """In the source of the later state; of the earlier one where the row was removed."""
    why: str
    """The reason of the quarantine it went to or came from, the fields that differ, or where it stood."""
    before: InstructionRow | None
    after: InstructionRow | None


class State(NamedTuple):
    """The cleaned data at one revision."""

    kept: Sequence[InstructionRow]
    quarantined: Sequence[QuarantinedRow]


def compare(before: State, after: State) -> list[Change]:
    """List the changes in the order of their lines.

    Rows are matched by their content, then by their question, then by line and answer: a row that only moved is no change.
    """
    left, right = list(before.kept), list(after.kept)
    same, left, right = pair(left, right, lambda row: (row.id, row.repairs, row.flags))
    del same
    pairs: list[tuple[InstructionRow, InstructionRow]] = []
    keys: tuple[Callable[[InstructionRow], object], ...] = (
        lambda row: row.id,
        lambda row: (row.instruction, row.input),
        lambda row: (row.origin.line, row.output),
    )
    for key in keys:
        found, left, right = pair(left, right, key)
        pairs += found
    changes = [Change("changed", new.origin.line, differing_fields(old, new), old, new) for old, new in pairs]
    gone, back = reasons_by_question(after), reasons_by_question(before)
    for row in left:
        reason = gone.get(squeezed(row.instruction))
        changes.append(Change("removed", row.origin.line, f"quarantined now: {reason}" if reason else "not in the source", row, None))
    for row in right:
        reason = back.get(squeezed(row.instruction))
        changes.append(Change("added", row.origin.line, f"quarantined before: {reason}" if reason else "new in the source", None, row))
    return sorted(changes, key=lambda change: (change.line, change.kind))


def pair(
    left: Sequence[InstructionRow], right: Sequence[InstructionRow], key: Callable[[InstructionRow], object]
) -> tuple[list[tuple[InstructionRow, InstructionRow]], list[InstructionRow], list[InstructionRow]]:
    """Pair rows with equal keys, in their order; with what is left over on both sides."""
    waiting: dict[object, list[InstructionRow]] = defaultdict(list)
    for row in reversed(left):
        waiting[key(row)].append(row)
    pairs: list[tuple[InstructionRow, InstructionRow]] = []
    rest: list[InstructionRow] = []
    taken: set[int] = set()
    for row in right:
        same = waiting.get(key(row))
        if same:
            old = same.pop()
            taken.add(id(old))
            pairs.append((old, row))
        else:
            rest.append(row)
    return pairs, [row for row in left if id(row) not in taken], rest


def differing_fields(old: InstructionRow, new: InstructionRow) -> str:
    """Names of the fields that differ."""
    return ", ".join(name for name in FIELDS if getattr(old, name) != getattr(new, name))


def reasons_by_question(state: State) -> dict[str, str]:
    """Reason of the quarantine by the question of the line, for lines that can be read."""
    reasons: dict[str, str] = {}
    for row in state.quarantined:
        try:
            content = json.loads(row.raw) if isinstance(row.raw, str) else None
        except (json.JSONDecodeError, RecursionError):
            continue  # nobody can tell which question a broken line asked
        question = content.get("instruction", content.get("prompt")) if isinstance(content, dict) else None
        if isinstance(question, str):
            reasons.setdefault(squeezed(question), row.reason)
    return reasons


def squeezed(text: str) -> str:
    """A question as matched: white space does not count."""
    return " ".join(text.split())


def counts(changes: Sequence[Change]) -> dict[str, int]:
    """Changes by kind and reason, most frequent first."""
    found = Counter(f"{change.kind} ({change.why})" for change in changes)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
