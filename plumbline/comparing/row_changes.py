"""Say which rows came, went or changed between two states of the cleaned data, and why. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal, NamedTuple

from plumbline.cleaning.json_line import LineRefused, parse_line
from plumbline.cleaning.quarantined_row import QuarantinedRow
from plumbline.cleaning.row_columns import FORMATS, possible_columns
from plumbline.cleaning.row_shapes import read_row
from plumbline.cleaning.text_repair import TextRefused, mend_text
from plumbline.rows.instruction_row import InstructionRow

FIELDS = ("instruction", "input", "output", "repairs", "flags", "earlier")


class Change(NamedTuple):
    """One row that is not the same before and after."""

    kind: Literal["added", "removed", "changed"]
    line: int
    """In the source of the later state; of the earlier one if the row was removed."""
    why: str
    """The reason of the quarantine it went to or came from, the fields that differ, or where it was."""
    before: InstructionRow | None
    after: InstructionRow | None


class State(NamedTuple):
    """The cleaned data at one revision."""

    kept: Sequence[InstructionRow]
    quarantined: Sequence[QuarantinedRow]


def compare(before: State, after: State) -> list[Change]:
    """List the changes in the order of their lines.

    Rows are matched by their content, then by their question, then by line and answer: a row that only moved is not a change.
    """
    left, right = list(before.kept), list(after.kept)
    same, left, right = pair(left, right, lambda row: (row.id, row.repairs, row.flags))
    del same
    pairs: list[tuple[InstructionRow, InstructionRow]] = []
    keys: tuple[Callable[[InstructionRow], object], ...] = (
        lambda row: row.id,
        lambda row: (row.earlier, row.instruction, row.input),
        lambda row: (row.origin.line, row.output),
    )
    for key in keys:
        found, left, right = pair(left, right, key)
        pairs += found
    changes = [Change("changed", new.origin.line, differing_fields(old, new), old, new) for old, new in pairs]
    gone, back = Quarantine(after), Quarantine(before)
    for row in left:
        changes.append(Change("removed", row.origin.line, gone.why(row, "now") or "not in the source", row, None))
    for row in right:
        changes.append(Change("added", row.origin.line, back.why(row, "before") or "new in the source", None, row))
    return sorted(changes, key=lambda change: (change.line, change.kind))


def pair(
    left: Sequence[InstructionRow], right: Sequence[InstructionRow], key: Callable[[InstructionRow], object]
) -> tuple[list[tuple[InstructionRow, InstructionRow]], list[InstructionRow], list[InstructionRow]]:
    """Pair rows with equal keys, in their order, and return what is left over on both sides as well."""
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


class Quarantine:
    """The reasons of a state's quarantined lines, by question; by place if no one can tell which question a line asked."""

    def __init__(self, state: State) -> None:
        self.by_question: dict[str, str] = {}
        self.by_place: dict[tuple[str, int], str] = {}
        for row in state.quarantined:
            question = question_of(row.raw) if isinstance(row.raw, str) else None
            if question is None:
                self.by_place[row.origin.file, row.origin.line] = row.reason
            else:
                self.by_question.setdefault(matched(question), row.reason)

    def why(self, row: InstructionRow, when: str) -> str | None:
        """Where the row went or came from; None if it was not quarantined."""
        if reason := self.by_question.get(matched(row.instruction)):
            return f"quarantined {when}: {reason}"
        reason = self.by_place.get((row.origin.file, row.origin.line))
        return f"quarantined {when}, by its line: {reason}" if reason else None


def question_of(raw: str) -> str | None:
    """The question of a quarantined line, in whatever shape its file had; None if it cannot be read."""
    try:
        content, _ = parse_line(raw.encode("utf-8", "replace"))
    except LineRefused:
        return None
    for columns in (*FORMATS.values(), *possible_columns(frozenset(content))):
        try:
            return read_row(content, columns).instruction
        except LineRefused:
            continue
    # A row that lacks its answer may have been put aside for just that.
    question = content.get("instruction", content.get("prompt"))
    return question if isinstance(question, str) else None


def matched(question: str) -> str:
    """A question in the form for matching: as the cleaner repairs it, and white space does not count."""
    # What cannot be repaired was kept as it is, or not at all.
    with suppress(TextRefused):
        question = mend_text(question).text
    return " ".join(question.split())


def counts(changes: Sequence[Change]) -> dict[str, int]:
    """Changes by kind and reason, most frequent first."""
    found = Counter(f"{change.kind} ({change.why})" for change in changes)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
