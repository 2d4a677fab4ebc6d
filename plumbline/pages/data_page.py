"""What the data page says: what the rows were, where each went, and how each repair looks. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from plumbline.cleaning.codes import Notice, OutputClass, Reason, Repair, Rule
from plumbline.cleaning.quarantined_row import QuarantinedRow, RedactedLine
from plumbline.cleaning.repair_example import RepairExample
from plumbline.pages.code_meanings import CLASSES, NOTICES, OVERLAPS, REASONS, REPAIRS
from plumbline.pages.text_diff import visible, word_diff
from plumbline.rows.instruction_row import InstructionRow

NUM_LINES_PER_REASON = 3
MAX_LINE_CHARACTERS = 600
HIDDEN = frozenset({Rule.SECRET, Rule.PERSONAL_DATA})
"""The flags of rows that no page copies."""
WHERE = {"earlier": "an earlier turn"}


def headline(summary: Mapping[str, Any], num_removed: int) -> str:
    """What matters most: how many rows are not trained on. `num_removed`: rows that repeat a question of the benchmark."""
    num_rows = summary["lines"] - summary["blank"]
    aside = f"{summary['quarantined']:,} of {num_rows:,} rows were put aside" if summary["quarantined"] else "No row was put aside"
    if not num_removed:
        return f"{aside}, and none repeats the benchmark."
    return f"{aside}, and {num_removed:,} {'was' if num_removed == 1 else 'were'} removed for the benchmark."


def structured_words(summary: Mapping[str, Any]) -> str:
    """How many outputs were structured text, and how many still are."""
    before, after = summary["structured_before"], summary["structured_after"]
    if before == 0:
        return "Every output was plain text already."
    if after == 0:
        return f"{before:,} {'output was' if before == 1 else 'outputs were'} structured text. None is left."
    return f"{after:,} of {before:,} structured outputs are left as they were."


def conservation(summary: Mapping[str, Any]) -> str:
    """Where every line went."""
    return (
        f"{summary['lines']:,} lines = {summary['kept']:,} kept + {summary['quarantined']:,} put aside with a reason"
        f" + {summary['blank']:,} blank."
    )


def class_rows(summary: Mapping[str, Any]) -> list[dict[str, object]]:
    """The classes that occur, the most frequent first: outputs before and kept outputs after, as counts and as shares of the largest count."""
    rows = [(CLASSES[kind], summary["classes_before"][kind], summary["classes_after"][kind]) for kind in OutputClass]
    largest = max((count for _, *counts in rows for count in counts), default=0) or 1
    return [
        {
            "name": name,
            "before": before,
            "after": after,
            "share_before": f"{before / largest:.4f}",
            "share_after": f"{after / largest:.4f}",
        }
        for name, before, after in sorted(rows, key=lambda row: (-row[1], row[0]))
        if before or after
    ]


def shown_line(row: QuarantinedRow) -> dict[str, str]:
    """One quarantined line: its place, what was found, and its text unless it must not be copied."""
    raw = row.raw
    text = f"{raw.length:,} bytes, sha256 {raw.sha256[:16]}: not copied" if isinstance(raw, RedactedLine) else short(raw)
    return {"where": f"line {row.origin.line}", "detail": visible(row.detail), "text": text}


def how_many(num_shown: int, num: int, what: str) -> str:
    """How many of how many are shown."""
    return f"{num_shown:,} of {num:,} {what}{'' if num == 1 else 's'}"


def reason_rows(summary: Mapping[str, Any], quarantined: Mapping[str, Sequence[QuarantinedRow]]) -> list[dict[str, object]]:
    """The reasons that occur, the most frequent first, each with up to three of its lines."""
    known: list[Reason | Rule] = [*Reason, *Rule]
    counts = {code: number for code in known if (number := summary["reasons"].get(code, 0))}
    rows: list[dict[str, object]] = []
    for code, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        lines = [shown_line(row) for row in quarantined.get(code, [])[:NUM_LINES_PER_REASON]]
        shown = how_many(len(lines), number, "line")
        rows.append({"code": str(code), "meaning": REASONS[code], "num": number, "lines": lines, "shown": shown})
    return rows


def flag_rows(summary: Mapping[str, Any], flagged: Mapping[str, Sequence[InstructionRow]]) -> list[dict[str, object]]:
    """The flags that occur on kept rows, the most frequent first, each with up to three of its rows."""
    known: list[Notice | Rule] = [*Notice, *Rule]
    counts = {code: number for code in known if (number := summary["flags"].get(code, 0))}
    rows: list[dict[str, object]] = []
    for code, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        shown = [shown_kept(row, is_hidden=code in HIDDEN) for row in flagged.get(code, [])[:NUM_LINES_PER_REASON]]
        rows.append(
            {"code": str(code), "meaning": NOTICES[code], "num": number, "lines": shown, "shown": how_many(len(shown), number, "row")}
        )
    return rows


def shown_kept(row: InstructionRow, *, is_hidden: bool) -> dict[str, str]:
    """One kept row: its place in the source, its question and its answer, unless they must not be copied."""
    asked = f"{row.instruction}\n{row.input}".strip()
    text = "not copied: look at the line itself" if is_hidden else f"{short(asked)}\n→ {short(row.output)}"
    return {"where": f"line {row.origin.line}", "detail": f"row {row.id}", "text": text}


def removed_rows(removed: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    """The rules by which rows were removed for the benchmark, the most frequent first, each with up to three rows. `removed`: as split wrote them."""
    counts = Counter(str(row["rule"]) for row in removed)
    rows: list[dict[str, object]] = []
    for rule, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        found = [row for row in removed if row["rule"] == rule][:NUM_LINES_PER_REASON]
        lines = [
            {
                "where": f"line {row['origin']['line']}",
                "detail": f"repeats question {row['question_id']}",
                "text": short(row["instruction"]),
            }
            for row in found
        ]
        rows.append({"code": rule, "meaning": OVERLAPS[rule], "num": number, "lines": lines, "shown": how_many(len(lines), number, "row")})
    return rows


def short(text: str) -> str:
    """The beginning of a text, with a sign for each character that cannot be seen."""
    seen = visible(text)
    return seen if len(seen) <= MAX_LINE_CHARACTERS else f"{seen[:MAX_LINE_CHARACTERS]} … and {len(seen) - MAX_LINE_CHARACTERS:,} more"


def shown_example(example: RepairExample) -> dict[str, object]:
    """One repair, word by word."""
    pieces = word_diff(example.before, example.after)
    cut = [f"{example.num_skipped:,} characters before"] if example.num_skipped else []
    if example.num_cut_before or example.num_cut_after:
        cut.append(f"{max(example.num_cut_before, example.num_cut_after):,} after")
    return {
        "where": f"line {example.origin.line}, {WHERE.get(example.field, example.field)}",
        "id": example.id,
        "pieces": [{"kind": piece.kind, "text": visible(piece.text)} for piece in pieces],
        "after": visible(example.after),
        "cut": " and ".join(cut),
    }


def repair_rows(summary: Mapping[str, Any], examples: Sequence[RepairExample]) -> list[dict[str, object]]:
    """The repairs that occur, the most frequent first, each with its examples."""
    by_code = {code: [shown_example(one) for one in found] for code, found in groupby(examples, key=lambda example: example.code)}
    counts = {code: summary["repairs"][code] for code in Repair if summary["repairs"][code]}
    rows: list[dict[str, object]] = []
    for code, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        found = by_code.get(code, [])
        shown = how_many(len(found), number, "row")
        rows.append({"code": str(code), "meaning": REPAIRS[code], "num": number, "examples": found, "shown": shown})
    return rows


def length_words(lengths: Sequence[int], max_length: int) -> str:
    """Median, 99 % and largest length, and how many rows do not fit. `lengths`: tokens of question and answer together."""
    ordered = sorted(lengths)
    median, high = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.99))
    too_long = sum(length > max_length for length in lengths)
    fits = "all fit" if not too_long else f"{too_long:,} are longer"
    return (
        f"{sum(ordered):,} tokens in {len(ordered):,} rows: median {median}, 99 % up to {high}, longest {ordered[-1]}; "
        f"train.max_length is {max_length}: {fits}. The chat template adds a few tokens to each."
    )
