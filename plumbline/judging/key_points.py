"""The deterministic judge: which key points an answer states, leaves out or contradicts. Pure.

It reads words, not physics: it looks for a point's content words, lightly stemmed and in any order, inside one sentence
(or two neighbouring clauses) that reads as an assertion. It cannot follow a paraphrase with other words; a model judge can.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from plumbline.judging.key_point_clauses import Clause, read_clause, read_clauses, reads_as_sentence
from plumbline.judging.key_point_words import FACTORS, HEDGES, INVERSELY, NEGATIONS, NOT_CONTENT, OPPOSITE_STEMS, PROPORTIONAL, stem_of
from plumbline.judging.point_scores import share_score
from plumbline.rows.finding import Finding
from plumbline.thinking import spoken

RULES_VERSION = 2
"""Part of the judge's identity: raise it whenever a rule below can move a score."""


FARTHEST_APART = 7
"""Neighbouring words of a key point are at most this many words apart in a sentence that states it."""

MIN_WORDS_OF_A_LISTING = 40
MIN_RELEVANT_FRACTION = 0.3
"""Share of a long answer's content words that question, reference or key points use. A dump of facts has a smaller share."""


def _windows(clauses: Sequence[Clause]) -> list[list[tuple[Clause, ...]]]:
    """Stretches that may state a point, shortest first: one clause; several of a sentence; two across a sentence end."""
    by_length: list[list[tuple[Clause, ...]]] = [[(clause,) for clause in clauses]]
    for length in range(2, 5):
        stretches = [tuple(clauses[start : start + length]) for start in range(len(clauses) - length + 1)]
        by_length.append([window for window in stretches if window[0].sentence == window[-1].sentence])
    across = [window for window in pairwise(clauses) if window[0].sentence != window[1].sentence]
    return [*by_length, list(across)]


def _offers_alternatives(window: Sequence[Clause], point: Clause) -> bool:
    """Whether an "or" puts something else next to a word of the point, or the whole is hedged."""
    for clause in window:
        if HEDGES & set(clause.words) - set(point.words):
            return True
        for position, word in enumerate(clause.words):
            if word != "or" or "or" in point.words:
                continue
            before = [stem_of(w) for w in clause.words[:position] if w not in NOT_CONTENT][-1:]
            after = [stem_of(w) for w in clause.words[position + 1 :] if w not in NOT_CONTENT][:1]
            if any(one in point.stems for one in before + after) and not all(one in point.stems for one in before + after):
                return True
    return False


def _stems_of(window: Sequence[Clause]) -> frozenset[str]:
    return frozenset(stem for clause in window for stem in clause.stems)


def _holds_together(window: Sequence[Clause], point: Clause) -> bool:
    """Whether the point's words are related here as in the point: neighbours near each other, half of them in the same order.

    A heap of the same words in another order is not a statement. A passive or a moved clause still is one.
    """
    places: dict[str, list[int]] = {}
    for place, word in enumerate(word for clause in window for word in clause.words):
        places.setdefault(stem_of(word), []).append(place)
    chain = [stem_of(word) for word in point.words if word not in NOT_CONTENT and word not in NEGATIONS]
    chain = [stem for stem in chain if stem in places]
    num_near = num_in_order = num_pairs = 0
    for one, other in pairwise(chain):
        if one == other:
            continue
        gaps = [second - first for first in places[one] for second in places[other] if second != first]
        num_pairs += 1
        num_near += any(abs(gap) <= FARTHEST_APART for gap in gaps)
        num_in_order += any(0 < gap <= FARTHEST_APART for gap in gaps)
    allowed_far = len(window) - 1  # a clause may be moved: "when the volume falls, the pressure rises"
    return num_near >= num_pairs - allowed_far and 2 * num_in_order >= num_pairs


@dataclass(frozen=True)
class _Found:
    finding: Finding
    window: tuple[Clause, ...] = ()
    """The clauses that state or contradict it; empty for a missing point."""

    def quote(self, text: str) -> str | None:
        """The sentences of these clauses, on one line."""
        return " ".join(text[self.window[0].span[0] : self.window[-1].span[1]].split()) if self.window else None


def _find(point: Clause, clauses: Sequence[Clause]) -> _Found:
    """Look for one key point in the clauses of an answer."""
    allowed_missing = 1 if len(point.stems) >= 6 else 0

    def covers(window: Sequence[Clause]) -> bool:
        stems = _stems_of(window)
        missing = point.stems - stems
        return len(missing) <= allowed_missing and not any(OPPOSITE_STEMS.get(stem, frozenset()) & stems for stem in missing)

    for clause in clauses:
        if not clause.is_assertion or (clause.denials - point.denials) % 2:
            continue
        for stem in point.stems - clause.stems:
            if point.stems - {stem} <= clause.stems and OPPOSITE_STEMS.get(stem, frozenset()) & clause.stems - point.stems:
                return _Found(Finding.CONTRADICTED, (clause,))
    found = _Found(Finding.MISSING)
    for windows in _windows(clauses):
        for window in filter(covers, windows):
            if not all(clause.is_assertion for clause in window):
                continue
            stems = _stems_of(window)
            is_denied = (sum(clause.denials for clause in window) - point.denials) % 2 == 1
            if PROPORTIONAL in point.stems and (INVERSELY in stems) != (INVERSELY in point.stems):
                is_denied = not is_denied
            if len(window) == 1 and point.stems & FACTORS and stems & FACTORS != point.stems & FACTORS:
                is_denied = True
            if is_denied and window[0].sentence == window[-1].sentence:
                return _Found(Finding.CONTRADICTED, window)
            if len(window) == 1 and any(OPPOSITE_STEMS.get(stem, frozenset()) & stems - point.stems for stem in point.stems):
                continue  # "grows and shrinks" commits to neither
            if not is_denied and reads_as_sentence(window) and _holds_together(window, point) and not _offers_alternatives(window, point):
                found = found if found.window else _Found(Finding.STATED, window)
        if found.finding is Finding.STATED:
            break
    return found


def _is_listing(clauses: Sequence[Clause], relevant: frozenset[str]) -> bool:
    """Whether a long answer is mostly about other things, such as a dump of facts in the hope that some fit."""
    stems = [stem for clause in clauses for stem in clause.stems]
    return len(stems) >= MIN_WORDS_OF_A_LISTING and sum(stem in relevant for stem in stems) < MIN_RELEVANT_FRACTION * len(stems)


@dataclass(frozen=True)
class KeyPointVerdict:
    """The score by rule, and how it came about."""

    score: float
    """0, 0.25, 0.5, 0.75 or 1."""
    findings: tuple[Finding, ...]
    """One per key point, in their order."""
    quotes: tuple[str | None, ...]
    """For each point, the sentences that state or contradict it; None if it is missing."""
    is_listing: bool

    def account(self, key_points: Sequence[str]) -> str:
        """JSON text (ASCII) with the finding for each point."""
        points = [{"point": point, "finding": finding} for point, finding in zip(key_points, self.findings, strict=True)]
        return json.dumps({"points": points, "listing": self.is_listing, "score": self.score})

    @property
    def reasoning(self) -> str:
        """The count of findings, for a reader."""
        counts = {finding: self.findings.count(finding) for finding in Finding}
        said = f"{counts[Finding.STATED]} of {len(self.findings)} key points stated"
        if counts[Finding.CONTRADICTED]:
            said += f", {counts[Finding.CONTRADICTED]} contradicted"
        return f"{said}; lists everything" if self.is_listing else said


def judge_key_points(answer: str, key_points: Sequence[str], *, question: str, reference: str) -> KeyPointVerdict:
    """Score an answer by its share of stated key points, rounded down to the scale.

    The answer's thinking is not read. The score is 0 if the answer contradicts a point, even if it also states it, or lists everything.
    ValueError without key points.
    """
    points = [read_clause(point, 0, True) for point in key_points]
    if not points or any(not point.stems for point in points):
        raise ValueError(
            f"The key points are {list(key_points)!r}, but each must hold a content word. Write them, or use another judge backend."
        )
    text = spoken(answer).text
    clauses = read_clauses(text)
    found = [_find(point, clauses) for point in points]
    findings = tuple(one.finding for one in found)
    relevant = _stems_of([clause for text in (question, reference, *key_points) for clause in read_clauses(text)])
    is_listing = _is_listing(clauses, relevant)
    score = 0.0 if is_listing or Finding.CONTRADICTED in findings else share_score(findings)
    return KeyPointVerdict(score, findings, tuple(one.quote(text) for one in found), is_listing)
