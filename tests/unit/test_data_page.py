"""The words of the data page: every code has a meaning, and what is said follows the counts."""

from typing import Any, get_args

import pytest

from plumbline.cleaning.codes import Notice, OutputClass, Reason, Repair, Rule
from plumbline.cleaning.quarantined_row import QuarantinedRow, RedactedLine
from plumbline.cleaning.repair_example import RepairExample
from plumbline.pages.code_meanings import CLASSES, NOTICES, OVERLAPS, REASONS, REPAIRS
from plumbline.pages.data_figures import draw_lengths, drawn_up_to
from plumbline.pages.data_page import (
    class_rows,
    flag_rows,
    headline,
    length_words,
    reason_rows,
    removed_rows,
    repair_rows,
    structured_words,
)
from plumbline.pages.text_diff import visible
from plumbline.rows.instruction_row import InstructionRow, Origin
from plumbline.splitting.overlap import OverlapRule


def summary(**changes: dict[str, int] | int) -> dict[str, Any]:
    counts: dict[str, dict[str, int]] = {
        "classes_before": dict.fromkeys(OutputClass, 0),
        "classes_after": dict.fromkeys(OutputClass, 0),
        "reasons": dict.fromkeys([*Reason, *Rule], 0),
        "repairs": dict.fromkeys(Repair, 0),
        "flags": dict.fromkeys([*Notice, *Rule], 0),
    }
    numbers: dict[str, Any] = {"lines": 10, "kept": 8, "quarantined": 2, "blank": 0, "structured_before": 3, "structured_after": 0}
    for name, change in changes.items():
        numbers[name] = change if isinstance(change, int) else counts.pop(name) | change
    return counts | numbers


def test_every_code_that_clean_can_write_has_a_meaning() -> None:
    assert set(CLASSES) == set(OutputClass)
    assert set(REASONS) == {*Reason, *Rule}
    assert set(REPAIRS) == set(Repair)
    assert set(NOTICES) == {*Notice, *Rule}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (0, 0, "Every output was plain text already."),
        (3, 0, "3 outputs were structured text. None is left."),
        (1, 0, "1 output was structured text. None is left."),
        (3, 2, "2 of 3 structured outputs are left as they were."),
    ],
)
def test_what_is_said_of_structured_outputs_follows_the_counts(before: int, after: int, said: str) -> None:
    assert structured_words(summary(structured_before=before, structured_after=after)) == said


def test_the_headline_says_which_rows_are_not_trained_on() -> None:
    assert headline(summary(), 0) == "2 of 10 rows were put aside, and none repeats the benchmark."
    assert headline(summary(), 3) == "2 of 10 rows were put aside, and 3 were removed for the benchmark."
    assert headline(summary(quarantined=0), 1) == "No row was put aside, and 1 was removed for the benchmark."


def kept(line: int, output: str = "So.") -> InstructionRow:
    return InstructionRow(
        id=f"row{line}", instruction="Why?", input="", output=output, origin=Origin(file="f", line=line), repairs=(), flags=("x",)
    )


def test_flagged_rows_are_shown_but_for_those_that_no_page_copies() -> None:
    numbers = summary(flags={"contradiction": 5, "personal_data": 1})
    flagged = {"contradiction": [kept(line) for line in range(1, 6)], "personal_data": [kept(9, "call 555-0100")]}
    first, second = flag_rows(numbers, flagged)
    assert (first["code"], first["shown"]) == ("contradiction", "3 of 5 rows")
    assert first["lines"] == [{"where": f"line {line}", "detail": f"row row{line}", "text": "Why?\n→ So."} for line in (1, 2, 3)]
    assert second["code"] == "personal_data" and "555" not in str(second)


def test_rows_removed_for_the_benchmark_are_shown_by_rule() -> None:
    removed = [
        {"rule": rule, "origin": {"line": line}, "question_id": "q1", "instruction": "Why?"}
        for line, rule in enumerate(["ngram", "near_duplicate", "ngram"], start=1)
    ]
    rows = removed_rows(removed)
    assert [(row["code"], row["num"]) for row in rows] == [("ngram", 2), ("near_duplicate", 1)]
    assert rows[0]["lines"] == [{"where": f"line {line}", "detail": "repeats question q1", "text": "Why?"} for line in (1, 3)]
    assert OVERLAPS.keys() == set(get_args(OverlapRule))


def test_only_what_occurs_is_shown_the_most_frequent_first() -> None:
    numbers = summary(classes_before={"plain": 3, "json_object": 7}, classes_after={"plain": 8}, reasons={"refusal": 1, "truncated": 2})
    rows = [(row["name"], row["before"], row["after"], row["share_before"], row["share_after"]) for row in class_rows(numbers)]
    assert rows == [("JSON object", 7, 0, "0.8750", "0.0000"), ("plain text", 3, 8, "0.3750", "1.0000")]
    assert [(row["code"], row["num"]) for row in reason_rows(numbers, {})] == [("truncated", 2), ("refusal", 1)]


def test_lines_that_must_not_be_copied_are_shown_by_length_and_hash() -> None:
    row = QuarantinedRow(
        origin=Origin(file="f", line=3), reason="secret", detail="key material", raw=RedactedLine(length=1200, sha256="ab" * 32)
    )
    shown: Any = reason_rows(summary(reasons={"secret": 1}), {"secret": [row]})[0]["lines"]
    assert shown == [{"where": "line 3", "detail": "key material", "text": f"1,200 bytes, sha256 {'ab' * 8}: not copied"}]


def test_the_page_says_how_many_of_how_many_it_shows() -> None:
    rows = [
        QuarantinedRow(origin=Origin(file="f", line=line), reason="refusal", detail="opens as one", raw="I cannot.")
        for line in range(1, 25)
    ]
    shown: Any = reason_rows(summary(reasons={"refusal": 24}), {"refusal": rows})[0]
    assert (len(shown["lines"]), shown["shown"]) == (3, "3 of 24 lines")
    few: Any = reason_rows(summary(reasons={"refusal": 1}), {"refusal": rows[:1]})[0]
    assert few["shown"] == "1 of 1 line"


def test_a_repair_is_shown_word_by_word_with_what_cannot_be_seen() -> None:
    example = RepairExample(
        code="latex_escape_swallowed",
        id="a1",
        origin=Origin(file="f", line=7),
        field="output",
        before="half is \x0crac{1}{2} now",
        after="half is \\frac{1}{2} now",
        num_skipped=40,
        num_cut_before=5,
        num_cut_after=6,
    )
    row: Any = repair_rows(summary(repairs={"latex_escape_swallowed": 340}), [example])[0]
    assert row["shown"] == "1 of 340 rows"
    pieces = row["examples"][0]["pieces"]
    assert [piece["text"] for piece in pieces if piece["kind"] == "removed"] == ["␌rac"]
    assert [piece["text"] for piece in pieces if piece["kind"] == "added"] == ["\\frac"]
    assert row["examples"][0]["cut"] == "40 characters before and 6 after"


def test_rows_that_do_not_fit_are_counted() -> None:
    assert "all fit" in length_words([5, 9, 12], 12)
    assert "1 are longer" in length_words([5, 9, 13], 12)


def test_signs_for_what_cannot_be_seen() -> None:
    assert visible("a\tb\u200bc\u00a0d\n") == "a␉b[U+200B]c⍽d\n"


def test_blank_lines_are_no_rows() -> None:
    assert (
        headline(summary(lines=61, kept=30, quarantined=1, blank=30), 0) == "1 of 31 rows were put aside, and none repeats the benchmark."
    )


def test_a_few_rows_that_are_far_longer_do_not_hide_the_rest() -> None:
    usual = [20 + place % 30 for place in range(400)]
    assert drawn_up_to(usual, 512) == 49 and drawn_up_to([*usual, 300], 512) == 300
    assert drawn_up_to([*usual, 21009], 512) == 513
    assert drawn_up_to([600] * 9 + usual, 512) == 600, "more than 1 % of the rows are long: nothing is cut"
    figure = draw_lengths([*usual, 9], [*usual, 21000], 512)
    assert "or more)" in figure and "max_length" in figure and "20000" not in figure
    assert "or more)" not in draw_lengths(usual, usual, 512)


def test_no_rows_and_one_row_can_be_drawn() -> None:
    assert drawn_up_to([], 512) == 1 and "<svg" in draw_lengths([], [], 512) and "<svg" in draw_lengths([0], [0], 512)
