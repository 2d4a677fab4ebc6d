"""The numbers of metrics/data.json: what a source held, and what happened to it. Pure."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import accumulate
from typing import Any

from plumbline.cleaning.chunk_cleaning import CleanedChunk
from plumbline.cleaning.classification import classify
from plumbline.cleaning.codes import OCCASIONAL, STRUCTURED, Notice, OutputClass, Reason, Repair, Rule


def summarise(
    *,
    num_blank: int,
    before: Mapping[str, int],
    after: Mapping[str, int],
    reasons: Mapping[str, int],
    repairs: Mapping[str, int],
    flags: Mapping[str, int],
    lengths: Mapping[int, int],
) -> dict[str, Any]:
    """Return the summary. Every usual code is in it, even at zero, so that `dvc metrics diff` shows a change, not a new key.

    `lengths`: characters of a kept output -> number of such outputs.
    """
    num_kept, num_quarantined = sum(after.values()), sum(reasons.values())
    assert sum(before.values()) == num_kept + num_quarantined, "a row vanished"
    return {
        "lines": num_kept + num_quarantined + num_blank,
        "kept": num_kept,
        "quarantined": num_quarantined,
        "blank": num_blank,
        "structured_before": sum(before.get(kind, 0) for kind in STRUCTURED) + before.get(OutputClass.WRONG_TYPE, 0),
        "structured_after": sum(after.get(kind, 0) for kind in STRUCTURED),
        "classes_before": counts(before, OutputClass),
        "classes_after": counts(after, OutputClass),
        "reasons": counts(reasons, Reason, Rule),
        "repairs": counts(repairs, Repair),
        "flags": counts(flags, Notice, Rule),
        "output_characters": quantiles(lengths),
    }


def counts(found: Mapping[str, int], *codes: type[StrEnum]) -> dict[str, int]:
    """Counts by code, in the order of the codes; the occasional ones only if they occur."""
    names = [code.value for kind in codes for code in kind]
    assert set(found) <= set(names), f"codes without a name: {sorted(set(found) - set(names))}"
    return {name: found.get(name, 0) for name in names if name not in OCCASIONAL or found.get(name)}


def quantiles(lengths: Mapping[int, int]) -> dict[str, int]:
    """Median, 90 %, 99 % and largest of a histogram, as values that occur; 0 if it is empty."""
    values = sorted(length for length, number in lengths.items() if number > 0)
    reached = list(accumulate(lengths[value] for value in values))
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {name: values[bisect_left(reached, share * reached[-1])] if values else 0 for name, share in shares.items()}


def classes_table(summary: Mapping[str, Any]) -> str:
    """The class counts before and after as CSV, for `dvc plots`."""
    rows = [f"{stand},{kind.value},{summary[f'classes_{stand}'][kind.value]}" for stand in ("before", "after") for kind in OutputClass]
    return "\n".join(["stand,class,rows", *rows]) + "\n"


class Tally:
    """Counts of the first pass, corrected for rows that repeat others."""

    def __init__(self, chunks: Sequence[CleanedChunk]) -> None:
        self.counts = {name: Counter[str]() for name in ("before", "after", "repairs", "flags", "reasons")}
        for chunk in chunks:
            for name, counter in self.counts.items():
                counter.update(getattr(chunk, name))
        self.num_blank = sum(chunk.num_blank for chunk in chunks)
        self.lengths = Counter(length for chunk in chunks for length in chunk.lengths)

    def move(self, row: Mapping[str, Any], reason: str) -> None:
        """Count a kept row as quarantined."""
        self.counts["after"][classify(row["output"]).kind] -= 1
        self.counts["repairs"].subtract(row["repairs"])
        self.counts["flags"].subtract(row["flags"])
        self.counts["reasons"][reason] += 1
        self.lengths[len(row["output"])] -= 1

    def flag(self, flags: Iterable[str]) -> None:
        """Count more flags of a kept row."""
        self.counts["flags"].update(flags)

    def summary(self) -> dict[str, Any]:
        """The content of metrics/data.json."""
        return summarise(**self.counts, num_blank=self.num_blank, lengths=self.lengths)


def summary_bytes(summary: Mapping[str, Any]) -> bytes:
    """The summary as indented JSON, for people and `git diff`."""
    return (json.dumps(summary, indent=2) + "\n").encode()
