"""The overlap of the corpus and the benchmark: what was dropped, and how near the rest comes."""

from typing import Literal

from plumbline.pipeline.record import Record
from plumbline.retrieval.leaks import LeakReason


class CorpusSummary(Record):
    """First line of data/context/overlap.jsonl: the counts."""

    record: Literal["summary"] = "summary"
    num_passages: int
    """Passages that can be found."""
    num_tokens: int
    """Tokens of these passages, by the base's tokenizer."""
    dropped: dict[str, int]
    """Reason -> number of pieces that cannot be found."""
    unread_files: tuple[str, ...]
    """Files in the folder of the corpus that are neither text nor JSON lines."""


class QuestionNearest(Record):
    """One line per benchmark question, in the order of the benchmark."""

    record: Literal["question"] = "question"
    question_id: str
    score: float
    """Largest share (0-1) of the question's word trigrams in one passage."""
    nearest_passage_id: str | None
    num_dropped: int
    """Passages that were dropped because of this question."""


class LeakedPassage(Record):
    """One line per passage that no arm sees, because it gives a benchmark question away."""

    record: Literal["leaked_passage"] = "leaked_passage"
    passage_id: str
    question_id: str
    reason: LeakReason
    score: float
    """Score of the overlap rule, 0-1."""
    text: str
