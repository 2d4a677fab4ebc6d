"""Find training rows that repeat a benchmark question, and say how near the others come. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from plumbline.near_duplicates import normalise, numbers_in, similarity
from plumbline.rows.instruction_row import InstructionRow
from plumbline.rows.question import Question
from plumbline.splitting.overlap import OverlapRule

WORD = re.compile(r"\d+(?:[.,]\d+)*|\w+|[^\w\s]")
TRIGRAM = 3
CANDIDATE_GRAM = 2
"""Words in a gram. A row that shares no such gram with a question is not compared with it."""

Gram = tuple[str, ...]


class Match(NamedTuple):
    """A row repeats a question."""

    question: int
    rule: OverlapRule
    score: float


class Asked(NamedTuple):
    """A benchmark question as compared: text alone, and text with its choices."""

    forms: frozenset[str]
    encoded: bytes
    numbers: tuple[str, ...]
    trigrams: frozenset[Gram]
    ngrams: frozenset[Gram]


class BenchmarkIndex:
    """All questions, ready to be compared with one row after another: the cost of a row grows only with its own length."""

    def __init__(self, questions: Sequence[Question], *, ngram_words: int, ngram_share: float, near_similarity: float) -> None:
        self.ngram_words = ngram_words
        self.ngram_share = ngram_share
        self.near_similarity = near_similarity
        self.asked = [self.prepare(question) for question in questions]
        self.by_form: dict[str, list[int]] = defaultdict(list)
        self.by_trigram: dict[Gram, list[int]] = defaultdict(list)
        self.by_ngram: dict[Gram, list[int]] = defaultdict(list)
        self.by_pair: dict[Gram, list[int]] = defaultdict(list)
        for index, (asked, question) in enumerate(zip(self.asked, questions, strict=True)):
            for form in asked.forms:
                self.by_form[form].append(index)
            for gram in asked.trigrams:
                self.by_trigram[gram].append(index)
            for gram in asked.ngrams:
                self.by_ngram[gram].append(index)
            for gram in grams(words_of(question.question), CANDIDATE_GRAM):
                self.by_pair[gram].append(index)

    def prepare(self, question: Question) -> Asked:
        """One question in the form in which it is compared."""
        with_choices = " ".join([question.question, *(f"{letter} {text}" for letter, text in question.choices.items())])
        return Asked(
            frozenset({normalise(question.question), normalise(with_choices)}),
            normalise(question.question).encode(),
            numbers_in(question.question),
            frozenset(grams(words_of(question.question), TRIGRAM)),
            frozenset(grams(words_of(question.question), self.ngram_words)),
        )

    def match(self, row: InstructionRow) -> Match | None:
        """The question that a row repeats, by the first rule that finds one: exact, n-gram, near-duplicate.

        Each exchange of a conversation counts as a row.
        """
        for exchange in exchanges_of(row):
            if found := self.match_exchange(exchange):
                return found
        return None

    def match_exchange(self, row: InstructionRow) -> Match | None:
        """The question that the last exchange of a row repeats."""
        question = f"{row.instruction}\n{row.input}".strip()
        normalised = normalise(question)
        if exact := self.by_form.get(normalised):
            return Match(exact[0], "normalised_exact", 1.0)
        everything = f"{question}\n{row.output}"
        shared = shared_grams(self.by_ngram, grams(words_of(everything), self.ngram_words))
        for index, number in shared.most_common():
            share = number / len(self.asked[index].ngrams)
            if share < self.ngram_share:
                continue
            # Different numbers make a different question: all of its numbers must stand in the row, in their order.
            if in_order(self.asked[index].numbers, numbers_in(everything)):
                return Match(index, "ngram", share)
        numbers = numbers_in(question)
        candidates = shared_grams(self.by_pair, grams(words_of(question), CANDIDATE_GRAM))
        best: Match | None = None
        for index in sorted(candidates):
            if self.asked[index].numbers == numbers:
                score = similarity(self.asked[index].encoded, normalised.encode())
                if score >= self.near_similarity and (best is None or score > best.score):
                    best = Match(index, "near_duplicate", score)
        return best

    def scores(self, row: InstructionRow) -> dict[int, float]:
        """Share of each question's word trigrams that the row's own question holds, for questions that share any."""
        best: dict[int, float] = {}
        for exchange in exchanges_of(row):
            shared = shared_grams(self.by_trigram, grams(words_of(f"{exchange.instruction}\n{exchange.input}"), TRIGRAM))
            for index, number in shared.items():
                best[index] = max(best.get(index, 0.0), number / len(self.asked[index].trigrams))
        return best


def exchanges_of(row: InstructionRow) -> Iterator[InstructionRow]:
    """Each exchange of a conversation as its own row; a row without earlier exchanges as it is."""
    for exchange in row.earlier:
        yield row.model_copy(update={"instruction": exchange.user, "input": "", "output": exchange.assistant, "earlier": ()})
    yield row


def shared_grams(index: dict[Gram, list[int]], found: Iterable[Gram]) -> Counter[int]:
    """How many of the grams each question holds."""
    return Counter(question for gram in found for question in index.get(gram, ()))


def words_of(text: str) -> list[str]:
    """Lower-case words, numbers and signs without punctuation: `9.8` is one word, and `s?` becomes `s`."""
    return [word for word in WORD.findall(text.lower()) if word not in ".,;:!?'\"`’“”()$*"]


def grams(words: Sequence[str], size: int) -> set[Gram]:
    """Every run of `size` words."""
    return {tuple(words[start : start + size]) for start in range(len(words) - size + 1)}


def in_order(wanted: Sequence[str], found: Sequence[str]) -> bool:
    """Whether all wanted items stand in `found`, in their order."""
    rest = iter(found)
    return all(item in rest for item in wanted)
