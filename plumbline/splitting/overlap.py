"""How training rows and benchmark questions overlap: what was taken out, and how near the rest comes."""

from typing import Literal

from plumbline.pipeline.record import Record
from plumbline.rows.instruction_row import Origin

OverlapRule = Literal["normalised_exact", "ngram", "near_duplicate"]


class OverlapSummary(Record):
    """First line of overlap.jsonl: the counts."""

    record: Literal["summary"] = "summary"
    num_rows: int
    """Rows that came from `clean`."""
    num_removed: int
    removed_by_rule: dict[str, int]
    """A row that breaks several rules counts under the first of them."""
    num_questions_touched: int
    """Benchmark questions that had at least one row taken out."""


class QuestionOverlap(Record):
    """One line per benchmark question, in their order."""

    record: Literal["question"] = "question"
    question_id: str
    score: float
    """Largest share (0-1) of the question's word trigrams that one remaining row's question holds. 1: that question holds all of them."""
    nearest_row_id: str | None
    """The row with that share; None if no row holds any."""
    num_removed: int
    """Rows taken out because of this question."""


class LeftOutQuestion(Record):
    """One line per row of the benchmark file that no arm is asked, after all others."""

    record: Literal["left_out_question"] = "left_out_question"
    question_id: str
    where: str
    """File and line, record or number in the list."""
    reason: str
    """needs_picture, answer_kind_not_read, target_not_read, choices_not_found, equal_choices, repeats_question, several_targets or several_prompts."""
    detail: str


class RemovedRow(Record):
    """One line per row that neither trains nor validates, because it repeats a benchmark question."""

    record: Literal["removed_row"] = "removed_row"
    row_id: str
    origin: Origin
    question_id: str
    rule: OverlapRule
    score: float
    """Share of the question's n-grams for ngram, Jaccard similarity for near_duplicate, 1 for normalised_exact."""
    instruction: str
