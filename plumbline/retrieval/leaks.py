"""Tell a copy of a benchmark question in the corpus from a fact that answers it. Pure.

A fact states, a copy asks. So we look for a question only where a passage asks. A passage asks in sentences that end in a question mark
or begin with "find", "explain" and the like, together with the sentences before them. The question of an instruction row also asks.
Only a copy with all the numbers of a problem is a leak at any place: no textbook has the same numbers by chance.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from plumbline.near_duplicates import numbers_in
from plumbline.retrieval.found import needs_in, num_needed
from plumbline.retrieval.pieces import Piece
from plumbline.rows.instruction_row import InstructionRow, Origin
from plumbline.rows.question import Question
from plumbline.splitting.benchmark_overlap import BenchmarkIndex, Match, in_order, words_of

LeakReason = Literal["asks_the_question", "question_and_answer", "problem_with_its_numbers"]

SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]*")
CLOSERS = "\"'”’)]*_ "
DEMAND = re.compile(
    r"""
    ^ (?: \W* (?: q | question | problem | exercise | example )? \s* \d* \s* [.):] \s* )?  # "3. Find", "Question: Find"
    \W*
    (?:
        (?: find | calculate | compute | determine | give | explain | describe | convert | choose | define | derive | prove | tell | identify
          | evaluate | solve | select | pick | predict | discuss )
      | (?: state | name | show | list | estimate | compare | sketch | draw | write | say | express )
        \s+ (?: the | a | an | how | what | why | which | one | two | three | down | me | us )
      | work \s+ out
    )
    \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Beginning of a sentence that demands an answer. "Work is ..." and "States of matter ..." do not demand one."""
SENTENCES_OF_A_QUESTION = 4
"""The asking sentence, and the givens before it."""
HELD_SHARE = 0.5
"""From this share of the needed things on, a passage holds the answer: one choice or number, half of the key points."""
SIGNIFICANT_LETTERS = 4
WORDS_PER_MISSING_ONE = 6
"""In a copy of a question, one in this many significant words may differ."""
MAX_REMEMBERED = 65_536


class Leak(NamedTuple):
    """A question that a passage gives away."""

    question: int
    reason: LeakReason
    score: float
    """Score of the overlap rule, 0-1."""


class LeakFinder:
    """Compares passages with the questions of a benchmark. Each window is compared once, even if the corpus repeats it."""

    def __init__(self, questions: Sequence[Question], index: BenchmarkIndex, *, near_share: float) -> None:
        """`index` holds the same questions. From a `near_share` (0-1) of a question's word trigrams on, a passage asks nearly the same."""
        self._questions, self._index, self._near_share = questions, index, near_share
        self._copied = lru_cache(maxsize=MAX_REMEMBERED)(self._copied_by)
        self._near = lru_cache(maxsize=MAX_REMEMBERED)(self._near_to)

    def find(self, piece: Piece) -> Leak | None:
        """The question that a passage gives away, and how; None if it gives none away."""
        windows = asking_windows(piece)
        for window in windows:
            if match := self._copied(window):
                return Leak(match.question, "asks_the_question", match.score)
        for window in windows:
            for place, score in self._near(window):
                if holds_answer(self._questions[place], piece.text):
                    return Leak(place, "question_and_answer", score)
        has_numbers = bool(numbers_in(piece.text))
        if has_numbers and (match := self._index.match(as_row(piece.text))) and numbers_in(self._questions[match.question].question):
            return Leak(match.question, "problem_with_its_numbers", match.score)
        return None

    def _copied_by(self, window: str) -> Match | None:
        """The question that a window repeats, by the rules for training rows."""
        return self._index.match(as_row(window))

    def _near_to(self, window: str) -> tuple[tuple[int, float], ...]:
        """Questions that a window nearly asks, the nearest first."""
        scores = self._index.scores(as_row(window)).items()
        near = [(place, score) for place, score in scores if score >= self._near_share]
        return tuple(
            sorted((one for one in near if asks_nearly(self._questions[one[0]].question, window)), key=lambda one: (-one[1], one[0]))
        )


def as_row(text: str) -> InstructionRow:
    """A text in the form in which rows are compared with the benchmark."""
    return InstructionRow.model_construct(
        id="", instruction=text, input="", output="", origin=Origin.model_construct(file="", line=1), repairs=(), flags=()
    )


def asking_windows(piece: Piece) -> list[str]:
    """The parts of a passage that ask: each asking sentence with up to three before it, the longest first; and the row's question."""
    sentences = [found[0].strip() for found in SENTENCE.finditer(piece.text) if found[0].strip()]
    windows = [piece.asked] if piece.asked else []
    for end, sentence in enumerate(sentences):
        if asks(sentence):
            windows += [" ".join(sentences[start : end + 1]) for start in range(max(0, end + 1 - SENTENCES_OF_A_QUESTION), end + 1)]
    return list(dict.fromkeys(windows))


def asks(sentence: str) -> bool:
    """Whether a sentence ends in a question mark or begins with a word that demands an answer."""
    return sentence.rstrip(CLOSERS).endswith("?") or DEMAND.match(sentence) is not None


def asks_nearly(question: str, window: str) -> bool:
    """Whether a window holds the numbers of a question in their order, and nearly all of its longer words."""
    wanted = {word for word in words_of(question) if len(word) >= SIGNIFICANT_LETTERS}
    missing = len(wanted - set(words_of(window)))
    return missing <= len(wanted) // WORDS_PER_MISSING_ONE and in_order(numbers_in(question), numbers_in(window))


def holds_answer(question: Question, text: str) -> bool:
    """Whether a text holds what a right answer needs, or half of it."""
    needed = num_needed(question)
    return needed > 0 and len(needs_in(question, text)) >= HELD_SHARE * needed


def nearest_pieces(pieces: Iterable[Piece], num_questions: int, index: BenchmarkIndex) -> list[tuple[float, str | None]]:
    """Largest share of each question's word trigrams in one passage, and the passage's id; among equal ones the smallest id."""
    nearest: list[tuple[float, str | None]] = [(0.0, None)] * num_questions
    for piece in pieces:
        for place, score in index.scores(as_row(piece.text)).items():
            best, holder = nearest[place]
            score = round(score, 4)
            if (-score, piece.id) < (-best, holder or "~"):
                nearest[place] = (score, piece.id)
    return nearest
