"""What the data page says: what the rows were, what became of them, and how each repair looks. Pure."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from plumbline.cleaning.codes import Notice, OutputClass, Reason, Repair, Rule
from plumbline.cleaning.quarantined_row import QuarantinedRow, RedactedLine
from plumbline.cleaning.repair_example import RepairExample
from plumbline.pages.code_meanings import CLASSES, NOTICES, REASONS, REPAIRS
from plumbline.pages.text_diff import visible, word_diff

NUM_LINES_PER_REASON = 3
MAX_LINE_CHARACTERS = 600
WHERE = {"earlier": "an earlier turn"}


def headline(summary: Mapping[str, Any]) -> str:
    """The verdict: how many outputs were structured text, and how many still are."""
    before, after = summary["structured_before"], summary["structured_after"]
    if before == 0:
        return "Every output was plain text already."
    if after == 0:
        return f"{before:,} of {summary['lines']:,} outputs were structured text. None is left."
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
    """One quarantined line: where it stands, what was found, and its text unless it must not be copied."""
    if isinstance(row.raw, RedactedLine):
        text = f"{row.raw.length:,} bytes, sha256 {row.raw.sha256[:16]}: not copied"
    else:
        text = visible(row.raw)
        text = text if len(text) <= MAX_LINE_CHARACTERS else f"{text[:MAX_LINE_CHARACTERS]} … and {len(text) - MAX_LINE_CHARACTERS:,} more"
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


def flag_rows(summary: Mapping[str, Any]) -> list[dict[str, object]]:
    """The flags that occur on kept rows, the most frequent first."""
    known: list[Notice | Rule] = [*Notice, *Rule]
    counts = {code: number for code in known if (number := summary["flags"].get(code, 0))}
    return [
        {"code": str(code), "meaning": NOTICES[code], "num": number}
        for code, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


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
