"""Choose a few rows of each repair, and show each as it stood before and after. Pure.

The rows with the smallest ids are taken. An id is a hash of the row's content, so this is a random sample without a seed. It is the
same for any order of the rows and any number of processes. A row that comes or goes changes at most one example.
"""

import json
from bisect import insort
from collections.abc import Collection, Iterable, Mapping, Sequence

import orjson

from plumbline.cleaning.answer_cleaning import classify_output, converted, output_as_it_stands
from plumbline.cleaning.asked_structure import asked_notice
from plumbline.cleaning.cleaned_row import Cleaned
from plumbline.cleaning.codes import Repair
from plumbline.cleaning.json_line import parse_line
from plumbline.cleaning.policy import Policy
from plumbline.cleaning.quality_rules import holds_secret
from plumbline.cleaning.quarantined_row import SourceLine
from plumbline.cleaning.raw_row import RawRow
from plumbline.cleaning.repair_example import RepairExample
from plumbline.cleaning.row_cleaning import clean_line
from plumbline.cleaning.row_shapes import read_row
from plumbline.cleaning.text_repair import mend_text
from plumbline.rows.instruction_row import Origin

NUM_EXAMPLES = 10
"""Of each repair."""
MAX_CHARACTERS = 2000
"""Of a shown text. The longest output of the study's file has 1,439."""
LEAD_CHARACTERS = 200
"""Shown before the first difference of a longer text."""

Candidates = Mapping[str, Sequence[tuple[str, int]]]
"""Code -> (row id, physical line) of at most ten rows, in the order of their ids."""


def smallest_ids(rows: Iterable[tuple[str, int, Sequence[str]]]) -> Candidates:
    """The ten rows with the smallest ids for each code. `rows`: (row id, physical line, codes of its repairs)."""
    chosen: dict[str, list[tuple[str, int]]] = {}
    for row_id, line, codes in sorted(rows):
        for code in codes:
            found = chosen.setdefault(str(code), [])
            if len(found) < NUM_EXAMPLES:
                found.append((row_id, line))
    return chosen


def still_kept(candidates: Candidates, moved: Collection[int], kept: Iterable[bytes]) -> Candidates:
    """Candidates of a chunk after the lines `moved` went to the quarantine; `kept`: its rows as JSON, empty where moved."""
    if not any(line in moved for rows in candidates.values() for _, line in rows):
        return candidates
    rows = (orjson.loads(line) for line in kept if line)
    return smallest_ids((row["id"], row["origin"]["line"], row["repairs"]) for row in rows)


class ExampleSampler:
    """Keeps the ten examples with the smallest ids of each repair while chunk after chunk is offered."""

    def __init__(self, file: str, policy: Policy) -> None:
        self.file = file
        self.policy = policy
        self.chosen: dict[str, list[tuple[str, int, RepairExample]]] = {}

    def offer(self, lines: Sequence[SourceLine], first_line: int, candidates: Candidates) -> None:
        """Take what is among the ten smallest so far. `lines`: the chunk as it stands in the source."""
        for code, rows in candidates.items():
            chosen = self.chosen.setdefault(code, [])
            for row_id, line in rows:
                if len(chosen) == NUM_EXAMPLES and (row_id, line) > chosen[-1][:2]:
                    break
                raw = lines[line - first_line]
                assert isinstance(raw, bytes), "an oversize line was kept"
                # Key material is never shown, not even if params.yaml keeps such rows.
                if not holds_secret(raw.decode("utf-8", "replace")):
                    insort(chosen, (row_id, line, example_of(code, row_id, Origin(file=self.file, line=line), raw, self.policy)))
                    del chosen[NUM_EXAMPLES:]

    def next_of(self, candidates: Candidates, moved: Collection[int], kept: Iterable[bytes]) -> Candidates:
        """Candidates of a chunk after the lines `moved` went to the quarantine; `kept`: its rows as JSON, empty where moved.

        An eleventh row of a code is looked for only if it could be among the ten of the whole source: reading all rows of each
        chunk again costs more than everything else here.
        """
        hit = [code for code, rows in candidates.items() if any(line in moved for _, line in rows)]
        if any(self.could_take(code, candidates[code][-1]) for code in hit):
            return still_kept(candidates, moved, kept)
        return {code: [row for row in rows if row[1] not in moved] if code in hit else rows for code, rows in candidates.items()}

    def could_take(self, code: str, after: tuple[str, int]) -> bool:
        """Whether a row with a larger id than `after` could still be among the ten."""
        chosen = self.chosen.get(code, [])
        return len(chosen) < NUM_EXAMPLES or after < chosen[-1][:2]

    def examples(self) -> list[RepairExample]:
        """In the order of the codes, then of the ids."""
        return [example for code in Repair for _, _, example in self.chosen.get(code, [])]


def example_of(code: str, row_id: str, origin: Origin, raw: bytes, policy: Policy) -> RepairExample:
    """One kept line before and after a repair. It is cleaned again, which is cheaper than keeping every raw text."""
    content, line_repairs = parse_line(raw)
    row = read_row(content, policy.columns)
    cleaned = clean_line(raw, policy, policy.active)
    assert isinstance(cleaned, Cleaned), "a quarantined line is not an example"
    if code in line_repairs:
        field, before, after = "line", raw.decode("utf-8", "backslashreplace"), json.dumps(content, ensure_ascii=False)
    elif code in output_repairs(row.instruction, row.output):
        field, before, after = "output", output_as_it_stands(row.output), cleaned.output
    elif code in mend_text(row.instruction).repairs:
        field, before, after = "instruction", row.instruction, cleaned.instruction
    elif row.input and code in mend_text(row.input).repairs:
        field, before, after = "input", row.input, cleaned.input
    else:
        field, (before, after) = "earlier", earlier_repair(code, row, cleaned)
    start, end = shown_part(before, after)
    return RepairExample(
        code=code,
        id=row_id,
        origin=origin,
        field=field,
        before=before[start:end],
        after=after[start:end],
        num_skipped=start,
        num_cut_before=max(0, len(before) - end),
        num_cut_after=max(0, len(after) - end),
    )


def output_repairs(question: str, output: object) -> set[str]:
    """Codes of the repairs that an answer took; a row lists those of all its fields together."""
    repairs: list[str] = []
    seen = classify_output(output)
    plain = str(output) if asked_notice(question, output, seen) else converted(output, seen, repairs)
    return {*repairs, *mend_text(plain).repairs}


def earlier_repair(code: str, row: RawRow, cleaned: Cleaned) -> tuple[str, str]:
    """The first text of an earlier exchange that took the repair, before and after."""
    for raw, clean in zip(row.earlier, cleaned.earlier, strict=True):
        if code in mend_text(raw.user).repairs:
            return raw.user, clean.user
        if code in output_repairs(raw.user, raw.assistant):
            return output_as_it_stands(raw.assistant), clean.assistant
    raise AssertionError(f"nothing took {code}")


def shown_part(before: str, after: str) -> tuple[int, int]:
    """Start and end of the part to show: all of it, or MAX_CHARACTERS around the first difference."""
    longest = max(len(before), len(after))
    if longest <= MAX_CHARACTERS:
        return 0, longest
    pairs = enumerate(zip(before, after, strict=False))
    shared = next((index for index, (old, new) in pairs if old != new), min(len(before), len(after)))
    start = min(max(0, shared - LEAD_CHARACTERS), longest - MAX_CHARACTERS)
    return start, start + MAX_CHARACTERS
